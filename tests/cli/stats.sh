#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The lines about records, for every kind of arithmetic on a small file.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

require_gnu_dd

make_data "$work/data" 10007 1
setup='cp "$work/data" in'

while read -r operands; do
	like_dd "operands: $operands" "$setup" "dd if=in of=out $operands"
done <<'TABLE'

bs=1
bs=1000
bs=10007
bs=10008
bs=1M
bs=2x500
bs=1kB
bs=1w count=3
ibs=100
obs=100
ibs=100 obs=1000
ibs=1000 obs=100
ibs=300 obs=700
ibs=10007 obs=1
ibs=1 obs=10007 count=5000
bs=100 ibs=7 obs=9
count=0
count=1
count=3 bs=1000
count=100 bs=1000
count=1000B
count=1000B bs=300
count=5000 iflag=count_bytes bs=512
count=1KiB bs=1000
skip=3
skip=3 bs=1000
iseek=3 bs=1000 count=2
skip=777B bs=1000
skip=777 iflag=skip_bytes bs=1000
skip=10 bs=1000
skip=10007B
skip=10008B
skip=11 bs=1000
skip=100 bs=1M
seek=3
oseek=3 bs=1000
seek=777B bs=500
seek=3 skip=2 count=4 bs=1000
ibs=100 obs=300 seek=2 skip=5 count=31
bs=1000 conv=sync
ibs=1000 obs=300 conv=sync
bs=1000 conv=sparse
bs=1000 conv=notrunc
bs=1000 conv=ucase
ibs=900 obs=700 conv=swab
cbs=80 conv=block
cbs=80 conv=unblock
bs=1000 status=none
bs=1000 status=noxfer
bs=1000 status=none,noxfer
bs=1000 status=noxfer status=none
bs=1000 iflag=fullblock
count=1 count=2B
bs=1000 bs=500
skip=5 iseek=1
TABLE

like_dd 'nothing' ': >in' 'dd if=in of=out'
like_dd 'nothing, skip' 'printf abc >in' 'dd if=in of=out skip=3B bs=3'
for size in 1 2 511 512 513 999 1000 1023 1024 1025 9949 9950 10239 \
	999499 999500 1023999 1048576; do
	like_dd "$size bytes in words" : \
		"head -c $size /dev/zero | dd of=out bs=2M iflag=fullblock"
done

# The time is a number, and the rate has a unit.
run aiodd if="$work/data" of="$work/copy"
says 'the transfer line' "$work/err" \
	'^10007 bytes \(10 kB, 9\.8 KiB\) copied, [0-9.e-]+ s, [0-9.]+ [kMGT]?B/s$'
is 'three lines' "$(wc -l <"$work/err")" 3
is 'nothing on stdout' "$(cat "$work/out")" ''

finish
