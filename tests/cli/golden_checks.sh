#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What is found before the first byte and after the last, in its exact words:
# write protection, free space, sectors, the backup GPT, the partition table,
# and what a longer disk still holds.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2016 # expanded by the shells that are started
# shellcheck disable=SC2317 # called by check
. "$(dirname "$0")/../lib.sh"

require_loop
require setpriv sfdisk mkfs.ext4 partx blockdev
cd "$work" || exit 99
make_data data $((8 << 20)) 1

has_json=
aiodd if=data of=copy count=1 status=json 2>err && has_json=yes

# words FILE: with DISK for the device, and no time
words()
{
	masked "$1" | sed "s|${disk:-/nonesuch}|DISK|g"
}

# golden TEXT STATUS LINES COMMAND...: all of standard error
golden()
{
	local text=$1 wanted=$2 lines=$3

	shift 3
	[ -z "${disk-}" ] || must_be_ours "$disk"
	run "$@"
	is "$text: exit status" "$status" "$wanted"
	is "$text: the words" "$(words err)" "$lines"
}

# in_json TEXT MEMBERS MESSAGE COMMAND...: one event that has them
in_json()
{
	local text=$1 members=$2 message=$3

	shift 3
	[ "$has_json" ] || { skip "$text, JSON" 'no JSON in this build'; return; }
	must_be_ours "${disk-}"
	run "$@" status=json
	is "$text, JSON: one event" "$(words err | grep -c '"type":"event"')" 1
	check "$text, JSON: members" grep -q "$members" err
	check "$text, JSON: the words" grep -qF "\"message\":\"$message\"" \
		<(words err)
}

records_of() # BYTES TEXT: of bs=1M
{
	echo "$(($1 >> 20))+0 records in"
	echo "$(($1 >> 20))+0 records out"
	echo "$1 bytes ($2) copied, T s, R"
}
data_records=$(records_of $((8 << 20)) '8.4 MB, 8.0 MiB')

# loop_of FILE [SECTOR OPTION...]
loop_of()
{
	bed_loop_over "$@" || skip_all "$BED_WHY"
	disk=$BED
}

# --- a write-protected device ----------------------------------------------

truncate -s 8M protected
loop_of protected 512 -r
protected="aiodd: 'DISK' is write-protected"
golden 'write-protected' 1 "$protected" aiodd if=data of="$disk" bs=1M
golden 'write-protected, SRC DST' 1 "$protected" aiodd data "$disk"
golden 'write-protected, verify=' 1 "$protected" \
	aiodd data "$disk" verify=yes
golden 'write-protected, seek=' 1 "$protected" \
	aiodd if=data of="$disk" bs=1M seek=1 count=1
golden 'write-protected, plan=yes' 1 "$protected" \
	aiodd data "$disk" plan=yes
is 'write-protected, plan=yes: no plan' "$(wc -c <out)" 0
in_json 'write-protected' '"level":"error","phase":"open".*"errno":"EROFS"' \
	"'DISK' is write-protected" aiodd if=data of="$disk"

# Where the driver or the mode refuses the open itself.
nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		timeout "$TIME_LIMIT" "$work/bin/aiodd" "$@"
}

# readable DISK: for all, and for none to be written
readable()
{
	cleanup_push chmod "$(stat -c %a "$1")" "$1"
	must chmod 444 "$1"
}

readable "$disk"
if cp "$AIODD" bin/aiodd && chmod -R go+rX . &&
	nobody --version >out 2>err; then
	golden 'write-protected, the open is refused' 1 \
		"$work/bin/$protected" nobody if=data of="$disk"
	golden 'write-protected, the open would be refused' 1 \
		"$work/bin/$protected" nobody if=data of="$disk" plan=yes
	loop_of data
	readable "$disk"
	golden 'not write-protected, the open is refused' 1 \
		"$work/bin/aiodd: failed to open 'DISK': Permission denied" \
		nobody if=data of="$disk"
else
	skip 'write-protected, the open is refused' 'nobody may run it'
fi

truncate -s 8M inherited
loop_of inherited
# shellcheck disable=SC2094 # only written to
{
	must blockdev --setro "$disk"
	for plan in '' plan=yes; do
		golden "write-protected, a descriptor that was given $plan" 1 \
			"aiodd: 'standard output' is write-protected" \
			eval 'aiodd if=data bs=1M '$plan' >&9'
	done
	must blockdev --setrw "$disk"
} 9>"$disk"

