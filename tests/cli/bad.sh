#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A source with bad sectors.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_nbd
require_gnu_dd

size=$((1 << 20))
make_data "$work/image" $size 1
# Two bad pages side by side, one alone, and the last one.
cat >"$work/map" <<-'MAP'
	0x000000 ?
	0x000000 0x010000 +
	0x010000 0x002000 -
	0x012000 0x06e000 +
	0x080000 0x001000 -
	0x081000 0x07e000 +
	0x0ff000 0x001000 -
MAP
bed_bad disk "$work/image" "$work/map" || skip_all "$BED_WHY"
bad=$BED

run aiodd if="$bad" of="$work/out.img" bs=4096
is 'without noerror: exit status' "$status" 1
says 'without noerror: the error has name, reason and offset' "$work/err" \
	"^aiodd: error reading '$bad': Input/output error \\(offset 65536\\)\$"
is 'without noerror: the good prefix is there' \
	"$(size_of "$work/out.img") $(bytes_reported "$work/err")" '65536 65536'
check 'without noerror: and is right' \
	cmp -n 65536 "$work/image" "$work/out.img"

for way in io=aio io=inline; do
	run aiodd if="$bad" of="$work/out.img" bs=1M $way
	is "bs=1M $way: exit status" "$status" 1
	is "bs=1M $way: as much as dd gets" \
		"$(size_of "$work/out.img") $(bytes_reported "$work/err")" \
		'65536 65536'
done

setup="ln -s '$bad' in"
like_dd 'error message, bs=4096' "$setup" 'dd if=in of=out bs=4096'
like_dd 'error message, bs=512' "$setup" 'dd if=in of=out'
like_dd 'error message, bs=64K' "$setup" 'dd if=in of=out bs=64K skip=1'
like_dd 'error in the middle of a record' "$setup" \
	'dd if=in of=out bs=20000'
like_dd 'error after count is never met' "$setup" \
	'dd if=in of=out bs=4096 count=16'
like_dd 'error at the first byte' "$setup" 'dd if=in of=out bs=4096 skip=16'
for operands in bs=4096 bs=512 bs=8192 bs=64K 'bs=4096 iflag=direct' \
	'bs=64K iflag=direct' 'ibs=4096 obs=10000' 'bs=4096 status=noxfer' \
	'bs=4096 status=none' 'bs=4096 count=20' 'bs=48K count=30' \
	'bs=4096 skip=17 seek=3'; do
	like_dd "conv=noerror,sync $operands" "$setup" \
		"dd if=in of=out conv=noerror,sync $operands"
done
like_dd 'conv=noerror,sync onto longer data' \
	"$setup; head -c 2M /dev/zero >out" \
	'dd if=in of=out conv=noerror,sync,notrunc bs=4096'
like_dd 'conv=noerror,sync to a pipe' "$setup" \
	'dd if=in conv=noerror,sync bs=4096 | cat >out'

# As a block device, where the page cache reads whole pages.
if [ "$(id -u)" -eq 0 ] && bed_loop_over "$bad"; then
	setup="ln -s '$BED' in; blockdev --flushbufs '$BED'"
	# Read at the same time, the one meets the failed readahead of the
	# other.
	in_turn=1
	like_dd 'device: error message' "$setup" 'dd if=in of=out bs=64K'
	like_dd 'device: conv=noerror,sync bs=512' "$setup" \
		'dd if=in of=out conv=noerror,sync'
	like_dd 'device: conv=noerror,sync bs=4096' "$setup" \
		'dd if=in of=out conv=noerror,sync bs=4096'
	like_dd 'device: conv=noerror,sync bs=512 direct' "$setup" \
		'dd if=in of=out conv=noerror,sync iflag=direct'
else
	skip 'block device with bad sectors' 'no loop devices here'
fi

# A bad page that the requests of the ring are around.
make_data "$work/wide.img" $((8 << 20)) 2
cat >"$work/wide.map" <<-'MAP'
	0x000000 ?
	0x000000 0x300000 +
	0x300000 0x001000 -
	0x301000 0x4ff000 +
MAP
bed_bad wide "$work/wide.img" "$work/wide.map" || skip_all "$BED_WHY"
# shellcheck disable=SC2034 # bed_bad's
in_turn=
setup="ln -s '$BED' in; head -c 8M /dev/zero >out"
like_dd 'nothing is written behind the error' "$setup" \
	'dd if=in of=out conv=notrunc oflag=direct bs=4096'

finish
