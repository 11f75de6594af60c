#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# conv=noerror under our own name: what cannot be read is zeros at its own
# offset, or left out of a pipe, and nothing else is lost or moved.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_loop
require_nbd
require python3
require_gnu_dd
cd "$work" || exit 99
seed=${AIODD_SEED:-1}
size=$((3 << 19))
make_data image $size "$seed"

# NAME.map are bad areas for nbdkit, NAME.full the image as it must come
# through, NAME.short the same without what is bad, NAME.runs their number.
cat >oracle.py <<-'END'
	import random, sys
	name, seed, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
	r = random.Random(seed)
	bad, at = [], 0
	while True:
	    at += r.choice((512, 1024, 4096, 40960, 300000 // 512 * 512, 1 << 20))
	    at = at * r.randint(1, 2)
	    length = r.choice((512, 512, 1536, 4096, 5120, 65536, 100352))
	    if at + length > size:
	        break
	    bad.append((at, length))
	    at += length
	bad.append((size - 512, 512))
	with open(name + ".map", "w") as f:
	    print("0x0 ? 1", file=f)
	    at = 0
	    for start, length in bad:
	        if start > at:
	            print(hex(at), hex(start - at), "+", file=f)
	        print(hex(start), hex(length), "-", file=f)
	        at = start + length
	with open("image", "rb") as f:
	    image = f.read()
	full, short = bytearray(image), bytearray()
	at = 0
	for start, length in bad + [(size, 0)]:
	    short += image[at:start]
	    full[start:start + length] = bytes(length)
	    at = start + length
	runs = sum(i == 0 or sum(bad[i - 1]) < bad[i][0] for i in range(len(bad)))
	for kind, text in ("full", full), ("short", short), ("runs", b"%d" % runs):
	    with open(f"{name}.{kind}", "wb") as f:
	        f.write(text)
END

bed_loop 8M || skip_all "$BED_WHY"
target=$BED

# one_case NAME DESTINATION SYNC BS OPERANDS...
one_case()
{
	local name=$1 to=$2 conv=noerror$3 bs=$4 text digest want=$1.full
	local wanted=0

	shift 4
	text="$name, $to, conv=$conv bs=$bs $*"
	[[ "$*" != *verify=yes* ]] || wanted=2
	set -- if="$source" conv="$conv" bs="$bs" "$@"
	must cp image.old copy
	case $to in
	file)
		run aiodd of=copy "$@"
		;;
	disk)
		must_be_ours "$target"
		must cp copy "$target"
		run aiodd of="$target" "$@"
		head -c "$(bytes_reported err)" "$target" >copy
		;;
	pipe)
		[ "$conv" = noerror,sync ] || want=$name.short
		aiodd "$@" 2>err | cat >copy
		status=${PIPESTATUS[0]}
		;;
	esac
	digest=$(sed -n 's/^SHA256.* = //p' err)
	if [ "$status" -ne $wanted ]; then
		fail "$text" "exit status $status" "$(tail -n 3 err)"
		return
	elif [ "${digest:-none}" != none ] &&
		[ "$digest" != "$(sha256sum <copy | cut -d' ' -f1)" ]; then
		fail "$text" 'the digest is not that of the copy'
		return
	fi
	# conv=sync pads the last record.
	[ "$conv" = noerror ] || truncate -s $size copy
	if ! cmp -s copy "$want"; then
		fail "$text" "$(cmp copy "$want" 2>&1)" "$(wc -c copy "$want")"
	else
		is "$text" "$(grep -c 'error reading' err)" "$(<"$name.runs")"
	fi
}

all_cases() # NAME SIZES OPERANDS...
{
	local name=$1 sizes=$2 bs to sync i=0
	local extra more=('' hash=sha256 verify=yes)

	shift 2
	for bs in $sizes; do
		for to in file disk pipe; do
			for sync in '' ,sync; do
				extra=${more[i++ % 3]}
				[ "$to$extra" != pipeverify=yes ] || extra=
				one_case "$name" $to "$sync" "$bs" \
					${extra:+"$extra"} "$@"
			done
		done
		# Each with each, in the end.
		i=$((i + 1))
	done
}

make_data image.old 2000000 "$((seed + 1))"
sizes='512 1000 64K 3M'
[ -z "${AIODD_LONG-}" ] || sizes='512 1000 4096 64K 1M 3M'
for n in 1 2; do
	python3 oracle.py bad$n $((seed * 10 + n)) $size ||
		skip_all 'no oracle'
	bed_bad disk$n "$work/image" "$work/bad$n.map" || skip_all "$BED_WHY"
	bed_loop_over "$BED" || skip_all "$BED_WHY"
	source=$BED
	if [ $n -eq 1 ]; then
		all_cases bad$n "$sizes"
	else
		all_cases bad$n '1000 64K 3M' iflag=direct
	fi
