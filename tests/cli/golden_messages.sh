#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What a user reads, to the letter: each refusal, the plans, and the last lines
# of a copy that is not what it should be. The number of a loop device, and that
# of a process, are masked.
# shellcheck source-path=SCRIPTDIR source=../lib.sh disable=SC2016,SC2317
. "$(dirname "$0")/../lib.sh"

require_loop
require mkfs.ext4 mkswap swapon unshare
config=${top_builddir:-$(dirname "$0")/../../build}/config.h
for have in LIBMOUNT LIBBLKID LIBCRYPTO LIBXXHASH JANSSON; do
	grep -q "^#define HAVE_$have" "$config" ||
		skip_all "built without $have"
done
cd "$work" || exit 99
make_data src $((1 << 20)) 1
make_data old $((64 << 10)) 2
make_data long $((2 << 20)) 3
sha=$(sha256sum <src | cut -d ' ' -f 1)
md5=$(md5sum <src | cut -d ' ' -f 1)
wrong=$(printf %032d 0)

# read_as FILE: as the golden texts have it.
disk=none
read_as()
{
	sed -E -e "s|$disk\b|/dev/DISK|g" -e 's|/dev/loop[0-9]+|/dev/OTHER|g' \
		-e 's/\(pid [0-9]+,/(pid N,/' -e "s|$work/||g" "$1" |
		masked /dev/stdin
}

# golden TEXT STATUS WANTED OPERANDS...: all of standard error
golden()
{
	local text=$1 code=$2 wanted=$3

	shift 3
	run aiodd "$@"
	is "$text: exit status" "$status" "$code"
	is "$text" "$(read_as "$work/err")" "$wanted"
}

# planned TEXT WANTED OPERANDS...: the plan up to how it would be done
planned()
{
	local text=$1 wanted=$2

	shift 2
	run aiodd "$@" plan=yes
	is "$text: nothing on standard error" "$(read_as "$work/err")" ''
	is "$text" "$(read_as "$work/out" | sed '/^method: /,$d')" "$wanted"
	says "$text: how" "$work/out" '^method: .* \(.*\)$'
}

disk()
{
	bed_loop 8M || skip_all "$BED_WHY"
	disk=$BED
	image=bed$beds.img
}

filesystem()
{
	disk
	must mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 \
		-L data "$disk"
}

# --- plans -----------------------------------------------------------------

planned 'a new file' 'would create new (1 MiB)
source: src (1 MiB)
sync: no (conv=fsync syncs it)' src new
planned 'an old file' 'would replace the contents of old (64 KiB) with 1 MiB
source: src (1 MiB)
sync: at the end (conv=fsync)' src old conv=fsync
planned 'a part of an old file' 'would overwrite 4 KiB at offset 8 KiB of old (64 KiB)
source: src (1 MiB), 4 KiB from offset 16 KiB
sync: no (conv=fsync syncs it)' if=src of=old bs=4K skip=4 count=1 seek=2 conv=notrunc
planned 'more than an old file' 'would overwrite all of old (64 KiB) and extend it to 1 MiB
source: src (1 MiB)
sync: no (conv=fsync syncs it)' if=src of=old bs=64K conv=notrunc
planned 'behind an old file' 'would append 1 MiB to old (64 KiB)
source: src (1 MiB)
sync: no (conv=fsync syncs it)' if=src of=old bs=64K conv=notrunc oflag=append
planned 'nothing at all' 'would write nothing to old (64 KiB)
source: src (1 MiB), the first 0 B
sync: no (conv=fsync syncs it)' if=src of=old count=0 conv=notrunc
planned 'a seek of blocks' 'would replace all after the first 4 KiB of old (64 KiB) with 1 MiB
source: src (1 MiB)
sync: no (conv=fsync syncs it)' if=src of=old bs=4K seek=1
planned 'a seek of bytes' 'would replace the contents of old (64 KiB) with 1 MiB from offset 100 B
source: src (1 MiB)
sync: no (conv=fsync syncs it)' src old seek=100B
planned 'a longer old file' 'would extend old (64 KiB) to 1 MiB
source: src (1 MiB), the first 0 B
sync: no (conv=fsync syncs it)' if=src of=old bs=1M seek=1 count=0
planned 'a new file of nothing' 'would create new (1 MiB, all of it a hole)
source: src (1 MiB), the first 0 B
sync: no (conv=fsync syncs it)' if=src of=new bs=1M seek=1 count=0
planned 'a new file of less' 'would create new (empty)
source: src (1 MiB), the first 0 B
sync: no (conv=fsync syncs it)' if=src of=new bs=1M seek=1 count=0 conv=notrunc
planned 'all that it can be sure of' "would replace old (64 KiB) with a new file of 1 MiB
source: src (1 MiB)
expect: the source has sha256 $sha
hash: md5, sha256, written to SUMS
verify: the copy is read back and compared
commit: written to a temporary file, which is renamed when complete
sync: at the end (commit=)
read errors: skipped (conv=noerror)
rate: at most 1000000 bytes per second" src old expect="sha256:$sha" \
	hash=md5,sha256 sums=SUMS verify=yes commit=rename conv=noerror \
	rate=1MB
