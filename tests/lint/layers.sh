#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Includes go one way only. The allowed edges stand in docs/ARCHITECTURE.md, in
# a table | module | may include | between <!-- layers --> and <!-- /layers -->.
# A module is a file stem; its own header, base.h and config.h go without saying.
. "$(dirname "$0")/tap.sh"
cd "$top_srcdir" || exit 1

# One line "from to" for each allowed edge, "from from" for each row.
allowed=$(awk -F'|' '
	/<!-- layers -->/ { inside = 1; next }
	/<!-- \/layers -->/ { inside = 0 }
	inside && NF >= 4 && $2 !~ /^[- :]*$|^ *module *$/ {
		gsub(/[` \t]|\.h/, "", $2)
		gsub(/[`,]|\.h/, " ", $3)
		print $2, $2
		nr = split($3, to, " ")
		for (i = 1; i <= nr; i++)
			if (to[i] ~ /^[a-z]/)
				print $2, to[i]
	}' docs/ARCHITECTURE.md)

modules=$(find core cmd -name '*.[ch]' -exec basename {} \; |
	sed 's/\.[ch]$//' | sort -u)

# One line "from to file:line" for each project include.
includes()
{
	grep -n '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"' \
		core/*.[ch] cmd/*.[ch] |
	sed 's|^\([^:]*/\([a-z0-9_]*\)\.[ch]:[0-9]*\):.*"\(.*\)\.h".*|\2 \3 \1|'
}

forbidden_edges()
{
	includes | awk -v allowed="$allowed" '
	BEGIN {
		nr = split(allowed, line, "\n")
		for (i = 1; i <= nr; i++)
			ok[line[i]] = 1
	}
	$1 == $2 || $2 == "base" || $2 == "config" { next }
	!(($1 " " $2) in ok) { print $3 ": " $1 " may not include " $2 }'
}

unused_edges()
{
	awk 'NR == FNR { used[$1 " " $2] = 1; next }
	$1 != $2 && $2 != "base" && !($0 in used) {
		print $1 " never includes " $2
	}' <(includes) <(echo "$allowed")
}

unlisted_modules()
{
	comm -3 <(echo "$modules") \
		<(echo "$allowed" | awk '{ print $1 }' | sort -u) |
	grep -vx 'base' |
	sed 's/^\t\(.*\)/\1 has a row but no file/; t; s/$/ has no row/'
	return 0
}

cycles()
{
	echo "$allowed" | tsort >/dev/null
}

includes_by_path()
{
	grep -n '^#include ".*/' core/*.[ch] cmd/*.[ch]
	[ $? -eq 1 ]
}

clean "every module has a row and every row a module" unlisted_modules
clean "every include is allowed" forbidden_edges
clean "every allowed include is used" unused_edges
clean "the layers have no cycle" cycles
clean "headers are included by name, not by path" includes_by_path
finish
