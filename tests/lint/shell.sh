#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
. "$(dirname "$0")/tap.sh"
cd "$top_srcdir" || exit 1

command -v shellcheck >/dev/null || skip_all "shellcheck is not installed"

# Without what a script reads in: to follow lib.sh in each of them takes twice
# the time. What is not set anywhere ends a script by itself (set -u).
for script in bootstrap .ci/run .ci/ports build-aux/tally.sh completions/bash/aiodd \
	contrib/deb.sh contrib/debian/tests/copy contrib/debian/tests/disk \
	docs/examples/shards.* \
	$(find tests -name '*.sh' | sort); do
	clean "shellcheck $script" \
		shellcheck --shell=bash --exclude=SC1091,SC2154 "$script"
done
finish
