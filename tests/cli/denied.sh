#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A seccomp filter refuses a system call, as in a container: the copy is right,
# or there is an error, and it always ends.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

deny=$(realpath "${top_builddir:-build}/tests/deny")
[ -x "$deny" ] || skip_all "no $deny: make check builds it"
"$deny" splice EPERM true 2>"$work/err" || skip_all 'no seccomp filters here'
PATH=$path_of_ours
cd "$work" || exit 99
make_data data $((1 << 20 | 777)) 1

digest=hash=sha256
aiodd count=0 $digest </dev/null >out 2>&1 || digest=
verify=verify=yes
aiodd if=data of=copy count=1 $verify 2>err || verify=
json=status=json
aiodd if=data of=copy count=1 $json 2>err || json=

# ours OPERANDS...: under the filter
ours()
{
	timeout --foreground -k 5 "$TIME_LIMIT" "$deny" "$names" "$error" \
		aiodd "$@"
}

# outcome TEXT STATUS: nothing, or what is wrong
outcome()
{
	case $2 in
	0) cmp data copy >out 2>&1 || echo "$1: another copy" ;;
	1) grep -aq '^aiodd: \|"level":"error"' err ||
		echo "$1: not a word of an error" ;;
	*) echo "$1: exit status $2" ;;
	esac
}

# of_file OPERANDS...
of_file()
{
	rm -f copy
	ours if=data of=copy "$@" >out 2>err
	outcome "of a file, $*" $?
}

# of_pipe OPERANDS...
of_pipe()
{
	rm -f copy
	ours of=copy bs=64K iflag=fullblock "$@" 2>err >out < <(cat data)
	outcome "of a pipe, $*" $?
}

to_pipe()
{
	ours if=data bs=64K 2>err | cat >copy
	outcome 'to a pipe' "${PIPESTATUS[0]}"
}

# all_ways: what is wrong with copies under the filter
all_ways()
{
	of_file io=aio iosize=64K conv=fsync
	of_file bs=64K rate=50M
	of_pipe conv=fsync
	of_pipe rate=50M
	to_pipe
	[ -z "$digest" ] || of_file io=aio $digest
	[ -z "$digest" ] || of_pipe $digest
	[ -z "$verify" ] || of_file bs=64K $verify
	[ -z "$json" ] || of_file io=aio commit=rename $json
}

for names in epoll_wait,epoll_pwait epoll_create1 epoll_ctl poll,ppoll \
	eventfd2 signalfd4 timerfd_create timerfd_settime clone,clone3 clone3 \
	io_setup io_submit io_getevents,io_pgetevents io_destroy memfd_create \
	copy_file_range splice sync_file_range fadvise64 madvise getrandom \
	prlimit64 cachestat statx fstatfs sysinfo fsync,fdatasync ftruncate \
	renameat2 poll,ppoll,epoll_wait,epoll_pwait,clone,clone3; do
	# Few look which error it is.
	case ${AIODD_LONG-},$names in
	,io_setup | ,copy_file_range | ,sync_file_range | ,fsync* | \
		,renameat2 | [!,]*) errors='EPERM ENOSYS' ;;
	*) errors=EPERM ;;
	esac
	for error in $errors; do
		is "$names $error" "$(all_ways)" ''
	done
done

# The plan does not count on what is not to be had.
names=io_setup
run aiodd if=data of=copy io=aio plan=yes
cp out with
run ours if=data of=copy io=aio plan=yes
is 'plan=yes without io_setup: exit status' "$status" 0
says 'plan=yes with it: kernel AIO' with 'kernel AIO'
check 'plan=yes without io_setup: another plan' eval '! cmp -s with out'
# Where no child can try whether it is deadly, it is not called.
cp out without
names=clone
run ours if=data of=copy io=aio plan=yes
check 'plan=yes without a child: the same' cmp without out
# Who makes such a call dies of it, and no copy needs it.
error=KILL
for names in io_setup io_submit io_getevents io_destroy; do
	is "$names $error" "$(of_file io=aio iosize=64K)" ''
	check "$names $error: identical" same data copy
	rm copy
	run "$deny" "$names" "$error" dd if=data of=copy bs=64K oflag=direct
	is "$names $error, as dd: exit status" "$status" 0
	check "$names $error, as dd: identical" same data copy
done

# Nothing of this needs to be waited for in one way only.
names=poll,ppoll,epoll_wait,epoll_pwait
error=EPERM
for operands in 'io=aio conv=fsync' "bs=64K rate=50M $digest"; do
	# shellcheck disable=SC2086 # the operands
	run ours if=data of=copy $operands
	is "$names, $operands: exit status" "$status" 0
	check "$names, $operands: identical" same data copy
done

finish
