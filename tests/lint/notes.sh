#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Each library that the program may load has a note in it, from which packages
# are made (https://systemd.io/ELF_DLOPEN_METADATA/), and no other has.
. "$(dirname "$0")/tap.sh"
cd "$top_builddir" || exit 1

command -v readelf >/dev/null || skip_all "readelf is not installed"
command -v objcopy >/dev/null || skip_all "objcopy is not installed"
grep -q '^#define ENABLE_DLOPEN 1' config.h ||
	skip_all "built without dlopen"

# The strings of a section, one a line.
strings_of()
{
	local file
	file=$(mktemp)
	objcopy -O binary --only-section="$1" --set-section-flags "$1=alloc" \
		"$AIODD" "$file" && tr -c '[:print:]' '\n' <"$file"
	rm -f "$file"
}

notes=$(strings_of .note.dlopen | grep '^\[')
named=$(echo "$notes" | sed 's/.*"soname":\["\([^"]*\)"\].*/\1/' | sort)

# What dlopen is given is a string that ends as a soname; before it can lie what
# looks like text.
loaded=$(strings_of .rodata | grep -oE 'lib[a-z0-9_-]+\.so\.[0-9.]+$' | sort -u)

misshapen()
{
	local s='"[^"]+"'

	[ -z "$notes" ] || echo "$notes" | grep -vE "^\[\{\"soname\":\[$s\],\"feature\":$s,\
\"description\":$s,\"priority\":\"(recommended|suggested)\"\}\]$"
	return 0
}

# Owner and type stand in the header of a note. A warning is about its shape.
unread()
{
	local found

	found=$(readelf -nW "$AIODD" 2>&1)
	echo "$found" | grep -i warning
	[ "$(echo "$found" | grep -oE '0x407c0c0a|FDO_DLOPEN' | wc -l)" -eq \
		"$(echo "$notes" | grep -c .)" ] || echo "$found"
}

clean "each library that is loaded has one note" \
	diff <(echo "$loaded") <(echo "$named")
clean "a note is JSON of the form that packagers read" misshapen
clean "readelf finds each of them" unread
finish
