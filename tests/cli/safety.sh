#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What must not be overwritten by accident is not, and force= waives each of
# the checks. Sector 1, which all write, is free in all that is on the disks.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # expanded by the shells that are started
# shellcheck disable=SC2317 # called by check
. "$(dirname "$0")/../lib.sh"

require_loop
require mkfs.ext4 mkswap swapon partx unshare

make_data "$work/sector" 512 1
make_data "$work/data" $((8 << 20)) 2

# Without libmount the kernel says that a disk is in use, but not by what.
word_of_use()
{
	if grep -q '^#define HAVE_LIBMOUNT' \
		"${top_builddir:-.}/config.h" 2>/dev/null; then
		echo "$1"
	else
		echo busy
	fi
}

# A file cannot be had exclusively: then the loop device over it is found.
word_of_file()
{
	word_of_use "$1" | sed s/busy/holders/
}

# disk: a fresh one of 8 MiB
disk()
{
	bed_loop 8M || skip_all "$BED_WHY"
	disk=$BED
}

# refused TEXT WORD DISK OPERANDS...: and all of DISK is as it was
refused()
{
	local text=$1 word=$2 disk=$3 before

	shift 3
	must_be_ours "$disk"
	before=$(sha256sum <"$disk")
	run aiodd if="$work/sector" of="$disk" bs=512 seek=1 "$@"
	is "$text: exit status" "$status" 5
	is "$text: one line" "$(wc -l <"$work/err")" 1
	says "$text: it names force=$word" "$work/err" \
		"^aiodd: .*'$disk' \(.*[; ]force=$word writes (anyway|what fits)\$"
	is "$text: nothing is written" "$(sha256sum <"$disk")" "$before"
}

has_sector()
{
	cmp -n 512 "$work/sector" "$1" 0 512
}

# written TEXT DISK CMD ARG...: the command does write to DISK
written()
{
	local text=$1 disk=$2

	shift 2
	must_be_ours "$disk"
	must gnu_dd if=/dev/zero of="$disk" bs=512 seek=1 count=1 conv=notrunc \
		2>"$work/log"
	run "$@"
	is "$text: exit status" "$status" 0
	check "$text: it is written" has_sector "$disk"
}

# guarded TEXT WORD DISK OPERANDS...
guarded()
{
	local text=$1 word=$2 disk=$3

	shift 3
	refused "$text" "$word" "$disk" "$@"
	written "$text, force=$word" "$disk" aiodd if="$work/sector" \
		of="$disk" bs=512 seek=1 "$@" force="$word"
	written "$text, as dd" "$disk" as_dd if="$work/sector" of="$disk" \
		bs=512 seek=1 "$@"
}

# --- a disk that nobody uses ----------------------------------------------

disk
written 'a free disk' "$disk" aiodd if="$work/sector" of="$disk" bs=512 seek=1
run as_dd if="$work/sector" of="$disk" force=size
is 'dd does not know force=' "$status" 1
run aiodd if="$work/sector" of="$disk" force=nonesuch
is 'an unknown word is wrong' "$status" 1
says 'an unknown word is named' "$work/err" "force= takes missing, .* not 'nonesuch'"

# --- in use ----------------------------------------------------------------

mounted=$(word_of_use mounted)
swap=$(word_of_use swap)

