#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# decompress=: files as the programs of their formats make them, from a file and
# from a pipe, into a file and onto a disk; what is damaged, cut off or something
# else; what is refused. DECOMPRESS_BITS: how many flipped bits are tried.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"
cd "$work" || exit 99
bits=${DECOMPRESS_BITS:-50}

# Of data, of zeros and of text; not a multiple of anything.
make_data img 700000 1
truncate -s 1M img
seq 60000 >>img
sum=$(sha256sum <img)

# here FORMAT: this build can, or it is skipped.
here()
{
	aiodd /dev/null /dev/null decompress="$1" status=none 2>err
	! grep -q 'left out' err
}

# packs NAME COMMAND...: img by its standard input, if there is such a program.
packs()
{
	local name=$1

	shift
	type -P "$1" >/dev/null || return
	"$@" <img >"img.$name" 2>/dev/null && [ -s "img.$name" ]
}

made=()
made()
{
	! packs "$@" || made+=("img.$1")
}
made gz gzip -c
made 1.gz gzip -1c
made pigz.gz pigz -c
made bgzip.gz bgzip -c
made igzip.gz igzip -c
made 1.xz xz -T1 -c
made 2.xz xz -T2 --block-size=200000 -c
made sha.xz xz -0 --check=sha256 -c
made pixz.xz pixz
made zst zstd -qc
made check.zst zstd -qc --check
made pzstd.zst pzstd -qc
made bz2 bzip2 -c
made lbzip2.bz2 lbzip2 -c
made lz4 lz4 -qc
made dependent.lz4 lz4 -qc -BD -BX
[ ${#made[@]} -gt 0 ] || skip_all 'no program that packs is here'

# format_of FILE: by its suffix.
format_of()
{
	echo "${1##*.}"
}

left=()
for file in "${made[@]}"; do
	if here "$(format_of "$file")"; then
		left+=("$file")
	else
		skip "$file" "$(head -n 1 err)"
	fi
done
made=("${left[@]}")
[ ${#made[@]} -gt 0 ] || finish

# unpacked TEXT: the last run has made copy of img.
unpacked()
{
	is "$1: exit status" "$status" 0
	is "$1: it is what was packed" "$(sha256sum <copy)" "$sum"
	rm -f copy
}

for file in "${made[@]}"; do
	run aiodd "$file" copy decompress=auto status=none
	unpacked "$file"
	# shellcheck disable=SC2002 # a pipe it is to be
	cat "$file" | aiodd of=copy decompress="$(format_of "$file")" \
		ibs=777 obs=10000 status=none
	status=${PIPESTATUS[1]}
	unpacked "$file, from a pipe"
	cat "$file" "$file" >twice
	run aiodd twice copy decompress=auto status=none
	is "$file twice: exit status" "$status" 0
	is "$file twice" "$(sha256sum <copy)" "$(cat img img | sha256sum)"
	(cat "$file"; echo more) >"more"
	run aiodd more copy decompress=auto
	is "$file and more: exit status" "$status" 1
	says "$file and more: it is told" err \
		"^aiodd: cannot decompress 'more': other data follows at \
input offset $(stat -c %s "$file"), output offset $(stat -c %s img)\$"
done

# What comes before the error is right, and no error is no error.
never_wrong()
{
	local text=$1

	rm -f copy
	run aiodd bad copy decompress="$2" bs=64K status=none
	[ ! -e copy ] || cmp -n "$(stat -c %s copy)" img copy >cmp.out 2>&1 ||
		{ [ "$status" -ne 0 ] || fail "$text" "$(cat cmp.out)"; return; }
	[ "$status" -eq 1 ] || [ "$(sha256sum <copy)" = "$sum" ] ||
		fail "$text" "exit status $status, $(stat -c %s copy) bytes"
}

# One of each format.
one=()
for format in gz xz zst bz2 lz4; do
	for file in "${made[@]}"; do
		[ "$(format_of "$file")" != $format ] || { one+=("$file"); break; }
	done
done
for file in "${one[@]}"; do
	format=$(format_of "$file")
	size=$(stat -c %s "$file")
	failed_before=$tests_failed
	for ((at = 1; at < size; at += (size + 15) / 16)); do
		head -c "$at" "$file" >bad
		run aiodd bad copy decompress="$format" status=none
		[ "$status" -eq 1 ] ||
			fail "$file cut at $at" "exit status $status"
		grep -qE "cannot decompress 'bad': cut off at input offset|not in $format" err ||
			fail "$file cut at $at: why" "$(cat err)"
	done
	is "$file: wherever it is cut, it is told" "$tests_failed" "$failed_before"
	RANDOM=1
	for ((i = 0; i < bits / 5; i++)); do
		at=$(((RANDOM * 32768 + RANDOM) % size))
		byte=$(od -An -tu1 -j "$at" -N 1 "$file")
		cp "$file" bad
		printf '%b' "\\x$(printf %x $((byte ^ 1 << RANDOM % 8)))" |
			dd of=bad bs=1 seek="$at" conv=notrunc status=none
		never_wrong "$file: a bit of byte $at" "$format"
	done
	is "$file: a wrong bit never gives other bytes" "$tests_failed" \
		"$failed_before"
done

file=${one[0]}
format=$(format_of "$file")

# pack FORMAT FILE
pack()
{
	case $1 in
	gz) gzip -1c "$2" ;;
	xz) xz -0c "$2" ;;
	zst) zstd -qc "$2" ;;
	bz2) bzip2 -c "$2" ;;
	lz4) lz4 -qc "$2" ;;
	esac
}

