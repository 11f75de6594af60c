#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# map= and retries=: what can be read is copied, the map says what cannot, the
# same command goes on, and what the map calls copied is on the disk.

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
require_loop
require_nbd
require ddrescue ddrescuelog python3
here=$PWD
cd "$work" || exit 99

# --- what all of it needs ------------------------------------------------

# areas NAME SIZE OFFSET:LENGTH...: NAME is a mapfile in which these are bad.
areas()
{
	local name=$1 size=$2 at=0 area

	{
		echo '0 ? 1'
		for area in "${@:3}"; do
			printf '0x%x 0x%x +\n' $at $((${area%:*} - at))
			printf '0x%x 0x%x -\n' $((${area%:*})) $((${area#*:}))
			at=$((${area%:*} + ${area#*:}))
		done
		printf '0x%x 0x%x +\n' $at $((size - at))
	} | grep -v ' 0x0 +$' >"$name"
}

# without NAME MAP OLD: the file NAME, with what is in OLD where MAP has no '+';
# OLD ends early: zeros.
without()
{
	python3 - "$@" <<'END'
import sys
name, mapfile, old = sys.argv[1:]
image = bytearray(open(name, 'rb').read())
with open(old, 'rb') as f:
    old = f.read().ljust(len(image), b'\0')
lines = [l.split() for l in open(mapfile) if not l.startswith('#')]
for off, length, state in lines[1:]:
    off, end = int(off, 0), int(off, 0) + int(length, 0)
    if state != '+':
        image[off:end] = old[off:end]
sys.stdout.buffer.write(image)
END
}

# last: what was said last, without the program.
last()
{
	tail -n 1 err | sed 's/^[^:]*: //'
}

# same_map TEXT MAP WANTED: by ddrescue's own eyes, too.
same_map()
{
	is "$1: the map" "$(said "$2")" "$(said "$3")"
	check "$1: ddrescuelog agrees" ddrescuelog -p "$2" "$3"
}

# disk NAME FILE MAP: a disk of 512-byte sectors over FILE, BED, that
# cannot read what is bad in MAP; what is asked of it is in NAME.log.
disk()
{
	local name=$1

	bed_nbd "$name" --filter=log --filter=ddrescue file "$work/$2" \
		ddrescue-mapfile="$work/$3" logfile="$work/$name.asked" ||
		skip_all "$BED_WHY"
	bed_loop_over "$BED" || skip_all "$BED_WHY"
	blockdev --setra 0 "$BED"
}

# asked NAME: the ranges that were read of the disk since the last time, in
# order and joined.
asked()
{
	python3 - "$work/$1.asked" <<'END'
import re, sys
spans = []
for line in open(sys.argv[1]):
    m = re.search(r' Read .*offset=(0x[0-9a-f]+) count=(0x[0-9a-f]+)', line)
    if m:
        spans.append((int(m[1], 16), int(m[2], 16)))
end = None
for off, length in sorted(spans):
    if end is None or off > end:
        if end is not None:
            print(start, end - start, end=' ')
        start, end = off, off + length
    end = max(end, off + length)
if end is not None:
    print(start, end - start)
END
	: >"$work/$1.asked"
}

size=$((12 << 20))
make_data image $size 1
make_data old $((size + 5120)) 2

# --- what can be read ----------------------------------------------------

run aiodd if=image of=copy map=m bs=64K
is 'a healthy source: exit status' "$status" 0
check 'a healthy source: the bytes' cmp image copy
is 'a healthy source: the map' "$(said m)" "0 $size +; "
says 'a healthy source: it is over' m '^# Finished$'
check 'a healthy source: all is done' ddrescuelog -D m
is 'a healthy source: the counts' "$(head -n 2 err)" \
	"192+0 records in
192+0 records out"
run aiodd if=image of=copy map=m bs=64K
is 'once more: exit status' "$status" 0
is 'once more: the counts' "$(bytes_reported err)" 0
says 'once more: it is over' m '^# Finished$'

# --- what cannot ---------------------------------------------------------

# One sector, several, one page, a large area, and the ends of the disk.
areas bad.map $size 0:512 0x100200:512 0x100600:1024 0x200000:4096 \
	0x3fe000:0x23400 0xbffe00:512
disk bad image bad.map
source=$BED

# rescued TEXT MAP WANTED-MAP WANTED-FILE
rescued()
{
	is "$1: exit status" "$status" 2
	same_map "$1" "$2" "$3"
	check "$1: all else is there" cmp copy "$4"
	is "$1: the words" "$(last)" \
		"'$source': 151040 bytes in 6 areas could not be read (map '$2')"
}

must cp old copy
without image bad.map /dev/null >want
run aiodd if="$source" of=copy map=m1
rescued 'bad areas' m1 bad.map want
check 'bad areas: none is untried' \
	test -z "$(ddrescuelog -l '?*/' -b512 m1)"
is 'bad areas: the list of them' "$(ddrescuelog -l- -b512 m1)" \
	"$(ddrescuelog -l- -b512 bad.map)"
check 'bad areas: not all is done' eval '! ddrescuelog -D m1'
asked bad >all
run aiodd if="$source" of=copy map=m1
rescued 'once more' m1 bad.map want
is 'once more: nothing is read' "$(asked bad)" ''
sed -i 's,  -$,  /,' m1
run aiodd if="$source" of=copy map=m1
rescued 'nothing but sectors to try' m1 bad.map want
: >"$work/bad.asked"
run aiodd if="$source" of=copy map=m1 retries=2
rescued 'retries' m1 bad.map want
is 'retries: what is bad, and a sector that shows that it is there' \
	"$(asked bad)" \
	'0 1024 1049088 512 1050112 1024 2097152 4096 4186112 144384 12582400 512'

# What is there stays where nothing was read, or has zeros.
must cp old disk.img
bed_loop_over "$work/disk.img" || skip_all "$BED_WHY"
must_be_ours "$BED"
head -c $size old >old.disk
without image bad.map old.disk >want.kept
run aiodd if="$source" of="$BED" map=m2
head -c $size "$BED" >copy
rescued 'a disk keeps what was there' m2 bad.map want.kept
run aiodd if="$source" of="$BED" map=m2 conv=sync
head -c $size "$BED" >copy
is 'conv=sync: exit status' "$status" 2
same_map 'conv=sync' m2 bad.map
check 'conv=sync: zeros' cmp copy want
is 'conv=sync: the words' "$(last)" "'$source': 151040 bytes in 6 areas\
 could not be read; zeros replace them in the copy (map 'm2')"
check 'conv=sync: what lies behind it is as it was' \
	cmp -i $size old disk.img

# With force=size: as far as it goes.
make_data longer $((size + (1 << 20))) 3
run aiodd if=longer of="$BED" map=m2.longer force=size
is 'a disk that is too small: exit status' "$status" 1
says 'a disk that is too small: the words' err \
	'No space left on device .offset 12588032.$'
is 'a disk that is too small: the map' "$(said m2.longer)" \
	"0 12588032 +; 12588032 1043456 ?; "

# What no sector begins or ends with, and a place that is no less odd.
must cp old copy
python3 - <<'END' || bail python
old, image = open('old', 'rb').read(), open('image', 'rb').read()
lead, skip, count = 777, 0x100200, 0x300001
want = bytearray(old)
want[lead:lead + count] = image[skip:skip + count]
for off, length in (0x100200, 512), (0x100600, 1024), (0x200000, 4096), \
        (0x3fe000, 0x2201):
    at = lead + off - skip
    want[at:at + length] = old[at:at + length]
open('want.odd', 'wb').write(want)
END
odd=('iflag=skip_bytes,count_bytes' oflag=seek_bytes skip=$((0x100200))
	count=$((0x300001)) seek=777)
must cp bad.map m3 # another's, that says nothing of the destination
run aiodd if="$source" of=copy map=m3 "${odd[@]}" conv=notrunc
is 'a map of others: it is believed' "$status" 2
rm -f m3
run aiodd if="$source" of=copy map=m3 "${odd[@]}" conv=notrunc
is 'odd places: exit status' "$status" 2
is 'odd places: the map' "$(said m3)" "0 1049088 ?; 1049088 512 -; \
1049600 512 +; 1050112 1024 -; 1051136 1046016 +; 2097152 4096 -; \
2101248 2084864 +; 4186112 8705 -; 4194817 8388095 ?; "
check 'odd places: the bytes' cmp copy want.odd
asked bad >all
run aiodd if="$source" of=copy map=m3 "${odd[@]}" conv=notrunc
is 'odd places, once more: exit status' "$status" 2
is 'odd places, once more: nothing is read' "$(asked bad)" ''
run aiodd if="$source" of=copy map=m3 conv=notrunc
is 'another place: exit status' "$status" 5
says 'another place: the words' err 'force=map'

head -c 4M image >small

# --- errors that go away, and sources that do -----------------------------

# scripted NAME: small as a disk, of which reads first do what is in NAME.sh; $4
# is the offset, and $3 the length.
scripted()
{
	: >"$1.sh"
	bed_nbd "$1" --filter=log eval get_size="echo 4194304" \
		thread_model="echo parallel" \
		pread=". $work/$1.sh; dd if=$work/small status=none bs=64K \
			iflag=skip_bytes,count_bytes skip=\$4 count=\$3" \
		logfile="$work/$1.asked" || skip_all "$BED_WHY"
	source=$BED
}

# fails FROM TO: shell text for it
fails()
{
	echo "[ \$4 -ge $2 ] || [ \$((\$4 + \$3)) -le $1 ] ||
		{ $3 { echo EIO >&2; exit 1; }; }"
}

scripted moody
fails 1048576 1056768 '' >moody.sh
fails 2097152 2105344 '' >>moody.sh
run aiodd if="$source" of=copy map=m4
is 'two bad areas: exit status' "$status" 2
fails 2097152 2101248 '' >moody.sh
asked moody >all
run aiodd if="$source" of=copy map=m4 retries=1
is 'errors that go away: exit status' "$status" 2
is 'errors that go away: the map' "$(said m4)" \
	'0 2097152 +; 2097152 4096 -; 2101248 2093056 +; '
is 'errors that go away: only what was bad is read' "$(asked moody)" \
	'1048576 8192 2097152 8192'
# The third time it can be read.
fails 2097152 2101248 "echo >>$work/tries
		[ \$(wc -l <$work/tries) -gt 2 ] ||" >moody.sh
run aiodd if="$source" of=copy map=m4 retries=2
is 'retries=2, and the third time it goes: exit status' "$status" 2
run aiodd if="$source" of=copy map=m4 retries=1
is 'retries=1 more: exit status' "$status" 0
is 'retries=1 more: the map' "$(said m4)" "0 4194304 +; "
check 'all of it' cmp small copy

# --- what is refused, and what breaks --------------------------------------

make_data small.old 4194304 3
must cp small.old copy
source=small

# refused TEXT STATUS WORDS OPERANDS...: and nothing has changed.
refused()
{
	local text=$1 wanted=$2 words=$3

	shift 3
	must cp small.old copy
	[ ! -e m5 ] || must cp m5 m5.before
	run aiodd if="$source" of=copy map=m5 "$@"
	is "$text: exit status" "$status" "$wanted"
	says "$text: the words" err "$words"
	check "$text: nothing is written" cmp copy small.old
	[ ! -e m5 ] || check "$text: the map stays" cmp m5 m5.before
}

printf '0 ? 1\n0 0x1000 +\n0x1000 nonsense -\n' >m5
refused 'a damaged map' 1 'm5.*line 3'
rm m5 small.copy 2>/dev/null
must "$AIODD" if=small of=small.copy map=m5 count=1 bs=1M status=none
refused 'a map of another destination' 5 'another destination.*force=map'
must cp small.copy copy
run aiodd if=small of=copy map=m5 force=map
is 'force=map: exit status' "$status" 0
check 'force=map: the bytes' cmp copy small
must cp image other
must truncate -s 4M other
source=other refused 'a map of another source' 5 'another source.*force=map'
# What it calls copied must be there.
must truncate -s 1000 small.copy
run aiodd if=small of=small.copy map=m5 force=map
is 'a destination that is too short for the map: exit status' "$status" 1
says 'a destination that is too short for the map: the words' err \
	'the destination lacks what it says'
is 'a destination that is too short for the map: it stays' \
	"$(size_of small.copy)" 1000
rm -f m5 m5.ranges

if [ "$(id -u)" -eq 0 ] && type -P setpriv >/dev/null; then
	must mkdir closed
	must chmod 755 "$work" closed
	must cp small.old copy
	must chmod 666 copy
	run setpriv --reuid=65534 --clear-groups "$AIODD" if=small of=copy \
		map=closed/m
	is 'a directory that cannot be written: exit status' "$status" 1
	check 'a directory that cannot be written: nothing is written' \
		cmp copy small.old
else
	skip 'a directory that cannot be written' 'no setpriv here'
fi

if bed_full; then
	full=$BED
	run aiodd if=/dev/zero of="$full/fill" bs=64K status=none
	truncate -s -2M "$full/fill"
	run aiodd if=small of="$full/copy" map=m6
	is 'a full disk: exit status' "$status" 1
	says 'a full disk: the words' err 'No space left'
	is 'a full disk: the size stays' "$(size_of "$full/copy")" 4194304
	without small m6 "$full/copy" >want
	check 'a full disk: the map is true' cmp "$full/copy" want
	check 'a full disk: not all is there' eval '! ddrescuelog -D m6'
	rm "$full/fill"
	run aiodd if=small of="$full/copy" map=m6
	is 'room is made: exit status' "$status" 0
	check 'room is made: the bytes' cmp "$full/copy" small
else
	skip 'a full disk' "$BED_WHY"
fi

# --- the source goes away --------------------------------------------------

scripted gone
# It serves half of it, and then nothing.
fails 0 4194304 "[ ! -e $work/gone.now ] ||" >gone.sh
cat >>gone.sh <<END
[ \$4 -lt 2097152 ] || { : >$work/gone.now; echo EIO >&2; exit 1; }
END
rm -f copy
run aiodd if="$source" of=copy map=m7 iosize=256K depth=1
is 'a source that is gone: exit status' "$status" 1
says 'a source that is gone: the words' err 'does not answer any more'
check 'a source that is gone: nothing is bad' \
	test -z "$(ddrescuelog -l '*/-' -b512 m7)"
check 'a source that is gone: some is there' \
	test -n "$(ddrescuelog -l + -b512 m7)"
without small m7 copy >want
check 'a source that is gone: the map is true' cmp copy want
is 'a source that is gone: the size' "$(size_of copy)" 4194304
: >gone.sh
run aiodd if="$source" of=copy map=m7
is 'it is back: exit status' "$status" 0
check 'it is back: the bytes' cmp copy small

# --- what a signal leaves, and a read that does not come back ---------------

cd "$here" || exit 99
require_late
cd "$work" || exit 99
must cp small held.img
bed_late held 0 || skip_all "$BED_WHY"
source=$BED

# start_held: up to where only the read that is held is missing.
start_held()
{
	rm -f copy m8 m8.ranges
	echo 2097152 >held.img.hold-reads
	env --default-signal=INT "$AIODD" if="$source" of=copy map="${1-m8}" \
		iosize=256K status=none 2>err &
	pid=$!
	wait_for cmp -n 1048576 small copy
	wait_for cmp -i 3145728 small copy
}

# Only what is at 2 MiB, by 256 KiB, is to be done.
lacks_held()
{
	# shellcheck disable=SC2317 # called by wait_for
	[ "$(said m8)" = \
		"0 2097152 +; 2097152 262144 ?; 2359296 1835008 +; " ]
}

start_held
kill -INT $pid
check 'a held read: a signal saves all else' wait_for lacks_held
check 'a held read: it is waited for' kill -0 $pid
rm held.img.hold-reads
wait $pid
is 'a held read: dies of the signal' $? 130
is 'a held read: what comes late counts' "$(said m8)" "0 4194304 +; "
check 'a held read: the bytes' cmp copy small

# has_left PID: its memory is gone; the kernel keeps it for its requests.
has_left()
{
	# shellcheck disable=SC2317 # called by wait_for
	! grep -q VmSize "/proc/$1/status"
}

start_held
kill -INT $pid
wait_for lacks_held
# Somebody else finds the map locked.
run aiodd if=small of=copy map=m8
is 'a second run: exit status' "$status" 1
says 'a second run: the words' err 'another run'
kill -INT $pid
check 'a second signal: it ends' wait_for has_left $pid
rm held.img.hold-reads
wait $pid
is 'a second signal: exit status' $? 130
check 'a second signal: the map stays' lacks_held
: >held.img.asked
run aiodd if="$source" of=copy map=m8
is 'the next run: exit status' "$status" 0
is 'the next run: reads what was missing' \
	 "$(awk '{ n += $1 } END { print n }' held.img.asked)" 262144
check 'the next run: the bytes' cmp copy small

# A map that has become true too early, if nothing else said so.
if bed_fs tmpfs 64k; then
	start_held "$BED/m"
	cat /dev/zero >"$BED/fill" 2>/dev/null
	kill -INT $pid
	check 'no room for the map: it is waited for' kill -0 $pid
	rm held.img.hold-reads
	wait $pid
	is 'no room for the map: dies of the signal' $? 130
	says 'no room for the map: the words' err 'it cannot be saved: No space'
	says 'no room for the map: what is missing' err \
		'4194304 bytes are still to be copied by what is in the map'
	is 'no room for the map: nothing else is promised' \
		"$(grep -c 'the same command' err)" 0
	is 'no room for the map: the old one stays' "$(said "$BED/m")" \
		'0 4194304 ?; '
else
	skip 'no room for the map' "$BED_WHY"
fi

finish
