#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# bmap= and obmap=: what bmaptool maps we copy and check, and the other way
# round; nothing but the image that the map is of.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2317 # check calls it
. "$(dirname "$0")/../lib.sh"

require bmaptool jq sha256sum
cd "$work" || exit 99

# punch FILE FROM TO: a hole, in blocks
punch()
{
	must fallocate -p -o $(($2 * 4096)) -l $((($3 - $2) * 4096)) "$1"
}

# seal MAP [ALG]: gives it the checksum of its own that it ought to have.
seal()
{
	local alg=${2:-sha256} zeros sum

	zeros=$("${alg}sum" </dev/null | cut -d ' ' -f 1)
	zeros=${zeros//?/0}
	sed -i "s/\(<BmapFile[A-Za-z0-9]*> *\)[0-9a-f]*/\1$zeros/" "$1"
	sum=$("${alg}sum" <"$1" | cut -d ' ' -f 1)
	sed -i "s/\(<BmapFile[A-Za-z0-9]*> *\)[0-9a-f]*/\1$sum/" "$1"
}

# resum MAP IMAGE ALG ATTRIBUTE: its ranges by another algorithm.
resum()
{
	local range first last sum

	sed -n 's/.*<Range .*> \([0-9-]*\) <.*/\1/p' "$1" | while read -r range; do
		first=${range%-*} last=${range#*-}
		sum=$(tail -c +$((first * 4096 + 1)) "$2" |
			head -c $(((last - first + 1) * 4096)) |
			"$3sum" | cut -d ' ' -f 1)
		sed -i "s/[a-z0-9]*=\"[0-9a-f]*\"> $range </$4=\"$sum\"> $range </" \
			"$1"
	done
}

# One block, some, very many, and the end, which is no whole block.
make_data small.img 201000 1
punch small.img 1 10
punch small.img 12 48
make_data large.img $(((12 << 20) + 1234)) 2
punch large.img 1 256
punch large.img 257 258
punch large.img 750 2700
punch large.img 3000 3070
sync small.img large.img
for image in small large; do
	must bmaptool -q create -o $image.bmap $image.img
	ranges=$(grep -c '<Range ' $image.bmap)
	check "$image: the map has its ranges" test "$ranges" -gt 2
	must cp --sparse=never $image.img $image.full
done

# data FILE: bytes that it takes, without what is in its last block
data()
{
	echo $(($(stat -c %b "$1") * 512 / 4096))
}

# good NAME: the copy $copy is $image, all of whose ranges have been looked at.
good()
{
	is "$1: exit status" "$status" 0
	check "$1: identical" same $image.img copy
	says "$1: it says so" err "matches the block map '$image.bmap' \(sha256\)\$"
}

for image in small large; do
	for how in 'SRC DST' if= io=aio iosize=64K oflag=direct bs=7000 ibs=1000 \
		hash=md5 verify=yes commit=rename rate=1G iflag=nocache; do
		case $how in
		SRC*) names="$image.img copy" ;;
		if=) names="if=$image.img of=copy" ;;
		ibs*) names="if=$image.img of=copy obs=3000 $how" ;;
		*) names="$image.img copy $how" ;;
		esac
		# shellcheck disable=SC2086 # operands
		run aiodd $names bmap=$image.bmap
		good "$image, $how"
		check "$image, $how: gaps are holes" \
			test "$(data copy)" -le $(($(data $image.img) + 64))
		rm -f copy
	done
	run aiodd $image.full copy bmap=$image.bmap
	good "$image, without holes"
	check "$image, without holes: gaps are holes" \
		test "$(data copy)" -le "$(data $image.img)"
	rm -f copy
	run aiodd $image.img copy bmap=$image.bmap zeros=write
	good "$image, zeros=write"
	is "$image, zeros=write: they are" "$(data copy)" "$(data $image.full)"
	for how in bs=256K iflag=fullblock 'ibs=512 obs=5000' hash=sha256; do
		rm -f copy
		# shellcheck disable=SC2086 # operands
		run aiodd of=copy bmap=$image.bmap $how < <(cat $image.img)
		good "$image, a pipe, $how"
		check "$image, a pipe, $how: gaps are holes" \
			test "$(data copy)" -le "$(data $image.img)"
		# shellcheck disable=SC2086 # operands
		aiodd if=$image.img bmap=$image.bmap $how status=none |
			cat >copy
		check "$image, into a pipe, $how: identical" same $image.img copy
	done
	tr '\0' '\377' <$image.full >copy
	run aiodd if=$image.img of=copy bmap=$image.bmap conv=notrunc
	good "$image, over old data"
	tr '\0' '\377' <$image.full >copy
	run aiodd $image.img copy bmap=$image.bmap update=yes
	good "$image, update=yes"
	run aiodd $image.img copy bmap=$image.bmap verify=only
	is "$image, verify=only: exit status" "$status" 0
	head -c 5000 /dev/urandom >begin
	run aiodd if=$image.img of=begin seek=5000B bmap=$image.bmap \
		conv=notrunc
	check "$image, seek=: identical" eval \
		"tail -c +5001 begin | cmp - $image.img"
	rm -f copy begin
