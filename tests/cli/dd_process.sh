#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# dd as a process among others: its descriptors, its name, its system calls,
# its address space, and the messages for which something has to fail.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

# The leak checker cannot run under strace, and what cannot be had is NULL.
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:$ASAN_OPTIONS"

require_gnu_dd
require strace perl

make_data "$work/data" 3000 1
one='cp "$work/data" in'
both='cp "$work/data" in; head -c 5000 /dev/zero >out'

# --- shared offsets ------------------------------------------------------

like_dd 'what count leaves' "$one" '(dd bs=1 count=3; cat) <in >out'
like_dd 'what count leaves in a pipe' "$one" \
	'cat in | (dd bs=1 count=3; cat) >out'
like_dd 'what count leaves after a skip' "$one" \
	'(dd bs=7 skip=3 count=2; cat) <in >out'
like_dd 'what a failed write leaves' "$one" \
	'(dd bs=7 >/dev/full; cat) <in >out'
like_dd 'what a failed write leaves, two buffers' "$one" \
	'(dd ibs=7 obs=30 >/dev/full; cat) <in >out'
like_dd 'where a seek leaves stdout' "$both" \
	'(dd bs=7 seek=2 count=1 <in; echo here) 1<>out'
like_dd 'a copy onto itself, forward' "$one" \
	'dd if=in of=in bs=7 seek=1 count=300 conv=notrunc'
like_dd 'a copy onto itself, backward' "$one" \
	'dd if=in of=in bs=7 skip=1 conv=notrunc'
like_dd 'a copy onto itself, two buffers' "$one" \
	'dd if=in of=in ibs=3 obs=100 seek=1 count=900 conv=notrunc'
like_dd 'a copy onto itself, by a link' "$one; ln in link" \
	'dd if=in of=link bs=100 seek=1 count=25 conv=notrunc'
like_dd 'a copy onto its own end' "$one" \
	'dd if=in of=in bs=1000 count=9 oflag=append conv=notrunc'
like_dd 'a large copy onto itself' \
	'make_data in 1000000 2' \
	'dd if=in of=in bs=4096 seek=1 count=200 conv=notrunc'

# --- descriptors ---------------------------------------------------------

for operands in '' 'if=in' 'of=out' 'if=in of=out' 'if=in of=out status=none' \
	'count=0' 'bs=100 conv=fsync' 'if=missing'; do
	for closed in '<&-' '>&-' '<&- >&-'; do
		like_dd "dd $operands $closed" "$both" \
			"(dd $operands $closed) <in"
	done
	for closed in '2>&-' '2>/dev/full' '2>&- >&-' '2>&- <&- >&-'; do
		like_dd "dd $operands $closed" "$both" \
			"(dd $operands $closed) <in >stdout"
	done
done
like_dd 'a large copy with descriptors closed' 'make_data in 1000000 1' \
	'dd if=in of=out bs=4096 <&- >&- 2>&-'

# --- latency -------------------------------------------------------------

# patient OPERANDS: the second byte is sent when the first has come out.
for operands in bs=1 bs=512 'ibs=512 obs=1' 'obs=1 conv=ucase' \
	'bs=5 conv=sync' 'ibs=4 obs=2 conv=swab'; do
	like_dd "latency, $operands" : '{ printf ab; i=0
		until [ -s out ] || [ $((i += 1)) -gt 10000 ]; do sleep .01; done
		[ -s out ] && printf cd; } | dd of=out '"$operands"
done

# --- its name and options ------------------------------------------------

# In newer coreutils (9.7) messages begin with the last component, except those of
# getopt.
if bash -c 'exec -a ./dd "$0" foo' "$DD" 2>&1 | grep -q '^dd: '; then
	masks+=(-e 's#^/?([^/]+/)+dd: (failed|unrecognized op)#dd: \2#')
fi
for name in /usr/bin/dd ./dd ../x/dd '/a b/dd'; do
	like_dd "called $name" "$one" \
		"exec bash -c 'exec -a \"\$0\" \$(type -P dd) if=missing' '$name'"
	like_dd "called $name, wrongly" "$one" \
		"exec bash -c 'exec -a \"\$0\" \$(type -P dd) foo' '$name'"
	like_dd "called $name, with a wrong option" "$one" \
		"exec bash -c 'exec -a \"\$0\" \$(type -P dd) -x' '$name'"
