#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The destination is not ours alone: others write it, share its descriptor with
# their messages, or look in /proc how far the copy is.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016,SC2317 # expanded by like_dd, called by wait_for
. "$(dirname "$0")/../lib.sh"

require_gnu_dd
cd "$work" || exit 99
size=$((40 << 20))
make_data data $size 1
make_data other $((8 << 20)) 2

# begin COMMAND...: aiodd, or what else, in the background as pid
begin()
{
	PATH=$path_of_ours env --default-signal=INT "$@" &
	pid=$!
}

has_grown()
{
	[ "$(size_of copy)" -gt 0 ]
}

### What others write stays

# From 16 MiB on, while the copy is far before that, which is then ended.
for way in 'conv=notrunc io=inline' 'conv=notrunc io=aio' \
	conv=notrunc,fsync conv=fsync 'conv=fsync tee=second'; do
	rm -f copy second
	# shellcheck disable=SC2086 # the operands of a way
	begin aiodd if=data of=copy $way rate=128K status=none
	wait_for has_grown
	run aiodd if=other of=copy bs=1M seek=16 conv=notrunc,fsync
	is "$way: the other one is through" "$status" 0
	kill -TERM $pid
	wait $pid 2>/dev/null
	is "$way: ended" $? 143
	is "$way: the size is the other's" "$(size_of copy)" $((24 << 20))
	check "$way: the other's data are there" \
		cmp <(tail -c $((8 << 20)) copy) other
done

# Behind the end that the copy will have.
for conv in notrunc,fsync fsync; do
	rm -f copy
	begin aiodd if=data of=copy conv=$conv io=aio rate=128K status=none
	wait_for has_grown
	run aiodd if=other of=copy bs=1M seek=48 conv=notrunc,fsync
	kill -TERM $pid
	wait $pid 2>/dev/null
	is "conv=$conv, behind the end: the size is the other's" \
		"$(size_of copy)" $((56 << 20))
	check "conv=$conv, behind the end: the other's data are there" \
		cmp <(tail -c $((8 << 20)) copy) other
done
# Nobody else: as far as was counted.
for conv in notrunc,fsync fsync; do
	rm -f copy
	begin aiodd if=data of=copy conv=$conv io=aio rate=128K 2>err
	wait_for has_grown
	kill -TERM $pid
	wait $pid 2>/dev/null
	is "conv=$conv, alone: the size is what was counted" \
		"$(size_of copy)" "$(bytes_reported err)"
done
for conv in notrunc notrunc,fsync; do
	like_dd "conv=$conv, a longer file" \
		"make_data in $size 1; make_data out $((size + 5)) 2" \
		"dd if=in of=out bs=1M conv=$conv"
	like_dd "conv=$conv, a shorter file" \
		"make_data in $size 1; make_data out 12345 2" \
		"dd if=in of=out bs=1M conv=$conv"
done

### Messages in the destination

# ended TEXT: all that is no message is the copy
ended()
{
	is "$1: exit status" "$status" 0
	is "$1: the data is complete" "$(tr -dc '\0' <both | wc -c)" $size
	is "$1: the messages are" "$(tr -d '\0' <both | grep -ac copied)" 2
}

zeros='if=/dev/zero bs=1M count=40 iflag=fullblock conv=fsync'
begin_both()
{
	: >both
	# shellcheck disable=SC2086 # the operands
	begin aiodd $zeros "$@" >both 2>&1
}
has_begun()
{
	local size

	size=$(size_of both) && [ "$size" -gt 0 ] && [ "$size" -lt $((32 << 20)) ]
}
catch has_begun begin_both
send USR1
wait "$pid"
status=$?
ended 'a description of both'
for operands in '' seek=3 'conv=notrunc seek=1' 'oflag=append conv=notrunc' \
	'conv=sparse'; do
	like_dd "a description of both, $operands" \
		"make_data in $size 1; make_data out 3000000 2" \
		"dd if=in bs=1M conv=fsync $operands 1<>out 2>&1
		sed -i -E '\$s/, [0-9.e+-]+ s, .*/, T/' out"
	like_dd "of= and messages behind it, $operands" \
		"make_data in $size 1; make_data out 3000000 2" \
		"dd if=in of=out bs=1M conv=fsync $operands 2>>out
		sed -i -E '\$s/, [0-9.e+-]+ s, .*/, T/' out"
