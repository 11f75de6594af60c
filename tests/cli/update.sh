#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# verify=only and update=yes: what is there is compared with the source, to the
# byte; nothing is written, or only what differs.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"
cd "$work" || exit 99
size=$((3 * 1048576 + 77))
make_data src $size 1

# flip FILE OFFSET...: other bytes there.
flip()
{
	python3 - "$@" <<'END'
import sys
with open(sys.argv[1], 'r+b') as f:
    for off in map(int, sys.argv[2:]):
        f.seek(off)
        byte = f.read(1)[0]
        f.seek(off)
        f.write(bytes([byte ^ 0x5a]))
END
}

# last: the last line of what was said, without the program.
last()
{
	tail -n 1 err | sed 's/^[^:]*: //'
}

# --- verify=only ---------------------------------------------------------

ways=('io=inline bs=64K' 'io=aio iosize=64K depth=4' 'bs=7 count=100001'
	'bs=1M skip=1 seek=1' 'conv=ucase' 'bs=4096 conv=sync' 'bs=64K rate=1G'
	'bs=3333 hash=sha256')
for operands in "${ways[@]}"; do
	must rm -f dst
	# shellcheck disable=SC2086 # operands
	must "$AIODD" if=src of=dst status=none $operands
	stat -c '%y %z %s' dst >before
	# shellcheck disable=SC2086
	run aiodd if=src of=dst verify=only $operands
	is "$operands, the same: exit status" "$status" 0
	is "$operands, the same: last line" "$(last)" "'dst' matches the source"
	is "$operands, the same: nothing is written" \
		"$(grep 'records out' err)" '0+0 records out'
	is "$operands, the same: nothing has changed" \
		"$(stat -c '%y %z %s' dst)" "$(cat before)"
	flip dst $(($(size_of dst) - 1000))
	# shellcheck disable=SC2086
	run aiodd if=src of=dst verify=only $operands
	is "$operands, one byte: exit status" "$status" 3
	says "$operands, one byte: where" err \
		": 'dst': 1 byte at offset $(($(size_of dst) - 1000))(, [0-9]+ of the source,)? differs \\(first differing byte: source 0x.., destination 0x..\\)$"
	is "$operands, one byte: last line" "$(last)" \
		"'dst' does NOT match the source: 1 range, 1 B"
done
run sh -c '"$0" of=dst verify=only bs=64K <src' "$AIODD"
is 'standard input is a source' "$status" 3
must cp src dst
run sh -c 'cat src | "$0" of=dst verify=only bs=64K' "$AIODD"
is 'a pipe is one' "$status $(last)" "0 'dst' matches the source"
flip dst 70000
run sh -c 'cat src | "$0" of=dst verify=only bs=64K' "$AIODD"
is 'a pipe, one byte' "$status $(last)" \
	"3 'dst' does NOT match the source: 1 range, 1 B"

must cp src dst
truncate -s $((size + 10)) dst
run aiodd src dst verify=only
is 'a longer file is another one' "$status" 3
says 'a longer file: where' err \
	"'dst': 10 bytes at offset $size differ \\(the source ends there\\)"
run aiodd src dst verify=only count=1MiB
is 'a longer file, with count=' "$status" 0
truncate -s $((size - 10)) dst
run aiodd src dst verify=only
is 'a shorter file is another one' "$status" 3
says 'a shorter file: where' err \
	"'dst': 10 bytes at offset $((size - 10)) differ \\(the destination ends there\\)"
run sh -c 'cat src | "$0" of=dst verify=only' "$AIODD"
is 'a shorter file, from a pipe' "$status $(last)" \
	"3 'dst' does NOT match the source: 1 range, 10 B"
must cp src dst
run aiodd src dst verify=only count=1MiB skip=1MiB
is 'other bytes, skipped in one' "$status" 3
says 'other bytes: where in both' err 'at offset 0, 1048576 of the source, '
run aiodd src none verify=only
is 'what is not there: exit status' "$status" 1
check 'what is not there is not made' test ! -e none
run aiodd src verify=only - </dev/null
is 'an output without a name: exit status' "$status" 1
must chmod 444 dst
run aiodd src dst verify=only expect="sha256:$(sha256sum <src | cut -c1-64)"
is 'of a file that cannot be written, with expect=' "$status" 0
is 'the digest is checked, too' "$(grep -c 'has the expected sha256' err)" 1
must chmod 644 dst
run aiodd src dst verify=only plan=yes
is 'plan=yes compares nothing' "$status $(grep -c matches err)" '0 0'
is 'plan=yes says so' "$(aiodd src dst verify=only plan=yes | head -n 1)" \
	'would compare dst (3.0 MiB) with 3.0 MiB'
