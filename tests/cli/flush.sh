#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A page cache in front of a disk that is slower than the source: it is not
# filled and then waited for, what is on the disk is told beside what is
# accepted, and the disk is called safe to remove only when it is.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016,SC2317
. "$(dirname "$0")/../lib.sh"

require_loop
require_nbd
require jq script
cd "$work" || exit 99

### What is said at the end

removable='aiodd: '\''/dev/loop[0-9]+'\'' is safe to remove'
make_data small 65536 1
bed_loop 1M || skip_all "$BED_WHY"
disk=$BED
run aiodd if=small of="$disk" bs=4K
is 'a disk: exit status' "$status" 0
says 'a disk is safe to remove' err "^$removable\$"
is 'a disk: the statistics are there' "$(grep -c copied err)" 1
for operands in status=none status=noxfer "of=copy"; do
	# shellcheck disable=SC2086 # the operands
	run aiodd if=small of="$disk" bs=4K $operands
	is "$operands: exit status" "$status" 0
	is "$operands: not a word of it" "$(grep -c remove err)" 0
done
run sh -c '"$0" if=small bs=4K >"$1"' "$AIODD" "$disk"
is 'who has it open still may write: not a word of it' \
	"$(grep -c remove err)" 0
run as_dd if=small of="$disk" bs=4K
is 'called as dd: not a word of it' "$(grep -c remove err)" 0
run aiodd if=small of="$disk" bs=4K expect="md5:$(printf %032d 0)"
is 'not the expected source: exit status' "$status" 4
is 'not the expected source: not a word of it' "$(grep -c remove err)" 0
run aiodd if=small of="$disk" status=json
is 'json: the last object says it' "$(tail -n 1 err | jq .safe_to_remove)" true
run aiodd if=small of=copy status=json conv=fsync
is 'json: a file is not removed' "$(tail -n 1 err | jq .safe_to_remove)" false

### How far the cache is ahead

# It takes one request at a time. Whole blocks of a pipe would go around the
# cache.
bed_nbd slow --filter=noparallel --filter=delay memory 320M \
	serialize=all-requests delay-write=20ms || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
disk=$BED
feed()
{
	head -c 72M /dev/zero
}

is_ahead()
{
	jq -se 'any(.[]; .type == "progress" and .on_device < .bytes)' err
}

# phase NAME: how long it took
phase()
{
	jq -r ".phases.$1" report.json
}

# is_bounded TEXT: the cache was never further ahead than it may be of a disk
# as slow as that: 16 MiB, and what one request and one step add.
is_bounded()
{
	local most

	most=$(jq '.samples | map(select(.seconds < '"$(phase copy)"') |
		.bytes - .on_device) | max' report.json)
	diag "copied for $(phase copy) s, flushed for $(phase flush) s," \
		"at most $most bytes ahead"
	check "$1: the cache is not far ahead" test "$most" -le $((36 << 20))
}

run sh -c 'head -c 72M /dev/zero | "$0" of="$1" bs=1M \
	status=json report=report.json' "$AIODD" "$disk"
is 'from a pipe: exit status' "$status" 0
is_bounded 'from a pipe'
is 'from a pipe: the disk does not tell how much will come' \
	"$(head -n 1 err | jq .bytes_total)" null
is 'from a pipe: two numbers' "$(jq -s 'map(select(.type == "progress" and
	.on_device > 0 and .on_device < .bytes)) | length > 0' err)" true
is 'from a pipe: nothing is durable before' "$(jq -s 'map(select(.type ==
	"progress" and .durable > 0)) | length' err)" 0
is 'from a pipe: all is at the end' \
	"$(jq '[.bytes, .on_device, .durable]' -c report.json)" \
	'[75497472,75497472,75497472]'

feed >data
if bed_mkfs btrfs "$disk" && bed_mount btrfs "$disk"; then
	run aiodd data "$BED/copy" conv=fsync clone=never report=report.json
	is 'to a file: exit status' "$status" 0
	check 'to a file: identical' same data "$BED/copy"
	is_bounded 'to a file'
	bed_umount "$BED"
else
	skip 'to a file' "$BED_WHY"
fi

PATH=$path_of_ours script -qec "stty rows 24 columns 100; cat data |
	aiodd of=$disk bs=1M status=bar" /dev/null \
	</dev/null >screen
