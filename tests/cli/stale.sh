#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The page cache of a disk that is written around it: nothing old comes back,
# whoever reads meanwhile, and whatever goes through it.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_loop
require_late

# check_disk TEXT OFFSET: the data, by the page cache and around it.
check_disk()
{
	check "$1: the page cache has the data" \
		cmp -n "$size" -i "0:$2" "$work/data" "$disk"
	check "$1: so has the disk" \
		cmp -n "$size" -i "0:$2" "$work/data" "$image"
	is "$1: what is behind is as it was" \
		"$(tail -c +$(($2 + size + 1)) "$image" | tr -d O | wc -c)" 0
}

# The tail, which is no whole block, has bytes of a page that is written to at
# the same time. Each write comes after another while.
make_data "$work/data" $((1 << 20 | 100)) 1
size=$(size_of "$work/data")
image=$work/slow.img
truncate -s 4M "$image"
{ bed_late slow 100 && bed_loop_over "$BED"; } || skip_all "$BED_WHY"
disk=$BED
for seek in 1 2 3 5 7 8 9 63; do
	yes O | tr -d '\n' | head -c 4M 1<>"$image"
	blockdev --flushbufs "$disk"
	run aiodd if="$work/data" of="$disk" io=aio iosize=64K depth=8 bs=512 \
		seek=$seek
	is "an unaligned tail, seek=$seek: exit status" "$status" 0
	check_disk "an unaligned tail, seek=$seek" $((seek * 512))
done

# Who has the disk open and reads it while it is written puts the old bytes into
# the page cache.
image=$work/held.img
hold=$image.hold
yes O | tr -d '\n' | head -c 4M >"$image"
{ bed_late held 0 && bed_loop_over "$BED"; } || skip_all "$BED_WHY"
disk=$BED
busy=/sys/block/${disk#/dev/}/inflight
[ -r "$busy" ] || skip_all "no $busy here"
exec 9<"$disk"
make_data "$work/data" $((256 << 10 | 100)) 1
size=$(size_of "$work/data")

# The disk has writes that it does not carry out.
# shellcheck disable=SC2317 # called by wait_for
is_writing()
{
	local _ writes

	read -r _ writes <"$busy" && [ "$writes" -gt 0 ]
}

# start OPERANDS...: a copy whose first writes are out.
start()
{
	touch "$hold"
	aiodd if="$work/data" of="$disk" io=aio iosize=64K depth=8 "$@" \
		2>"$work/err" &
	wait_for is_writing || fail "$*: it writes" "$(cat "$work/err")"
}

go_on()
{
	rm "$hold"
	wait $!
	is "$1: exit status" $? 0
}

for operands in bs=64K 'bs=64K verify=yes' 'bs=64K commit=first-last'; do
	yes O | tr -d '\n' | head -c 4M 1<>"$image"
	blockdev --flushbufs "$disk"
	# shellcheck disable=SC2086 # operands
	start $operands
	head -c 1M "$disk" >"$work/seen" # the old bytes, into the page cache
	go_on "read meanwhile, $operands"
	check_disk "read meanwhile, $operands" 0
	printf X | dd of="$disk" bs=1 seek=5000 conv=notrunc,fsync status=none
	printf X | dd of="$work/data" bs=1 seek=5000 conv=notrunc status=none
	check_disk "$operands, and a byte of somebody else" 0
done

finish
