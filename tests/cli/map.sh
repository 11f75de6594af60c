#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# map=: which file that may be, whose map it is, and that ddrescue goes on with
# ours and we with its.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2317 # called by check
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 99
size=1000000
make_data a $size 1
make_data other $size 2
half=$((size / 2))

# refused TEXT STATUS WORDS OPERANDS...: in these words, and b and m are as they
# were
refused()
{
	local text=$1 want=$2 words=$3

	shift 3
	cat b m 2>/dev/null | cksum >before
	run aiodd "$@"
	is "$text: exit status" "$status" "$want"
	says "$text: the words" err "$words"
	is "$text: nothing is touched" "$(cat b m 2>/dev/null | cksum)" \
		"$(cat before)"
}

# --- which file ---------------------------------------------------------------

printf '# so far\n0 ?\n0 10 +\n11 5 -\n' >m
refused 'a damaged one' 1 'map=m: line 4 is none of a mapfile' a b map=m
check 'a damaged one: no destination is made' test ! -e b
cp a m
refused 'another file' 1 'map=m: line 1 is none of a mapfile' a b map=m
refused 'a device' 1 'map=/dev/null: not a regular file' a b map=/dev/null
refused 'a name in /dev' 1 'map=/dev/none: there is no such device' \
	a b map=/dev/none
refused 'the source' 1 'map=./a: it is the source or destination' a b map=./a
refused 'the destination' 1 'map=b: it is the source or destination' \
	a b map=b
refused 'no directory' 1 'map=none/m: No such file or directory' \
	a b map=none/m
rm m
refused 'a pipe' 1 'map=m: the source is neither' of=b map=m if=<(cat a)
refused 'no destination with places' 1 'map=m: the destination is neither' \
	a /dev/null map=m
check 'a pipe: nothing is made' test ! -e m -a ! -e b

# --- whose map ----------------------------------------------------------------

run aiodd a b map=m plan=yes
says 'plan=yes: a new one' out 'map: what is copied is kept in m$'
check 'plan=yes: nothing is made' test ! -e m -a ! -e b
touch m
chmod 640 m
run aiodd a b map=m count=${half}B
is 'half of it: exit status' "$status" 0
check 'half of it: the bytes' cmp -n $half a b
is 'the mode of the map is kept' "$(stat -c %a m)" 640
says 'the command is in it' m '^# Command line: .*aiodd a b map=m'
run aiodd a b map=m plan=yes
says 'plan=yes: it is gone on with' out 'would go on with the copy to b'
says 'plan=yes: what there is' out \
	"map: what is copied is kept in m, which has $half bytes of $size bytes"
refused 'another source' 5 \
	'map=m: it is of another source; force=map uses it anyway' other b map=m
refused 'another source, plan=yes' 5 'map=m: it is of another source' \
	other b map=m plan=yes
says 'another source, plan=yes: the plan' out 'would refuse to go on'
cp b c
refused 'another destination' 5 \
	'map=m: it is of another destination; force=map' a c map=m
refused 'another destination, plan=yes' 5 'map=m: it is of another dest' \
	a c map=m plan=yes
refused 'another place' 5 'map=m: it was made with another skip= or seek=' \
	a b map=m seek=1B
if type flock >/dev/null; then
	run flock m "$AIODD" a b map=m
	is 'another run: exit status' "$status" 1
	says 'another run: the words' err 'map=m: another run is using it'
else
	skip 'another run' 'no flock'
fi
must truncate -s $((half - 1)) b
refused 'a destination that was cut' 1 \
	'map=m: the destination lacks what it says is copied' a b map=m
mv b d
refused 'a destination that is gone' 1 \
	'map=m: the destination lacks what it says is copied' a b map=m
check 'a destination that is gone is not made' test ! -e b
must truncate -s $half d
mv d b
printf '0 ?\n0 %d +\n' $((size + 1)) >longer
refused 'more than the source' 1 'map=longer: it goes on behind the end' \
	a b map=longer
echo 'Dear diary,' >m.ranges
refused 'another file beside it' 1 'map=m: m.ranges: it is no manifest' \
	a b map=m
rm m.ranges
# Digests are of use, not of need.
long=$(printf %0250d 0)
make_data gone 300000 5
run aiodd gone there map="$long" verify=yes
is 'no digests can be kept: exit status' "$status" 0
says 'no digests can be kept: the words' err \
	"^aiodd: warning: map=0*: no digests are kept in 0*\.ranges, and .*: File name too long"
