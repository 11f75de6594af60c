#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Each way that a run can end: the exit status, the last line on standard error,
# the last object of status=json and the headline of the page say the same.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2317
. "$(dirname "$0")/../lib.sh"

top=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")
grep -q '^#define HAVE_JANSSON' "${top_builddir:-$top/build}/config.h" ||
	skip_all 'built without jansson'
require python3 jq
python3 -c 'import jsonschema' 2>/dev/null || skip_all 'no python3-jsonschema'
require_nbd
require_loop
cd "$work" || exit 99
mkdir pages

size=$((1 << 20))
make_data src $size 1
make_data old $size 2
wrong=md5:$(printf %032d 0)
right=md5:$(md5sum <src | cut -d ' ' -f 1)

nr_pages=0
# The headline, what stands below it, and whether both say the same, are looked at
# in the end, all at once: a browser, and the validator, take longer to start
# than all the copies.
keep_page() # TEXT HEADLINE CONCLUSION
{
	nr_pages=$((nr_pages + 1))
	cp page.html "pages/$nr_pages.html"
	cp err.json "pages/$nr_pages.json"
	page_texts[nr_pages]=$1
	page_heads[nr_pages]=$2
	page_belows[nr_pages]=$3
}

# One document with all of them in frames, which shows what each has become.
all_pages()
{
	local i

	echo '<!DOCTYPE html><title>all</title><body>'
	for ((i = 1; i <= nr_pages; i++)); do
		printf '<iframe srcdoc="'
		sed 's/&/\&amp;/g; s/"/\&quot;/g' "pages/$i.html"
		printf '"></iframe>\n'
	done
	cat <<-'END'
		<script>
		onload = () => {
			for (const f of [...document.querySelectorAll("iframe")]) {
				const d = f.contentDocument;
				const h = d.querySelector("h1");
				const lines = [h.className + ": " + h.textContent];
				for (const p of d.querySelectorAll(
						"h1 ~ p.conclusion"))
					lines.push(p.textContent);
				const shown = document.createElement("pre");
				shown.textContent = lines.join("\n") + "\n";
				f.replaceWith(shown);
			}
		};
		</script>
	END
}

# The headline and what stands below it, a line each, of page N as FILE.
show_pages()
{
	local tries

	all_pages >all.html
	# A browser gives up by itself where its own processes are too late.
	for tries in 1 2 3; do
		HOME=$work timeout 300 chromium --headless=new --no-sandbox \
			--disable-gpu --disable-dev-shm-usage --no-first-run \
			--user-data-dir="$work/profile$tries" \
			--virtual-time-budget=5000 \
			--dump-dom "file://$PWD/all.html" >dom 2>/dev/null
		[ "$(grep -c '^<pre>' dom)" -ne "$nr_pages" ] || break
	done
	awk '/^<pre>/ { nr++; is_in = 1; sub(/^<pre>/, "") }
		/^<\/pre>/ { is_in = 0 }
		is_in { print >("pages/" nr ".shown") }' dom
}

valid_pages()
{
	local i

	for ((i = 1; i <= nr_pages; i++)); do
		printf 'both\tpages/%d.json\tpages/%d.html\n' "$i" "$i"
	done | python3 "$top/tests/validate.py" \
		"$top/docs/report.schema.json" >answers 2>&1
	for ((i = 1; i <= nr_pages; i++)); do
		is "${page_texts[i]}: json and page agree with themselves and each other" \
			"$(sed -n "${i}p" answers)" ok
	done
}

same_pages()
{
	local i text

	type -P chromium >/dev/null || {
		skip 'the headlines' 'no chromium here'
		return
	}
	show_pages
	for ((i = 1; i <= nr_pages; i++)); do
		text=${page_texts[i]}
		touch "pages/$i.shown"
		is "$text: the headline" "$(sed -E 's/: [0-9].* (copied|compared)$//;q' \
			"pages/$i.shown")" "${page_heads[i]}"
		[ -z "${page_belows[i]}" ] || is "$text: below it" \
			"$(tail -n 1 "pages/$i.shown")" "${page_belows[i]}"
	done
}

