#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# commit=: the old file or the whole new one, the old first block or all.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016,SC2317
. "$(dirname "$0")/../lib.sh"

size=$((4 << 20))
dir=$work/dir
mkdir "$dir"
make_data "$work/old" $((1 << 20)) 1
make_data "$work/new" $size 2

fresh()
{
	rm -rf "$dir"
	mkdir "$dir"
	must cp "$work/old" "$dir/file"
}

# The names in the directory, hidden ones too.
names()
{
	find "${1:-$dir}" -mindepth 1 ! -name lost+found -printf '%P ' |
		tr ' ' '\n' | sort | xargs
}

# untouched TEXT [DIRECTORY]: the old file is there, and nothing beside it.
untouched()
{
	check "$1: the old file stays" same "$work/old" "${2:-$dir}/file"
	is "$1: nothing beside it" "$(names "${2:-$dir}")" file
}

# --- what becomes of the file --------------------------------------------

for operands in 'bs=1M' 'bs=64K io=aio' 'bs=3333 io=inline' 'conv=sync bs=7'; do
	fresh
	chmod 751 "$dir/file"
	exec 8<"$dir/file"
	# shellcheck disable=SC2086 # operands
	run aiodd if="$work/new" of="$dir/file" commit=rename $operands
	is "$operands: exit status" "$status" 0
	check "$operands: it has the new content" \
		cmp -n $size "$work/new" "$dir/file"
	is "$operands: it has the old mode" "$(stat -c %a "$dir/file")" 751
	check "$operands: who had it open reads the old file" \
		cmp "$work/old" - <&8
	exec 8<&-
	is "$operands: nothing beside it" "$(names)" file
done

fresh
run aiodd if="$work/new" of="$dir/made" commit=rename
is 'a new file: exit status' "$status" 0
is 'a new file: mode' "$(stat -c %a "$dir/made")" \
	"$(printf '%o' $((0666 & ~$(umask))))"
is 'a new file: nothing beside it' "$(names)" 'file made'

fresh
run aiodd if="$dir/file" of="$dir/file" conv=swab commit=rename
is 'onto itself: exit status' "$status" 0
check 'onto itself: converted' \
	cmp <(as_dd if="$work/old" conv=swab status=none) "$dir/file"

fresh
mkdir "$dir/there"
ln -s ../file "$dir/there/link"
ln -s there/link "$dir/link"
ln -s there/made "$dir/dangling"
run aiodd if="$work/new" of="$dir/link" commit=rename
check 'a link: its target is replaced' same "$work/new" "$dir/file"
is 'a link: it stays one' "$(readlink "$dir/link")" there/link
run aiodd if="$work/new" of="$dir/dangling" commit=rename
check 'a link to nothing: its target is made' same "$work/new" \
	"$dir/there/made"
is 'a link to nothing: it stays one' "$(readlink "$dir/dangling")" there/made
is 'links: nothing beside them' "$(names)" \
	'dangling file link there there/link there/made'
run aiodd if="$work/new" of="$dir/link" commit=rename oflag=nofollow
is 'a link with oflag=nofollow: exit status' "$status" 1

fresh
(
	cd "$dir" || exit 1
	aiodd if="$work/new" of=file commit=rename status=none
)
check 'a bare name: replaced' same "$work/new" "$dir/file"
long=$(printf 'x%.0s' {1..255})
run aiodd if="$work/new" of="$dir/$long" commit=rename
check 'the longest name: made' same "$work/new" "$dir/$long"

