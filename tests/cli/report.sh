#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# status=json and report=: what they write is what the schema says, of every
# end that a run can have, and it is true.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016,SC2317
. "$(dirname "$0")/../lib.sh"

top=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")
grep -q '^#define HAVE_JANSSON' "${top_builddir:-$top/build}/config.h" ||
	skip_all 'built without jansson'
require python3 jq
python3 -c 'import jsonschema' 2>/dev/null || skip_all 'no python3-jsonschema'
cd "$work" || exit 99

# One validator for all: it takes long to start.
coproc validator {
	python3 "$top/tests/validate.py" "$top/docs/report.schema.json"
}
exec 7<&"${validator[0]}" 8>&"${validator[1]}"

# valid QUESTION...
valid()
{
	local IFS=$'\t' answer

	echo "$*" >&8
	read -r answer <&7
	[ "$answer" = ok ] || { echo "$answer"; return 1; }
}

make_data src $((3 * 1048576 + 77)) 1
digest=$(sha256sum <src | cut -d' ' -f1)

# json TEXT STATUS VERDICT OPERANDS...: a run with status=json and report=
json()
{
	local text=$1 wanted=$2 verdict=$3

	shift 3
	rm -f report.json
	run aiodd "$@" status=json report=report.json
	is "$text: exit status" "$status" "$wanted"
	check "$text: valid" valid both err report.json
	is "$text: verdict" "$(jq -r .verdict report.json)" "$verdict"
	is "$text: status" "$(jq .status report.json)" "$wanted"
}

# has TEXT FILTER WANTED: of the report
has()
{
	is "$1" "$(jq -c "$2" report.json)" "$3"
}

# --- runs that end well --------------------------------------------------

json 'two destinations' 0 ok src copy tee=more verify=yes
has 'two destinations: each' \
	'[.destinations[] | [.name, .kind, .verdict, .bytes, .durable, .verified]]' \
	"[$(printf '["%s","file","ok",3145805,3145805,true],' copy more |
		sed 's/,$//')]"
has 'two destinations: a map for each, in the report' \
	'[.destinations[].map.cells | map(.done) | add]' '[3145805,3145805]'
must truncate -s 9M holes
json 'two destinations with holes' 0 ok holes copy tee=more
has 'two destinations with holes: in each map' \
	'[.destinations[].map.cells | map(.hole) | add]' '[9437184,9437184]'
json 'the source is another one' 4 unexpected src copy tee=more \
	expect=md5:00000000000000000000000000000000
has 'the source is another one: each' '[.destinations[].verdict]' \
	'["unexpected","unexpected"]'
json 'a destination that cannot be' 1 failed src copy tee=/dev/full
has 'a destination that cannot be: none' '[.destinations[].verdict]' \
	'["untouched","untouched"]'
json 'a plan with a directory that is not there' 1 failed src copy \
	tee=none/copy plan=yes
has 'a plan with a directory that is not there: the kinds' \
	'[.destinations[].kind]' '["file",null]'

json 'bulk' 0 ok src copy
check 'bulk: the copy is the same' same src copy
has 'bulk: both sides' '[.source, .destination | .name, .kind, .size]' \
	'["src","file",3145805,"copy","file",0]'
has 'bulk: the map is done' '[.map.cells[] | .hole + .bad] | add' 0
has 'bulk: the command' '.command[1:]' \
	'["src","copy","status=json","report=report.json"]'
json 'kernel AIO' 0 ok src copy io=aio iosize=64K depth=4
has 'kernel AIO: the plan' .plan.source_method '"aio"'
has 'kernel AIO: the counters agree' \
	'.engine | [.submitted == .announced, .announced == .reaped, .reaped > 0]' \
	'[true,true,true]'
json 'records' 0 ok if=src of=copy conv=ucase bs=64K
has 'records: the plan' '[.plan.way, .plan.way_reason]' \
	'["record","conv= converts each record"]'
