// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "manifest.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base.h"
#include "manifest_file.h"
#include "zero.h"

#define RECORD MANIFEST_FILE_RECORD

#define WINDOW (256 * MIB) // how far ahead of the writes reach is

static uint64_t
nr_ranges(uint64_t len)
{
	return len / MANIFEST_RANGE + (len % MANIFEST_RANGE != 0);
}

// Bytes of a range that begins at off.
static uint64_t
range_len(uint64_t len, uint64_t off)
{
	return off < len ? min_u64(len - off, MANIFEST_RANGE) : 0;
}

int
manifest_open(struct manifest *m, int fd)
{
	*m = (struct manifest){.fd = fd};
	const int r = manifest_header_read(fd, &m->header);
	if (r < 0)
		return r;
	m->len = m->header.len;
	m->gap_from = round_down(m->header.done, MANIFEST_RANGE);
	m->gap_to = round_up(m->header.reach, MANIFEST_RANGE);
	return 0;
}

// False: it is not known.
static bool
get_record(const struct manifest *m, uint64_t nr, unsigned char ret[RECORD])
{
	const uint64_t off = nr * MANIFEST_RANGE;

	if (off >= m->gap_from && off < m->gap_to)
		return false;
	return manifest_file_read(m->fd, ret, RECORD, manifest_file_at(nr)) ==
		       0 &&
	       !zero_is_all(ret, RECORD);
}

size_t
manifest_has(const struct manifest *m, uint64_t nr)
{
	unsigned char record[RECORD];

	return nr < manifest_nr(m) && get_record(m, nr, record)
		       ? (size_t)range_len(m->len, nr * MANIFEST_RANGE)
		       : 0;
}

uint64_t
manifest_known_end(const struct manifest *m)
{
	uint64_t nr = min_u64(manifest_nr(m), manifest_file_nr(m->fd));

	while (nr > 0 && manifest_has(m, nr - 1) == 0)
		nr--;
	return min_u64(nr * MANIFEST_RANGE, m->len);
}

uint64_t
manifest_known(const struct manifest *m)
{
	const uint64_t nr = min_u64(manifest_nr(m), manifest_file_nr(m->fd));
	uint64_t bytes = 0;

	for (uint64_t i = 0; i < nr;) {
		const size_t len = manifest_has(m, i);

		bytes += len;
		i = len > 0 ? i + 1 : manifest_file_next(m->fd, i + 1);
	}
	return bytes;
}

enum manifest_answer
manifest_compare(const struct manifest *m, uint64_t nr, size_t len,
		 const unsigned char *digest)
{
	unsigned char known[RECORD];

	if (len != range_len(m->len, nr * MANIFEST_RANGE) ||
	    !get_record(m, nr, known))
		return MANIFEST_UNKNOWN;
	return memcmp(known, digest, RECORD) == 0 ? MANIFEST_SAME
						  : MANIFEST_OTHER;
}

static enum manifest_answer
ask_range(const struct manifest *m, uint64_t off, size_t len, const void *buf)
{
	const uint64_t nr = off / MANIFEST_RANGE;
	unsigned char found[RECORD];

	// A digest of what is not known would be for nothing.
	if (len == 0 || manifest_has(m, nr) != len)
		return MANIFEST_UNKNOWN;
	digest_xxh128(m->header.seed, buf, len, found);
	return manifest_compare(m, nr, len, found);
}

enum manifest_answer
manifest_ask(const struct manifest *m, uint64_t off, size_t len,
	     const void *buf)
{
	enum manifest_answer all = MANIFEST_SAME;

	if (off % MANIFEST_RANGE != 0)
		return MANIFEST_UNKNOWN;
	for (size_t at = 0; at < len && all != MANIFEST_OTHER;
	     at += MANIFEST_RANGE) {
		const size_t part = (size_t)min_u64(len - at, MANIFEST_RANGE);
		const enum manifest_answer one = ask_range(
			m, off + at, part, (const char *)buf + at);

		if (one > all)
			all = one;
	}
	return all;
}

