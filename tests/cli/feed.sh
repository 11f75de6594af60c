#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A stream that is read ahead, into what is written around the page cache.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2317
. "$(dirname "$0")/../lib.sh"

require_loop
require_gnu_dd
require perl

make_data "$work/data" $((11 << 20 | 345)) 1
bed_loop 12M || skip_all "$BED_WHY"
disk=$BED
image=$work/bed$beds.img

# dribble SEED FILE: its bytes, in pieces of any length
dribble()
{
	perl -e '
		srand shift;
		open my $file, "<", shift or die;
		while (sysread $file, my $bytes, 1 + int rand 70000) {
			syswrite STDOUT, $bytes or exit 1;
		}' "$@"
}

stats()
{
	masked "$1" | grep -E '^([0-9]+\+[0-9]+ records |[0-9]+ bytes )'
}

# --- the bytes and the counts are those of dd ----------------------------

like_dd_fed() # TEXT SEED OPERANDS...
{
	local text=$1 seed=$2 size

	shift 2
	rm -f "$work/want" "$work/got"
	dribble "$seed" "$work/data" |
		gnu_dd of="$work/want" iflag=fullblock "$@" 2>"$work/want.err"
	size=$(size_of "$work/want")
	dribble "$seed" "$work/data" |
		run aiodd of="$work/got" iflag=fullblock oflag=direct "$@"
	head -c 64K /dev/zero >"$disk"
	dribble "$seed" "$work/data" | aiodd of="$disk" iflag=fullblock "$@" \
		2>"$work/disk.err" >"$work/out"
	check "$text: a file gets the same bytes" same "$work/want" "$work/got"
	is "$text: a file, statistics" "$(stats "$work/err")" \
		"$(stats "$work/want.err")"
	check "$text: a disk gets the same bytes" \
		cmp -n "$size" "$work/want" "$image"
	is "$text: a disk, statistics" "$(stats "$work/disk.err")" \
		"$(stats "$work/want.err")"
}

seed=0
for operands in bs=1M bs=64K bs=4096 bs=1000 bs=5M bs=20M \
	'ibs=3000 obs=7000' 'ibs=1M obs=512' 'bs=64K count=100' \
	'bs=64K count=1234567B' 'bs=512 count=300' 'bs=4K skip=300' \
	'bs=1M skip=1234567B' 'bs=1M skip=20' 'bs=64K skip=3 count=70' \
	'bs=4K seek=1' 'bs=4K seek=3 count=100' 'bs=1M count=0' 'ibs=1M obs=3M'; do
	# shellcheck disable=SC2086 # operands
	like_dd_fed "$operands" $((++seed)) $operands
done

run aiodd if=/dev/null of="$disk" plan=yes
says 'nothing is read ahead of what is no stream' "$work/out" '^method: record'
plan_of()
{
	dribble 1 "$work/data" 2>/dev/null | run aiodd "$@" plan=yes
}
plan_of - "$disk"
says 'SRC DST reads a stream ahead' "$work/out" \
	'^method: bulk \(a stream is read ahead\)'
says 'how it is read' "$work/out" '^source method: read ahead by a thread'
plan_of of="$disk" bs=1M
says 'without fullblock each read is a record' "$work/out" '^method: record'
for operands in 'conv=sync bs=1M' 'conv=noerror bs=1M' 'conv=swab bs=1M' \
	'iflag=nocache bs=1M' 'io=inline bs=1M'; do
	# shellcheck disable=SC2086 # operands
	plan_of iflag=fullblock of="$disk" $operands
	says "$operands: by records" "$work/out" '^method: record'
done

# --- not a byte more than was asked for ----------------------------------

rest_of()
{
	{
		aiodd of="$disk" bs=64K iflag=fullblock "$@" 2>"$work/err"
		cat
	} >"$work/rest"
}
for count in 5 33 100 4444444B; do
	dribble 3 "$work/data" | rest_of count=$count skip=2
	bytes=$(bytes_reported "$work/err")
	check "count=$count: the rest is left in the pipe" \
		cmp "$work/rest" <(tail -c +$((131073 + bytes)) "$work/data")
done

# --- the destination is full: as record by record ------------------------

bed_loop 4097K || skip_all "$BED_WHY"
small=$BED
for operands in bs=64K bs=1M bs=1000 'ibs=1M obs=300K' 'ibs=300K obs=1M' \
	'bs=64K count=5M iflag=count_bytes' 'bs=1M seek=3'; do
	# shellcheck disable=SC2086 # operands
	dribble 4 "$work/data" | aiodd of="$small" iflag=fullblock io=inline \
		$operands 2>"$work/want"
	# shellcheck disable=SC2086
	dribble 4 "$work/data" | aiodd of="$small" iflag=fullblock $operands \
		>"$work/out" 2>"$work/err"
	is "a full disk, $operands: exit status" $? 1
	says "a full disk, $operands: message" "$work/err" \
		"^aiodd: .* '$small': No space left on device \(offset 4195328\)"
	is "a full disk, $operands: all that is said" \
		"$(masked "$work/err")" "$(masked "$work/want")"
