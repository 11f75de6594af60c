#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The memory it takes: the ring and little more, however large the source.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

[ -x /usr/bin/time ] || skip_all 'no /usr/bin/time here'
! is_sanitized || skip_all 'a sanitizer has its own memory'

truncate -s 1G "$work/1G"
truncate -s 100G "$work/100G" || skip_all 'no files of 100 GiB here'
make_data "$work/data" $((64 << 20)) 1

# peak KIB TEXT OPERANDS...: the peak is at most so much.  A copy that takes
# longer is ended after some seconds: the peak is reached long before.
peak()
{
	local limit=$1 text=$2 used

	shift 2
	timeout -s INT 4 /usr/bin/time -q -f %M -o "$work/peak" \
		"$work/bin/ours/aiodd" "$@" 2>"$work/err"
	used=$(cat "$work/peak")
	check "$text: $used KiB, allowed $limit" test "$used" -le "$limit"
}

for file in 1G 100G; do
	peak $(((16 + 8) << 10)) "$file" if="$work/$file" of=/dev/null bs=1M \
		depth=16 iosize=1M
	peak $(((16 + 8) << 10)) "$file aio" if="$work/$file" of=/dev/null \
		depth=16 iosize=1M io=aio
	peak $(((1 + 8) << 10)) "$file, small ring" if="$work/$file" \
		of=/dev/null depth=4 iosize=256K io=aio
done
peak $(((16 + 8) << 10)) 'file to file' if="$work/data" of="$work/copy" \
	bs=1M depth=16 iosize=1M io=aio
peak $(((16 + 8) << 10)) 'file to file, small bs' if="$work/data" \
	of="$work/copy" depth=16 iosize=1M
peak $((8 << 10)) 'a small file' if="$work/data" of="$work/copy" count=1
peak $((8 << 10)) 'count=0 with a large bs' if="$work/data" \
	of="$work/copy" bs=1G count=0
peak $((8 << 10)) 'a small pipe with a large bs' of="$work/copy" bs=1G \
	<<<hello

finish
