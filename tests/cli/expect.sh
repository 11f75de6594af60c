# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# expect= and as=: files of checksums as others publish them, what is said of
# them, and what becomes of a copy that is not what it should be.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"
require sha256sum sha512sum md5sum b2sum
cd "$work" || exit 99
mkdir dir
make_data dir/img 100000 1
hex=$(sha256sum <dir/img | cut -d' ' -f1)
long=$(sha512sum <dir/img | cut -d' ' -f1)
wrong=${hex//[0-9]/e}

# takes TEXT [OPERAND...]: the file S, for the source dir/img.
takes()
{
	local text=$1

	shift
	run aiodd dir/img copy expect=S status=none "$@"
	is "$text" "$status" 0
}

# refuses TEXT REGEX: before anything is written.
refuses()
{
	rm -f copy
	run aiodd dir/img copy expect=S
	is "$1: exit status" "$status" 1
	says "$1: why" err "$2"
	check "$1: nothing is copied" test ! -e copy
}

line()
{
	# shellcheck disable=SC2059 # the format is the test
	printf "$@" >S
}

# What the tools write, and what they take.
like_the_tool()
{
	line "$2" "$hex"
	check "$1: sha256sum takes it" sh -c 'cd dir && sha256sum -c ../S'
	takes "$1"
}
like_the_tool 'two blanks' '%s  img\n'
like_the_tool 'an asterisk' '%s *img\n'
like_the_tool 'one blank' '%s img\n'
like_the_tool 'a tab' '%s\timg\n'
like_the_tool 'blanks before it' ' \t%s  img\n'
like_the_tool 'CRLF' '%s  img\r\n'
like_the_tool 'no line end' '%s  img'
like_the_tool 'a comment' '# of today\n\n%s  img\n'
like_the_tool 'the BSD form' 'SHA256 (img) = %s\n'
like_the_tool 'without blanks' 'SHA256(img)=%s\n'
like_the_tool 'with a tab' 'SHA256 (img) =\t%s\n'
hex_was=$hex
hex=${hex^^}
like_the_tool 'capitals' '%s  img\n'
like_the_tool 'capitals in the BSD form' 'SHA256 (img) = %s\n'
hex=$hex_was
line 'sha256 (img) = %s  \n' "$hex"
takes 'a small algorithm and blanks at the end'
line '\xef\xbb\xbf%s  img\n' "$hex"
takes 'a byte-order mark'
line '\xef\xbb\xbf%s  other\r\n%s  img\r\n' "$wrong" "$hex"
takes 'a byte-order mark and CRLF'
line 'SHA2-256(img)= %s\n' "$hex"
takes 'the form of openssl'
line 'BLAKE2B-512(img)= %s\n' "$(b2sum <dir/img | cut -d' ' -f1)"
takes 'blake2b in the form of openssl'
line 'SHA512(img)= %s\n' "$long"
takes 'the form of an older openssl'
if type -P openssl >/dev/null; then
	for alg in md5 sha1 sha224 sha256 sha384 sha512 blake2b512; do
		(cd dir && openssl dgst -$alg img) >S
		takes "openssl dgst -$alg"
		(cd dir && openssl dgst -r -$alg img) >S
		takes "openssl dgst -r -$alg"
	done
else
	skip 'openssl dgst' 'no openssl here'
fi

# A digest alone in its file is that of the source.
line '%s\n' "$hex"
takes 'a digest alone'
run sh -c '"$0" - copy expect=S status=none <dir/img' "$AIODD"
is 'a digest alone, of standard input' "$status" 0
line '\n# sha512\n  %s \r\n' "${long^^}"
takes 'a digest alone, among blanks and a comment'
line '%s\n' "$wrong"
run aiodd dir/img copy expect=S
is 'another digest alone' "$status" 4
line '%s\n%s\n' "$hex" "$hex"
refuses 'two digests without names' "expect=S: no digest for 'dir/img'"
line '%s\n%s  other\n' "$hex" "$hex"
refuses 'a digest that is not alone' "expect=S: no digest for 'dir/img'"
line '%.31s\n' "$hex"
refuses 'hex of no known length' "expect=S: no digest for 'dir/img'"

# Several algorithms are no contradiction, several digests by one are.
for tag in '' --tag; do
	for first in sha512sum b2sum; do
		second=$([ $first = b2sum ] && echo sha512sum || echo b2sum)
		(cd dir && $first $tag img && $second $tag img) >S
		takes "$first and $second $tag"
		run aiodd dir/img copy expect=S as=img status=none
		is "$first and $second $tag, by the whole name" "$status" 0
	done
done
(cd dir && sha512sum img && b2sum --tag img && md5sum img && sha256sum img) >S
run aiodd dir/img copy expect=S
says 'of several the strongest is taken' err \
	"'dir/img' has the expected (sha512|blake2b)\$"
line 'MD5 (img) = %.32s\nSHA256 (img) = %s\n' "$wrong" "$hex"
takes 'a stronger one is enough'
line 'SHA256 (img) = %s\nSHA3-256 (img) = %s\nBLAKE2b-256 (img) = %s\n' \
	"$hex" "$wrong" "$wrong"
takes 'algorithms that are not known'
line '%s  img\n%s  img\n' "$hex" "$hex"
takes 'the same line twice'
line '%s  img\n%s  img\n' "$hex" "$wrong"
refuses 'two digests by one algorithm' \
	"expect=S: several different digests for 'dir/img'\$"
line '%s  dir/img\n%s  dir/img\n' "$hex" "$wrong"
refuses 'two digests of the whole name' \
	"expect=S: several different digests for 'dir/img'\$"
line '%s  a/img\n%s  b/img\n' "$hex" "$wrong"
refuses 'two files of that name' \
	"expect=S: several different digests for 'dir/img'\$"
run aiodd dir/img copy expect=S as=a/img status=none
is 'as= says which of them it is' "$status" 0
line '%s  a/img\n%s  b/img\n' "$hex" "$hex"
takes 'two files that are the same'
line '%.128s  img\n%.128s  img\n%.128s  img\n' "$long" "$wrong$wrong" \
	"$hex$hex"
refuses 'three digests by two algorithms' \
	"expect=S: several different digests for 'dir/img'\$"

# Signed files. Only what is signed counts, and nobody checks that it is.
signed()
{
	printf '%s\n' 'SHA256 (img) = 00' '-----BEGIN PGP SIGNED MESSAGE-----' \
		'Hash: SHA512' '' "$@" '-----BEGIN PGP SIGNATURE-----' '' \
		'iHUEARYKAB0WIQQ' '=olY7' '-----END PGP SIGNATURE-----'
}
signed "$hex  img" >S
run aiodd dir/img copy expect=S
is 'a signed file' "$status" 0
says 'a signed file: its signature is not checked' err \
	"warning: the signature in 'S' was not checked\$"
run aiodd dir/img copy expect=S status=none
is 'a signed file, without a word' "$status $(cat err)" '0 '
signed "- $hex  img" | sed 's/$/\r/' >S
takes 'a dash before it, and CRLF'
signed "$hex" >S
takes 'a digest alone in it'
{ signed "$hex  img"; echo "$wrong  img"; } >S
takes 'what is behind the signature does not count'
{ echo "$wrong  img"; signed "$hex  img"; } >S
takes 'nor what is before the message'
{ echo "$hex  img"; signed "$hex  other"; echo "$hex  img"; } >S
refuses 'a digest outside of what is signed' "no digest for 'dir/img'; use as="
if type -P gpg >/dev/null; then
	mkdir -m 700 keys
	gpg="gpg --homedir keys --batch --quiet --yes"
	cleanup_push gpgconf --homedir "$PWD/keys" --kill all
	(cd dir && printf -- '--- sums\n' && sha256sum img) >plain
	if $gpg --passphrase '' --quick-generate-key test >/dev/null 2>&1 &&
		$gpg --clearsign -o S plain 2>/dev/null; then
		run aiodd dir/img copy expect=S
		is 'signed by gpg' "$status" 0
		says 'signed by gpg: told' err 'warning: the signature in '
	else
		skip 'signed by gpg' 'it makes no key here'
	fi
else
	skip 'signed by gpg' 'no gpg here'
fi

# The algorithm in capitals.
run aiodd dir/img copy expect="SHA256:${hex^^}" hash=SHA256,Md5 status=none
is 'capitals in expect= and hash=' "$status" 0
is 'both digests are shown' "$(cut -d' ' -f1 err | xargs)" 'MD5 SHA256'
run aiodd dir/img copy expect="SHA2-256:$hex" status=none
is 'by the name that openssl has for it' "$status" 0

# What is read is not written over.
for operand in sums obmap report; do
	sha256sum dir/img >S
	run aiodd dir/img copy expect=S "$operand=S"
	case $(cat err) in
	*'left out of this build'*) skip "$operand=, too" 'left out' ;;
	*) is "$operand=, too" "$status $(cat S)" "1 $hex  dir/img" ;;
	esac
