#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# report=FILE.html: the page as a browser shows it, without a network.
# shellcheck source=tests/lib.sh disable=SC2016
. "${top_srcdir:-.}/tests/lib.sh"

require chromium jq
cd "$work" || exit 99
"$AIODD" if=/dev/null of=/dev/null report=probe.json 2>err ||
	skip_all "$(head -n 1 err)"

# show PAGE: the document as it is when its script is through, in `dom`; what
# the browser complains of in `complaints`
show()
{
	local tries

	# A browser gives up by itself where its own processes are too late.
	for tries in 1 2 3; do
		HOME=$work timeout 300 chromium --headless=new --no-sandbox \
			--disable-gpu --disable-dev-shm-usage --no-first-run \
			--user-data-dir="$work/profile$tries" \
			--enable-logging=stderr --virtual-time-budget=5000 \
			--dump-dom "file://$PWD/$1" >dom 2>browser
		! grep -q '</html>' dom || break
	done
	grep -E 'CONSOLE|Uncaught|Refused to' browser >complaints
}

echo '<!DOCTYPE html><title>x</title>' >plain.html
show plain.html
grep -q '</html>' dom ||
	skip_all "chromium shows no page here: $(tail -n 1 browser)"

# shows TEXT PATTERN...: each extended regular expression is in the document
shows()
{
	local text=$1 pattern
	shift
	for pattern; do
		grep -qE -- "$pattern" dom || {
			fail "$text"
			diag "not there: $pattern" "$(tail -n 3 browser)"
			return
		}
	done
	pass "$text"
}

# changed FILTER: page.html with its report changed by jq, as changed.html
changed()
{
	sed -n 's/.*id="report">//; T; s/<\/script>.*//p' page.html |
		jq -c "$1" | sed 's/</\\u003c/g' >report || return
	{
		sed '/id="report">/,$d' page.html
		printf '<script type="application/json" id="report">'
		cat report
		printf '</script>\n'
		sed '1,/id="report">/d' page.html
	} >changed.html
}

rects()
{
	grep -o '<rect class="[^"]*"' dom | sort | uniq -c |
		awk '{ gsub(/class=|"/, "", $3); print $3 "=" $1 }' |
		grep -v phase | tr '\n' ' '
}

### A copy with holes, and names that would like to be markup

mkdir 'a <' || exit 99
name='a </script><img src=x onerror="document.title=1"> '\''&amp;'
make_data "$name" 3000000 3
must truncate -s 64M "$name"
is "the run" "$("$AIODD" if="$name" of=copy bs=64K conv=sparse hash=sha256 \
	sums=sums report=page.html status=none 2>&1; echo $?)" 0
is "one script with the report" \
	"$(grep -c 'type="application/json" id="report"' page.html)" 1
is "nothing is fetched" \
	"$(grep -v 'id="report"' page.html |
		grep -cE '(src|href)=|url\(|@import|https?://[^w]')" 0
show page.html
is "no complaint" "$(cat complaints)" ""
shows "verdict, digest and command" '<h1 class="good"[^>]*>Copied</h1>' \
	"$(sha256sum copy | cut -d ' ' -f 1)" 'status=none</code>' \
	'<dt>Exit status</dt><dd>0</dd>'
shows "the name as text" \
	'a &lt;/script&gt;&lt;img src=x onerror="document.title=1"&gt; '
is "no element of the name" "$(grep -c '<img' dom)" 0
is "title" "$(grep -oE '<title>[^<]*' dom | head -n 1)" "<title>Copied: aiodd report"
check "the map has data and holes" grep -qE "done=[0-9]+ hole=[0-9]+" <<<"$(rects)"
shows "the map in words" '>[0-9.]+ MiB written, [0-9]+ MiB holes<' \
	'<title>Bytes 0 to [0-9,]+: [0-9.]+ [KM]iB written'
shows "the decisions" '<td class="data">both sides are seekable</td>' \
	'>final size</td><td class="short data">no</td><td class="data">[a-z]'

### A report that was changed: what takes long, or goes wrong, to make

