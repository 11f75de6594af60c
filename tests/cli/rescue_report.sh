#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# map= in status=json and report=: what is there, what is missing where, and
# that it is what the map says.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016,SC2317
. "$(dirname "$0")/../lib.sh"

top=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")
grep -q '^#define HAVE_JANSSON' "${top_builddir:-$top/build}/config.h" ||
	skip_all 'built without jansson'
require python3 jq
require_nbd
python3 -c 'import jsonschema' 2>/dev/null || skip_all 'no python3-jsonschema'
cd "$work" || exit 99

size=$((8 << 20))
make_data src $size 1
cat >bad.map <<-END
	0x000000 ? 1
	0x000000 0x100000 +
	0x100000 0x002000 -
	0x102000 0x1fe000 +
	0x300000 0x001000 -
	0x301000 0x4ff000 +
END
bed_bad bad src bad.map || skip_all "$BED_WHY"
bad=$BED
: >questions

# valid QUESTION...: asked at the end, for the validator takes long to start
valid()
{
	local IFS=$'\t'

	echo "$*" >>questions
}

# has TEXT FILTER WANTED: of the report in $report
has()
{
	is "$1" "$(jq -c "$2" "$report")" "$3"
}

# copied MAP: bytes that it says are there
copied()
{
	local sum=0 len state

	while read -r _ len state; do
		[ "$state" != + ] || sum=$((sum + len))
	done < <(grep '^0x' "$1" | tail -n +2)
	echo $sum
}

# --- interrupted ---------------------------------------------------------

has_some()
{
	jq -es 'any(.[]; .type == "progress" and .rescue.rescued > 0)' lines
}

report=stopped.json
"$AIODD" "$bad" copy map=m rate=1M iosize=64K status=json report=$report \
	2>lines &
pid=$!
check 'interrupted: progress has it' wait_for has_some
kill -TERM $pid
wait $pid
is 'interrupted: exit status' $? 143
valid both lines $report
there=$(copied m)
has 'interrupted: the verdict' .verdict '"stopped"'
has 'interrupted: as much as the map says' .rescue.rescued "$there"
has 'interrupted: the rest was not tried' \
	'.rescue | [.untried + .failed + .bad, .step, .overdue]' \
	"[$((size - there)),\"copy\",0]"
has 'interrupted: nothing could not be read' '[.unread.bytes, .rescue.bad]' \
	'[0,0]'
has 'interrupted: what is missing' '.bad | map([.offset, .length, .state])' \
	"[[$there,$((size - there)),\"untried\"]]"
has 'interrupted: what is in the map is synced' \
	'[.on_device, .durable]' "[$there,$there]"
has 'interrupted: the words' .conclusion \
	"[\"'$bad': $((size - there)) bytes are still to be copied; the same command goes on (map 'm')\"]"

# --- and gone on with ----------------------------------------------------

report=went_on.json
run aiodd "$bad" copy map=m report=$report
is 'gone on with: exit status' "$status" 2
valid report $report
says 'gone on with: what was there' err \
	"aiodd: $there of $size bytes are there already \\(map 'm'\\)\$"
has 'gone on with: the verdict' .verdict '"incomplete"'
has 'gone on with: all was tried' .rescue \
	"{\"rescued\":$((size - 12288)),\"untried\":0,\"failed\":0,\"bad\":12288,\"areas\":2,\"step\":\"end\",\"pass\":1,\"overdue\":0}"
has 'gone on with: only the rest was copied' '[.bytes, .bytes_total]' \
	"[$((size - 12288 - there)),$((size - there))]"
has 'gone on with: what is missing' \
	'.bad | map([.cause, .offset, .length, .state])' \
	'[["read",1048576,8192,"bad"],["read",3145728,4096,"bad"]]'
has 'gone on with: the map has what was there' \
	'.map | [.length, ([.cells[].same] | add)]' "[$size,$there]"
run aiodd "$bad" copy map=m report=again.html status=none
is 'nothing to do: exit status' "$status" 2
is 'nothing to do: the words' "$(grep -c already err)" 0
valid report again.html

# --- a part, elsewhere ---------------------------------------------------

report=part.json
run aiodd "$bad" part map=part.map skip=1048576B count=3145728B report=$report
is 'a part: exit status' "$status" 2
valid report $report
has 'a part: where it is missing in the destination' \
	'.bad | map([.offset, .length])' '[[0,8192],[2097152,4096]]'
has 'a part: it is all there is to do' \
	'[.rescue.rescued, .map.length, .source.offset, .destination.offset]' \
	"[$((3145728 - 12288)),3145728,1048576,0]"

run aiodd "$bad" part map=part.map skip=1048576B count=3145728B retries=2 \
	plan=yes
says 'a part, plan=yes: what there is' out \
	'^map: .* in part.map, which has 3060 KiB of 3 MiB; 12 KiB could not'
says 'a part, plan=yes: retries=' out \
	'^read errors: read around .*, and read 2 times more'
check 'a part, plan=yes: they are not read' sh -c '! test -s err'

# --- what fails, and what is well ----------------------------------------

if bed_fs tmpfs 4M; then
	report=full.json
	run aiodd src "$BED/copy" map=full.map report=$report
	is 'no space: exit status' "$status" 1
	valid report $report
	has 'no space: the verdict' .verdict '"failed"'
	has 'no space: as much as the map says' .rescue.rescued \
		"$(copied full.map)"
	has 'no space: nothing could not be read' .unread.bytes 0
else
	skip 'no space' "$BED_WHY"
fi
for part in count=0 "skip=$size"; do
	report=none.json
	run aiodd src none map=none.map "$part" report=$report
	is "$part: exit status" "$status" 0
	valid report $report
	has "$part: nothing was to be done" '[.rescue, .map.length, .bad]' \
		'[null,0,[]]'
	run aiodd src none map=none.map "$part" plan=yes report=plan.json
	valid report plan.json
	is "$part, plan=yes: exit status" "$status" 0
done
report=well.json
run aiodd src copy2 map=well.map report=$report
is 'all of it: exit status' "$status" 0
valid report $report
has 'all of it: nothing is missing' '[.verdict, .rescue.rescued, .bad]' \
	"[\"ok\",$size,[]]"
run aiodd src copy2 report=$report
valid report $report
has 'without map=: nothing' .rescue null

is 'all are valid' \
	"$(python3 "$top/tests/validate.py" "$top/docs/report.schema.json" \
		<questions | sort -u)" ok
finish
