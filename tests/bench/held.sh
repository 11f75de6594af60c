#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A sector that does not answer, with map=: how long it takes until all else is
# on the disk and in the map, beside a copy of the same disk that answers. It is
# held until then, so that it does not matter how long it takes. As a disk of
# 100 MB/s, by rate=.
# usage: held.sh [ROUNDS [MIB]]; the program in AIODD
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

rounds=${1:-3} size=$((${2:-1024} << 20))
require_late
cd "$work" || exit 99
make_data held.img $size 1
bed_late held 0 || skip_all "$BED_WHY"
source=$BED

# lacks BYTES: nothing else
# shellcheck disable=SC2317 # called by wait_for
lacks()
{
	local saved

	saved=$(sed '/^#/d' m 2>/dev/null | while read -r _ len state; do
		[ "$state" != + ] || echo $((len))
	done | awk '{ n += $1 } END { printf "%d", n }')
	[ "$saved" = $((size - $1)) ]
}

# copied BYTES: how long it takes until no more than these are missing.
copied()
{
	local began=${EPOCHREALTIME/[.,]/}

	rm -f copy m m.ranges
	"$AIODD" if="$source" of=copy map=m rate=100M iosize=2M status=none &
	wait_for lacks "$1"
	echo $((${EPOCHREALTIME/[.,]/} - began)) >>"took.$1"
	rm -f held.img.hold-reads
	wait $!
	check 'all of it' cmp held.img copy
}

for ((i = 0; i < rounds; i++)); do
	copied 0
	echo $((size / 2)) >held.img.hold-reads
	copied 2097152
done
# median NAME
median()
{
	sort -n "took.$1" | sed -n "$(((rounds + 1) / 2))p"
}
diag "$(paste took.0 took.2097152)"
diag "$(awk -v a="$(median 0)" -v b="$(median 2097152)" 'BEGIN {
	printf "%.2f s, with a sector that is held %.2f s: %.3f times", a / 1e6,
	       b / 1e6, b / a }')"
finish
