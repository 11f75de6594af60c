#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Errors that come late: the writes were accepted, the disk refuses them.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_loop
require_nbd

make_data "$work/data" $((4 << 20)) 1
bed_failing disk 8M error-pwrite=EIO error-pwrite-rate=100% \
	error-file="$work/broken" || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
device=$BED

for operands in 'conv=fsync io=inline' 'conv=fdatasync io=inline' \
	'conv=fsync,notrunc bs=64K' 'conv=fsync io=aio bs=1M' \
	'oflag=sync bs=1M' 'oflag=direct bs=1M'; do
	# The error of the last round must not be seen in this one.
	rm -f "$work/broken"
	blockdev --flushbufs "$device"
	# shellcheck disable=SC2086 # operands
	run aiodd if="$work/data" of="$device" $operands
	is "sound disk, $operands: exit status" "$status" 0
	check "sound disk, $operands: identical" \
		cmp -n $((4 << 20)) "$work/data" "$device"
	touch "$work/broken"
	# shellcheck disable=SC2086 # operands
	run aiodd if="$work/data" of="$device" $operands
	is "broken disk, $operands: exit status" "$status" 1
	says "broken disk, $operands: message" "$work/err" \
		"^aiodd: .*'$device'.*: Input/output error"
	says "broken disk, $operands: statistics" "$work/err" \
		'records out$'
done
rm -f "$work/broken"
blockdev --flushbufs "$device"

# As aiodd, a block device is flushed before success even when not asked to.
touch "$work/broken"
run aiodd if="$work/data" of="$device" io=inline
is 'broken disk, no conv=fsync: exit status' "$status" 1
rm -f "$work/broken"
blockdev --flushbufs "$device"

# Around the page cache, from 1 MiB on.
truncate -s 8M "$work/backing"
if bed_nbd half --filter=noextents eval get_size='echo 8388608' \
	pread="dd if=$work/backing bs=64K iflag=skip_bytes,count_bytes \
		skip=\$4 count=\$3 status=none" \
	pwrite="[ \$4 -lt 1048576 ] || { echo EIO no >&2; exit 1; }
		dd of=$work/backing bs=64K oflag=seek_bytes seek=\$4 \
			conv=notrunc status=none"; then
	for io in aio inline; do
		run aiodd if="$work/data" of="$BED" bs=256K iosize=256K depth=2 \
			oflag=direct conv=notrunc io=$io
		is "half a disk, io=$io: exit status" "$status" 1
		is "half a disk, io=$io: that half is counted" \
			"$(tail -n 3 "$work/err" | head -n 2 | xargs) $(
				bytes_reported "$work/err")" \
			'5+0 records in 4+0 records out 1048576'
	done
else
	skip 'half a disk' "$BED_WHY"
fi

# Written out behind the copy: what was accepted meanwhile is not there.
if bed_failing large 128M error-pwrite=EIO error-pwrite-rate=100% &&
	bed_loop_over "$BED"; then
	make_data "$work/data" $((96 << 20)) 1
	run aiodd if="$work/data" of="$BED" bs=1M conv=fsync,notrunc io=inline \
		rate=32M
	is 'a late error: exit status' "$status" 1
	says 'a late error: from where on' "$work/err" \
		'error writing .*: Input/output error \(offset 0\)$'
else
	skip 'a late error' "$BED_WHY"
fi

finish
