#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A file to a block device and back, with sectors of 512 and of 4096 bytes.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # expanded by the shells that are started
. "$(dirname "$0")/../lib.sh"

require_loop
require_gnu_dd

device_size=$(((8 << 20) + 3 * 4096))
make_data "$work/data" $device_size 1
make_data "$work/patch" $((1 << 20)) 2

# round_trip TEXT OPERANDS...: the device is read back behind its cache.
round_trip()
{
	local text=$1

	shift
	must_be_ours "$ours"
	rm -f "$work/back"
	run aiodd if="$work/data" of="$ours" "$@"
	is "$text: out" "$status $(bytes_reported "$work/err")" "0 $device_size"
	blockdev --flushbufs "$ours"
	check "$text: the device has the data" same "$work/data" "$ours"
	run aiodd if="$ours" of="$work/back" "$@"
	is "$text: back" "$status" 0
	check "$text: the file has the data" same "$work/data" "$work/back"
}

# part OPERANDS...: the same part copied by dd to a second device.
part()
{
	must_be_ours "$ours"
	must_be_ours "$theirs"
	must gnu_dd if="$work/data" of="$theirs" bs=1M 2>"$work/gnu"
	must gnu_dd if="$work/data" of="$ours" bs=1M 2>"$work/gnu"
	gnu_dd of="$theirs" "$@" 2>"$work/gnu" <"$work/patch"
	run as_dd if="$work/patch" of="$ours" "$@"
	is "part $*: exit status" "$status" 0
	is "part $*: records" "$(masked "$work/err")" "$(masked "$work/gnu")"
	check "part $*: the device is as dd leaves it" same "$theirs" "$ours"
}

# piece OPERANDS...: a piece of the device into a file.
piece()
{
	gnu_dd if="$ours" of="$work/gnu.piece" "$@" 2>"$work/gnu"
	run as_dd if="$ours" of="$work/piece" "$@"
	is "piece $*: exit status" "$status" 0
	is "piece $*: records" "$(masked "$work/err")" "$(masked "$work/gnu")"
	check "piece $*: as dd gets it" same "$work/gnu.piece" "$work/piece"
}

for sector in 512 4096; do
	bed_loop $device_size $sector || { skip "sector $sector" "$BED_WHY"; continue; }
	ours=$BED
	bed_loop $device_size $sector || { skip "sector $sector" "$BED_WHY"; continue; }
	theirs=$BED
	round_trip "sector $sector" bs=1M
	round_trip "sector $sector, aio" bs=64K io=aio
	round_trip "sector $sector, inline" bs=64K io=inline
	round_trip "sector $sector, direct" bs=4096 iflag=direct oflag=direct
	part bs=64K count=7 skip=3 seek=5
	part bs=512 count=1 seek=1
	part bs=3333 count=11 seek=7
	part bs=1 count=777 skip=5 seek=4095
	part ibs=100 obs=4096 seek=1
	part bs=64K count=2 seek=$((2 << 20))B
	part bs=4096 count=0
	piece bs=4096 skip=3 count=9
	piece bs=512 skip=1 count=3
	piece bs=3333 skip=100
	piece bs=1M skip=8
	piece bs=4096 skip=$((device_size / 4096))
done

# A closed standard input stays closed: what is opened to look at the device
# must not take its place.
if bed_loop 1M; then
	must head -c 1M "$work/data" >"$BED"
	run sh -c '"$0" of="$1" conv=swab bs=64K <&-' "$AIODD" "$BED"
	is 'stdin closed: exit status' "$status" 1
	says 'stdin closed: it is told' "$work/err" \
		"error reading 'standard input': Bad file descriptor"
	check 'stdin closed: the device stays' cmp -n 1048576 "$work/data" "$BED"
else
	skip 'stdin closed' "$BED_WHY"
fi

# Sectors that are larger than a page.
make_data "$work/big" 4194304 9
if bed_loop 8M 16384; then
	run aiodd if="$work/big" of="$BED" bs=4K iosize=4K io=aio depth=7
	is 'sectors of 16 KiB, iosize=4K, to the device' "$status" 0
	run aiodd if="$BED" of="$work/back" bs=4K count=1024 iosize=4K \
		io=aio depth=7 status=engine
	check 'sectors of 16 KiB, iosize=4K, and back' \
		same "$work/big" "$work/back"
	check 'sectors of 16 KiB, iosize=4K: the counters agree' \
		engine_balanced "$work/err"
else
	skip 'sectors of 16 KiB' "$BED_WHY"
fi

# A disk is the same one by whatever name, and has no inode of its own.
zram=/sys/class/zram-control
if nr=$(cat $zram/hot_add 2>"$work/err") && [ -n "$nr" ]; then
	cleanup_push sh -c 'echo "$1" >"$0/hot_remove"' $zram "$nr"
	must sh -c 'echo 4M >"/sys/block/zram$0/disksize"' "$nr"
	IFS=: read -r major minor <"/sys/block/zram$nr/dev"
	must mknod "$work/one" b "$major" "$minor"
	must mknod "$work/other" b "$major" "$minor"
	run aiodd "$work/one" "$work/other" force=overlap plan=yes
	says 'a disk by two names' "$work/out" \
		'^method: record by record .source and destination are the same file or'
else
	skip 'a disk by two names' "no zram here: $(head -n 1 "$work/err")"
fi

finish