planned 'digests on standard output' 'would create new (1 MiB)
source: src (1 MiB)
hash: sha256, written to standard output
sync: no (conv=fsync syncs it)' src new sums=-
planned 'no file' 'would write 1 MiB to /dev/null
source: src (1 MiB)' src /dev/null
run eval 'cat src | aiodd of=new bs=64K plan=yes'
is 'a pipe' "$(cat out)" 'would create new (data of unknown length)
source: standard input (a pipe)
sync: no (conv=fsync syncs it)
method: record by record (the source is not seekable)'
run eval 'cat src | aiodd of=old bs=64K count=2 plan=yes'
is 'some of a pipe' "$(head -n 2 out)" \
	'would replace the contents of old (64 KiB) with up to 128 KiB
source: standard input (a pipe), up to 128 KiB'
run aiodd if=src of=new bs=1M io=inline plan=yes
is 'how: a file' "$(sed '1,/^sync/d' out)" 'method: bulk (both sides are seekable)
range: 1048576 bytes, source offset 0, destination offset 0
clone: no (not asked for)
source method: page cache (io=inline)
destination method: page cache (io=inline)
request size: 256 KiB (suits the page cache)
depth: 1 (no overlap without kernel AIO)'
check 'no plan makes anything' test ! -e new -a ! -e SUMS

filesystem
planned 'a disk' "would overwrite the first 1 MiB of /dev/DISK (8 MiB, backed by $image, holds ext4 'data')
source: src (1 MiB)
sync: at the end (block device)" src "$disk"
planned 'a part of a disk' "would overwrite 1 MiB at offset 2 MiB of /dev/DISK (8 MiB, backed by $image, holds ext4 'data')
source: src (1 MiB)
commit: the first block is written last
sync: at the end (commit=)" if=src of="$disk" bs=1M seek=2 commit=first-last
planned 'what fits' "would overwrite 1 MiB at offset 7 MiB of /dev/DISK (8 MiB, backed by $image, holds ext4 'data')
source: long (2 MiB)
sync: at the end (block device)" if=long of="$disk" bs=1M seek=7 force=size
planned 'zeros without an end' "would overwrite all of /dev/DISK (8 MiB, backed by $image, holds ext4 'data')
source: /dev/zero (zeros)
sync: at the end (block device)" /dev/zero "$disk"
planned 'from a disk' "would create new (8 MiB)
source: /dev/DISK (8 MiB, backed by $image, holds ext4 'data')
sync: no (conv=fsync syncs it)" "$disk" new

# --- refusals --------------------------------------------------------------