if [ "$(id -u)" -eq 0 ]; then
	fresh
	chown 12:34 "$dir/file"
	chmod 4755 "$dir/file"
	run aiodd if="$work/new" of="$dir/file" commit=rename
	is 'owner, group and mode are kept' \
		"$(stat -c '%u:%g %a' "$dir/file")" '12:34 4755'
	# Who may not give files away gets the file, without its owner's rights.
	fresh
	chmod 755 "$work"
	chmod 777 "$dir"
	chmod 4777 "$dir/file"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$AIODD" \
		if="$work/new" of="$dir/file" commit=rename
	if [ "$status" -ge 126 ]; then
		skip 'by somebody else' 'nobody may not run the program'
	else
		is 'by somebody else: exit status' "$status" 0
		is 'by somebody else: owner, group and mode' \
			"$(stat -c '%u:%g %a' "$dir/file")" '65534:65534 707'
	fi
	fresh
	chmod 755 "$dir"
	chmod 666 "$dir/file"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$AIODD" \
		if="$work/new" of="$dir/file" commit=rename
	if [ "$status" -ge 126 ]; then
		skip 'no new files there' 'nobody may not run the program'
	else
		is 'no new files there: exit status' "$status" 1
		untouched 'no new files there'
	fi
else
	skip 'owner, group and mode are kept' 'needs root'
fi

# An access control list: rw for the user 12, all others as they are; or for
# another user, and with other rights of the group.
fresh
set_acl='import os, struct, sys
user, group = (int(a) for a in (sys.argv[2:] or (12, 4)))
os.setxattr(sys.argv[1], "system.posix_acl_access", struct.pack("<I", 2) +
	b"".join(struct.pack("<HHI", *e) for e in (
		(1, 6, 2 ** 32 - 1), (2, 6, user), (4, group, 2 ** 32 - 1),
		(16, 6, 2 ** 32 - 1), (32, 4, 2 ** 32 - 1))))'
get_acl='import os, sys
print(os.getxattr(sys.argv[1], "system.posix_acl_access").hex())'
if python3 -c "$set_acl" "$dir/file" 2>/dev/null; then
	acl=$(python3 -c "$get_acl" "$dir/file")
	run aiodd if="$work/new" of="$dir/file" commit=rename
	is 'the access control list is kept' \
		"$(python3 -c "$get_acl" "$dir/file")" "$acl"
else
	skip 'the access control list is kept' 'none can be set here'
fi

# What a list allows is lost with the group that it is of.
if [ "$(id -u)" -eq 0 ]; then
	fresh
	chmod 755 "$work"
	chmod 777 "$dir"
	chown 33:34 "$dir/file"
	# rw for the user 65534, nothing for the group, read for all others
	if python3 -c "$set_acl" "$dir/file" 65534 0 2>/dev/null; then
		run setpriv --reuid=65534 --regid=65534 --clear-groups \
			"$AIODD" if="$work/new" of="$dir/file" commit=rename
		is 'a list that cannot be kept: exit status' "$status" 0
		is 'a list that cannot be kept: nobody else may read it' \
			"$(stat -c '%u:%g %a' "$dir/file")" '65534:65534 600'
		is 'a list that cannot be kept: it is gone' \
			"$(python3 -c "$get_acl" "$dir/file" 2>&1 |
				grep -c 'No data available')" 1
	else
		skip 'a list that cannot be kept' 'none can be set here'
	fi
	for mask in 0222 0777; do
		fresh
		chown 65534:65534 "$dir" "$dir/file"
		chmod 640 "$dir/file"
		run sh -c 'umask "$0"; exec setpriv --reuid=65534 \
			--regid=65534 --clear-groups "$@"' $mask "$AIODD" \
			if="$work/new" of="$dir/made" commit=rename verify=yes
		is "umask $mask: a new file" \
			"$status $(stat -c %a "$dir/made")" \
			"0 $(printf '%o' $((0666 & ~mask)))"
		run sh -c 'umask "$0"; exec setpriv --reuid=65534 \
			--regid=65534 --clear-groups "$@"' $mask "$AIODD" \
			if="$work/new" of="$dir/file" commit=rename verify=yes
		is "umask $mask: an old one" \
			"$status $(stat -c %a "$dir/file")" '0 640'
	done
else
	skip 'rights that cannot be kept' 'needs root'
fi

# --- somebody else in the directory --------------------------------------

temp_of()
{
	compgen -G "$dir/.file.aiodd-??????"
}

