#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Pipes, and descriptors that are shared with other programs.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

require_gnu_dd
require perl

make_data "$work/small" 10000 1
make_data "$work/large" $((3 << 20 | 77)) 2
small='cp "$work/small" in'
large='cp "$work/large" in'
# Four writes: each arrives as a record of its own, since it is written when
# the one before has been read (FIONREAD), or will not be.
cat >"$work/dribble" <<'PERL'
use IO::Poll qw(POLLERR);
$SIG{PIPE} = 'DEFAULT';
for my $part (qw(abc defgh i jklmnopqrst)) {
	syswrite STDOUT, $part or exit 1;
	for (1 .. 30000) {
		my $left = pack 'i', 0;
		ioctl STDOUT, 0x541b, $left or last;
		last if unpack('i', $left) == 0;
		# Does anybody read it still?
		my $poll = IO::Poll->new;
		$poll->mask(\*STDOUT => POLLERR);
		last if $poll->poll(.01) > 0;
	}
}
PERL
export DRIBBLE="perl '$work/dribble'"

like_dd 'from a pipe' "$large" 'cat in | dd of=out bs=4096 iflag=fullblock'
like_dd 'to a pipe' "$large" 'dd if=in bs=5000 | cat >out'
like_dd 'from pipe to pipe' "$large" \
	'cat in | dd bs=7777 iflag=fullblock | cat >out'
like_dd 'from pipe to pipe, short records' "$large" \
	'cat in | dd bs=100K 2>/dev/null | cat >out'
like_dd 'ibs and obs between pipes' "$large" \
	'cat in | dd ibs=1024 obs=30000 iflag=fullblock | cat >out'
# fed: until much waits at standard input
# shellcheck disable=SC2317 # called by like_dd
fed()
{
	perl -e 'my $left = pack "i", 0;
		until (unpack("i", $left) >= 32768) {
			select undef, undef, undef, .01;
			ioctl STDIN, 0x541b, $left or die;
		}'
}
like_dd 'a slow reader' "$large" \
	'dd if=in bs=64K | (fed; cat) >out'
like_dd 'empty pipe' : 'true | dd of=out'
like_dd 'large block from a small pipe' : 'echo hello | dd bs=64M of=out'

for operands in bs=4 bs=512 'bs=4 count=3' 'ibs=4 obs=6' 'ibs=2 obs=512' \
	'bs=4 iflag=fullblock' 'bs=4 count=2 iflag=fullblock' 'bs=4 skip=2' \
	'bs=4 skip=2 iflag=fullblock' 'bs=4 conv=sync' 'bs=4 skip=5B' \
	'bs=8 count=9B' 'bs=4 skip=100' 'bs=8 conv=ucase' 'bs=5 conv=swab' \
	'ibs=3 obs=7 conv=sync'; do
	like_dd "dribbling writer, $operands" : \
		'eval "$DRIBBLE" | dd of=out '"$operands"
done
like_dd 'dribbling writer to a pipe' : \
	'eval "$DRIBBLE" | dd bs=4 | cat >out'
like_dd 'what count leaves in a pipe' : \
	'eval "$DRIBBLE" | (dd bs=4 count=2; cat) >out'
like_dd 'one byte at a time' "$small" \
	'cat in | (dd bs=1 count=3; dd bs=10 count=2 iflag=fullblock; cat) >out'

# alone: until nobody has the other end of standard output any more
# shellcheck disable=SC2317 # called by like_dd
alone()
{
	perl -MIO::Poll=POLLERR -e 'my $poll = IO::Poll->new;
		$poll->mask(\*STDOUT => POLLERR); $poll->poll'
}
like_dd 'reader gone: death by SIGPIPE' "$small" \
	'{ alone; dd if=in bs=4096; echo "exit $?" >status; } | true'
like_dd 'reader gone: SIGPIPE ignored' "$small" \
	'trap "" PIPE; { alone; dd if=in bs=4096; echo $? >status; } | true'
like_dd 'reader gone: SIGPIPE ignored, two buffers' "$small" \
	'trap "" PIPE; { alone; dd if=in; echo $? >status; } | true'
like_dd 'a file size limit behind a record' "$large" \
	'(ulimit -f 2048; trap "" XFSZ; dd if=in of=out bs=1M; echo $?)'
like_dd 'reader leaves early' "$large" \
	'{ dd if=in bs=4096 2>/dev/null; echo $? >status; } | head -c 5000 >out'

like_dd 'count leaves the rest of a file' "$small" \
	'(dd bs=1 count=3; cat) <in >out'
like_dd 'count leaves the rest of a large file' "$large" \
	'(dd bs=64K count=20; cat) <in >out'
like_dd 'in the middle of a file' "$small" \
	'(head -c3; dd; printf TRAILER) <in >out'
