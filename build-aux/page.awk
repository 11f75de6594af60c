# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes page.c of page.html: the text before and behind @REPORT@.

function put(text)
{
	gsub(/[\\"]/, "\\\\&", text)
	printf "\n\t\"%s", text
}

BEGIN {
	print "#include \"page.h\"\n"
	printf "const char page_head[] ="
}

{
	at = index($0, "@REPORT@")
	if (at) {
		nr++
		put(substr($0, 1, at - 1))
		printf "\";\nconst char page_tail[] ="
		put(substr($0, at + length("@REPORT@")))
	} else {
		put($0)
	}
	print "\\n\""
}

END {
	print "\t;"
	if (nr != 1) {
		print "page.html must have one @REPORT@" >"/dev/stderr"
		exit 1
	}
}
