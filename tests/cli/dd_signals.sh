#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Signals while dd sleeps in open, read or write: GNU dd and ours, driven
# step by step, say the same and end the same.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# The leak checker cannot run under strace, and what cannot be had is NULL.
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:$ASAN_OPTIONS"

require_gnu_dd
require perl strace

# drive INT-DISPOSITION STEPS COMMAND...: stdin and stdout are pipes. The
# steps, by commas, are taken when the command sleeps: NAME sends a signal,
# feed:TEXT and eof write to stdin and end it, open:FILE opens the other end
# of a FIFO, drain reads stdout from here on. A job of a shell would have
# SIGINT ignored, so Perl is the parent.
cat >"$work/drive" <<'PERL'
use strict;
use warnings;
use Fcntl;

my ($int, $steps, @command) = @ARGV;
my ($pid, $drain, @kept);

pipe(my $stdin, my $feed) or die;
pipe(my $out, my $stdout) or die;
$pid = fork // die;
if (!$pid) {
	open STDIN, '<&', $stdin or die;
	open STDOUT, '>&', $stdout or die;
	close $_ for $feed, $out, $stdin, $stdout;
	$SIG{INT} = $int;
	$SIG{USR1} = 'IGNORE';
	exec @command or die;
}
close $_ for $stdin, $stdout;
$SIG{ALRM} = sub { print "out of time\n"; kill 'KILL', $pid };
$SIG{PIPE} = 'IGNORE';
alarm 900;

sub status {
	my ($name) = @_;
	open my $file, '<', "/proc/$pid/status" or return '';
	return join '', grep { /^$name/ } <$file>;
}

# Asleep as dd, with its handlers set and no signal on its way, three times
# in a row. A tracer makes it stop and go, but does not let it look asleep.
sub settle {
	for (my $calm = 0; $calm < 3; select undef, undef, undef, .01) {
		my $now = status('(Name|State|SigCgt|...Pnd)');
		return if $now !~ /State:\t[^Z]/;
		my $is_calm = $now =~ /Name:\tdd\n/ && $now =~ /State:\tS/ &&
			$now =~ /Cgt:\t0*[1-9a-f]/ &&
			$now !~ /Pnd:\t0*[1-9a-f]/;
		$calm = $is_calm ? $calm + 1 : 0;
	}
}

for (split /,/, $steps) {
	settle();
	if (/^feed:(.*)/) {
		syswrite $feed, $1;
	} elsif (/^open:(.*)/) {
		sysopen my $file, $1, O_RDWR or die;
		push @kept, $file;
	} elsif ($_ eq 'eof') {
		close $feed;
	} elsif ($_ eq 'drain') {
		$drain = 1;
		last;
	} else {
		kill $_, $pid;
	}
}
if ($drain) {
	local $/;
	my $text = <$out> // '';
	print 'drained ', length $text, "\n";
}
waitpid $pid, 0;
print $? & 127 ? 'signal ' . ($? & 127) : 'exit ' . ($? >> 8), "\n";
PERL

driven()
{
	like_dd "$1" "${5-:}" "perl '$work/drive' $2 '$3' dd $4; rm -f f"
}

# --- SIGUSR1 -------------------------------------------------------------

for where in 'of=out' 'bs=5' 'bs=5 of=out status=noxfer' \
	'bs=5 of=out status=none' 'ibs=2 obs=7 of=out' \
	'bs=10 iflag=fullblock of=out' 'bs=5 count=3 of=out' \
	'cbs=4 conv=block of=out' 'bs=4 conv=sync of=out' \
	'bs=2 skip=2 of=out'; do
	driven "SIGUSR1 while reading a pipe, $where" DEFAULT \
		USR1,USR1,feed:abc,USR1,feed:defghijk,USR1,eof "$where"
done
driven 'SIGUSR1 while opening a FIFO for reading' DEFAULT \
	USR1,open:f,USR1,INT 'if=f of=out' 'mkfifo f'
driven 'SIGUSR1 while opening a FIFO for writing' DEFAULT \
	USR1,USR1,feed:abc,open:f,USR1,eof 'of=f bs=2' 'mkfifo f'
driven 'SIGUSR1 while writing to a full pipe' DEFAULT \
	USR1,USR1,drain 'if=/dev/zero bs=100000 count=3'
driven 'SIGUSR1 while writing to a full pipe, two buffers' DEFAULT \
	USR1,USR1,drain 'if=/dev/zero ibs=1000 obs=70000 count=300'

# --- SIGINT --------------------------------------------------------------

for where in 'of=out' 'bs=5 of=out' 'ibs=2 obs=70 of=out' 'bs=5 status=none' \
	'bs=5 status=noxfer' 'bs=5 conv=fsync' 'bs=5 conv=fsync of=out' \
	'cbs=40 conv=block of=out' 'conv=swab of=out bs=3'; do
	driven "SIGINT while reading a pipe, $where" DEFAULT \
		feed:abcdefg,INT "$where"
done
driven 'SIGINT at once' DEFAULT INT 'of=out'
driven 'SIGUSR1 and SIGINT' DEFAULT USR1,INT 'of=out'
driven 'SIGINT while opening a FIFO for reading' DEFAULT INT \
	'if=f of=out' 'mkfifo f'
driven 'SIGINT while opening a FIFO for writing' DEFAULT INT 'of=f' 'mkfifo f'
driven 'SIGINT while opening a FIFO for reading and writing' DEFAULT INT \
	'if=f of=f' 'mkfifo f'
driven 'SIGINT while writing to a full pipe' DEFAULT INT \
	'if=/dev/zero bs=100000'
driven 'SIGINT while writing to a full pipe, two buffers' DEFAULT INT \
	'if=/dev/zero ibs=1000 obs=70000'
driven 'SIGINT while writing, and somebody reads' DEFAULT INT,drain \
	'if=/dev/zero bs=100000'
driven 'SIGINT while skipping in a pipe' DEFAULT feed:ab,INT 'skip=2 of=out'
driven 'SIGINT ignored' IGNORE INT,feed:abc,INT,eof 'of=out'
driven 'SIGINT ignored, SIGUSR1 not' IGNORE USR1,INT,USR1,eof 'of=out'

# --- the others ----------------------------------------------------------

for name in TERM HUP QUIT PIPE; do
	driven "SIG$name: no word" DEFAULT "feed:abc,$name" 'bs=2 of=out'
done
export POSIXLY_CORRECT=1
driven 'POSIXLY_CORRECT: SIGUSR1 as it was' DEFAULT USR1,feed:abc,eof 'of=out'
driven 'POSIXLY_CORRECT: SIGINT' DEFAULT feed:abc,INT 'of=out'
unset POSIXLY_CORRECT

# --- what SIGINT leaves out ----------------------------------------------

# traced OPERANDS STEPS: what it says, and the number of syncs.
traced()
{
	(
		cd "$work" || exit
		# shellcheck disable=SC2086 # operands
		PATH=$path_of_ours strace -f -o trace \
			-e trace=fsync,fdatasync perl drive DEFAULT "$2" dd $1
	) 2>/dev/null
	grep -Ec 'f(data)?sync\(' "$work/trace"
}

strace -o "$work/trace" true 2>/dev/null || skip_all 'strace cannot trace'
for operands in 'conv=fsync' 'conv=fdatasync'; do
	is "$operands: SIGINT, no sync" \
		"$(traced "of=out bs=2 $operands" feed:abc,INT)" $'signal 2\n0'
done
is 'conv=fsync: to the end, a sync' \
	"$(traced 'of=out bs=2 conv=fsync' feed:abc,eof)" $'exit 0\n1'

finish
