#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The exact words for a mistake on the command line, for --help, and on a
# terminal.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require script
cd "$work" || exit 99
mkdir files
cd files || exit 99
must truncate -s 64M src

# golden COMMAND <<TEXT: all that it prints, but for the statistics, and the
# exit status.
golden()
{
	is "$1" "$(eval "PATH=\$path_of_ours; $1" 2>&1 </dev/null |
		grep -v -e ' records ' -e ' copied, '
		echo "[${PIPESTATUS[0]}]")" "$(cat)"
}

# nothing_made: no copy of a refused command is left.
nothing_made()
{
	is 'nothing was made' "$(ls)" src
}

# on_terminal COMMAND: as golden, where all three descriptors are a terminal.
on_terminal()
{
	is "on a terminal: $1" "$(PATH=$path_of_ours script -qec "$1" /dev/null </dev/null |
		tr -d '\r' | grep -v -e ' records ' -e ' copied, '
		echo "[${PIPESTATUS[0]}]")" "$(cat)"
}

# --- numbers -------------------------------------------------------------

while IFS='|' read -r operand text; do
	# shellcheck disable=SC2059 # the operand is a word of the table
	golden "aiodd src made $(printf '%q' "$operand")" <<END
aiodd: $text
[1]
END
done <<'TABLE'
bs=4m|bs=4m: no suffix 'm'; 4M is 4 MiB
bs=4g|bs=4g: no suffix 'g'; 4G is 4 GiB
bs=4t|bs=4t: no suffix 't'; 4T is 4 TiB
bs=4Mb|bs=4Mb: no suffix 'Mb'; 4MB is 4000000 bytes, 4M is 4 MiB
bs=4mb|bs=4mb: no suffix 'mb'; 4MB is 4000000 bytes, 4M is 4 MiB
bs=4Mi|bs=4Mi: no suffix 'Mi'; 4M is 4 MiB
bs=4MiBs|bs=4MiBs: no suffix 'MiBs'; 4M is 4 MiB
bs=4 M|bs='4 M': a number has no blanks; 4M is 4 MiB
bs=1.5G|bs=1.5G: not a whole number; 1536M is 1.5 GiB
bs=1,5G|bs=1,5G: not a whole number; 1536M is 1.5 GiB
bs=1.1G|bs=1.1G: not a whole number
bs=4z|bs=4z: no suffix 'z'
bs=x|bs=x: not a number
bs=|bs='': not a number
bs=0|bs=0: must be at least 1
bs=9E|bs=9E: the number is too large
depth=x|depth=x: not a number; it must be from 1 to 1024
depth=5000|depth=5000: must be at most 1024
iosize=2g|iosize=2g: no suffix 'g'; it must be from 4096 to 1073741824
rate=5MB/s|rate=5MB/s: no suffix 'MB/s'; 5MB is 5000000 bytes, 5M is 5 MiB
skip=20m|skip=20m: no suffix 'm'; 20M is 20971520 blocks, 20MiB is 20971520 bytes
count=4bytes|count=4bytes: no suffix 'bytes'; 4B is 4 bytes
TABLE

# --- words ---------------------------------------------------------------

while IFS='|' read -r operand text; do
	golden "aiodd src made $operand" <<END
aiodd: $text
[1]
END
done <<'TABLE'
verify=maybe|verify= takes yes, only or no, not 'maybe'
verify=on|verify= does not take 'on'; did you mean 'no'?
plan=1|plan= takes yes or no, not '1'
force=yes|force= takes missing, system, mounted, swap, holders, overlap, busy, size, unchecked, map or format, not 'yes'
force=mount|force= does not take 'mount'; did you mean 'mounted'?
commit=yes|commit= takes rename or first-last, not 'yes'
clone=alway|clone= does not take 'alway'; did you mean 'always'?
io=direct|io= takes auto, aio or inline, not 'direct'
hash=sha3|hash= takes md5, sha1, sha224, sha256, sha384, sha512, blake2b or xxh128, not 'sha3'
status=loud|status= takes none, noxfer, progress, bar, json or engine, not 'loud'
status=progres|status= does not take 'progres'; did you mean 'progress'?
conv=fsnc|conv= does not take 'fsnc'; did you mean 'fsync'?
conv=notrunc,Sync|conv= does not take 'Sync'; did you mean 'sync'?
conv=direct|conv= does not take 'direct'; iflag= and oflag= do
oflag=fsync|oflag= does not take 'fsync'; conv= does
oflag=fullblock|oflag= does not take 'fullblock'; iflag= does
iflag=dirct|iflag= does not take 'dirct'; did you mean 'direct'?
verify|verify needs a value: verify=yes; for a file of that name, write ./verify
hash|hash needs a value: hash=ALGS; for a file of that name, write ./hash
TABLE

while IFS='|' read -r operand text; do
	golden "aiodd src made $operand" <<END
aiodd: $text
Try 'aiodd --help' for more information.
[1]
END
done <<'TABLE'
hahs=sha256|unknown operand 'hahs=sha256'; did you mean 'hash=sha256'?
BS=1M|unknown operand 'BS=1M'; did you mean 'bs=1M'?
in=file|unknown operand 'in=file'; did you mean 'if=file'?
a=b.img|unknown operand 'a=b.img'; for a file of that name, write './a=b.img'
third|extra operand 'third': SRC and DST are already given
TABLE