# same_legs TEXT: what the last lines say of each destination, with tee=, is
# what the last object says.
same_legs()
{
	tail -n 1 err.json >err.json.end
	jq -r '{ok: "complete", failed: "FAILED", differs: "DIFFERS",
		stopped: "STOPPED", unexpected: "NOT the expected source"
		} as $words | .destinations // [] | .[] |
		"aiodd: \u0027\(.name)\u0027: \(.bytes) bytes, \(
		$words[.verdict])\(if .verified then ", verified" else "" end)"' \
		err.json.end >legs
	is "$1: each destination" "$(tail -n "$(wc -l <legs)" err)" \
		"$(cat legs)"
}

# same_story TEXT STATUS VERDICT LAST-LINE HEADLINE: of err, written by a run
# with report=page.html, and err.json, written by the same with status=json.
# LAST-LINE is without the name of the program.
same_story()
{
	local text=$1 wanted=$2 verdict=$3 line=$4 head=$5 got

	is "$text: exit status" "$status" "$wanted"
	got=$(tail -n 1 err | masked /dev/stdin)
	is "$text: the last line" "${got#aiodd: }" "$line"
	is "$text: the verdict" "$(tail -n 1 err.json | jq -r .verdict)" \
		"$verdict"
	same_legs "$text"
	got=$(tail -n 1 err.json | jq -r '.conclusion[-1] // ""')
	if jq -e .destinations err.json.end >/dev/null; then
		[ -z "$got" ] || check "$text: the conclusion" \
			grep -qxF "aiodd: $got" err
	elif [ -n "$got" ] || [[ "$verdict" = @(incomplete|differs|unexpected) ]]
	then
		is "$text: the conclusion" "$got" "$line"
	fi
	[ "$verdict" != incomplete ] || got=
	keep_page "$text" "$head" "$got"
}

# ends TEXT STATUS VERDICT LAST-LINE HEADLINE OPERANDS...: $prepare runs before.
prepare=:
ends()
{
	local five=("${@:1:5}")

	shift 5
	$prepare
	run aiodd "$@" status=json report=page.html
	mv err err.json
	$prepare
	run aiodd "$@"
	same_story "${five[@]}"
}

fresh()
{
	rm -f new
	cp old kept
}
prepare=fresh
bytes="$size bytes (1.0 MB, 1.0 MiB) copied, T s, R"

# --- all is well, and before the first byte ------------------------------

ends 'a copy' 0 ok "$bytes" 'good: Copied' src new
ends 'verified' 0 ok "'new' is verified" 'good: Copied and verified' \
	src new verify=yes
ends 'nothing, verified' 0 ok "'new' is verified" 'good: Copied and verified' \
	if=src of=new count=0 verify=yes
ends 'expected' 0 ok "'src' has the expected md5" 'good: Copied' \
	src new expect="$right"
ends 'a plan' 0 ok '' 'warn: Plan only: nothing was copied' \
	src new plan=yes verify=yes
ends 'refused' 5 refused \
	"not writing to '/dev/aiodd-none': it does not exist and would become a regular file; force=missing creates it" \
	'warn: Refused, nothing was written' src /dev/aiodd-none
ends 'no source' 1 failed "failed to open 'none': No such file or directory" \
	'bad: Failed' none new

# --- failed --------------------------------------------------------------

ends 'disk full' 1 failed '0 bytes copied, T s, R' 'bad: Failed' \
	if=src of=/dev/full bs=64K

printf '0x0 ? 1\n0x0 0x40000 +\n0x40000 0x1000 -\n0x41000 0xf000 +\n0x50000 0x1000 -\n0x51000 0xaf000 +\n' >map
bed_bad bad "$work/src" "$work/map" || skip_all "$BED_WHY"
bad=$BED
missing="8192 bytes in 2 areas of '$bad' could not be read;"
ends 'a read error' 1 failed '262144 bytes (262 kB, 256 KiB) copied, T s, R' \
	'bad: Failed' if="$bad" of=new bs=64K
