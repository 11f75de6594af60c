#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shard=: several processes copy one file, each a part of it.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

examples=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")/docs/examples
cd "$work" || exit 99
make_data src 25000001 31

for parts in 1 2 5 40; do
	rm -f dst
	failed=0
	# Backwards, and each for itself.
	for part in $(seq "$parts" -1 1); do
		run aiodd src dst shard="$part/$parts"
		[ "$status" -eq 0 ] || failed=1
	done
	is "$parts parts: all succeed" "$failed" 0
	check "$parts parts: identical" same src dst
done

# What is there already.
make_data long 30000000 32
make_data short 10000000 33
for old in long short; do
	cp "$old" dst
	run aiodd src dst shard=2/3
	is "onto a $old file: the size is that of the source" \
		"$(size_of dst)" 25000001
	run aiodd src dst shard=1/3
	run aiodd src dst shard=3/3 verify=yes
	is "onto a $old file: exit status" "$status" 0
	check "onto a $old file: identical" same src dst
done

# Of a part of the source, to some place.
rm -f dst
for part in 1 2 3; do
	run aiodd if=src of=dst bs=1000 skip=5 seek=7 count=20000 shard="$part/3"
done
dd if=src of=want bs=1000 skip=5 seek=7 count=20000 status=none
check 'skip=, seek= and count= are those of the whole' same want dst

# beside COMMAND...: four at the same time, as a launcher starts them. The
# statuses of all.
beside()
{
	local task tasks=() statuses=()

	for task in 0 1 2 3; do
		env SLURM_PROCID=$task SLURM_NTASKS=4 "$@" 2>"task$task" &
		tasks+=($!)
	done
	for task in "${tasks[@]}"; do
		wait "$task"
		statuses+=($?)
	done
	echo "${statuses[*]}"
}

rm -f dst
is 'four tasks of Slurm: all succeed' \
	"$(beside "$AIODD" src dst shard=auto verify=yes)" '0 0 0 0'
check 'four tasks of Slurm: identical' same src dst
# A task that came to nothing, and is started again alone.
dd if=long of=dst bs=1M skip=8 seek=8 count=3 conv=notrunc status=none
check 'its part is damaged' eval '! cmp -s src dst'
run env SLURM_PROCID=1 SLURM_NTASKS=4 "$AIODD" src dst shard=auto
is 'one task again: exit status' "$status" 0
check 'one task again: identical' same src dst
# Each with digests of its own part.
run env PMI_RANK=3 PMI_SIZE=4 "$AIODD" src dst shard=auto update=yes \
	manifest=part4.manifest status=engine
is 'update= and manifest= of a part: exit status' "$status" 0
check 'update= and manifest= of a part: identical' same src dst

if command -v mpirun >/dev/null; then
	rm -f dst
	run timeout 60 mpirun --allow-run-as-root --oversubscribe -n 4 \
		"$AIODD" src dst shard=auto status=none
	is 'mpirun: exit status' "$status" 0
	check 'mpirun: identical' same src dst
	run timeout 60 mpirun --allow-run-as-root --oversubscribe -n 2 \
		"$AIODD" src /dev/full shard=auto status=none
	is 'mpirun: a task that fails is seen' "$((status != 0))" 1
else
	skip 'mpirun: exit status' 'mpirun is not installed'
	skip 'mpirun: identical' 'mpirun is not installed'
	skip 'mpirun: a task that fails is seen' 'mpirun is not installed'
fi

rm -f dst
run bash "$examples/shards.sh" 3 "$AIODD" src dst status=none
is 'the example without a launcher: exit status' "$status" 0
check 'the example without a launcher: identical' same src dst

# Part by part onto a disk, from a disk.
if require_root && bed_loop 24M; then
	from=$BED
	bed_loop 32M
	to=$BED
	head -c 24M src >"$from"
	for part in 3 1 2; do
		run aiodd "$from" "$to" shard="$part/3"
		is "disk to disk, part $part: exit status" "$status" 0
	done
	check 'disk to disk: identical' cmp -n $((24 << 20)) "$from" "$to"
fi

: >empty
rm -f dst
run aiodd empty dst shard=2/2
is 'nothing to divide: exit status' "$status" 0
is 'nothing to divide: a file that is empty' "$(size_of dst)" 0

# refused TEXT WORD REGEX OPERAND...
refused()
{
	local text=$1 regex=$2
	shift 2
	rm -f new
	run env -u SLURM_PROCID -u PMI_RANK -u OMPI_COMM_WORLD_RANK \
		"$AIODD" "$@"
	is "$text: exit status" "$status" 1
	says "$text: it says why" err "$regex"
	check "$text: nothing is there" [ ! -e new ]
}

for value in 0/3 4/3 3 /3 1/ 1/0 1/2/3 -1/3 one 1/9999999; do
	refused "shard=$value" 'neither auto nor K/N' src new shard=$value
done
refused 'no launcher' 'started neither by srun nor by mpirun' src new shard=auto
refused 'no source' 'failed to open .*No such file' none new shard=1/2
refused 'a stream' 'needs a source that has a size' /dev/zero new shard=1/2
cp src kept
run sh -c '"$0" if=src shard=1/1 >>kept' "$AIODD"
is 'standard output: exit status' "$status" 1
says 'standard output: it says why' err 'shard= needs a named output'
check 'standard output: it is as it was' same src kept
for operand in hash=md5 sums=- expect=md5:d41d8cd98f00b204e9800998ecf8427e \
	commit=rename clone=always conv=excl oflag=append conv=ucase \
	conv=notrunc; do
	refused "$operand" "cannot combine" src new shard=1/2 "$operand"
done

finish