json 'synced' 0 ok if=src of=copy conv=fsync bs=64K skip=1 seek=2
has 'synced: all is durable' '.durable == .bytes' true
has 'synced: offsets' '[.source.offset, .destination.offset, .map.offset]' \
	'[65536,131072,131072]'
has 'synced: phases' '[.phases | .copy > 0, .flush > 0, .verify]' \
	'[true,true,null]'
json 'nothing' 0 ok if=/dev/null of=copy
json 'into /dev/null' 0 ok if=/dev/zero of=/dev/null bs=1M count=9
has 'into /dev/null: both sides' '[.source.kind, .destination.kind]' \
	'["zero","null"]'
json 'plan=yes' 0 ok src copy plan=yes
check 'plan=yes: the objects are all' test ! -s out
has 'plan=yes: nothing was copied' '[.bytes, .bytes_total]' '[0,3145805]'
json 'digests' 0 ok src copy hash=md5,sha256 expect="sha256:$digest" sums=SUMS
has 'digests: both' '[.digests.md5, .digests.sha256, .expected.digest]' \
	"[\"$(md5sum <src | cut -d' ' -f1)\",\"$digest\",\"$digest\"]"
check 'digests: sums= is written, too' sh -c 'md5sum -c SUMS'
json 'verified' 0 ok src copy verify=yes
has 'verified: all of it' '.verified == .bytes' true
has 'verified: phases' '[.phases[] > 0]' '[true,true,true]'
has 'verified: the rate leaves it out' \
	'.rate * (.phases.copy + .phases.flush) >= .bytes * 0.999' true
has 'verified: both ways are in the samples' \
	'.samples[-1] | [.phase, .moved == 2 * .bytes]' '["verify",true]'
json 'commit' 0 ok src copy commit=rename

must truncate -s 20M sparse
must "$DD" if=src of=sparse bs=1M seek=7 conv=notrunc status=none
json 'holes' 0 ok sparse copy
has 'holes: in the map' '[.map.cells[].hole] | add > 16 * 1048576' true
json 'holes made' 0 ok if=sparse of=copy bs=64K conv=sparse
has 'holes made: in the map' '[.map.cells[].hole] | add > 16 * 1048576' true
json 'holes made by records' 0 ok if=sparse of=copy bs=64K conv=sparse \
	oflag=nocache
has 'holes made by records: in the map' \
	'[.map.cells[].hole] | add > 16 * 1048576' true

# Whatever the machine: a hole is no speed.
truncate -s 1G holey
for at in 0 300 600 900; do
	"$DD" if=src of=holey bs=1M count=1 seek=$at conv=notrunc status=none
done
json 'holes at a rate' 0 ok holey copy clone=never rate=2M
is 'holes at a rate: progress' \
	"$(jq -s '[.[] | select(.type == "progress") | .rate < 8388608 and
		.moved <= 2097152 * (.seconds + 0.2)] | length > 0 and all' \
		err)" true
has 'holes at a rate: samples' \
	'[.samples[] | .moved <= 2097152 * (.seconds + 0.2)] | all' true
has 'holes at a rate: all in all' \
	'.samples[-1] | [.bytes, .moved >= 4194304 and .moved < 5000000]' \
	'[1073741824,true]'
if [ "$(id -u)" -eq 0 ] && bed_fs xfs 300M; then
	cp src "$BED/src"
	json 'shared blocks' 0 ok "$BED/src" "$BED/copy" clone=always
	has 'shared blocks: nothing is moved' \
		'.samples[-1] | [.bytes, .moved]' '[3145805,0]'
else
	skip 'shared blocks' "${BED_WHY:-needs root}"
fi

run sh -c 'cat src | "$0" of=copy bs=64K status=json' "$AIODD"
check 'from a pipe: valid' valid lines err
is 'from a pipe: the source' \
	"$(head -n 1 err | jq -c '.source | [.name, .kind, .size]')" \
	'[null,"stream",null]'