done

# Where nothing is mapped there may be anything, of which nothing is copied.
image=large
cp $image.full other.img
printf x | must "$DD" of=other.img bs=1 seek=5000000 conv=notrunc status=none
for how in '' bs=1M io=aio; do
	# shellcheck disable=SC2086 # operands
	run aiodd other.img copy bmap=$image.bmap $how
	is "a byte in a gap, $how: exit status" "$status" 0
	check "a byte in a gap, $how: zeros" same $image.img copy
	rm -f copy
	# shellcheck disable=SC2086 # operands
	run aiodd - copy bmap=$image.bmap $how < <(cat other.img)
	check "a byte in a gap, a pipe, $how: zeros" same $image.img copy
	rm -f copy
done

# flip FILE OFFSET: one bit of it.
flip()
{
	local byte

	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf %b "\\x$(printf %02x $((byte ^ 1)))" |
		must "$DD" of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Each range, by its first and its last byte.
for image in small large; do
	grep '<Range ' $image.bmap | sed 's/.*> \([0-9-]*\) <.*/\1/' >ranges
	while IFS=- read -r first last; do
		off=$((first * 4096)) end=$(((${last:-$first} + 1) * 4096))
		[ $end -le "$(size_of $image.img)" ] ||
			end=$(size_of $image.img)
		for at in $off $((end - 1)); do
			cp $image.img bad.img
			flip bad.img "$at"
			rm -f copy
			run aiodd bad.img copy bmap=$image.bmap
			is "$image, byte $at: exit status" "$status" 4
			says "$image, byte $at: which range" err \
				"^aiodd: 'bad.img': $((end - off)) bytes at $off do not have the sha256 that the block map '$image.bmap' says\$"
			says "$image, byte $at: no trust" err \
				"^aiodd: 'copy' was written anyway; do not trust it\$"
			check "$image, byte $at: not called good" \
				eval '! grep -q matches err'
			[ "$at" = "$off" ] || continue
			run aiodd of=copy bmap=$image.bmap < <(cat bad.img)
			is "$image, byte $at, a pipe: exit status" "$status" 4
			echo old >kept
			run aiodd bad.img kept bmap=$image.bmap commit=rename
			is "$image, byte $at, commit=rename: exit status" \
				"$status" 4
			is "$image, byte $at, commit=rename: the old file" \
				"$(cat kept)" old
		done
	done <ranges
done

# The copy ends where the map is not right, not at the end of the image.
image=large
cp $image.img bad.img
flip bad.img 0
run aiodd bad.img copy bmap=$image.bmap io=aio depth=1 iosize=4K
check 'the first range is wrong: the rest is not copied' \
	test "$(bytes_reported err)" -lt $((8 << 20))
rm -f copy

# Another image.
image=small
for size in 200999 201001 0; do
	cp $image.img other.img
	truncate -s $size other.img
	run aiodd other.img copy bmap=$image.bmap
	is "$size bytes: exit status" "$status" 4
	is "$size bytes: it says why" "$(cat err)" "aiodd: 'other.img' has \
$size bytes, but 'small.bmap' is the block map of an image of 201000 bytes"
	check "$size bytes: nothing is made" test ! -e copy
	run aiodd other.img copy bmap=$image.bmap plan=yes
	is "$size bytes, plan=yes: exit status" "$status" 4
	check "$size bytes, plan=yes: nothing is planned" test ! -s out
	run aiodd of=copy bmap=$image.bmap < <(cat other.img)
	is "$size bytes, a pipe: exit status" "$status" 4
	says "$size bytes, a pipe: it says why" err \
		"has (more|fewer) bytes, but 'small.bmap' is the block map of"
	check "$size bytes, a pipe: nothing behind the image" \
		test "$(size_of copy)" -le 201000
	rm -f copy
done
gzip -c $image.img >other.img.gz
for plan in no yes; do
	run aiodd other.img.gz copy bmap=$image.bmap plan=$plan
	is "a compressed image, plan=$plan: exit status" "$status" 4
	says "a compressed image, plan=$plan: what to do" err \
		"of 201000 bytes; the source is compressed \(gz\): decompress="
	check "a compressed image, plan=$plan: nothing is made" test ! -e copy
done
cp $image.img other.img
truncate -s 1M other.img
run aiodd other.img copy bmap=$image.bmap count=201000B
is 'count= as long as the image: exit status' "$status" 0
check 'count= as long as the image: identical' same $image.img copy
rm -f copy
run aiodd other.img copy bmap=$image.bmap count=100
is 'another count=: exit status' "$status" 4

# refused NAME WHY OPERAND...: with status 1, in one line, and nothing is made.
refused()
{
	local name=$1 why=$2

	shift 2
	rm -f copy
	run aiodd small.img copy "$@"
	is "$name: exit status" "$status" 1
	is "$name: one line" "$(wc -l <err)" 1
	says "$name: it says why" err "^aiodd: $why\$"
	check "$name: nothing is made" test ! -e copy
}

sed 's/useful/Useful/' small.bmap >bad.bmap
refused 'a damaged map' 'bmap=bad.bmap: it is damaged: .*' bmap=bad.bmap
head -c 2000 small.bmap >bad.bmap
refused 'half a map' 'bmap=bad.bmap: line [0-9]+: it is not well-formed XML' \
	bmap=bad.bmap
sed 's/> sha256/> crc32/' small.bmap >bad.bmap
refused 'an unknown checksum' \
	"bmap=bad.bmap: its checksums are of an unknown type, 'crc32'" \
	bmap=bad.bmap
sed 's/version="2.0"/version="3.0"/' small.bmap >bad.bmap
refused 'a later version' \
	"bmap=bad.bmap: line [0-9]+: its version '3.0' is not known" bmap=bad.bmap
sed 's/<bmap /<!DOCTYPE bmap [<!ENTITY x "1">]><bmap /' small.bmap >bad.bmap
refused 'a document type' \
	'bmap=bad.bmap: line [0-9]+: it has a document type declaration' \
	bmap=bad.bmap
sed 's/ 10-11 / 0-11 /' small.bmap >bad.bmap
seal bad.bmap
refused 'ranges that overlap' \
	'bmap=bad.bmap: line [0-9]+: a range is none, or is out of order' \
	bmap=bad.bmap
sed 's/ 48-49 / 48-50 /' small.bmap >bad.bmap
seal bad.bmap
refused 'a range behind the end' \
	"bmap=bad.bmap: its 'BlockMap' does not agree with its other numbers" \
	bmap=bad.bmap
sed 's/ 201000 / 9223372036854775808 /' small.bmap >bad.bmap
refused 'a number that is too large' \
	"bmap=bad.bmap: line [0-9]+: its 'ImageSize' makes no sense" bmap=bad.bmap
refused 'no map' 'bmap=none: No such file or directory' bmap=none
refused 'an image as the map' 'bmap=large.img: it is not a block map' \
	bmap=large.img
refused 'the source as the map' \
	'bmap=small.img: it is the source or destination' bmap=small.img
run aiodd small.bmap copy bmap=small.bmap
is 'a map as the source: exit status' "$status" 1
says 'a map as the source: it says why' err \
	'^aiodd: bmap=small.bmap: the source is a block map itself; give its'
run aiodd small.bmap copy bmap=auto
is 'a map as the source, auto: exit status' "$status" 1
for operand in conv=swab conv=sync conv=noerror skip=1 oflag=append \
	clone=always map=m; do
	refused "$operand" "cannot combine .*bmap=.*" bmap=small.bmap "$operand"
	says "$operand: both are named" err "${operand%%[=]*}|conversions"
done
refused 'the report in its place' \
	'bmap= and report= name the same file' bmap=small.bmap report=small.bmap
run as_dd if=small.img of=copy bmap=small.bmap
is 'as dd: exit status' "$status" 1

# auto: as bmaptool finds it.
mkdir auto auto/a.b
for map in auto/x.img.gz.bmap auto/x.img.bmap auto/x.bmap; do
	cp small.img auto/x.img.gz
	cp small.bmap $map
	run aiodd auto/x.img.gz copy bmap=auto
	is "auto, $map: exit status" "$status" 0
	says "auto, $map: it is found" err "the block map '$map'"
	rm -f $map copy
done
for image in auto/x auto/a.b/x auto/.x; do
	cp small.img $image
	cp small.bmap auto/a.bmap
	cp small.bmap auto/.bmap
	run aiodd $image copy bmap=auto
	is "auto, $image has none: exit status" "$status" 0
	is "auto, $image has none: a warning" "$(grep -c warning err)" 1
	says "auto, $image has none: which" err \
		"^aiodd: warning: no block map was found for '$image': all of it is copied\$"
	check "auto, $image has none: identical" same small.img copy
done
run aiodd - copy bmap=auto < <(cat small.img)
says 'auto, a pipe: a warning' err 'no block map was found for'
check 'auto, a pipe: identical' same small.img copy
rm -f copy

# Older versions.
strip='s/<ChecksumType>.*//; s/<BmapFile[^>]*>.*//'
for version in 1.0 1.1 1.2 1.3 1.4; do
	case $version in
	1.0 | 1.1) how="$strip; s/ chksum=\"[^\"]*\"//" ;;
	1.2) how="$strip" ;;
	1.3) how="s/<ChecksumType>.*//; s/BmapFileChecksum/BmapFileSHA1/g" ;;
	*) how= ;;
	esac
	sed "s/version=\"2.0\"/version=\"$version\"/; $how" small.bmap >old.bmap
	case $version in
	1.2) resum old.bmap small.img sha1 sha1 ;;
	1.3)
		resum old.bmap small.img sha1 sha1
		seal old.bmap sha1
		;;
	1.4) seal old.bmap ;;
	esac
	run aiodd small.img copy bmap=old.bmap
	is "version $version: exit status" "$status" 0
	check "version $version: identical" same small.img copy
	cp small.img bad.img
	flip bad.img 41000
	rm -f copy
	run aiodd bad.img copy bmap=old.bmap
	case $version in
	1.[01])
		is "version $version: nothing is checked" "$status" 0
		check "version $version: nor is it said" \
			eval '! grep -q matches err' ;;
	*) is "version $version: a flipped bit" "$status" 4 ;;
	esac
	rm -f copy
