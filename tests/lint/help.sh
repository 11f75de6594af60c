#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# --help is for the one who asked; a mistake gets two lines.
. "$(dirname "$0")/tap.sh"

help_on_stdout()
{
	local option text
	for option in --help --help=all; do
		text=$("$AIODD" $option 2>/dev/null) ||
			echo "$option: exit status $?"
		[ -n "$text" ] || echo "$option: nothing on standard output"
		{ "$AIODD" $option >/dev/null; } 2>&1
	done
}

# Usage lines begin with the name that it is called by.
long_help_lines()
{
	for option in --help --help=all; do
		(exec -a aiodd "$AIODD" $option) | expand | awk 'length > 80 || /[ \t]$/'
	done
}

# A prompt takes the last line.
help_screen()
{
	"$AIODD" --help | awk 'END { if (NR > 23) print NR " lines" }'
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
clean "--help fits a screen of 24 lines" help_screen
clean "--version names the version" version_is_configured
clean "a usage error is one line and a hint on standard error" usage_error
finish
