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
must gnu_dd if="$work/data" of="$from" bs=1M oflag=direct conv=notrunc \
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

# twice_as_fast OPERANDS...: as dd, once at least. What waits for one request
# after the other never is; a busy machine can only make it look so.
twice_as_fast()
{
	local tries theirs ours

	for tries in 1 2 3 4 5; do
		gnu_dd if="$from" of="$to" bs=1M conv=notrunc iflag=direct \
			oflag=direct 2>"$work/gnu"
		theirs=$(seconds "$work/gnu")
		gnu_dd if=/dev/zero of="$to" bs=1M conv=notrunc oflag=direct \
			2>/dev/null
		run aiodd if="$from" of="$to" conv=notrunc status=engine "$@"
		ours=$(seconds "$work/err")
		echo "try $tries: $ours s, dd $theirs s"
		[ "$status" -eq 0 ] || return
		! awk "BEGIN { exit !($ours <= $theirs / 2) }" || return 0
	done
	return 1
}

for way in 'bs=1M iflag=direct oflag=direct' 'bs=64K io=aio' 'bs=3333'; do
	# shellcheck disable=SC2086 # the operands of a way
	if twice_as_fast $way >"$work/tries"; then
		pass "$way: at most half the time of dd"
	else
		fail "$way: at most half the time of dd" "$(<"$work/tries")"
	fi
	is "$way: exit status" "$status" 0
	check "$way: identical" cmp "$work/data" "$to"
	check "$way: the engine's counters agree" engine_balanced "$work/err"
	diag "stalls $(counter stalls "$work/err")," \
		"longest $(counter longest_ms "$work/err") ms"
done

finish