done
must bmaptool -q create --no-checksum -o none.bmap small.img
run aiodd small.img copy bmap=none.bmap
is 'no checksums: exit status' "$status" 0
check 'no checksums: identical' same small.img copy
for alg in md5 sha1 sha224 sha512; do
	sed "s/> sha256 </> $alg </" small.bmap >alg.bmap
	resum alg.bmap small.img $alg chksum
	seal alg.bmap $alg
	run aiodd small.img copy bmap=alg.bmap
	says "$alg: it is checked" err "matches the block map 'alg.bmap' \($alg\)"
done
rm -f copy

# Only what has a checksum is said to have been checked.
cp small.bmap part.bmap
sed -i '0,/ chksum="[0-9a-f]*"/s///' part.bmap
seal part.bmap
run aiodd small.img copy bmap=part.bmap report=report.json
is 'a range without a checksum: exit status' "$status" 0
says 'a range without a checksum: it says so' err \
	"checked in part: some ranges of the block map 'part.bmap' have no checksum"
is 'a range without a checksum: nor that it matches' \
	"$(grep -c 'matches the block map' err)" 0
is 'a range without a checksum: the report counts the others' \
	"$(jq '.bmap.ranges - .bmap.checked' report.json)" 1
run aiodd small.img copy bmap=part.bmap plan=yes
says 'a range without a checksum: plan=yes' out \
	'says; [0-9]+ of [0-9]+ ranges are checked by sha256$'

