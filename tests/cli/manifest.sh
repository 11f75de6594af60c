#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# manifest=: whose file it may be, and what plan=yes says of one.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
# shellcheck disable=SC2317 # called by check
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 99
run aiodd manifest=none plan=yes
grep -q 'left out of this build' err && skip_all 'no libxxhash'

# refused TEXT WORDS OPERANDS...: in these words, and nothing is made of it
refused()
{
	local text=$1 words=$2

	shift 2
	run aiodd "$@"
	is "$text: exit status" "$status" 1
	says "$text: the words" err "$words"
}

refused 'there is none' 'manifest=none: there is no manifest yet' \
	manifest=none plan=yes
check 'there is none: nothing is made' test ! -e none
echo 'Dear diary,' >diary
refused 'another file' 'manifest=diary: it is no manifest' \
	manifest=diary plan=yes
is 'another file stays' "$(cat diary)" 'Dear diary,'
refused 'a device' 'manifest=/dev/null: not a regular file' \
	manifest=/dev/null plan=yes
must mkfifo fifo
refused 'a FIFO' 'manifest=fifo: not a regular file' manifest=fifo plan=yes
refused 'no directory' 'manifest=none/m: No such file or directory' \
	manifest=none/m plan=yes
refused 'alone' 'manifest= needs update=yes or verify=only' manifest=m
refused 'with a copy' 'manifest= needs update=yes or verify=only' \
	diary new manifest=m
check 'with a copy: nothing is made' test ! -e new
refused 'commit=rename' 'cannot combine commit=rename and manifest=' \
	diary new manifest=m commit=rename
run as_dd if=diary of=new manifest=m
is 'dd knows no manifest=' "$status" 1
finish