# Twenty seconds of copy, of which five stand still and ten are a tenth of
# data, two of flush, five of reading back.
changed 'def at($t): if $t < 5 then $t elif $t < 10 then 5 else $t - 5 end;
	.samples = [range(0; 271) | (. / 10) as $t | {seconds: $t, phase:
	(if $t <= 20 then "copy" elif $t <= 22 then "flush" else "verify" end),
	bytes: (1e9 * at($t) | floor), moved:
	((1e8 * at([$t, 20] | min)) + (2e8 * ([$t - 22, 0] | max)) | floor),
	on_device: (if $t < 22 then 0 else 1500000000 end)}] |
	.seconds = 27 | .bytes = 15000000000 | .rate = 681818181 |
	.verified = 1000000000 | .phases = {copy: 20, flush: 2, verify: 5}'
show changed.html
shows "the plot in words" \
	'>27.0 s: copy up to 100 MB/s, flush up to 0 B/s, verify up to 200 MB/s; stalled for 5.00 s<' \
	'>flush</text>' '>50 MB/s</text>' '>27.0 s, copied at 682 MB/s<' \
	'>copy 20.0 s, flush 2.00 s, verify 5.00 s \(200 MB/s\)<'
is "steps of a second, and one of the stall" \
	"$(grep -oE 'id="rate" d="[^"]*"' dom | tr -cd H | wc -c)" 22
is "the line of the device is that of the time up to the sync" \
	"$(grep -oE 'class="on-device" d="[^"]*"' dom | tr -cd H | wc -c)" 2

# A request that takes three seconds, in which nothing is seen.
changed '.samples = [range(0; 50), range(80; 101) | (. / 10) as $t | {seconds:
	$t, phase: "copy", bytes: 0, on_device: 0, moved:
	(1e8 * (if $t < 5 then $t else $t - 3 end) | floor)}] |
	.seconds = 10 | .phases = {copy: 10, flush: null, verify: null}'
show changed.html
shows "a gap has the rate of the gap" '>10.0 s: copy up to 100 MB/s<'
is "it is no slope" "$(grep -oE 'id="rate" d="[^"]*"' dom | tr -cd L)" ""

changed '.verdict = "differs" | .status = 3 | .verify = true |
	.differing = {ranges: 3, bytes: 1536} | .bad = [range(0; 1000) |
	{cause: "verify", offset: (. * 4096), length: 512, wrote: 1,
	found: null}] | .map.cells = [range(0; 512) | {done: 1, hole: 0,
	bad: (if . == 7 then 1 else 0 end)}]'
show changed.html
shows "bad ranges" '<h1 class="bad"[^>]*>The destination differs from what was written' \
	'<dd>differs: 3 ranges, 1,536 bytes' 'The first 100 of 1000' '>405504</td>' '>0x01</td>'
is "the bad cell" "$(rects)" "bad-cell=1 done=511 "
is "no complaint" "$(cat complaints)" ""

changed '.compare = "only" | .known = 1048576 | .verify = false'
show changed.html
shows "what the manifest has spared" \
	'>The destination matches the source, according to the manifest<' \
	'<dd>yes, 1,048,576 bytes \(1.0+ MiB\) by the manifest alone'
is "no complaint" "$(cat complaints)" ""

changed '.compare = "update" | .map.cells = [range(0; 512) | {hole: 0, bad: 0,
	done: (if . == 7 then 1 else 0 end), same: 4096}]'
show changed.html
is "what was there already" "$(rects)" "done=1 same=511 "
shows "what was there already, in words" ' there already<'
is "no complaint" "$(cat complaints)" ""

# A disk with bad sectors, half of which is read.
changed '.verdict = "incomplete" | .status = 2 | .bytes = 1000000 |
	.command = ["aiodd", "/dev/sdx", "my copy", "map=m", "report=p.html"] |
	.source = {name: "/dev/sdx", kind: "block", size: 4194304, offset: 0} |
	.destination = {name: "my copy", kind: "file", size: 0, offset: 0} |
	.rescue = {rescued: 2097152, untried: 2093056, failed: 0, bad: 4096,
	areas: 1, step: "end", pass: 1, overdue: 0} | .unread = {areas: 1,
	bytes: 4096} | .conclusion = ["some words"] | .bad = [{cause: "read",
	offset: 2097152, length: 4096, state: "bad"}, {cause: "read",
	offset: 2101248, length: 2093056, state: "untried"}] | .map.cells =
	[range(0; 512) | {done: 0, hole: 0, same: (if . < 256 then 1 else 0 end),
	bad: (if . == 256 then 1 else 0 end), failed: (if . == 257 then 1 else 0
	end), untried: (if . > 256 then 1 else 0 end)}]'