disk
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 -L 'my label' "$disk"
mkdir "$work/mnt"
if bed_mount ext4 "$disk"; then
	guarded 'mounted' "$mounted" "$disk"
	run aiodd if="$work/sector" of="$disk" bs=512 seek=1 \
		force=missing,swap,holders,overlap,size
	is 'mounted, other words do not help' "$status" 5
	# shellcheck disable=SC2094 # reads nothing of it
	run eval 'aiodd if="$work/sector" bs=512 seek=1 >>"$disk"'
	is 'mounted, as standard output: exit status' "$status" 5
	[ "$mounted" = busy ] || says 'mounted: it says where' "$work/err" \
		"'standard output' \(.*\): $disk is mounted on '$BED'; umount $BED first"
	says 'mounted: it says what is there' "$work/err" "^aiodd: not writing to 'standard output' \(8 MiB, "
	! grep -q '^#define HAVE_LIBBLKID' "${top_builddir:-.}/config.h" ||
		says 'mounted: it says what it holds' "$work/err" \
			"holds ext4 'my label'"
	run aiodd if="$work/sector" of="$disk" plan=yes
	is 'mounted, plan=yes: exit status' "$status" 5
	says 'mounted, plan=yes: the refusal' "$work/err" "force=$mounted"
	says 'mounted, plan=yes: the plan' "$work/out" "^would refuse to overwrite the first 512 B of $disk \(8 MiB, "

	if [ "$mounted" = mounted ]; then
		run aiodd if="$disk" of="$work/copy" bs=1M
		is 'a source that is mounted: exit status' "$status" 0
		says 'a source that is mounted: a warning' "$work/err" \
			"^aiodd: warning: '$disk' may change .* on '$BED'\$"
		run as_dd if="$disk" of="$work/copy" bs=1M
		is 'a source that is mounted, as dd: no word' \
			"$(wc -l <"$work/err")" 3
		mount -o remount,ro "$BED"
		run aiodd if="$disk" of="$work/copy" bs=1M
		is 'a source that is mounted read-only: no word' \
			"$(wc -l <"$work/err")" 3
	fi
else
	skip 'mounted' "$BED_WHY"
fi

disk
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
mkfifo "$work/ready"
exec 8<>"$work/ready"
unshare -m --propagation private bash -c \
	'mount "$1" "$2" && echo yes >"$3" && exec sleep infinity; echo >"$3"' - \
	"$disk" "$work/mnt" "$work/ready" </dev/null 8>&- &
cleanup_push kill $!
read -rt "$PATIENCE" ready <&8
exec 8>&-
if [ "${ready-}" = yes ]; then
	check 'another namespace: not ours' \
		bash -c '! grep -q " $1 " /proc/self/mountinfo' - "$work/mnt"
	guarded 'mounted in another namespace' "$mounted" "$disk"
else
	skip 'mounted in another namespace' 'no mount namespaces here'
fi

disk
mkswap -q "$disk" >/dev/null
if log=$(swapon "$disk" 2>&1); then
	cleanup_push swapoff "$disk"
	refused 'swap' "$swap" "$disk"
	[ "$swap" = busy ] ||
		says 'swap: how to turn it off' "$work/err" \
			"; swapoff $disk first, or force=swap"
	# Then it is the kernel that refuses.
	run aiodd if="$work/sector" of="$disk" bs=512 seek=1 force="$swap"
	is 'swap, force=: exit status' "$status" 1
	says 'swap, force=: the kernel' "$work/err" "^aiodd: error writing '$disk'"
	swapoff "$disk"
else
	skip 'swap' "$log"
fi

# in_root DISK ROOT PROGRAM OPERANDS...: with DISK, mounted, as the root file
# system.  Out come a sum of it before and one after, and nothing but the
# program may write to it between them.
in_root()
{
	own_mounts bash -c '
		disk=$1 root=$2 program=$3
		shift 3
		mount "$disk" "$root" && cp "$program" "$root/aiodd" || exit 99
		fill_root "$root" /proc /sys /dev
		cd "$root" && head -c 512 /dev/urandom >sector &&
			mount -o remount,ro "$root" || exit 99
		sha256sum <"$disk"
		chroot "$root" /aiodd if=/sector of="$disk" bs=512 seek=1 "$@"
		status=$?
		sha256sum <"$disk"
		exit $status' - "$@"
}

bed_loop 64M || skip_all "$BED_WHY"
disk=$BED
[ "$mounted" = busy ] || for words in '' force=system force=system,mounted; do
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
	# shellcheck disable=SC2086 # no word is no operand
	run in_root "$disk" "$work/mnt" "$AIODD" $words
	[ "$status" -ne 99 ] || { skip 'the root' 'cannot make one'; break; }
	case $words in
	'') wanted="5 system" ;;
	force=system) wanted="5 mounted" ;;
	*) wanted="0 " ;;
	esac
	is "the root file system, ${words:-without force=}" "$status $(
		sed -n 's/.*force=\([a-z]*\) .*/\1/p' "$work/err")" "$wanted"
	is "the root file system, ${words:-without force=}: written to" \
		"$(uniq "$work/out" | wc -l)" $((1 + (status == 0)))
