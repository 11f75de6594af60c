#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The source changes while it is copied: no hang, the destination is what was
# reported, without a tail of zeros, and it is told.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2317
. "$(dirname "$0")/../lib.sh"

require_loop
require_nbd

full=$((24 << 20))
make_data "$work/data" $full 1
make_data "$work/more" $((1 << 20 | 5)) 2
must cat "$work/data" "$work/more" >"$work/grown"

bed_slow disk 48M 25 0 || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
device=$BED
bed_mkfs ext4 "$device" || skip_all "$BED_WHY"
bed_mount ext4 "$device" || skip_all "$BED_WHY"
dir=$BED

# The second mebibyte of the copy has begun to arrive.
is_under_way()
{
	has_blocks "$work/copy"
}

# Far from its end, too.
has_blocks()
{
	local nr

	nr=$(stat -c %b "$1") && [ "$nr" -ge 2048 ] && [ "$nr" -lt 40960 ]
}

# start OPERANDS...: with a fresh source that is not in the cache
start()
{
	rm -f "$work/copy" "$work"/.copy.aiodd-*
	must cat "$work/data" >"$dir/file"
	sync -f "$dir"
	gnu_dd of="$dir/file" oflag=nocache conv=notrunc,fdatasync count=0 \
		status=none
	PATH=$path_of_ours env aiodd if="$dir/file" "$@" \
		>"$work/out" 2>"$work/err" &
	pid=$!
}

# copy_while OPERANDS CMD...: the command is run in the middle of the copy.
copy_while()
{
	local operands=$1

	shift
	# shellcheck disable=SC2086 # operands
	catch is_under_way start of="$work/copy" bs=256K $operands
	"$@"
	kill -CONT "$pid"
	wait "$pid"
	status=$?
}

warning="aiodd: warning: '$dir/file' changed during the copy:"
failure="aiodd: '$dir/file' changed during the copy:"

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
	says "shrinks, $operands: warning" "$work/err" "^$warning size"
	check "shrinks, $operands: $got bytes are from the source" \
		cmp -n "$got" "$work/data" "$work/copy"
	check "shrinks, $operands: cut short" \
		test "$got" -ge $(((4 << 20) + 1000)) -a "$got" -lt $full

	copy_while "$operands" grow
	got=$(size_of "$work/copy")
	is "grows, $operands: exit status" "$status" 0
	is "grows, $operands: size as reported" \
		"$got" "$(bytes_reported "$work/err")"
	says "grows, $operands: warning" "$work/err" "^$warning size, mtime"
	check "grows, $operands: $got bytes are from the source" \
		cmp -n "$got" "$work/grown" "$work/copy"
	check "grows, $operands: nothing of the old is missing" \
		test "$got" -ge $full
done

# The size stays, and it must be seen all the same.
overwrite()
{
	head -c 4096 "$work/more" |
		"$DD" of="$dir/file" bs=4K seek=5000 conv=notrunc status=none
}

direct='iflag=direct depth=2 iosize=256K'
copy_while "$direct" overwrite
is 'overwritten: exit status' "$status" 0
says 'overwritten: warning' "$work/err" "^$warning mtime, ctime\$"
copy_while "$direct" touch "$dir/file"
is 'touched: exit status' "$status" 0
says 'touched: warning' "$work/err" "^$warning mtime, ctime\$"
copy_while "$direct" chmod 600 "$dir/file"
says 'new mode: warning' "$work/err" "^$warning ctime\$"
copy_while "$direct status=none" touch "$dir/file"
is 'touched, status=none: silent' "$(cat "$work/err")" ''
copy_while "$direct" sha256sum "$dir/file"
is 'read by another: exit status' "$status" 0
is 'read by another: no word' "$(grep -c changed "$work/err")" 0

sum=$(sha256sum <"$work/data")
for operands in verify=yes "expect=sha256:${sum%% *}"; do
	copy_while "$direct $operands" overwrite
	is "overwritten, ${operands%%:*}: exit status" "$status" 4
	says "overwritten, ${operands%%:*}: message" "$work/err" \
		"^$failure mtime, ctime\$"
	copy_while "$direct $operands" true
	is "unchanged, ${operands%%:*}: exit status" "$status" 0
done

# Growing is all that happens here: the copy itself is what was expected.
copy_while "$direct count=96 expect=sha256:${sum%% *}" grow
is 'grown behind the copy, expect=: exit status' "$status" 4
says 'grown behind the copy, expect=: message' "$work/err" \
	"^$failure size, mtime, ctime\$"

# In the temporary file.
is_under_way()
{
	local temp

	temp=$(echo "$work"/.copy.aiodd-*)
	[ -e "$temp" ] && has_blocks "$temp"
}

copy_to_old()
{
	copy_while "$direct commit=rename" "$@"
}

copy_to_old overwrite
is 'overwritten, commit=rename: exit status' "$status" 4
check 'overwritten, commit=rename: nothing has the name' \
	test ! -e "$work/copy"
is 'overwritten, commit=rename: nothing is left behind' \
	"$(find "$work" -maxdepth 1 -name '.copy.*')" ''
copy_to_old true
is 'unchanged, commit=rename: exit status' "$status" 0
check 'unchanged, commit=rename: identical' same "$work/data" "$work/copy"

bed_loop 32M || skip_all "$BED_WHY"
disk=$BED
must head -c 4096 "$work/more" >"$work/block"
is_under_way()
{
	! cmp -s -i $((2 << 20)) -n 4096 "$disk" /dev/zero &&
		cmp -s -i $((20 << 20)) -n 4096 "$disk" /dev/zero
}

start_on_disk()
{
	must dd if=/dev/zero of="$disk" bs=1M count=32 conv=fsync status=none
	must dd if="$work/block" of="$disk" conv=notrunc,fsync status=none
	start of="$disk" "$@"
}

catch is_under_way start_on_disk iflag=direct depth=2 iosize=256K \
	commit=first-last
overwrite
kill -CONT "$pid"
wait "$pid"
is 'overwritten, commit=first-last: exit status' $? 4
check 'overwritten, commit=first-last: the old first block is there' \
	cmp -n 4096 "$work/block" "$disk"

# Our own doing.
must cat "$work/data" >"$work/self"
for operands in 'seek=1 count=1 bs=1M' 'bs=512 count=9 conv=ucase'; do
	# shellcheck disable=SC2086 # operands
	run aiodd if="$work/self" of="$work/self" conv=notrunc $operands
	is "onto itself, $operands: exit status" "$status" 0
	is "onto itself, $operands: no word" "$(grep -c changed "$work/err")" 0
done
run as_dd if="$work/self" of="$work/self" conv=notrunc bs=1M seek=1 count=1
is 'as dd: no word' "$(grep -c changed "$work/err")" 0
for fs in xfs btrfs; do
	bed_fs "$fs" 320M || { skip "shared, $fs" "$BED_WHY"; continue; }
	must cat "$work/data" >"$BED/file"
	run aiodd "$BED/file" "$BED/copy" verify=yes
	is "$fs: exit status" "$status" 0
	run aiodd "$BED/file" "$BED/shared" clone=always commit=rename
	is "shared, $fs: exit status" "$status" 0
	is "shared, $fs: three lines" "$(wc -l <"$work/err")" 3
done

finish
