#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# zeros=: what a device makes by itself, or has written; and old data is never
# left in the place of zeros.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2317 # check calls it
. "$(dirname "$0")/../lib.sh"

require_root
require_loop

len=$((24 << 20))
make_data "$work/data" $((1 << 20)) 1
head -c $len /dev/zero | tr '\0' '\377' >"$work/old"
# Data at the start, across odd places, and in the last bytes.
must truncate -s $((len - 700)) "$work/holes"
for at in 0 5000000 $((9 << 20)) $((len - 700 - 1000)); do
	must "$DD" if="$work/data" of="$work/holes" bs=1000 count=1 seek=${at}B \
		conv=notrunc status=none
done
must cp --sparse=never "$work/holes" "$work/zeros"

# fill: old data on DISK.
fill()
{
	must "$DD" if="$work/old" of="$disk" bs=1M conv=fsync status=none
}

# copied OFFSET SOURCE: it is there, and old data around it.
copied()
{
	local size

	size=$(size_of "$2")
	cmp -n "$size" "$2" <(tail -c +$(($1 + 1)) "$disk") &&
		cmp -n "$1" "$work/old" "$disk" &&
		cmp <(tail -c +$(($1 + size + 1)) "$work/old") \
			<(tail -c +$(($1 + size + 1)) "$disk")
}

# zeros MEMBER: of the report.
zeros()
{
	sed -n '/"zeros": {/,/}/s/.*"'"$1"'": \([0-9]*\).*/\1/p' "$work/report"
}

# try NAME OPERAND...: onto old data.
try()
{
	local name=$1

	shift
	fill
	run aiodd of="$disk" report="$work/report" "$@"
	is "$name: exit status" "$status" 0
}

bed_loop 32M || skip_all "$BED_WHY"
disk=$BED
for sector in 512 4096; do
	bed_loop $len $sector || continue
	disk=$BED
	for operands in bs=1M bs=512 'bs=1M io=inline' 'bs=1M io=aio depth=2' \
		'bs=1M iosize=64K verify=yes' 'bs=1M hash=sha256' \
		'bs=1M commit=first-last'; do
		name="sectors of $sector, $operands"
		# shellcheck disable=SC2086 # operands
		try "$name, holes" if="$work/holes" $operands
		check "$name, holes: copied" copied 0 "$work/holes"
		check "$name, holes: made" test "$(zeros offloaded)" -gt 20000000
		# shellcheck disable=SC2086 # operands
		try "$name, zeros" if="$work/zeros" conv=sparse $operands
		check "$name, zeros: copied" copied 0 "$work/zeros"
		check "$name, zeros: made" test "$(zeros offloaded)" -gt 20000000
	done
	try "sectors of $sector, seek=" if="$work/holes" bs=1M seek=4096B \
		count=$((20 << 20))B
	head -c $((20 << 20)) "$work/holes" >"$work/part"
	check "sectors of $sector, seek=: copied" copied 4096 "$work/part"
done

try 'zeros=write' if="$work/holes" bs=1M zeros=write
check 'zeros=write: copied' copied 0 "$work/holes"
is 'zeros=write: none is made' "$(zeros offloaded)" 0
check 'zeros=write: written' test "$(zeros written)" -gt 16000000

try 'zeros=skip' if="$work/holes" bs=1M zeros=skip
check 'zeros=skip: old data stays' cmp -n 1000000 -i 2000000 "$disk" "$work/old"
check 'zeros=skip: skipped' test "$(zeros skipped)" -gt 20000000
fill
run aiodd if="$work/holes" of="$disk" bs=1M zeros=skip verify=yes
is 'zeros=skip, verify=: exit status' "$status" 3

for operands in '' bs=1M 'bs=1M commit=first-last verify=yes'; do
	name="stream $operands"
	fill
	# shellcheck disable=SC2086 # operands
	run aiodd of="$disk" conv=sparse iflag=fullblock report="$work/report" \
		$operands < <(cat "$work/zeros")
	is "$name: exit status" "$status" 0
	check "$name: copied" copied 0 "$work/zeros"
	check "$name: made" test "$(zeros offloaded)" -gt 20000000
done

try '/dev/zero' if=/dev/zero bs=1M count=24
check '/dev/zero: zeros' cmp -n $len /dev/zero "$disk"
is '/dev/zero: made, all' "$(zeros offloaded) $(zeros skipped)" "$len 0"
is '/dev/zero: as planned' \
	"$(sed -n 's/^ *"zeros": "\(.*\)",$/\1/p' "$work/report")" offloaded

fill
run as_dd if="$work/zeros" of="$disk" bs=1M conv=sparse
is 'as dd: exit status' "$status" 0
check 'as dd: old data stays' cmp -n 1000000 -i 2000000 "$disk" "$work/old"

run aiodd if="$work/holes" of="$disk" plan=yes
says 'plan=yes: holes' "$work/out" \
	'^holes: made by the destination \(the device makes zeros\)$'
says 'plan=yes: zeros' "$work/out" \
	'^zeros: made by the device \(written if the device refuses\)$'

