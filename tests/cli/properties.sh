#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Random alignments, onto disks that answer late and out of order: a few cases,
# always the same ones. AIODD_SEED and AIODD_PROPERTIES choose others, or more;
# AIODD_SECONDS ends it, and AIODD_PROPERTY_FLAGS go to tests/properties.py.

# In memory, where nothing is late but what is meant to be.
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require python3
require_loop
require_late

fault=${top_builddir:-build}/tests/fault
"$fault" /dev/null 10 -- true 2>"$work/err" ||
	skip_all "seccomp: $(head -n 1 "$work/err")"

# A loop device over what is late.
add_disk() # IMAGE SECTOR
{
	bed_loop_over "$BED" "$2" || skip_all "$BED_WHY"
	places+=(--disk "$BED,$work/$1.img")
}

places=()
for sector in 512 4096; do
	must truncate -s 4M "$work/late$sector.img"
	bed_late "late$sector" 30 || skip_all "$BED_WHY"
	add_disk "late$sector" "$sector"
done

must truncate -s 32M "$work/tree.img"
{ bed_mkfs ext4 "$work/tree.img" && bed_late tree 10 &&
	bed_loop_over "$BED" && bed_mount ext4 "$BED"; } ||
	skip_all "$BED_WHY"
places+=(--tree "$BED")

if type -P nbdkit nbdfuse >/dev/null; then
	must truncate -s 4M "$work/nbd.img"
	bed_nbd nbd --filter=delay file "$work/nbd.img" delay-write=15ms ||
		skip_all "$BED_WHY"
	add_disk nbd 512
fi

# shellcheck disable=SC2086
python3 "$(dirname "$0")/../properties.py" --aiodd "$AIODD" \
	--fault "$fault" --dir "$work" "${places[@]}" --seed "${AIODD_SEED:-1}" \
	--cases "${AIODD_PROPERTIES:-120}" --seconds "${AIODD_SECONDS:-0}" \
	${AIODD_PROPERTY_FLAGS-}
