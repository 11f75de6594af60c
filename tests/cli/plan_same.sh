#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What ends a copy before its first byte ends plan=yes as well: in the same
# words, with the same exit status, and nothing is made or changed by it.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2317 # called by check
. "$(dirname "$0")/../lib.sh"

require sha256sum mkfifo
umask 022
cd "$work" || exit 99
make_data data 100000 1
hex=$(sha256sum <data | cut -d ' ' -f 1)

must mkdir -m 777 fresh
must cp data fresh/src
must cp data fresh/old
must mkdir fresh/dir
must mkfifo fresh/fifo
ln -s src fresh/link
ln -s loop fresh/loop
ln -s none fresh/dangling
printf '%s  src\n' "$hex" >fresh/sums
printf '%s  other\n' "$hex" >fresh/others
: >fresh/empty
echo '<bmap version="1.1"><ImageSize>9</ImageSize></bmap>' >fresh/part
echo '<bmap version="1.1"><ImageSize>0</ImageSize><BlockSize>1</BlockSize>
	<BlocksCount>0</BlocksCount><BlockMap></BlockMap>
	<MappedBlocksCount>0</MappedBlocksCount></bmap>' >fresh/map
fresh()
{
	rm -rf files
	must cp -a fresh files
}

# Names and kinds, and when each was written to or changed.
state()
{
	find files -printf '%p %y %m %l %s %T@ %C@\n'
}

# once OPERANDS...: by $how, among fresh files; its words in err
how=aiodd
once()
{
	(cd files && $how "$@" 3>&-) >out 2>err </dev/null
	status=$?
}

# same_end TEXT OPERANDS...: it fails, planned or not, in one way
same_end()
{
	local text=$1 wanted

	shift
	fresh
	state >before
	once "$@" plan=yes
	state >after
	check "$text: plan=yes changes nothing" same before after
	wanted=$status
	mv err planned
	fresh
	once "$@"
	is "$text: the exit status" "$wanted" "$status"
	check "$text: it fails" test "$status" -ne 0
	check "$text: before the first byte" eval '! grep -q records err'
	check "$text: the same words" same err planned
}

has_config()
{
	grep -q "^#define $1" "${top_builddir:-.}/config.h" 2>/dev/null
}

# The source.
same_end 'no source' none new
same_end 'no source, no name' if= of=new
same_end 'no directory of the source' none/src new
same_end 'a file as a directory' src/x new
same_end 'a link to nothing' dangling new
same_end 'a link to itself' loop new
same_end 'a link that is not followed' if=link of=new iflag=nofollow
same_end 'a source that is no directory' if=src of=new iflag=directory
same_end 'a directory as the source' dir old
check 'a directory as the source: the old file stays' test -s files/old
how='eval aiodd'
same_end 'standard input is no directory' of=new iflag=directory '<src'
same_end 'standard input is only written to' of=old '0>/dev/null'
check 'standard input is only written to: the old file stays' test -s files/old
how=aiodd

# The destination.
same_end 'onto a directory' src dir
same_end 'onto a directory, behind its start' if=src of=dir seek=1
same_end 'no directory of the destination' src none/new
same_end 'in a file' src old/new
same_end 'a name that ends in a slash' src new/
same_end 'no name' if=src of=
same_end 'onto a link to itself' src loop
same_end 'onto a link that is not followed' if=src of=link oflag=nofollow
same_end 'there already' if=src of=old conv=excl
same_end 'a link to nothing is there' if=src of=dangling conv=excl
same_end 'not there yet' if=src of=new conv=nocreat
same_end 'no directory' if=src of=old conv=nocreat oflag=directory
same_end 'a seek behind all files' if=src of=old seek=9223372036854775807
same_end 'a name in /dev' src /dev/aiodd-none
same_end 'onto itself' src src
same_end 'onto itself, by a link' src link
how='eval aiodd'
same_end 'standard output is no directory' if=src oflag=directory '>/dev/null'
how=aiodd