check 'no digests can be kept: the bytes' cmp gone there
check 'no digests can be kept: the map is' test -s "$long"
rm gone there "$long"
if bed_fs tmpfs 256k; then
	# Those of 64 GiB do not fit.
	make_data gone 300000 5
	run aiodd gone there map="$BED/m" seek=64GiB verify=yes
	is 'no room for digests: exit status' "$status" 0
	says 'no room for digests: the words' err \
		'no digests are kept in .*m.ranges, and .*: No space left'
	check 'no room for digests: the bytes' cmp -i 0:64GiB gone there
	run aiodd gone there map="$BED/m" seek=64GiB verify=yes
	is 'no room for digests, again: exit status' "$status" 0
	rm gone there
else
	skip 'no room for digests' "$BED_WHY"
fi
run aiodd a c map=m force=map
is 'force=map: exit status' "$status" 0
is 'force=map: nothing before it is read' \
	"$(sed -n 's/ bytes .*copied.*//p' err)" $half
check 'force=map: the bytes' cmp a c

# A map that cannot be saved is found out before the first byte. Root, three
# files, and then there is no inode left.
if bed_mount tmpfs tmpfs size=1m,nr_inodes=4; then
	printf '0 ?\n0 %d +\n' $half >"$BED/m"
	must touch "$BED/m.ranges" "$BED/other"
	run aiodd a b map="$BED/m"
	is 'no inode: exit status' "$status" 1
	says 'no inode: the words' err \
		'm: it cannot be saved: No space left on device$'
	is 'no inode: the old one is there' "$(cat "$BED/m")" \
		"$(printf '0 ?\n0 %d +\n' $half)"
	is 'no inode: nothing else is made' \
		"$(find "$BED" -type f | wc -l)" 3
	is 'no inode: the destination stays as it was' "$(size_of b)" $half
else
	skip 'no inode' "$BED_WHY"
fi

# --- ddrescue -----------------------------------------------------------------

type ddrescue ddrescuelog >/dev/null || { skip ddrescue 'not here'; finish; exit; }

# as_ddrescue FILE: what is left when names, times and what is ours alone are
# masked.
as_ddrescue()
{
	sed -E -e 's/(Created by) .*/\1 X/' -e 's/(Command line:) .*/\1 X/' \
		-e 's/[0-9]{4}(-[0-9]{2}){2} ([0-9]{2}:?){3}$/TIME/' \
		-e '/^# aiodd-/d' -e 's/^0x.{8}(  *. *1)$/POS\1/' "$1"
}

rm -f b m
run aiodd a b map=m
must ddrescue -q a theirs m.theirs
is 'a whole map: as ddrescue prints it' "$(as_ddrescue m)" \
	"$(as_ddrescue m.theirs)"
check 'ddrescuelog says that all is done' ddrescuelog -q -D m
rm -f b m

run aiodd a b map=m count=${half}B skip=1024B seek=1024B
printf '0 ?\n0 1024 ?\n1024 %d +\n%d %d ?\n' $half $((half + 1024)) \
	$((size - half - 1024)) >want
check 'a part: ddrescuelog finds what was copied' ddrescuelog -q -p want m
must ddrescue -q a b m
check 'ddrescue goes on with it: the bytes' cmp a b
check 'ddrescue goes on with it: all is done' ddrescuelog -q -D m
check 'what was ours in the map is gone' sh -c '! grep -q aiodd-source m'

rm -f b m
must ddrescue -q -s $half a b m
run aiodd a b map=m
is 'a map of ddrescue: exit status' "$status" 0
check 'a map of ddrescue: the bytes' cmp a b
check 'a map of ddrescue: all is done' ddrescuelog -q -D m
is 'a map of ddrescue: only the rest is read' \
	"$(sed -n 's/ bytes .*copied.*//p' err)" $half
says 'a map of ddrescue: it is ours now' m '^# aiodd-source file '

# Digests are those of the bytes, whatever the ranges beside the map need.
rm -f b m m.ranges
run aiodd a plain hash=xxh128,sha256 sums=want
run aiodd a b map=m hash=xxh128,sha256 sums=got
is 'hash= with a map: as without' "$(sed 's/(b)/(plain)/' got)" "$(cat want)"
: >empty
run aiodd empty b map=m.empty hash=sha256 sums=got
is 'hash= of nothing' "$(cut -d ' ' -f 1 <got)" \
	"$(sha256sum <empty | cut -d ' ' -f 1)"

