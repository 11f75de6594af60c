# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# hash=, sums= and expect=: the digests are those of coreutils, whatever way
# the bytes took, and the files are ones that coreutils checks.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"
require sha256sum md5sum b2sum sha1sum sha224sum sha384sum sha512sum
cd "$work" || exit 99
make_data src $((5 * 1048576 + 777)) 1

sums_of()
{
	local tool

	for tool in md5 sha1 sha224 sha256 sha384 sha512 b2; do
		"${tool}sum" <"$1"
	done | cut -d' ' -f1 | sort
}

all=md5,sha1,sha224,sha256,sha384,sha512,blake2b

check_way()
{
	run aiodd if=src of=copy "$@" hash=$all status=none
	is "$*: exit status" "$status" 0
	is "$*: the digests are those of the copy" \
		"$(sed 's/.* = //' err | sort)" "$(sums_of copy)"
}

check_way io=inline
check_way io=aio depth=4 iosize=64K
check_way bs=7 count=300001
check_way bs=1M count=3 skip=5B
check_way conv=ucase
check_way conv=sync bs=4096
check_way ibs=5 obs=7 count=100000
check_way of=copy conv=notrunc seek=0

# Through pipes.
sh -c 'cat src' | aiodd hash=sha256 bs=64K 2>err >copy
is 'from pipe to pipe' "$(sed -n 's/^SHA256 (-) = //p' err)" \
	"$(sha256sum <src | cut -d' ' -f1)"

# Holes are zeros.
must truncate -s 50M sparse
must "$DD" if=src of=sparse bs=1M seek=20 conv=notrunc status=none
run aiodd sparse copy hash=sha256,xxh128 status=none
is 'a kept hole counts as zeros' "$(sed -n 's/^SHA256.* = //p' err)" \
	"$(sha256sum <sparse | cut -d' ' -f1)"
check 'and the copy has it' test "$(stat -c %b copy)" -lt 40000

# sums= is checked by the tools that know the form.
mkdir dir
run aiodd src dir/copy sums=dir/SUMS status=none
is 'sums= alone is sha256' "$status" 0
check 'sha256sum -c accepts it in its directory' \
	sh -c 'cd dir && sha256sum --strict -c SUMS'
run aiodd src dir/copy hash=$all sums=SUMS status=none
check 'several algorithms are in the BSD form' \
	sh -c 'sha256sum -c SUMS && md5sum -c SUMS && b2sum -c SUMS'
odd=$(printf 'a\nb\\c')
run aiodd src "$odd" sums=SUMS status=none
check 'an odd name is escaped as coreutils does' sha256sum --strict -c SUMS
run aiodd src copy sums=- status=none
is 'sums=- goes to standard output' "$(cat out)" "$(sha256sum copy)"
run sh -c '"$0" if=src of=copy sums=SUMS status=none <&-' "$AIODD"
check 'with standard input closed' sha256sum --strict -c SUMS
run aiodd src copy sums=/nowhere/SUMS
is 'an unwritable sums=: exit status' "$status" 1

# expect=
hex=$(sha256sum <src | cut -d' ' -f1)
run aiodd src copy expect="sha256:$hex" status=none
is 'the expected digest' "$status" 0
run aiodd src copy expect="sha256:${hex^^}" status=none
is 'in capitals too' "$status" 0
run aiodd src copy expect="sha256:${hex//a/b}" status=none
is 'another digest: exit status' "$status" 4
says 'and both are told' err "sha256 is $hex, not ${hex//a/b}"
sha512sum src >S
run aiodd src copy expect=S status=none
is 'from a file' "$status" 0
sha1sum --tag src | sed 's/$/\r/' >S
run aiodd src copy expect=S status=none
is 'in the BSD form, with CRLF' "$status" 0
md5sum -b src | sed 's/^./0/; s/^00/11/' >S
run aiodd src copy expect=S status=none
is 'a wrong one from a file' "$status" 4
must cp src "$odd"
sha256sum "$odd" >S
run aiodd "$odd" copy expect=S status=none
is 'an escaped name' "$status" 0

