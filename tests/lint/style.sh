#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What can be seen of the house style without parsing C.
. "$(dirname "$0")/tap.sh"
cd "$top_srcdir" || exit 1

c_files=$(find core cmd tests -name '*.[ch]' ! -path cmd/page.c | sort) # generated
scripts=$(find tests -name '*.sh' | sort)
scripts="$scripts bootstrap .ci/run .ci/ports build-aux/tally.sh completions/*/*aiodd*"
scripts="$scripts contrib/aiodd.spec contrib/deb.sh contrib/debian/tests/*"
build="configure.ac Makefile.am"

# The two lines stand first, but for what starts a script.
without_licence()
{
	awk -v text='^(//|#) SPDX-' -v copyright='FileCopyrightText: 20' \
		-v licence='License-Identifier: GPL-3[.]0-or-later$' '
	FNR == 1 { has[FILENAME] = 0 }
	FNR <= 3 && ($0 ~ text copyright || $0 ~ text licence) {
		has[FILENAME]++
	}
	END {
		for (name in has)
			if (has[name] != 2)
				print name
	}' "$@"
}

trailing_space()
{
	awk '/[ \t]$/ { print FILENAME ":" FNR }' "$@"
}

long_lines()
{
	awk '{
		nr = split($0, parts, "\t")
		len = 0
		for (i = 1; i < nr; i++)
			len = int((len + length(parts[i])) / 8 + 1) * 8
		len += length(parts[nr])
		if (len > 80)
			print FILENAME ":" FNR ": " len " columns"
	}' "$@"
}

space_indent()
{
	awk '/^ +[^ *]/ { print FILENAME ":" FNR }' "$@"
}

long_functions()
{
	awk '/^{/ { start = FNR }
	/^}/ && start {
		if (FNR - start - 1 > 60)
			print FILENAME ":" start ": " FNR - start - 1 " lines"
		start = 0
	}' "$@"
}

# File names hold no spaces here, so the lists may be split.
# shellcheck disable=SC2046,SC2086
{
	clean "every file begins with its copyright and licence" \
		without_licence $c_files $scripts $build
	clean "no white space at the end of a line" \
		trailing_space $c_files $scripts $build
	clean "C fits 80 columns" long_lines $c_files
	clean "C is indented with tabs" space_indent $c_files
	clean "no function is longer than 60 lines" \
		long_functions $(find core cmd -name '*.c' | sort)
}

unlicensed()
{
	local log
	log=$(reuse lint 2>&1) || echo "$log"
}

# Also what is no source, and the text of the licence.
if ! command -v reuse >/dev/null; then
	skip "reuse lint" "reuse is not installed"
elif ! command -v git >/dev/null; then
	skip "reuse lint" "no git here, which knows the files that are built"
elif [ ! -e .git ]; then
	skip "reuse lint" "this is no git tree"
else
	clean "reuse lint" unlicensed
fi

# Names of three words and more are those of tests, or stand in the sources.
unknown_names()
{
	local name

	# shellcheck disable=SC2016 # they are backticks
	grep -ohE '`[A-Za-z0-9]+(_[A-Za-z0-9]+){3,}`' docs/LIBAIO.md \
		docs/ARCHITECTURE.md | tr -d '`' | sort -u |
	while read -r name; do
		grep -qrw "$name" tests/check_*.c core cmd || echo "$name"
	done
}
clean "the tests that a document names are there" unknown_names
finish