# The temporary file becomes a link to what is not ours to lose.
for how in link gone; do
	fresh
	echo precious >"$work/precious"
	rm -f "$work/fifo"
	mkfifo "$work/fifo"
	PATH=$path_of_ours aiodd if="$work/fifo" of="$dir/file" \
		commit=rename status=none 2>"$work/err" &
	pid=$!
	exec 9>"$work/fifo"
	check "replaced by somebody, $how: a file beside it" wait_for temp_of
	temp=$(temp_of)
	rm "$temp"
	[ $how = gone ] || ln -s "$work/precious" "$temp"
	cat "$work/new" >&9
	exec 9>&-
	wait $pid
	is "replaced by somebody, $how: exit status" $? 1
	says "replaced by somebody, $how: why" "$work/err" \
		"to '$dir/file': the temporary file was removed or replaced"
	is "replaced by somebody, $how: the other file stays" \
		"$(stat -c %a "$work/precious") $(cat "$work/precious")" \
		"$(printf '%o' $((0666 & ~$(umask)))) precious"
	[ $how = gone ] || check 'replaced by somebody: so does the link' \
		test -L "$temp"
	rm -f "$temp"
	untouched "replaced by somebody, $how"
done

# The race itself: whoever owns the directory sees each new name at once.
if [ "$(id -u)" -eq 0 ] && type -P cc >/dev/null &&
	cc -o "$work/swap" "$(dirname "$0")/../swap.c" 2>/dev/null; then
	chmod 755 "$work"
	changed=
	for ((i = 0; i < 20; i++)); do
		fresh
		chown 65534:65534 "$dir" "$dir/file"
		rm -f "$work/ready" "$work/precious"
		echo precious >"$work/precious"
		"$work/swap" "$dir" "$work/precious" 65534 >"$work/ready" &
		pid=$!
		wait_for test -s "$work/ready"
		run aiodd if="$work/new" of="$dir/file" commit=rename
		{ kill $pid; wait $pid; } 2>/dev/null
		[ "$(stat -c %u "$work/precious") $(<"$work/precious")" = \
			'0 precious' ] || changed="$changed $i"
	done
	is 'whoever swaps the file at once gets nothing' "$changed" ''
else
	skip 'whoever swaps the file at once gets nothing' \
		'needs root and a compiler'
fi

# --- refusals ------------------------------------------------------------

# refused TEXT REGEX OPERANDS...
refused()
{
	local text=$1 regex=$2

	shift 2
	run aiodd if="$work/new" "$@"
	is "$text: exit status" "$status" 1
	says "$text: why" "$work/err" "$regex"
	is "$text: one line" "$(wc -l <"$work/err")" 1
	untouched "$text"
}

fresh
file=$dir/file
refused notrunc 'commit=rename and conv=notrunc' \
	of="$file" commit=rename conv=notrunc
refused append 'commit= and oflag=append' of="$file" commit=rename oflag=append
refused seek 'commit=rename and seek=' of="$file" commit=rename seek=1
refused 'standard output' 'needs a named output' commit=rename
refused 'standard output, first-last' 'needs a named output' commit=first-last
refused 'what standard output has open' 'a file that is open as standard output' \
	of="$work/out" commit=rename
refused 'what standard error has open' 'open as standard output or error' \
	of=/dev/stderr commit=rename
refused 'a device' 'needs a regular file' of=/dev/null commit=rename
refused 'a directory' 'needs a regular file' of="$dir" commit=rename
refused 'a file, first-last' 'needs a block device' of="$file" commit=first-last
refused 'no such disk' "'/dev/no-disk': No such file" \
	of=/dev/no-disk commit=first-last
refused excl 'File exists' of="$file" commit=rename conv=excl
refused nocreat 'No such file' of="$dir/none" commit=rename conv=nocreat
refused 'no such directory' "failed to open '$dir/none/file'" \
	of="$dir/none/file" commit=rename
refused 'with plan=yes' 'needs a block device' of="$file" commit=first-last \
	plan=yes