ends 'a read error, commit=rename' 1 failed "'kept' was not replaced" \
	'bad: Failed' if="$bad" of=kept bs=64K commit=rename
ends 'a read error, a new file' 1 failed "'new' was not created" \
	'bad: Failed' if="$bad" of=new bs=64K commit=rename
ends 'a read error, verify=' 1 failed "'new' was not verified" \
	'bad: Failed' if="$bad" of=new bs=64K verify=yes

# --- incomplete ----------------------------------------------------------

ends 'incomplete' 0 incomplete "warning: $missing zeros replace them in the copy" \
	"warn: Incomplete: $missing zeros replace them in the copy" \
	if="$bad" of=new bs=64K conv=noerror
ends 'incomplete, verified' 2 incomplete "$missing zeros replace them in the copy" \
	"warn: Incomplete: $missing zeros replace them in the copy" \
	if="$bad" of=new bs=64K conv=noerror verify=yes
ends 'incomplete, expected' 2 incomplete "$missing zeros replace them in the copy" \
	"warn: Incomplete: $missing zeros replace them in the copy" \
	if="$bad" of=new bs=64K conv=noerror expect="$right"
ends 'incomplete, appended' 0 incomplete \
	"warning: $missing they are missing from the copy" \
	"warn: Incomplete: $missing they are missing from the copy" \
	if="$bad" of=new bs=64K conv=noerror oflag=append
ends 'incomplete, commit=rename' 2 incomplete "'kept' was not replaced" \
	"warn: Incomplete: $missing zeros replace them in the copy" \
	if="$bad" of=kept bs=64K conv=noerror commit=rename
check 'incomplete, commit=rename: it is true' cmp kept old

# --- another source, another copy ----------------------------------------

ends 'unexpected' 4 unexpected "'new' was written anyway; do not trust it" \
	'bad: The source is not what was expected' src new expect="$wrong"
ends 'unexpected, commit=rename' 4 unexpected "'kept' was not replaced" \
	'bad: The source is not what was expected' \
	src kept expect="$wrong" commit=rename

if type -P perl >/dev/null && bed_liar 100000; then
	prepare=:
	ends 'differs' 3 differs "'$BED' does NOT match what was written: 1 range, 1 B" \
		'bad: The destination differs from what was written' \
		if=src of="$BED" conv=notrunc verify=yes
else
	skip 'differs' "${BED_WHY:-no perl here}"
fi

# Each fourth KiB of what is read back is zeros: 256 ranges.
bed_nbd zeros --filter=noextents eval get_size="echo $size" \
	pread="dd if=$work/zeros.data bs=64K iflag=skip_bytes,count_bytes \
		skip=\$4 count=\$3 status=none |
		perl -0777 -pe 's/(.{3072}).{1024}/\$1 . \"\\0\" x 1024/egs'" \
	pwrite="dd of=$work/zeros.data bs=64K oflag=seek_bytes seek=\$4 \
		conv=notrunc status=none" || skip_all "$BED_WHY"
truncate -s $size zeros.data
prepare=:
ends 'many ranges' 3 differs "'$BED' does NOT match what was written: 256 ranges, 256 KiB" \
	'bad: The destination differs from what was written' \
	if=src of="$BED" conv=notrunc verify=yes
is 'many ranges: 20 are printed' \
	"$(grep -c 'bytes at offset [0-9]* differ (first' err)" 20
says 'many ranges: the others are counted' err ': 236 more ranges differ$'
is 'many ranges: json has all' \
	"$(tail -n 1 err.json | jq -c '[(.bad | length), .differing.ranges]')" \
	'[256,256]'

# --- what is there is compared -------------------------------------------

prepare=fresh
ends 'an update' 0 ok "$size bytes were different and were written" \
	'good: Copied' src kept update=yes
ends 'an update, verified' 0 ok "'kept' is verified" \
	'good: Copied and verified' src kept update=yes verify=yes