done
aiodd if=data bs=1M plan=yes >plan 2>&1
says 'elsewhere it is still a bulk copy' plan '^method: '
PATH=$path_of_ours bash -c 'aiodd if=data bs=1M plan=yes 3>&1 >both 2>&1 3>&-'
says 'the plan has the reason' both \
	'^method: record by record \(messages are written to the destination, too\)$'
aiodd if=data of=/dev/null bs=1M plan=yes 2>/dev/null >plan
says 'but not with /dev/null' plan '^method: bulk'

### Who looks in /proc

pos()
{
	sed -n 's/^pos:[^0-9]*//p' "/proc/$pid/fdinfo/$1"
}

# Both descriptors stand within the copy.
is_on_its_way()
{
	local src dst

	src=$(pos 0) && dst=$(pos 1) &&
		[ "$src" -gt $((1 << 20)) ] && [ "$src" -lt $((41 << 20)) ] &&
		[ "$dst" -gt $((2 << 20)) ] && [ "$dst" -lt $((42 << 20)) ]
}

for io in aio inline; do
	rm -f copy
	begin aiodd if=data of=copy skip=1 seek=2 bs=1M rate=256K io=$io \
		status=none
	check "io=$io: both descriptors follow the copy" \
		wait_for is_on_its_way
	kill $pid
	wait $pid 2>/dev/null
done
if strace -o trace -e trace=none true 2>/dev/null && bed_fs tmpfs 200M; then
	must cp data "$BED"
	begin strace -D -o trace -e trace=copy_file_range \
		-e inject=copy_file_range:delay_exit=500000 aiodd \
		if="$BED/data" of="$BED/copy" skip=1 seek=2 bs=1M status=none
	check 'in the kernel: both descriptors follow the copy' \
		wait_for is_on_its_way
	wait $pid
	says 'in the kernel: it was there' trace copy_file_range
else
	skip 'in the kernel: both descriptors follow the copy' 'no strace here'
fi

### What the kernel refuses is told

if ! strace -o trace -e trace=none true 2>/dev/null; then
	skip_all 'strace may not trace here'
fi
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"

# injected INJECTION OPERANDS...
injected()
{
	rm -f copy
	run timeout -k 5 "$TIME_LIMIT" strace -f -o trace \
		-e trace="${1%%:*}" -e inject="$1" \
		"$work/bin/ours/aiodd" if=data of=copy bs=1M "${@:2}"
}

injected lseek:error=EINVAL:when=3+ io=inline count=100
is 'a descriptor that cannot be moved: exit status' "$status" 1
says 'a descriptor that cannot be moved: message' err \
	'data: cannot skip: Invalid argument$'
check 'a descriptor that cannot be moved: nothing is there twice' \
	same data copy
injected ftruncate:error=EDQUOT:when=1 io=aio
is 'a file that cannot be made longer first: exit status' "$status" 0
check 'a file that cannot be made longer first: identical' same data copy
if bed_full && rm -f copy && ln -s "$BED/copy" copy; then
	must cp other "$BED/filling"
	must cp other "$BED/more"
	run timeout -k 5 "$TIME_LIMIT" strace -f -o trace -e trace=ftruncate \
		-e inject=ftruncate:error=EDQUOT:when=2+ \
		"$work/bin/ours/aiodd" if=data of=copy bs=1M io=aio
	is 'a file that cannot be cut: exit status' "$status" 1
	says 'a file that cannot be cut: message' err \
		"failed to truncate to [0-9]+ bytes in output file 'copy': Disk"
	says 'a file that cannot be cut: and why it is too long' err \
		"error writing 'copy': No space left"
else
	skip 'a file that cannot be cut' "$BED_WHY"
fi

finish
