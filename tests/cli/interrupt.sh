#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Signals in the middle of a copy.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2317
. "$(dirname "$0")/../lib.sh"

require_nbd
require perl

full=$((32 << 20))
make_data "$work/data" $full 1
bed_nbd disk --filter=delay file "$work/data" delay-read=30ms ||
	skip_all "$BED_WHY"
slow=$BED
sigint=DEFAULT
operands='bs=256K depth=2 iosize=256K iflag=direct'

is_under_way()
{
	local nr

	nr=$(stat -c %b "$work/copy") && [ "$nr" -ge 2048 ] &&
		[ "$nr" -lt 49152 ]
}

# A shell starts background commands with SIGINT ignored, and takes death by
# a signal for exit 130: so Perl is the parent.  It writes the pid first, and
# how the copy has ended last.
cat >"$work/parent" <<'PERL'
my ($pid_file, $sigint) = splice @ARGV, 0, 2;
my $pid = fork // die;
if (!$pid) {
	$SIG{INT} = $sigint;
	exec @ARGV or die;
}
$SIG{ALRM} = sub { kill 'KILL', $pid };
alarm 900;
open my $file, '>', $pid_file or die;
print $file $pid;
close $file;
waitpid $pid, 0;
print $? & 127 ? 'signal ' . ($? & 127) : 'exit ' . ($? >> 8), "\n";
PERL

# background OPERANDS...: sets pid.
background()
{
	rm -f "$work/copy" "$work/pid"
	PATH=$path_of_ours perl "$work/parent" "$work/pid" \
		"$sigint" aiodd of="$work/copy" "$@" \
		<&0 2>"$work/err" >"$work/end" 8>&- &
	wait_for test -s "$work/pid"
	pid=$(cat "$work/pid")
}

# start OPERANDS...: it stands still in its middle
start()
{
	catch is_under_way background if="$slow" "$@"
}

# ends TEXT HOW: by itself, within the alarm.
ends()
{
	wait $!
	is "$1" "$(cat "$work/end")" "$2"
}

# prefix TEXT: a good beginning of the source, and no more.
prefix()
{
	local got

	got=$(size_of "$work/copy")
	check "$1: $got bytes, not all" test "$got" -lt $full
	check "$1: they are right" cmp -n "$got" "$work/data" "$work/copy"
}

for way in io=aio io=inline; do
	# shellcheck disable=SC2086 # operands
	start $operands $way
	send INT
	ends "SIGINT, $way: dies by it" 'signal 2'
	is "SIGINT, $way: the size is the bytes reported" \
		"$(bytes_reported "$work/err")" "$(size_of "$work/copy")"
	prefix "SIGINT, $way"
	at=$(size_of "$work/copy")
	is "SIGINT, $way: how to go on, and no other words" \
		"$(grep -Ev 'records (in|out)$|copied' "$work/err" |
			sed 's/.*: to/to/')" \
		"to go on: skip=${at}B seek=${at}B conv=notrunc"
	# shellcheck disable=SC2046 # operands
	check "SIGINT, $way: it goes on so" "$AIODD" if="$work/data" \
		of="$work/copy" status=none $(sed -n 's/.*to go on: //p' "$work/err")
	check "SIGINT, $way: and all is there" same "$work/data" "$work/copy"

	# shellcheck disable=SC2086 # operands
	start $operands $way skip=1 count=100 hash=sha256
	send INT
	ends "SIGINT, $way, count=: dies by it" 'signal 2'
	at=$(size_of "$work/copy")
	is "SIGINT, $way, count=: what is left of it" \
		"$(sed -n 's/.*: to go on/to go on/p' "$work/err")" \
		"to go on: skip=$((at + (256 << 10)))B seek=${at}B count=$((\
			(100 << 18) - at))B conv=notrunc (hash=, expect= and\
 verify= are then of the rest only)"

	# shellcheck disable=SC2086 # operands
	start $operands $way
	send TERM
	ends "SIGTERM, $way: dies by it" 'signal 15'
	prefix "SIGTERM, $way"

	# shellcheck disable=SC2086 # operands
	start $operands $way
	send USR1
	check "SIGUSR1, $way: statistics at once" \
		wait_for grep -q copied "$work/err"
	check "SIGUSR1, $way: and the copy goes on" test -e "/proc/$pid"
	at=$(bytes_reported "$work/err")
	check "SIGUSR1, $way: $at bytes so far" \
		test "$at" -gt 0 -a "$at" -lt $full
	ends "SIGUSR1, $way: ends well" 'exit 0'
	check "SIGUSR1, $way: identical" same "$work/data" "$work/copy"
	is "SIGUSR1, $way: two statistics" "$(grep -c copied "$work/err")" 2
	is "SIGUSR1, $way: as dd prints them" \
		"$(grep -c 'records' "$work/err")" 4
done

# A disk that does not answer: what is under way is waited for, until there is
# a second signal, which is not one of two that were sent together.
bed_nbd stuck --filter=noextents eval get_size="echo $full" \
	pread="touch $work/asked; until [ -e $work/let ]; do sleep .02; done
		dd if=$work/data bs=64K iflag=skip_bytes,count_bytes \
			skip=\$4 count=\$3 status=none" ||
	skip_all "$BED_WHY"
cleanup_push touch "$work/let"

# It has given its memory back, at least: what is left of it may have to wait in
# the kernel for what it has asked for.
ended_by()
{
	kill "-$1" "$pid" 2>/dev/null || return 0
	[ -z "$(tr -d '\0' <"/proc/$pid/cmdline")" ]
}

for signal in INT TERM; do
	rm -f "$work/asked" "$work/let"
	background if="$BED" bs=256K io=aio iflag=direct
	wait_for test -e "$work/asked"
	check "SIG$signal and a disk that is stuck: once more ends it" \
		wait_for ended_by $signal
	touch "$work/let"
	ends "SIG$signal and a disk that is stuck: dies by it" \
		"signal $(kill -l $signal)"
done

# A copy that waits for its input.
mkfifo "$work/fifo"
exec 8<>"$work/fifo"
for signal in INT TERM; do
	background bs=512 <"$work/fifo"
	printf abc >&8
	check "SIG$signal while reading: the data has gone out" \
		wait_for grep -q abc "$work/copy"
	kill "-$signal" "$pid"
	ends "SIG$signal while reading: dies by it" \
		"signal $(kill -l $signal)"
	is "SIG$signal while reading: the data stays" \
		"$(cat "$work/copy")" abc
done
background bs=512 <"$work/fifo"
printf abc >&8
wait_for grep -q abc "$work/copy"
kill -USR1 "$pid"
check 'SIGUSR1 while reading: statistics at once' \
	wait_for grep -q '^3 bytes copied' "$work/err"
printf def >&8
exec 8>&-
ends 'SIGUSR1 while reading: ends well' 'exit 0'
is 'SIGUSR1 while reading: all data' "$(cat "$work/copy")" abcdef

# A parent that ignores SIGINT keeps it ignored.
exec 8<>"$work/fifo"
sigint=IGNORE
background bs=512 <"$work/fifo"
printf abc >&8
wait_for grep -q abc "$work/copy"
kill -INT "$pid"
printf def >&8
exec 8>&-
ends 'an ignored SIGINT stays ignored' 'exit 0'
is '... and the data is complete' "$(cat "$work/copy")" abcdef

finish
