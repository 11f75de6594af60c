#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# status=bar: its lines, to the letter, on terminals of 80, 40 and 20 columns.
# Those with numbers of their own are in tests/check_bar.c; here the rate, the
# times and the bar are masked, and all else is exact.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016
. "$(realpath "$(dirname "$0")/../lib.sh")"

require python3 stty
cd "$work" || exit 99
make_data data $((8 << 20)) 1

# terminal COLUMNS COMMAND...: runs it on a terminal of its own. What it draws
# goes to the file screen, what is in the FIFO keys is typed, its exit status
# comes last; tty names the terminal.
cat >terminal <<'END'
import fcntl, os, pty, select, struct, sys, termios
pid, master = pty.fork()
if pid == 0:
    size = struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0)
    fcntl.ioctl(0, termios.TIOCSWINSZ, size)
    with open("tty", "w") as file:
        file.write(os.ttyname(0))
    os.execvp(sys.argv[2], sys.argv[2:])
keys = os.open("keys", os.O_RDWR)
screen = open("screen", "wb", buffering=0)
while True:
    for fd in select.select([master, keys], [], [])[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        if not data:
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            sys.exit(128 - status if status < 0 else status)
        if fd == keys:
            os.write(master, data)
        else:
            screen.write(data)
END
mkfifo keys
exec 8<>keys

# begin COLUMNS SCRIPT: sets pid
begin()
{
	rm -f out go screen tty continue
	# What a shell starts in the background ignores SIGINT.
	PATH=$path_of_ours env --default-signal=INT,QUIT python3 terminal "$1" \
		bash -c "$2" </dev/null &
	pid=$!
	wait_for test -s screen
}

# What was drawn, a frame a line; with since, behind that line.
since=
frames()
{
	tr '\r' '\n' <screen | sed "${since:+1,/^$since\$/d}" | sed -E -e 's/[0-9.]+ ([KMG]i)?B\/s/RATE/' \
		-e 's/[0-9:]+ elapsed/TIME elapsed/' -e 's/ETA [0-9:]+/ETA TIME/' \
		-e 's/\[[=> ]*\]/[BAR]/' -e 's/ +$//'
}

has_frame()
{
	frames | grep -qaxF -- "$1"
}

# golden TEXT LINE: it is drawn
golden()
{
	if wait_for has_or_ended "$pid" has_frame "$2" && has_frame "$2"; then
		pass "$1"
	else
		fail "$1" "not there: $2" "$(frames | sort | uniq -c | tail)"
	fi
}

# ends TEXT STATUS COLUMNS
ends()
{
	wait "$pid"
	is "$1: exit status" $? "$2"
	is "$1: the last columns are free" \
		"$(tr '\r' '\n' <screen | grep -aE 'elapsed|%' |
			awk -v most=$(($3 - 2)) '{ sub(/\^[CZ]/, ""); sub(/ +$/, "") }
				length > most')" ''
	is "$1: no escape sequence" "$(grep -ac $'\e' screen)" 0
}

last_frame()
{
	frames | grep -avE '^$|records|copied' | tail -n 1
}

# A MiB, then nothing until the file go is there, then the rest.
feed='{ head -c 1M data; until [ -e go ] || ! [ -e data ]; do sleep .02; done
	tail -c +1048577 data; } | aiodd bs=1M iflag=fullblock of=out status=bar'

### A copy

begin 80 "$feed count=8"
golden 'a copy, 80 columns' \
	'out:  12% [BAR] 1.0/8.0 MiB  RATE  TIME elapsed  ETA TIME'
touch go
ends 'a copy, 80 columns' 0 80
is 'a copy, 80 columns: the last line' "$(last_frame)" \
	'out: 100% [BAR] 8.0/8.0 MiB  RATE  TIME elapsed'
check 'a copy, 80 columns: the statistics have lines of their own' \
	grep -qx $'8+0 records in\r' screen

begin 40 "$feed count=8"
golden 'a copy, 40 columns' ' 12%  1.0/8.0 MiB  RATE  ETA TIME'
touch go
ends 'a copy, 40 columns' 0 40
is 'a copy, 40 columns: the last line' "$(last_frame)" \
	'100%  8.0/8.0 MiB  RATE'

begin 20 "$feed count=8"
golden 'a copy, 20 columns' ' 12%  1.0/8.0 MiB'
touch go
ends 'a copy, 20 columns' 0 20
is 'a copy, 20 columns: the last line' "$(last_frame)" '100%  8.0/8.0 MiB'

begin 8 "$feed count=8"
golden 'a copy, 8 columns' ' 12%'
touch go
ends 'a copy, 8 columns' 0 8

### One whose end is not known

begin 80 "$feed"
golden 'no total, 80 columns' 'out: 1.0 MiB  RATE  TIME elapsed'
touch go
ends 'no total, 80 columns' 0 80
is 'no total, 80 columns: the last line' "$(last_frame)" \
	'out: 100% [BAR] 8.0/8.0 MiB  RATE  TIME elapsed'
