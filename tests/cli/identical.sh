#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
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

# --- an overlay: a lower file becomes another one when it is written to -----

make_data "$work/data" 9000001 5
make_data "$work/old" 2000001 6
onto_lower=(
	'if=DATA of=FILE bs=1M'
	'if=DATA of=FILE bs=64K conv=notrunc seek=3 count=5'
	'if=DATA of=FILE bs=4096 conv=notrunc,fsync count=1'
	'if=DATA of=FILE bs=64K conv=notrunc oflag=append count=9'
	'if=FILE of=FILE bs=64K conv=notrunc seek=9 count=8'
	'if=FILE of=FILE bs=64K conv=notrunc,swab'
)

# laid_out LOWER UPPER: an overlay of two file systems, with files below
laid_out()
{
	bed_fs "$1" 300M || return
	lower=$BED
	bed_fs "$2" 300M || return
	mkdir "$BED/upper" "$BED/work"
	must cp "$work/data" "$lower/data"
	for ((i = 0; i < 3 * ${#onto_lower[@]}; i++)); do
		must cp "$work/old" "$lower/old$i"
	done
	bed_mount overlay none \
		"lowerdir=$lower,upperdir=$BED/upper,workdir=$BED/work"
}

# copied_up OPERANDS: onto files that are below, as dd does it
copied_up()
{
	local operands=${1/DATA/"$work/data"} how ours

	# shellcheck disable=SC2086 # operands
	run gnu_dd ${operands//FILE/"$BED/old$i"}
	for how in io=auto io=aio; do
		ours=old$((++i))
		# shellcheck disable=SC2086 # operands
		run aiodd ${operands//FILE/"$BED/$ours"} $how
		[ "$status" -eq 0 ] || cat "$work/err"
		same "$BED/old$((3 * (i / 3)))" "$BED/$ours" 2>&1
		same "$work/old" "$lower/$ours"
	done
}

for types in 'ext4 ext4' 'ext4 btrfs' 'btrfs ext4' 'xfs xfs'; do
	text="overlay of $types"
	# shellcheck disable=SC2086 # two types
	laid_out $types || { skip "$text" "$BED_WHY"; continue; }
	use=('bs=1M' 'bs=1M io=aio' 'bs=64K conv=fsync' 'commit=rename')
	! can_direct "$BED" 2>/dev/null || use+=("${direct_ways[@]:0:2}")
	is "$text: from it" "$(copies "$BED/data" "$work" "${use[@]}")" ''
	is "$text: to it" "$(copies "$work/data" "$BED" "${use[@]}")" ''
	is "$text: in it" "$(copies "$BED/data" "$BED" "${use[@]}")" ''
	i=0
	for operands in "${onto_lower[@]}"; do
		is "$text: $operands" "$(copied_up "$operands")" ''
		i=$((i + 3))
	done
	for way in '' conv=fsync commit=rename; do
		# shellcheck disable=SC2086 # operands
		run aiodd "$BED/data" "$BED/old0" $way
		check "$text: SRC DST $way" same "$work/data" "$BED/old0"
	done
	check "$text: what is below stays" same "$work/data" "$lower/data"
done

finish