done

disk
bed_loop_over "$disk" && guarded 'a loop device over it' holders "$disk"

# What is upon that which is upon it counts, too.
disk
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
if bed_loop_over "$disk" && bed_loop_over "$BED" && bed_mount ext4 "$BED"; then
	refused 'mounted two devices above it' "$(word_of_use mounted |
		sed s/busy/holders/)" "$disk"
	umount "$BED"
else
	skip 'mounted two devices above it' "$BED_WHY"
fi

disk
name=aiodd-test-$$
if log=$(dmsetup create "$name" --table "0 8192 linear $disk 0" 2>&1); then
	cleanup_push wait_for dmsetup remove "$name"
	guarded 'a dm device upon it' holders "$disk"
	refused 'source: the dm device' holders "$disk" if="/dev/mapper/$name"
else
	skip 'a dm device upon it' "${log%%$'\n'*}"
fi

disk
if log=$(mdadm --create "/dev/md/$name" --run --force --level=0 \
	--raid-devices=1 "$disk" 2>&1); then
	cleanup_push wait_for mdadm --stop "/dev/md/$name"
	guarded 'an md device upon it' holders "$disk"
else
	skip 'an md device upon it' "${log%%$'\n'*}"
fi

# While one copy writes, no other may.
disk
mkfifo "$work/slow"
exec 8<>"$work/slow"
aiodd of="$disk" bs=512 <"$work/slow" 8>&- 2>"$work/log" &
first=$!
cat "$work/sector" >&8
wait_for cmp -n 512 "$work/sector" "$disk"
guarded 'another copy writes to it' busy "$disk"
exec 8>&-
wait "$first"
is 'the other copy: exit status' $? 0
written 'after the other copy' "$disk" aiodd if="$work/sector" of="$disk" \
	bs=512 seek=1

# --- the source ------------------------------------------------------------

disk
must gnu_dd if="$work/sector" of="$disk" 2>"$work/log"
guarded 'the source itself' overlap "$disk" if="$disk" count=1
must cp "$work/data" "$work/image"
bed_loop_over "$work/image" || skip_all "$BED_WHY"
run aiodd if="$work/image" of="$BED"
is 'a loop device over the source' \
	"$status $(grep -c force=overlap "$work/err")" '5 1'
check 'a loop device over the source: as it was' same "$work/data" "$BED"
run aiodd if="$work/image" of="$BED" force=overlap
is 'a loop device over the source, force=overlap' "$status" 0

# An MBR with two partitions of 2 MiB.
disk
printf '\0\0\0\0\x83\0\0\0\0\x08\0\0\0\x10\0\0\0\0\0\0\x83\0\0\0\0\x18\0\0\0\x10\0\0' |
	gnu_dd of="$disk" bs=1 seek=446 2>"$work/log"
printf '\x55\xaa' | gnu_dd of="$disk" bs=1 seek=510 2>"$work/log"
cleanup_push partx -d "$disk"
if partx -a "$disk" >/dev/null 2>&1 && wait_for test -b "${disk}p2"; then
	must gnu_dd if="$work/sector" of="${disk}p1" bs=512 2>"$work/log"
	guarded 'source: a partition of it' overlap "$disk" \
		if="${disk}p1" count=1
	must gnu_dd if="$work/sector" of="$disk" seek=1 2>"$work/log"
	guarded 'source: the disk of it' overlap "${disk}p1" if="$disk" \
		skip=1 count=1
	must gnu_dd if="$work/sector" of="${disk}p1" bs=512 2>"$work/log"
	written 'source: the partition beside it' "${disk}p2" \
		aiodd if="${disk}p1" of="${disk}p2" bs=512 seek=1 count=1
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 -L two "${disk}p2"
	if bed_mount ext4 "${disk}p2"; then
		guarded 'a partition of it is mounted' "$mounted" "$disk"
		[ "$mounted" = busy ] || {
			run aiodd if="$work/sector" of="$disk"
			says 'a partition is mounted: its name' "$work/err" \
				"'$disk' \(.*\): ${disk}p2 is mounted on"
		}
		guarded 'the partition is mounted' "$mounted" "${disk}p2"
		written 'the other partition is mounted' "${disk}p1" aiodd \
			if="$work/sector" of="${disk}p1" bs=512 seek=1
	fi
