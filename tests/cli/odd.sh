#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Files that are no plain files: /proc, /sys, devices, directories, FIFOs,
# terminals.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

require_gnu_dd

for file in /proc/version /proc/filesystems /proc/cmdline \
	/sys/kernel/mm/transparent_hugepage/enabled; do
	[ -r $file ] || { skip $file 'not here'; continue; }
	for operands in '' bs=1 bs=7 bs=1M bs=64K \
		'bs=64K iflag=fullblock' 'bs=5 skip=2 count=3 status=none'; do
		like_dd "$file $operands" : "dd if=$file of=out $operands"
	done
	run aiodd if=$file of="$work/copy" bs=1M io=aio
	check "$file io=aio" cmp $file "$work/copy"
done
like_dd '/proc/version on stdin' : '(dd bs=4 count=2; cat) </proc/version >out'
like_dd '/proc/kallsyms, the beginning' : \
	'dd if=/proc/kallsyms of=out bs=64K count=20'
like_dd '/proc/kallsyms, full blocks' : \
	'dd if=/proc/kallsyms of=out bs=100K count=5 iflag=fullblock'
if [ -r /sys/kernel/btf/vmlinux ]; then
	like_dd '/sys/kernel/btf/vmlinux' : \
		'dd if=/sys/kernel/btf/vmlinux of=out bs=64K'
else
	skip '/sys/kernel/btf/vmlinux' 'not here'
fi
run aiodd if=/proc/kallsyms of=/dev/null bs=64K
is '/proc/kallsyms, all of it' "$status" 0

like_dd '/dev/zero with count' : 'dd if=/dev/zero of=out bs=3000 count=500'
like_dd '/dev/zero, count in bytes' : \
	'dd if=/dev/zero of=out bs=64K count=1000001B'
like_dd '/dev/zero, skip' : 'dd if=/dev/zero of=out bs=1M skip=10 count=1'
like_dd '/dev/null in' : 'dd if=/dev/null of=out'
like_dd '/dev/null to /dev/null' : 'dd if=/dev/null of=/dev/null'
like_dd 'file to /dev/null' 'make_data in 100000 1' \
	'dd if=in of=/dev/null bs=999'
like_dd 'file to /dev/null, with seek' 'make_data in 100000 1' \
	'dd if=in of=/dev/null bs=999 seek=10'
like_dd 'fsync of /dev/null' 'make_data in 10000 1' \
	'dd if=in of=/dev/null conv=fsync'
like_dd '/dev/full' 'make_data in 10000 1' 'dd if=in of=/dev/full bs=1000'
like_dd '/dev/full, two buffers' 'make_data in 10000 1' \
	'dd if=in of=/dev/full obs=3000'
like_dd '/dev/full, conv=fsync' 'make_data in 10000 1' \
	'dd if=in of=/dev/full bs=1000 conv=fsync'
like_dd '/dev/full, nothing to write' : 'dd if=/dev/null of=/dev/full'
like_dd 'reading /dev/full' : 'dd if=/dev/full of=out bs=100 count=3'
run aiodd if=/dev/zero of=/dev/full bs=1M count=20 io=aio
is '/dev/full io=aio: exit status' "$status" 1
says '/dev/full io=aio: message' "$work/err" \
	"^aiodd: error writing '/dev/full': No space left on device( |\$)"
run aiodd if=/dev/urandom of="$work/copy" bs=1M count=5 iflag=fullblock
is '/dev/urandom' "$status $(size_of "$work/copy")" '0 5242880'

like_dd 'a directory as input' 'mkdir d' 'dd if=d of=out'
like_dd 'a directory as output' 'mkdir d; echo x >in' 'dd if=in of=d'
like_dd 'no such input: no output' : 'dd if=missing of=out'
like_dd 'no such directory for the output' 'echo x >in' 'dd if=in of=no/out'
like_dd 'a name under a file' 'echo x >in' 'dd if=in/x of=out'
like_dd 'an empty name' : 'dd if= of=out'
like_dd 'odd names' 'echo x >"it'\''s"' \
	'dd if="it'\''s" of="a b"; dd if="no such" of=out; dd if="it'\''t" of=o'
if [ "$(id -u)" -ne 0 ]; then
	like_dd 'an unreadable input' 'echo x >in; chmod 0 in' \
		'dd if=in of=out; echo $?; rm -f in'
fi

like_dd 'from FIFO to FIFO' 'make_data in 1000000 1; mkfifo f g' \
	'cat in >f & dd if=f of=g bs=4096 iflag=fullblock & cat g >out
	wait; rm f g'
like_dd 'FIFO opened read-write for a seek' 'mkfifo f' \
	'exec 5<>f; printf abcdefgh >&5
	dd if=/dev/null of=f bs=2 seek=2; head -c 4 <&5 >out; rm f'
like_dd 'FIFO with skip' 'mkfifo f' \
	'printf abcdefgh >f & dd if=f of=out bs=3 skip=1; wait; rm f'

if type -P script >/dev/null; then
	like_dd 'to a terminal' 'echo "one two" >in' \
		'script -qec "dd if=in of=/dev/tty status=none" /dev/null </dev/null'
	like_dd 'to a terminal as stdout' 'seq 1000 >in' \
		'script -qec "dd if=in bs=100 status=none" /dev/null </dev/null'
	like_dd 'from a terminal' : \
		'(until [ -e out ]; do sleep .02; done; echo first
		until grep -q first out; do sleep .02; done; echo second
		until grep -q second out; do sleep .02; done) |
		script -qec "dd of=out bs=100 count=2 status=none" /dev/null'
else
	skip 'terminals' 'no script command here'
fi

finish
