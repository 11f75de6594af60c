#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Where dd meets the end of something: the count of a record that could not be
# written, blocks larger than a read or than the memory, and calls that end
# oddly. What GNU dd of another release counts otherwise is written down.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

# The leak checker does not run under a tracer.
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"

require_gnu_dd
cd "$work" || exit 99
make_data data $((5 << 20)) 1

# counted TEXT IN OUT BYTES: of the run that was made
counted()
{
	is "$1: records in" "$(sed -n 's/ records in$//p' err)" "$2"
	is "$1: records out" "$(sed -n 's/ records out$//p' err)" "$3"
	is "$1: bytes" "$(sed -n 's/ bytes.* copied.*//p' err)" "$4"
}

# --- a record of which only a part fits ----------------------------------

# shellcheck disable=SC2317 # called by run
limited() # KIB OPERANDS...
{
	(ulimit -Sf "$1"; trap '' XFSZ; shift; as_dd "$@")
}

for operands in 'bs=768K count=2' 'ibs=768K obs=768K count=2'; do
	# shellcheck disable=SC2086 # the operands
	run limited 1024 if=data of=out $operands
	is "size limit, $operands: exit status" "$status" 1
	counted "size limit, $operands" 2+0 1+1 1048576
done

# --- a read behind all that a file can be --------------------------------

if [ "$(stat -f -c %T /dev/shm 2>&1)" = tmpfs ] && [ -w /dev/shm ]; then
	like_dd 'noerror, at the largest offset' 'head -c 513 /dev/zero >in' '
		like=$(mktemp -p /dev/shm)
		cp in "$like"
		dd bs=1000 skip=9223372036854775807B conv=noerror \
			count=1 <"$like" >out
		rm "$like"'
else
	skip 'noerror, at the largest offset' 'no tmpfs here'
fi

# --- a number that is no limit ---------------------------------------------

for count in 9223372036854775807B 9223372036854775806B 9223372036854775807; do
	like_dd "count=$count, a short read" 'head -c 600 /dev/zero >in' "
		{ head -c 300 in
		until [ -s out ]; do sleep .01; done
		head -c 300 in; } | dd bs=500 count=$count >out"
done

# --- a record that the device refuses ------------------------------------

setup='head -c 4M /dev/zero >disk'
if [ "$(id -u)" -eq 0 ] && losetup -f >loop 2>&1; then
	for operands in bs=1M 'bs=1M oflag=direct' 'ibs=4K obs=1M' \
		'ibs=1M obs=512K' 'ibs=3M obs=2M' 'bs=1M conv=fsync'; do
		like_dd "read-only device, $operands" "$setup" '
			loop=$(losetup -r -f --show disk)
			dd if=/dev/zero count=3 '"$operands"' 1<>"$loop"
			losetup -d "$loop"'
	done
else
	skip 'read-only device' 'no loop devices here'
fi

if type -P nbdkit nbdfuse fusermount3 >/dev/null && [ -w /dev/fuse ]; then
	for at in 0 3145728; do
		map=$work/map$at
		printf '0x0 0x%x +\n0x%x 0x1000 -\n0x%x 0x800000 +\n' \
			$at $at $((at + 4096)) >"$map"
		[ $at -gt 0 ] || sed -i 1d "$map"
		sed -i '1i 0x0 +' "$map"
		head -c 8M /dev/zero >bad$at.img
		bed_bad "bad$at" "$work/bad$at.img" "$map" ||
			{ skip "bad source at $at" "$BED_WHY"; continue; }
		like_dd "bad source at $at" : 'dd if="'"$BED"'" of=out bs=1M'
	done
else
	skip 'bad source' 'no nbdkit and nbdfuse here'
fi

# --- a file that must not grow -------------------------------------------

if type -P python3 >/dev/null; then
	cat >sealed.py <<-'END'
		import fcntl, os, subprocess, sys
		fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
		os.ftruncate(fd, int(sys.argv[1]))
		fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
		run = subprocess.run(sys.argv[2:], stdout=fd)
		sys.stdout.buffer.write(os.pread(fd, 1 << 24, 0))
		sys.exit(run.returncode)
	END
	for size in 1048576 1000 307200; do
		for operands in bs=64K 'ibs=512 obs=4K' bs=1M; do
			# shellcheck disable=SC2086 # the operands
			PATH=$path_of_gnu python3 sealed.py $size \
				dd if=data $operands >gnu.bytes 2>/dev/null
			# shellcheck disable=SC2086 # the operands
			PATH=$path_of_ours run python3 sealed.py $size \
				dd if=data $operands
			is "sealed at $size, $operands: exit status" "$status" 1
			check "sealed at $size, $operands: what fits" \
				cmp gnu.bytes out
			says "sealed at $size, $operands: message" err \
				"^dd: .*'standard output': Operation not permitted$"
		done
	done
	PATH=$path_of_ours run python3 sealed.py 307200 dd if=data bs=256K
	counted 'sealed' 2+0 1+1 307200
else
	skip 'a sealed file' 'no python3 here'
fi

# --- blocks that are too large -------------------------------------------

if is_sanitized; then
	skip 'memory for blocks' 'the sanitizer takes the address space'
else
	for operands in bs=3G 'ibs=512 obs=3G' 'ibs=3G obs=512'; do
		like_dd "memory, $operands" : '
			ulimit -v 1000000
			dd if=/dev/zero of=out count=1 '"$operands"
	done
fi
# It is asked for all of it, and gives what it has for one call. To fill so much
# memory takes many times as long as all else here.
truncate -s 4G large
most=2147479552
PATH=$path_of_ours run strace -qq -o trace -P "$PWD/large" -e trace=read \
	-e inject=read:retval=$most dd if=large of=/dev/null bs=3G count=1
if grep -q 'memory exhausted' err; then
	skip 'bs=3G' 'not so much memory here'
elif ! grep -q INJECTED trace; then
	skip 'bs=3G' 'strace cannot trace'
else
	counted 'bs=3G' 0+1 0+1 $most
	says 'bs=3G: one read' trace "^read\\(0, .*, $((3 << 30))\\) += $most "
	is 'bs=3G: only one' "$(wc -l <trace)" 1
fi

# --- told once -----------------------------------------------------------

like_dd 'a hole behind the size limit' : '
	ulimit -f 100
	trap "" XFSZ
	head -c 4096 /dev/zero |
		dd of=out seek=300 conv=sparse,notrunc count=512B'

# --- descriptors of the other kind ---------------------------------------

like_dd 'a source that cannot be read' 'truncate -s 4M in' \
	'dd of=out bs=1M 0>>in'
like_dd 'zeros that cannot be read' : 'dd of=out bs=1M count=1 0>/dev/zero'
like_dd 'nothing that cannot be written' : \
	'dd if=/dev/zero bs=1M count=1 1</dev/null'

# --- a close that is interrupted -----------------------------------------

# The first close of the file is that of the number that open gave.
if strace -o /dev/null -e inject=close:error=EINTR:when=999 true 2>/dev/null
then
	like_dd 'a close that is interrupted' 'echo new >in; echo >out' '
		strace -qq -o trace -P "$PWD/out" -e trace=close \
			-e inject=close:error=EINTR:when=2..3 \
			dd if=in of=out
		grep -c EINTR trace; rm trace'
else
	skip 'a close that is interrupted' 'no strace here'
fi

finish