golden 'aiodd if=src of=made verify' <<'END'
aiodd: verify needs a value: verify=yes; for a file of that name, write ./verify
[1]
END
golden 'aiodd if=src made' <<'END'
aiodd: the source is given twice: 'src' and 'made'
[1]
END
golden 'aiodd --help=most' <<'END'
aiodd: --help takes no value except all: --help=all
[1]
END
golden 'aiodd src made retries=1' <<'END'
aiodd: retries= needs map=
[1]
END
golden 'aiodd src made map=m report=./m' <<'END'
aiodd: map= and report= name the same file
[1]
END
golden 'aiodd src made map=m sums=m' <<'END'
aiodd: map= and sums= name the same file
[1]
END
golden 'aiodd src made update=yes manifest=m report=m' <<'END'
aiodd: manifest= and report= name the same file
[1]
END
golden 'aiodd src made map=m update=yes' <<'END'
aiodd: cannot combine map= and update=: the map says what is there
[1]
END
golden 'dd if=src of=made map=m' <<'END'
dd: unrecognized operand 'map=m'
Try 'dd --help' for more information.
[1]
END
nothing_made

# What a word means does not depend on the files that there are.
must cp src verify
golden 'aiodd verify made' <<'END'
aiodd: verify needs a value: verify=yes; for a file of that name, write ./verify
[1]
END
golden 'aiodd ./verify ./a=b.img verify=no plan=no' <<'END'
[0]
END
check 'names with a slash are names' cmp src a=b.img
rm verify a=b.img
nothing_made

# --- skip= and seek= without a block size ---------------------------------

golden 'aiodd src made skip=20M' <<'END'
aiodd: warning: skip=20M is 5 TiB in blocks of 256 KiB, past the end of 'src' (64 MiB); skip=20MiB counts bytes
[0]
END
golden 'aiodd src made iseek=1P' <<'END'
aiodd: warning: iseek=1P is past the end of 'src' (64 MiB)
aiodd: src: cannot skip: Value too large for defined data type
[1]
END
golden 'aiodd src made skip=80MiB' <<'END'
aiodd: warning: skip=80MiB is past the end of 'src' (64 MiB)
[0]
END
golden 'aiodd if=src of=made bs=1M skip=80' <<'END'
aiodd: warning: skip=80 is 80 MiB in blocks of 1 MiB, past the end of 'src' (64 MiB)
[0]
END
golden 'cat src | aiodd - made skip=20M' <<'END'
aiodd: warning: skip=20M is 5 TiB in blocks of 256 KiB, past the end of 'standard input'; skip=20MiB counts bytes
[0]
END
golden 'aiodd - made skip=20M plan=yes <src >/dev/null' <<'END'
aiodd: warning: skip=20M is 5 TiB in blocks of 256 KiB, past the end of 'standard input' (64 MiB); skip=20MiB counts bytes
[0]
END
golden 'aiodd src made skip=20M status=none' <<'END'
[0]
END
golden 'aiodd src made seek=1K' <<'END'
aiodd: warning: seek=1K is 256 MiB in blocks of 256 KiB; seek=1KiB counts bytes
[0]
END
for operands in 'skip=20MiB' 'skip=256' 'seek=1KiB' 'seek=3' 'count=20M' \
	'bs=4K seek=1K'; do
	golden "aiodd src made $operands" <<'END'
[0]
END
done
run as_dd if=src of=made bs=1M skip=80
is 'dd has its own words' "$(head -n 1 "$work/err")" \
	'dd: src: cannot skip to specified offset'
rm made

# --- --help --------------------------------------------------------------

golden 'aiodd --help' <<'END'
Usage: aiodd [OPERAND]... SRC DST
  or:  aiodd [OPERAND]... if=SRC of=DST
Copy SRC to DST: files, disks or pipes, - for standard input or output.

  bs=BYTES       read and write up to BYTES bytes at a time
  count=N        copy only N input blocks; 10MiB counts bytes
  skip=N         skip N input blocks first; 10MiB skips bytes
  seek=N         skip N output blocks first; 10MiB skips bytes
  status=LEVEL   what to print on stderr: none, progress, ...
  hash=ALGS      print digests of what is written: sha256, md5, ...
  expect=FILE    check the source by a file of checksums, or ALG:HEX
  commit=MANNER  rename: only a complete copy replaces the output
  force=CHECKS   overrule these safety checks: mounted, size, ...
  verify=yes     compare the copy as read back; only: write nothing
  report=FILE    write a report to FILE: a page if .html, else JSON
  plan=yes       say what would be done, and do nothing

Write a USB stick, save a disk, restore it from a compressed image:
  aiodd debian.iso /dev/sdX verify=yes status=bar
  aiodd /dev/sdX disk.img conv=sparse commit=rename
  aiodd disk.img.zst /dev/sdX decompress=auto

'aiodd --help=all' lists every operand; 'man aiodd' explains them.
[0]
END
is '--help=all has every operand once' \
	"$(aiodd --help=all | grep -oE '^  [a-z]+=' | tr -d ' ' | sort)" \
	"$(aiodd --list-operands | grep -oE '^[a-z]+=' | sort -u)"
is '--help=all: the groups' "$(aiodd --help=all | grep -oE '^[A-Z][a-z ]+:$')" \
	"$(printf '%s:\n' 'What to copy' 'Block sizes and conversion' \
		'Checking the data' 'Safety of the destination' 'Speed' \
		'Progress and reports')"

# --- on a terminal -------------------------------------------------------

on_terminal 'aiodd' <<'END'
Usage: aiodd [OPERAND]... SRC DST
  or:  aiodd [OPERAND]... if=SRC of=DST
Try 'aiodd --help' for more information.
[1]
END
on_terminal 'aiodd src' <<'END'
aiodd: standard output is a terminal; name a DST, or give - to write there anyway
[1]
END
echo text >text
on_terminal 'aiodd text -' <<'END'
text
[0]
END
on_terminal 'aiodd if=text' <<'END'
text
[0]
END
on_terminal 'aiodd text | cat' <<'END'
text
[0]
END
on_terminal 'dd <text' <<'END'
text
[0]
END

finish
