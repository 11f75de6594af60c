#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The kernel refuses, interrupts and delays: the copy is right all the same.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require strace fincore
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
# The leak checker does not run under a tracer.
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"

size=$((32 << 20 | 4097))
make_data "$work/data" $size 1
sync "$work/data"

# survives TEXT INJECTION...: the copy under these.
survives()
{
	local text=$1 inject args=()

	shift
	for inject; do
		args+=(-e "inject=$inject")
	done
	rm -f "$work/copy" "$work/trace"
	run timeout -k 5 "$TIME_LIMIT" strace -f -o "$work/trace" \
		-e trace='?io_setup,?io_submit,?io_getevents,?io_pgetevents,?epoll_wait,?epoll_pwait' \
		"${args[@]}" "$work/bin/ours/aiodd" if="$work/data" \
		of="$work/copy" io=aio iosize=256K depth=8 conv=fsync \
		status=engine
	if [ $# -gt 0 ] && ! grep -Eq 'INJECTED|DELAYED' "$work/trace"; then
		fail "$text: nothing was injected"
	elif [ "$status" -ne 0 ]; then
		fail "$text: exit status $status" "$(cat "$work/err")"
	else
		check "$text: identical" same "$work/data" "$work/copy"
	fi
}

injected()
{
	survives "$@"
	check "$1: the counters agree" engine_balanced "$work/err"
}

injected 'nothing injected'
if ! grep -q io_submit "$work/trace"; then
	skip_all 'no kernel AIO on this file system'
fi
# What it has no room for goes direct all the same.
rm -f "$work/copy"
head -c 32M "$work/data" >"$work/whole"
run strace -f -o "$work/trace" -e inject=io_submit:error=EAGAIN:when=2+ \
	"$work/bin/ours/aiodd" if="$work/whole" of="$work/copy" oflag=direct \
	depth=4
is 'oflag=direct, io_submit EAGAIN: exit status' "$status" 0
is 'oflag=direct, io_submit EAGAIN: nothing is in the page cache' \
	"$(fincore -n -o PAGES "$work/copy" | tr -d ' ')" 0
run eval 'cat "$work/whole" | strace -f -o "$work/trace" \
	"$work/bin/ours/aiodd" oflag=direct bs=1M >"$work/copy"'
says 'oflag=direct that cannot be had is synced' "$work/trace" 'fsync\(1\b'

reap='?io_getevents,?io_pgetevents'
poll='?epoll_wait,?epoll_pwait'
injected 'io_submit EAGAIN now and then' io_submit:error=EAGAIN:when=2..9
injected 'io_submit EAGAIN at first' io_submit:error=EAGAIN:when=1
injected 'io_submit EAGAIN every second time' io_submit:error=EAGAIN:when=2+2
injected 'io_submit EAGAIN always' io_submit:error=EAGAIN
injected 'io_submit EINVAL now and then' io_submit:error=EINVAL:when=3+7
injected 'io_submit EINVAL always' io_submit:error=EINVAL
injected 'io_submit EOPNOTSUPP' io_submit:error=EOPNOTSUPP:when=2+3
injected 'io_submit slow' io_submit:delay_exit=30000
injected 'io_getevents EINTR every second time' "$reap:error=EINTR:when=1+2"
injected 'io_getevents EPERM' "$reap:error=EPERM"
# What is in flight at that moment can never be reaped.
survives 'io_getevents EPERM later' "$reap:error=EPERM:when=5+"
injected 'io_getevents ENOSYS' "$reap:error=ENOSYS"
injected 'io_setup ENOSYS' io_setup:error=ENOSYS
injected 'io_setup EPERM' io_setup:error=EPERM
injected 'io_setup EAGAIN' io_setup:error=EAGAIN
injected 'epoll_wait EINTR every third time' "$poll:error=EINTR:when=1+3"
injected 'several at once' io_submit:error=EAGAIN:when=3+4 \
	"$reap:error=EINTR:when=2+3" "$poll:error=EINTR:when=2+2"

# interrupted CALL OPERANDS...: once, by a server that says EINTR
interrupted()
{
	local call=$1

	shift
	rm -f "$work/copy"
	run timeout -k 5 "$TIME_LIMIT" strace -f -o "$work/trace" \
		-e trace="$call" -e inject="$call:error=EINTR:when=1" \
		"$work/bin/ours/aiodd" if="$work/data" of="$work/copy" "$@"
	if ! grep -q INJECTED "$work/trace"; then
		skip "$call EINTR, $*" 'it is not called here'
		return
	fi
	is "$call EINTR, $*: exit status" "$status" 0
	is "$call EINTR, $*: no other words" \
		"$(grep -Evc 'records (in|out)$|copied|SHA' "$work/err")" 0
	check "$call EINTR, $*: identical" same "$work/data" "$work/copy"
}

interrupted fsync conv=fsync
interrupted fdatasync conv=fdatasync
interrupted fsync commit=rename
interrupted fsync report="$work/report"
interrupted sync_file_range io=inline conv=fsync
interrupted ftruncate io=aio
interrupted copy_file_range clone=auto
interrupted epoll_wait io=aio
interrupted poll conv=fsync
interrupted ppoll rate=100M bs=1M iflag=nocache

run eval '(ulimit -l 0; aiodd if="$work/data" of="$work/copy" io=aio)'
is 'no locked memory allowed: exit status' "$status" 0
check 'no locked memory allowed: identical' same "$work/data" "$work/copy"

finish
