#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The tables of docs/SCALE.md are those that its simulation prints.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require python3
docs=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")/docs
cd "$work" || exit 99

sed -nE '/^\| (figure|way) /,/^$/p' "$docs/SCALE.md" | grep . >written
run python3 "$docs/examples/scale.py"
is 'it runs' "$status" 0
check 'the tables are what it prints' diff written <(grep . out)
run python3 "$docs/examples/scale.py" slowby=4
is 'a figure that is not there is refused' "$status" 1
says 'it is named' err 'slowby'

finish