run sh -c 'cat src | "$0" bs=64K status=json | cat >copy' "$AIODD"
check 'between pipes: valid' valid lines err
check 'between pipes: the copy is the same' same src copy

# --- runs that do not ----------------------------------------------------

json 'no source' 1 failed nowhere copy
has 'no source: the event' \
	'.events | map([.level, .phase, .name, .errno, .message])' \
	"[[\"error\",\"open\",\"nowhere\",\"ENOENT\",\"failed to open 'nowhere': No such file or directory\"]]"
mkfifo silent
exec 9<>silent
run eval 'aiodd iflag=nonblock bs=4 count=1 of=copy report=out.json <silent'
exec 9>&-
is 'nonblock, nothing there: exit status' "$status" 1
says 'nonblock, nothing there: it does not wait' err \
	"error reading 'standard input': Resource temporarily unavailable"
json 'disk full' 1 failed if=src of=/dev/full bs=64K
has 'disk full: the event' \
	'.events | map([.phase, .errno, .offset])' '[["write","ENOSPC",0]]'
json 'sums= cannot be written' 1 failed src copy sums=/nowhere/SUMS
has 'sums= cannot be written: the event' \
	'.events | map([.phase, .message])' \
	'[[null,"sums=/nowhere/SUMS: No such file or directory"]]'
json 'not expected' 4 unexpected src copy expect="md5:${digest:0:32}"
has 'not expected: what it is' '.digests.md5' \
	"\"$(md5sum <src | cut -d' ' -f1)\""
json 'a name in /dev' 5 refused src /dev/aiodd-nowhere
has 'a name in /dev: the check' '[.events[].check]' '["missing"]'
json 'a name in /dev, plan=yes' 5 refused src /dev/aiodd-nowhere plan=yes

if [ "$(id -u)" -eq 0 ] && bed_loop 1M; then
	json 'too small' 5 refused src "$BED"
	has 'too small: the check' '[.events[].check]' '["size"]'
	has 'too small: the disk' '.destination | [.kind, .size, .model]' \
		"[\"block\",1048576,\"$work/bed$beds.img\"]"
	json 'a disk' 0 ok if=src of="$BED" bs=64K count=16
	has 'a disk: all is durable' '.durable == .bytes' true
else
	skip 'a disk' "${BED_WHY:-needs root}"
fi

# Warnings are events where status=none would not print them, too.
rm -f copy
run sh -c '(printf abc; until [ -s copy ]; do sleep .02; done; printf def) |
	"$0" of=copy bs=4 count=2 status=none report=report.json' "$AIODD"
is 'status=none: nothing is printed' "$(cat err)" ''
has 'status=none: the warning is kept' '.events | map([.level, .message])' \
	'[["warning","warning: partial read (3 bytes); suggest iflag=fullblock"]]'

# The words that a program may look for.
is 'each phase of an event is in the schema' \
	"$(sed -n 's/.*\] = {"\([a-z]*\)", .*/\1/p' "$top/cmd/topic.c" |
		sort -u)" \
	"$(jq -r '."$defs".event.properties.phase.enum[] | strings' \
		"$top/docs/report.schema.json" | sort)"

# --- beside dd's own lines -----------------------------------------------

for operands in 'bs=64K' 'bs=1M conv=fsync' 'ibs=5 obs=7 count=1000' \
	'bs=4096 count=3 skip=5'; do
	# shellcheck disable=SC2086 # operands
	run aiodd if=src of=copy $operands report=report.json
	check "$operands: valid" valid report report.json
	is "$operands: the records are those of the lines" \
		"$(jq -r '"\(.records.in_full)+\(.records.in_partial) records in",
			"\(.records.out_full)+\(.records.out_partial) records out"' \
			report.json)" "$(head -n 2 err)"
	is "$operands: so are the bytes" "$(jq .bytes report.json)" \
		"$(bytes_reported err)"
