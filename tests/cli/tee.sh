#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Several destinations: each has all of the bytes, whatever becomes of the
# others, and is told for itself.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

top=$PWD
haste=$(realpath "$(dirname "$0")/../haste.c")
cd "$work" || exit 99
make_data data $(((3 << 20) + 777)) 1
make_data other $((4 << 20)) 2

# all_same FILE COPY...
# shellcheck disable=SC2317 # called by check
all_same()
{
	local file=$1 copy

	for copy in "${@:2}"; do
		cmp -n "$(size_of "$file")" "$file" "$copy" || return
	done
}

# --- files -------------------------------------------------------------------

cp other b
run aiodd data a tee=b tee=c
is 'three files: exit status' "$status" 0
check 'three files' all_same data a b c
is 'each is as long as the source' "$(size_of a) $(size_of b) $(size_of c)" \
	'3146505 3146505 3146505'
for name in a b c; do
	says "$name is told" err "'$name': 3146505 bytes, complete\$"
done
says "dd's counts are those of one copy" err '^12\+1 records out'

run aiodd if=data of=a tee=b bs=1000 skip=3 count=5 verify=yes commit=rename
is 'a part, verified and renamed: exit status' "$status" 0
dd if=data of=want bs=1000 skip=3 count=5 status=none
check 'a part' all_same want a b
is 'nothing is left beside them' "$(echo .*.aiodd* ./*.aiodd*)" \
	'.*.aiodd* ./*.aiodd*'
says 'both are verified' err "'b': 5000 bytes, complete, verified\$"

cp other a; cp other b; cp other want
dd if=data of=want bs=1 seek=999 count=10 conv=notrunc status=none
run aiodd if=data of=a tee=b bs=1 seek=999 count=10 conv=notrunc
check 'what is around the copy stays' all_same want a b

: >empty
run aiodd empty a tee=b
is 'an empty source: exit status' "$status" 0
is 'an empty source' "$(size_of a) $(size_of b)" '0 0'

for words in 'bs=64K' 'bs=1000 skip=7 count=100'; do
	# shellcheck disable=SC2086
	dd if=data of=want iflag=fullblock status=none $words
	# shellcheck disable=SC2002,SC2086
	cat data | run aiodd of=a tee=b $words
	check "from a pipe, $words" cmp a want
	check "from a pipe, $words, the other" cmp b want
done

truncate -s 9M holes
dd if=data of=holes bs=1M seek=4 count=1 conv=notrunc status=none
cp other b
run aiodd holes a tee=b
check 'a file with holes' all_same holes a b
is 'the holes are kept' "$(du -k a b | cut -f 1 | xargs)" '1024 1024'
run aiodd if=holes of=a tee=b bs=4K conv=sparse,fsync
check 'conv=sparse' all_same holes a b

gzip -c data >data.gz
run aiodd data.gz a tee=b decompress=auto
check 'decompressed' all_same data a b

for part in 2/3 1/3 3/3; do
	run aiodd other a tee=b "shard=$part"
done
check 'in parts' all_same other a b

run aiodd data a tee=b expect=md5:00000000000000000000000000000000 \
	commit=rename
is 'not the expected source: exit status' "$status" 4
check 'both keep what they have' all_same other a b

run aiodd data a tee=b sums=SUMS
check 'a line of checksums for each' sha256sum -c --status SUMS
is 'and no more' "$(cut -d ' ' -f 3 SUMS | xargs)" 'a b'

# --- refusals ----------------------------------------------------------------

# refused STATUS WORDS OPERANDS...: and neither is created nor touched.
refused()
{
	local wanted=$1 words=$2

	shift 2
	rm -f new
	run aiodd "$@"
	is "refused: $*" "$status $(cat new 2>&1)" \
		"$wanted cat: new: No such file or directory"
	says "refused, told: $*" err "$words"
	cmp -s data a || fail "refused, touched: $*"
}

