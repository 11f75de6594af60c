#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Random cases against GNU dd, always the same ones. AIODD_SEED and AIODD_CASES
# choose others, or more.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require_gnu_dd
require python3

# In memory, where a sync costs nothing.
dir=/dev/shm
[ -w $dir ] || dir=$work
python3 "$(dirname "$0")/../differential.py" --dd "$DD" --aiodd "$AIODD" \
	--dir "$dir" --seed "${AIODD_SEED:-1}" --cases "${AIODD_CASES:-1500}"