done
printf 'abcdef\nx\n' >lines
run aiodd if=lines of=copy cbs=3 conv=block status=json
is 'truncated records' "$(tail -n 1 err | jq -c '.records.truncated')" 1

# --- words ---------------------------------------------------------------

run aiodd src copy status=none,json
check 'the last word of status= counts' valid lines err
run aiodd src copy status=json,engine
check 'status=engine adds no line' valid lines err
run aiodd src copy status=json,noxfer
is 'another word after it ends it' "$(cat err)" "$(printf '%s\n' \
	'12+1 records in' '12+1 records out')"
run aiodd src copy status=json bs=0
is 'what is wrong with operands is plain: exit status' "$status" 1
is 'what is wrong with operands is plain' "$(cat err)" \
	"aiodd: bs=0: must be at least 1"
run as_dd if=src of=copy status=json
is 'dd knows no status=json' "$status" 1
run as_dd if=src of=copy report=report.json
is 'dd knows no report=' "$status" 1
run aiodd if=src of=copy hash=sha256 status=json
check 'hash= prints no line' valid lines err

# --- names that are no UTF-8 ---------------------------------------------

odd=$(printf 'a\377\n\303\251\357\277\275"</script>')
mkdir -p "${odd%/*}"
must cp src "$odd"
json 'odd name' 0 ok "$odd" copy
hex=$(printf %s "$odd" | od -An -tx1 | tr -d ' \n')
check 'odd name: comes back' valid bytes report.json source.name "$hex"
check 'odd name: and in the command' valid bytes report.json command.1 "$hex"
json 'odd name that is not there' 1 failed "$odd.not" copy
run aiodd "$odd" copy report=page.html status=none
check 'odd name in a page: valid' valid report page.html
check 'odd name in a page: comes back' valid bytes page.html source.name "$hex"
json 'a surrogate, an overlong, a cut character' 0 ok src \
	"$(printf 'copy\355\240\200\300\257\342\202')"
# A comma in numbers, and messages that are no UTF-8.
mkdir locale
if localedef -i de_DE -f ISO-8859-1 locale/de_DE 2>/dev/null; then
	run env LOCPATH="$work/locale" LC_ALL=de_DE "$AIODD" src copy status=json
	check 'German Latin-1: numbers' valid lines err
	run env LOCPATH="$work/locale" LC_ALL=de_DE "$AIODD" "$odd.not" copy \
		status=json
	check 'German Latin-1: messages' valid lines err
else
	skip 'German Latin-1' 'localedef cannot make it'
fi

# --- where the report goes -----------------------------------------------

# refuses TEXT OPERANDS...: one line, and the destination stays
refuses()
{
	local text=$1

	shift
	echo old >copy
	run aiodd src copy "$@"
	is "$text: exit status" "$status" 1
	is "$text: one line" "$(wc -l <err)" 1
	says "$text: it names the file" err '^aiodd: report='
	is "$text: the destination stays" "$(cat copy)" old
	is "$text: nothing is left behind" "$(find . -name '.*aiodd*')" ''
}

refuses 'no directory' report=nowhere/report
refuses 'a directory' report=.
refuses 'an empty name' report=
refuses 'the source' report=./src
refuses 'the destination' report=copy
ln -s copy link
refuses 'a link to the destination' report=link
refuses 'a name below a file' report=src/report
run sh -c '"$0" if=src report=- >copy' "$AIODD"
is 'report=- with the copy on standard output' "$status" 1
for report in same ./same "$PWD/same"; do
	run aiodd src copy sums=same report="$report"
	is "the file of sums=, as ${report#"$PWD"}" "$status" 1
done
run aiodd src made report=./made
is 'the destination before it is made: exit status' "$status" 1
check 'the destination before it is made: nothing is made' test ! -e made
run sh -c '"$0" if=src report=/dev/stdout | cat >out' "$AIODD"
says 'a pipe that takes the copy' err 'it is the source or destination$'
run aiodd src copy status=json report=nowhere/report
is 'no directory, status=json: exit status' "$status" 1
check 'no directory, status=json: valid' valid lines err

