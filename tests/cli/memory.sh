#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The memory it takes: the ring and little more, however large the source; and
# the page cache, which a large copy that is durable leaves as it was.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

make_data "$work/data" $(((64 << 20) + 777)) 1

### The page cache

# cached FILE: bytes of it
cached()
{
	fincore -nb -o RES "$1" | tr -d ' '
}

# cools OPERANDS...: after the copy of a cold file next to nothing is cached
cools()
{
	gnu_dd if="$work/data" iflag=nocache count=0 status=none
	rm -f "$work/copy"
	run aiodd "$@"
	is "cold, ${*##*/}: exit status" "$status" 0
	check "cold, ${*##*/}: so is the source" \
		test "$(cached "$work/data")" -le 262144
	check "cold, ${*##*/}: so is the copy" \
		test "$(cached "$work/copy")" -le 262144
	check "cold, ${*##*/}: identical" same "$work/data" "$work/copy"
}

sync "$work/data"
gnu_dd if="$work/data" iflag=nocache count=0 status=none
if ! type -P fincore >/dev/null; then
	skip 'the page cache' 'no fincore here'
elif [ "$(cached "$work/data")" != 0 ]; then
	skip 'the page cache' 'no file can be taken out of it here'
elif ! gnu_dd if="$work/data" of="$work/direct" bs=1M count=1 iflag=direct \
	oflag=direct status=none; then
	skip 'the page cache' 'no O_DIRECT here'
else
	cools "$work/data" "$work/copy" conv=fsync clone=never
	cools if="$work/data" of="$work/copy" bs=64K conv=fdatasync
	cools if="$work/data" of="$work/copy" commit=rename
	cat "$work/data" >/dev/null
	before=$(cached "$work/data")
	run aiodd "$work/data" "$work/copy" conv=fsync clone=never
	is 'warm: exit status' "$status" 0
	check 'warm: so is the source' \
		test "$(cached "$work/data")" -ge $((before / 2))
fi

### The memory of the process

[ -x /usr/bin/time ] || skip_all 'no /usr/bin/time here'
! is_sanitized || skip_all 'a sanitizer has its own memory'

truncate -s 1G "$work/1G"
truncate -s 100G "$work/100G" || skip_all 'no files of 100 GiB here'

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