is 'plan=yes of an update' "$(aiodd src dst update=yes plan=yes |
	grep ^update)" 'update: only what differs is written'

# Many bytes, each found, in ranges that end where others are near.
copies=4 flips=250
[ -z "${AIODD_LONG-}" ] || copies=16 flips=1000
for ((copy = 1; copy <= copies; copy++)); do
	must cp src dst
	mapfile -t places < <(python3 -c "
import random
r = random.Random($copy)
print(*sorted(r.sample(range($size), $flips)), sep='\n')")
	flip dst "${places[@]}"
	run aiodd src dst verify=only report=report.json io=aio iosize=64K
	is "$flips bytes, $copy: exit status" "$status" 3
	is "$flips bytes, $copy: each is in a range, and no range without one" \
		"$(python3 - "${places[@]}" <<'END'
import json, sys
ranges = []
for off in map(int, sys.argv[1:]):
    if ranges and off - sum(ranges[-1]) < 512:
        ranges[-1][1] = off + 1 - ranges[-1][0]
    else:
        ranges.append([off, 1])
found = [[bad["offset"], bad["length"]] for bad in
         json.load(open("report.json"))["bad"]]
print(found == ranges)
END
)" True
done

# of_report MEMBER...
of_report()
{
	python3 -c 'import json, sys
report = json.load(open("report.json"))
print(*(report[name] for name in sys.argv[1:]))' "$@"
}

is 'the report says so' "$(of_report compare verdict written same)" \
	'only differs 0 0'
must cp src dst
flip dst 70000
run aiodd src dst update=yes report=report.json
is 'the report of an update' \
	"$(of_report compare verdict written same unchecked known)" \
	"update ok 4096 $((size - 4096)) 0 0"
# of_map: bytes of each kind, in all cells
of_map()
{
	python3 -c 'import json
cells = json.load(open("report.json"))["map"]["cells"]
print(*(sum(cell[kind] for cell in cells)
        for kind in ("done", "same", "hole", "bad")))'
}
is 'its map' "$(of_map)" "4096 $((size - 4096)) 0 0"
for operands in bs=7 'bs=64K io=aio'; do
	must cp src dst
	flip dst 70000
	# shellcheck disable=SC2086 # operands
	run aiodd if=src of=dst update=yes report=report.json $operands
	is "its map, $operands" "$(of_map)" \
		"$(of_report written) $(of_report same) 0 0"
done
must cp src dst
flip dst 70000
run aiodd src dst verify=only report=report.json
is 'the map of what is only compared' "$(of_map)" "$((size - 1)) 0 0 1"

# Also where the source is not what was expected, and where the copy ends early.
must cp src dst
flip dst 70000
run aiodd src dst verify=only report=report.json \
	expect="sha256:$(printf '0%.0s' {1..64})"
is 'not what was expected: exit status' "$status" 4
says 'not what was expected: what differs is told' err \
	"'dst': 1 byte at offset 70000 differs"
is 'not what was expected: nothing was written' \
	"$(grep -c 'was written' err)" 0
is 'not what was expected: in the report' "$(of_report differing)" \
	"{'ranges': 1, 'bytes': 1}"

# --- update=yes ----------------------------------------------------------

# updates OPERANDS...: src is at dst afterwards.
updates()
{
	run aiodd if=src of=dst update=yes "$@"
	is "update=yes $*: exit status" "$status" 0
	check "update=yes $*: identical" cmp src dst
}