begin 20 "$feed"
golden 'no total, 20 columns' '1.0 MiB  RATE'
touch go
ends 'no total, 20 columns' 0 20

### Resized

begin 80 "$feed count=8"
golden 'before it is resized' \
	'out:  12% [BAR] 1.0/8.0 MiB  RATE  TIME elapsed  ETA TIME'
must stty -F "$(cat tty)" columns 20
golden 'after it is resized' ' 12%  1.0/8.0 MiB'
touch go
ends 'resized' 0 80
is 'resized: the last line' "$(last_frame)" '100%  8.0/8.0 MiB'

### Terminals that can do little

begin 80 "export TERM=dumb NO_COLOR=1; $feed count=8"
golden 'a dumb terminal' \
	'out:  12% [BAR] 1.0/8.0 MiB  RATE  TIME elapsed  ETA TIME'
touch go
ends 'a dumb terminal' 0 80

### In the background, and back

# All is drawn after the job has come to the foreground.
begin 80 "echo begun; set -m; ( $feed count=8 rate=1M ) & touch go; wait"
ends 'in the background' 0 80
is 'in the background: nothing is drawn' "$(frames | grep -c %)" 0
check 'in the background: the statistics are' grep -qF 'records out' screen

begin 80 "echo begun; set -m; ( $feed count=8 ) &
	until [ -s out ]; do sleep .02; done; fg >/dev/null"
golden 'brought to the foreground' \
	'out:  12% [BAR] 1.0/8.0 MiB  RATE  TIME elapsed  ETA TIME'
touch go
ends 'brought to the foreground' 0 80

# ^Z stops all of the job, the shell lets it go on.
begin 80 "set -m; ( $feed count=8 ); echo; echo stopped;
	until [ -e continue ]; do sleep .02; done; fg >/dev/null"
golden 'before ^Z' \
	'out:  12% [BAR] 1.0/8.0 MiB  RATE  TIME elapsed  ETA TIME'
printf '\032' >&8
golden 'after ^Z' 'stopped'
since=stopped
touch continue
golden 'continued' \
	'out:  12% [BAR] 1.0/8.0 MiB  RATE  TIME elapsed  ETA TIME'
touch go
ends 'continued' 0 80
is 'continued: the last line' "$(last_frame)" \
	'out: 100% [BAR] 8.0/8.0 MiB  RATE  TIME elapsed'
since=

### ^C

begin 80 "$feed count=8"
golden 'before ^C' \
	'out:  12% [BAR] 1.0/8.0 MiB  RATE  TIME elapsed  ETA TIME'
printf '\003' >&8
touch go
ends '^C' 130 80
check '^C: the statistics have lines of their own' \
	grep -qx $'1+0 records in\r' screen

### Holes

must truncate -s 64M holey
for at in 0 32; do
	must "$DD" if=data of=holey bs=1M count=1 seek=$at conv=notrunc status=none
done
begin 80 'aiodd holey holey-copy clone=never rate=1M status=bar'
ends 'holes' 0 80
is 'holes: the last line' "$(last_frame)" \
	'100% [BAR] 2.0/2.0 MiB data, 62 MiB holes  RATE  TIME elapsed'

### A sync, and what is read back after it

require_nbd
must truncate -s 1M backing
# After the file "let" is there the sync ends, after "read" what is read back.
bed_nbd disk --filter=noextents eval get_size='echo 1048576' \
	pread="[ ! -e $work/let ] || until [ -e $work/read ]; do sleep .02; done
		dd if=$work/backing bs=64K iflag=skip_bytes,count_bytes \
			skip=\$4 count=\$3 status=none" \
	pwrite="dd of=$work/backing bs=64K oflag=seek_bytes seek=\$4 \
		conv=notrunc status=none" \
	can_flush='exit 0' flush="until [ -e $work/let ]; do sleep .02; done" ||
	skip_all "$BED_WHY"
cleanup_push touch "$work/let" "$work/read"

# phases COLUMNS FLUSHING VERIFYING LAST
phases()
{
	rm -f let read
	begin "$1" "aiodd if=data of=disk/disk bs=64K count=16 conv=notrunc,fsync \
		verify=yes status=bar"
	golden "flushing, $1 columns" "$2"
	touch let
	golden "verifying, $1 columns" "$3"
	touch read
	ends "flushing and verifying, $1 columns" 0 "$1"
	is "flushing and verifying, $1 columns: the last line" \
		"$(frames | grep -aE '%|B/s' | grep -v copied | tail -n 1)" "$4"
}

phases 80 'disk/disk: flushing 1.0 MiB  TIME elapsed' \
	'disk/disk: verifying   0% [BAR] 0.0/1.0 MiB  RATE  TIME elapsed' \
	'disk/disk: 100% [BAR] 1.0/1.0 MiB  RATE  TIME elapsed'
phases 40 'disk: flushing 1.0 MiB  TIME elapsed' \
	'verifying   0%  0.0/1.0 MiB  RATE' '100%  1.0/1.0 MiB  RATE'
phases 20 'flushing 1.0 MiB' 'verifying   0%' '100%  1.0/1.0 MiB'

finish