static int
write_header(struct manifest *m, struct manifest_header header)
{
	const int r = manifest_header_write(m->fd, &header);

	if (r == 0)
		m->header = header;
	return r;
}

static int
note_error(struct manifest *m, int r)
{
	if (r < 0 && m->error == 0)
		m->error = r;
	return r;
}

static int
forget_all(struct manifest *m)
{
	uint64_t seed = 0;

	m->len = 0;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	m->header = (struct manifest_header){.seed = seed};
	// What is left of the old headers would count, too.
	return ftruncate(m->fd, 0) < 0 ? -errno : 0;
}

// What a run that was cut off has left, and what lies behind the end.
static int
forget_gap(const struct manifest *m)
{
	const int r = manifest_file_cut(m->fd, manifest_nr(m));

	return r < 0 ? r
		     : manifest_file_clear(m->fd, m->gap_from / MANIFEST_RANGE,
					   m->gap_to / MANIFEST_RANGE);
}

// reach: how much is in doubt from now on.
static int
start_run(struct manifest *m, const struct manifest_ids *ids, uint64_t len,
	  bool is_kept, uint64_t reach)
{
	int r = is_kept ? forget_gap(m) : forget_all(m);

	m->gap_from = m->gap_to = 0;
	if (r == 0)
		r = manifest_file_sync(m->fd);
	struct manifest_header header = m->header;
	header.ids = *ids;
	header.done = 0;
	header.reach = reach;
	header.len = max_u64(header.len, reach);
	header.is_complete = false;
	if (r == 0)
		r = write_header(m, header);
	if (r == 0)
		r = manifest_file_reserve(m->fd, nr_ranges(len));
	return note_error(m, r);
}

int
manifest_begin(struct manifest *m, const struct manifest_ids *ids, uint64_t len,
	       bool is_kept)
{
	return start_run(m, ids, len, is_kept, 0);
}

bool
manifest_is_beyond(const struct manifest *m, uint64_t off, uint64_t len)
{
	return !m->is_mapped &&
	       (off < m->header.done || off + len > m->header.reach);
}

// The header is ahead of what is written to the destination, and of records
// that are not the old ones.
static int
reach(struct manifest *m, uint64_t off, uint64_t len)
{
	struct manifest_header header = m->header;

	if (!manifest_is_beyond(m, off, len))
		return 0;
	header.done = min_u64(header.done, round_down(off, MANIFEST_RANGE));
	if (off + len > header.reach)
		header.reach = round_up(off + len, MANIFEST_RANGE) + WINDOW;
	// The old range that is cut off lies before reach, or stays.
	header.len = max_u64(header.len, header.reach);
	return note_error(m, write_header(m, header));
}

static int
clear_record(struct manifest *m, uint64_t nr)
{
	if (nr == m->len / MANIFEST_RANGE)
		m->is_old_end_put = false;
	if (nr == m->tail.end / MANIFEST_RANGE)
		m->tail.end = 0;
	return manifest_file_clear(m->fd, nr, nr + 1);
}

int
manifest_touch(struct manifest *m, uint64_t off, uint64_t len)
{
	const uint64_t end = nr_ranges(off + len);
	unsigned char record[RECORD];
	int r = reach(m, off, len);

	m->is_dirty = true;
	for (uint64_t nr = off / MANIFEST_RANGE; r == 0 && nr < end; nr++)
		if (get_record(m, nr, record) ||
		    nr == m->tail.end / MANIFEST_RANGE)
			r = clear_record(m, nr);
	return note_error(m, r);
}

// Ranges that an end cuts off have digests that are good for no other.
int
manifest_begin_mapped(struct manifest *m, const struct manifest_ids *ids,
		      uint64_t len, bool is_kept)
{
	const uint64_t old = m->len;

	// All of it is in doubt to who has no map.
	m->gap_from = m->gap_to = 0;
	int r = start_run(m, ids, len, is_kept, round_up(len, MANIFEST_RANGE));
	m->is_mapped = true;
	m->len = len;
	if (r < 0 || old == len)
		return r;
	if (is_kept)
		r = clear_record(m, old / MANIFEST_RANGE);
	if (r == 0)
		r = clear_record(m, len / MANIFEST_RANGE);
	return note_error(m, r);
}