done
for option in --help --hel --h --version --v --vers 'bs=1 --help' \
	'foo --version' '--help foo' '--version --help'; do
	like_dd "dd $option" "$one" "dd $option >help; wc -c <help |
		grep -q '[1-9]..'; echo \$?; rm help"
	like_dd "dd $option, stdout full" "$one" "dd $option >/dev/full"
	like_dd "dd $option, stdout closed" "$one" "dd $option >&-"
done
run as_dd --version
says '--version names dd' "$work/out" '^dd \(aiodd\) [0-9]'
run as_dd --help
says '--help names dd' "$work/out" '^Usage: dd \[OPERAND\]\.\.\.$'
for words in --=x --help=1 --version=1 --listoperands --list-operands -h -V \
	'-- --help' '-- bs=1 if=in' '--' '- if=in' 'if=in -- of=out'; do
	like_dd "dd $words" "$one" "dd $words </dev/null"
done
for words in 'if=in --help' 'if=in -x' '-- --help' '--foo' \
	'if=in -- of=out'; do
	like_dd "POSIXLY_CORRECT: dd $words" "$one" \
		"POSIXLY_CORRECT=1 dd $words"
done

# --- its system calls ----------------------------------------------------

# As far as they touch the files: a question where an offset stands does not,
# nor do the bits that mean something to GNU dd alone.
strace -o "$work/trace" true 2>/dev/null || skip_all 'strace cannot trace'
while read -r operands; do
	like_dd "system calls, $operands" "$both" \
		"strace -s 8 -o trace dd status=none $operands <in
		sed -nE -e '/lseek\\([01], 0, SEEK_CUR/d' \
			-e '/^(read|write|lseek|ftruncate|fsync|fdatasync)\\([01],/p' \
			-e 's/\\|0x[0-9a-f]+(.*\\)) +=/\\1 =/; s/\\) +=/) =/' \
			-e '/^openat.*\"(in|out)\"/p' -e '/^dup2/p' \
			-e '/^close\\([01]\\)/p' -e '/F_SETFL/p' trace >calls
		rm trace"
done <<'TABLE'
of=out
if=in of=out bs=1000
if=in of=out bs=700 conv=sync
if=in of=out ibs=300 obs=700
if=in of=out ibs=700 obs=300
if=in of=out bs=1000 skip=1 seek=1
if=in of=out bs=1000 skip=1 seek=1 conv=notrunc
if=in of=out seek=7B
if=in of=out bs=1000 count=2
if=in of=out bs=1000 count=0
if=in of=out bs=1000 count=1500B
if=in of=out bs=1000 iflag=fullblock
if=in of=out conv=fsync
if=in of=out conv=fdatasync
if=in of=out conv=fsync,fdatasync count=0
if=in of=out conv=notrunc oflag=append
if=in of=out conv=excl
if=in of=new conv=excl
if=in of=out conv=nocreat
if=in of=out iflag=noatime,nofollow,noctty oflag=dsync,sync,nonblock
of=out iflag=nonblock oflag=nonblock
if=/dev/zero of=out bs=1000 count=4 conv=sparse
if=/dev/zero of=out ibs=300 obs=700 count=4 conv=sparse
if=/dev/null of=/dev/null
if=in of=out cbs=10 conv=block
if=in of=out conv=swab ibs=3
skip=9 of=out
seek=1
if=missing of=out
if=in of=missing/out
TABLE
like_dd 'records to a seqpacket socket' "$one" 'perl -MSocket -e "
	socketpair(my \$a, my \$b, AF_UNIX, SOCK_SEQPACKET, 0);
	if (!fork) { close \$a; open STDOUT, q(>&), \$b; exec qw(dd if=in),
		qw(ibs=300 obs=700) } close \$b;
	print length(\$_), qq(\n) while defined recv(\$a, \$_, 9999, 0) &&
		length(\$_)"'

# advised OPERANDS: what is asked of the page cache.
advised()
{
	(cd "$work" && PATH=$path_of_ours strace -o trace -e trace=fadvise64 \
		dd status=none "$@")
	sed -nE 's/^fadvise64\((.*), POSIX_FADV_DONTNEED.*/\1/p' "$work/trace" |
		paste -sd ';'
}

make_data "$work/large" 1234567 3
is 'nocache: the input, to its end' \
	"$(advised if=large of=/dev/null bs=1M iflag=nocache)" \
	'0, 0, 1048576;0, 1048576, 0'
