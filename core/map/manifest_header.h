// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The header of a manifest, of which there are two: the one that is written
// next never lies where the one that counts does.
//
//   offset  bytes
//   0       8    "aiodd-rg"
//   8       4    1, the format
//   12      4    262144, the bytes of a range
//   16      8    length
//   24      8    seed
//   32      8    generation: the greater one counts
//   40      8    done
//   48      8    reach
//   56      4    1: complete
//   64      128  identity of the destination
//   192     128  identity of the source
//   320     4    algorithm of a digest that is to go on, 0: none
//   324     4    length of its state, at most 512
//   328     8    offset that it has come to
//   336     512  the state
//   4080    16   xxh128 of what is before it

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MANIFEST_HEADER_SIZE 4096
#define MANIFEST_HEADER_RANGE 262144
#define MANIFEST_HEADER_ID_SIZE 128

// Whose it is: not for us to read.
struct manifest_ids {
	unsigned char dst[MANIFEST_HEADER_ID_SIZE];
	unsigned char src[MANIFEST_HEADER_ID_SIZE];
};

struct manifest_header {
	uint64_t len;          // of what the records are about
	uint64_t seed;         // of their digests
	uint64_t generation;
	uint64_t done;         // the records before it are new, and hold
	uint64_t reach;        // those behind it are old, and hold; between the
			       // two nothing is known
	bool is_complete;      // all is known that there is to know
	struct manifest_ids ids;
};

// The one that counts. 0. -ENODATA: the file is new. -EILSEQ: it is none of
// ours. -EPROTO: one of another format. -EBADMSG: it is damaged. Another
// -errno: of reading it. *ret is set with 0 alone.
int manifest_header_read(int fd, struct manifest_header *ret);

// It is the next generation, and counts from now on, if the other one is lost
// or not: it is synced. 0, or -errno, and it is as it was.
int manifest_header_write(int fd, struct manifest_header *header);