# The whole name counts before its last component.
mkdir old newer
make_data old/img 1000 2
make_data newer/img 1000 3
sha256sum newer/img | sed 's#newer/#old/#' >S
sha256sum newer/img >>S
run aiodd newer/img copy expect=S status=none
is 'the line with the whole name' "$status" 0
sha256sum old/img | sed 's#old/#newer/#' >>S
sed -i 2d S
run aiodd newer/img copy expect=S status=none
is 'a line with its last component is not it' "$status" 4
(cd newer && sha256sum img) >S
run aiodd newer/img copy expect=S status=none
is 'the last component, where there is no more' "$status" 0
(cd old && sha256sum img) >>S
rm -f copy
run aiodd newer/img copy expect=S status=none
is 'two with the last component: exit status' "$status" 1
says 'two with the last component: why' err \
	"several different digests for 'newer/img'\$"
check 'two with the last component: nothing is copied' test ! -e copy
(cd newer && sha256sum img && md5sum --tag img) >S
run aiodd newer/img copy expect=S status=none
is 'the last component, with two algorithms' "$status" 0
{ sha256sum newer/img | sed 's#newer/#new/#'
	md5sum --tag newer/img | sed 's#newer/#old/#'; } >S
run aiodd newer/img copy expect=S status=none
is 'two with the last component and two algorithms' "$status" 1
run env LC_ALL=C.UTF-8 "$AIODD" newer/img copy expect=$'missing\xff'
says 'a missing file of sums with an odd name' err 'No such file or directory$'

# Digests of one length.
for alg in md5 xxh128 sha512 blake2b; do
	run aiodd src copy hash=$alg sums=SUMS status=none
	run aiodd copy again expect=SUMS status=none
	is "sums= of $alg is for expect=" "$status" 0
	sed -i 's/^.* (\(.*\)) = \(.*\)$/\2  \1/' SUMS
	run aiodd copy again expect=SUMS status=none
	is "bare $alg is for expect=" "$status" 0
	sed -i 's/^.\{6\}/abcdef/' SUMS
	run aiodd copy again expect=SUMS status=none
	is "a wrong bare $alg is not" "$status" 4
done
run aiodd src copy hash=blake2b sums=SUMS status=none
check 'b2sum accepts sums= of blake2b' b2sum --strict -c SUMS

# Names that look like the other form.
for name in 'a (b) = c' 'SHA256 (x) = y'; do
	must cp src "$name"
	sha256sum "$name" >S
	run aiodd if="$name" of=copy expect=S status=none
	is "expect= of $name" "$status" 0
	sha256sum --tag "$name" >S
	run aiodd if="$name" of=copy expect=S status=none
	is "expect= of $name, tagged" "$status" 0
done

# What is no file of checksums.
for file in /dev/zero src newer; do
	run timeout "$TIME_LIMIT" "$AIODD" src copy expect="$file"
	is "expect=$file: exit status" "$status" 1
	is "expect=$file: one line" "$(wc -l <err)" 1
done

# Neither side is written over, whatever its name is.
mkdir dir2
ln -s "$PWD/dir2" link
for where in copy ./copy dir2/../copy "$PWD/copy" link/../copy src ./src; do
	rm -f copy
	must cp src was
	run aiodd src copy sums="$where"
	is "sums=${where#"$PWD"}: exit status" "$status" 1
	says "sums=${where#"$PWD"}: why" err 'it is the source or destination$'
	check "sums=${where#"$PWD"}: nothing is made" test ! -e copy
	check "sums=${where#"$PWD"}: the source stays" same was src
done
# A mistyped device is not made.
for plan in plan=no plan=yes; do
	for operand in sums report; do
		rm -f copy
		run aiodd src copy $operand=/dev/aiodd-none $plan
		if grep -q 'was left out of this build' err; then
			skip "$operand= in /dev, $plan" 'not in this build'
			continue
		fi
		is "$operand= in /dev, $plan" "$status $(cat out err)" \
			"1 aiodd: $operand=/dev/aiodd-none: there is no such device, and no file is made in /dev"
		check "$operand= in /dev, $plan: nothing is made" \
			test ! -e copy -a ! -e /dev/aiodd-none
		rm -f /dev/aiodd-none
	done