else
	skip 'partitions' "no ${disk}p2"
fi

# --- a file ----------------------------------------------------------------

# kept TEXT WORD FILE CMD ARG...: refused, and FILE is as it was
kept()
{
	local text=$1 word=$2 file=$3 before

	shift 3
	before=$(sha256sum <"$file")
	run "$@"
	is "$text: exit status" "$status" 5
	says "$text: it names force=$word" "$work/err" \
		"^aiodd: not writing to '[^']*' \(.*[; ]force=$word writes anyway\$"
	is "$text: one line" "$(wc -l <"$work/err")" 1
	is "$text: it is as it was" "$(sha256sum <"$file")" "$before"
}

# kept_all TEXT WORD FILE OPERANDS...: also planned, in the same words
kept_all()
{
	local text=$1 word=$2 file=$3

	shift 3
	kept "$text" "$word" "$file" aiodd "$@"
	mv "$work/err" "$work/refusal"
	kept "$text, plan=yes" "$word" "$file" aiodd "$@" plan=yes
	check "$text, plan=yes: the same words" same "$work/refusal" "$work/err"
}

cd "$work" || exit 99
must cp data a
ln a hard
ln -s a soft
kept_all 'onto itself' overlap a a a
kept_all 'onto itself, verify=yes' overlap a a a verify=yes
kept_all 'onto a hard link' overlap a a hard
kept_all 'onto a symbolic link' overlap a a soft
kept_all 'from a symbolic link' overlap a soft a
kept_all 'behind its start' overlap a a a seek=1 bs=1M
kept_all 'to its end' overlap a if=a of=a seek=8 bs=1M conv=notrunc
kept_all 'appended' overlap a if=a of=a oflag=append conv=notrunc
# shellcheck disable=SC2094 # it is to be refused
kept 'appended by the shell' overlap a eval 'aiodd if=a >>a'
run aiodd if=a of=a conv=notrunc,swab
is 'in place: exit status' "$status" 0
must gnu_dd if=data of=wanted conv=swab 2>log
check 'in place: it is converted' same wanted a
must cp data a
run aiodd if=a of=a bs=1M count=1 seek=8 conv=notrunc
is 'the first block to the end: exit status' "$status" 0
head -c 1M data | cat data - >wanted
check 'the first block to the end: it is there' same wanted a
must cp data a
run aiodd if=a of=a bs=1M skip=1 conv=notrunc
is 'moved down: exit status' "$status" 0
{ tail -c +$(((1 << 20) + 1)) data; tail -c 1M data; } >wanted
check 'moved down: it is all there' same wanted a
must cp data a
run aiodd a a commit=rename
is 'renamed onto itself: exit status' "$status" 0
check 'renamed onto itself: it is all there' same data a
run aiodd a a force=overlap
is 'onto itself, force=overlap: exit status' "$status" 0
is 'onto itself, force=overlap: it is empty' "$(size_of a)" 0
must cp data a
run as_dd if=a of=a
is 'onto itself, as dd: exit status' "$status" 0
is 'onto itself, as dd: it is empty' "$(size_of a)" 0
run aiodd a new bs=1M
is 'an empty file onto a new one: exit status' "$status" 0

if bed_fs tmpfs 64M && mkdir "$BED"/{lower,upper,work} && upper=$BED/upper &&
	bed_mount overlay overlay "lowerdir=$BED/lower,upperdir=$upper,\
workdir=$BED/work"; then
	must cp data "$upper/file"
	must cp data "$upper/other"
	kept_all 'onto the file that an overlay shows' overlap "$upper/file" \
		"$BED/file" "$upper/file"
	kept_all 'an overlay onto the file that it shows' overlap \
		"$upper/file" "$upper/file" "$BED/file"
	run aiodd "$BED/other" "$upper/file"
	is 'onto another file than the overlay shows: exit status' "$status" 0
else
	skip 'an overlay' "$BED_WHY"
fi

must cp data a
bed_loop_over a || skip_all "$BED_WHY"
kept_all 'a loop device over it' holders a sector a
kept_all 'the loop device over it' holders a "$BED" a
kept 'the loop device over it, the holder waived' overlap a \
	aiodd "$BED" a force=holders
