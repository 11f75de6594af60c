#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# map=, after a run before: what was copied then is checked as well, ddrescue
# and we finish each other's work, and a '+' is true whatever was killed.

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
require_nbd
require ddrescue python3
cd "$work" || exit 99
size=4194304
make_data src $size 1

# What is done is stopped in its middle by what it is allowed to copy.
half()
{
	rm -f dst m m.ranges
	must "$AIODD" if=src of=dst map=m bs=64K count=40 status=none
}

# flip FILE OFFSET
flip()
{
	python3 - "$@" <<'END'
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte ^ 0x5a]))
END
}

# resume TEXT STATUS OPERANDS...
resume()
{
	local text=$1 wanted=$2

	shift 2
	run aiodd if=src of=dst map=m bs=64K "$@"
	is "$text: exit status" "$status" "$wanted"
}

want=$(sha256sum <src | cut -d' ' -f1)

half
resume 'all of it is verified' 0 verify=yes hash=sha256
says 'all of it is verified: the words' err 'verified'
is 'all of it is verified: the digest' \
	"$(sed -n 's/^SHA256.* = //p' err)" "$want"
check 'all of it is verified: the bytes' cmp src dst

half
flip dst 1000000
resume 'a byte that has changed' 3 verify=yes hash=sha256
says 'a byte that has changed: the words' err 'offset 1000000'
is 'a byte that has changed: no digest' "$(grep -c ^SHA256 err)" 0

# What another copy has left.
must "$AIODD" if=src of=other map=o count=1 bs=1M status=none

spoil()
{
	case $1 in
	missing) rm m.ranges ;;
	damaged) flip m.ranges 100 && flip m.ranges 4196 ;;
	another) must cp o.ranges m.ranges ;;
	esac
}

for how in missing damaged another; do
	half
	spoil "$how"
	resume "ranges, $how" 0 verify=yes
	check "ranges, $how: the bytes" cmp src dst
	half
	spoil "$how"
	flip dst 300000
	resume "ranges, $how, and a byte that has changed" 3 verify=yes
done

half
must cp src m.ranges
must cp dst dst.before
resume 'a file of something else in the place of the ranges' 1
check 'a file of something else: it stays' cmp src m.ranges
check 'a file of something else: nothing is written' cmp dst dst.before

half
flip dst 2000000
resume 'without verify=, what is there is believed' 0
check 'without verify=, what is there is believed: the bytes' \
	test "$(cmp -l src dst | wc -l)" -eq 1

# --- ddrescue's work and ours -----------------------------------------------

cat >bad.map <<'END'
0 ? 1
0 0x180000 +
0x180000 0x3000 -
0x183000 0x27d000 +
END
bed_bad bad "$work/src" "$work/bad.map" || skip_all "$BED_WHY"
bad=$BED
python3 - <<'END' || bail python
image = bytearray(open('src', 'rb').read())
image[0x180000:0x183000] = bytes(0x3000)
open('want', 'wb').write(image)
END

rounds=4
[ -z "${AIODD_LONG-}" ] || rounds=20
RANDOM=${AIODD_SEED:-1}
for ((i = 0; i < rounds; i++)); do
	at=$((RANDOM % 1024 * 4096))
	rm -f dst m m.ranges
	run ddrescue -q -s $at "$bad" dst m
	run aiodd if="$bad" of=dst map=m
	is "we finish what ddrescue has begun up to $at: exit status" \
		"$status" 2
	is "we finish what ddrescue has begun up to $at: the map" \
		"$(said m)" "$(said bad.map)"
	truncate -s $size dst
	check "we finish what ddrescue has begun up to $at: the bytes" \
		cmp want dst
	rm -f dst m m.ranges
	run aiodd if="$bad" of=dst map=m bs=4096 count=$((at / 4096))
	run ddrescue -q "$bad" dst m
	is "ddrescue finishes what we have begun up to $at: the map" \
		"$(said m)" "$(said bad.map)"
	truncate -s $size dst
	check "ddrescue finishes what we have begun up to $at: the bytes" \
		cmp want dst
done

# What ddrescue has copied has no digests: both sides are read.
rm -f dst m m.ranges
run ddrescue -q src dst m
resume 'what ddrescue has copied' 0 verify=yes
flip dst 3000000
resume 'what ddrescue has copied, with another byte' 3 verify=yes
rm -f dst m m.ranges
run ddrescue -q src dst m
run aiodd if="$bad" of=dst map=m verify=yes hash=sha256 force=map
is 'what can no longer be read to compare: exit status' "$status" 2
says 'what can no longer be read to compare: the words' err \
	": 262144 bytes of 'dst' were not checked: the source cannot be read there"
is 'what can no longer be read to compare: no digest' \
	"$(grep -c ^SHA256 err)" 0

# --- power cut ----------------------------------------------------------------

# The server has a cache that a kill takes with it, and so has what was not
# synced. What the saved map calls copied is in the file.
rm -f m m.ranges disk.img
cuts=8
[ -z "${AIODD_LONG-}" ] || cuts=100
lost=0 done_bytes=0

# seen NUMBER WHAT: so many requests of the server.
seen()
{
	# shellcheck disable=SC2317 # called by wait_for
	[ "$(grep -c "$2 .*\.\.\.\$" cut.asked)" -ge "$1" ]
}

# cut WAY: in the middle, and what then happens to it.
cut()
{
	wait_for has_or_ended $pid seen $((1 + RANDOM % 12)) Write
	[ "$1" -eq 0 ] || kill -TERM $pid 2>/dev/null
	[ "$1" -ne 2 ] || wait_for has_or_ended $pid seen 2 Flush
	[ "$1" -ne 3 ] || wait_for has_or_ended $pid eval '! cmp -s m m.old'
	kill -KILL "$server" $pid 2>/dev/null
	wait $pid 2>/dev/null
}

must truncate -s $size disk.img
for ((i = 0; i < cuts; i++)); do
	: >cut.asked
	bed_nbd cut$i --filter=log --filter=cache file "$work/disk.img" \
		cache=writeback logfile="$work/cut.asked" ||
		skip_all "$BED_WHY"
	server=$(pgrep -P "$(pgrep -f "^nbdfuse $work/cut$i/disk ")")
	cp m m.old 2>/dev/null || : >m.old
	"$AIODD" if=src of="$BED" map=m force=map io=aio iosize=64K depth=2 \
		rate=6M status=none 2>/dev/null &
	pid=$!
	cut $((i % 4))
	[ -e m ] || continue
	python3 - <<'END' >cut.out || lost=$((lost + 1))
src, dst = open('src', 'rb').read(), open('disk.img', 'rb').read()
n = 0
for l in [l.split() for l in open('m') if not l.startswith('#')][1:]:
    a, e = int(l[0], 0), int(l[0], 0) + int(l[1], 0)
    if l[2] == '+':
        n += e - a
        assert src[a:e] == dst[a:e], (a, e)
print(n)
END
	there=$(tail -n 1 cut.out) # nothing, if it was wrong
	done_bytes=$((done_bytes + ${there:-0}))
	fusermount3 -u -z "$work/cut$i"
	# The next one goes on, until there is nothing to go on with.
	[ "$there" != $size ] || rm -f m m.ranges disk.img
	[ -e disk.img ] || must truncate -s $size disk.img
done
is "each + is there after $cuts power cuts" "$lost" 0
diag "$done_bytes bytes were in the maps"

finish