run aiodd src copy report=- status=none
check 'report=- goes to standard output' valid report out
run sh -c '"$0" src copy report=/dev/stdout status=none | cat >out' "$AIODD"
check 'so does a pipe' valid report out
echo old >old.json
chmod 600 old.json
ln -sf old.json link
run aiodd src copy report=link status=none
check 'through a link: valid' valid report old.json
check 'through a link: it stays one' test -L link
is 'the mode of the old file stays' "$(stat -c %a old.json)" 600
run aiodd src copy report=/dev/full status=none
is 'no room for it at the end: exit status' "$status" 1
is 'no room for it at the end: one line' "$(cat err)" \
	'aiodd: report=/dev/full: No space left on device'
run aiodd src copy report=/dev/full status=json
check 'no room for it, status=json: valid' valid lines err
is 'no room for it, status=json: status' \
	"$(tail -n 1 err | jq -c '[.status, .verdict]')" '[1,"failed"]'
run sh -c '"$0" src copy status=json 2>/dev/full' "$AIODD"
is 'no room for the lines: exit status' "$status" 1
is 'nothing is left behind' "$(find . -name '.*aiodd*')" ''

# --- what is not ours to write --------------------------------------------

# refuses_both TEXT FILE: as report= and as sums=
refuses_both()
{
	local operand

	for operand in report sums; do
		echo old >copy
		run aiodd src copy "$operand=$2"
		is "$operand= of $1: one line" "$status $(wc -l <err)" '1 1'
		says "$operand= of $1: it names the file" err "^aiodd: $operand="
		is "$operand= of $1: the destination stays" "$(cat copy)" old
	done
	is "$1: nothing is left behind" "$(find . -name '.*aiodd*')" ''
}

python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
refuses_both 'a socket' socket
if [ "$(id -u)" -eq 0 ]; then
	# Also where the kernel does not protect it.
	mkdir -m 1777 sticky
	chmod 755 .
	ln -s ../made sticky/link
	chown -h 65534 sticky/link
	rm -f made
	refuses_both 'a link that somebody has laid' sticky/link
	check 'a link that somebody has laid: nothing is made' test ! -e made
	echo theirs >sticky/file
	chown 33 sticky/file
	chmod 666 sticky/file
	must cp src sticky/src
	chmod 644 sticky/src
	for operand in report sums; do
		run setpriv --reuid=65534 --regid=65534 --clear-groups \
			"$AIODD" sticky/src sticky/copy "$operand=sticky/file"
		is "$operand= of another user's file: one line" \
			"$status $(wc -l <err)" '1 1'
		check "$operand= of another user's file: nothing is copied" \
			test ! -e sticky/copy
	done
	mkdir -m 777 open
	echo old >open/report
	chown 33:34 open/report
	chmod 664 open/report
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$AIODD" sticky/src open/copy report=open/report
	is 'a group that is not kept: failed, as it may not be written' \
		"$status" 1
	chmod 666 open/report
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$AIODD" sticky/src open/copy report=open/report
	is 'a group that is not kept: it has no rights' \
		"$status $(stat -c '%u:%g %a' open/report)" '0 65534:65534 606'
else
	skip 'files of others' 'needs root'
fi
if [ "$(id -u)" -eq 0 ] && bed_loop 1M; then
	must head -c 1048576 src >"$BED"
	refuses_both 'a disk' "$BED"
	check 'a disk: it stays' cmp -n 1048576 src "$BED"
else
	skip 'a disk' "${BED_WHY:-needs root}"