done
head -c 4195328 "$work/data" | run aiodd - "$small"
is 'what just fits is no failure' "$(tail -n 1 "$work/err")" \
	"aiodd: '$small' is safe to remove"
check 'and is there' cmp -n 4195328 "$work/data" "$work/bed$beds.img"

if bed_full; then
	dir=$BED
	make_data "$work/large" $((72 << 20)) 2
	dribble 1 "$work/large" | aiodd bs=1M iflag=fullblock oflag=direct \
		of="$dir/file" 2>"$work/err"
	is 'a full file system: exit status' $? 1
	size=$(size_of "$dir/file")
	is 'a full file system: the size is the bytes reported' "$size" \
		"$(bytes_reported "$work/err")"
	check 'a full file system: the bytes are right' \
		cmp -n "$size" "$work/large" "$dir/file"
	rm -f "$dir/file" "$work/large"
else
	skip 'a full file system' "$BED_WHY"
fi

# --- somebody has to be waited for ---------------------------------------

mkfifo "$work/fifo"
# begin_silent BYTES OPERANDS...: a copy that has read so many, and waits for
# more, or has ended; sets pid.
begin_silent()
{
	local bytes=$1

	shift
	PATH=$path_of_ours perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' \
		aiodd bs=64K iflag=fullblock "$@" \
		<"$work/fifo" 2>"$work/err" >"$work/out" 9>&- &
	pid=$!
	exec 9>"$work/fifo"
	head -c "$bytes" "$work/data" >&9
	# shellcheck disable=SC2016 # of Perl
	wait_for has_or_ended "$pid" perl -e 'my $left = pack "i", 1;
		ioctl STDIN, 0x541b, $left or die;
		exit(unpack("i", $left) != 0)' <&9
}

for to in "of=$disk" "of=$work/got oflag=direct"; do
	rm -f "$work/got"
	# shellcheck disable=SC2086
	begin_silent 5000001 $to
	wait_caught "$pid"
	kill -INT "$pid"
	wait "$pid"
	is "$to: a signal ends it, though the pipe is silent" $? 130
	exec 9>&-
	is "$to: all that came is counted" "$(stats "$work/err")" \
		'76+1 records in
76+1 records out
5000001 bytes (5.0 MB, 4.8 MiB) copied, T s, R'
	to=${to%% *}
	check "$to: and is there" cmp -n 5000001 "$work/data" "${to#of=}"
done

if bed_refusing refusing 1048576 EIO; then
	begin_silent 3000000 of="$BED" io=aio conv=notrunc,nocreat
	wait "$pid"
	is 'a write that fails ends it, though the pipe is silent' $? 1
	exec 9>&-
	says 'where it fails' "$work/err" \
		"error writing '$BED': Input/output error \(offset 1048576\)"
	is 'what was written is counted' "$(bytes_reported "$work/err")" 1048576
else
	skip 'a write that fails' "$BED_WHY"
fi

# Another first MiB, and a range of its own.
truncate -s 11534681 "$work/other"
{ printf x; head -c 1M "$work/data" | tail -c +2; } |
	dd of="$work/other" bs=1M iflag=fullblock conv=notrunc status=none
aiodd "$work/other" "$work/got" obmap="$work/bmap" 2>"$work/err"
# One job of the ring, and no more behind it than a pipe holds.
begin_silent 2600000 of="$disk" bmap="$work/bmap"
wait "$pid"
is 'what is not in the block map ends it, though the pipe is silent' $? 4
exec 9>&-
rm -f "$work/got" "$work/other"

run aiodd of="$disk" bs=64K iflag=fullblock,nonblock < <(sleep 3000 & echo $!)
wait_for test -s "$work/err"
says 'who does not wait is told so' "$work/err" \
	"error reading 'standard input': Resource temporarily unavailable"

# --- the source fails ----------------------------------------------------

# What is left unread makes the end of the connection an error.
cat >"$work/reset" <<'PERL'
use Socket;
socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0 or die;
syswrite $theirs, 'unread' or die;
open my $file, '<', shift or die;
sysread $file, my $bytes, shift;
syswrite($ours, $bytes) == length $bytes or die;
close $ours;
open STDIN, '<&', $theirs or die;
exec @ARGV or die;
PERL
for more in '' status=progress; do
	run perl "$work/reset" "$work/data" 150001 "$AIODD" bs=64K \
		iflag=fullblock of="$disk" $more
	is "a connection that is reset $more: exit status" "$status" 1
	says "a connection that is reset $more: the error and where" \
		"$work/err" "reading 'standard input': Connection reset.*150001"
	is "a connection that is reset $more: what came is counted" \
		"$(bytes_reported "$work/err")" 150001
	check "a connection that is reset $more: and is there" \
		cmp -n 150001 "$work/data" "$image"
done
for more in '' status=progress; do
	run perl "$work/reset" "$work/data" 150001 "$AIODD" bs=64K \
		iflag=fullblock of="$work/got" $more
	is "into a file $more: exit status" "$status" 1
	says "into a file $more: the error" "$work/err" \
		"reading 'standard input': Connection reset"