# What is known to be another image is refused before anything is lost.
head -c 150000 small.img | xz -c >short.xz
echo old >copy
run aiodd short.xz copy decompress=xz bmap=small.bmap
is 'a packed image of another size: exit status' "$status" 4
is 'a packed image of another size: nothing is lost' "$(cat copy)" old

# Nobody writes to it: that is waited for, and heard is a signal.
mkfifo fifo
PATH=$path_of_ours env --default-signal=INT aiodd small.img copy bmap=fifo \
	2>err &
pid=$!
wait_for grep -Eq 'wait_for_partner|poll' /proc/$pid/wchan
kill -INT $pid
wait $pid
is 'a map from a pipe without a writer: SIGINT ends it' $? 130
is 'a map from a pipe without a writer: nothing is lost' "$(cat copy)" old

rm -f copy

# Onto devices that are full of something else.
if [ "$(id -u)" -eq 0 ] && bed_loop 16M; then
	disk=$BED
	# count= ends the image, whatever comes behind it.
	run aiodd of="$disk" bs=4K iflag=fullblock bmap=small.bmap \
		count="$(size_of small.img)B" < <(cat small.img; echo more)
	is 'the image and more in a pipe, count=: exit status' "$status" 0
	head -c $((16 << 20)) /dev/zero | tr '\0' '\377' >full
	for image in small large; do
		size=$(size_of $image.img)
		for how in '' hash=sha256 verify=yes io=inline zeros=write \
			update=yes commit=first-last pipe 'pipe bs=4K' \
			'pipe zeros=write'; do
			must "$DD" if=full of="$disk" bs=1M status=none
			src=$image.img
			[[ $how != pipe* ]] || src=-
			# shellcheck disable=SC2086 # operands
			run aiodd $src "$disk" bmap=$image.bmap ${how#pipe} \
				< <(cat $image.img)
			is "$image onto a disk, $how: exit status" "$status" 0
			check "$image onto a disk, $how: gaps are zeros" \
				cmp -n "$size" $image.img "$disk"
			check "$image onto a disk, $how: nothing behind it" \
				cmp <(tail -c +$((size + 1)) full) \
				<(tail -c +$((size + 1)) "$disk")
		done
		# As bmaptool leaves it.
		must "$DD" if=full of="$disk" bs=1M conv=fsync status=none
		must bmaptool -q copy --bmap $image.bmap $image.img "$disk"
		must cp "$disk" want
		for how in '' bs=512 io=inline pipe 'pipe bs=4K'; do
			must "$DD" if=full of="$disk" bs=1M status=none
			src=$image.img
			[[ $how != pipe* ]] || src=-
			# shellcheck disable=SC2086 # operands
			run aiodd $src "$disk" bmap=$image.bmap zeros=skip \
				${how#pipe} < <(cat $image.img)
			is "$image, zeros=skip $how: exit status" "$status" 0
			check "$image, zeros=skip $how: gaps are left" \
				same want "$disk"
		done
		run aiodd $image.img "$disk" bmap=$image.bmap zeros=skip verify=yes
		is "$image, zeros=skip where there are none: found" "$status" 3
	done
	# A stream ends where the image does, also where nothing is mapped.
	cp large.img tail.img
	punch tail.img 3000 3073
	sync tail.img
	must bmaptool -q create -o tail.bmap tail.img
	run eval 'set -o pipefail; cat tail.img | aiodd - "$disk" bmap=tail.bmap'
	is 'a pipe that ends in a gap: exit status' "$status" 0
	check 'a pipe that ends in a gap: identical' \
		cmp -n "$(size_of tail.img)" tail.img "$disk"
	for size in 12500000 13000000; do
		cp tail.img other.img
		truncate -s $size other.img
		run aiodd - "$disk" bmap=tail.bmap < <(cat other.img)
		is "a pipe of $size bytes: exit status" "$status" 4
		says "a pipe of $size bytes: it says why" err \
			"has (more|fewer) bytes, but 'tail.bmap' is the block"
	done
	# A disk is checked with its map.
	must aiodd large.img "$disk" bmap=large.bmap status=none
	run aiodd if="$disk" of=/dev/null bmap=large.bmap
	is 'a larger disk as the source: exit status' "$status" 4
	run aiodd if="$disk" of=/dev/null bmap=large.bmap \
		count="$(size_of large.img)B"
	is 'so much of a disk as the source: exit status' "$status" 0
	says 'so much of a disk as the source: it is checked' err matches
	flip "$disk" 0
	run aiodd if="$disk" of=/dev/null bmap=large.bmap \
		count="$(size_of large.img)B"
	is 'a disk that differs: exit status' "$status" 4
	# Nothing of a first range that is not right.
	must "$DD" if=full of="$disk" bs=1M status=none
	cp small.img bad.img
	flip bad.img 0
	run aiodd bad.img "$disk" bmap=small.bmap commit=first-last
	is 'a bad image, commit=first-last: exit status' "$status" 4
	check 'a bad image, commit=first-last: the old first block' \
		cmp -n 4096 full "$disk"
else
	skip 'onto a disk' "${BED_WHY:-needs root}"
fi

# What is said.
run aiodd large.img copy bmap=large.bmap plan=yes
says 'plan=yes: the map' out \
	'^bmap: .* of .* are copied, as large.bmap says; [0-9]+ ranges are checked by sha256$'
says 'plan=yes: holes' out '^holes: kept \(bmap=\)$'
check 'plan=yes: nothing is made' test ! -e copy


# obmap=: what bmaptool does with our maps.
for image in small large; do
	for how in 'SRC DST' if= io=aio bs=7000 zeros=write update=yes \
		bmap=$image.bmap oflag=direct; do
		case $how in
		SRC*) names="$image.img copy" ;;
		if=) names="if=$image.img of=copy" ;;
		*) names="$image.img copy $how" ;;
		esac
		# shellcheck disable=SC2086 # operands
		run aiodd $names obmap=ours.bmap
		is "$image, obmap=, $how: exit status" "$status" 0
		is "$image, obmap=, $how: the same ranges" \
			"$(grep '<Range' ours.bmap)" "$(grep '<Range' $image.bmap)"
		run bmaptool copy --bmap ours.bmap copy theirs
		is "$image, obmap=, $how: bmaptool takes it" "$status" 0
		check "$image, obmap=, $how: identical" same $image.img theirs
		run aiodd theirs again bmap=ours.bmap
		is "$image, obmap=, $how: we take it" "$status" 0
		rm -f copy theirs again ours.bmap
	done
