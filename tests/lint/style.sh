#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What can be seen of the house style without parsing C.
. "$(dirname "$0")/tap.sh"
cd "$top_srcdir" || exit 1

c_files=$(find core cmd tests -name '*.[ch]' | sort)
scripts=$(find tests -name '*.sh' | sort)
scripts="$scripts bootstrap .ci/run build-aux/tally.sh"
build="configure.ac Makefile.am"

without_licence()
{
	awk 'FNR == 1 { seen[FILENAME] = 0 }
	FNR <= 2 && /^(\/\/|#|\.\\") SPDX-License-Identifier: GPL-3.0-or-later$/ {
		seen[FILENAME] = 1
	}
	FNR == 1 && FILENAME ~ /\.[ch]$/ && !seen[FILENAME] { print FILENAME }
	END {
		for (name in seen)
			if (!seen[name] && name !~ /\.[ch]$/)
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
	clean "every file names its licence first" \
		without_licence $c_files $scripts $build
	clean "no white space at the end of a line" \
		trailing_space $c_files $scripts $build
	clean "C fits 80 columns" long_lines $c_files
	clean "C is indented with tabs" space_indent $c_files
	clean "no function is longer than 60 lines" \
		long_functions $(find core cmd -name '*.c' | sort)
}

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
