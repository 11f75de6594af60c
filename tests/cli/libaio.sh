#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The example of docs/LIBAIO.md copies to the byte.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require cc
cd "$work" || exit 99
example=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")/docs/examples/copy.c
check 'it compiles without a warning' cc -Wall -Wextra -Wno-unused-parameter \
	-Werror -o copy "$example" -laio
[ -x copy ] || finish

# Where O_DIRECT can be had.
bed_fs ext4 64M || skip_all "$BED_WHY"
for size in 0 1 4095 4096 1048576 3333333 20000000; do
	make_data "$BED/src" "$size" 7
	rm -f "$BED/dst"
	check "$size bytes: it succeeds" ./copy "$BED/src" "$BED/dst"
	check "$size bytes: identical" same "$BED/src" "$BED/dst"
done
# shellcheck disable=SC2317 # called by check
fails()
{
	! "$@" 2>err
}
check 'what is there is not overwritten' fails ./copy "$BED/src" "$BED/dst"
says 'it says why' err 'File exists'
check 'a name that is not there is an error' fails ./copy "$BED/none" "$BED/new"

finish