done

# like_full TEXT CONV OPERANDS...: what GNU dd makes of the image with zeros.
like_full()
{
	local text=$1 conv=$2

	shift 2
	must cp image.old want
	must cp image.old copy
	run gnu_dd if=bad2.full of=want conv="notrunc$conv" "$@"
	run aiodd if="$source" of=copy conv="noerror,notrunc$conv" "$@"
	is "$text: exit status" "$status" 0
	check "$text: the bytes" cmp copy want
}

like_full 'skip, seek and count' '' bs=10000 skip=7 seek=3 count=100
like_full 'bytes of a count' '' bs=64K skip=1000B count=500001B
like_full 'records of two sizes' ',sync' ibs=3000 obs=7777
like_full 'append' ',sync' bs=4096 oflag=append
# As dd, which leaves old data where zeros are, and as a copy without it.
for zeros in skip auto; do
	must cp image.old want
	must cp image.old copy
	sparse=
	[ $zeros = auto ] || sparse=,sparse
	run gnu_dd if=bad2.full of=want bs=4096 conv="notrunc$sparse"
	run aiodd if="$source" of=copy bs=4096 zeros=$zeros \
		conv=noerror,notrunc,sparse
	is "conv=sparse zeros=$zeros: exit status" "$status" 0
	check "conv=sparse zeros=$zeros: the bytes" cmp copy want
done
like_full 'nocache' '' bs=64K iflag=nocache oflag=nocache
like_full 'conv=swab' ',swab' bs=1001
like_full 'conv=ucase' ',ucase' ibs=512 obs=4096
like_full 'oflag=direct' '' bs=64K oflag=direct

must cat image.old bad2.short >want
must cp image.old copy
run aiodd if="$source" of=copy bs=64K conv=noerror,notrunc oflag=append
check 'append without sync leaves out' cmp copy want

must head -c $size image.old >"$target"
run aiodd if="$source" of="$target" bs=64K conv=noerror commit=first-last
is 'commit=first-last: exit status' "$status" 2
is 'commit=first-last: the last line' "$(tail -n 1 err)" \
	"aiodd: '$target' was written without its first block"
check 'commit=first-last: the old first block' cmp -n 4096 "$target" image.old
check 'commit=first-last: the other bytes' \
	cmp -n $((size - 4096)) -i 4096 "$target" bad2.full
cp image.old copy
run aiodd if="$source" of=copy bs=64K conv=noerror commit=rename
is 'commit=rename: exit status' "$status" 2
is 'commit=rename: the last line' "$(tail -n 1 err)" \
	"aiodd: 'copy' was not replaced"
check 'commit=rename: the old file' cmp copy image.old
is 'commit=rename: no other file is left' "$(find . -name '.copy*')" ''

run aiodd of=copy bs=1M conv=noerror <"$source"
check 'standard input' cmp copy bad2.full

# An area that runs through two records, on the way into a fresh file.
printf '0x0 ? 1\n0x0 0x2fe00 +\n0x2fe00 0x400 -\n0x30200 0x14fe00 +\n' >two.map
bed_bad two "$work/image" "$work/two.map" || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
run aiodd if="$BED" of=copy bs=64K conv=noerror
is 'an area is told once' "$(grep -c 'error reading' err)" 1
says 'with the offset where it begins' err '\(offset 196096\)$'
is 'two records are not whole, and are written whole' \
	"$(tail -n 4 err | head -n 2 | xargs)" '22+2 records in 24+0 records out'
is 'what is missing is the last line' "$(tail -n 1 err)" \
	"aiodd: warning: 1024 bytes in 1 area of '$BED' could not be read; zeros replace them in the copy"
aiodd if="$BED" bs=64K conv=noerror 2>err | cat >copy
is 'a pipe: the last line' "$(tail -n 1 err)" \
	"aiodd: warning: 1024 bytes in 1 area of '$BED' could not be read; they are missing from the copy"
run aiodd if="$BED" of="$target" bs=64K conv=noerror
is 'a disk: exit status, and the last line' "$status $(tail -n 1 err)" \
	"0 aiodd: warning: 1024 bytes in 1 area of '$BED' could not be read; zeros replace them in the copy"
run aiodd if="$BED" of=copy bs=64K conv=noerror expect=md5:"$(printf %032d 0)"
is 'expect=: exit status, and the last line' "$status $(tail -n 1 err)" \
	"2 aiodd: 1024 bytes in 1 area of '$BED' could not be read; zeros replace them in the copy"

finish