# --- free space ------------------------------------------------------------

disk=
if bed_fs tmpfs 4M; then
	small=$BED/copy
	space="aiodd: warning: the file system of '$small' has 4.0 MiB free, but the copy needs 8.0 MiB"
	full="aiodd: error writing '$small': No space left on device"
	golden 'too little space, plan=yes' 0 "$space" \
		aiodd data "$small" plan=yes
	golden 'too little space' 1 "$space
$full (offset 4194304)
5+0 records in
4+0 records out
4194304 bytes (4.2 MB, 4.0 MiB) copied, T s, R" \
		aiodd if=data of="$small" bs=1M
	golden 'too little space, status=none' 1 "$full (offset 4194304)" \
		aiodd if=data of="$small" bs=1M status=none
	rm "$small"
	golden 'too little space, as dd' 1 "dd: error writing '$small': No space left on device
5+0 records in
4+0 records out
4194304 bytes (4.2 MB, 4.0 MiB) copied, T s, R" \
		as_dd if=data of="$small" bs=1M
	# It is full now, and written anew.
	golden 'what the old file occupies is free' 0 '' \
		aiodd if=data of="$small" bs=1M count=4 status=none
	golden 'what the old file occupies is free, plan=yes' 0 '' \
		aiodd if=data of="$small" bs=1M count=4 plan=yes
	golden 'conv=notrunc needs what is behind the old file' 0 \
		"aiodd: warning: the file system of '$small' has 0 B free, but the copy needs 2.0 MiB" \
		aiodd if=data of="$small" bs=1M count=4 seek=2 conv=notrunc \
		plan=yes
	golden 'conv=notrunc writes over the old file' 0 '' \
		aiodd if=data of="$small" bs=1M count=2 seek=2 conv=notrunc \
		status=none
	for plan in plan=yes ''; do
		golden "commit=rename needs both at once $plan" $((${#plan} == 0)) \
			"aiodd: warning: the file system of '$small' has 0 B free, but the copy needs 4.0 MiB" \
			eval "aiodd if=data of=$small bs=1M count=4 \
				commit=rename $plan 2>&1 | sed -n 1p >&2
				exit=\${PIPESTATUS[0]}; (exit \$exit)"
	done
	rm "$small"
	golden 'a small copy is made without a word' 0 '' \
		aiodd if=data of="$small" bs=1M count=4 status=none
	golden 'nearly enough is told in bytes' 0 \
		"aiodd: warning: the file system of '$small' has 4194304 bytes free, but the copy needs 4194305 bytes" \
		aiodd if=data of="$small" bs=1M count=4194305B plan=yes
	golden 'into a descriptor that was given' 0 \
		"aiodd: warning: the file system of 'standard output' has 4.0 MiB free, but the copy needs 8.0 MiB" \
		eval 'aiodd if=data bs=1M plan=yes >$small'
	rm "$small"
	golden 'a pipe has no length' 0 '' \
		eval 'aiodd of=$small bs=1M plan=yes <<<x'
	truncate -s 64M holes
	golden 'holes that are kept need no space' 0 '' \
		aiodd holes "$small" status=none
	golden 'holes that are written need it' 0 \
		"aiodd: warning: the file system of '$small' has 4.0 MiB free, but the copy needs 64 MiB" \
		aiodd if=holes of="$small" bs=1M plan=yes
	golden 'conv=sparse does not know' 0 '' \
		aiodd if=holes of="$small" bs=1M conv=sparse status=none
	# shellcheck disable=SC2034,SC2004 # an array of lib.sh
	loop_files[$small]=
	disk=$small in_json 'too little space' '"level":"warning","phase":"space"' \
		"warning: the file system of 'DISK' has 4.0 MiB free, but the copy needs 8.0 MiB" \
		eval 'aiodd if=data of=$small plan=yes'
else
	skip 'free space' "$BED_WHY"
fi
if bed_fs xfs 300M; then
	must fallocate -l 200M "$BED/src"
	golden 'shared blocks need no space, plan=yes' 0 '' \
		aiodd "$BED/src" "$BED/dst" plan=yes
	golden 'shared blocks need no space' 0 '' \
		aiodd "$BED/src" "$BED/dst" status=none
	rm "$BED/dst"
	run aiodd "$BED/src" "$BED/dst" clone=never plan=yes
	says 'blocks that are not shared need it' err \
		"^aiodd: warning: the file system of '$BED/dst' has [0-9]+ MiB free, but the copy needs 200 MiB\$"
else
	skip 'shared blocks' "$BED_WHY"
fi

# --- sectors and the backup GPT --------------------------------------------

# image NAME SECTOR: of 8 MiB, with a GPT
image()
{
	truncate -s 8M "$1"
	loop_of "$1" "$2"
	must sfdisk -q "$disk" >log 2>&1 <<<$'label: gpt\nsize=1MiB'
	must losetup -d "$disk"
}
image image512 512
image image4096 4096

blank() # SIZE [SECTOR OPTION...]
{
	truncate -s 0 blank
	truncate -s "$1" blank
	loop_of blank "${@:2}"
}

blank 8M
golden 'an image that fits' 0 "$data_records
aiodd: 'DISK' is safe to remove" aiodd if=image512 of="$disk" bs=1M
golden 'an image that fits, plan=yes' 0 '' aiodd image512 "$disk" plan=yes
sectors="aiodd: warning: 'DISK' has 512-byte sectors, but the source was partitioned for 4096-byte sectors: its partitions will not be found"
golden 'an image for 4096-byte sectors' 0 "$sectors
$data_records
aiodd: 'DISK' is safe to remove" aiodd if=image4096 of="$disk" bs=1M
golden 'an image for 4096-byte sectors, plan=yes' 0 "$sectors" \
	aiodd image4096 "$disk" plan=yes
golden 'an image for 4096-byte sectors, O_DIRECT' 0 "$sectors
$data_records
aiodd: 'DISK' is safe to remove" \
	aiodd if=image4096 of="$disk" bs=1M iflag=direct
golden 'an image for 4096-byte sectors, as dd' 0 "$data_records" \
	as_dd if=image4096 of="$disk" bs=1M
golden 'an image from a descriptor' 0 "$sectors" \
	eval 'aiodd of="$disk" bs=1M status=noxfer <image4096 2>&1 |
		grep -v records >&2; :'
in_json 'an image for 4096-byte sectors' \
	'"level":"warning","phase":"partitions"' "${sectors#aiodd: }" \
	aiodd if=image4096 of="$disk" bs=1M
golden 'a part of an image' 0 '' \
	aiodd if=image4096 of="$disk" bs=1M skip=1 status=none
golden 'a copy of a file' 0 '' aiodd image4096 file status=none
must losetup -d "$disk"

blank 8M 4096
golden 'an image for 512-byte sectors' 0 \
	"aiodd: warning: 'DISK' has 4096-byte sectors, but the source was partitioned for 512-byte sectors: its partitions will not be found
$data_records
aiodd: 'DISK' is safe to remove" aiodd if=image512 of="$disk" bs=1M
golden 'an image for these sectors' 0 '' aiodd image4096 "$disk" plan=yes
must losetup -d "$disk"

blank 9M
backup="aiodd: warning: the backup GPT will not be at the end of 'DISK'; after the copy run: sgdisk -e DISK"
rest="aiodd: the last 1.0 MiB of 'DISK' still hold old data"
golden 'a longer disk' 0 "$backup
$data_records
$rest
aiodd: 'DISK' is safe to remove" aiodd if=image512 of="$disk" bs=1M
golden 'a longer disk, plan=yes' 0 "$backup" \
	aiodd image512 "$disk" plan=yes
in_json 'a longer disk' '"level":"warning","phase":"partitions"' \
	"${backup#aiodd: }" aiodd if=image512 of="$disk" bs=1M

# --- what it still holds ---------------------------------------------------

golden 'old data' 0 "$data_records
$rest
aiodd: 'DISK' is safe to remove" aiodd if=data of="$disk" bs=1M
golden 'old data, verify=' 0 "$data_records
$rest
aiodd: 'DISK' is verified
aiodd: 'DISK' is safe to remove" aiodd if=data of="$disk" bs=1M verify=yes
golden 'old data, commit=first-last' 0 "$data_records
$rest
aiodd: 'DISK' is safe to remove" \
	aiodd if=data of="$disk" bs=1M commit=first-last
golden 'old data, of a pipe' 0 "$data_records
$rest
aiodd: 'DISK' is safe to remove" \
	eval 'cat data | aiodd of="$disk" bs=1M iflag=fullblock'
golden 'old data, status=noxfer' 0 "$(head -n 2 <<<"$data_records")" \
	aiodd if=data of="$disk" bs=1M status=noxfer
golden 'old data, status=none' 0 '' \
	aiodd if=data of="$disk" bs=1M status=none
golden 'old data, plan=yes' 0 '' aiodd data "$disk" plan=yes
golden 'old data, a part was asked for' 0 \
	"$(records_of $((1 << 20)) '1.0 MB, 1.0 MiB')
aiodd: 'DISK' is safe to remove" aiodd if=data of="$disk" bs=1M count=1
golden 'old data, a part was asked for elsewhere' 0 "$data_records
aiodd: 'DISK' is safe to remove" aiodd if=data of="$disk" bs=1M seek=1
golden 'old data, a descriptor' 0 "$data_records" \
	eval 'aiodd if=data bs=1M >>"$disk"'
golden 'old data, as dd' 0 "$data_records" as_dd if=data of="$disk" bs=1M
if [ "$has_json" ]; then
	run aiodd if=data of="$disk" bs=1M status=json
	check 'old data, JSON' grep -q '"untouched":1048576' err
	run aiodd if=data of="$disk" bs=1M count=1 status=json
	check 'no old data, JSON' grep -q '"untouched":null' err
fi
must losetup -d "$disk"

# --- the partition table ---------------------------------------------------

# partitioned: a disk of 8 MiB whose partition the kernel knows
partitioned()
{
	truncate -s 0 parts
	truncate -s 8M parts
	must sfdisk -q parts >log 2>&1 <<<$'label: dos\nstart=2048,size=4096'
	loop_of parts 512 -P
	part=${disk}p1
	cleanup_push partx -d "$disk"
	partx -a "$disk" >log 2>&1
	wait_for test -b "$part"
}

is_known()
{
	test -e "/sys/block/${disk#/dev/}/${part#/dev/}"
}

if partitioned; then
	golden 'as dd the kernel is told nothing' 0 "$data_records" \
		as_dd if=data of="$disk" bs=1M
	check 'as dd the kernel keeps the old partitions' is_known
	golden 'a copy of a part behind the table' 0 \
		"$(records_of $((1 << 20)) '1.0 MB, 1.0 MiB')
aiodd: 'DISK' is safe to remove" \
		aiodd if=data of="$disk" bs=1M seek=1 count=1
	check 'a copy behind the table: the old partitions are kept' is_known
	golden 'a copy of a partition' 0 \
		"$(records_of $((1 << 20)) '1.0 MB, 1.0 MiB')" \
		aiodd if=data of="$part" bs=1M count=1
	check 'a copy of a partition: it is kept' is_known
	golden 'plan=yes' 0 '' aiodd data "$disk" plan=yes
	check 'plan=yes: the old partitions are kept' is_known
	golden 'the partition table is read again' 0 "$data_records
aiodd: 'DISK' is safe to remove" aiodd if=data of="$disk" bs=1M
	check 'the kernel forgets the old partitions' eval '! is_known'
	must losetup -d "$disk"
else
	skip 'the partition table' 'no partitions here'
fi

if partitioned && mkfs.ext4 -q -F "$part" >log 2>&1 &&
	bed_mount ext4 "$part"; then
	use=$BED
	if grep -q '^#define HAVE_LIBMOUNT' "${top_builddir:-.}/config.h"; then
		force=force=mounted
	else
		force=force=busy
	fi
	kept="aiodd: warning: cannot make the kernel read the partition table of 'DISK' again: Device or resource busy; when nothing uses it run: blockdev --rereadpt DISK"
	must gnu_dd if="$disk" of=table bs=1M count=1 status=none
	golden 'a disk in use: the old partitions are used' 0 "$kept
$(records_of $((1 << 20)) '1.0 MB, 1.0 MiB')" \
		aiodd if=table of="$disk" bs=1M count=1 "$force"
	check 'a disk in use: the old partitions are kept' is_known
	in_json 'a disk in use' \
		'"level":"warning","phase":"partitions".*"errno":"EBUSY"' \
		"${kept#aiodd: }" \
		aiodd if=table of="$disk" bs=1M count=1 "$force"
	umount "$use"
else
	skip 'a disk in use' "${BED_WHY:-no partitions here}"
fi

finish