ends 'an update, unexpected' 4 unexpected \
	"'kept' was written anyway; do not trust it" \
	'bad: The source is not what was expected' \
	src kept update=yes expect="$wrong"
ends 'an update of a read error' 1 failed \
	'262144 bytes were different and were written' 'bad: Failed' \
	if="$bad" of=kept bs=64K update=yes
ends 'compared, the same' 0 ok "'old' matches the source" \
	'good: The destination matches the source' kept old verify=only
ends 'compared, another' 3 differs \
	"'kept' does NOT match the source: 1 range, 1.0 MiB" \
	'bad: The destination differs from the source' src kept verify=only
ends 'compared, a read error' 1 failed \
	'262144 bytes (262 kB, 256 KiB) compared, T s, R' 'bad: Failed' \
	if="$bad" of=src bs=64K verify=only

# With nothing but its block map.
printf '<bmap version="1.1"><ImageSize>%d</ImageSize><BlockSize>4096</BlockSize>
	<BlocksCount>256</BlocksCount><MappedBlocksCount>2</MappedBlocksCount>
	<BlockMap><Range>0-1</Range></BlockMap></bmap>' $size >bare.bmap
if "$AIODD" old bare.img obmap=old.bmap status=none 2>err &&
	"$AIODD" of=old verify=only bmap=bare.bmap plan=yes >out 2>>err
then
	ends 'by a block map' 0 ok \
		"'kept' matches the block map 'old.bmap': $size of $size bytes were checked (sha256)" \
		'good: The destination matches the block map' \
		of=kept verify=only bmap=old.bmap
	ends 'by a block map, planned' 0 ok '' \
		'warn: Plan only: nothing was compared' \
		of=kept verify=only bmap=old.bmap plan=yes
	ends 'by a block map, another' 3 differs \
		"'src' does NOT match the block map 'old.bmap': 1 range, 1.0 MiB" \
		'bad: The destination differs from the block map' \
		of=src verify=only bmap=old.bmap
	last="8192 bytes of 'kept' have no checksum in the block map 'bare.bmap' and were not checked"
	ends 'by a block map without checksums' 2 incomplete "$last" \
		"warn: Incomplete: $last" of=kept verify=only bmap=bare.bmap
	must "$AIODD" src bare.img obmap=src.bmap status=none 2>err
	ends 'by a block map, a read error' 1 failed \
		'0 bytes compared, T s, R' 'bad: Failed' \
		of="$bad" verify=only bmap=src.bmap
else
	skip 'by a block map' "$(tail -n 1 err)"
fi

# --- a map ---------------------------------------------------------------

without_map()
{
	fresh
	rm -f rescue.map*
}
prepare=without_map
ends 'a map' 0 ok "$bytes" 'good: Copied' src new map=rescue.map
rescued="'$bad': 8192 bytes in 2 areas could not be read (map 'rescue.map')"
ends 'a map, incomplete' 2 incomplete "$rescued" \
	'warn: Incomplete: 99.21 % rescued' "$bad" new map=rescue.map
ends 'a map, incomplete, verified' 2 incomplete "$rescued" \
	'warn: Incomplete: 99.21 % rescued' \
	"$bad" new map=rescue.map verify=yes

# --- what is compressed --------------------------------------------------

prepare=fresh
must gzip -k src
head -c 500000 src.gz >cut.gz
ends 'decompressed' 0 ok "'new' is verified" 'good: Copied and verified' \
	src.gz new decompress=gz verify=yes
ends 'cut off' 1 failed "262144 bytes (262 kB, 256 KiB) copied, T s, R" \
	'bad: Failed' cut.gz new decompress=gz
ends 'cut off, verified' 1 failed "'new' was not verified" \
	'bad: Failed' cut.gz new decompress=gz verify=yes
ends 'cut off, commit=rename' 1 failed "'kept' was not replaced" \
	'bad: Failed' cut.gz kept decompress=gz commit=rename

# --- a server that is gone -----------------------------------------------

