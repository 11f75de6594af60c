// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "label.h"

#include <endian.h>
#include <string.h>

#include "base.h"

#define SECTOR_MAX 4096

// Of the header, in sector 1.
enum { SIGNATURE = 0, MY_LBA = 24, ALTERNATE_LBA = 32, HEADER_MIN = 92 };

static uint64_t
get_u64(const unsigned char *buf)
{
	uint64_t value;

	memcpy(&value, buf, sizeof(value));
	return le64toh(value);
}

bool
label_parse(struct label *ret, const unsigned char *buf, size_t len,
	    uint32_t sector)
{
	uint64_t last, end;

	if (sector < 512 || sector > SECTOR_MAX ||
	    len < (size_t)sector + HEADER_MIN)
		return false;
	const unsigned char *header = buf + sector;
	if (memcmp(header + SIGNATURE, "EFI PART", 8) != 0 ||
	    get_u64(header + MY_LBA) != 1)
		return false;
	last = get_u64(header + ALTERNATE_LBA);
	if (__builtin_mul_overflow(last, sector, &end) ||
	    __builtin_add_overflow(end, sector, &end))
		end = UINT64_MAX;
	*ret = (struct label){.sector = sector, .end = end};
	return true;
}

bool
label_find(struct label *ret, const unsigned char *buf, size_t len,
	   uint32_t sector)
{
	const uint32_t sectors[] = {sector, 512, SECTOR_MAX};

	for (size_t i = 0; i < ARRAY_LEN(sectors); i++)
		if (label_parse(ret, buf, len, sectors[i]))
			return true;
	return false;
}
