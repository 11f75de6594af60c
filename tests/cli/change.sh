#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The source changes its size while it is copied: no hang, and the
# destination is what was reported, without a tail of zeros.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2317
. "$(dirname "$0")/../lib.sh"

require_loop
require_nbd

full=$((24 << 20))
make_data "$work/data" $full 1
make_data "$work/more" $((1 << 20 | 5)) 2
cat "$work/data" "$work/more" >"$work/grown"

bed_slow disk 48M 25 0 || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
device=$BED
bed_mkfs ext4 "$device" || skip_all "$BED_WHY"
bed_mount ext4 "$device" || skip_all "$BED_WHY"
dir=$BED

# The second mebibyte of the copy has begun to arrive.
is_under_way()
{
	[ "$(stat -c %b "$work/copy")" -ge 2048 ]
}

# copy_while OPERANDS CMD...: the command is run in the middle of the copy.
copy_while()
{
	local operands=$1

	shift
	rm -f "$work/copy"
	cat "$work/data" >"$dir/file"
	sync -f "$dir"
	gnu_dd of="$dir/file" oflag=nocache conv=notrunc,fdatasync count=0 \
		status=none
	# shellcheck disable=SC2086 # operands
	aiodd if="$dir/file" of="$work/copy" bs=256K $operands \
		>"$work/out" 2>"$work/err" &
	wait_for is_under_way
	"$@"
	wait $!
	status=$?
}

grow()
{
	cat "$work/more" >>"$dir/file"
}

for operands in 'iflag=direct depth=2 iosize=256K io=aio' \
	'iflag=direct depth=2 iosize=256K io=inline' \
	'depth=2 iosize=256K'; do
	copy_while "$operands" truncate -s $(((4 << 20) + 1000)) "$dir/file"
	got=$(size_of "$work/copy")
	is "shrinks, $operands: exit status" "$status" 0
	is "shrinks, $operands: size as reported" \
		"$got" "$(bytes_reported "$work/err")"
	check "shrinks, $operands: $got bytes are from the source" \
		cmp -n "$got" "$work/data" "$work/copy"
	check "shrinks, $operands: cut short" \
		test "$got" -ge $(((4 << 20) + 1000)) -a "$got" -lt $full

	copy_while "$operands" grow
	got=$(size_of "$work/copy")
	is "grows, $operands: exit status" "$status" 0
	is "grows, $operands: size as reported" \
		"$got" "$(bytes_reported "$work/err")"
	check "grows, $operands: $got bytes are from the source" \
		cmp -n "$got" "$work/grown" "$work/copy"
	check "grows, $operands: nothing of the old is missing" \
		test "$got" -ge $full
done

finish
