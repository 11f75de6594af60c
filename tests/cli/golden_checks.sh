#!/bin/bash
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

# --- what a longer disk still holds ----------------------------------------

blank() # SIZE [SECTOR OPTION...]
{
	truncate -s 0 blank
	truncate -s "$1" blank
	loop_of blank "${@:2}"
}

blank 9M
rest="aiodd: the last 1.0 MiB of 'DISK' still hold old data"
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

finish