# It dies of the first request behind its half.
serve_half()
{
	local dies="[ \$4 -lt $((size / 2)) ] || kill -9 \$(cat $work/half.pid);"

	without_map
	rm -f half.pid half.sock
	nbdkit -f -P half.pid -U half.sock eval get_size="echo $size" \
		can_write='exit 0' can_flush='exit 0' flush='exit 0' \
		pread="$dies head -c \$3 /dev/zero" \
		pwrite="$dies cat >/dev/null" 2>half.log &
	disown
	wait_for test -e half.pid
}
if "$AIODD" plan=yes "nbd+unix:///?socket=$work/none" new 2>&1 |
	grep -q 'Protocol not supported'
then
	skip 'a server that is gone' 'NBD was left out of this build'
else
	prepare=serve_half
	uri="nbd+unix:///?socket=$work/half.sock"
	gone=(reconnect=0 iosize=128K)
	half_bytes="$((size / 2)) bytes (524 kB, 512 KiB) copied, T s, R"
	ends 'the source is gone' 1 failed "$half_bytes" 'bad: Failed' \
		"$uri" new "${gone[@]}"
	ends 'the source is gone, commit=rename' 1 failed \
		"'kept' was not replaced" 'bad: Failed' \
		"$uri" kept commit=rename "${gone[@]}"
	ends 'the source is gone, map=' 1 failed \
		"'$uri': $((size / 2)) bytes are still to be copied; the same command goes on (map 'rescue.map')" \
		'bad: Failed: 50.00 % rescued' \
		"$uri" new map=rescue.map "${gone[@]}"
	ends 'the destination is gone' 1 failed "$half_bytes" 'bad: Failed' \
		src "$uri" "${gone[@]}"
	ends 'the destination is gone, verified' 1 failed \
		"'$uri' was not verified" 'bad: Failed' \
		src "$uri" verify=yes "${gone[@]}"
	prepare=fresh
	uri="nbd+unix:///?socket=$work/none"
	ends 'no server' 1 failed \
		"failed to open '$uri': No such file or directory" \
		'bad: Failed' "$uri" new
fi

# --- several destinations ------------------------------------------------

prepare=fresh
ends 'two' 0 ok "'kept': $size bytes, complete, verified" \
	'good: Copied and verified' src new tee=kept verify=yes
ends 'two, a read error' 1 failed "'kept': 0 bytes, FAILED" 'bad: Failed' \
	if="$bad" of=new tee=kept bs=64K
ends 'two, unexpected' 4 unexpected "'kept': $size bytes, NOT the expected source" \
	'bad: The source is not what was expected' \
	src new tee=kept expect="$wrong"
ends 'two, unexpected, commit=rename' 4 unexpected \
	"'kept': 0 bytes, NOT the expected source" \
	'bad: The source is not what was expected' \
	src new tee=kept expect="$wrong" commit=rename
check 'two, unexpected, commit=rename: it is true' cmp kept old
bed_refusing refuses $((size / 2)) EIO || skip_all "$BED_WHY"
ends 'two, the second fails' 1 failed "'$BED': $((size / 2)) bytes, FAILED" \
	'bad: Failed' src new tee="$BED" iosize=128K
check 'two, the second fails: the first one is whole' cmp src new
ends 'two, the first fails' 1 failed "'kept': $size bytes, complete" \
	'bad: Failed' src "$BED" tee=kept iosize=128K
check 'two, the first fails: the second one is whole' cmp src kept
if type -P perl >/dev/null && bed_liar 200000; then
	ends 'two, the second differs' 3 differs \
		"'$BED': $size bytes, DIFFERS" \
		'bad: The destination differs from what was written' \
		src new tee="$BED" verify=yes
else
	skip 'two, the second differs' "${BED_WHY:-no perl here}"
fi

# --- the first block -----------------------------------------------------

