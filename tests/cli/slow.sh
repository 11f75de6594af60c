#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Disks that do not answer: meanwhile the ring asks for more, on both sides, and
# the loop does not stand still. How much faster that is, make bench says.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2317
. "$(dirname "$0")/../lib.sh"

require_late
require_gnu_dd
cd "$work" || exit 99
size=$((16 << 20))
make_data from.img $size 1
must truncate -s $size to.img
bed_late from 0 || skip_all "$BED_WHY"
from=$BED
bed_late to 0 || skip_all "$BED_WHY"
to=$BED
cleanup_push rm -f "$work"/{from.img.hold-reads,to.img.hold}

asked() # SIDE
{
	awk '{ sum += $1 } END { print sum + 0 }' "$1.img.asked"
}

# asks SIDE BYTES: so much was asked for, or more
asks()
{
	[ "$(asked "$1")" -ge "$2" ]
}

both_ask() # OF-FROM OF-TO
{
	asks from "$1" && asks to "$2"
}

# start HELD WHO PROGRAM OPERANDS...: the one or the other does not answer
start()
{
	: >from.img.asked
	: >to.img.asked
	touch "$1"
	(PATH=$work/bin/$2:$PATH exec "${@:3}" if="$from" of="$to" \
		conv=notrunc 2>err) &
	pid=$!
}

# ends TEXT: as soon as both answer
ends()
{
	rm -f from.img.hold-reads to.img.hold
	wait "$pid"
	is "$1: exit status" $? 0
	check "$1: identical" cmp from.img to.img
	must dd if=/dev/zero of=to.img bs=1M count=16 conv=notrunc status=none
}

tells_how_far()
{
	kill -USR1 "$pid" && wait_for grep -q ' copied, ' err
}

# What these tests are about: it reads no byte while a write is under way.
start to.img.hold gnu dd bs=1M iflag=direct oflag=direct
check 'GNU dd: a write' wait_served "$pid" asks to 1
is 'GNU dd: no read beside it' "$(asked from)" $((1 << 20))
ends 'GNU dd'

for way in 'bs=1M iflag=direct oflag=direct' 'bs=64K io=aio' 'bs=3333'; do
	# shellcheck disable=SC2086 # the operands of a way
	start to.img.hold ours aiodd status=engine $way
	check "$way: reads while no write is answered" \
		wait_served "$pid" both_ask $((4 << 20)) 1
	check "$way: the loop serves a signal meanwhile" tells_how_far
	ends "$way"
	check "$way: the engine's counters agree" engine_balanced err
done

way='bs=1M iflag=direct oflag=direct'
# shellcheck disable=SC2086 # the operands of a way
start to.img.hold ours aiodd $way
check 'writes overlap' wait_served "$pid" asks to $((2 << 20))
ends 'writes overlap'
# shellcheck disable=SC2086 # the operands of a way
start from.img.hold-reads ours aiodd $way
check 'reads overlap' wait_served "$pid" asks from $((2 << 20))
check 'reads overlap: the loop serves a signal meanwhile' tells_how_far
ends 'reads overlap'

finish