mkfifo hole
exec 8<>hole # somebody else has it open, too
kept 'a loop device over it, as standard output' holders a \
	eval 'aiodd if=sector 1<>a'
exec 8>&-
run aiodd if=sector of=a conv=notrunc force=holders
is 'a loop device over it, force=holders: exit status' "$status" 0
check 'a loop device over it, force=holders: it is written' \
	cmp -n 512 sector a
wait_for losetup -d "$BED"

must truncate -s 8M fs
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 fs
ln fs other
if bed_mount ext4 fs loop; then
	kept_all 'a mounted file' "$(word_of_file mounted)" fs sector fs
	kept_all 'a mounted file, by another name' \
		"$(word_of_file mounted)" fs sector other
	[ "$mounted" = busy ] ||
		says 'a mounted file: it says where' err "mounted on '$BED'"
	run aiodd fs copy
	is 'a mounted file as the source: exit status' "$status" 0
else
	skip 'a mounted file' "$BED_WHY"
fi

must gnu_dd if=/dev/zero of=swapfile bs=1M count=8 2>log
chmod 600 swapfile
mkswap -q swapfile >/dev/null
if log=$(swapon swapfile 2>&1); then
	cleanup_push swapoff "$work/swapfile"
	[ "$swap" = busy ] ||
		kept_all 'a swap file' swap swapfile sector swapfile
	run aiodd sector swapfile force=swap
	is 'a swap file, force=swap: exit status' "$status" 1
	swapoff swapfile
else
	skip 'a swap file' "${log%%$'\n'*}"
fi

# What others only have open is written to.
must cp data a
exec 8<a
run aiodd sector a
exec 8<&-
is 'a file that somebody reads: exit status' "$status" 0
check 'a file that somebody reads: it is cut and written' same sector a

# --- a loop device over a device that has no name any more ------------------

disk
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
read -r maj min <<<"$(stat -c '0x%t 0x%T' "$disk")"
if mknod node b $((maj)) $((min)) 2>log && bed_loop_over node && rm node &&
	bed_mount ext4 "$BED"; then
	refused 'mounted by another name' "$(word_of_file mounted)" "$disk"
else
	skip 'mounted by another name' "${BED_WHY-$(<log)}"
fi

# --- two loop devices over parts of one file --------------------------------

truncate -s 48M parts
bed_loop_over parts 512 --sizelimit 16M || skip_all "$BED_WHY"
part=$BED
for from in 16M 15M; do
	bed_loop_over parts 512 --offset $from --sizelimit 16M || skip_all "$BED_WHY"
	mkfs.ext4 -q -F "$BED"
	bed_mount ext4 "$BED" || skip_all "$BED_WHY"
	run aiodd if="$work/sector" of="$part" bs=512
	is "a mounted part from $from on: exit status" "$status" \
		"$([ $from = 15M ] && echo 5 || echo 0)"
	umount "$work/bed$beds"
done

# --- what cannot be looked at -----------------------------------------------

bare()
{
	in_own_root '-t tmpfs none' sector "$@"
}

disk
mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
bed_mount ext4 "$disk" || skip_all "$BED_WHY"
run bare '/dev /proc /sys' if=/sector of=/dev/null
if [ "$status" -eq 0 ]; then
	for dirs in /dev '/dev /sys' '/dev /proc'; do
		before=$(sha256sum <"$disk")
		run bare "$dirs" if=/sector of="$disk" seek=1
		is "mounted, only $dirs: exit status" "$status" 5
		is "mounted, only $dirs: nothing is written" \
			"$(sha256sum <"$disk")" "$before"
	done
	run bare /dev if=/sector of="$disk" seek=1 force=busy
	is 'mounted, only /dev, force=busy: exit status' "$status" 5
	says 'mounted, only /dev, force=busy: why' "$work/err" \
		'cannot tell whether it is in use .*; force=unchecked'
	run bare /dev if=/sector of="$disk" seek=1 force=busy,unchecked
	is 'mounted, only /dev, force=busy,unchecked: exit status' "$status" 0
	bed_loop_over "$disk" || skip_all "$BED_WHY"
	umount "$work/bed$beds"
	run bare /dev if=/sector of="$disk" seek=1
	is 'a loop device over it, only /dev' \
		"$status $(grep -c force=holders "$work/err")" '5 1'
	wait_for losetup -d "$BED"
	for dirs in /dev '/dev /sys' '/dev /proc'; do
		run bare "$dirs" if=/sector of="$disk" seek=1
		is "free, only $dirs: exit status" "$status" 0
		says "free, only $dirs: it says so" "$work/err" \
			'cannot tell whether .* is in use .* no other process holds it excl'
	done
	run bare /dev if="$disk" of="$disk" seek=1 count=1
	is 'a disk onto itself, only /dev: exit status' "$status" 5