done
# Data that is no whole block, and zeros that are no hole.
truncate -s 100000 odd.img
printf x | must "$DD" of=odd.img bs=1 seek=70000 conv=notrunc status=none
must fallocate -o 20480 -l 4096 odd.img
head -c 4096 /dev/zero |
	must "$DD" of=odd.img bs=4096 seek=5 conv=notrunc status=none
run aiodd odd.img copy obmap=ours.bmap
is 'blocks of zeros, and one byte: exit status' "$status" 0
is 'blocks of zeros, and one byte: mapped' \
	"$(sed -n 's/.*<Range .*> \(.*\) <.*/\1/p' ours.bmap | tr '\n' ' ')" '5 17 '
run bmaptool copy --bmap ours.bmap odd.img theirs
check 'blocks of zeros, and one byte: identical' same odd.img theirs
run aiodd if=odd.img skip=70000B count=5000B of=copy obmap=ours.bmap
is 'a part: exit status' "$status" 0
run bmaptool copy --bmap ours.bmap copy theirs
check 'a part: it is mapped' same copy theirs
# Holes are not known.
for size in 0 1 4096 201000; do
	head -c $size large.img >in
	run aiodd of=copy obmap=ours.bmap < <(cat in)
	is "a pipe of $size bytes: exit status" "$status" 0
	says "a pipe of $size bytes: a warning" err \
		"^aiodd: warning: 'standard input' has no holes: the block map 'ours.bmap' will list all of it\$"
	is "a pipe of $size bytes: ranges" "$(grep -c '<Range' ours.bmap)" \
		$((size > 0))
	run aiodd in copy bmap=ours.bmap
	is "a pipe of $size bytes: it is its map" "$status" 0
done
run aiodd small.full copy obmap=- status=none
is 'standard output: exit status' "$status" 0
says 'standard output: it is there' out '> 0-49 </Range>'