show changed.html
shows "a rescue" '<h1 class="warn"[^>]*>Incomplete: 50.00 % rescued</h1>' \
	'>some words</p>' '<dt>Copied in this run</dt><dd>1,000,000 bytes' \
	'>2,093,056 bytes \(2.0 MiB\) not read yet<' \
	'>4,096 bytes \(4.0 KiB\) could not be read<'
shows "what to do about it" \
	">aiodd /dev/sdx 'my copy' map=m retries=3 report=p.html</code>" \
	">ddrescue -d -r3 /dev/sdx 'my copy' m</code>"
shows "what is missing where" '>What is missing where<' \
	'<td class="data">could not be read</td>' \
	'<td class="data">not read yet</td>'
is "its cells" "$(rects)" "bad-cell=1 failed=1 same=256 untried=254 "
is "no complaint" "$(cat complaints)" ""

changed '.verdict = "stopped" | .status = null | .signal = "INT" |
	.bytes = 0 | .seconds = 0 | .samples = [] | .map = null | .phases = {} |
	.events = [range(0; 3) | {type: "event", seconds: ., level: "warning",
	message: "<b>\(.)</b>"}]'
show changed.html
shows "an empty run" '>Stopped by SIGINT</h1>' '<dd>0 bytes</dd>' \
	'<dt>Ended by</dt><dd>SIGINT</dd>' \
	'<dt>On the device</dt><dd>0 bytes, not synced</dd>' \
	'<dt>Verified</dt><dd>not asked for</dd>' \
	'&lt;b&gt;2&lt;/b&gt;'
is "has no exit status" "$(grep -c '<dt>Exit status' dom)" 0
is "has no plot and no map" "$(grep -c '<svg' dom)" 0
is "no complaint" "$(cat complaints)" ""

changed '.verdict = "stopped" | .status = null | .signal = "INT" |
	.verify = true | .bytes = 18874368 | .bytes_total = 209715200'
show changed.html
shows "stopped in the middle" '>Stopped by SIGINT: 18 of 200 MiB copied</h1>' \
	'<dd>18 of 200 MiB \(18,874,368 bytes\)</dd>' \
	'<dt>Verified</dt><dd>no</dd>'

### Several destinations: one fails at half of it, one gives back other bytes

if type -P nbdkit nbdfuse >/dev/null && bed_refusing half $((512 << 10)) EIO &&
	half=$BED && bed_liar 70000; then
	head -c 1M "$name" >short
	truncate -s 2M short
	is "three destinations" "$("$AIODD" short copy tee="$half" \
		tee="$BED" verify=yes iosize=128K report=page.html \
		2>/dev/null; echo $?)" 1
	show page.html
	is "no complaint" "$(cat complaints)" ""
	shows "each with its verdict" \
		'<h2>Destination copy</h2><p[^>]*>file, 2.0 of 2.0 MiB, complete, verified</p>' \
		'half/disk</h2><p[^>]*>file, 0.5 of 2.0 MiB, failed</p>' \
		'liar70000/disk</h2><p[^>]*>file, 2.0 of 2.0 MiB, differs from what was written: 1 bytes</p>'
	is "a map for each" "$(grep -oE '<desc id="map-[0-9]*-text">[^<]*' dom |
		cut -d '>' -f 2)" '1.0 MiB written, 1.0 MiB holes
512 KiB written, 1.5 MiB not reached
1024 KiB written, 1.0 MiB holes, 1 bytes bad'
	shows "where it differs" '<th[^>]*>Destination</th>' \
		'liar70000/disk</td><td[^>]*>70000</td>'
else
	skip 'several destinations' "${BED_WHY:-needs nbdkit and nbdfuse}"
fi

### A run that fails

is "refused" "$("$AIODD" if=copy of=/dev/aiodd-no-such-device \
	report=page.html 2>/dev/null; echo $?)" 5
show page.html
shows "says so" '<h1 class="warn"[^>]*>Refused, nothing was written</h1>' \
	'<dt>Exit status</dt><dd>5</dd>' '/dev/aiodd-no-such-device'
is "no complaint" "$(cat complaints)" ""

finish