# commit=
same_end 'commit=first-last of a file' if=src of=old commit=first-last
same_end 'commit=first-last of nothing' if=src of=new commit=first-last
same_end 'commit=rename of a directory' if=src of=dir commit=rename
same_end 'commit=rename of a FIFO' if=src of=fifo commit=rename
same_end 'commit=rename of /dev/null' if=src of=/dev/null commit=rename
same_end 'commit=rename, no directory' if=src of=none/new commit=rename
same_end 'commit=rename, conv=excl' if=src of=old commit=rename conv=excl
same_end 'commit=rename, conv=nocreat' if=src of=new commit=rename \
	conv=nocreat
same_end 'commit=rename, a link to itself' if=src of=loop commit=rename
same_end 'commit=rename, no directory asked for' if=src of=old commit=rename \
	oflag=directory

# verify=, expect=, clone=
if has_config HAVE_LIBXXHASH; then
	same_end 'verify= of /dev/null' if=src of=/dev/null verify=yes
	how='eval aiodd'
	same_end 'verify= of a pipe' if=src verify=yes '> >(cat)'
	same_end 'verify= of what is appended' if=src verify=yes '>>old'
	same_end 'verify=, closed' if=src verify=yes '>&-'
	how=aiodd
	same_end 'verify= of a directory' if=src of=dir verify=yes
fi
if has_config HAVE_LIBCRYPTO; then
	same_end 'expect= of no file' if=src of=new expect=none
	same_end 'expect= of a directory' if=src of=new expect=dir
	same_end 'expect= of an empty file' if=src of=new expect=empty
	same_end 'expect= of other files' if=src of=new expect=others
	same_end 'expect= of no digest' if=src of=new expect=md5:12
	same_end 'expect= of the destination' if=src of=sums expect=sums
	same_end 'expect= of one of them' if=src of=new tee=sums expect=sums
	same_end 'expect=, and no source' if=none of=new as=src expect=sums
fi

# bmap=
if has_config HAVE_EXPAT; then
	same_end 'bmap= of no file' if=src of=new bmap=none
	same_end 'bmap= of a directory' if=src of=new bmap=dir
	same_end 'bmap= of the source' if=src of=new bmap=src
	same_end 'bmap= of another file' if=src of=new bmap=others
	same_end 'bmap= of half a map' if=src of=new bmap=part
	same_end 'bmap=, and the map is the source' if=map of=new bmap=auto
	same_end 'bmap= of another image' if=src of=new bmap=map
	for words in bmap=none bmap=dir bmap=others bmap=part bmap=auto \
		bmap=old 'bmap=map manifest=m' 'bmap=map count=1'; do
		# shellcheck disable=SC2086 # words
		same_end "$words, no source" of=old verify=only $words
	done
	same_end 'bmap=, no source, and nothing there' of=none verify=only \
		bmap=map
	same_end 'bmap=, no source, of a directory' of=dir verify=only bmap=map
	same_end 'bmap=, no source, of /dev/null' of=/dev/null verify=only \
		bmap=map
fi

# tee=
same_end 'tee= in no directory' src new tee=none/new
same_end 'tee= onto a directory' src new tee=dir
same_end 'tee= onto the source' src new tee=link
same_end 'tee= of the same file' src new tee=old tee=./old
same_end 'tee= of what is no disk' src new tee=/dev/full
same_end 'tee= of a FIFO' src new tee=fifo
same_end 'tee= of a name in /dev' src new tee=/dev/aiodd-none
same_end 'tee=, record by record' if=src of=new tee=other ibs=1000003 obs=999983
same_end 'tee=, record by record, both are there' if=src of=old tee=sums \
	ibs=1000003 obs=999983

# What goes along with a copy.
for word in sums report obmap; do
	[ $word = sums ] || has_config HAVE_JANSSON || continue
	[ $word = report ] || has_config HAVE_LIBCRYPTO || continue
	same_end "$word= in no directory" if=src of=new $word=none/file
	same_end "$word= of a directory" if=src of=new $word=dir
	same_end "$word= of the source" if=src of=new $word=src
	same_end "$word= of the destination" if=src of=new $word=new
