#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# One table in the program, one row a name in --help and in the manual.
. "$(dirname "$0")/tap.sh"
page=$top_srcdir/docs/aiodd.1

# "if=", "--help": what stands before a value.
operands()
{
	"$AIODD" --list-operands | sed 's/[[:space:]].*//; s/=.*/=/' | sort -u
}

# The tags of the manual's lists, mdoc (.It Cm if Ns = Ns Ar file) or man
# (.TP and then \fBif=\fIfile\fR), as plain words.
manual_rows()
{
	awk '/^\.It / { sub(/^\.It /, ""); print }
	tag { print; tag = 0 }
	/^\.TP/ { tag = 1 }' "$page" |
	sed -E 's/^\.(B|I|BR|BI|IR|RB|IB) //; s/\\f[A-Z]//g; s/\\-/-/g
		s/\\&//g; s/"//g; s/(^| )Fl (Fl |-)/\1--/g; s/(^| )Fl ([a-z])/\1-\2/g
		s/(^| )((Cm|Ar|Ns|Ic|Li|Sy|Em|No) )+/\1/g
		s/(^| )((Cm|Ar|Ns|Ic|Li|Sy|Em|No) )+/\1/g; s/ *= */=/g' |
	sed 's/=.*/=/; s/[ ,].*//'
}

not_listed()
{
	local names
	names=$(operands)
	[ -n "$names" ] || echo "--list-operands says nothing"
	echo "$names" | grep -vxFf <(manual_rows)
	return 0
}

not_in_help()
{
	local help name
	help=$("$AIODD" --help=all)
	for name in $(operands); do
		grep -qE -- "(^|[[:space:][|,])$name" <<<"$help" || echo "$name"
	done
}

# The index of DECISIONS.md has a link for each heading.
not_indexed()
{
	local page=$top_srcdir/docs/DECISIONS.md title
	sed -n 's/^## 20[0-9-]*: //p' "$page" | while IFS= read -r title; do
		grep -qF -- "[$title](#" "$page" || echo "$title"
	done
}

clean "every operand has a row in the manual" not_listed
clean "every operand is in --help=all" not_in_help
if command -v mandoc >/dev/null; then
	clean "mandoc has nothing to say" mandoc -Tlint "$page"
else
	skip "mandoc has nothing to say" "mandoc is not installed"
fi

# Turns of phrase over which readers have stumbled.
odd_phrases()
{
	grep -nEiw "so many|told|tells?|somebody|all the same|in spite of|\
behind (it|them|what)|upon it|asks back|all there is|to be had|passed over|\
seen to|made again|given back|anew|of which" "$page" \
		"$top_srcdir/README.md" "$top_srcdir/docs/report.schema.json"
	return 0
}

clean "the manual, README and the schema read like English" odd_phrases
clean "each decision is in the index" not_indexed
finish