for operands in io=inline 'io=aio iosize=64K depth=4' bs=7 'bs=1M conv=fsync' \
	'verify=yes bs=64K' 'bs=64K hash=md5' 'conv=sparse bs=4K' \
	'bs=64K oflag=direct' 'commit=rename bs=64K' 'io=aio verify=yes'; do
	must cp src dst
	# shellcheck disable=SC2086 # operands
	updates $operands
	case $operands in
	commit=*) ;; # no blocks to share
	*) is "update=yes $operands, the same" "$(grep -c \
		': 0 bytes were different and were written' err)" 1 ;;
	esac
	flip dst 5 70000 $((size - 1))
	# shellcheck disable=SC2086
	updates $operands
	truncate -s $((size / 2)) dst
	# shellcheck disable=SC2086
	updates $operands
	truncate -s $((size * 2)) dst
	# shellcheck disable=SC2086
	updates $operands
	rm dst
	# shellcheck disable=SC2086
	updates $operands
done
must cp src dst
flip dst 70000
run sh -c 'cat src | "$0" of=dst update=yes bs=1M iflag=fullblock' "$AIODD"
is 'from a pipe: exit status' "$status" 0
check 'from a pipe: identical' cmp src dst
is 'from a pipe: a unit is written' "$(last)" \
	'4096 bytes were different and were written'

must truncate -s $((size * 2)) dst
run aiodd src dst update=yes conv=notrunc
is 'conv=notrunc: the rest stays' "$status $(size_of dst)" "0 $((size * 2))"
must cp src dst
run aiodd if=src of=dst update=yes bs=4K seek=3 skip=3 count=2
is 'a piece: cut behind it, as without' "$status $(size_of dst)" \
	"0 $((5 * 4096))"
check 'a piece: identical' cmp -n $((5 * 4096)) src dst

# Zeros are compared like other bytes: old ones do not stay.
must head -c 1M /dev/zero >zeros
make_data dst 1048576 3
for operands in conv=sparse io=aio io=inline bs=7; do
	make_data dst 1048576 3
	# shellcheck disable=SC2086 # operands
	run aiodd if=zeros of=dst update=yes $operands
	is "zeros over old data, $operands" "$status" 0
	check "zeros over old data, $operands: identical" cmp zeros dst
done
must truncate -s 8M holes
must "$DD" if=src of=holes bs=1M seek=5 count=1 conv=notrunc status=none
make_data dst $((8 << 20)) 3
run aiodd holes dst update=yes
is 'holes over old data' "$status" 0
check 'holes over old data: identical' cmp holes dst
rm dst
run aiodd holes dst update=yes
check 'holes into a new file' cmp holes dst
check 'holes into a new file: they stay' \
	test "$(stat -c %b dst)" -le $((2048 + 64))

# What is the same is not written: the calls.
# Without those of no bytes, which only ask.
writes()
{
	sed -nE '/, 0, 0\) /d; s/.* pwrite64\(.*, ([0-9]+), ([0-9]+)\) .*/\1@\2/p' \
		trace | xargs
}

if type -P strace >/dev/null; then
	must cp src dst
	flip dst 4096 40000 1048576
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 \
		run strace -qq -f -o trace -e trace=pwrite64 "$AIODD" if=src \
		of=dst io=inline bs=1M update=yes status=none
	is 'the calls: those that are less than 32 KiB apart are one' \
		"$(writes)" \
		'36864@4096 4096@1048576'
	must cp src dst
	flip dst 4096 36000
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 \
		run strace -qq -f -o trace -e trace=pwrite64 "$AIODD" if=src \
		of=dst io=inline bs=1M update=yes status=none
	is 'the calls: near ones' \
		"$(writes)" \
		'32768@4096'
else
	skip 'the calls' 'no strace here'
fi

# --- commit=rename -------------------------------------------------------

must cp src dst
flip dst 70000
ln dst other
must cp dst before
run aiodd src dst update=yes commit=rename
check 'commit=rename: the new one' cmp src dst
check 'commit=rename: who has the old one keeps it' cmp before other
is 'commit=rename: plan=yes' "$(cd /dev/shm && cp "$work/src" aiodd-plan.$$ &&
	aiodd "$work/src" aiodd-plan.$$ update=yes commit=rename plan=yes |
		grep ^update; rm -f aiodd-plan.$$)" \
	'update: all is written (this file system cannot share blocks)'