is 'nocache: only what was read' \
	"$(advised if=large of=/dev/null bs=1M count=1 iflag=nocache)" \
	'0, 0, 1048576'
is 'nocache: after a skip' "$(advised if=large of=/dev/null iflag=nocache \
	skip=10 count=600)" '0, 5120, 262144;0, 267264, 45056'
is 'nocache: the output' "$(advised if=large of=copy bs=1M oflag=nocache)" \
	'1, 0, 1048576;1, 1048576, 0'
is 'nocache: the output, conv=notrunc' \
	"$(advised if=large of=copy bs=1M oflag=nocache conv=notrunc)" \
	'1, 0, 1048576;1, 1048576, 185991'
is 'nocache: both' "$(advised if=data of=copy iflag=nocache oflag=nocache)" \
	'0, 0, 0;1, 0, 0'
is 'nocache: all of the input' "$(advised if=data count=0 iflag=nocache)" \
	'0, 0, 0'
is 'nocache: all of the output' "$(advised of=copy count=0 oflag=nocache \
	conv=notrunc)" '1, 0, 0'
is 'no nocache: no advice' "$(advised if=data of=copy)" ''
if gnu_dd if="$work/data" of="$work/copy" oflag=direct status=none 2>&-; then
	is 'oflag=direct: the short end leaves no pages' \
		"$(advised if=large of=copy bs=1M oflag=direct)" \
		'1, 1048576, 0'
fi

# --- messages ------------------------------------------------------------

# injected FAULT OPERANDS
injected()
{
	like_dd "$1: dd $2" "$both" "strace -o /dev/null -e inject=$1 dd $2"
}

injected fsync:error=EIO 'if=in of=out conv=fsync'
injected fdatasync:error=EIO 'if=in of=out conv=fdatasync'
injected fdatasync:error=EINVAL 'if=in of=out conv=fdatasync'
injected fdatasync:error=ENOSYS 'if=in of=out conv=fdatasync status=none'
injected fsync:error=EIO,fdatasync 'if=in of=out conv=fdatasync,fsync'
injected fsync:error=EINTR:when=1 'if=in of=out conv=fsync'
injected dup2:error=EBADF:when=1 'if=in of=out'
injected dup2:error=EBADF:when=2 'if=in of=out'
injected fcntl:error=EPERM 'oflag=dsync <in >>out'
like_dd 'a sync that fails leaves no statistics after a quit' "$one" \
	'dd if=in seek=1 conv=fsync | cat'
like_dd 'fsync of a pipe' "$one" 'dd if=in conv=fsync | cat'

# truncated FAULT TEXT: when the output cannot be cut, dd stops there.
truncated()
{
	must cp "$work/data" "$work/copy"
	(
		cd "$work" || exit
		PATH=$path_of_ours run strace -o /dev/null -e inject="$1" \
			dd if=data of=copy seek=1
		echo "exit $status" >>err
	)
	is "$1" "$(cat "$work/err")" "dd: $2"$'\n''exit 1'
	check "$1: the output is as it was" same "$work/data" "$work/copy"
}

truncated ftruncate:error=EPERM "failed to truncate to 512 bytes in output \
file 'copy': Operation not permitted"

while read -r operands; do
	like_dd "dd $operands" "$both; mkdir d" "dd $operands"