like_dd 'in the middle of a large file' "$large" \
	'(head -c3; dd bs=1M; printf TRAILER) <in >out'
like_dd 'skip on a shared offset' "$large" \
	'(dd bs=512 count=2; dd bs=512 skip=4 count=2048; dd bs=3 count=1; cat) <in >out'
like_dd 'skip past the end of stdin' "$small" \
	'(dd bs=512 skip=30; wc -c) <in >out'
like_dd 'seek on a shared offset' "$large" \
	'(printf head; dd bs=512 seek=3; printf tail) <in >out'
like_dd 'seek on stdout never truncates' "$small; cp in out" \
	'dd bs=100 count=2 seek=5 <in 1<>out'
like_dd 'input and output offsets of one description' "$small" \
	'cp in both; (dd bs=64 count=3 <&0 >&0) 0<>both'
like_dd 'the offset after a read error' 'mkdir dir' \
	'dd bs=512 <dir >out'
like_dd '>> appends' "$small; cp in out" 'dd if=in bs=4096 >>out'
like_dd '>> appends, large' "$large; printf begin >out" \
	'(dd bs=1M; printf end) <in >>out'
like_dd '>> with another writer between' "$small" \
	'(dd bs=100 count=1; echo x >>out; dd bs=100 count=1) <in >>out'
like_dd 'oflag=append conv=notrunc' "$small; cp in out" \
	'dd if=in of=out oflag=append conv=notrunc bs=3000'
like_dd 'of=/dev/stdout is opened anew' "$small" \
	'(printf head; dd of=/dev/stdout count=1) <in >out'
like_dd 'if=/dev/stdin is opened anew' "$small" \
	'(head -c 5000 >/dev/null; dd if=/dev/stdin of=out) <in'
like_dd 'conv=sparse on a shared offset' : \
	'(printf head; dd if=/dev/zero bs=4096 count=2 conv=sparse; printf tail) >out'
like_dd 'conv=sparse at the end of stdout' : \
	'(printf head; dd if=/dev/zero bs=4096 count=2 conv=sparse) >out'
like_dd 'stdin closed' : 'dd of=out <&-'
like_dd 'stdout closed' "$small" 'dd if=in >&-'
like_dd 'stdin closed, if= given' "$small" 'dd if=in of=out <&- >&-'
like_dd 'stderr closed' "$small" 'dd if=in of=out 2>&-'

# A byte that was read goes out although the next read waits.
mkfifo "$work/fifo"
exec 8<>"$work/fifo"
aiodd bs=512 <"$work/fifo" >"$work/passed" 2>/dev/null 8>&- &
printf abc >&8
check 'latency: data is passed on while the next read blocks' \
	wait_for grep -q abc "$work/passed"
exec 8>&-
wait

# Into a pipe a file goes as it is; what is counted stays dd's.
for operands in bs=1M bs=64K bs=1000 '' bs=3M 'bs=1M skip=1' 'bs=512 count=5000' \
	'bs=1000 count=2500001B' 'bs=100K iflag=skip_bytes skip=7'; do
	# shellcheck disable=SC2086 # operands
	{
		gnu_dd if="$work/large" $operands 2>"$work/gnu.err" |
			cat >"$work/gnu.out"
		aiodd if="$work/large" $operands 2>"$work/ours.err" |
			cat >"$work/ours.out"
	}
	check "spliced, $operands: the bytes" same "$work/gnu.out" \
		"$work/ours.out"
	is "spliced, $operands: the counts" "$(masked "$work/ours.err")" \
		"$(masked "$work/gnu.err")"
done
if type -P strace >/dev/null && ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" \
	strace -f -o "$work/trace" -e trace=splice "$AIODD" "$work/large" - \
	2>/dev/null | cat >"$work/ours.out"; then
	check 'splice is used' grep -q 'splice(.* = 1048576' "$work/trace"
else
	skip 'splice is used' 'no strace'
fi

# What ends in the middle of a record is made whole by plain calls.
for operands in 'bs=300K count=9 iflag=fullblock' 'bs=700 count=4001' 'bs=1M'; do
	# shellcheck disable=SC2086 # operands
	{
		gnu_dd if="$work/large" $operands 2>"$work/gnu.err" |
			cat >"$work/gnu.out"
		ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" \
			strace -o "$work/trace" -e trace=splice \
			-e inject=splice:error=EAGAIN:when=2 \
			"$AIODD" if="$work/large" $operands \
			2>"$work/ours.err" | cat >"$work/ours.out"
	}
	if ! grep -qs INJECTED "$work/trace"; then
		skip "splice ends early, $operands" 'strace may not inject here'
		continue
	fi
	check "splice ends early, $operands: the bytes" \
		same "$work/gnu.out" "$work/ours.out"
	is "splice ends early, $operands: the counts" \
		"$(masked "$work/ours.err")" "$(masked "$work/gnu.err")"
done

