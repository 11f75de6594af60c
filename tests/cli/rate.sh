#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# rate=: not faster than that, in each way of copying; signals and progress are
# served meanwhile. How slow a busy machine makes it is no matter.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016,SC2317
. "$(dirname "$0")/../lib.sh"

make_data "$work/data" $((6 << 20)) 1

# seconds FILE: the time in its last transfer line.
seconds()
{
	sed -n -E 's/.* copied, ([0-9.e+-]+) s, .*/\1/p' "$1" | tail -n 1
}

# at_least TEXT SECONDS
at_least()
{
	check "$1: at least $2 s" \
		awk -v got="$(seconds "$work/err")" "BEGIN { exit !(got >= $2) }"
}

for operands in 'io=inline' 'io=aio' 'io=aio conv=fsync bs=4K' 'io=inline bs=1M' \
	'iflag=nocache' 'iflag=nocache bs=3M' 'iflag=nocache bs=64K obs=5M' \
	'conv=sparse bs=64K' 'hash=xxh128'; do
	# shellcheck disable=SC2086 # operands
	run aiodd if="$work/data" of="$work/copy" rate=4M status=engine $operands
	is "$operands: exit status" "$status" 0
	at_least "$operands" 1.35
	check "$operands: identical" same "$work/data" "$work/copy"
done

run aiodd if=/dev/zero of=/dev/null bs=1M count=6 rate=4M
at_least 'zeros to nowhere' 1.35
before=$(date +%s%N)
run aiodd if="$work/data" of="$work/copy" rate=8M verify=yes
took=$((($(date +%s%N) - before) / 1000000))
is 'verify: exit status' "$status" 0
at_least 'verify: the copy' 0.65
check "verify: both ways ($took ms)" test "$took" -ge 1350
must head -c 1M "$work/data" >"$work/some"
run aiodd "$work/some" rate=512K
at_least 'to a pipe' 1.8
check 'to a pipe: identical' same "$work/some" "$work/out"
must truncate -s 1G "$work/hole"
run aiodd "$work/hole" "$work/copy" rate=1M clone=never
is 'kept holes cost nothing: exit status' "$status" 0

# It goes evenly: some of a record is there long before all may be.
aiodd if=/dev/zero bs=4M count=1 rate=64K 2>/dev/null | head -c 16384 >"$work/out"
is 'a long record goes in pieces' \
	"${PIPESTATUS[0]} $(size_of "$work/out")" '141 16384'

# has_some: and its handlers were there before
has_some()
{
	local nr

	nr=$(stat -c %b "$work/copy") && [ "$nr" -ge 64 ]
}

for operands in 'io=inline' 'io=aio' 'iflag=nocache' 'iflag=nocache bs=6M'; do
	rm -f "$work/copy"
	# A shell has its background commands ignore SIGINT.
	# shellcheck disable=SC2086 # operands
	PATH=$path_of_ours env --default-signal=INT aiodd if="$work/data" \
		of="$work/copy" rate=50K $operands 2>"$work/err" &
	pid=$!
	wait_for has_some
	kill -USR1 $pid
	check "$operands: statistics while it runs" \
		wait_for grep -q copied "$work/err"
	check "$operands: some are counted" \
		test "$(bytes_reported "$work/err")" -gt 0
	kill -INT $pid
	wait $pid 2>/dev/null
	is "$operands: ends by SIGINT" $? 130
	got=$(bytes_reported "$work/err")
	check "$operands: minutes before its end" test "$got" -lt $((6 << 20))
	is "$operands: statistics at the end" \
		"$(grep -c 'records out' "$work/err")" 2
	check "$operands: what is reported is there" \
		cmp -n "$got" "$work/data" "$work/copy"
done

for value in 0 -1 fast '' 1e6 5M/s 99999999999999999999999; do
	rm -f "$work/new"
	run aiodd if="$work/data" of="$work/new" rate="$value"
	is "rate=$value: exit status" "$status" 1
	is "rate=$value: one line" "$(wc -l <"$work/err")" 1
	says "rate=$value: says what is wrong" "$work/err" \
		"^aiodd: rate=${value:-''}: (not a number|no suffix|must be|the number is too large)"
	check "rate=$value: nothing is opened" test ! -e "$work/new"
done
run as_dd if="$work/data" of="$work/new" rate=1M
is 'not known to dd: exit status' "$status" 1
says 'not known to dd: message' "$work/err" "^dd: unrecognized operand"

run aiodd if="$work/data" of="$work/new" rate=3x1MB plan=yes
says 'plan=yes shows it' "$work/out" '^rate: at most 3000000 bytes per second$'
says 'plan=yes: small requests' "$work/out" \
	'^request size: 148 KiB \(1/20 second of data at rate=\)$'
run aiodd if="$work/data" of="$work/new" rate=1K plan=yes
says 'plan=yes: not smaller than 4 KiB' "$work/out" '^request size: 4 KiB '
says 'plan=yes: few requests' "$work/out" \
	'^depth: [12] \((1/5 second of data at rate=|no overlap without kernel AIO)\)$'

finish
