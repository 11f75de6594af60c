#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# conv=noerror under our own name: what cannot be read is zeros at its own
# offset, or left out of a pipe, and nothing else is lost or moved.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_loop
require_nbd
require python3
cd "$work" || exit 99
seed=${AIODD_SEED:-1}
size=$((4 << 20))
make_data image $size "$seed"

# A map of bad areas for nbdkit, and the image as it must come through: SECTOR
# is what is lost around each bad byte, the units that a record stands in for
# are of the whole source.
cat >oracle.py <<-'END'
	import random, sys
	name, seed, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
	r = random.Random(seed)
	bad, at = [], 0
	while True:
	    at += r.choice((512, 1024, 4096, 40960, 300000 // 512 * 512, 1 << 20))
	    at = at * r.randint(1, 2)
	    length = r.choice((512, 512, 1536, 4096, 5120, 65536, 100352))
	    if at + length > size:
	        break
	    bad.append((at, length))
	    at += length
	bad.append((size - 512, 512))
	with open(name + ".map", "w") as f:
	    print("0x0 ? 1", file=f)
	    at = 0
	    for start, length in bad:
	        if start > at:
	            print(hex(at), hex(start - at), "+", file=f)
	        print(hex(start), hex(length), "-", file=f)
	        at = start + length
	with open("image", "rb") as f:
	    image = f.read()
	for sector in (512, 4096):
	    lost = bytearray(size // sector)
	    for start, length in bad:
	        first, last = start // sector, (start + length - 1) // sector
	        for i in range(first, last + 1):
	            lost[i] = 1
	    full, short, runs, was = bytearray(), bytearray(), 0, 0
	    for i, is_lost in enumerate(lost):
	        piece = image[i * sector:(i + 1) * sector]
	        full += bytes(sector) if is_lost else piece
	        short += b"" if is_lost else piece
	        runs += is_lost and not was
	        was = is_lost
	    with open(f"{name}.full{sector}", "wb") as f:
	        f.write(full)
	    with open(f"{name}.short{sector}", "wb") as f:
	        f.write(short)
	    with open(f"{name}.runs{sector}", "w") as f:
	        f.write(f"{runs}\n")
END

bed_loop 8M || skip_all "$BED_WHY"
target=$BED

# one_case NAME SECTOR DESTINATION SYNC OPERANDS...
one_case()
{
	local name=$1 sector=$2 to=$3 conv=noerror$4 text out digest
	local want=$name.full$sector

	shift 4
	text="$name, $to, conv=$conv $*"
	rm -f copy
	case $to in
	file)
		out=copy
		head -c 5M /dev/urandom >copy
		run aiodd if="$source" of=copy conv="$conv" "$@"
		;;
	disk)
		out=$target
		head -c 5M /dev/urandom >"$target"
		run aiodd if="$source" of="$target" conv="$conv" "$@"
		head -c $size "$target" >copy
		;;
	pipe)
		[ "$conv" = noerror,sync ] || want=$name.short$sector
		aiodd if="$source" conv="$conv" "$@" 2>err | cat >copy
		status=${PIPESTATUS[0]}
		out=standard
		;;
	esac
	# conv=sync pads the last record, with zeros.
	[ "$conv" = noerror ] || truncate -s $size copy
	if [ "$status" -ne 0 ]; then
		fail "$text" "exit status $status" "$(tail -n 3 err)"
	elif ! cmp -s copy "$want"; then
		fail "$text" "$(cmp copy "$want" 2>&1)" "$(wc -c copy "$want")"
	elif [ "$(grep -c 'error reading' err)" -ne "$(<"$name.runs$sector")" ]
	then
		fail "$text" "$(grep -c 'error reading' err) areas told of \
$(<"$name.runs$sector")"
	elif digest=$(sed -n 's/^SHA256.* = //p' err) && [ -n "$digest" ] &&
		[ "$out-$conv" != "$target-noerror,sync" ] &&
		[ "$digest" != "$(sha256sum <copy | cut -d' ' -f1)" ] &&
		[ $((size % bs)) -eq 0 ]; then
		fail "$text" 'the digest is not that of the copy'
	else
		pass "$text"
	fi
}

all_cases() # NAME SECTOR FLAGS...
{
	local name=$1 sector=$2 to conv i=0
	local more=('' hash=sha256 verify=yes)

	shift 2
	for bs in 512 1000 4096 64K 1M 3M; do
		for to in file disk pipe; do
			for conv in '' ,sync; do
				extra=${more[i++ % 3]}
				[ "$to-$extra" != pipe-verify=yes ] ||
					extra=hash=sha256
				bs=${bs/K/*1024} bs=${bs/M/*1048576}
				bs=$((bs))
				# The disk takes no more than it has room for.
				one_case "$name" "$sector" $to "$conv" bs=$bs \
					${extra:+"$extra"} "$@"
			done
		done
	done
}

for n in 1 2; do
	python3 oracle.py bad$n $((seed * 10 + n)) $size ||
		skip_all 'no oracle'
	bed_bad disk$n "$work/image" "$work/bad$n.map" || skip_all "$BED_WHY"
	source=$BED
	bed_loop_over "$source" || skip_all "$BED_WHY"
	source=$BED
	if [ $n -eq 1 ]; then
		all_cases bad$n 512
	else
		all_cases bad$n 512 iflag=direct
	fi
done

finish