done

# --- the source is packed ------------------------------------------------

must gzip -c "$work/data" >"$work/packed"
run aiodd "$work/packed" "$disk" decompress=auto plan=yes
if grep -q 'left out' "$work/err"; then
	skip 'what is packed' 'gz was left out of this build'
else
	says 'what is packed is read ahead' "$work/out" \
		'^source method: read ahead by a thread'
	dribble 10 "$work/packed" | aiodd - "$disk" decompress=auto status=none
	check 'what is packed, from a pipe' \
		cmp -n "$(size_of "$work/data")" "$work/data" "$image"
	dribble 11 "$work/packed" | aiodd of="$disk" bs=64K skip=3 count=50 \
		seek=1 decompress=gz 2>"$work/err"
	is 'skip=, seek= and count= are of what comes of it' \
		"$(stats "$work/err")" '50+0 records in
50+0 records out
3276800 bytes (3.3 MB, 3.1 MiB) copied, T s, R'
	check 'and are kept' cmp -n 3276800 -i 196608:65536 \
		"$work/data" "$image"
	run aiodd "$work/packed" "$small" decompress=auto
	is 'what is packed does not fit: exit status' "$status" 1
	says 'what is packed does not fit: message' "$work/err" \
		'No space left on device \(offset 4195328\)'
	# What it was cut to, and what came of that, is told.
	dribble 12 "$work/packed" | head -c 3000000 |
		aiodd - "$disk" decompress=auto 2>"$work/err"
	is 'what is cut off: exit status' $? 1
	bytes=$(bytes_reported "$work/err")
	says 'what is cut off: message' "$work/err" \
		"cut off at input offset 3000000, output offset $bytes\$"
	check 'what is cut off: what came of it is there' \
		cmp -n "$bytes" "$work/data" "$disk"
	mv "$work/data" "$work/kept"
	mv "$work/packed" "$work/data"
	begin_silent 3000000 of="$disk" decompress=auto
	wait_caught "$pid"
	kill -INT "$pid"
	wait "$pid"
	is 'a signal ends it, though the packed pipe is silent' $? 130
	exec 9>&-
	mv "$work/kept" "$work/data"
	check 'and what came of it is there' cmp \
		-n "$(bytes_reported "$work/err")" "$work/data" "$disk"
fi

# --- with all else that can be asked for ---------------------------------

sum=$(sha256sum <"$work/data")
sum=${sum%% *}
there()
{
	cmp -n "$(size_of "$work/data")" "$work/data" "$image"
}
for operands in hash=sha256 verify=yes expect=sha256:"$sum" \
	commit=first-last 'commit=first-last verify=yes' conv=sparse \
	rate=40M depth=1 iosize=4K 'iosize=64K depth=3' \
	status=json status=none; do
	dd if=/dev/urandom of="$image" bs=1M count=12 conv=notrunc status=none
	sync "$image"
	blockdev --flushbufs "$disk"
	# shellcheck disable=SC2086 # operands
	dribble 7 "$work/data" | aiodd - "$disk" $operands \
		>"$work/out" 2>"$work/err"
	is "$operands: exit status" $? 0
	check "$operands: the bytes are right" there
	case $operands in
	hash=*) says "$operands: the sum" "$work/err" " = $sum\$" ;;
	esac
done

dribble 8 "$work/data" | aiodd - "$disk" update=yes status=engine \
	>"$work/out" 2>"$work/err"
is 'update=yes: exit status' $? 0
check 'update=yes: the bytes are right' there
dribble 9 "$work/data" | aiodd - "$disk" verify=only >"$work/out" 2>"$work/err"
is 'verify=only: the same' $? 0
printf x | dd of="$image" bs=1 seek=7654321 conv=notrunc status=none
blockdev --flushbufs "$disk"
dribble 9 "$work/data" | aiodd - "$disk" verify=only >"$work/out" 2>"$work/err"
is 'verify=only: not the same' $? 3
says 'verify=only: where' "$work/err" 7654321

make_data "$work/one" $((3 << 20)) 5
{ cat "$work/one"; head -c 3M /dev/zero; cat "$work/one"; } >"$work/gaps"
for zeros in auto skip; do
	rm -f "$work/got"
	dribble 6 "$work/gaps" | aiodd bs=64K iflag=fullblock oflag=direct \
		conv=sparse zeros=$zeros of="$work/got" 2>"$work/err"
	check "conv=sparse zeros=$zeros: the bytes are right" \
		same "$work/gaps" "$work/got"
	check "conv=sparse zeros=$zeros: with a hole" \
		test "$(stat -c %b "$work/got")" -lt $((7 << 11))
done
cat "$work/one" <(head -c 3M /dev/zero) | aiodd bs=64K iflag=fullblock \
	oflag=direct conv=sparse of="$work/got" 2>"$work/err"
is 'conv=sparse: zeros at the end are there' "$(size_of "$work/got")" \
	$((6 << 20))
finish
