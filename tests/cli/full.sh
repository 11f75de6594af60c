#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The destination ends before the source: full disks, limits, small devices.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # the scripts are expanded by like_dd
. "$(dirname "$0")/../lib.sh"

require_root
require_gnu_dd

make_data "$work/data" $((72 << 20)) 1

# filled DD OPERANDS...: the result of filling the disk anew.
filled()
{
	local dd=$1

	shift
	rm -f "$dir/file"
	sync -f "$dir"
	run "$dd" if="$work/data" of="$dir/file" "$@"
}

bed_full || skip_all "$BED_WHY"
dir=$BED
for way in 'bs=1M io=aio' 'bs=1M io=inline' 'bs=512' \
	'bs=1M oflag=direct' 'bs=1M iflag=direct oflag=direct io=aio' \
	'bs=64K io=aio conv=fsync'; do
	# Recent kernels refuse a large write as a whole, so bs= matters.
	filled gnu_dd "${way%% *}"
	most=$(size_of "$dir/file")
	# shellcheck disable=SC2086 # the operands of a way
	filled aiodd $way
	size=$(size_of "$dir/file")
	is "full disk, $way: exit status" "$status" 1
	says "full disk, $way: message" "$work/err" \
		"^aiodd: error writing '$dir/file': No space left on device( |\$)"
	is "full disk, $way: the size is the bytes reported" \
		"$size" "$(bytes_reported "$work/err")"
	check "full disk, $way: $size bytes, dd gets $most" \
		test "$size" -ge $((most - 4096))
	check "full disk, $way: the bytes are right" \
		cmp -n "$size" "$work/data" "$dir/file"
done

# From the disk to itself, where the kernel does the copying.
rm -f "$dir/file"
must head -c 20M "$work/data" >"$dir/from"
must fallocate -l 24M "$dir/filler"
for dd in gnu_dd aiodd; do
	rm -f "$dir/file"
	sync -f "$dir"
	run $dd if="$dir/from" of="$dir/file" bs=64K
	is "full disk, onto itself, $dd: exit status" "$status" 1
	is "full disk, onto itself, $dd: the size is the bytes reported" \
		"$(size_of "$dir/file")" "$(bytes_reported "$work/err")"
	check "full disk, onto itself, $dd: the bytes are right" \
		cmp -n "$(size_of "$dir/file")" "$dir/from" "$dir/file"
	eval "$dd"_got="$(size_of "$dir/file")"
done
# shellcheck disable=SC2154 # set by eval
check "full disk, onto itself: $aiodd_got bytes, dd gets $gnu_dd_got" \
	test "$aiodd_got" -ge $((gnu_dd_got - 4096))

# Whatever else is asked for, it is told, and nothing is left lying about.
names()
{
	find "$dir" "$work/beside" -mindepth 1 ! -name lost+found ! -name filler \
		-printf '%P\n' | sort | xargs
}

# is_left_out TEXT: skipped then
is_left_out()
{
	grep -q 'left out of this build' "$work/err" &&
		skip "$1" 'was left out of this build'
}

# too_full TEXT OPERANDS...: over an old file
too_full()
{
	local text="full $1" size

	shift
	rm -f "$dir/file"
	must cp "$work/old" "$dir/file"
	sync -f "$dir"
	run aiodd if="$work/data" of="$dir/file" bs=64K "$@"
	! is_left_out "$text" || return
	is "$text: exit status" "$status" 1
	says "$text: message" "$work/err" \
		"^aiodd: error writing '$dir/file': No space left on device( |\$)"
	is "$text: no digest" "$(grep -c ' = ' "$work/err")" 0
	is "$text: nothing is left behind" "$(names)" file
	if [[ $* = *commit=* ]]; then
		check "$text: the old file stays" same "$work/old" "$dir/file"
	else
		size=$(size_of "$dir/file")
		check "$text: the bytes are right" \
			cmp -n "$size" "$work/data" "$dir/file"
	fi
}

mkdir "$work/beside"
for type in ext4 tmpfs; do
	# It takes the source alone, but not the old file beside it.
	size=76M
	[ $type = tmpfs ] || size=92M
	bed_fs $type $size || { skip "full $type" "$BED_WHY"; continue; }
	dir=$BED
	make_data "$work/old" $((20 << 20)) 2
	for operands in commit=rename 'commit=rename verify=yes' \
		'commit=rename hash=sha256 conv=fsync' \
		"commit=rename io=aio sums=$work/beside/SUMS" \
		"commit=rename sums=$dir/SUMS"; do
		# shellcheck disable=SC2086 # operands
		too_full "$type, ${operands//"$work/"/}" $operands
	done
	must fallocate -l 24M "$dir/filler"
	for operands in verify=yes hash=sha256 'verify=yes hash=md5 io=aio' \
		"sums=$work/beside/SUMS conv=fsync"; do
		# shellcheck disable=SC2086 # operands
		too_full "$type, ${operands//"$work/"/}" $operands
	done
done

