#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# --help is for the one who asked; a mistake gets two lines.
. "$(dirname "$0")/tap.sh"

help_on_stdout()
{
	local text
	text=$("$AIODD" --help 2>/dev/null) || echo "exit status $?"
	[ -n "$text" ] || echo "nothing on standard output"
	{ "$AIODD" --help >/dev/null; } 2>&1
}

long_help_lines()
{
	"$AIODD" --help | expand | awk 'length > 80'
}

version_is_configured()
{
	"$AIODD" --version | head -n 1 |
		grep -q "$(sed -n 's/^#define PACKAGE_VERSION "\(.*\)"/\1/p' \
			"$top_builddir/config.h")"
}

usage_error()
{
	local text status
	text=$("$AIODD" nonesuch=1 2>&1 >/dev/null)
	status=$?
	[ "$status" -eq 1 ] || echo "exit status $status"
	awk 'NR == 1 && !/nonesuch/ || NR == 2 && !/Try .*--help/ || NR > 2
	END { if (NR != 2) print NR " lines" }' <<<"$text"
	"$AIODD" nonesuch=1 2>/dev/null
	return 0
}

clean "--help goes to standard output, exit status 0" help_on_stdout
clean "--help fits 80 columns" long_help_lines
clean "--version names the version" version_is_configured
clean "a usage error is one line and a hint on standard error" usage_error
finish