must mkdir mnt
if bed_mount ext4 "$disk"; then
	here=${BED#"$work/"}
	golden 'mounted' 5 "aiodd: not writing to '/dev/DISK' (8 MiB, backed by $image, holds ext4 'data'): /dev/DISK is mounted on '$here'; umount $here first, or force=mounted writes anyway" \
		src "$disk"
	run aiodd src "$disk" plan=yes
	is 'mounted, plan=yes: exit status' "$status" 5
	is 'mounted, plan=yes' "$(read_as out | head -n 1)" \
		"would refuse to overwrite the first 1 MiB of /dev/DISK (8 MiB, backed by $image, holds ext4 'data')"
	golden 'a source that is mounted' 0 "aiodd: warning: '/dev/DISK' may change during the copy: /dev/DISK is mounted read-write on '$here'
1+0 records in
1+0 records out" "$disk" new status=noxfer count=1
	bed_umount "$BED"
else
	skip 'mounted' "$BED_WHY"
fi

disk
must mkswap -q -L scratch "$disk" >/dev/null
if log=$(swapon "$disk" 2>&1); then
	cleanup_push swapoff "$disk"
	golden 'swap' 5 "aiodd: not writing to '/dev/DISK' (8 MiB, backed by $image, holds swap 'scratch'): /dev/DISK is in use as swap; swapoff /dev/DISK first, or force=swap writes anyway" \
		src "$disk"
	swapoff "$disk"
else
	skip 'swap' "$log"
fi

disk
if bed_loop_over "$disk"; then
	golden 'holders' 5 "aiodd: not writing to '/dev/DISK' (8 MiB, backed by $image): /dev/DISK is in use by /dev/OTHER; force=holders writes anyway" \
		src "$disk"
	bed_detach "$BED" "${loop_files[$BED]}"
else
	skip 'holders' "$BED_WHY"
fi

disk
golden 'overlap' 5 "aiodd: not writing to '/dev/DISK' (8 MiB, backed by $image): it shares data with the source; force=overlap writes anyway" \
	"$disk" "$disk"
golden 'overlap of a file' 5 "aiodd: not writing to 'old' (64 KiB): it shares data with the source; force=overlap writes anyway" \
	old old
must truncate -s 9M big
golden 'size' 5 "aiodd: not writing to '/dev/DISK' (8 MiB, backed by $image): it is 1 MiB too small for 9 MiB; force=size writes what fits" \
	big "$disk"
must truncate -s $(((8 << 20) + 512)) big
golden 'size, by little' 5 "aiodd: not writing to '/dev/DISK' (8 MiB, backed by $image): it is 512 B too small for 8389120 bytes; force=size writes what fits" \
	big "$disk"
golden 'missing' 5 "aiodd: not writing to '/dev/aiodd-none': it does not exist and would become a regular file; force=missing creates it" \
	src /dev/aiodd-none

# Another copy waits for its source.
mkfifo fifo
exec 8<>fifo
must_be_ours "$disk"
"$work/bin/ours/aiodd" of="$disk" bs=512 <fifo 8>&- 2>log &
first=$!
head -c 512 src >&8
wait_for cmp -n 512 src "$disk"
golden 'busy' 5 "aiodd: not writing to '/dev/DISK' (8 MiB, backed by $image): another process has it open exclusively (pid N, aiodd); force=busy writes anyway" \
	src "$disk"
is 'busy: by whom' "$(sed 's/.*(pid \([0-9]*\),.*/\1/' err)" "$first"
# shellcheck disable=SC2217 # it holds the disk open
sleep "$TIME_LIMIT" 8>&- <"$disk" &
other=$!
wait_for sh -c 'readlink /proc/$0/fd/0 | grep -qx "$1"' "$other" "$disk"
run aiodd src "$disk"
says 'busy: one of two' err \
	"exclusively \\(pid ($first, aiodd|$other, sleep), or another that has it open\\); force=busy"
kill "$other"
exec 8>&-
wait "$first"

filesystem
run in_own_root '-t tmpfs none' src '/dev /proc /sys' src /dev/null
if is_sanitized; then
	skip 'unchecked' 'a sanitizer needs /proc'
elif [ "$status" -eq 0 ] && bed_mount ext4 "$disk"; then
	must_be_ours "$disk"
	run in_own_root '-t tmpfs none' src /dev src "$disk" force=busy
	is 'unchecked' "$(read_as err)" "aiodd: not writing to '/dev/DISK' (8 MiB): cannot tell whether it is in use (/sys: No such file or directory); force=unchecked writes anyway"
	bed_umount "$BED"
	run in_own_root '-t tmpfs none' src /dev src "$disk" status=noxfer
	is 'unchecked, but free' "$(read_as err | head -n 1)" \
		"aiodd: warning: cannot tell whether '/dev/DISK' is in use (/sys: No such file or directory), but no other process holds it exclusively"
else
	skip 'unchecked' 'no root of its own here'
fi

bed_loop 64M || skip_all "$BED_WHY"
disk=$BED
must mkfs.ext4 -q -F -L root "$disk"
must_be_ours "$disk"
run in_own_root "$disk" src '/proc /sys /dev' src "$disk"
if [ "$status" -eq 5 ]; then
	is 'system' "$(read_as err)" "aiodd: not writing to '/dev/DISK' (64 MiB, backed by bed$beds.img, holds ext4 'root'): the root file system is on /dev/DISK; force=system writes anyway"
else
	skip 'system' "cannot make a root: $(head -n 1 err)"
fi

# --- copies that are not what they should be --------------------------------

counts='16+0 records in
16+0 records out'
golden 'expect=, written' 4 "aiodd: 'src' is not what was expected: its md5 is $md5, not $wrong
$counts
aiodd: 'new' was written anyway; do not trust it" \
	if=src of=new bs=64K status=noxfer expect=md5:"$wrong"
golden 'expect=, commit=rename' 4 "aiodd: 'src' is not what was expected: its md5 is $md5, not $wrong
$counts
aiodd: 'old' was not replaced" \
	if=src of=old bs=64K status=noxfer expect=md5:"$wrong" commit=rename
golden 'expect=, a new file by commit=rename' 4 "aiodd: 'src' is not what was expected: its md5 is $md5, not $wrong
$counts
aiodd: 'new2' was not created" \
	if=src of=new2 bs=64K status=noxfer expect=md5:"$wrong" commit=rename
golden 'expect=, as it is' 0 "$counts
1048576 bytes (1.0 MB, 1.0 MiB) copied, T s, R
aiodd: 'src' has the expected md5" if=src of=new bs=64K expect=md5:"$md5"

# The temporary file is taken away meanwhile.
temp_of()
{
	compgen -G '.old.aiodd-??????'
}
PATH=$path_of_ours aiodd if=fifo of=old commit=rename status=none 2>err &
pid=$!
exec 9>fifo
wait_for temp_of
rm "$(temp_of)"
cat src >&9
exec 9>&-
wait $pid
is 'a commit that fails' "$? $(read_as err)" "1 aiodd: cannot rename the copy to 'old': the temporary file was removed or replaced
aiodd: 'old' was not replaced"

if type -P perl nbdkit nbdfuse >/dev/null &&
	bed_liar 100000; then
	disk=$BED
	is_there=$(od -An -tx1 -j 100000 -N 1 src | tr -d ' ')
	golden 'verify=' 3 "aiodd: '/dev/DISK': 1 byte at offset 100000 differs (first differing byte: wrote 0x$is_there, found 0x$(
		printf %02x $((0x$is_there ^ 0x40))))