# What verify= has found to be wrong is copied again.
rm -f b m m.ranges
run aiodd a b map=m verify=yes
is 'verify=: exit status' "$status" 0
printf '\377\0' | must dd of=b bs=1 seek=$half conv=notrunc status=none
run aiodd a b map=m verify=yes
is 'verify= of a changed byte: exit status' "$status" 3
check 'verify= of a changed byte: the map says so' \
	eval '! ddrescuelog -q -D m'
run aiodd a b map=m verify=yes
is 'verify= of a changed byte, again: exit status' "$status" 0
check 'verify= of a changed byte, again: it is mended' cmp a b

# A file that cannot get its size, and memory for less than a job.
rm -f b m m.ranges
run bash -c "trap '' XFSZ; ulimit -f 1; timeout 60 $AIODD a b map=m"
is 'no room for the size: exit status' "$status" 1
rm -f b m m.ranges
run bash -c "ulimit -d 900000; timeout 60 $AIODD a b map=m iosize=64M"
is 'little memory: exit status' "$status" 0
check 'little memory: the bytes' cmp a b

# A map of another source: before the destination is made.
rm -f b m m.ranges
must cp a other
printf '# aiodd-map 1 offset=0 size=12345\n0 ?\n0 12345 ?\n' >m
run aiodd other b map=m
is 'another source: exit status' "$status" 5
check 'another source: no destination is made' test ! -e b
rm -f b m m.ranges
run aiodd a b map=m

# Saved before anything else, it is a map.
rm -f b m m.ranges
run aiodd a b map=m count=0
is 'of nothing: exit status' "$status" 0
check 'of nothing: it is a map all the same' ddrescuelog -q -t m
run aiodd a b map=m
is 'of nothing, and then of all: exit status' "$status" 0

# A new file, behind a seek=; the same file; and what lies beside the map.
rm -f b m m.ranges
run aiodd a b map=m seek=4096B
is 'a new file behind a seek=: exit status' "$status" 0
check 'a new file behind a seek=: the bytes' cmp -i 0:4096 a b
rm -f m m.ranges
run aiodd a a map=m
is 'onto itself: exit status' "$status" 1
says 'onto itself: the words' err 'source and destination are the same$'
run aiodd a b map=m hash=md5 sums=m.ranges
is 'sums= beside the map: exit status' "$status" 1
says 'sums= beside the map: the words' err 'beside it and sums= name the same'
rm -f b m m.ranges
run aiodd a b map=m

# Memory that cannot be had: nothing was tried, so nothing is said of the source,
# nor filled. The arena of the jobs is the one large mapping.
rm -f b m m.ranges
if strace -qq -o trace -e trace=mmap "$AIODD" if=a of=b map=m status=none; then
	nr=$(grep '^mmap' trace | grep -nE ', [0-9]{8},' | head -n 1)
	rm -f m m.ranges
	run strace -qq -o trace -e trace=mmap \
		-e inject=mmap:error=ENOMEM:when="${nr%%:*}" \
		"$AIODD" if=a of=b map=m conv=notrunc,sync
	is 'no memory: exit status' "$status" 1
	says 'no memory: the words' err 'memory exhausted by input buffer'
	says 'no memory: what is left' err " $size bytes are still to be copied"
	check 'no memory: what is there stays' cmp a b
	# Within a save.
	rm -f b m m.ranges
	run strace -f -o trace -e trace=renameat,renameat2 \
		-e inject=renameat,renameat2:signal=KILL:when=1 \
		"$AIODD" if=a of=b map=m
	is 'killed in a save: what it leaves' \
		"$(printf '%s\n' .m.* | wc -l) $(echo .m.*)" "1 $(echo .m.aiodd-??????)"
	run aiodd a b map=m
	is 'killed in a save: the next run removes it' "$(echo .m.*)" '.m.*'
else
	skip 'no memory' 'strace may not trace here'
fi

# Beside a map the digests count by it: without it they are in doubt.
run aiodd a b update=yes manifest=m.ranges
says 'the digests without the map: nothing is known' err \
	'^aiodd: 0 bytes were known from the manifest$'
finish