refused 'a directory that is asked for' 'Not a directory' \
	of="$file" commit=rename oflag=directory
refused 'an empty name' "failed to open ''" of= commit=rename
# Found by the rename, they would cost the whole copy.
if [ "$(id -u)" -eq 0 ]; then
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	# early TEXT REGEX WORDS...: not a byte is copied.
	early()
	{
		local text=$1 regex=$2

		shift 2
		run "$@"
		is "$text: exit status" "$status" 1
		says "$text: why" "$work/err" "$regex"
		is "$text: one line" "$(wc -l <"$work/err")" 1
		is "$text: nothing beside it" "$(names)" file
	}
	chmod 755 "$work"
	fresh
	chmod 1777 "$dir"
	chown 33 "$file"
	chmod 666 "$file"
	early "another user's file in a sticky directory" \
		'cannot rename the copy to .*: Operation not permitted' \
		"${nobody[@]}" "$AIODD" if="$work/new" of="$file" commit=rename
	fresh
	if own_mounts true; then
		early 'a mount point' ': Device or resource busy' \
			own_mounts sh -c 'mount --bind "$1" "$2"
				"$0" if="$1" of="$2" commit=rename' \
			"$AIODD" "$work/new" "$file"
		untouched 'a mount point'
	else
		skip 'a mount point' 'no mount namespaces here'
	fi
	if bed_fs ext4 16M && chattr +a "$BED" 2>/dev/null; then
		run aiodd if="$work/new" of="$BED/made" commit=rename
		is 'a directory that only grows: one line' \
			"$status $(wc -l <"$work/err")" '1 1'
		is 'a directory that only grows: nothing in it' \
			"$(names "$BED")" ''
		chattr -a "$BED"
	else
		skip 'a directory that only grows' "${BED_WHY:-no chattr here}"
	fi
	# What is under a loop device of somebody else may be this file for all
	# that nobody can see, but no byte of it is written.
	fresh
	chmod 777 "$dir"
	chmod 666 "$file"
	truncate -s 1M "$file"
	if mkdir -m 700 "$work/hidden" && truncate -s 64K "$work/hidden/img" &&
		bed_loop_over "$work/hidden/img"; then
		for plan in plan=yes ''; do
			run "${nobody[@]}" "$AIODD" if="$work/new" of="$file" \
				commit=rename ${plan:+"$plan"}
			is "an image that cannot be seen${plan:+, $plan}: allowed" \
				"$status" 0
			is "an image that cannot be seen${plan:+, $plan}: no word" \
				"$(grep -c 'aiodd: ' "$work/err")" 0
		done
	else
		skip 'an image that cannot be seen' "${BED_WHY-}"
	fi
	fresh
else
	skip 'a rename that would fail' 'needs root'
fi
exec 8>"$work/gone"
rm "$work/gone"
refused 'a file without a name' 'with a name' of=/proc/self/fd/8 commit=rename
exec 8>&-
run aiodd if="$work/new" of="$file" commit=maybe
says 'an unknown manner' "$work/err" 'commit= takes rename or first-last, not .maybe'
run as_dd if="$work/new" of="$file" commit=rename
says 'dd does not know it' "$work/err" "unrecognized operand 'commit=rename'"

# --- failures ------------------------------------------------------------

run aiodd if="$work/new" of="$file" bs=1M commit=rename \
	expect=md5:00000000000000000000000000000000
if grep -q 'left out' "$work/err"; then
	skip 'not what was expected' 'no digests in this build'
else
	is 'not what was expected: exit status' "$status" 4
	untouched 'not what was expected'
fi

