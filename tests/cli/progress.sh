#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# status=bar and status=progress: what a terminal shows, and what a log gets.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"

require_nbd
require script

size=$((8 << 20))
make_data "$work/data" $size 1
bed_nbd disk --filter=delay file "$work/data" delay-read=300ms ||
	skip_all "$BED_WHY"
# Eight requests, one after the other: more than two seconds.
operands=(if="$BED" of="$work/copy" bs=1M depth=1 iosize=1M iflag=direct)

run aiodd "${operands[@]}" status=bar
is 'bar, no terminal: exit status' "$status" 0
is 'bar, no terminal: nothing drawn' "$(grep -c $'\r' "$work/err")" 0
is 'bar, no terminal: three lines' "$(wc -l <"$work/err")" 3

# on_terminal STATUS ROWS COLUMNS: the screen's bytes go to $work/screen.
on_terminal()
{
	PATH=$path_of_ours script -qec \
		"stty rows $2 columns $3; aiodd ${operands[*]} status=$1" \
		/dev/null </dev/null >"$work/screen"
	status=$?
	tr '\r' '\n' <"$work/screen" >"$work/lines"
}

on_terminal bar 24 80
is 'bar on a terminal: exit status' "$status" 0
check 'bar on a terminal: identical' same "$work/data" "$work/copy"
says 'bar on a terminal: a percentage is drawn' "$work/lines" '[0-9]%'
says 'bar on a terminal: a rate is drawn' "$work/lines" '[0-9.]+ [KMG]iB/s'
says 'bar on a terminal: the statistics follow' "$work/lines" \
	'^8388608 bytes \(8\.4 MB, 8\.0 MiB\) copied, '
grep -Eo '[0-9]+(\.[0-9]+)?%' "$work/lines" | tr -d % >"$work/percents"
check 'bar on a terminal: drawn again and again' \
	test "$(sort -u "$work/percents" | wc -l)" -ge 3
check 'bar on a terminal: it only goes forward' sort -c -n "$work/percents"
check 'bar on a terminal: not beyond 100' \
	awk '$1 > 100 { exit 1 }' "$work/percents"

on_terminal bar 24 30
is 'bar on a narrow terminal: exit status' "$status" 0
# Escape sequences take no room.
sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' "$work/screen" | tr '\r' '\n' |
	grep '%' >"$work/lines"
check 'bar on a narrow terminal: is drawn' test -s "$work/lines"
check 'bar on a narrow terminal: fits' awk 'length > 30 { exit 1 }' \
	"$work/lines"

run aiodd "${operands[@]}" status=progress
is 'progress: exit status' "$status" 0
tr '\r' '\n' <"$work/err" >"$work/lines"
says 'progress: a line with whole seconds' "$work/lines" \
	'^[0-9]+ bytes( \(.*\))? copied, [1-9][0-9]* s, '
says 'progress: the statistics are on lines of their own' "$work/err" \
	'^8\+0 records in$'
is 'progress: one transfer line at the end' \
	"$(grep -Ec '^8388608 bytes \(8\.4 MB, 8\.0 MiB\) copied, [0-9]+\.[0-9]+ s' \
		"$work/err")" 1

# A hole is no speed, whatever the machine.
truncate -s 1G "$work/holey"
for at in 0 300 600 900; do
	"$DD" if="$work/data" of="$work/holey" bs=1M count=1 seek=$at \
		conv=notrunc status=none
done
operands=("$work/holey" "$work/copy" clone=never rate=2M)
on_terminal bar 24 80
is 'bar, holes at a rate: exit status' "$status" 0
grep -o '[0-9.]* [KMGi]*B/s  .*' "$work/lines" >"$work/rates"
check 'bar, holes at a rate: is drawn' test "$(wc -l <"$work/rates")" -ge 2
is 'bar, holes at a rate: none of 10 MiB/s or more' \
	"$(grep -E '^[0-9]+ MiB/s|GiB/s' "$work/rates")" ''

# wants_more PID SIZE: so much is written, and it sleeps in the next read
# shellcheck disable=SC2317 # called by like_dd
wants_more()
{
	[ "$(stat -c %s out 2>/dev/null)" = "$2" ] &&
		grep -q pipe_read "/proc/$1/wchan"
}

# As dd, with a writer that leaves no doubt about the seconds: each record comes
# when the program has waited for it for longer than one, and however much
# longer, there is one line.
if "$DD" --version | grep -q coreutils; then
	like_dd 'progress: as dd' 'mkfifo fifo' \
		'exec dd of=out bs=512 status=progress <fifo 2>err & pid=$!
		exec 3>fifo
		for i in 1 2 3; do
			wait_for wants_more $pid $((2 * i - 2)) || exit
			sleep 1.1
			echo $i >&3
		done
		exec 3>&-
		wait $pid
		echo $?
		tr "\r" "\n" <err | sed "s/copied, .*/copied/"; rm err fifo'
fi

finish