if grep -qs INJECTED "$work/trace"; then
	ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" run sh -c \
		'cd "$2" || exit 99
		{ strace -o trace -e trace=splice,write \
			-e inject=splice:error=EAGAIN:when=2 \
			-e inject=write:error=EIO:when=1 "$0" if="$1" bs=300K
		echo $? >status; } | cat >out' "$AIODD" "$work/large" "$work"
	is 'the rest of a record cannot be written: exit status' \
		"$(cat "$work/status")" 1
	says 'the rest of a record cannot be written: message' "$work/err" \
		"error writing 'standard output': Input/output error"
fi

# Who writes to the file after the copy does not change what was copied.
must cp "$work/large" "$work/changing"
mkfifo "$work/slow"
# shellcheck disable=SC2016 # perl
perl -e '
	open my $in, "<", "$ARGV[0]/slow" or die;
	open my $out, ">", "$ARGV[0]/got" or die;
	while (!-e "$ARGV[0]/changed") {
		# All that has to be taken for the copy to end, and no more.
		my $left = pack "i", 0;
		my $want = (-s "$ARGV[0]/large") - 1000000 - (-s $out);
		$want = 65536 if $want > 65536;
		if ($want > 0) {
			sysread $in, my $bytes, $want or last;
			syswrite $out, $bytes;
		} else {
			select undef, undef, undef, .01;
		}
	}
	while (sysread $in, my $bytes, 65536) { syswrite $out, $bytes; }
' "$work" &
run aiodd if="$work/changing" of="$work/slow" bs=64K
is 'a slow reader: exit status' "$status" 0
tr '\0-\377' '\1-\377\0' <"$work/large" |
	gnu_dd of="$work/changing" conv=notrunc bs=64K 2>/dev/null
touch "$work/changed"
wait
check 'a slow reader gets what was there' same "$work/large" "$work/got"

# A pipe is widened to 1 MiB where that is allowed, and dd leaves it alone.
cat >"$work/widths" <<'PERL'
# PROGRAM...: the size of the pipe at its input, then of that at its output,
# once data has come through.
pipe my $from, my $feed or die;
pipe my $drain, my $to or die;
my $pid = fork // die;
if (!$pid) {
	close $feed;
	close $drain;
	open STDIN, '<&', $from or die;
	open STDOUT, '>&', $to or die;
	exec @ARGV or die;
}
syswrite $feed, 'x' x 512 or die;
sysread $drain, my $got, 512 or die;
print join(' ', map { fcntl $_, 1032, 0 } $feed, $drain), "\n";
close $feed;
waitpid $pid, 0;
exit $? >> 8;
PERL
widths()
{
	PATH=$path_of_ours timeout 20 perl "$work/widths" "$@" bs=512 \
		status=none
}
usual=$(perl -e 'pipe my $a, my $b; print fcntl $a, 1032, 0')
most=$(cat /proc/sys/fs/pipe-max-size)
if [ "$usual" -lt 1048576 ] && [ "$most" -ge 1048576 ]; then
	is 'pipes are widened' "$(widths aiodd)" '1048576 1048576'
	is 'pipes are left alone, as dd' "$(widths dd)" "$usual $usual"
else
	skip 'pipes are widened' "they are of $usual bytes, $most at most"
fi

# Pipe descriptors come back with the flags they had.
flags_of()
{
	sed -n 's/^flags:[[:space:]]*//p' "/proc/self/fdinfo/$1"
}
exec 7<>"$work/fifo"
before=$(flags_of 7)
must head -c 4096 "$work/large" >"$work/page"
aiodd if="$work/page" bs=4096 >&7 2>/dev/null
is 'the flags of an inherited pipe stay' "$(flags_of 7)" "$before"
run eval 'aiodd bs=4096 count=1 <&7 >"$work/page2"'
check 'a pipe opened for both carries the data' same "$work/page" "$work/page2"
is 'the flags stay after reading' "$(flags_of 7)" "$before"
exec 7>&-

# Others share the pipe, and keep it open.
mkfifo "$work/shared"
exec 7<>"$work/shared"
run eval 'aiodd iflag=nonblock bs=4 count=1 <"$work/shared"'
is 'nonblock, nothing there: exit status' "$status" 1
says 'nonblock, nothing there: as dd says it' "$work/err" \
	"error reading 'standard input': Resource temporarily unavailable"
run eval 'aiodd if=/dev/zero bs=64K oflag=nonblock >&7'
is 'nonblock, nobody reads: exit status' "$status" 1
says 'nonblock, nobody reads: as dd says it' "$work/err" \
	"error writing 'standard output': Resource temporarily unavailable"
is 'nonblock: the description of the others is as it was' \
	"$(($(sed -n 's/^flags:[[:blank:]]*/0/p' /proc/self/fdinfo/7) & 04000))" 0
exec 7<&-

finish
