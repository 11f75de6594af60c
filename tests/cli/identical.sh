#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# File to file on each file system, at awkward sizes, by every way of
# carrying out the requests: the copy is the source.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_root
require_gnu_dd

sizes=(0 1 511 4096 3333333 $((8 << 20 | 1)) $((64 << 20)))
ways=(
	'bs=1M io=aio'
	'bs=1M io=inline'
	'bs=512 io=aio'
	'bs=3333 io=aio'
	'bs=3333 io=inline'
	'bs=64K conv=fsync'
)
direct_ways=(
	'bs=1M iflag=direct oflag=direct io=aio'
	'bs=1M iflag=direct oflag=direct io=inline'
	'bs=1M iflag=direct'
	'bs=1M oflag=direct depth=3 iosize=256K'
)

# copies FILE DIR WAY...: a line for each way that goes wrong.
copies()
{
	local file=$1 dir=$2 size way

	size=$(size_of "$file")
	shift 2
	for way; do
		rm -f "$dir/copy"
		# shellcheck disable=SC2086 # the operands of a way
		run aiodd if="$file" of="$dir/copy" status=engine $way
		[ "$status" -eq 0 ] || { echo "$way: exit $status"; cat "$work/err"; }
		same "$file" "$dir/copy" 2>&1 || echo "$way: differs"
		engine_balanced "$work/err" || echo "$way: engine"
		grep -Eq "^$size bytes? .*copied" "$work/err" ||
			{ echo "$way: wrong byte count"; cat "$work/err"; }
	done
}

# Kernels before 6.6 have no O_DIRECT on tmpfs.
can_direct()
{
	gnu_dd if=/dev/zero of="$1/probe" bs=4096 count=1 oflag=direct
}

for type in ext4 xfs btrfs tmpfs; do
	bed_fs $type 400M || { skip "$type" "$BED_WHY"; continue; }
	dir=$BED
	use=("${ways[@]}")
	! can_direct "$dir" 2>/dev/null || use+=("${direct_ways[@]}")
	for size in "${sizes[@]}"; do
		# Large files by the first ways only, or it takes too long.
		[ "$size" -lt 60000000 ] ||
			use=("${ways[@]:0:2}" "${use[@]:${#ways[@]}:2}")
		make_data "$dir/data" "$size" "$size"
		sync -f "$dir"
		log=$(copies "$dir/data" "$dir" "${use[@]}")
		is "$type, $size bytes, ${#use[@]} ways" "$log" ''
	done
done

finish