done <<'TABLE'
if=in of=out seek=9223372036854775807
if=in of=out seek=9223372036854775807 bs=3
if=in of=out seek=36028797018963968
if=in of=out seek=9223372036854775807 conv=notrunc
if=in of=out skip=9223372036854775807
if=in of=out skip=9223372036854775807 status=none
if=in of=out seek=7EB conv=notrunc
if=in of=out skip=7EB
if=in of=out skip=3001B
if=in of=out skip=3000B
if=in of=out skip=7
if=/proc/self/mem of=out bs=4096 count=2 conv=noerror,sync
if=/proc/self/mem of=out bs=4096 count=2 conv=noerror,sync status=none
if=/proc/self/mem of=out bs=4096 count=2 conv=noerror,sync status=noxfer
if=/proc/self/mem of=out ibs=4096 count=2 conv=noerror,sync,block cbs=9
if=/proc/self/mem of=out bs=4096 count=2
if=/proc/self/mem of=out ibs=4096 count=2 conv=fsync
if=d of=out
if=d of=out conv=noerror,sync count=3
if=d of=out conv=noerror,sync count=3 status=none
if=in of=d
if=in of=in/x
if=in/x of=out
if=d of=out skip=1
bs=9223372036854775807 count=0
cbs=9223372036854775807 if=in of=out count=0
count=0x1 if=in of=out
seek=0x1 skip=0x5 count=0x9 if=in of=out status=none
bs=0x1
foo=0x1
conv=ascii,ebcdic foo
conv=block,unblock if=in of=out
conv=ascii,block cbs=1 if=in of=out
conv=ebcdic,unblock cbs=1 if=in of=out
conv=lcase,ucase,excl,nocreat
conv=excl,nocreat,lcase iflag=direct,nocache
oflag=direct,nocache
oflag=fullblock conv=lcase,ucase
oflag=fullblock foo
iflag=binary
oflag=cio
oflag=nolinks
iflag=directory if=in of=out
iflag=directory of=out
iflag=direct,directory if=d of=out
TABLE
run as_dd if=/proc/self/mem of="$work/copy" bs=4096 count=1 \
	iseek=9223372036854771712B conv=noerror,sync status=none
is 'past the largest offset' "$status $(cat "$work/err")" \
	"1 dd: offset overflow while reading file '/proc/self/mem'"
for locale in C C.UTF-8; do
	for words in 'conv=ö' 'status=ö' "conv=it\\'s" 'oflag=fullblock' \
		"conv=\$'a\\tb'" $'conv=\xe2\x80\x99' "'conv=a\\b'"; do
		like_dd "LC_ALL=$locale dd $words" : "LC_ALL=$locale dd $words"
	done
done

# --- its address space ---------------------------------------------------

# The allocator of the sanitizer has a word of its own for these.
if is_sanitized; then
	skip 'blocks that no memory holds' 'sanitizers allocate in another way'
else
	while read -r operands; do
		like_dd "dd $operands" "$both" "dd $operands"
	done <<'TABLE'
bs=9223372036854775806 count=0
bs=9223372036854775806 if=in of=out
ibs=1P if=in of=out
obs=4E if=in of=out
bs=1000000000000000000 if=in of=out
ibs=9223372036854775806 if=in of=out count=1 conv=block cbs=1
TABLE
fi

# within KIB OPERANDS...
within()
{
	bash -c 'ulimit -v $1; shift; exec dd "$@"' dd "$@" status=none
}

copy_within()
{
	printf x >"$work/x"
	(PATH=$1; within "$2" if="$work/x" of="$work/y") >/dev/null 2>&1
}

if is_sanitized || ! copy_within "$path_of_gnu" 1000000; then
	skip 'address space' 'a sanitizer has its own'
	finish
fi
least=1000
until copy_within "$path_of_gnu" $least; do
	least=$((least + 200))
done
ours=$least
until copy_within "$path_of_ours" $ours || [ $ours -gt 1000000 ]; do
	ours=$((ours + 200))
done
check "a small copy within $ours KiB, where GNU dd needs $least" \
	test $ours -le $((least + 3000))
for operands in 'bs=30M' 'ibs=30M' 'obs=30M' 'bs=9223372036854775806'; do
	PATH=$path_of_ours run within $((ours + 500)) if=/dev/null count=0 \
		"$operands"
	is "count=0 $operands takes no memory" "$status $(cat "$work/err")" '0 '
	PATH=$path_of_ours run within $((ours + 4000)) if=/dev/null "$operands"
	is "$operands is too much" "$status" 1
	says "$operands: and says so" "$work/err" "^dd: memory exhausted by \
(in|out)put buffer of size [0-9]+ bytes \([0-9.]+ (MiB|EiB)\)\$"
done
for case in 'ibs skip if 1' 'obs skip if 0' 'ibs seek of 0' 'obs seek of 1'; do
	read -r size op file wanted <<<"$case"
	rm -f "$work/tape"
	mkfifo "$work/tape"
	exec 9<>"$work/tape"
	echo data >&9
	PATH=$path_of_ours run within $((ours + 4000)) "$size=30M" "$op=1" \
		count=0 "$file=$work/tape" 9>&-
	exec 9>&-
	is "$size=30M $op=1 on a FIFO" "$status" "$wanted"
done

finish
