#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Everything extern in module.c is called module_something.
. "$(dirname "$0")/tap.sh"
cd "$top_builddir" || exit 1

command -v nm >/dev/null || skip_all "nm is not installed"

# Names with a leading underscore are the compiler's.
foreign_symbols()
{
	nm -A -P -g "$@" | awk '
	{
		module = $1
		sub(/\.o\]?:$/, "", module)
		sub(/^.*[\/\[]/, "", module)
		sub(/^.*-/, "", module)
	}
	$3 ~ /^[A-TV-Z]$/ && $2 !~ /^_/ && $2 != "main" &&
	index($2, module "_") != 1 && $2 != module {
		print module ".o: " $2
	}'
}

clean "extern names in core begin with their module" \
	foreign_symbols core/libcore.a
clean "extern names in cmd begin with their module" foreign_symbols cmd/*.o
finish