# When it is not written, and where not.
echo old >ours.bmap
run aiodd bad.img copy bmap=small.bmap obmap=ours.bmap
is 'a copy that failed: the old map' "$(cat ours.bmap)" old
for file in small.img copy; do
	echo old >copy
	run aiodd small.img copy obmap=$file
	is "obmap=$file: exit status" "$status" 1
	is "obmap=$file: nothing is written" "$(cat copy)" old
done
for pair in bmap=small.bmap sums=ours.bmap report=ours.bmap; do
	file=${pair#*=}
	run aiodd small.img new obmap="$file" "$pair"
	is "obmap=$file $pair: exit status" "$status" 1
	says "obmap=$file $pair: both are named" err \
		'(obmap= and|and obmap=).* name the same file'
	check "obmap=$file $pair: nothing is made" test ! -e new
done
for operand in conv=swab conv=sync clone=always map=m verify=only seek=1; do
	run aiodd small.img copy obmap=ours.bmap "$operand"
	is "obmap= $operand: exit status" "$status" 1
	says "obmap= $operand: both are named" err 'cannot combine .*obmap=.*'
done
run aiodd small.img new obmap=other.bmap plan=yes
says 'plan=yes: the map of the copy' out \
	'^obmap: the block map of the copy is written to other.bmap$'
check 'plan=yes: no map is made' test ! -e other.bmap

# --- without a source -------------------------------------------------------

# surveys TEXT STATUS LAST-LINE OPERANDS...: of copy, which stays as it is, and
# nothing else is read
surveys()
{
	local text=$1 want=$2 last=$3

	shift 3
	md5sum copy >before
	{
		run aiodd of=copy verify=only "$@"
		is "$text: the input is left alone" "$(cat)" 'not read'
	} <<<'not read'
	is "$text: exit status" "$status" "$want"
	is "$text: the last line" "$(sed -n '$s/, [0-9.]* [KM]*i*B$//p;$p' err |
		head -n 1)" "aiodd: $last"
	is "$text: nothing is changed" "$(md5sum copy)" "$(cat before)"
}

# ranges_of MAP SIZE: offset and length of each range, in bytes
ranges_of()
{
	sed -n 's/.*<Range .*> \([0-9-]*\) <.*/\1/p' "$1" |
		awk -F - -v size="$2" '{
			off = $1 * 4096
			end = ($NF + 1) * 4096
			print off, (end < size ? end : size) - off
		}'
}

# differing: offset and length of what the last run has found
differing()
{
	sed -n "s/.*'copy': \([0-9]*\) bytes* at offset \([0-9]*\) differs*$/\2 \1/p" \
		err
}

rm -f copy
for image in small large; do
	must aiodd $image.img none obmap=ours-$image.bmap status=none
	rm -f none
	size=$(size_of $image.img)
	ranges_of $image.bmap "$size" >ranges
	listed=$(awk '{ sum += $2 } END { print sum }' ranges)
	not="'copy' does NOT match the block map"
	cp $image.full copy
	for map in $image.bmap ours-$image.bmap; do
		good="'copy' matches the block map '$map': $listed of $size bytes were checked (sha256)"
		for how in '' io=aio 'io=inline bs=64K' rate=1G \
			'depth=1 iosize=4K'; do
			# shellcheck disable=SC2086 # operands
			surveys "$map, $how" 0 "$good" bmap=$map $how
			is "$map, $how: what is counted" \
				"$(grep -c "^$listed bytes .* compared" err)" 1
		done
	done
	map=$image.bmap
	good="'copy' matches the block map '$map': $listed of $size bytes were checked (sha256)"
	end=0
	while read -r off len; do
		for at in $off $((off + len - 1)); do
			flip copy "$at"
			surveys "$image, byte $at" 3 "$not '$map': 1 range" \
				bmap=$map
			is "$image, byte $at: where" "$(differing)" "$off $len"
			flip copy "$at"
		done
		for at in $end $((off - 1)); do
			[ "$end" -lt "$off" ] || continue
			flip copy "$at"
			surveys "$image, byte $at of a gap" 0 "$good" bmap=$map
			flip copy "$at"
		done
		end=$((off + len))
	done <ranges
	while read -r off len; do
		flip copy $((off + len / 2))
	done <ranges
	nr=$(wc -l <ranges)
	for how in io=aio io=inline; do
		surveys "$image, all ranges, $how" 3 "$not '$map': $nr ranges" \
			bmap=$map $how
		is "$image, all ranges, $how: all are told" "$(differing)" \
			"$(cat ranges)"
	done
	# Another size.
	cp $image.full copy
	truncate -s $((size + 5)) copy
	surveys "$image, longer" 3 "$not '$map': 1 range" bmap=$map
	says "$image, longer: where" err \
		": 5 bytes at offset $size differ \\(the image ends there\\)\$"
	for len in $((size - 1)) 100000 40960 5 0; do
		cp $image.full copy
		truncate -s $len copy
		for how in io=aio io=inline; do
			surveys "$image, $len bytes, $how" 3 \
				"$not '$map': 1 range" bmap=$map $how
			says "$image, $len bytes, $how: where" err ": $((size -
				len)) bytes? at offset $len differs? \\(the destination ends there\\)\$"
		done
	done
	cp $image.full copy
	flip copy 0
	truncate -s 100000 copy
	surveys "$image, short and other bytes" 3 "$not '$map': 2 ranges" \
		bmap=$map
