#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The memory it takes: the ring and little more, however large the source, and
# no more than the process may have; and the page cache, which a large copy that
# is durable leaves as it was.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2317
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

### The memory of its group

# find_groups: sets groups, the directory of a group that can have others with
# limits, and limit, the file of such a limit.
find_groups()
{
	local dir type options

	while read -r dir type options; do
		groups=$dir
		limit=memory.max
		[ "$type" != cgroup ] || limit=memory.limit_in_bytes
		case $type,$options, in
		cgroup,*,memory,*) [ ! -w "$dir" ] || return 0 ;;
		cgroup2,*)
			! grep -sqw memory "$dir/cgroup.subtree_control" ||
				return 0
			;;
		esac
	done < <(sed -E 's/^([^ ]+ ){4}([^ ]+) .* - ([^ ]+) [^ ]+ /\2 \3 /' \
		/proc/self/mountinfo)
	return 1
}

# in_group LIMIT COMMAND...: as the only process of a new group
in_group()
{
	mkdir "$groups/aiodd-test-$$" || return 99
	cleanup_push rmdir "$groups/aiodd-test-$$"
	echo "$1" >"$groups/aiodd-test-$$/$limit"
	shift
	(
		echo "$BASHPID" >"$groups/aiodd-test-$$/cgroup.procs"
		exec "$@"
	)
	set -- $?
	wait_for rmdir "$groups/aiodd-test-$$"
	return "$1"
}

# fits LIMIT OPERANDS...: the copy is done with so much memory
fits()
{
	local limit=$1

	shift
	rm -f "$work/copy"
	run in_group "$limit" timeout -k 5 "$TIME_LIMIT" "$AIODD" "$@"
	is "$limit, ${*//"$work"\//}: exit status" "$status" 0
	check "$limit, ${*//"$work"\//}: identical" \
		same "$work/data" "$work/copy"
}

hash=hash=sha256
"$AIODD" count=0 hash=sha256 </dev/null >"$work/out" 2>&1 || hash=
verify=verify=yes
"$AIODD" if="$work/data" of="$work/copy" count=1 verify=yes 2>"$work/err" ||
	verify=
data=$work/data
copy=$work/copy
if ! find_groups; then
	skip 'the memory of a group' 'no control groups here'
elif is_sanitized; then
	skip 'the memory of a group' 'a sanitizer has its own memory'
else
	for operands in "$data $copy" "if=$data of=$copy bs=1M conv=fsync" \
		"if=$data of=$copy io=aio depth=64 iosize=4M" \
		"if=$data of=$copy io=aio depth=1 iosize=64M" \
		"if=$data of=$copy iflag=nocache bs=1M conv=fsync"; do
		# shellcheck disable=SC2086 # the operands
		fits 8M $operands
	done
	# shellcheck disable=SC2086 # they may be none
	{
		fits 24M if="$data" of="$copy" bs=1M $hash $verify
		fits 24M if="$data" of="$copy" io=inline $hash $verify
		fits 24M if="$data" of="$copy" bs=1M oflag=nocache $hash $verify
	}
	run in_group 24M "$AIODD" if="$data" of="$copy" io=aio plan=yes
	says 'plan=yes: the jobs of a small group' "$work/out" \
		'^request size: 1536 KiB \(memory is limited\)$'
	says 'plan=yes: how many of them' "$work/out" \
		'^depth: 4 \(a quarter of the available memory\)$'
	run "$AIODD" if="$data" of="$copy" io=aio plan=yes
	says 'plan=yes: with all the memory' "$work/out" '^depth: 16 '
fi

### The address space and the data of the process

# limited OPTION KIB COMMAND...: with what ulimit lets it have
limited()
(
	ulimit "$1" "$2"
	shift 2
	"$@"
)

! is_sanitized || skip_all 'a sanitizer has its own memory'
for option in -v -d; do
	# shellcheck disable=SC2086 # it may be none
	for operands in '' $hash; do
		rm -f "$copy"
		run limited $option 16384 aiodd if="$data" of="$copy" bs=1M \
			conv=fsync $operands
		is "ulimit $option 16384 $operands: exit status" "$status" 0
		check "ulimit $option 16384 $operands: identical" \
			same "$data" "$copy"
	done
done

### The memory of the process

[ -x /usr/bin/time ] || skip_all 'no /usr/bin/time here'

must truncate -s 1G "$work/1G"
truncate -s 100G "$work/100G" || skip_all 'no files of 100 GiB here'

# peak KIB TEXT OPERANDS...: the peak is at most so much.  A copy that takes
# longer is ended after some seconds: the peak is reached long before.
peak()
{
	local limit=$1 text=$2 used

	shift 2
	timeout -s INT 2 /usr/bin/time -q -f %M -o "$work/peak" \
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
