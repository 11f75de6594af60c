#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A server that takes all that is written, and refuses it at the close: the copy
# has failed, through whatever descriptor it went.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2154,SC2317 # top_srcdir comes from outside
. "$(dirname "$0")/../lib.sh"

require_root
require_gnu_dd
require cc pkg-config fusermount3 jq
[ -w /dev/fuse ] || skip_all 'no /dev/fuse here'
pkg-config fuse3 || skip_all 'no headers of fuse3 here'
cd "$work" || exit 99

# shellcheck disable=SC2046 # the options
check 'the file system compiles' cc -o flush "$top_srcdir/tests/beds/flush.c" \
	$(pkg-config --cflags --libs fuse3)
mkdir real served
./flush "$work/real" "$work/served" >served.log 2>&1 &
cleanup_push bed_umount "$work/served"
wait_served $! mountpoint -q served ||
	skip_all "fuse: $(head -n 1 served.log)"

make_data data $((33 << 20)) 1
echo old >real/old
run gnu_dd if=data of=served/copy bs=1M
is 'GNU dd: exit status' "$status" 1
masked err >expected

# refused TEXT: the copy that was run has failed for it, and is trusted by
# nobody.
refused()
{
	is "$1: exit status" "$status" 1
	says "$1: message" err \
		"^aiodd: closing output file '[^']*': Disk quota exceeded\$"
	is "$1: no other word" "$(grep -Evc " was not [a-z]+" err)" 1
}

for dd in as_dd gnu_dd; do
	for operands in bs=1M 'bs=1M conv=fsync' 'bs=1M oflag=direct' \
		'bs=1000 count=3'; do
		# shellcheck disable=SC2086 # the operands
		run $dd if=data of=served/copy $operands
		is "$dd $operands: exit status" "$status" 1
		check "$dd $operands: the words" diff expected <(masked err)
	done
done
for operands in io=aio io=inline 'io=aio conv=fsync' 'io=inline conv=fsync' \
	'oflag=direct io=inline' 'oflag=direct conv=fsync' verify=yes \
	'verify=yes io=inline' hash=md5 'conv=sparse io=aio' \
	'bs=1000 count=3' oflag=nocache; do
	# shellcheck disable=SC2086 # the operands
	run aiodd if=data of=served/copy $operands
	refused "$operands"
done
run aiodd data served/names
refused 'SRC DST'
for io in aio inline; do
	run aiodd if=data of=served/old commit=rename io=$io
	refused "commit=rename io=$io"
	is "commit=rename io=$io: the old file is there" "$(<real/old)" old
	is "commit=rename io=$io: and no other" "$(ls -A real)" \
		"$(printf 'copy\nnames\nold')"
done
run aiodd if=data of=served/copy io=aio conv=fsync report=report.json status=none
is 'report: exit status' "$status" 1
is 'report: nothing is durable' "$(jq .durable report.json)" 0
run aiodd if=data of=good sums=served/sums hash=md5
is 'sums=: exit status' "$status" 1
says 'sums=: message' err 'sums=served/sums: Disk quota exceeded$'
run aiodd if=data of=good report=served/report.json
is 'report=: exit status' "$status" 1
says 'report=: message' err 'report=served/report.json: Disk quota exceeded$'

finish
