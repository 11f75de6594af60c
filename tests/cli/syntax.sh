#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Operands that are wrong: one clear line, exit 1, nothing created.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

require_gnu_dd

echo data >"$work/data"
setup='cp "$work/data" in'

while read -r operands; do
	like_dd "dd $operands" "$setup" "dd if=in of=out $operands"
done <<'TABLE'
bs=0
bs=
bs=x
bs=-1
bs=1z
bs=1BB
bs=B
bs=1.5
bs=1e3
bs=9223372036854775807
bs=9223372036854775808
bs=99999999999999999999
bs=8E
ibs=0
obs=0
cbs=0
count=x
count=-1
count=9999999999999999999999
skip=1m
seek=Ki
conv=foo
conv=
conv=sync,
conv=Sync
conv=ascii,ebcdic
conv=lcase,ucase
conv=excl,nocreat
conv=block,unblock cbs=10
iflag=foo
iflag=direct,nocache
oflag=foo
oflag=fullblock
oflag=direct,nocache
status=foo
status=
foo
foo=bar
BS=1
iskip=1
-x
--foo
-- --help
bs=1 bs=x
bs=x bs=y
conv=foo bs=x
seek=9223372036854775807
skip=9223372036854775807
TABLE

# As dd it knows no operand that dd does not know.
for operand in depth=3 iosize=1M io=aio plan=yes status=bar status=engine \
	'in out'; do
	like_dd "dd $operand" "$setup" "dd $operand if=in of=out"
done

# Ours: a line that names the operand.
while read -r operand; do
	rm -f "$work/made"
	run aiodd if="$work/data" of="$work/made" "$operand"
	is "aiodd $operand: exit status" "$status" 1
	check "aiodd $operand: nothing created" test ! -e "$work/made"
	is "aiodd $operand: nothing on stdout" "$(cat "$work/out")" ''
	check "aiodd $operand: the line names it" \
		awk -v name="${operand%%=*}" -v value="${operand#*=}" \
		'NR == 1 && /^aiodd: / && index($0, name) && index($0, value)
			{ found = 1 } END { exit !(found && NR <= 2) }' \
		"$work/err"
done <<'TABLE'
depth=0
depth=x
depth=-1
depth=1.5
depth=1000000
iosize=0
iosize=x
iosize=1P
io=foo
plan=maybe
deep=3
TABLE

# refused OPERANDS...: refused with one line, two with the hint.
refused()
{
	run aiodd "$@"
	is "aiodd $*: exit status" "$status" 1
	check "aiodd $*: a short message" \
		awk '!/^(aiodd: |Try )/ { exit 1 } END { exit NR < 1 || NR > 2 }' \
		"$work/err"
	check "aiodd $*: nothing created" test ! -e "$work/made"
}

cd "$work" || exit 99
refused data made third
refused if=data data made
refused data of=made made
refused data made bs=0
refused missing made
refused --no-such-option
run aiodd data made
is 'SRC DST: exit status' "$status" 0
check 'SRC DST: copied' same data made
rm -f made
run aiodd bs=1 data made count=2B
is 'SRC DST among operands' "$status $(cat made)" '0 da'

for option in --help --help=all --version; do
	run aiodd $option
	is "$option: exit status" "$status" 0
	check "$option: on stdout" test -s out
	is "$option: nothing on stderr" "$(cat err)" ''
	run eval "aiodd $option >/dev/full"
	is "$option to a full disk: exit status" "$status" 1
done

# A bare name and an operand for the same side.
for operands in 'a if=b' 'if=b a' 'a c of=b' 'of=b a c'; do
	# shellcheck disable=SC2086 # the operands
	run aiodd $operands
	is "$operands: exit status" "$status" 1
	says "$operands: why" "$work/err" \
		'^aiodd: the (source|destination) is given twice: '
done
run aiodd if=nowhere if="$work/bin" of=/dev/null
says 'of two if= the last one counts' "$work/err" 'Is a directory'

# What excludes what, all of it: any other two of these go together.
words='oflag=append clone=always commit=first-last commit=rename expect=md5:@
	hash=md5 conv=notrunc seek=1 sums=s verify=yes map=m conv=swab
	oflag=nocache'
md5=$(md5sum "$work/data" | cut -c 1-32)
cat >"$work/conflicts" <<'TABLE'
clone=always and hash=: cloning reads no data
clone=always and sums=: cloning reads no data
clone=always and expect=: cloning reads no data
clone=always and verify=: cloning reads no data
verify= and oflag=append: others may append, too
commit= and oflag=append: what is there already stays
commit=rename and conv=notrunc: it replaces the whole file
commit=rename and seek=: it replaces the whole file
map= and conversions of bytes: bytes keep their places
map= and oflag=append: bytes keep their places
map= and iflag= or oflag=nocache: nothing is read in order
map= and commit=: a later run goes on with the copy
map= and clone=always: cloning reads no data
TABLE
for one in $words; do
	for other in $words; do
		[ "${one%%=*}" != "${other%%=*}" ] || continue
		must cp "$work/data" "$work/kept"
		run aiodd if="$work/data" of="$work/kept" "${one/@/$md5}" "${other/@/$md5}" plan=yes
		grep '^aiodd: cannot combine' "$work/err" | cut -d ' ' -f 4- >>"$work/told"
		check "$one and $other: nothing is lost" cmp "$work/data" "$work/kept"
	done
done
is 'these pairs are refused, and no others' \
	"$(sort -u "$work/told")" "$(sort "$work/conflicts")"

finish