int
manifest_flush(const struct manifest *m)
{
	return m->error < 0 ? m->error : manifest_file_sync(m->fd);
}

static void
put_record(struct manifest *m, uint64_t nr, const unsigned char is[RECORD])
{
	unsigned char was[RECORD];
	int r = 0;

	if (!get_record(m, nr, was) || memcmp(was, is, RECORD) != 0) {
		r = reach(m, nr * MANIFEST_RANGE, MANIFEST_RANGE);
		if (r == 0)
			r = manifest_file_write(m->fd, is, RECORD,
						manifest_file_at(nr));
		note_error(m, r);
	}
	if (r == 0 && nr == m->len / MANIFEST_RANGE)
		m->is_old_end_put = true;
}

void
manifest_put(struct manifest *m, uint64_t off, size_t len, const void *buf)
{
	const uint64_t end = off + len;
	unsigned char record[RECORD];

	for (uint64_t at = round_up(off, MANIFEST_RANGE); at < end;
	     at += MANIFEST_RANGE) {
		const size_t part = (size_t)min_u64(end - at, MANIFEST_RANGE);

		digest_xxh128(m->header.seed, (const char *)buf + (at - off),
			      part, record);
		if (part == MANIFEST_RANGE || (m->is_mapped && end == m->len)) {
			put_record(m, at / MANIFEST_RANGE, record);
		} else {
			m->tail.end = end;
			memcpy(m->tail.record, record, RECORD);
		}
	}
}

void
manifest_put_hole(struct manifest *m, uint64_t off, uint64_t len, bool is_end)
{
	static const unsigned char zeros[MANIFEST_RANGE];
	const uint64_t end = off + len, whole = round_down(end, MANIFEST_RANGE);
	unsigned char record[RECORD];

	// They all have the same digest, and can be very many.
	digest_xxh128(m->header.seed, zeros, sizeof(zeros), record);
	for (off = round_up(off, MANIFEST_RANGE); off < whole;
	     off += MANIFEST_RANGE)
		put_record(m, off / MANIFEST_RANGE, record);
	if (is_end && off == whole)
		manifest_put(m, whole, (size_t)(end - whole), zeros);
}

int
manifest_sync(struct manifest *m, uint64_t upto)
{
	struct manifest_header header = m->header;
	int r = manifest_file_sync(m->fd);

	upto = round_down(min_u64(upto, header.reach), MANIFEST_RANGE);
	header.done = max_u64(header.done, upto);
	if (r == 0)
		r = write_header(m, header);
	if (r == 0)
		m->is_dirty = false;
	return note_error(m, r);
}

// The ranges that the old end and the new one cut off.
static int
end_ranges(struct manifest *m, uint64_t len)
{
	const uint64_t old = m->len / MANIFEST_RANGE;
	const uint64_t last = len / MANIFEST_RANGE;
	int r = 0;

	if (len != m->len && old != last && !m->is_old_end_put)
		r = clear_record(m, old);
	if (m->tail.end == len && len % MANIFEST_RANGE != 0)
		put_record(m, last, m->tail.record);
	else if (r == 0 && len != m->len)
		r = clear_record(m, last);
	return r < 0 ? r : manifest_file_cut(m->fd, nr_ranges(len));
}

int
manifest_end(struct manifest *m, uint64_t end, uint64_t size,
	     const struct manifest_ids *ids)
{
	const uint64_t len = max_u64(end, min_u64(m->len, size));

	note_error(m, end_ranges(m, len));
	if (m->error == 0)
		note_error(m, manifest_file_sync(m->fd));
	if (m->error < 0)
		return m->error;
	struct manifest_header header = m->header;
	header.ids = *ids;
	header.len = len;
	header.done = header.reach = 0;
	header.is_complete = true;
	return note_error(m, write_header(m, header));
}