bed_loop 8M || skip_all "$BED_WHY"
disk=$BED
zero_disk()
{
	head -c 8M /dev/zero >"$disk"
}
prepare=zero_disk
truncate -s 4096 early
cat src >>early
printf '0x0 ? 1\n0x0 0x1000 +\n0x1000 0x1000 -\n0x2000 0xff000 +\n' >early.map
bed_bad early-disk "$work/early" "$work/early.map" || skip_all "$BED_WHY"
early=$BED
ends 'commit=first-last, at once' 1 failed "'$disk' still has its old first block" \
	'bad: Failed' if="$early" of="$disk" bs=4K commit=first-last
is 'commit=first-last, at once: what is in memory is not copied' \
	"$(sed -n 2,3p err | masked /dev/stdin | xargs)" \
	'1+0 records in 0+0 records out'
is 'commit=first-last, at once: json' \
	"$(tail -n 1 err.json | jq -c '[.bytes, .records.out_full]')" '[0,0]'
ends 'commit=first-last, later' 1 failed \
	"'$disk' was written without its first block" \
	'bad: Failed' if="$bad" of="$disk" bs=64K commit=first-last
ends 'commit=first-last, incomplete' 2 incomplete \
	"'$disk' was written without its first block" \
	"warn: Incomplete: $missing zeros replace them in the copy" \
	if="$bad" of="$disk" bs=64K conv=noerror commit=first-last
check 'commit=first-last, incomplete: it is true' \
	cmp -n 4096 "$disk" /dev/zero
ends 'a disk' 0 ok "'$disk' is safe to remove" 'good: Copied' \
	src "$disk" commit=first-last
ends 'a disk, incomplete' 0 incomplete "warning: $missing zeros replace them in the copy" \
	"warn: Incomplete: $missing zeros replace them in the copy" \
	if="$bad" of="$disk" bs=64K conv=noerror

# --- stopped -------------------------------------------------------------

# A disk that does not answer in one call.
bed_stuck() # CALL
{
	local wait="touch $work/asked; until [ -e $work/let ]; do
		sleep .02; done"
	local calls=(pread="$1 dd if=$work/stuck.data bs=64K status=none \
			iflag=skip_bytes,count_bytes skip=\$4 count=\$3"
		pwrite="$2 dd of=$work/stuck.data bs=64K status=none \
			oflag=seek_bytes conv=notrunc seek=\$4"
		flush="$3 exit 0")

	truncate -s $size stuck.data
	bed_nbd "stuck$beds" --filter=noextents eval get_size="echo $size" \
		can_flush='exit 0' "${calls[@]//WAIT/$wait;}" || return
	beds=$((beds + 1))
}

# stop OPERANDS...: ended by SIGTERM while the disk does not answer.
stop()
{
	rm -f asked let
	(PATH=$path_of_ours exec aiodd "$@" 2>err) &
	wait_for test -e asked
	kill -TERM $!
	# It has taken the signal.
	wait_for grep -q '^ShdPnd:.*0000$' "/proc/$!/status"
	touch let
	wait $!
	status=$?
}

# stopped TEXT LAST-LINE OPERANDS...
stopped()
{
	local text=$1 line=$2

	shift 2
	cp old kept
	stop "$@" status=json report=page.html
	mv err err.json
	cp old kept
	stop "$@"
	same_story "$text" 143 stopped "$line" 'warn: Stopped by SIGTERM'
}

cleanup_push touch "$work/let"
if bed_stuck '' '' WAIT; then
	stopped 'stopped while it is flushed' "'$BED' was written, but not synced" \
		if=src of="$BED" bs=64K conv=notrunc,fsync
	stopped 'stopped while it is flushed, verify=' \
		"'$BED' was not verified" \
		if=src of="$BED" bs=64K conv=notrunc verify=yes
else
	skip 'stopped while it is flushed' "$BED_WHY"
fi
if bed_stuck WAIT '' ''; then
	stuck=$BED
	stopped 'stopped while it is copied' "'kept' was not replaced" \
		if="$stuck" of=kept bs=64K commit=rename
	stopped 'stopped while it is read back' \
		"'$stuck' was not verified" \
		if=src of="$stuck" bs=64K conv=notrunc verify=yes
else
	skip 'stopped while it is read back' "$BED_WHY"
fi

valid_pages
same_pages
finish
