#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# manifest=: whose file it may be, and what plan=yes says of one.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2317 # called by check
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 99
run aiodd manifest=none plan=yes
grep -q 'left out of this build' err && skip_all 'no libxxhash'

# refused TEXT WORDS OPERANDS...: in these words, and nothing is made of it
refused()
{
	local text=$1 words=$2

	shift 2
	run aiodd "$@"
	is "$text: exit status" "$status" 1
	says "$text: the words" err "$words"
}

refused 'there is none' 'manifest=none: there is no manifest yet' \
	manifest=none plan=yes
check 'there is none: nothing is made' test ! -e none
echo 'Dear diary,' >diary
for name in m ./m "$PWD/m"; do
	for what in report sums; do
		refused "the $what as well, $name" "manifest= and $what= name the same file" \
			if=diary of=new update=yes manifest=m "$what=$name"
	done
done
check 'the report as well: nothing is made' test ! -e new -a ! -e m
refused 'another file' 'manifest=diary: it is no manifest' \
	manifest=diary plan=yes
is 'another file stays' "$(cat diary)" 'Dear diary,'
refused 'a device' 'manifest=/dev/null: not a regular file' \
	manifest=/dev/null plan=yes
must mkfifo fifo
refused 'a FIFO' 'manifest=fifo: not a regular file' manifest=fifo plan=yes
refused 'no directory' 'manifest=none/m: No such file or directory' \
	manifest=none/m plan=yes
refused 'alone' 'manifest= needs update=yes or verify=only' manifest=m
refused 'with a copy' 'manifest= needs update=yes or verify=only' \
	diary new manifest=m
check 'with a copy: nothing is made' test ! -e new
refused 'commit=rename' 'cannot combine commit= and manifest=' \
	diary new manifest=m commit=rename
run as_dd if=diary of=new manifest=m
is 'dd knows no manifest=' "$status" 1

# --- update=yes -------------------------------------------------------------

# Nothing of it lies where the ranges do, but for its start.
make_data a 5000100 1
must cp a b
printf x | must dd of=b bs=1 seek=3000000 conv=notrunc status=none

# of_known: what the last run did not read
of_known()
{
	sed -n 's/^aiodd: \([0-9]*\) bytes were known from .*/\1/p' err
}

# updates TEXT KNOWN SRC DST OPERANDS...: it becomes the source, and so much of
# it was not read
updates()
{
	local text=$1 known=$2

	shift 2
	run aiodd if="$1" of="$2" update=yes "${@:3}"
	is "$text: exit status" "$status" 0
	check "$text: the bytes" cmp -n "$(size_of "$1")" "$1" "$2"
	is "$text: bytes that were known" "$(of_known)" "$known"
}

size=$(size_of a)
range=262144
updates 'a new file' 0 a copy manifest=m
updates 'the same again' "$size" a copy manifest=m
updates 'one byte' $((size - range)) b copy manifest=m
is 'one byte: the words' "$(grep -c '4096 bytes were different' err)" 1
updates 'back again' $((size - range)) a copy manifest=m
run aiodd manifest=m plan=yes
says 'plan=yes: the destination' out "destination: 'copy' .a file of 4.8 MiB"
says 'plan=yes: the source' out "source: 'a' .a file of 4.8 MiB"
says 'plan=yes: how much' out "known: $size bytes of $size bytes"
says 'plan=yes: complete' out 'complete: yes'
run aiodd if=b of=copy update=yes manifest=m plan=yes
is 'plan=yes of a copy: exit status' "$status" 0
says 'plan=yes of a copy' out 'manifest: what has its digest in m is not read'
updates 'nothing was done' "$size" a copy manifest=m

# By each way to read and write, in any order.
for way in io=aio 'io=aio depth=3 iosize=512K' io=inline conv=swab \
	iflag=nonblock 'bs=1M oflag=direct'; do
	# shellcheck disable=SC2086 # operands
	case $way in
	conv=swab) must dd if=a of=want conv=swab status=none ;;
	*) must cp a want ;;
	esac
	rm -f copy m
	# shellcheck disable=SC2086 # operands
	run aiodd if=a of=copy update=yes manifest=m bs=512K $way
	is "$way: exit status" "$status" 0
	check "$way: the bytes" cmp want copy
	# shellcheck disable=SC2086 # operands
	run aiodd if=a of=copy update=yes manifest=m bs=512K $way
	is "$way: all is known" "$(of_known)" "$size"
