// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Manifests: one that was good, with bytes of its headers and records changed,
// also so that the sums are right again, and cut anywhere. Of bytes that were
// never there it does not say that they are, also not after another run.

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "little.h"
#include "manifest.h"

enum { NR = 1, TAIL = 77, SUM_AT = MANIFEST_HEADER_SIZE - 16, STEP = 4 };

#define LEN ((size_t)NR * MANIFEST_RANGE + TAIL)

static unsigned char disk[LEN];
static unsigned char others[LEN];
static const struct manifest_ids ids;

// Where the fields begin, and values that are at an edge.
static const uint16_t fields[] = {0, 8, 12, 16, 24, 32, 40, 48, 56, 324};
static const uint64_t edges[] = {0, 1, MANIFEST_RANGE - 1, MANIFEST_RANGE,
				 INT64_MAX, UINT64_MAX, 3 * MANIFEST_RANGE,
				 UINT64_MAX - MANIFEST_RANGE};

void
fuzz_shape(uint8_t *data, size_t size)
{
	// A few changes each, or none is the first.
	for (size_t i = 0; i < size; i += STEP)
		if (i >= 4 * STEP)
			data[i] = 0xff;
}

static void
must(int is_true)
{
	if (!is_true)
		abort();
}

static void
write_all(struct manifest *m, const unsigned char *bytes)
{
	if (manifest_touch(m, 0, LEN) == 0)
		manifest_put(m, 0, LEN, bytes);
}

static void
make(int fd)
{
	struct manifest m;

	(void)manifest_open(&m, fd);
	must(manifest_begin(&m, &ids, LEN, false) == 0);
	write_all(&m, disk);
	must(manifest_end(&m, LEN, LEN, &ids) == 0);
}

static void
put_sum(int fd, off_t slot)
{
	unsigned char block[MANIFEST_HEADER_SIZE];

	memset(block, 0, sizeof(block));
	(void)!pread(fd, block, sizeof(block), slot);
	digest_xxh128(0, block, SUM_AT, block + SUM_AT);
	(void)!pwrite(fd, block, sizeof(block), slot);
}

// Four bytes of the input.
static void
change(int fd, const uint8_t *how)
{
	const off_t slot = how[0] & 1 ? MANIFEST_HEADER_SIZE : 0;
	unsigned char value[8];

	switch (how[0] % 5) {
	case 0: // one byte anywhere
		(void)!pwrite(fd, &how[3], 1, (how[1] << 8 | how[2]) % 8300);
		return;
	case 1: // one byte of a header, with its sum
		(void)!pwrite(fd, &how[3], 1,
			      slot + (how[1] << 8 | how[2]) % SUM_AT);
		break;
	case 2: // a field
	case 3:
		little_put(value, 8, edges[how[2] % 8]);
		(void)!pwrite(fd, value, how[3] & 1 ? 8 : 4,
			      slot + fields[how[1] % 10]);
		break;
	default:
		(void)!ftruncate(fd, how[1] << 8 | how[2]);
		return;
	}
	put_sum(fd, slot);
}

static void
ask_all(const struct manifest *m)
{
	for (uint64_t off = 0; off < LEN; off += MANIFEST_RANGE)
		for (size_t len = 1; len <= LEN - off; len += 65537)
			must(manifest_ask(m, off, len, others + off) !=
			     MANIFEST_SAME);
	must(manifest_ask(m, 0, LEN, others) != MANIFEST_SAME);
	(void)manifest_ask(m, INT64_MAX / MANIFEST_RANGE * MANIFEST_RANGE,
			   LEN, others);
	(void)manifest_known(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("manifest", MFD_CLOEXEC);
	struct manifest m;

	memset(disk, 'x', sizeof(disk));
	memset(others, 'y', sizeof(others));
	make(fd);
	for (size_t i = 0; i + STEP <= size && data[i] != 0xff; i += STEP)
		change(fd, data + i);
	const int r = manifest_open(&m, fd);
	if (r == 0) {
		ask_all(&m);
		must(manifest_begin(&m, &ids, 0, true) <= 0);
		ask_all(&m);
		write_all(&m, disk);
		ask_all(&m);
		if (manifest_end(&m, LEN, LEN, &ids) == 0) {
			must(manifest_open(&m, fd) == 0);
			must(manifest_ask(&m, 0, LEN, disk) == MANIFEST_SAME);
			ask_all(&m);
		}
	}
	(void)close(fd); // of memory
	return 0;
}