cp data a
refused 1 'of= and tee= name the same' other a tee=./a
refused 1 'tee= and tee= name the same' other a tee=new tee=./new
refused 1 'combine tee= and map=' other new tee=a map=m
refused 1 'needs a named output' if=other tee=new
refused 1 "cannot copy to '/dev/full' with tee=" other new tee=/dev/full
mkfifo pipe
refused 1 "cannot copy to 'pipe' with tee=" other new tee=pipe
refused 1 "cannot copy to 'pipe' with tee=" other pipe tee=new
refused 1 "cannot copy to 'new' with tee=: ibs= and obs=" if=other of=new \
	tee=another ibs=1000003 obs=999983
refused 1 "failed to open 'no/such'" other new tee=a tee=no/such
refused 5 "not writing to '/dev/nosuch'" other new tee=a tee=/dev/nosuch
refused 5 "not writing to 'other'.*shares data" other new tee=a tee=other
run as_dd if=data of=new tee=a
is 'dd knows no tee=' "$status $(head -n 1 err)" \
	"1 dd: unrecognized operand 'tee=a'"

run aiodd data a tee=new plan=yes
is 'plan=yes: exit status' "$status" 0
says 'plan=yes tells of each' out '^would create new'
[ ! -e new ] || fail 'plan=yes makes nothing'

# --- disks -------------------------------------------------------------------

require_loop

loops=()
for name in one two three; do
	must truncate -s 4M "$name.img"
	bed_loop_over "$name.img" || skip_all "$BED_WHY"
	loops+=("$BED")
	{ tr '\0' '\377' </dev/zero | head -c 4M; } >"$name.img"
done

run aiodd data "${loops[0]}" tee="${loops[1]}" tee="${loops[2]}" \
	verify=yes commit=first-last
is 'three disks: exit status' "$status" 0
check 'three disks' all_same data one.img two.img three.img
is 'what is behind the copy stays' \
	"$(tail -qc +3146506 ./*.img | tr -d '\377' | wc -c)" 0
says 'each is safe to remove' err \
	"'${loops[2]}': 3146505 bytes, complete, verified, safe to remove; the"

run aiodd data a tee="${loops[0]}" commit=rename
is 'each is committed in its way: exit status' "$status" 0
check 'each is committed in its way' all_same data a one.img

run aiodd other "${loops[0]}" tee=one.img
is 'a disk and the file under it: exit status' "$status" 5

must truncate -s 1M small.img
bed_loop_over small.img || skip_all "$BED_WHY"
refused 5 'too small' data new tee="$BED"
rm -f new
run aiodd data new tee="$BED" force=size
is 'too small, by force: exit status' "$status" 1
check 'too small, by force: the other' all_same data new
check 'too small, by force: what fits' cmp -n 1048576 data small.img
says 'too small, by force: told' err "'$BED': 1048576 bytes, FAILED\$"

must truncate -s 4M fixed.img
bed_loop_over fixed.img 512 -r || skip_all "$BED_WHY"
refused 1 'write-protected' data new tee="$BED"

# --- one that fails, one that lies, one that stops ----------------------------

require_nbd
head -c 1M other >short
bed_refusing half $((512 << 10)) EIO || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
cp other c
run aiodd short "${loops[0]}" tee="$BED" tee=c tee=d commit=first-last \
	verify=yes iosize=128K
is 'one fails at half of it: exit status' "$status" 1
check 'one fails at half of it: the others' all_same short one.img c d
says 'it is told where' err "error writing '$BED'.*\(offset 524288\)"
says 'it is told how far it came' err "'$BED': 520192 bytes, FAILED\$"
says 'it has no first block' err "'$BED' was written without its first block"
says 'the others are told' err "'d': 1048576 bytes, complete, verified"
is 'it begins with nothing' "$(head -c 4096 half.img | tr -d '\0' | wc -c)" 0
check 'it has what was behind that' cmp -i 4096 -n $(((512 << 10) - 4096)) \
	short half.img

cp data a
run aiodd short "$BED" tee=a commit=first-last
is 'the first one fails: exit status' "$status" 1
check 'the first one fails: the other' cmp short a

uri="nbd+unix:///?socket=$work/sock"
nbdkit -f -P served -U "$work/sock" --filter=exitlast memory 4M &
cleanup_push kill $!
wait_for test -e served
run aiodd short a tee="$uri" tee=b verify=yes
is 'a server among them: exit status' "$status" 0
check 'a server among them' all_same short a b
says 'the server is told' err "/sock': 1048576 bytes, complete, verified"