# One call for each, and no write.
# The leak sanitizer cannot look while another one traces.
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
if type -P strace >/dev/null; then
	must truncate -s $len "$work/empty"
	fill
	run strace -qq -f -e trace=fallocate,io_submit,pwrite64 -o "$work/calls" \
		"$AIODD" if="$work/empty" of="$disk" bs=1M
	is 'an empty image: exit status' "$status" 0
	is 'an empty image: calls' "$(grep -c '^[0-9]* *fallocate' "$work/calls")" 2
	is 'an empty image: writes' "$(grep -c write "$work/calls")" 0
	check 'an empty image: zeros' cmp -n $len /dev/zero "$disk"

	fill
	run strace -qq -f -e trace=fallocate -o "$work/calls" \
		-e inject=fallocate:error=EOPNOTSUPP \
		"$AIODD" if="$work/holes" of="$disk" bs=1M report="$work/report"
	is 'refused: exit status' "$status" 0
	check 'refused: copied' copied 0 "$work/holes"
	is 'refused: asked once' \
		"$(grep -c '^[0-9]* *fallocate' "$work/calls")" 1
	is 'refused: none is made' "$(zeros offloaded)" 0
	says 'refused: the plan' "$work/report" \
		'"zeros_reason": "the device makes none"'

	# It says that it has made them, the second time falsely.
	fill
	run strace -qq -f -o /dev/null \
		-e inject=fallocate:retval=0:when=2+ \
		"$AIODD" if="$work/holes" of="$disk" bs=1M report="$work/report"
	is 'a lie: exit status' "$status" 0
	check 'a lie: copied' copied 0 "$work/holes"
	is 'a lie: all is written' "$(zeros offloaded)" 0
	says 'a lie: the plan' "$work/report" \
		'"zeros_reason": "what the device made were no zeros"'
	fill
	run strace -qq -f -o /dev/null \
		-e inject=fallocate:retval=0:when=2+ \
		"$AIODD" of="$disk" bs=1M conv=sparse iflag=fullblock \
		report="$work/report" < <(cat "$work/zeros")
	is 'a lie, stream: exit status' "$status" 0
	check 'a lie, stream: copied' copied 0 "$work/zeros"
else
	skip 'system calls' 'no strace here'
fi

# A server that can neither zero nor trim, behind a loop device.
must truncate -s $len "$work/served"
if type -P nbdkit nbdfuse >/dev/null &&
	bed_nbd nozero --filter=nozero split "$work/served" &&
	bed_loop_over "$BED"; then
	disk=$BED
	try 'no offload' if="$work/holes" bs=1M
	check 'no offload: copied' copied 0 "$work/holes"
	is 'no offload: none is made' "$(zeros offloaded)" 0
	check 'no offload: written' test "$(zeros written)" -gt 16000000
else
	skip 'no offload' "${BED_WHY:-no nbdkit here}"
fi

# A file: old data is punched where holes are to be, else zeros are written.
for operands in 'conv=sparse,notrunc bs=1M' 'conv=sparse,notrunc bs=4K io=aio' \
	'conv=notrunc bs=1M' 'conv=sparse,notrunc bs=64K zeros=auto'; do
	for source in holes zeros; do
		must cp "$work/old" "$work/file"
		# shellcheck disable=SC2086 # operands
		run aiodd if="$work/$source" of="$work/file" \
			report="$work/report" $operands
		name="a file of old data, $source, $operands"
		is "$name: exit status" "$status" 0
		check "$name: copied" cmp -n $((len - 700)) "$work/$source" \
			"$work/file"
		is "$name: size" "$(size_of "$work/file")" $len
	done
	[[ $operands = *sparse* ]] || continue
	check "$name: punched" test "$(zeros punched)" -gt 20000000
done
cp "$work/old" "$work/file"
run aiodd if="$work/zeros" of="$work/file" conv=sparse,notrunc plan=yes
says 'a file of old data: plan=yes knows of it' "$work/out" \
	'^zeros: made by the file system \(old data is there\)$'
# Longer than what was there.
must truncate -s 5000001 "$work/file"
run aiodd "$work/holes" "$work/file" conv=notrunc report="$work/report"
is 'a short file of old data: exit status' "$status" 0
check 'a short file of old data: copied' cmp "$work/holes" "$work/file"
cp "$work/old" "$work/file"
must truncate -s 5000001 "$work/file"
run aiodd if="$work/zeros" of="$work/file" conv=sparse,notrunc bs=1M
check 'a short file, conv=sparse: copied' cmp "$work/holes" "$work/file"
cp "$work/old" "$work/file"
must truncate -s 5000001 "$work/file"
run aiodd of="$work/file" conv=sparse,notrunc bs=100K iflag=fullblock \
	< <(cat "$work/zeros")
check 'a short file, stream: copied' cmp "$work/holes" "$work/file"
run aiodd if=/dev/zero of="$work/new" count=10MiB zeros=skip
is 'a new file, zeros=skip: size' "$(size_of "$work/new")" $((10 << 20))

finish