done
run sh -c '"$0" if=src sums=/dev/stdout >copy' "$AIODD"
is 'sums= of the standard output of the copy' "$status" 1
run sh -c '"$0" if=src sums=/dev/stdout | cat >copy' "$AIODD"
says 'sums= of a pipe of the copy' err 'it is the source or destination$'
run sh -c '"$0" if=src of=copy sums=- >copy' "$AIODD"
is 'sums=- where standard output is the copy' "$status" 1
run sh -c '{ echo head; "$0" if=src of=copy sums=/dev/stdout; echo tail; } \
	>log 2>err' "$AIODD"
is 'sums= goes between what others write' "$(cat log)" \
	"head
$(sha256sum copy)
tail"
run sh -c '{ echo head; "$0" if=src of=copy sums=log; echo tail; } >log' \
	"$AIODD"
is 'also by the name of the file' "$(sed -n '1p;$p' log | xargs)" 'head tail'
run sh -c '(echo head >&5; "$0" if=src of=copy sums=/dev/fd/5; echo tail >&5) \
	5>log' "$AIODD"
is 'and by a descriptor' "$(sed -n '1p;$p' log | xargs)" 'head tail'
run sh -c '"$0" if=src of=/dev/null sums=/dev/stdout status=none' "$AIODD"
is 'standard output lies in no directory' "$(cat out)" \
	"$(sha256sum <src | sed 's#-$#/dev/null#')"
run aiodd nowhere copy sums=S2
is 'a copy that fails leaves no sums= behind' \
	"$(find . -name S2 -o -name '.S2*')" ''
echo old >S2
run aiodd nowhere copy sums=S2
is 'a copy that fails leaves the old ones' "$(cat S2)" old

# A disk with a bad block: what was hashed is what was written.
bad_hash()
{
	run aiodd if="$BED" of=copy hash=sha256 "$@"
	is "bad block, $*: the digest is that of the copy" \
		"$(sed -n 's/^SHA256.* = //p' err)" \
		"$(sha256sum <copy | cut -d' ' -f1)"
}

if type -P nbdkit nbdfuse >/dev/null && [ -w /dev/fuse ]; then
	make_data disk 2097152 4
	printf '0x0 +\n0x0 0x180000 +\n0x180000 0x1000 -\n0x181000 0x7f000 +\n' \
		>bad.map
	if bed_bad bad disk bad.map; then
		bad_hash conv=noerror,sync bs=64K io=inline
		bad_hash conv=noerror bs=1M iflag=fullblock io=inline
		run aiodd if="$BED" of=copy bs=1M hash=sha256 io=inline depth=1
		is 'bad block, no noerror: exit status' "$status" 1
		is 'bad block, no noerror: the first record is there' \
			"$(stat -c %s copy)" 1572864
		run aiodd if="$BED" of=copy bs=1M iflag=fullblock \
			conv=noerror io=inline
		is 'bad block, the record around it is whole' \
			"$(stat -c %s copy)" 2097152
	else
		skip 'a bad block' "$BED_WHY"
	fi
fi

# Zeros of a hole are no reason to be deaf.
truncate -s 4T hole hole-and-a-byte 2>/dev/null && printf x >>hole-and-a-byte
for src in hole hole-and-a-byte; do
	if [ ! -s hole-and-a-byte ]; then
		skip "$src: SIGINT" 'no files of 4 TiB here'
		continue
	fi
	run timeout -k 300 -s INT 1 "$AIODD" $src copy hash=md5
	is "$src: SIGINT ends it" "$status" 124
done

# The library is loaded when it is needed, and may not be there.
library=$(ldconfig -p | sed -n 's#.*libcrypto\.so\.[0-9]* .* => ##p' | head -n 1)
rm -f new
# shellcheck disable=SC2016 # of the inner shell
run own_mounts sh -c 'mount --bind /dev/null "$1" || exit 99
	exec "$0" src new hash=md5' "$AIODD" "$library"