# The copy fits, and nothing but it.
must head -c 4M "$work/data" >"$work/exact"
if bed_fs tmpfs 4M; then
	dir=$BED
	for operands in sums=SUMS 'commit=rename sums=SUMS' \
		report=report.json report=report.html; do
		rm -f "$dir"/*
		# shellcheck disable=SC2086 # operands
		run eval 'cd "$dir" && aiodd "$work/exact" file '"$operands"
		! is_left_out "just fits, $operands" || continue
		is "just fits, $operands: exit status" "$status" 1
		says "just fits, $operands: message" "$work/err" \
			"^aiodd: ${operands#* }: No space left on device\$"
		check "just fits, $operands: identical" \
			same "$work/exact" "$dir/file"
		is "just fits, $operands: nothing beside it" "$(names)" file
	done
	cd "$work" || exit 99
else
	skip 'just fits' "$BED_WHY"
fi

must head -c 3M "$work/data" >"$work/small"
for operands in bs=64K 'bs=64K io=aio' 'bs=64K io=inline' \
	'bs=64K oflag=direct'; do
	rm -f "$work/copy"
	# shellcheck disable=SC2086 # operands
	run eval '(ulimit -f 1024; trap "" XFSZ
		aiodd if="$work/small" of="$work/copy" '"$operands"')'
	is "file size limit, $operands: exit status" "$status" 1
	says "file size limit, $operands: message" "$work/err" \
		"^aiodd: error writing '$work/copy': File too large( |\$)"
	is "file size limit, $operands: bytes reported" \
		"$(bytes_reported "$work/err") $(size_of "$work/copy")" \
		'1048576 1048576'
	check "file size limit, $operands: the bytes are right" \
		cmp -n 1048576 "$work/small" "$work/copy"
done
setup="ln -s '$work/small' in"
like_dd 'file size limit, signal ignored: as dd' "$setup" \
	'ulimit -f 512; trap "" XFSZ; dd if=in of=out bs=32K'
like_dd 'file size limit, seek beyond' "$setup" \
	'ulimit -f 512; trap "" XFSZ; dd if=in of=out bs=32K seek=15'
like_dd 'file size limit just not reached' "$setup" \
	'ulimit -f 512; dd if=in of=out bs=32K count=16'
like_dd 'file size limit, death by its signal' "$setup" \
	'ulimit -f 512; dd if=in of=out bs=32K'

# Each side of like_dd has its own device.
declare -A device
setup='ln -s "${device[$side]}" out'"; ln -s '$work/small' in"
for sector in 512 4096; do
	for who in gnu ours; do
		bed_loop 1M $sector || skip_all "$BED_WHY"
		device[$who]=$BED
	done
	for operands in bs=64K bs=512 'bs=128K oflag=direct' 'bs=4096 seek=250' \
		'bs=64K seek=16' 'bs=64K conv=fsync' bs=1M; do
		like_dd "device of $sector ends early, $operands" "$setup" \
			"dd if=in of=out $operands; status=\$?; rm out; exit \$status"
		[[ $operands = *seek* ]] || check '... and is full of data' \
			cmp -n 1048576 "$work/small" "${device[ours]}"
	done
	like_dd "device of $sector just fits" "$setup" \
		'dd if=in of=out bs=64K count=16; rm out'
	like_dd "device of $sector, seek beyond its end" "$setup" \
		'dd if=in of=out bs=64K seek=17; rm out'
	run aiodd if="$work/small" of="${device[ours]}" bs=64K force=size
	says "device of $sector ends early: offset" "$work/err" \
		"^aiodd: error writing '${device[ours]}': No space left on device \\(offset 1048576\\)\$"
done

# A disk that refuses what lies behind a place: that place is told, and no
# byte behind it is called copied.
if [ "$(id -u)" -eq 0 ] && type -P nbdkit nbdfuse >/dev/null; then
	make_data "$work/wide" $((1 << 20 | 100)) 3
	for place in 1048576:ENOSPC:'No space left on device' \
		720896:EIO:'Input/output error' \
		717312:ENOSPC:'No space left on device'; do
		IFS=: read -r off error words <<<"$place"
		{ bed_refusing "$error$off" "$off" "$error" &&
			bed_loop_over "$BED"; } || skip_all "$BED_WHY"
		for operands in '' 'io=aio iosize=128K depth=4'; do
			# shellcheck disable=SC2086
			run aiodd if="$work/wide" of="$BED" bs=64K $operands
			text="refused from $off, $error $operands"
			is "$text: exit status" "$status" 1
			says "$text: where" "$work/err" \
				"'$BED': .*\\(offset $off\\)\$"
			[ "$off" -eq 1048576 ] || says "$text: why" \
				"$work/err" ": $words \\(offset"
			is "$text: as much is copied" \
				"$(bytes_reported "$work/err")" "$off"
			check "$text: and is there" \
				cmp -n "$off" "$work/wide" "$work/$error$off.img"
			is "$text: not safe to remove" \
				"$(grep -c safe "$work/err")" 0
		done
	done
fi

# A record that was read for the write that failed counts, in bulk as well. (A
# write of 1 MiB is refused as a whole, where the ring writes less at a time.)
bed_refusing broken 786432 EIO || skip_all "$BED_WHY"
setup="ln -s '$BED' out; make_data in 1048577 4"
for operands in bs=64K bs=48K 'ibs=64K obs=128K' 'ibs=128K obs=64K' \
	'ibs=48K obs=64K' 'bs=64K count=12' 'bs=64K count=13' 'bs=64K seek=1' \
	'bs=64K oflag=direct' 'ibs=1M obs=64K'; do
	like_dd "a disk that breaks, $operands" "$setup" \
		"dd if=in of=out conv=notrunc $operands"
done
run aiodd if="$work/ours/files/in" of="$BED" bs=64K conv=notrunc
is 'a disk that breaks, under our own name' \
	"$(head -n 3 "$work/err" | tail -n 2 | xargs)" \
	'13+0 records in 12+0 records out'

finish