done
run sh -c 'cat b | "$0" of=copy update=yes manifest=m iflag=fullblock bs=512K' \
	"$AIODD"
check 'from a pipe: the bytes' cmp b copy
run sh -c 'cat a | "$0" of=copy update=yes manifest=m iflag=fullblock bs=512K' \
	"$AIODD"
check 'from a pipe: the bytes again' cmp a copy
is 'from a pipe: what was known' \
	"$(sed -n 's/.*: \([0-9]*\) bytes were known from.*/\1/p' err)" \
	$((size - 2 * range))

# Another length, and another place.
must cp a long
must dd if=b of=long bs=1000 seek=5001 count=900 conv=notrunc status=none
rm -f copy m
updates 'a new file once more' 0 a copy manifest=m
updates 'a longer one' $((size / range * range)) long copy manifest=m
updates 'which is known' "$(size_of long)" long copy manifest=m
updates 'a shorter one' $((size / range * range)) a copy manifest=m
updates 'which is known' "$size" a copy manifest=m
must cp copy want
must dd if=b of=want bs=1000 seek=700 count=1000 conv=notrunc status=none
run aiodd if=b of=copy update=yes manifest=m bs=1000 seek=700 count=1000 \
	conv=notrunc
check 'seek=: the bytes' cmp want copy
run aiodd if=want of=copy update=yes manifest=m
check 'after seek=: the bytes' cmp want copy
is 'after seek=: what is known is not what was cut' \
	"$(($(of_known) < size && $(of_known) > size / 2))" 1

# What it is not relied on for.
# warned TEXT WORDS: with no bytes known
warned()
{
	updates "$1" 0 a copy manifest=m
	says "$1: the warning" err "warning: manifest=m does not count: $2"
	updates "$1: the next run" "$size" a copy manifest=m
}
run aiodd if=a of=copy update=yes manifest=m status=none
printf x | must dd of=copy bs=1 seek=9 conv=notrunc status=none
warned 'written to by others' 'the destination was changed since'
must cp copy copy2
must mv copy2 copy
warned 'another file' 'it is of another destination'
printf x | must dd of=m bs=1 seek=30 conv=notrunc status=none
warned 'damaged' 'it is damaged'
must truncate -s 6000 m
warned 'short' 'it is damaged'

# --- verify=only with a source ----------------------------------------------

# compares TEXT KNOWN STATUS LAST-LINE OPERANDS...: nothing is changed, and so
# much of it was not read
compares()
{
	local text=$1 known=$2 want=$3 last=$4

	shift 4
	md5sum copy m >before 2>&1
	run aiodd if=a of=copy verify=only "$@"
	is "$text: exit status" "$status" "$want"
	is "$text: bytes that were known" "$(of_known)" "$known"
	is "$text: the last line" "$(tail -n 1 err)" "aiodd: $last"
	is "$text: nothing is changed" "$(md5sum copy m 2>&1)" "$(cat before)"
}

rm -f copy m
updates 'for verify=only' 0 a copy manifest=m
for way in io=aio 'io=inline bs=64K' 'bs=1M iflag=nonblock conv=swab'; do
	case $way in
	*swab) must dd if=a of=want conv=swab status=none
		must cp a keep; must cp want a ;;
	esac
	# shellcheck disable=SC2086 # operands
	case $way in
	*swab) run aiodd if=keep of=copy verify=only manifest=m $way
		is "$way: another source" "$status" 3
		must cp keep a ;;
	*) compares "$way, the same" "$size" 0 \
		"'copy' matches the source, according to the manifest" \
		manifest=m $way ;;
	esac
done
run aiodd if=b of=copy verify=only manifest=m
is 'another source: exit status' "$status" 3
says 'another source: where' err \
	"'copy': 1 byte at offset 3000000 differs \\(first differing byte: source "
is 'another source: what is the same was not read' "$(of_known)" $((size - range))
compares 'a part' 1048576 0 \
	"'copy' matches the source, according to the manifest" \
	manifest=m count=1MiB