done
# Operands.
while read -r operands; do
	# shellcheck disable=SC2086 # words
	same_end "$operands" $operands
done <<'END'
if=src of=new bs=0
if=src of=new bs=x
if=src of=new count=-1
if=src of=new nonesuch=1
src new more
if=src of=new conv=nonesuch
if=src of=new cbs=8 conv=block,unblock
if=src of=new conv=lcase,ucase
if=src of=new conv=ascii,ebcdic
if=src of=new conv=excl,nocreat
if=src of=new oflag=direct,nocache
if=src of=new depth=1024 iosize=1G
if=src of=new as=x
if=src of=new verify=yes oflag=append
if=src of=new commit=rename conv=notrunc
if=src of=new commit=rename seek=1
if=src of=new commit=rename oflag=append
if=src commit=rename
if=src of=new force=nonesuch
if=src of=new clone=always verify=yes
END

# Rights.
nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$AIODD" "$@"
}
chmod 755 "$work"
if [ "$(id -u)" -eq 0 ] && fresh &&
	(cd files && nobody src new status=none) 2>err; then
	# closed TEXT FILE MODE OPERANDS...
	closed()
	{
		local file=$2 mode=$3

		eval "$(declare -f fresh | sed '1s/fresh/fresh_open/')"
		fresh()
		{
			fresh_open
			must chmod "$mode" "files/$file"
		}
		same_end "$1" "${@:4}"
		eval "$(declare -f fresh_open | sed '1s/fresh_open/fresh/')"
	}
	how=nobody
	closed 'a source that may not be read' src 600 src new
	closed 'a file that may not be written' old 444 src old
	closed 'a directory that may not be written' dir 555 src dir/new
	closed 'a directory that may not be searched' dir 600 src dir/new
	closed 'commit=rename in such a directory' . 755 if=src of=old \
		commit=rename
	closed 'a new file in such a directory' . 755 src new
	closed 'commit=rename of such a file' old 444 if=src of=old commit=rename
	closed 'verify= of what may not be read' old 222 if=src of=old verify=yes
	how=aiodd
else
	skip 'rights' "needs root, and a program for everybody: $(cat err)"
fi

# Disks.
if [ "$(id -u)" -eq 0 ] && bed_loop 64K; then
	small=$BED
	same_end 'a disk that is too small' src "$small"
	same_end 'commit=rename of a disk' if=src of="$small" commit=rename
	same_end 'a disk onto itself' "$small" "$small"
	same_end 'one of two disks is too small' src new tee="$small"
	same_end 'a disk and the file under it' empty "$small" \
		tee="$(losetup -n -O BACK-FILE "$small")"
	read -r major minor < <(stat -c '%Hr %Lr' "$small")
	must mknod node b "$major" "$minor"
	for words in "new tee=$small tee=$PWD/node" "$small tee=$PWD/node" \
		"$PWD/node tee=$small"; do
		# shellcheck disable=SC2086 # words
		same_end "a disk twice: ${words//$PWD/.}" empty $words
	done
	losetup -d "$small"
	must truncate -s 1M image
	if small=$(losetup -r -f --show image 2>err); then
		cleanup_push wait_for losetup -d "$small"
		same_end 'a disk that is write-protected' src "$small"
		same_end 'a disk that is write-protected, verify=' if=src \
			of="$small" verify=yes
	fi
	if bed_loop 8M && disk=$BED && bed_mkfs ext4 "$disk" &&
		bed_mount ext4 "$disk"; then
		same_end 'a disk that is mounted' src "$disk"
		same_end 'a disk that is mounted, commit=' if=src of="$disk" \
			commit=first-last
	fi
else
	skip 'disks' "${BED_WHY:-needs root}"
fi

finish