bed_liar 70000 || skip_all "$BED_WHY"
run aiodd short a tee="$BED" tee="${loops[1]}" verify=yes
is 'one gives back other bytes: exit status' "$status" 3
says 'it differs' err "'$BED': 1048576 bytes, DIFFERS\$"
says 'the others do not' err "'${loops[1]}': 1048576 bytes, complete, verified"
says 'nothing is said of the others' err \
	"'$BED': 1 byte at offset 70000 differs"

# --- what is left of a run that fails or is stopped --------------------------

rm -f a b
(ulimit -v 12000; run aiodd other a tee=b io=aio iosize=1M depth=16
	echo "$status" >status)
if [ "$(cat status)" -ne 0 ] && [ -e a ]; then
	is 'no memory: no file looks like a copy' "$(size_of a) $(size_of b)" \
		'0 0'
	says 'no memory: each is named' err "'b': 0 bytes, FAILED"
else
	skip 'no memory' 'there is enough'
fi
cat >sealed.py <<'END'
import fcntl, os, subprocess, sys
fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
os.write(fd, bytes(100000))
fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
sealed = f"tee=/proc/{os.getpid()}/fd/{fd}"
sys.exit(subprocess.run([*sys.argv[1:], sealed]).returncode)
END
if python3 -c 'import fcntl; fcntl.F_ADD_SEALS' 2>/dev/null; then
	head -c 50000 data >little
	cp other a
	run python3 sealed.py "$AIODD" little a
	is 'one cannot be cut: exit status' "$status" 1
	says 'one cannot be cut: the one that was is named' err \
		"'a': 0 bytes, FAILED"
	is 'one cannot be cut: it is not' "$(grep -c FAILED err)" 1
else
	skip 'one cannot be cut' 'no python3 that seals here'
fi
mkfifo fifo
exec 9<>fifo
head -c 200000 data >&9 &
timeout 60 "$AIODD" of=a tee=b <fifo 2>err &
pid=$!
# shellcheck disable=SC2317 # called by wait_for
is_read() { [ "$(size_of a)" -gt 0 ]; }
wait_for is_read
kill -TERM "$(pgrep -P "$pid")"
wait "$pid"
check 'stopped while nothing comes: the source had no error' \
	eval '! grep -q "error reading" err'
says 'stopped while nothing comes: it is said' err "'a': [0-9]* bytes, STOPPED\$"
exec 9>&-

is_sanitized && skip_all 'a sanitizer does not like another clock'
cd "$top" && require_late
cd "$work" || exit 99
cc -shared -fPIC "$haste" -o haste.so 2>err ||
	skip_all "cc: $(head -n 1 err)"
must truncate -s 4M stops.img
bed_late stops 0 || skip_all "$BED_WHY"
: >stops.img.hold
cp data a
LD_PRELOAD=$PWD/haste.so "$AIODD" short a tee="$BED" tee="${loops[2]}" \
	iosize=64K depth=4 verify=yes 2>err &
pid=$!
wait_for grep -q 'GIVEN UP' err || diag "$(cat err)"
rm stops.img.hold
wait "$pid"
is 'one stops: exit status' $? 1
check 'one stops: the others' all_same short a three.img
says 'it is told at once' err "'$BED' has not answered for 30 seconds"
says 'it is told at the end' err "'$BED': 0 bytes, GIVEN UP\$"
says 'the others are verified' err "'a': 1048576 bytes, complete, verified\$"

# The one of of=, by an engine that has to be left as it is.
nbdkit -f -P waits -U "$work/waits.sock" --filter=delay memory 4M \
	delay-write=3600 &
cleanup_push kill -9 $!
wait_for test -e waits
rm -f a
LD_PRELOAD=$PWD/haste.so run "$AIODD" short \
	"nbd+unix:///?socket=$work/waits.sock" tee=a iosize=64K depth=4
is 'the first one stops: exit status' "$status" 1
says 'the first one stops: it is told' err "waits.sock': 0 bytes, GIVEN UP\$"
check 'the first one stops: the other' all_same short a

finish