if type -P strace >/dev/null; then
	# injected FAULT OPERANDS...; FAULT may go on with options of strace.
	# The leak sanitizer does not work under it.
	injected()
	{
		# shellcheck disable=SC2086 # options
		ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run strace -qq -f -o /dev/null -e inject=$1 \
			"$AIODD" if="$work/new" "${@:2}" commit=rename
	}
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run strace -qq -f \
		-o "$work/trace" -e trace=%file "$AIODD" if="$work/new" \
		of="$file" commit=rename verify=yes
	is 'the file beside it is opened once, by a name that is new' \
		"$(grep -E 'open.*\.aiodd-' "$work/trace" |
			grep -Eo 'O_(CREAT|EXCL|NOFOLLOW|TRUNC)' | xargs)" \
		'O_CREAT O_EXCL O_NOFOLLOW'
	is 'and nothing but the rename uses that name' \
		"$(grep -F .aiodd- "$work/trace" | grep -v '^[^(]*\(open\|stat\)' |
			sed -E 's/^[0-9]+ +([a-z]+).*/\1/')" renameat
	fresh
	injected fsync:error=EIO of="$file"
	is 'fsync fails: exit status' "$status" 1
	untouched 'fsync fails'
	injected /^rename:error=EACCES of="$file"
	is 'rename fails: exit status' "$status" 1
	says 'rename fails: why' "$work/err" \
		"cannot rename the copy to '$file': Permission denied"
	untouched 'rename fails'
	injected "fsync:error=EIO -P $dir" of="$file"
	is 'fsync of the directory fails: exit status' "$status" 1
	check 'fsync of the directory fails: the new file is there' \
		same "$work/new" "$file"
	fresh
	# As NFS answers.
	injected renameat2:error=EINVAL of="$dir/made" conv=excl
	is 'excl without renameat2: exit status' "$status" 0
	check 'excl without renameat2: made' same "$work/new" "$dir/made"
	rm "$dir/made"
	untouched 'excl without renameat2'
else
	skip 'system calls that fail' 'no strace here'
fi

if [ "$(id -u)" -eq 0 ] && bed_fs tmpfs 3M; then
	must cp "$work/old" "$BED/file"
	run aiodd if="$work/new" of="$BED/file" bs=64K commit=rename
	is 'a full disk: exit status' "$status" 1
	says 'a full disk: why' "$work/err" 'No space left on device'
	untouched 'a full disk' "$BED"
	umount "$BED"
else
	skip 'a full disk' "${BED_WHY:-needs root}"
fi

require_nbd
require perl

printf '0x0 ?\n0x0 0x200000 +\n0x200000 0x1000 -\n0x201000 0x1ff000 +\n' \
	>"$work/map"
bed_bad bad "$work/new" "$work/map" || skip_all "$BED_WHY"
bad=$BED
fresh
for operands in io=aio io=inline; do
	run aiodd if="$bad" of="$file" bs=64K commit=rename $operands
	is "a bad sector, $operands: exit status" "$status" 1
	untouched "a bad sector, $operands"
done

# --- signals -------------------------------------------------------------

bed_nbd slow --filter=delay file "$work/new" delay-read=10ms ||
	skip_all "$BED_WHY"
slow=$BED
operands="if=$slow bs=256K depth=2 iosize=256K iflag=direct status=none"

# start OPERANDS...: sets pid.  A shell has its background commands ignore
# SIGINT.
start()
{
	# shellcheck disable=SC2086 # operands
	env --default-signal=INT "$AIODD" $operands "$@" &
	pid=$!
} 2>/dev/null

temp_has_data()
{
	find "$dir" -name '.file.aiodd-??????' -size +0 | grep -q .
}

fresh
for signal in INT TERM HUP; do
	# It has minutes to go.
	start of="$file" commit=rename rate=16K
	check "SIG$signal: a file beside it" wait_for temp_has_data
	kill "-$signal" $pid
	wait $pid 2>/dev/null
	is "SIG$signal: dies by it" $? $((128 + $(kill -l $signal)))
	untouched "SIG$signal"
done

rounds=40
[ -z "${AIODD_LONG-}" ] || rounds=200
nr_new=0
torn=
for ((i = 0; i < rounds; i++)); do
	start of="$file" commit=rename
	sleep "0.$(printf %03d $((RANDOM % 200)))"
	kill -KILL $pid
	wait $pid
	if cmp -s "$work/new" "$file"; then
		nr_new=$((nr_new + 1))
		must cp "$work/old" "$file"
	elif ! cmp -s "$work/old" "$file"; then
		torn="$torn $i"
	fi
	rm -f "$dir"/.file.aiodd-??????
