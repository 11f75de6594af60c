#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# One system call of a run fails: a sample of all there are, always the same
# one. AIODD_SEED and AIODD_FAULTS choose another, or more of them (0: all);
# AIODD_SECONDS ends it, and AIODD_FAULT_FLAGS go to tests/faults.py.

# In memory, where a sync costs nothing.
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require python3
require_loop
fault=${top_builddir:-build}/tests/fault
"$fault" /dev/null 10 -- true 2>"$work/err" ||
	skip_all "seccomp: $(head -n 1 "$work/err")"

# What is unlinked is free only when the journal is written.
bed_fs ext4 512M || skip_all "$BED_WHY"
dir=$BED
disks=()
for ((i = 0; i < $(nproc); i++)); do
	bed_loop 4M || skip_all "$BED_WHY"
	disks+=(--disk "$BED")
done

leave_out=
if is_sanitized; then
	# The sanitizers give up themselves.
	leave_out=mmap,munmap,mremap,mprotect,madvise
	export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
fi

# Not exec: the beds are taken down behind it.
# shellcheck disable=SC2086
python3 "$(dirname "$0")/../faults.py" --aiodd "$AIODD" --fault "$fault" \
	--dir "$dir" "${disks[@]}" --leave-out "$leave_out" \
	--seed "${AIODD_SEED:-1}" --cases "${AIODD_FAULTS:-300}" \
	--seconds "${AIODD_SECONDS:-40}" ${AIODD_FAULT_FLAGS-}