compares 'no manifest' 0 0 "'copy' matches the source" manifest=none
says 'no manifest: the warning' err 'manifest=none does not count: there is no'
check 'no manifest: none is made' test ! -e none
printf x | must dd of=copy bs=1 seek=9 conv=notrunc status=none
compares 'written to by others' 0 3 \
	"'copy' does NOT match the source: 1 range, 1 B" manifest=m
says 'written to by others: the warning' err \
	'manifest=m does not count: the destination was changed since'

# --- verify=only without a source -------------------------------------------

# attests TEXT STATUS LAST-LINE OPERANDS...: of copy, with nothing else read
attests()
{
	local text=$1 want=$2 last=$3

	shift 3
	md5sum copy m >before 2>&1
	run aiodd of=copy verify=only manifest=m "$@" <fifo-that-nobody-reads
	is "$text: exit status" "$status" "$want"
	is "$text: the last line" "$(tail -n 1 err)" "aiodd: $last"
	is "$text: nothing is changed" "$(md5sum copy m 2>&1)" "$(cat before)"
}

make_data fifo-that-nobody-reads 1000 9
rm -f copy m
updates 'for verify=only alone' 0 a copy manifest=m
for way in io=aio 'io=inline bs=64K' rate=1G depth=1; do
	# shellcheck disable=SC2086 # operands
	attests "$way, the same" 0 "'copy' matches the manifest" $way
	is "$way, the same: all is compared" \
		"$(grep -c "^$size bytes .* compared" err)" 1
done
run aiodd of=copy verify=only manifest=m plan=yes
is 'plan=yes of it' "$status $(head -n 1 out)" \
	'0 would compare copy (4.8 MiB) with its digests in m'
must cp -p copy keep
# Behind its times: it is compared, whatever they say.
printf x | must dd of=copy bs=1 seek=3000000 conv=notrunc status=none
must touch -r keep copy
attests 'a byte' 3 "'copy' does NOT match what was written: 1 range, 256 KiB"
says 'a byte: where' err \
	"'copy': $range bytes at offset $((3000000 / range * range)) differ"
must cat keep >copy
attests 'which is put back' 0 "'copy' matches the manifest"
must truncate -s $((size + 5)) copy
attests 'a longer one' 3 "'copy' does NOT match what was written: 1 range, 5 B"
says 'a longer one: where' err \
	"'copy': 5 bytes at offset $size differ \\(the manifest ends there\\)"
must cat keep >copy
must truncate -s $((size - 5)) copy
attests 'a shorter one' 3 \
	"'copy' does NOT match what was written: 1 range, 5 B"
must cat keep >copy
# A record that is gone, and the last one.
must dd if=/dev/zero of=m bs=16 seek=$((512 + 3)) count=1 conv=notrunc \
	status=none
attests 'a range of which nothing is known' 2 \
	"$range bytes of 'copy' have no digest in the manifest and were not checked"
run aiodd of=copy verify=only manifest=m report=report.json
is 'the report: verdict, how, how much' \
	"$(python3 -c 'import json
r = json.load(open("report.json"))
print(r["verdict"], r["compare"], r["bytes"], r["unchecked"], r["status"])')" \
	"incomplete manifest $size $range 2"
printf x | must dd of=copy bs=1 seek=3000000 conv=notrunc status=none
attests 'and a byte' 3 "'copy' does NOT match what was written: 1 range, 256 KiB"
says 'and a byte: both are told' err 'were not checked'
must cp keep other
run aiodd of=other verify=only manifest=m
is 'another file' "$status $(cat err)" \
	'1 aiodd: manifest=m: it is of another destination'
run aiodd of=copy verify=only manifest=none
is 'no manifest' "$status $(cat err)" \
	'1 aiodd: manifest=none: there is no manifest yet'
check 'no manifest: none is made' test ! -e none
for operand in count=1 skip=1 seek=1 conv=swab hash=md5 decompress=xz; do
	run aiodd of=copy verify=only manifest=m $operand
	says "not a part: $operand" err 'verify=only without a source checks all'
done
must cat keep >copy
run sh -c '"$0" - copy verify=only manifest=m <a' "$AIODD"
is 'standard input, by its name' "$status $(tail -n 1 err | cut -d: -f2)" \
	"0  'copy' matches the source"