done

# as=
(cd dir && sha256sum img | sed 's/img/disk.img/') >S
run sh -c '"$0" - as=disk.img expect=S sums=- of=copy status=none <dir/img' \
	"$AIODD"
is 'as= and standard input: exit status' "$status" 0
is 'as= is what sums= writes' "$(cat out)" "$hex  disk.img"
run aiodd dir/img dir/copy as=disk.img expect=S sums=dir/SUMS hash=md5
is 'as= and other names' "$status $(sed 's/.*  //' dir/SUMS)" '0 disk.img'
run aiodd dir/img copy as=disk.img hash=md5 status=none
says 'as= is what hash= writes' err '^MD5 \(disk\.img\) = '
run sh -c '"$0" - copy expect=S <dir/img' "$AIODD"
is 'standard input without a name: exit status' "$status" 1
says 'standard input without a name: what to do' err 'give it one with as=$'
run aiodd dir/img copy as=other expect=S
says 'as= of a name that is not there' err "expect=S: no digest for 'other'; use as="
run aiodd dir/img copy as=x
is 'as= alone: exit status' "$status" 1
says 'as= alone: what it needs' err 'as= .*expect=, hash= or sums='
run aiodd dir/img copy as= hash=md5
says 'as= of nothing' err 'as= needs a name$'
run as_dd if=dir/img of=copy as=x
says 'dd knows no as=' err "unrecognized operand 'as=x'"

