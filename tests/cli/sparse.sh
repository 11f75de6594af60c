#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Holes: read as zeros, written as holes where asked for.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016,SC2317 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

require_gnu_dd

# blocks FILE: what it takes on the disk, in KiB, when all is written out.
blocks()
{
	sync "$1"
	du -k -- "$1" | cut -f1
}

# 5 GiB with 3 MiB of data: at its start, across 4 GiB, and in its last byte.
big=$work/big
must truncate -s 5G "$big"
make_data "$work/data" $((1 << 20)) 1
must gnu_dd if="$work/data" of="$big" conv=notrunc bs=1M 2>/dev/null
must gnu_dd if="$work/data" of="$big" conv=notrunc bs=4K seek=$(((4 << 18) - 128)) \
	2>/dev/null
must gnu_dd if="$work/data" of="$big" conv=notrunc bs=1M seek=$((5 * 1024 - 1)) \
	2>/dev/null
run aiodd if="$big" of="$work/copy" bs=1M conv=sparse
is '5 GiB, conv=sparse: exit status' "$status" 0
is '5 GiB, conv=sparse: records' "$(head -n 2 "$work/err")" \
	'5120+0 records in
5120+0 records out'
diag "$(tail -n 1 "$work/err")"
# Everything outside these pieces must be a hole, or zeros if it is not.
is '5 GiB, conv=sparse: size' "$(size_of "$work/copy")" $((5 << 30))
check '5 GiB, conv=sparse: identical' same "$big" "$work/copy"
used=$(blocks "$work/copy")
check "5 GiB, conv=sparse: takes $used KiB" test "$used" -lt 8192
rm "$work/copy" "$big"

# 64 MiB with data in pieces of 4 KiB to 64 KiB: dd is the judge of the holes.
must truncate -s 64M "$work/holes"
for piece in 0:1 5:1 16:3 100:16 1000:7 4095:1 4096:1 8000:16 12345:2; do
	must gnu_dd if="$work/data" of="$work/holes" conv=notrunc bs=4K \
		seek="${piece%:*}" count="${piece#*:}" 2>/dev/null
done
for operands in bs=64K bs=4K bs=1M 'bs=64K io=inline' 'bs=64K io=aio'; do
	rm -f "$work/gnu.copy" "$work/copy"
	gnu_dd if="$work/holes" of="$work/gnu.copy" conv=sparse \
		"${operands%% *}" 2>"$work/gnu.err"
	# shellcheck disable=SC2086 # operands
	run aiodd if="$work/holes" of="$work/copy" conv=sparse $operands
	is "conv=sparse $operands: records" \
		"$(head -n 2 "$work/err")" "$(head -n 2 "$work/gnu.err")"
	check "conv=sparse $operands: identical" same "$work/holes" "$work/copy"
	ours=$(blocks "$work/copy")
	theirs=$(blocks "$work/gnu.copy")
	# The file system may take a block more for its own tables.
	check "conv=sparse $operands: $ours KiB, dd $theirs KiB" \
		test "$ours" -le $((theirs + 16)) -a \
		"$ours" -ge $((theirs - 16))
done
rm -f "$work/copy"
run aiodd if="$work/holes" of="$work/copy" bs=64K
check 'without conv=sparse: identical' same "$work/holes" "$work/copy"
used=$(blocks "$work/copy")
check "without conv=sparse: takes $used KiB, all of it" \
	test "$used" -ge 65536
rm -f "$work/copy"
run aiodd if="$work/holes" of="$work/copy" bs=64K io=aio conv=fsync
used=$(blocks "$work/copy")
check "without conv=sparse, io=aio: takes $used KiB, all of it" \
	test "$used" -ge 65536

zeros='head -c 30000 /dev/zero >in'
mixed='{ head -c 10000 /dev/zero; echo x; head -c 20000 /dev/zero; } >in'
old='make_data out 50000 1'
for operands in bs=4096 bs=1000 'ibs=1000 obs=3000' '' bs=1M; do
	like_dd "only zeros, $operands" "$zeros" \
		"dd if=in of=out conv=sparse $operands"
	like_dd "ends in zeros, $operands" "$mixed" \
		"dd if=in of=out conv=sparse $operands"
	like_dd "onto old data, $operands" "$mixed; $old" \
		"dd if=in of=out conv=sparse,notrunc $operands"
	like_dd "onto truncated data, $operands" "$mixed; $old" \
		"dd if=in of=out conv=sparse $operands"
done
like_dd 'with seek' "$mixed" 'dd if=in of=out conv=sparse bs=1000 seek=3'
like_dd 'to a pipe' "$mixed" 'dd if=in conv=sparse bs=1000 | cat >out'
like_dd 'from a pipe' "$mixed" \
	'cat in | dd of=out conv=sparse bs=1000 iflag=fullblock'

# A count that ends with the source, in a hole: the size is set all the same.
make_data "$work/end" 1000000 3
must truncate -s 1500000 "$work/end"
run aiodd if="$work/end" of="$work/cut" bs=1M count=2 conv=sparse
check 'conv=sparse, count= and a hole at the end' same "$work/end" "$work/cut"
run aiodd "$work/end" "$work/cut" count=6 bs=250000
check 'SRC DST, count= and a hole at the end' same "$work/end" "$work/cut"

# Blocks are shared, or nothing is copied.
shares()
{
	filefrag -v "$1" | grep -q shared
}

# All is on the disk first, for what is not has no blocks to share.
has_own()
{
	sync "$1"
	filefrag -v "$1" | grep -q '^ *0: ' && ! shares "$1"
}

must truncate -s 2M "$work/some"
make_data "$work/some" $((2 << 20)) 9
bed_fs ext4 16M || skip_all "$BED_WHY"
must cp "$work/some" "$BED/some"
run aiodd "$BED/some" "$BED/copy" clone=always
is 'clone=always on ext4: exit status' "$status" 1
says 'clone=always on ext4: message' "$work/err" \
	"^aiodd: cannot clone '$BED/some': "
bed_fs xfs 300M || skip_all "$BED_WHY"
must cp "$work/some" "$BED/some"
run aiodd "$BED/some" "$BED/copy" clone=always
is 'clone=always on XFS: exit status' "$status" 0
check 'clone=always on XFS: identical' same "$work/some" "$BED/copy"
check 'clone=always on XFS: shared' shares "$BED/copy"

# By SRC DST unless it is told not to, by if= and of= only if it is.
for fs in xfs btrfs; do
	bed_fs "$fs" 320M || { skip "sharing on $fs" "$BED_WHY"; continue; }
	must cp "$work/some" "$BED/some"
	sync -f "$BED"
	for operands in "$BED/some $BED/copy" \
		"if=$BED/some of=$BED/copy clone=auto" \
		"if=$BED/some of=$BED/copy clone=always bs=64K conv=fsync" \
		"$BED/some $BED/copy clone=never" \
		"if=$BED/some of=$BED/copy" \
		"if=$BED/some of=$BED/copy bs=64K io=aio"; do
		text="$fs: ${operands//"$BED/"/}"
		rm -f "$BED/copy"
		# shellcheck disable=SC2086 # operands
		run aiodd $operands
		is "$text: exit status" "$status" 0
		check "$text: identical" same "$work/some" "$BED/copy"
		if [[ $operands = *never* ||
			$operands = if=* && $operands != *clone* ]]; then
			check "$text: blocks of its own" has_own "$BED/copy"
		else
			check "$text: shared" shares "$BED/copy"
		fi
	done
	check "$fs: the source is as it was" same "$work/some" "$BED/some"
done

finish