# Holes: those of a new file are known as well, and what takes the place of old
# bytes, or of holes, has its digest.
must truncate -s 3000100 holes
must dd if=a of=holes bs=1000 seek=1100 count=7 conv=notrunc status=none
must dd if=a of=holes bs=1000 seek=2990 count=1 conv=notrunc status=none
must cp --sparse=always holes other-holes
must fallocate -p -o 1M -l 1M other-holes
must dd if=b of=other-holes bs=1000 seek=100 count=300 conv=notrunc status=none
rm -f copy m
for name in holes other-holes holes a holes; do
	for operands in '' 'conv=sparse bs=4K' io=aio; do
		[ "$operands" != io=aio ] || [ $name = holes ] || rm -f copy m
		# shellcheck disable=SC2086 # operands
		run aiodd $name copy update=yes manifest=m $operands
		check "$name, ${operands:-no operands}: the bytes" cmp $name copy
		attests "$name, ${operands:-no operands}: all is known" 0 \
			"'copy' matches the manifest"
	done
done
check 'holes stay' test "$(stat -c %b holes)" -lt 1000 -a \
	"$(stat -c %b other-holes)" -lt 3000

# --- a disk, and SIGKILL ----------------------------------------------------

require_loop
mib=320 # more than a crash leaves in doubt
for name in a bb; do
	: >$name
	must truncate -s ${mib}M $name
	for at in 0 288; do
		make_data part $((32 << 20)) $((at + (${#name} + 1) * 7))
		must dd if=part of=$name bs=1M seek=$at conv=notrunc status=none
	done
done
rm -f m
bed_loop ${mib}M || { skip 'a disk' "$BED"; finish; exit; }
device=$BED
must_be_ours "$device"
run aiodd a "$device" update=yes manifest=m
is 'a disk: exit status' "$status" 0
began=${EPOCHREALTIME/[.,]/}
run aiodd bb "$device" update=yes manifest=m
long=$((${EPOCHREALTIME/[.,]/} - began)) # as long as a run takes here
check 'a disk: the bytes' cmp bb "$device"
is 'a disk: what is the same was known' "$(of_known)" $(((mib - 64) << 20))
run aiodd of="$device" verify=only manifest=m
is 'a disk: verify=only without a source' "$status $(tail -n 1 err)" \
	"0 aiodd: '$device' matches the manifest"
printf x | must dd of="$device" bs=1 seek=123456789 conv=notrunc,fsync status=none
run aiodd of="$device" verify=only manifest=m
is 'a disk: a byte' "$status $(tail -n 1 err)" \
	"3 aiodd: '$device' does NOT match what was written: 1 range, 256 KiB"
must dd if=bb of="$device" bs=1M skip=117 seek=117 count=2 conv=notrunc,fsync \
	status=none

# Whatever becomes of the run, and whichever source comes next: no range that
# the manifest vouches for differs, or it would stay as it is.
rounds=10
[ -z "${AIODD_LONG-}" ] || rounds=100
wrong="" lies="" cut=0 known=0
sources=(a bb) now=1
for ((i = 0; i < rounds; i++)); do
	must_be_ours "$device"
	"$AIODD" if="${sources[1 - now]}" of="$device" update=yes \
		manifest=m status=none &
	pid=$!
	sleep "$(printf %d.%06d 0 $((RANDOM * 32768 % long % 1000000)))"
	kill -KILL $pid
	wait $pid
	run aiodd manifest=m plan=yes
	! grep -q 'cut off' out || cut=$((cut + 1))
	# Each record, with what is there; not all have one.
	if [ -n "${AIODD_LONG-}" ] || [ $((i % 5)) = 0 ]; then
		run aiodd of="$device" verify=only manifest=m
		[ "$status" = 0 ] || [ "$status" = 2 ] || lies="$lies $i:$status"
	fi
	now=$((RANDOM % 2)) next=${sources[now]}
	run aiodd if="$next" of="$device" update=yes manifest=m
	[ "$status" -eq 0 ] && cmp -s "$next" "$device" || wrong="$wrong $i"
	known=$((known + $(of_known) / 1048576))
done 2>/dev/null
is "$rounds times SIGKILL: no record is that of other bytes" "$lies" ''
is "$rounds times SIGKILL: what it vouches for is there" "$wrong" ''
diag "$cut runs were cut off; $((known / rounds)) MiB of $mib were known then"
finish
