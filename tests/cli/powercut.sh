#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A manifest after a power cut: a disk that loses what was not synced, at any
# moment of an update, and never a digest of what is not there.

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
require_loop
require_late
cd "$work" || exit 99
run aiodd manifest=none plan=yes
grep -q 'left out of this build' err && skip_all 'no libxxhash'

mib=320 # more than a crash leaves in doubt
for name in a bb; do
	: >$name
	must truncate -s ${mib}M $name
	for at in 0 288; do
		make_data part $((32 << 20)) $((at + (${#name} + 1) * 7))
		must dd if=part of=$name bs=1M seek=$at conv=notrunc status=none
	done
done
must truncate -s ${mib}M disk.img
: >disk.img.forgets
bed_late disk 0 || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
device=$BED

# Both sides are known; requests of a whole update are counted.
run aiodd a "$device" update=yes manifest=m
is 'an update: exit status' "$status" 0
: >disk.img.asked
run aiodd bb "$device" update=yes manifest=m
is 'another one: exit status' "$status" 0
requests=$(wc -l <disk.img.asked)

# asked NUMBER: so many requests of the disk
asked()
{
	# shellcheck disable=SC2317 # called by wait_for
	[ "$(wc -l <disk.img.asked)" -ge "$1" ]
}

# The disk has lost its power: 0, and what it has lost in pages.
cut_power()
{
	: >disk.img.cut
	must dd if="$device" of=/dev/null bs=4096 count=1 iflag=direct status=none
	wait_for test -s disk.img.cut
	lost=$(<disk.img.cut)
	rm disk.img.cut
}

rounds=4
[ -z "${AIODD_LONG-}" ] || rounds=20
RANDOM=${AIODD_SEED:-1}
sources=(a bb) now=1 lies='' wrong='' pages=0 known=0
for ((i = 0; i < rounds; i++)); do
	must_be_ours "$device"
	: >disk.img.asked
	"$AIODD" if="${sources[1 - now]}" of="$device" update=yes manifest=m \
		rate=100M status=none 2>/dev/null &
	pid=$!
	# Each other time behind the sync in the middle.
	half=$((i % 2 * requests / 2))
	wait_for has_or_ended $pid \
		asked $((half + 1 + RANDOM % (requests - half)))
	kill -KILL $pid
	wait $pid
	cut_power
	pages=$((pages + lost))
	# What is the same in both is known, whatever was cut.
	run aiodd of="$device" verify=only manifest=m
	[ "$status" = 0 ] || [ "$status" = 2 ] || lies="$lies $i:$status"
	now=$((RANDOM % 2))
	run aiodd if="${sources[now]}" of="$device" update=yes manifest=m
	[ "$status" -eq 0 ] && cmp -s "${sources[now]}" "$device" ||
		wrong="$wrong $i:$status"
	known=$((known + $(sed -n 's/^aiodd: \([0-9]*\) bytes were known.*/\1/p' \
		err) / 1048576))
done 2>/dev/null
is "$rounds power cuts: no record is that of other bytes" "$lies" ''
is "$rounds power cuts: what it vouches for is there" "$wrong" ''
check "$rounds power cuts: the disk has lost something" test $pages -gt 0
diag "$pages pages were lost; $((known / rounds)) MiB of $mib were known then"
finish