done

# More than are told one by one.
truncate -s 1M many.img
for ((i = 0; i < 30; i++)); do
	must "$DD" if=large.img of=many.img bs=4K skip=$((300 + i)) \
		seek=$((2 * i)) count=1 \
		conv=notrunc status=none
done
must fallocate -d many.img
sync many.img
must bmaptool -q create -o many.bmap many.img
tr '\0-\377' '\1-\377\0' <many.img >copy
surveys 'many ranges' 3 \
	"'copy' does NOT match the block map 'many.bmap': $(grep -c '<Range ' many.bmap) ranges" \
	bmap=many.bmap
is 'many ranges: 20 are printed' "$(differing | wc -l)" 20
says 'many ranges: the others are counted' err \
	": $(($(grep -c '<Range ' many.bmap) - 20)) more ranges differ\$"

# What has no checksum is not called good, nor read.
cp small.full copy
sed "s/version=\"2.0\"/version=\"1.1\"/; $strip; s/ chksum=\"[^\"]*\"//" \
	small.bmap >old.bmap
listed=$(ranges_of small.bmap "$(size_of small.img)" |
	awk '{ sum += $2 } END { print sum }')
surveys 'no checksums' 2 \
	"$listed bytes of 'copy' have no checksum in the block map 'old.bmap' and were not checked" \
	bmap=old.bmap
says 'no checksums: nothing is compared' err '^0 bytes compared'
sed "s/version=\"2.0\"/version=\"1.2\"/; $strip" small.bmap >old.bmap
resum old.bmap small.img sha1 sha1
surveys 'version 1.2' 0 \
	"'copy' matches the block map 'old.bmap': $listed of 201000 bytes were checked (sha1)" \
	bmap=old.bmap
surveys 'a range without a checksum' 2 \
	"4096 bytes of 'copy' have no checksum in the block map 'part.bmap' and were not checked" \
	bmap=part.bmap
run aiodd of=copy verify=only bmap=part.bmap report=report.json
is 'a range without a checksum: the report' "$(jq -c '[.verdict, .status,
	.compare, .source.kind, .bytes, .bytes_total, .unchecked]' report.json)" \
	"[\"incomplete\",2,\"bmap\",\"null\",$((listed - 4096)),$((listed - 4096)),4096]"
is 'a range without a checksum: the map of the report' "$(jq -c '.map |
	[.length, ([.cells[].done] | add), ([.cells[].hole] | add)]' report.json)" \
	"[201000,$((listed - 4096)),$((201000 - listed + 4096))]"
flip copy 0
surveys 'a byte that has no checksum' 2 \
	"4096 bytes of 'copy' have no checksum in the block map 'part.bmap' and were not checked" \
	bmap=part.bmap
flip copy 45000
surveys 'a range without a checksum, and another byte' 3 \
	"'copy' does NOT match the block map 'part.bmap': 1 range" bmap=part.bmap
says 'a range without a checksum, and another byte: both are told' err \
	'were not checked$'
run aiodd of=copy verify=only bmap=small.bmap report=report.json
is 'two bytes: the report' \
	"$(jq -c '[.verdict, .status, .differing.ranges, [.bad[].offset]]' report.json)" \
	'["differs",3,2,[0,40960]]'

# What is refused, and when.
cp small.full copy
# unsurveyed TEXT WHY OPERAND...: with status 1, in one line
unsurveyed()
{
	local text=$1 why=$2

	shift 2
	surveys "$text" 1 "$why" "$@"
	is "$text: one line" "$(wc -l <err)" 1
}
unsurveyed auto "bmap=auto looks beside the source, and there is none; give \
the name of the block map" bmap=auto
unsurveyed 'with a manifest' "verify=only without a source compares with \
manifest= or with bmap=; leave out one of them" bmap=small.bmap manifest=m
for operand in seek=1 count=9 hash=md5 decompress=xz; do
	unsurveyed "$operand" "verify=only without a source checks all that \
manifest= or bmap= is about; leave out skip=, seek=, count=, conv=, hash=, \
expect= and decompress=" bmap=small.bmap $operand
done
unsurveyed skip=1 \
	'cannot combine bmap= and skip=: the map is of the image as it is' \
	bmap=small.bmap skip=1
unsurveyed 'the destination as the map' \
	'bmap=copy: it is the source or destination' bmap=copy
unsurveyed 'no map' 'bmap=none: No such file or directory' bmap=none
run aiodd verify=only bmap=small.bmap
is 'no destination' "$status $(cat err)" \
	'1 aiodd: verify=only needs a named output: DST or of=FILE'
run aiodd of=none verify=only bmap=small.bmap
is 'nothing there' "$status $(cat err)" \
	"1 aiodd: failed to open 'none': No such file or directory"