else
	skip 'without /proc and /sys' 'no root of its own here'
fi

# swept TEXT OPERANDS...: the Nth descriptor is not to be had, or none from there
# on, for each N; DISK is written to in no case.
swept()
{
	local text=$1 when before nr=0

	shift
	before=$(sha256sum <"$disk")
	for ((when = 1; when < 400; when++)); do
		run strace -qq -o log -e inject=openat:error=EMFILE:when=$when$more \
			-e trace=openat,pwrite64,write "$AIODD" "$@"
		[ "$status" -ne 0 ] || break
		grep -q INJECTED log || break
		nr=$((nr + 1))
	done
	check "$text: some were tried" test "$nr" -gt 10
	is "$text: it is refused in the end" "$status" 5
	is "$text: it is never written to" "$(sha256sum <"$disk")" "$before"
}

if type -P strace >/dev/null && ! is_sanitized &&
	strace -o log -e inject=openat:error=EMFILE:when=9999 true; then
	bed_mount ext4 "$disk" || skip_all "$BED_WHY"
	mount -o remount,ro "$BED"
	more=''
	swept 'one descriptor less, mounted' if=sector of="$disk" seek=1 \
		force=busy,size
	more=+
	swept 'no descriptors, mounted' if=sector of="$disk" seek=1
	umount "$BED"
else
	skip 'no descriptors' 'no strace here that injects'
fi

# --- the size --------------------------------------------------------------

disk
# small OPERANDS...: what is to be copied does not fit by 512 bytes
small()
{
	refused "too small, $*" size "$disk" "$@"
	run aiodd of="$disk" bs=512 seek=1 "$@" force=size
	is "too small, $*, force=size: exit status" "$status" 1
	says "too small, $*, force=size: the kernel's word" "$work/err" \
		'No space left on device'
	run as_dd of="$disk" bs=512 seek=1 "$@"
	is "too small, $*, as dd: exit status" "$status" 1
	says "too small, $*, as dd: the kernel's word" "$work/err" \
		'No space left on device'
}
small if="$work/data"
small if=/dev/zero count=16384
written 'just fits' "$disk" aiodd if="$work/sector" of="$disk" bs=512 seek=1
run aiodd if="$work/data" of="$disk" bs=512 seek=1 skip=1
is 'just fits with skip=' "$status" 0
run aiodd if="$work/data" of="$disk" bs=512 seek=1 count=16383
is 'just fits with count=' "$status" 0
run aiodd if=/dev/zero of="$disk" bs=1M
is 'zeros without an end: exit status' "$status" 1
says 'zeros without an end: until it is full' "$work/err" '8388608 bytes'

# --- which disk it is ------------------------------------------------------

