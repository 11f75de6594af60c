#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Every example of the manual, run as it stands: the lines after "$ " between
# .EX and .EE, and those of a crontab, one shell for each block, all of them in
# one directory with a disk.img and a backup.img. /dev/sdX, sdY and sdZ
# are loop devices, /dev/vg/snap the disk.img, and /var/lib the directory.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

manual=${top_srcdir:-$(dirname "$0")/../..}/docs/aiodd.1
[ -r "$manual" ] || skip_all "no $manual"
manual=$(realpath "$manual")

mkdir "$work/examples"
cd "$work/examples" || exit 99
make_data disk.img $((16 << 20)) 1
make_data backup.img $((16 << 20)) 2

# Blocks come out with an empty line after each, plain text for the shell. An
# older mawk does not know {5}.
awk '
	BEGIN { field = "[0-9*]+ +"
		times = field field field field field }
	/^\.EX/ { inside = 1; next }
	/^\.EE/ { inside = 0; print ""; next }
	inside && (sub("^([$]|" times ") *", "") || continued) {
		print
		continued = /(\\e|\|)$/
	}' "$manual" |
	sed -e 's/\\&//g' -e 's/\\-/-/g' -e 's/\\e/\\/g' -e "s/\\\\(aq/'/g" \
		-e 's/\\(dq/"/g' -e 's/\\(ha/^/g' -e 's/\\(ti/~/g' \
		>"$work/blocks"

declare -A disks
if [ "$(id -u)" -eq 0 ] && losetup -f >/dev/null 2>&1; then
	for letter in X Y Z; do
		bed_loop $((16 << 20)) && disks[$letter]=$BED
	done
fi

# example TEXT: one block.
example()
{
	local first=${1%%$'\n'*} commands=$1 letter

	commands=${commands//\/dev\/vg\/snap/disk.img}
	commands=${commands//\/var\/lib\//}
	for letter in "${!disks[@]}"; do
		must_be_ours "${disks[$letter]}"
		commands=${commands//\/dev\/sd$letter/${disks[$letter]}}
	done
	if grep -Eq '/dev/(sd|nvme|vd|mmcblk|sr)' <<<"$commands"; then
		skip "$first" 'needs a disk'
		return
	fi
	run env PATH="$path_of_ours" timeout "$TIME_LIMIT" \
		bash -e -o pipefail -c "$commands" </dev/null
	if [ "$status" -eq 0 ]; then
		pass "$first"
	elif grep -Eq '(: command not found|left out of this build)$' \
		"$work/err"; then
		skip "$first" "$(tail -n 1 "$work/err")"
	else
		fail "$first" "exit status $status" "$1" "$(cat "$work/err")"
	fi
}

block=
while IFS= read -r line; do
	if [ -n "$line" ]; then
		block+=$line$'\n'
	elif [ -n "$block" ]; then
		example "${block%$'\n'}"
		block=
	fi
done <"$work/blocks"
check 'the manual has examples' test "$tests_done" -gt 0

finish
