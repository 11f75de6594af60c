#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
. "$(dirname "$0")/tap.sh"
cd "$top_srcdir" || exit 1

command -v shellcheck >/dev/null || skip_all "shellcheck is not installed"

for script in bootstrap .ci/run build-aux/tally.sh \
	$(find tests -name '*.sh' | sort); do
	clean "shellcheck $script" \
		shellcheck --external-sources --source-path=SCRIPTDIR \
			--shell=bash --exclude=SC1091 "$script"
done
finish
