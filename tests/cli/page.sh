#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# report=FILE.html: the page as a browser shows it, without a network.
# shellcheck source=tests/lib.sh
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
is "title" "$(grep -oE '<title>[^<]*' dom)" "<title>Copied: aiodd report"
check "the map has data and holes" grep -qE "done=[0-9]+ hole=[0-9]+" <<<"$(rects)"
shows "the map in words" 'cells: [0-9]+ written, [1-9][0-9]* hole, 0 bad'
shows "the decisions" '<td class="data">both sides have offsets</td>' \
	'>final size</td><td class="data">no</td><td class="data">[a-z]'

### A report that was changed: what takes long, or goes wrong, to make

changed '.samples = [range(0; 601) | {seconds: (. / 10), bytes:
	(. * 10485760), on_device: (. * 10000000)}] | .seconds = 60.5 |
	.bytes = 6291456000 | .phases = {copy: 50, flush: 10.5, verify: 0}'
show changed.html
is "600 intervals are plotted" "$(grep -oE 'id="rate" d="[^"]*"' dom |
	tr -cd ML | wc -c)" 600
shows "the plot in words" '600 intervals in 60.5 s, at most 105 MB/s' \
	'>flush</text>' '>50 MB/s</text>'

changed '.verdict = "differs" | .status = 3 | .bad = [range(0; 1000) |
	{cause: "verify", offset: (. * 4096), length: 512, wrote: 1,
	found: null}] | .map.cells = [range(0; 512) | {done: 1, hole: 0,
	bad: (if . == 7 then 1 else 0 end)}]'
show changed.html
shows "bad ranges" '<h1 class="bad"[^>]*>What is on the destination differs' \
	'The first 100 of 1000' '>405504</td>' '>0x01</td>'
is "the bad cell" "$(rects)" "bad-cell=1 done=511 "
is "no complaint" "$(cat complaints)" ""

changed '.verdict = "stopped" | .status = null | .signal = "INT" |
	.bytes = 0 | .seconds = 0 | .samples = [] | .map = null | .phases = {} |
	.events = [range(0; 3) | {type: "event", seconds: ., level: "warning",
	message: "<b>\(.)</b>"}]'
show changed.html
shows "an empty run" '>Stopped by SIGINT</h1>' '<dd>0 bytes</dd>' \
	'<dt>Ended by</dt><dd>SIGINT</dd>' \
	'&lt;b&gt;2&lt;/b&gt;'
is "has no exit status" "$(grep -c '<dt>Exit status' dom)" 0
is "has no plot and no map" "$(grep -c '<svg' dom)" 0
is "no complaint" "$(cat complaints)" ""

### A run that fails

is "refused" "$("$AIODD" if=copy of=/dev/aiodd-no-such-device \
	report=page.html 2>/dev/null; echo $?)" 5
show page.html
shows "says so" '<h1 class="warn"[^>]*>Refused, nothing was written</h1>' \
	'<dt>Exit status</dt><dd>5</dd>' '/dev/aiodd-no-such-device'
is "no complaint" "$(cat complaints)" ""

finish