done 2>/dev/null
is "$rounds times SIGKILL: never a torn file" "$torn" ''
diag "$nr_new times the new one, $((rounds - nr_new)) times the old one"
untouched 'SIGKILL' # but for what was removed

# --- first-last ----------------------------------------------------------

require_loop

# tainted: the device has new bytes. Not through the page cache: a page that is
# read while it is written to under O_DIRECT keeps the old ones to the end.
tainted()
{
	dd if="$device" bs=4096 skip=1 count=16 iflag=direct status=none |
		cmp -s -i 4096:0 -n 65536 "$work/new" -
}

# block_stays TEXT
block_stays()
{
	blockdev --flushbufs "$device"
	check "$1: the old first block stays" \
		cmp -n 4096 "$work/old" "$device"
}

refill()
{
	must_be_ours "$device"
	must head -c $((8 << 20)) /dev/zero >"$device"
	must cat "$work/old" >"$device"
	blockdev --flushbufs "$device"
}

# whole TEXT: the copy, and behind it what was there.
whole()
{
	is "$1: out" "$status $(bytes_reported "$work/err")" "0 $size"
	blockdev --flushbufs "$device"
	check "$1: identical" cmp -n $size "$work/new" "$device"
	check "$1: the rest stays" cmp -i $size:0 -n $size "$device" /dev/zero
}

for sector in 512 4096; do
	bed_loop 8M $sector || { skip "sector $sector" "$BED_WHY"; continue; }
	device=$BED
	for how in 'bs=1M' 'bs=64K io=aio' 'io=inline' 'bs=4096 oflag=direct' \
		'bs=3333' 'conv=noerror bs=8K' 'bs=64K conv=sparse'; do
		refill
		# shellcheck disable=SC2086 # operands
		run aiodd if="$work/new" of="$device" commit=first-last $how
		whole "sector $sector, $how"
	done
	refill
	run aiodd of="$device" bs=1M commit=first-last < <(cat "$work/new")
	whole "sector $sector, a pipe"

	refill
	run aiodd if="$work/new" of="$device" bs=4096 count=4 seek=3 \
		commit=first-last
	check "sector $sector, seek=: the block at that place" \
		cmp -i 0:12288 -n 16384 "$work/new" "$device"
	check "sector $sector, seek=: nothing before it" \
		cmp -n 12288 "$work/old" "$device"
	run aiodd if="$work/new" of="$device" bs=100 count=1 commit=first-last
	check "sector $sector, less than a block" \
		cmp -n 100 "$work/new" "$device"
	check "sector $sector, less than a block: and no more" \
		cmp -i 100 -n 4000 "$work/old" "$device"

	refill
	start of="$device" commit=first-last rate=128K
	check "sector $sector, SIGKILL: under way" wait_for tainted
	{ kill -KILL $pid; wait $pid; } 2>/dev/null
	block_stays "sector $sector, SIGKILL"
	refill
	start of="$device" commit=first-last rate=128K
	check "sector $sector, SIGINT: under way" wait_for tainted
	{ kill -INT $pid; wait $pid; status=$?; } 2>/dev/null
	is "sector $sector, SIGINT: dies by it" $status 130
	block_stays "sector $sector, SIGINT"
	refill
	run aiodd if="$bad" of="$device" bs=64K commit=first-last
	is "sector $sector, a bad sector: exit status" "$status" 1
	block_stays "sector $sector, a bad sector"
done

# A block of zeros is written too, also where the others are left out.
must truncate -s 1M "$work/zeros"
refill
run aiodd if="$work/zeros" of="$device" bs=64K conv=sparse zeros=skip \
	commit=first-last
blockdev --flushbufs "$device"
check 'conv=sparse zeros=skip: the first block is zeros' \
	cmp -n 4096 /dev/zero "$device"