# What it is not.
run aiodd img copy decompress=auto status=none
unpacked 'auto: what is not packed is copied as it is'
# shellcheck disable=SC2002
cat img | aiodd - copy decompress=auto status=none
status=${PIPESTATUS[1]}
unpacked 'auto: likewise from a pipe'
run aiodd img copy decompress="$format"
is 'a format that it is not in: exit status' "$status" 1
says 'a format that it is not in: which' err \
	"^aiodd: cannot decompress 'img': it is not in $format format\$"
check 'a format that it is not in: nothing is made' test ! -e copy
run aiodd "$file" copy status=none
check 'without decompress= it is copied as it is' same "$file" copy
run aiodd if="$file" of=copy decompress=no status=none
check 'decompress=no: likewise' same "$file" copy
run aiodd "$file" copy threads=2
is 'threads= alone: exit status' "$status" 1
for other in conv=noerror conv=swab clone=always iflag=nocache map=m; do
	run aiodd "$file" new decompress=auto $other
	is "$other: exit status" "$status" 1
	says "$other: both are named" err 'cannot combine .*decompress='
	check "$other: nothing is made" test ! -e new
done

# Parts, promises, and what is said.
run aiodd "$file" copy decompress=auto skip=1000B count=5000B status=none
is 'skip= and count=: of what was packed' "$(sha256sum <copy)" \
	"$(tail -c +1001 img | head -c 5000 | sha256sum)"
rm -f copy
run aiodd "$file" copy decompress=auto hash=sha256 sums=- status=none
is 'hash=: of what is written' "$(cat out)" "${sum%% *}  copy"
rm -f copy
run aiodd "$file" copy decompress=auto verify=yes commit=rename rate=100M
unpacked 'verify=, commit= and rate='
says 'verify=: it is said' err "^aiodd: 'copy' is verified\$"
run aiodd "$file" copy decompress=auto conv=sparse status=none
unpacked 'conv=sparse'
sha256sum "$file" >SUMS
run aiodd "$file" copy decompress=auto expect=SUMS
unpacked 'expect=: of the packed file'
says 'expect=: which it was' err "^aiodd: '$file' has the expected sha256\$"
echo "${sum%% *} *${file%.*}" >SUMS
run aiodd "$file" copy decompress=auto expect=SUMS
unpacked 'expect=: of its contents'
says 'expect=: that it was them' err \
	"^aiodd: the decompressed '$file' has the expected sha256\$"
run aiodd "$file" copy decompress=auto expect="sha256:$(sha256sum </dev/null |
	cut -d' ' -f1)" commit=rename
is 'expect=: neither: exit status' "$status" 4
says 'expect=: neither: both are told' err \
	"is not what was expected: its sha256 is ${sum%% *}, that of the \
compressed file is $(sha256sum <"$file" | cut -d' ' -f1), not "
check 'expect=: neither: commit= keeps it away' test ! -e copy
cp img copy
run aiodd "$file" copy decompress=auto verify=only
is 'verify=only: exit status' "$status" 0
printf x | dd of=copy bs=1 seek=5000 conv=notrunc status=none
run aiodd "$file" copy decompress=auto verify=only status=none
is 'verify=only: another byte: exit status' "$status" 3
run aiodd "$file" copy decompress=auto update=yes
is 'update=yes: exit status' "$status" 0
is 'update=yes: it is there' "$(sha256sum <copy)" "$sum"
says 'update=yes: only what differs was written' err \
	'^aiodd: 4096 bytes were different and were written$'
run aiodd "$file" copy decompress=auto plan=yes
says 'plan=yes: the source' out "^source: $file \($format, "
says 'plan=yes: by whom' out "^decompress: $format, by "

# The rest of a damaged copy is not mistaken for it.
head -c $(($(stat -c %s "$file") / 2)) "$file" >half
cp copy before
run aiodd half copy decompress=auto commit=rename
is 'half of it: exit status' "$status" 1
check 'half of it: commit=rename keeps the old one' same copy before