# A loop device has neither, so some are laid over what sysfs says of it.
disk
before=$(sha256sum <"$disk")
mkdir -p "$work/fake/device"
echo 'Flash Disk' >"$work/fake/device/model"
echo "x'1234" >"$work/fake/serial"
run own_mounts bash -c '
	dir=/sys/devices/virtual/block/${1#/dev/}
	mount -t overlay -o "lowerdir=$2:$dir" none "$dir" || exit 99
	shift 2
	exec "$@"' - "$disk" "$work/fake" "$AIODD" if="$work/data" of="$disk" \
	bs=512 seek=1
if [ "$status" -eq 99 ]; then
	skip 'model and serial' "no mounts here: $(head -n 1 "$work/err")"
else
	is 'model and serial: exit status' "$status" 5
	says 'model and serial: are named' "$work/err" \
		"\\(8 MiB, Flash Disk, serial x'1234\\): it is 512 B too small for 8389120 bytes; "
	is 'model and serial: nothing is written' \
		"$(sha256sum <"$disk")" "$before"
fi

# --- a loop device of which nobody can tell the file ------------------------

chmod 755 "$work"
mkdir -m 700 "$work/unseen"
mkdir -m 777 "$work/open"
cp "$work/sector" "$work/open/"

# unseen TEXT SIZE=STATUS... [-- LOSETUP-OPTION...]: with a loop device over an
# image that nobody else may see, or that is removed, where TEXT is "gone": what
# becomes of a file of SIZE that others have open, too.
unseen()
{
	local text=$1 image=$work/unseen/img name pair pairs=()

	shift
	[[ $text != gone* ]] || image=$work/open/img
	truncate -s 64K "$image"
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		pairs+=("$1")
		shift
	done
	bed_loop_over "$image" 512 "${@:2}" ||
		{ skip "unseen, $text" "$BED_WHY"; return; }
	[[ $text != gone* ]] || rm "$image"
	for pair in "${pairs[@]}"; do
		truncate -s "${pair%=*}" "$work/open/file"
		chmod 666 "$work/open/file"
		exec 8<>"$work/open/file"
		run setpriv --reuid=65534 --regid=65534 --clear-groups "$AIODD" \
			if="$work/open/sector" of="$work/open/file" conv=notrunc
		exec 8>&-
		is "unseen, $text, a file of ${pair%=*}" \
			"$status $(grep -c 'cannot tell .*; force=unchecked' \
				"$work/err")" "${pair#*=} $((${pair#*=} != 0))"
	done
	for name in backing_file offset sizelimit; do
		sys_is_refused "$name"
	done
	losetup -d "$BED"
	wait_for test ! -e "/sys/block/${BED#/dev/}/loop"
}

# sys_is_refused NAME: of the loop device, which may be over the file then
sys_is_refused()
{
	local path=/sys/block/${BED#/dev/}/loop/$1

	exec 8<>"$work/open/file"
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		strace -o "$work/open/trace" -P "$path" \
		-e inject=openat:error=EMFILE "$AIODD" \
		if="$work/open/sector" of="$work/open/file" conv=notrunc
	exec 8>&-
	if grep -qs INJECTED "$work/open/trace"; then
		is "unseen, $text, no $1: exit status" "$status" 5
	else
		skip "unseen, $text, no $1" 'strace cannot refuse it here'
	fi
	rm -f "$work/open/trace"
}

unseen 'closed to us' 65535=0 65536=5 66048=5
unseen gone 65535=0 65536=5 66047=5 66048=0
unseen 'gone, from 512 on' 65535=0 65536=5 66048=0 -- -o 512
unseen 'gone, with a limit' 16383=0 16384=5 66048=5 -- --sizelimit 16384

# --- a name in /dev --------------------------------------------------------

missing=/dev/aiodd-test-$$
cleanup_push rm -f "$missing"
ln -s "$missing" "$work/link"
for path in "$missing" "$work/link"; do
	run aiodd if="$work/sector" of="$path"
	is "$path is missing: exit status" "$status" 5
	says "$path is missing: it names force=missing" "$work/err" \
		"^aiodd: not writing to '$path': .*force=missing"
	check "$path is missing: it is not made" test ! -e "$missing"
	run aiodd if="$work/sector" of="$path" force=missing
	is "$path is missing, force=missing: exit status" "$status" 0
	check "$path is missing, force=missing: it is a file" test -f "$missing"
	rm -f "$missing"
	run as_dd if="$work/sector" of="$path"
	is "$path is missing, as dd: exit status" "$status" 0
	rm -f "$missing"
done
run aiodd if="$work/sector" of="$missing" conv=nocreat
is 'a missing name and conv=nocreat: exit status' "$status" 1
if mountpoint -q /dev/shm; then
	run aiodd if="$work/sector" of="/dev/shm/aiodd-test-$$"
	rm -f "/dev/shm/aiodd-test-$$"
	is 'a file in /dev/shm: exit status' "$status" 0
fi
run aiodd if="$work/sector" of=/dev/null
is '/dev/null: exit status' "$status" 0

finish