check 'conv=sparse zeros=skip: the others stay' \
	cmp -i 4096 -n $(((1 << 20) - 4096)) "$work/old" "$device"
refill
run aiodd if="$work/zeros" of="$device" bs=64K conv=sparse commit=first-last
blockdev --flushbufs "$device"
check 'conv=sparse: all is zeros' cmp -n $((1 << 20)) /dev/zero "$device"

# A copy that differs does not get its first block, nor one that is stopped
# while it is read back.
run aiodd if="$work/new" of="$device" bs=64K commit=first-last verify=yes
is 'verify=yes: exit status' "$status" 0
blockdev --flushbufs "$device"
check 'verify=yes: identical' cmp -n $size "$work/new" "$device"
if type -P nbdkit perl >/dev/null && bed_liar 3000000 &&
	bed_loop_over "$BED"; then
	must head -c 4096 "$work/old" >"$BED"
	blockdev --flushbufs "$BED"
	run aiodd if="$work/new" of="$BED" bs=64K count=60 commit=first-last \
		verify=yes
	is 'verify=yes, a disk that lies: exit status' "$status" 3
	says 'verify=yes, a disk that lies: where' "$work/err" \
		': 1 byte at offset 3000000 differs '
	is 'verify=yes, a disk that lies: nothing else' \
		"$(grep -c differs "$work/err")" 1
	blockdev --flushbufs "$BED"
	check 'verify=yes, a disk that lies: the old first block' \
		cmp -n 4096 "$work/old" "$BED"
else
	skip 'verify=yes, a disk that lies' "${BED_WHY:-no nbdkit here}"
fi
if type -P nbdkit perl >/dev/null && bed_liar 100 && bed_loop_over "$BED"; then
	run aiodd if="$work/new" of="$BED" bs=64K count=60 commit=first-last \
		verify=yes
	is 'verify=yes, a lie in the first block: exit status' "$status" 3
	says 'verify=yes, a lie in the first block: where' "$work/err" \
		': 1 byte at offset 100 differs '
else
	skip 'verify=yes, a lie in the first block' "${BED_WHY:-no nbdkit here}"
fi

# The block that is written last cannot be written.
must truncate -s 8M "$work/backing"
if type -P nbdkit >/dev/null && bed_nbd first --filter=noextents eval \
	get_size='echo 8388608' \
	pread="dd if=$work/backing bs=64K iflag=skip_bytes,count_bytes \
		skip=\$4 count=\$3 status=none" \
	pwrite="[ \$4 -ge 4096 ] || { echo EIO no >&2; exit 1; }
		dd of=$work/backing bs=64K oflag=seek_bytes seek=\$4 \
			conv=notrunc status=none" &&
	bed_loop_over "$BED"; then
	run aiodd if="$work/new" of="$BED" bs=64K io=aio commit=first-last
	is 'the first block fails: exit status' "$status" 1
	says 'the first block fails: it is told' "$work/err" \
		"^aiodd: (fsync failed for|error writing) '$BED'.*: Input/output error"
	is 'the first block fails: not safe' \
		"$(grep -c remove "$work/err")" 0
	check 'the first block fails: the rest is there' \
		cmp -i 4096 -n $((size - 4096)) "$work/new" "$work/backing"
else
	skip 'the first block fails' "${BED_WHY:-no nbdkit here}"
fi

if type -P strace >/dev/null; then
	refill
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 \
		run strace -qq -f -o "$work/trace" -e trace=pwrite64,fsync \
		"$AIODD" if="$work/new" of="$device" io=inline bs=1M \
		status=none commit=first-last
	is 'the order at the end: all, fsync, the block, fsync' \
		"$(tail -n 3 "$work/trace" |
			sed -E 's/^[0-9]+ +//; s/, ".*, ([0-9]+\)).*/, \1/; s/ .*=/ =/' |
			paste -sd' ')" \
		'fsync(1) = 0 pwrite64(1, 0) fsync(1) = 0'
else
	skip 'the order at the end' 'no strace here'
fi

finish