fi
if type -P strace >/dev/null; then
	# traced OPTIONS... -- OPERANDS...; the leak sanitizer does not work
	# under strace.
	traced()
	{
		echo old >kept
		chmod 640 kept
		ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 \
			run strace -qq -f -o trace "$@"
	}
	for operand in report sums; do
		traced -e trace=close,fsync "$AIODD" src copy $operand=kept
		is "$operand=: exit status" "$status $(stat -c %a kept)" '0 640'
		# The close behind the fsync, of those of its thread.
		nr=$(awk '/fsync/ { synced = $1 } /close/ { n[$1]++ }
			synced && /close/ && $1 == synced { print n[$1]; exit }' \
			trace)
		# Without digests nothing else is written by this call.
		[ $operand = report ] || faults=
		for fault in ${faults-write:when=1} fsync fchmod:when=2 "close:when=$nr" \
			/^rename; do
			traced -e "inject=${fault%:*}:error=EIO${fault#"${fault%:*}"}" \
				"$AIODD" src copy status=none $operand=kept
			says "$operand=, ${fault%:*} fails: it is told" err \
				"$operand=kept: Input/output error"
			is "$operand=, ${fault%:*} fails: exit status" "$status" 1
			is "$operand=, ${fault%:*} fails: the old one stays" \
				"$(cat kept)" old
		done
	done
	is 'failures: nothing is left behind' "$(find . -name '.*aiodd*')" ''
else
	skip 'system calls that fail' 'no strace here'
fi

printf begin >grown
json 'appending' 0 ok if=src of=grown oflag=append conv=notrunc
has 'appending: where it begins' '[.destination.offset, .map.offset]' '[5,5]'

# Signals that come with an error: nothing is left, and there is a report.
make_data big 3000000 5
run sh -c '{ "$0" if=big bs=4k report=report.json; echo $? >status; } |
	head -c 1 >out' "$AIODD"
is 'SIGPIPE: death by it' "$(cat status)" 141
check 'SIGPIPE: valid' valid report report.json
has 'SIGPIPE: the report' '[.verdict, .signal]' '["stopped","PIPE"]'
for operands in 'io=inline' 'io=aio' 'conv=swab'; do
	rm -f report.json
	# shellcheck disable=SC2086 # the operands
	run sh -c 'ulimit -f 1000; exec "$0" if=big of=made bs=64k \
		commit=rename report=report.json "$@"' "$AIODD" $operands
	is "SIGXFSZ, $operands: death by it" "$status" 153
	has "SIGXFSZ, $operands: the report" '[.verdict, .signal]' \
		'["stopped","XFSZ"]'
	check "SIGXFSZ, $operands: there is no copy" test ! -e made
done
run sh -c '(trap "" PIPE; "$0" if=big bs=4k report=report.json) |
	head -c 1 >out' "$AIODD"
has 'SIGPIPE ignored: the report' '.events | map(.errno)' '["EPIPE"]'
run sh -c '("$0" if=big of=made bs=4k commit=rename rate=1M status=progress \
	report=report.json 2>&1) | true' "$AIODD"
check 'SIGPIPE by a message: valid' valid report report.json
has 'SIGPIPE by a message: the report' '[.verdict, .signal]' \
	'["stopped","PIPE"]'
is 'signals: nothing is left behind' "$(find . -name '.*aiodd*')" ''

run sh -c '"$0" if=big of=made report=/dev/stderr 2>log' "$AIODD"
is 'report=/dev/stderr: the statistics come first' \
	"$(head -n 1 log)" '5859+1 records in'
check 'report=/dev/stderr: then the report' sh -c \
	'sed 1,3d log >tail && test "$(head -c 1 tail)" = "{"'

# --- slow, bad and lying disks -------------------------------------------

require_nbd
require perl
map=bad.map
make_data disk 2097152 4
printf '0x0 +\n0x0 0x180000 +\n0x180000 0x2000 -\n0x182000 0x7e000 +\n' >$map
if bed_bad bad disk $map; then
	json 'a bad sector' 1 failed if="$BED" of=copy bs=4096
	has 'a bad sector: the event' '.events | map([.phase, .errno, .offset])' \
		'[["read","EIO",1572864]]'
	json 'bad sectors, noerror' 0 incomplete if="$BED" of=copy bs=4096 \
		conv=noerror,sync
	has 'bad sectors, noerror: the events' \
		'.events | map([.level, .phase, .offset, .length])' \
		'[["warning","read",1572864,8192],["warning","read",null,null]]'
	has 'bad sectors, noerror: the totals' .unread \
		'{"areas":1,"bytes":8192}'
	has 'bad sectors, noerror: one range' \
		'.bad | map([.cause, .offset, .length])' \
		'[["read",1572864,8192]]'
	has 'bad sectors, noerror: in the map' \
		'.map | [.cells[].bad] | [add, index(4096)]' '[8192,384]'
	# Blocks that wait, and blocks that a short read has begun.
	for operands in ',sync ibs=4096 obs=65536' ',sync bs=64K' \
		',sync bs=64K skip=1' ',sync ibs=64K obs=1M seek=3' \
		' bs=1M'; do
		# shellcheck disable=SC2086 # the operands
		json "bad sectors, $operands" 0 incomplete if="$BED" of=copy \
			conv=noerror$operands
		has "bad sectors, $operands: the source where they are bad" \
			'. as $r | .bad | map(.offset - $r.map.offset +
				$r.source.offset) | min' 1572864
		at=$(jq '.bad[0].offset' report.json)
		len=$(jq '.bad[0].length' report.json)
		check "bad sectors, $operands: there are $len zeros there" \
			cmp -i "$at:0" -n "$len" copy /dev/zero
	done