# A digest in another form than ALG:HEX.
for digest in "$hex" "${hex^^}" "sha256=$hex" sha256=0; do
	run aiodd dir/img copy expect="$digest"
	is "${digest:0:12}...: exit status" "$status" 1
	says "${digest:0:12}...: how to write it" err \
		'no such file; .* write expect=sha256:HEX$'
done
for digest in sha265:00 "SHA3-256:$hex" x:a; do
	run aiodd dir/img copy expect="$digest"
	is "${digest:0:12}...: exit status" "$status" 1
	says "${digest:0:12}...: what it does not know" err \
		"'${digest%%:*}' is no algorithm, .* takes md5, .* or xxh128\$"
done
for name in :00 a/b:00 sha265: sha265:x sha265:00:; do
	run aiodd dir/img copy expect="$name"
	says "$name: a name like others" err 'No such file or directory$'
done
must cp S "$hex"
(cd dir && sha256sum img) >"$hex"
run aiodd dir/img copy expect="$hex" status=none
is 'a file of such a name is a file' "$status" 0
rm "$hex"
odd=$(printf 'a\nb')
run aiodd dir/img copy expect="sha256:$odd"
says 'an odd operand is quoted' err "'sha256:a'\\$'\\\\n''b': sha256 needs 64 hex"
must cp S "$odd"
run aiodd "$odd" copy expect="$odd"
says 'odd names are quoted' err \
	"'a'\\$'\\\\n''b': no digest for 'a'\\$'\\\\n''b'; use as="
run aiodd dir/img copy expect=/dev/zero
says 'what has no lines' err 'expect=/dev/zero: not a checksum file$'

# What is said at the end.
run aiodd dir/img copy expect="sha256:$hex"
is 'the source is what was expected' "$(tail -n 1 err)" \
	"aiodd: 'dir/img' has the expected sha256"

# ends_with TEXT WORDS DIGEST OPERAND...: it is DIGEST; and what a plan says, and
# what is said of another digest.
ends_with()
{
	local text=$1 words=$2 is=$3

	shift 3
	run aiodd "$@" of=copy expect="sha256:$is"
	is "$text" "$status $(tail -n 1 err)" \
		"0 aiodd: $words has the expected sha256"
	run aiodd "$@" of=copy expect="sha256:$wrong"
	is "$text: another" "$status" 4
	is "$text: which" "$(grep -o '.*expected: its sha256' err)" \
		"aiodd: $words is not what was expected: its sha256"
	run aiodd "$@" of=copy expect="sha256:$is" plan=yes
	says "$text, plan=yes" out \
		"^expect: ${words/\'*\'/the source} has sha256 $is\$"
}
digest_of()
{
	sha256sum | cut -d' ' -f1
}
whole=$hex
make_data dir/large 1048576 2
ends_with 'all of it, by a count' "'dir/img'" "$whole" \
	if=dir/img bs=64K count=2