if [ "$status" -eq 99 ]; then
	skip 'no library' "no mounts here: $(head -n 1 err)"
else
	is 'no library: exit status' "$status" 1
	says 'no library: message' err 'cannot compute digests: '
	check 'no library: nothing was created' test ! -e new
fi

# What is wrong is found before the destination is touched.
make_data old.img 5000 5
must cp old.img kept
touch -d 2001-01-01 kept
state()
{
	stat -c '%n %i %s %a %Y %Z' src kept
	cmp old.img kept
	find . -name 'new*' -o -name '.new*' -o -name '.kept*' -o -name 'again*'
}
rm -f again
before=$(state)
for wrong in hash=sha3 hash=nonesuch hash=md5,nonesuch hash= \
	expect=sha256:00 expect=sha256:zz expect="sha256:${hex}0" \
	expect="sha256:${hex%?}" expect=md5: expect=nonesuch:00 \
	expect=nowhere expect=src expect=/nowhere/SUMS \
	sums=/nowhere/SUMS sums=dir sums=src sums= \
	report=/nowhere/again report=dir report=/nowhere/again.html \
	report=src force=nonesuch force=size,nonesuch commit=maybe \
	commit=rename,first-last verify=maybe clone=maybe io=maybe \
	rate=0 depth=0 iosize=x plan=maybe; do
	for operands in 'src kept' 'src new' 'if=src of=kept conv=notrunc' \
		'src kept commit=rename'; do
		# shellcheck disable=SC2086 # operands
		run aiodd $operands "$wrong"
		[ "$status $(state)" = "1 $before" ] || break
	done
	is "$wrong: neither file is touched, $operands" "$status $(state)" "1 $before"
	check "$wrong: it is told" test -s err
done
# What a name holds must not be obeyed by a terminal. Into files it goes as
# coreutils write it.
escape=$(printf '\033')
odd=$(printf 'a\033[31m\177b')
quoted="'a'\$'\\033''[31m'\$'\\177''b'"
run aiodd src "$odd" sums=SUMS status=none
check 'an escape in a name: sha256sum takes the line' \
	sha256sum --strict -c SUMS
run aiodd src "$odd" hash=md5 status=none
says 'an escape in a name: as it is into a file' err "^MD5 \(a$escape"
n=0
for operands in "expect=$odd" "expect=md5:$odd" "hash=$odd" "$odd=1" \
	"sums=no/$odd" "report=no/$odd" "bs=$odd" "depth=$odd"; do
	run aiodd src copy "$operands"
	is "an escape in operand $((++n)): it is quoted" \
		"$status $(grep -c "$escape" err) $(grep -c 033 err)" '1 0 1'
done
run sh -c 'cat src | "$0" of=copy expect="$1"' "$AIODD" "$odd"
is 'expect= with standard input: it is quoted' \
	"$status $(grep -c "$escape" err) $(grep -c 033 err)" '1 0 1'
if type -P script >/dev/null; then
	must cp src "$odd"
	# script hands its words to a shell.
	on_terminal()
	{
		ODD=$odd AIODD=$AIODD script -qec "exec \"\$AIODD\" src \
			\"\$ODD\" $*" typescript </dev/null >shown
	}
	for operands in 'hash=md5' 'sums=-' 'sums=- hash=md5,sha1' \
		'hash=md5 status=json'; do
		on_terminal "$operands"
		is "$operands on a terminal: it is quoted" \
			"$(grep -c "$escape" shown)" 0
		check "$operands on a terminal: it is shown" \
			grep -Eqi '033|u001b' shown
	done
	on_terminal sums=- status=none
	check 'sums=- on a terminal: as ls would' grep -qF -- "  $quoted" shown
else
	skip 'names on a terminal' 'no script here'
fi

run as_dd if=src of=new hash=md5
is 'dd knows no hash=' "$status" 1

finish