else
	skip 'bad sectors' "$BED_WHY"
fi

if bed_liar 1000000; then
	json 'a disk that lies' 3 differs if=src of="$BED" conv=notrunc \
		verify=yes
	has 'a disk that lies: the range' \
		'.bad | map([.cause, .offset, .length, .wrote != .found])' \
		'[["verify",1000000,1,true]]'
	has 'a disk that lies: the map' '[.map.cells[].bad] | add' 1
	has 'a disk that lies: the event' '.events | map([.phase, .offset])' \
		'[["verify",1000000],["verify",null]]'
else
	skip 'a disk that lies' "$BED_WHY"
fi

# Each request takes a quarter of a second, one after the other.
bed_nbd slow --filter=delay file "$work/disk" delay-read=250ms ||
	skip_all "$BED_WHY"
operands=(if="$BED" of=copy bs=256K depth=1 iosize=256K iflag=direct
	status=json report=report.json)
run aiodd "${operands[@]}"
check 'slow: valid' valid both err report.json
is 'slow: progress' \
	"$(jq -s 'map(select(.type == "progress")) | length |
		. >= 2' err)" true
is 'slow: and no more often' \
	"$(jq -s '(map(select(.type == "progress")) | length) <=
		.[-1].seconds * 2 + 1' err)" true
is 'slow: the last of it is not beyond the end' \
	"$(jq -s '(map(select(.type == "progress"))[-1].bytes) <= .[-1].bytes' \
		err)" true
has 'slow: samples' '.samples | length >= 9' true

for signal in INT TERM; do
	rm -f copy report.json err
	PATH=$path_of_ours perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' \
		aiodd "${operands[@]}" rate=64K 2>err &
	pid=$!
	wait_for grep -q progress err
	kill -USR1 $pid
	kill -$signal $pid
	wait $pid
	is "SIG$signal: it dies of it" $? \
		$((128 + $(kill -l $signal)))
	check "SIG$signal: valid" valid both err report.json
	has "SIG$signal: the report" '[.verdict, .status, .signal]' \
		"[\"stopped\",null,\"$signal\"]"
	has "SIG$signal: as much as is counted" .bytes "$(size_of copy)"
done
is 'nothing is left behind, all in all' "$(find . -name '.*aiodd*')" ''

finish