ends_with 'all of it, through the ring' "'dir/large'" \
	"$(digest_of <dir/large)" if=dir/large bs=64K io=inline
ends_with 'the first part' "the copied part of 'dir/img'" \
	"$(head -c 1000 dir/img | digest_of)" if=dir/img bs=1000 count=1
ends_with 'the last part' "the copied part of 'dir/img'" \
	"$(tail -c +1001 dir/img | digest_of)" if=dir/img bs=1000 skip=1
ends_with 'converted' "'dir/img', as converted," \
	"$(dd if=dir/img conv=swab status=none | digest_of)" \
	if=dir/img conv=swab
ends_with 'a part, converted' \
	"the copied part of 'dir/img', as converted," \
	"$(dd if=dir/img conv=swab count=1 status=none | digest_of)" \
	if=dir/img conv=swab count=1
ends_with 'padded' "'dir/img', as converted," \
	"$(dd if=dir/img bs=64K conv=sync status=none | digest_of)" \
	if=dir/img bs=64K conv=sync
ends_with 'nothing to pad' "'dir/img'" "$whole" \
	if=dir/img bs=1000 conv=sync
run sh -c 'head -c 5000 dir/img | "$0" bs=1000 count=3 iflag=fullblock of=copy expect="sha256:$1"' \
	"$AIODD" "$(head -c 3000 dir/img | digest_of)"
says 'a part of a pipe' err \
	"the copied part of 'standard input' has the expected sha256\$"
run sh -c '{ dd of=skipped bs=1000 count=1 status=none; "$0" of=copy expect="sha256:$1"; } \
	<dir/img' "$AIODD" "$(tail -c +1001 dir/img | digest_of)"
says 'what another has left' err \
	"the copied part of 'standard input' has the expected sha256\$"

run aiodd dir/img copy expect="sha256:$hex" status=noxfer
is 'not with status=noxfer' "$(grep -c expected err)" 0
run aiodd dir/img copy expect="sha256:$hex" verify=yes plan=yes
is 'a plan says nothing of a copy' "$status $(cat err)" '0 '
run aiodd dir/img kept expect="sha256:$wrong"
is 'another digest: the copy is there' "$status $(cmp dir/img kept)" '4 '
says 'another digest: and that is said' err "'kept' was written anyway; do not trust it\$"
run aiodd dir/img new expect="sha256:$wrong" commit=rename
says 'commit=rename, no old file' err "'new' was not created\$"
check 'commit=rename, no old file: it is true' test ! -e new
echo old >kept
run aiodd dir/img kept expect="sha256:$wrong" commit=rename
says 'commit=rename, an old file' err "'kept' was not replaced\$"
is 'commit=rename, an old file: it is true' "$(cat kept)" old
run aiodd dir/img /dev/null expect="sha256:$wrong"
is 'nothing is said of /dev/null' "$(grep -c written err)" 0

# Nothing, where something was expected.
: >empty
for operands in verify=yes "expect=sha256:$(sha256sum <empty | cut -d' ' -f1)"; do
	run aiodd empty copy "$operands"
	is "empty, ${operands%%=*}=: exit status" "$status" 0
	says "empty, ${operands%%=*}=: told" err \
		"warning: 'empty' is empty; nothing was copied\$"
done
run sh -c '"$0" of=copy verify=yes </dev/null' "$AIODD"
says 'standard input is empty' err \
	"warning: 'standard input' is empty; nothing was copied\$"
for operands in 'empty copy' 'dir/img copy verify=yes count=0' \
	'dir/img copy verify=yes skip=9M' 'empty copy verify=yes status=none'; do
	# shellcheck disable=SC2086 # operands
	run aiodd $operands
	is "$operands: no warning" "$status $(grep -c empty err)" '0 0'
done
if bed_loop 4M; then
	run aiodd empty "$BED"
	says 'empty, onto a device' err \
		"warning: 'empty' is empty; nothing was copied\$"
	run aiodd dir/img "$BED" expect="sha256:$wrong" commit=first-last
	says 'commit=first-last' err \
		"'$BED' was written without its first block\$"
	is 'commit=first-last: it is true' \
		"$(head -c 512 "$BED" | tr -d '\0' | wc -c)" 0
	run aiodd dir/img "$BED" expect="sha256:$wrong"
	says 'a device' err "'$BED' was written anyway; do not trust it\$"
	run as_dd if=empty of="$BED"
	is 'dd says nothing' "$(grep -c empty err)" 0
else
	skip 'devices' "$BED_WHY"
fi

finish