check 'nothing there: nothing is made' test ! -e none
run aiodd of=copy verify=only bmap=/dev/stdin <small.bmap
is 'the map on standard input, which is no source' "$status" 0
run aiodd of=copy verify=only bmap=small.bmap <small.bmap
is 'a map on standard input, which is not read' "$status" 0
run aiodd - copy verify=only bmap=small.bmap <small.img
is 'standard input, by its name' "$status $(tail -n 1 err)" \
	"0 aiodd: 'copy' matches the source"
says 'standard input, by its name: it is checked' err \
	"'standard input' matches the block map"
run aiodd of=copy verify=only bmap=small.bmap plan=yes
is 'no source, plan=yes: what would be done' "$status $(head -n 2 out)" \
	"0 would compare copy (196 KiB) with the block map small.bmap
bmap: $listed bytes of 201000 bytes are read, as small.bmap says; \
$(grep -c '<Range ' small.bmap) ranges are checked by sha256"
says 'no source, plan=yes: gaps' out '^holes: kept \(bmap= says nothing of them\)$'

# Where nothing can be waited for: one read after the other.
if type -P strace >/dev/null; then
	for image in small large; do
		for call in epoll_create1 epoll_wait; do
			cp $image.full copy
			flip copy 4096
			ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run strace \
				-qq -f -o /dev/null -e inject=$call:error=EPERM \
				"$AIODD" of=copy verify=only bmap=$image.bmap
			is "$image, no $call" "$status $(grep -c \
				"^$(ranges_of $image.bmap "$(size_of $image.img)" |
				awk '{ sum += $2 } END { print sum }') bytes" err)" \
				'0 1'
			flip copy 0
			ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run strace \
				-qq -f -o /dev/null -e inject=$call:error=EPERM \
				"$AIODD" of=copy verify=only bmap=$image.bmap
			is "$image, no $call, another byte" "$status" 3
		done
	done
else
	skip 'without epoll' 'no strace here'
fi

# A disk, of any size that is large enough; and one that cannot be read.
if [ "$(id -u)" -eq 0 ] && bed_loop 16M; then
	disk=$BED
	must "$DD" if=/dev/urandom of="$disk" bs=1M count=16 status=none
	run aiodd large.img "$disk" bmap=large.bmap zeros=skip
	is 'a disk: the copy' "$status" 0
	size=$(size_of large.img)
	ranges_of large.bmap "$size" >ranges
	listed=$(awk '{ sum += $2 } END { print sum }' ranges)
	for how in '' io=inline; do
		# shellcheck disable=SC2086 # operands
		run aiodd of="$disk" verify=only bmap=large.bmap $how
		is "a disk, $how: it matches, with old data in the gaps" \
			"$status $(tail -n 1 err)" \
			"0 aiodd: '$disk' matches the block map 'large.bmap': $listed of $size bytes were checked (sha256)"
	done
	read -r off len < <(tail -n 1 ranges)
	flip "$disk" 1000
	flip "$disk" $((off + len - 1))
	run aiodd of="$disk" verify=only bmap=large.bmap
	is 'a disk, two bytes: exit status' "$status" 3
	is 'a disk, two bytes: where' "$(grep -c ' differ$' err)" 2
	says 'a disk, two bytes: the last range' err \
		"^aiodd: '$disk': $len bytes at offset $off differ\$"
	if bed_loop 4M; then
		must "$DD" if=large.img of="$BED" bs=1M count=4 conv=notrunc \
			status=none
		run aiodd of="$BED" verify=only bmap=large.bmap
		is 'a disk that is too small: exit status' "$status" 3
		says 'a disk that is too small: it says so' err \
			"^aiodd: '$BED': $((size - (4 << 20))) bytes at offset $((4 << 20)) differ \\(the destination ends there\\)\$"
	fi
else
	skip 'a disk without a source' "${BED_WHY:-needs root}"
fi
if type -P nbdkit nbdfuse >/dev/null; then
	printf '0x0 ? 1\n0x0 0x2000 +\n0x2000 0x1000 -\n0x3000 0x100000000 +\n' \
		>in-gap.map
	printf '0x0 ? 1\n0x0 0xb000 +\n0xb000 0x1000 -\n0xc000 0x100000000 +\n' \
		>in-range.map
	cp small.full bad.img
	truncate -s 200K bad.img # whole sectors, as a disk has them
	sed 's/ 201000 / 204800 /' small.bmap >disk.bmap
	resum disk.bmap bad.img sha256 chksum
	seal disk.bmap
	bed_bad gap "$work/bad.img" "$work/in-gap.map" || bail "$BED_WHY"
	run aiodd of="$BED" verify=only bmap=disk.bmap
	is 'a bad sector in a gap' "$status" 0
	bed_bad range "$work/bad.img" "$work/in-range.map" || bail "$BED_WHY"
	run aiodd of="$BED" verify=only bmap=disk.bmap
	is 'a bad sector in a range: exit status' "$status" 1
	says 'a bad sector in a range: where' err \
		"^aiodd: cannot read back '$BED': Input/output error \\(offset 4[0-9]*\\)\$"
else
	skip 'a disk that cannot be read' 'no nbdkit here'
fi

finish