is 'bar: exit status' $? 0
tr '\r' '\n' <screen >lines
says 'bar: two numbers' lines '[0-9] [KM]iB \([0-9.]+ [KM]iB on disk\)'
says 'bar: the flush is a phase' lines 'flushing +[0-9]'
is 'bar: the last line is the totals' \
	"$(grep -a 'MiB.*B/s' lines | grep -v copied | tail -n 1 |
		grep -Eo '[0-9.]+ MiB' | head -n 1)" '72 MiB'
says 'bar: safe to remove' lines "$removable"

# In either engine.
for way in 'count=1000' 'io=inline'; do
	rm -f err
	[ "$way" = 'io=inline' ] || source=/dev/fd/9
	[ "$way" != 'io=inline' ] || source=/dev/zero
	# All of the disk, if it is not to make the zeros: it takes long.
	# shellcheck disable=SC2086 # the operands
	PATH=$path_of_ours env --default-signal=INT aiodd if="$source" \
		of="$disk" bs=1M zeros=write status=json $way 9< <(cat /dev/zero) 2>err &
	pid=$!
	wait_for is_ahead
	kill -INT $pid
	wait $pid 2>/dev/null
	is "SIGINT while the cache is ahead, $way: death by it" $? 130
	is "SIGINT while the cache is ahead, $way: some is counted" \
		"$(tail -n 1 err | jq '.bytes > 0 and .bytes < 335544320')" true
	is "SIGINT while the cache is ahead, $way: not safe" \
		"$(tail -n 1 err | jq .safe_to_remove)" false
done

### A sync that sleeps

# It begins and ends when the files "asked" and "let" say so.
must truncate -s 1M backing
bed_nbd asleep --filter=noextents eval get_size='echo 1048576' \
	pread="dd if=$work/backing bs=64K iflag=skip_bytes,count_bytes \
		skip=\$4 count=\$3 status=none" \
	pwrite="dd of=$work/backing bs=64K oflag=seek_bytes seek=\$4 \
		conv=notrunc status=none" \
	can_flush='exit 0' flush="touch $work/asked
		until [ -e $work/let ]; do sleep .02; done" || skip_all "$BED_WHY"
cleanup_push touch "$work/let"

# sync_begins OPERANDS...: sets pid; returns while it sleeps
sync_begins()
{
	rm -f asked let
	PATH=$path_of_ours env --default-signal=INT aiodd if=small \
		of="$BED" bs=4K conv=notrunc,fsync "$@" 2>err &
	pid=$!
	wait_for test -e asked
}

nr_lines()
{
	test "$(tr '\r' '\n' <err | grep -c '^65536 bytes .* copied, ')" -ge "$1"
}

for conv in fsync fdatasync; do
	sync_begins status=progress conv=$conv
	kill -USR1 $pid
	check "conv=$conv sleeps, SIGUSR1: statistics at once" \
		wait_for grep -q '^16+0 records out' err
	check "conv=$conv sleeps: the progress goes on" wait_for nr_lines 2
	check "conv=$conv sleeps: and so does the copy" kill -0 $pid
	touch let
	wait $pid
	is "conv=$conv sleeps: it ends well" $? 0
	check "conv=$conv sleeps: identical" cmp -n 65536 small "$BED"
done

# Its thread has still to come back from the kernel, so nobody can wait for the
# process before.
has_ended()
{
	grep -q '^State:.*zombie' "/proc/$pid/status"
}

for signal in INT TERM; do
	for status in noxfer progress; do
		sync_begins status=$status
		kill -$signal $pid
		text="SIG$signal while the sync sleeps, status=$status"
		check "$text: ends the copy" wait_for has_ended
		is "$text: the statistics are there" \
			"$(grep -ac '^16+0 records out' err)" 1
		is "$text: it still sleeps" "$(find . -name let)" ''
		touch let
		wait $pid 2>/dev/null
		is "$text: died by it" $? $((128 + $(kill -l $signal)))
	done
done

### A disk that fails

bed_failing bad 64M error-pwrite=EIO error-pwrite-rate=100% \
	error-file="$work/fault" ||
	skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
disk=$BED
touch fault
run sh -c 'head -c 60M data | "$0" of="$1" bs=1M count=2000' \
	"$AIODD" "$disk"
is 'a disk that fails: exit status' "$status" 1
says 'a disk that fails: it is told' err \
	"^.*: error writing '$disk': Input/output error"
says 'a disk that fails: so is the flush' err \
	"^.*: fsync failed for '$disk': Input/output error"
check 'a disk that fails: the copy ends early' \
	test "$(bytes_reported err)" -lt 62914560
is 'a disk that fails: not safe' "$(grep -c remove err)" 0

finish
