#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# conv=, iflag= and oflag= words that are about files, as dd has them.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

require_gnu_dd

make_data "$work/new" 5000 1
make_data "$work/old" 9000 2
both='cp "$work/new" in; cp "$work/old" out'
one='cp "$work/new" in'

like_dd 'truncates' "$both" 'dd if=in of=out bs=1000'
like_dd 'conv=notrunc' "$both" 'dd if=in of=out bs=1000 conv=notrunc'
like_dd 'seek truncates there' "$both" 'dd if=in of=out bs=1000 seek=7 count=1'
like_dd 'seek, conv=notrunc' "$both" \
	'dd if=in of=out bs=1000 seek=7 count=1 conv=notrunc'
like_dd 'seek beyond the end' "$both" 'dd if=in of=out bs=1000 seek=20'
like_dd 'seek beyond the end, count=0' "$both" \
	'dd if=in of=out bs=1000 seek=20 count=0'
like_dd 'seek within, count=0' "$both" 'dd if=in of=out bs=1000 seek=3 count=0'
like_dd 'seek, count=0, conv=notrunc' "$both" \
	'dd if=in of=out bs=1000 seek=20 count=0 conv=notrunc'
like_dd 'seek by less than a block' "$both" 'dd if=in of=out seek=7B'
like_dd 'seek by bytes' "$both" 'dd if=in of=out bs=3 seek=7B'
like_dd 'oflag=seek_bytes' "$both" \
	'dd if=in of=out bs=100 seek=250 oflag=seek_bytes conv=notrunc'
like_dd 'count=0' "$both" 'dd if=in of=out count=0'
like_dd 'count=0 conv=notrunc' "$both" 'dd if=in of=out count=0 conv=notrunc'
like_dd 'conv=excl, new file' "$one" 'dd if=in of=out conv=excl'
like_dd 'conv=excl, existing file' "$both" 'dd if=in of=out conv=excl'
like_dd 'conv=excl without of=' "$one" 'dd if=in conv=excl >out'
like_dd 'conv=nocreat, missing file' "$one" 'dd if=in of=out conv=nocreat'
like_dd 'conv=nocreat, existing file' "$both" 'dd if=in of=out conv=nocreat'
like_dd 'conv=excl,nocreat' "$one" 'dd if=in of=out conv=excl,nocreat'
like_dd 'conv=fsync' "$both" 'dd if=in of=out conv=fsync bs=1M'
like_dd 'conv=fdatasync' "$both" 'dd if=in of=out conv=fdatasync bs=1M'
like_dd 'conv=fsync to a pipe' "$one" 'dd if=in conv=fsync | cat >out'
like_dd 'conv=fdatasync to a pipe' "$one" \
	'dd if=in conv=fdatasync | cat >out'
like_dd 'conv=fsync, input missing' : 'dd if=in of=out conv=fsync'
like_dd 'conv=fsync count=0' "$both" 'dd if=in of=out conv=fsync count=0'

like_dd 'a link to the output' "$both; ln -s out link" 'dd if=in of=link'
like_dd 'a dangling link as output' "$one; ln -s out link" 'dd if=in of=link'
like_dd 'iflag=nofollow' "$one; ln -s in link" \
	'dd if=link of=out iflag=nofollow'
like_dd 'oflag=nofollow' "$both; ln -s out link" \
	'dd if=in of=link oflag=nofollow'
like_dd 'nofollow, no link' "$both" \
	'dd if=in of=out iflag=nofollow oflag=nofollow'
like_dd 'iflag=directory' "$one" 'dd if=in of=out iflag=directory'
like_dd 'iflag=directory, a directory' 'mkdir in' \
	'dd if=in of=out iflag=directory'
like_dd 'iflag=directory, count=0' 'mkdir in' \
	'dd if=in of=out iflag=directory count=0'
like_dd 'oflag=directory' "$both" 'dd if=in of=out oflag=directory'
like_dd 'iflag=directory on stdin' "$one" 'dd iflag=directory of=out <in'
like_dd 'oflag=directory on stdout' "$one" 'dd if=in oflag=directory >out'
like_dd 'append after what is there' "$both" \
	'dd if=in of=out oflag=append conv=notrunc bs=700'
like_dd 'append with seek' "$both" \
	'dd if=in of=out oflag=append conv=notrunc bs=1000 seek=2'
like_dd 'append with sparse' "head -c 9000 /dev/zero >in; echo x >out" \
	'dd if=in of=out oflag=append conv=notrunc,sparse bs=1000'