$counts
aiodd: '/dev/DISK' does NOT match what was written: 1 range, 1 B" \
		if=src of="$BED" bs=64K conv=notrunc verify=yes status=noxfer
else
	skip 'verify=' "no nbdkit or perl here"
fi

printf '0x0 ? 1\n0x0 0x40000 +\n0x40000 0x1000 -\n0x41000 0xbf000 +\n' >map
if type -P nbdkit nbdfuse >/dev/null && bed_bad bad "$work/src" "$work/map"; then
	disk=$BED
	golden 'incomplete' 2 "aiodd: error reading '/dev/DISK': Input/output error (offset 262144)
4+0 records in
4+0 records out
15+1 records in
16+0 records out
aiodd: 4096 bytes in 1 area of '/dev/DISK' could not be read; zeros replace them in the copy" \
		if="$BED" of=new bs=64K conv=noerror verify=yes status=noxfer
	golden 'a read error, verify=' 1 "aiodd: error reading '/dev/DISK': Input/output error (offset 262144)
4+0 records in
4+0 records out
aiodd: 'new' was not verified" if="$BED" of=new bs=64K verify=yes status=noxfer
else
	skip 'incomplete' "no nbdkit here"
fi

# --- what cannot be done ----------------------------------------------------

: >empty
echo "$md5  other" >SUMS
golden 'expect=, another name' 1 "aiodd: expect=SUMS: no digest for 'src'; use as=NAME to look for another name" src new expect=SUMS
printf '%s  src\n%s  src\n' "$sha" "$wrong$wrong" >SUMS
golden 'expect=, two digests' 1 "aiodd: expect=SUMS: several different digests for 'src'" src new expect=SUMS
golden 'expect=, no name' 1 "aiodd: expect=SUMS: standard input has no name to look up; give it one with as=" of=new expect=SUMS
golden 'expect=, no checksums' 1 "aiodd: expect=/dev/zero: not a checksum file" src new expect=/dev/zero
golden 'expect=, a digest' 1 "aiodd: expect=$md5: no such file; to give the digest itself, write expect=md5:HEX" src new expect="$md5"
golden 'expect=, half a digest' 1 "aiodd: expect='md5:12': md5 needs 32 hex digits" src new expect=md5:12
golden 'an empty source' 0 "aiodd: warning: 'empty' is empty; nothing was copied
0+0 records in
0+0 records out" empty new verify=yes status=noxfer
golden 'sums= is the source' 1 "aiodd: sums=src: it is the source or destination" \
	src new sums=src
disk
golden 'report= to a device' 1 "aiodd: report=/dev/DISK: not a regular file, pipe or character device" \
	src new report="$disk"
golden 'verify= of /dev/null' 1 "aiodd: cannot read '/dev/null' to compare it" \
	src /dev/null verify=yes
golden 'commit=rename of /dev/null' 1 "aiodd: commit=rename needs a regular file with a name, not '/dev/null'" \
	src /dev/null commit=rename
golden 'commit=first-last of a file' 1 "aiodd: commit=first-last needs a block device, not 'old'" \
	src old commit=first-last
golden 'clone=always' 1 "aiodd: cannot clone '/dev/zero': Operation not supported
0+0 records in
0+0 records out" \
	/dev/zero new clone=always status=noxfer count=1

finish
