#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Disks that answer late: the requests of the ring must overlap, and the loop
# must not stand still.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_nbd
require_gnu_dd

size=$((64 << 20))
bed_slow from 64M 10 0 || skip_all "$BED_WHY"
from=$BED
bed_slow to 64M 0 10 || skip_all "$BED_WHY"
to=$BED
make_data "$work/data" $size 1
gnu_dd if="$work/data" of="$from" bs=1M oflag=direct conv=notrunc \
	2>/dev/null

# seconds FILE: the time in its transfer line.
seconds()
{
	sed -n -E 's/.* copied, ([0-9.e+-]+) s, .*/\1/p' "$1" | tail -n 1
}

counter() # NAME FILE
{
	sed -n -E "s/^engine: .*\\b$1=([0-9]+).*/\\1/p" "$2"
}

gnu_dd if="$from" of="$to" bs=1M conv=notrunc iflag=direct oflag=direct \
	2>"$work/gnu"
theirs=$(seconds "$work/gnu")

for way in 'bs=1M iflag=direct oflag=direct' 'bs=64K io=aio' 'bs=3333'; do
	gnu_dd if=/dev/zero of="$to" bs=1M conv=notrunc oflag=direct \
		2>/dev/null
	# shellcheck disable=SC2086 # the operands of a way
	run aiodd if="$from" of="$to" conv=notrunc status=engine $way
	is "$way: exit status" "$status" 0
	check "$way: identical" cmp "$work/data" "$to"
	check "$way: the engine's counters agree" engine_balanced "$work/err"
	ours=$(seconds "$work/err")
	longest=$(counter longest_ms "$work/err")
	check "$way: at most half the time of dd ($ours s, dd $theirs s)" \
		awk "BEGIN { exit !($ours <= $theirs / 2) }"
	diag "stalls $(counter stalls "$work/err"), longest $longest ms"
	check "$way: no stall above 500 ms" test "${longest:-999}" -le 500
done

finish