like_dd 'oflag=append on stdout' "$both" 'dd if=in oflag=append conv=notrunc 1<>out'
for flag in noatime sync dsync nonblock noctty nocache nofollow; do
	like_dd "iflag=$flag" "$one" "dd if=in of=out bs=1000 iflag=$flag"
	like_dd "oflag=$flag" "$both" "dd if=in of=out bs=1000 oflag=$flag"
	like_dd "iflag=$flag oflag=$flag on descriptors" "$both" \
		"dd bs=1000 iflag=$flag oflag=$flag <in >out"
done
like_dd 'nocache, nothing copied' "$both" \
	'dd if=in count=0 iflag=nocache; dd of=out count=0 oflag=nocache,sync conv=notrunc </dev/null'
like_dd 'nocache on a pipe, count=0' : \
	'true | dd iflag=nocache count=0 of=out'
like_dd 'direct and nocache' "$one" 'dd if=in of=out iflag=direct,nocache'
like_dd 'direct out, nocache in' "$one" \
	'dd if=in of=out bs=1000 iflag=nocache'
like_dd 'iflag=fullblock' "$one" 'dd if=in of=out bs=700 iflag=fullblock'
like_dd 'oflag=fullblock' "$one" 'dd if=in of=out oflag=fullblock'
like_dd 'count_bytes, skip_bytes' "$one" \
	'dd if=in of=out bs=100 iflag=count_bytes,skip_bytes count=333 skip=77'
like_dd 'nonblock on an empty pipe' 'mkfifo f' \
	'exec 5<>f; dd iflag=nonblock of=out <f; rm f'
like_dd 'the mode of a new file' "$one; umask 027" 'dd if=in of=out'
like_dd 'an existing file keeps its mode' "$both; chmod 640 out" \
	'dd if=in of=out'
like_dd 'O_DIRECT with a whole number of blocks' \
	'make_data in 65536 1' 'dd if=in of=out bs=4096 iflag=direct oflag=direct'
like_dd 'O_DIRECT out with a tail' \
	'make_data in 70001 1' 'dd if=in of=out bs=4096 oflag=direct'
like_dd 'O_DIRECT in with a tail' \
	'make_data in 70001 1' 'dd if=in of=out bs=4096 iflag=direct'
for operands in 'iflag=direct skip=10B' 'iflag=direct skip=10B count=100' \
	'oflag=direct seek=10B' 'oflag=direct seek=4106B count=50'; do
	like_dd "O_DIRECT at no whole sector, $operands" \
		'make_data in 700001 1; cp in out' \
		"dd if=in of=out bs=4096 conv=notrunc $operands"
done
like_dd 'a copy onto itself' "$one" 'dd if=in of=in conv=notrunc bs=100'
like_dd 'a copy onto itself, shifted up' "$one" \
	'dd if=in of=in conv=notrunc bs=100 seek=1 count=70'
like_dd 'a copy onto itself, shifted down' "$one" \
	'dd if=in of=in conv=notrunc bs=100 skip=3'
like_dd 'a copy onto itself through a hard link' "$one; ln in link" \
	'dd if=in of=link conv=notrunc bs=100 seek=1 count=70'
like_dd 'a copy onto itself truncates first' "$one" 'dd if=in of=in'

# noatime where the access time would change.
make_data "$work/stamp" 5000 1
touch -a -d '2001-01-01' "$work/stamp"
run aiodd if="$work/stamp" of=/dev/null iflag=noatime
is 'iflag=noatime leaves the access time' \
	"$(stat -c %x "$work/stamp" | cut -c1-10)" 2001-01-01

# plan=yes creates and changes nothing.
must cp "$work/old" "$work/kept"
for of in "$work/missing" "$work/kept"; do
	run aiodd if="$work/new" of="$of" plan=yes bs=1K seek=1
	is "plan=yes: exit status" "$status" 0
	check 'plan=yes: says something' test -s "$work/out"
	is 'plan=yes: nothing on stderr' "$(cat "$work/err")" ''
done
run aiodd if="$work/new" of="$work/kept" plan=yes oflag=append
says 'plan=yes: appending goes by record' "$work/out" \
	'^method: record by record \(the destination is opened for appending\)'
run aiodd if="$work/new" of=/dev/null plan=yes verify=yes
is 'plan=yes: refuses what the copy would' "$status" 1
check 'plan=yes creates nothing' test ! -e "$work/missing"
check 'plan=yes changes nothing' same "$work/old" "$work/kept"

finish
