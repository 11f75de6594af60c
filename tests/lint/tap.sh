# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by the lints. A lint is a few searches that must find nothing; each
# is one TAP test, and what it finds is the diagnosis.
set -u
export LC_ALL=C

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir/build}
AIODD=${AIODD:-$top_builddir/aiodd}
nr_tests=0

# clean TEXT COMMAND...: passes if COMMAND succeeds and has nothing to say.
clean()
{
	local text=$1 found status
	shift
	found=$("$@" 2>&1)
	status=$?
	nr_tests=$((nr_tests + 1))
	if [ "$status" -eq 0 ] && [ -z "$found" ]; then
		echo "ok $nr_tests - $text"
		return
	fi
	echo "not ok $nr_tests - $text"
	printf '%s\n' "${found:-exit status $status}" | sed 's/^/# /'
}

# skip TEXT WHY
skip()
{
	nr_tests=$((nr_tests + 1))
	echo "ok $nr_tests - $1 # SKIP $2"
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

finish()
{
	echo "1..$nr_tests"
}

# without_comments FILE...: the same lines, each with its name and number.
without_comments()
{
	awk '
	FNR == 1 {
		inside = 0
	}
	{
		line = $0
		out = ""
		while (line != "") {
			if (inside) {
				end = index(line, "*/")
				if (!end)
					break
				line = substr(line, end + 2)
				inside = 0
			} else if (match(line, "/[/*]")) {
				out = out substr(line, 1, RSTART - 1)
				if (substr(line, RSTART + 1, 1) == "/")
					break
				line = substr(line, RSTART + 2)
				inside = 1
			} else {
				out = out line
				break
			}
		}
		printf "%s:%d: %s\n", FILENAME, FNR, out
	}' "$@"
}