# What others unpack.
for kind in 'lzma|xz -dc|xz --format=lzma' 'lz4 -l|lz4 -dc|lz4 -lc'; do
	IFS='|' read -r name unpacks packs <<<"$kind"
	$packs <img >foreign
	run aiodd foreign new decompress=auto
	is "$name: exit status" "$status" 5
	says "$name: what unpacks it" err \
		"compressed \\($name\\); '$unpacks' unpacks it, force=format writes"
	check "$name: nothing is made" test ! -e new
	run aiodd foreign new
	is "$name as it is: exit status" "$status" 0
	check "$name as it is" same foreign new
	rm -f new
done

# Archives.
if type -P bsdtar >/dev/null && bsdtar -acf a.zip img 2>err; then
	run aiodd a.zip new decompress=auto
	is 'a zip archive: exit status' "$status" 5
	says 'a zip archive: what unpacks it' err \
		"a zip archive; 'bsdtar -xO' unpacks it, force=format writes"
	check 'a zip archive: nothing is made' test ! -e new
else
	skip 'a zip archive' 'no bsdtar here'
fi

require_loop
bed_loop 2M || skip_all "$BED_WHY"
disk=$BED

clear_disk()
{
	must dd if=/dev/zero of="$disk" bs=1M count=2 status=none
}

# on_disk TEXT: it begins with img.
on_disk()
{
	is "$1: exit status" "$status" 0
	is "$1" "$(head -c "$(stat -c %s img)" "$disk" | sha256sum)" "$sum"
	clear_disk
}

# refused TEXT WHY: and the disk is as it was.
refused()
{
	is "$1: exit status" "$status" 5
	says "$1: why" err "^aiodd: not writing to '$disk' .*: $2"
	check "$1: nothing is written" cmp -s -n 2M "$disk" /dev/zero
}

for file in "${one[@]}"; do
	format=$(format_of "$file")
	run aiodd "$file" "$disk"
	refused "$file onto a disk" "the source is compressed \($format\); \
decompress=auto decompresses it, force=format writes it as it is\$"
	# shellcheck disable=SC2002
	cat "$file" | aiodd of="$disk" 2>err
	status=${PIPESTATUS[1]}
	refused "$file onto a disk, by a pipe" "the source is compressed"
	run aiodd "$file" "$disk" decompress=auto status=none
	on_disk "$file onto a disk, unpacked"
	# shellcheck disable=SC2002
	cat "$file" | aiodd - "$disk" decompress=auto status=none
	status=${PIPESTATUS[1]}
	on_disk "$file onto a disk, unpacked from a pipe"
done
file=${one[0]}
format=$(format_of "$file")
run aiodd "$file" "$disk" plan=yes
refused 'plan=yes' 'the source is compressed'
for consent in decompress=no force=format; do
	run aiodd "$file" "$disk" $consent status=none
	is "$consent: exit status" "$status" 0
	check "$consent: it is there as it is" \
		cmp -n "$(stat -c %s "$file")" "$file" "$disk"
	clear_disk
done
run aiodd "$file" "$disk" decompress=auto commit=first-last verify=yes \
	expect="sha256:${sum%% *}"
says 'commit=first-last: all is said' err "^aiodd: '$disk' is safe to remove\$"
on_disk 'commit=first-last and verify='
run aiodd half "$disk" decompress=auto commit=first-last
is 'half of it onto a disk: exit status' "$status" 1
check 'half of it onto a disk: it has no first block' \
	cmp -s -n 4096 "$disk" /dev/zero
clear_disk

tar cf a.tar img
pack "$format" a.tar >a.tar.packed
run aiodd a.tar.packed "$disk" decompress=auto
refused 'a tar archive, unpacked onto a disk' \
	"the source is a tar archive; 'bsdtar -xO' unpacks it"
run aiodd a.tar.packed b.tar decompress=auto status=none
check 'a tar archive into a file is not' same a.tar b.tar
printf 'QFI\373' >a.qcow2
truncate -s 100K a.qcow2
run aiodd a.qcow2 "$disk"
refused 'a qcow2 image' 'the source is a qcow2 image'

# Bombs: more than the disk holds.
truncate -s 100M bomb
for file in "${one[@]}"; do
	format=$(format_of "$file")
	pack "$format" bomb >bomb.packed
	run aiodd bomb.packed "$disk" decompress=auto
	case $format in
	xz | zst)
		refused "a bomb in $format" 'it is .* too small for 100 MiB'
		;;
	*)
		is "a bomb in $format: exit status" "$status" 1
		says "a bomb in $format: the disk is full" err \
			'No space left on device'
		;;
	esac
done

finish