if bed_fs btrfs 256M; then
	dir=$BED
	must cp src "$dir/dst"
	is 'btrfs: plan=yes' "$(aiodd src "$dir/dst" update=yes commit=rename \
		plan=yes | grep ^update)" \
		'update: only what differs is written; other blocks are shared with the old file if the file system can'
	must cp src "$dir/dst"
	flip "$dir/dst" 70000
	must cp --reflink=always "$dir/dst" "$dir/old"
	run aiodd src "$dir/dst" update=yes commit=rename
	check 'btrfs: identical' cmp src "$dir/dst"
	is 'btrfs: only what differs is written' "$(last)" \
		'4096 bytes were different and were written'
else
	skip 'btrfs' "$BED_WHY"
fi

# --- disks ---------------------------------------------------------------

for sector in 512 4096; do
	bed_loop 8M $sector || { skip "sector $sector" "$BED_WHY"; continue; }
	for operands in io=aio io=inline bs=1M 'bs=64K commit=first-last' \
		'bs=64K verify=yes'; do
		must_be_ours "$BED"
		make_data old $((8 << 20)) 4
		must cat old >"$BED"
		# shellcheck disable=SC2086 # operands
		run aiodd if=src of="$BED" update=yes $operands
		is "sector $sector, $operands: exit status" "$status" 0
		blockdev --flushbufs "$BED"
		check "sector $sector, $operands: identical" \
			cmp -n $size src "$BED"
		check "sector $sector, $operands: the rest stays" \
			cmp -i $size old "$BED"
		# shellcheck disable=SC2086
		run aiodd if=src of="$BED" update=yes $operands
		is "sector $sector, $operands, again: exit status" "$status" 0
		check "sector $sector, $operands, again: identical" \
			cmp -n $size src "$BED"
		is "sector $sector, $operands, again" "$(grep -c \
			': 0 bytes were different and were written' err)" 1
		run aiodd if=src of="$BED" verify=only
		is "sector $sector, $operands: verify=only" "$status" 0
	done
	must blockdev --setro "$BED"
	run aiodd if=src of="$BED" verify=only
	is "sector $sector: verify=only of what is write-protected" "$status" 0
	run aiodd if=src of="$BED" update=yes
	is "sector $sector: not update=yes" "$status" 1
	must blockdev --setrw "$BED" # or the next one to have it cannot write
done

# Of what cannot be read there nothing is known: it is written.
printf '0x0 ?\n0x0 0x100000 +\n0x100000 0x1000 -\n0x101000 0x2ff000 +\n' >map
truncate -s 4M image
must "$DD" if=src of=image conv=notrunc bs=1M status=none
if bed_bad unread image map; then
	run aiodd if=src of="$BED" verify=only bs=64K
	is 'verify=only of a bad disk: exit status' "$status" 1
	says 'verify=only of a bad disk: it is told' err "error reading '$BED'"
	is 'verify=only of a bad disk: nothing is claimed' \
		"$(grep -c match err)" 0
else
	skip 'a bad disk' "$BED_WHY"
fi
for operands in io=aio io=inline; do
	truncate -s 4M image
	must "$DD" if=/dev/zero of=image bs=1M count=4 status=none
	bed_nbd "mute-$operands" --filter=error file image error-pread=EIO \
		error-pread-rate=100% ||
		{ skip 'a disk that cannot be read' "$BED_WHY"; break; }
	run aiodd if=src of="$BED" update=yes conv=notrunc bs=64K \
		count=3MiB $operands
	is "a disk that cannot be read, $operands" "$status" 0
	says "a disk that cannot be read, $operands: it is told" err \
		': 3145728 bytes could not be compared and were written'
	says "a disk that cannot be read, $operands: the others" err \
		': 0 bytes were different and were written'
	check "a disk that cannot be read, $operands: identical" \
		cmp -n 3145728 src image
done

for operands in oflag=append clone=always; do
	must cp src dst
	run aiodd if=src of=dst update=yes $operands
	is "update=yes $operands" "$status" 1
	check "update=yes $operands: nothing is lost" cmp src dst
done
run sh -c '"$0" if=src update=yes bs=64K | cat >piped' "$AIODD"
check 'a pipe cannot be compared' test ! -s piped
run as_dd if=src of=dst update=yes
is 'dd knows no update=' "$status" 1

finish
