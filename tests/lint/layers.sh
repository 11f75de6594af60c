#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Includes go one way only. The allowed edges stand in docs/ARCHITECTURE.md: of
# rooms, which are the folders of core/ and cmd, between <!-- rooms --> and
# <!-- /rooms -->; of modules in one room, which are file stems, in the tables
# between <!-- layers --> and <!-- /layers -->. A module's own header, base.h
# and config.h go without saying.
. "$(dirname "$0")/tap.sh"
cd "$top_srcdir" || exit 1

# edges MARK: of the tables between the marks, whose last column says what the
# first may use, one line "from to" each; "from from" for each row.
edges()
{
	awk -F'|' -v mark="$1" '
	$0 == "<!-- " mark " -->" { inside = 1; next }
	$0 == "<!-- /" mark " -->" { inside = 0 }
	inside && NF >= 4 && $2 !~ /^[- :]*$/ && $(NF - 1) !~ / may / {
		gsub(/[` \t]/, "", $2)
		print $2, $2
		nr = split($(NF - 1), to, /[`, ]+/)
		for (i = 1; i <= nr; i++)
			if (to[i] ~ /^[a-z]/)
				print $2, to[i]
	}' docs/ARCHITECTURE.md
}
rooms=$(edges rooms)
layers=$(edges layers)

# One line "room module file" for each file.
files=$(find core cmd -name '*.[ch]' |
	sed 's|^\(.*/\)\?\([a-z]*\)/\([a-z0-9_]*\)\.[ch]$|\2 \3 &|' | sort)

# One line "room module room module file:line" for each project include.
includes()
{
	local paths
	paths=$(find core cmd -name '*.[ch]')
	# shellcheck disable=SC2086
	grep -n '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"' $paths |
	sed 's|^\([^:]*/\([a-z0-9_]*\)\.[ch]:[0-9]*\):.*"\(.*\)\.h".*|\2 \3 \1|' |
	awk -v files="$files" '
	BEGIN {
		nr = split(files, line, "\n")
		for (i = 1; i <= nr; i++) {
			split(line[i], w, " ")
			room[w[2]] = w[1]
		}
	}
	$1 != $2 && $2 != "base" && $2 != "config" {
		print room[$1], $1, room[$2], $2, $3
	}'
}
used=$(includes)

forbidden_edges()
{
	echo "$used" | awk -v allowed="$layers" -v between="$rooms" '
	BEGIN {
		nr = split(allowed, line, "\n")
		for (i = 1; i <= nr; i++)
			ok[line[i]] = 1
		nr = split(between, line, "\n")
		for (i = 1; i <= nr; i++)
			is_open[line[i]] = 1
	}
	$1 != $3 && !(($1 " " $3) in is_open) {
		print $5 ": " $1 " may not use " $3
	}
	$1 == $3 && !(($2 " " $4) in ok) {
		print $5 ": " $2 " may not include " $4
	}'
}

# unused EDGES COLUMN: those that no include makes, with the columns of used.
unused()
{
	awk -v from="$2" 'NR == FNR { seen[$from " " $(from + 2)] = 1; next }
	$1 != $2 && !($0 in seen) { print $1 " never uses " $2 }' \
		<(echo "$used" | awk -v is="$2" '($1 == $3) == (is == 2)') \
		<(echo "$1")
}

unused_edges()
{
	unused "$rooms" 1
	unused "$layers" 2
}

unlisted()
{
	comm -3 <(echo "$files" | awk '{ print $1 }' | sort -u) \
		<(echo "$rooms" | awk '{ print $1 }' | sort -u) |
	sed 's/^\t\(.*\)/\1 has a row but no folder/; t; s/$/ has no row/'
	comm -13 <(echo "$files" | awk '{ print $2 }' | sort -u) \
		<(echo "$layers" | awk '{ print $1 }' | sort -u) |
	sed 's/$/ has a row but no file/'
}

# A room uses rooms above it.
upward_edges()
{
	echo "$rooms" | awk '
	$1 == $2 { row[$1] = ++nr }
	$1 != $2 && !($2 in row) { print $1 " is above " $2 ", and uses it" }'
}

cycles()
{
	echo "$layers" | tsort >/dev/null
}

names_twice()
{
	echo "$files" | awk '{ print $2, $1 }' | sort -u |
		awk 'seen[$1]++ { print $1 " is the name of two modules" }'
}

includes_by_path()
{
	local paths
	paths=$(find core cmd -name '*.[ch]')
	# shellcheck disable=SC2086
	grep -n '^#include ".*/' $paths
	[ $? -eq 1 ]
}

clean "every room has a row, and every row a room or a module" unlisted
clean "every include is allowed" forbidden_edges
clean "every allowed include is used" unused_edges
clean "a room uses only rooms above it" upward_edges
clean "the modules of a room have no cycle" cycles
clean "a module's name stands for itself" names_twice
clean "headers are included by name, not by path" includes_by_path
finish
