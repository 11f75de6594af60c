#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A build without the libraries that can be left out: it says which operands
# that concerns, and does all else.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

top=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")
require make cc
[ -x "$top/configure" ] || skip_all 'no configure here'
[ ! -e "$top/config.status" ] || skip_all 'the source tree is configured'
objects=$(realpath "${top_builddir:-.}")
[ -x "$objects/config.status" ] || skip_all 'nothing is configured here'
unset MAKEFLAGS MAKELEVEL
# As the build that is tested, and what one of them has found out holds for all.
eval "configure=($("$objects/config.status" --config))"
configure=("$top/configure" -q "${configure[@]}" "--cache-file=$work/cache"
	CFLAGS=-O0 --enable-werror)
# What asks for a library, and what says how one is loaded.
mapfile -t concerned < <(cd "$top" &&
	grep -lrE --include='*.c' 'HAVE_(LIB|JANSSON)|"lazy\.h"' core cmd
	echo core/base/lazy.c)

# build: in the directory where it is configured, with the objects of the build
# that is tested where they are the same.
# shellcheck disable=SC2317 # called by check
build()
{
	local to=$PWD

	(cd "$objects" &&
		find core cmd \( -name '*.o' -o -name .dirstamp \) \
			-exec cp -p --parents -t "$to" {} +) &&
	rm -f "${concerned[@]/%.c/.o}" &&
	make -j 2 aiodd
}

macros='HAVE_LIBCRYPTO|HAVE_LIBXXHASH|HAVE_LIBMOUNT|HAVE_LIBBLKID|HAVE_JANSSON'
macros+='|HAVE_LIBLZMA|HAVE_LIBZSTD|HAVE_LIBZ|HAVE_ISAL|HAVE_LIBLZ4|HAVE_LIBBZ2'
macros+='|HAVE_EXPAT|HAVE_LIBNBD'

mkdir "$work/build"
cd "$work/build" || exit 99
check 'it can be configured' "${configure[@]}" \
	--without-libcrypto --without-libxxhash --without-libmount \
	--without-libblkid --without-jansson --without-liblzma \
	--without-libzstd --without-libz --without-isal --without-liblz4 \
	--without-libbz2 --without-expat --without-libnbd
check 'it builds without a warning' build

is 'no library is left in it' "$(grep -E "^#define ($macros) " config.h)" ''

# Each of them alone: what asks for it compiles without it. That an option takes
# away its own library is seen above; to configure each time would take longer
# than all else.
mkdir "$work/each"
cd "$work/each" || exit 99
check 'nothing left out: it can be configured' "${configure[@]}"
mv config.h all.h
for macro in ${macros//|/ }; do
	if ! grep -q "^#define $macro " all.h; then
		skip "without $macro" 'it is not here at all'
		continue
	fi
	sed "s|^#define $macro 1|/* & */|" all.h >config.h
	mapfile -t users < <(cd "$top" && grep -lr --include='*.c' "$macro" core cmd)
	check "without $macro: it compiles without a warning" \
		make -j 2 -o Makefile -o config.h CFLAGS=-fsyntax-only \
		"${users[@]/%.c/.o}"
done
cd "$work" || exit 99

# Linked plainly, nothing is loaded, and all works as it does otherwise.
mkdir "$work/linked"
cd "$work/linked" || exit 99
check 'linked: it can be configured' "${configure[@]}" --disable-dlopen
check 'linked: it builds without a warning' build
check 'linked: nothing in it loads a library' \
	eval '! nm -u aiodd | grep -q " dlopen"'
cd "$work" || exit 99
make_data src 300000 1
if grep -q '^#define HAVE_LIBCRYPTO 1' linked/config.h; then
	is 'linked: hash=sha256' "$(linked/aiodd if=src of=linked.copy \
		hash=sha256 sums=- status=none)" \
		"$(sha256sum <src | cut -d " " -f 1)  linked.copy"
	check 'linked: the needed library is named' \
		eval 'readelf -d linked/aiodd | grep -q "NEEDED.*libcrypto"'
else
	skip 'linked: hash=sha256' 'libcrypto is not here'
	skip 'linked: the needed library is named' 'libcrypto is not here'
fi

# Linked statically, too; what has no static library is named, and left out.
# What another linker finds is not in the cache, and objects are the same but for
# what is left out.
sed '/LDFLAGS\|pkg_cv_/d' cache >cache.static
configure+=("--cache-file=$work/cache.static" --disable-dlopen LDFLAGS=-static)
mkdir "$work/static"
cd "$work/static" || exit 99
# shellcheck disable=SC2317 # called by check
build_static()
{
	local left
	left=$(diff config.h ../linked/config.h | grep -o 'HAVE_[A-Z0-9]*' |
		sort -u | paste -sd '|')
	(cd ../linked && find core cmd \( -name '*.o' -o -name .dirstamp \) \
		-exec cp -p --parents -t ../static {} +) &&
	(cd "$top" && grep -lrE --include='*.c' "${left:-none}" core cmd) |
		sed 's/c$/o/' | xargs rm -f &&
	make -j 2 aiodd
}
if ! "${CC:-cc}" -static -o hello -x c - <<<'int main(void) { return 0; }' \
	-laio 2>log; then
	skip 'static' 'libc.a or libaio.a is not here'
else
	"${configure[@]}" >log 2>&1
	status=$?
	mapfile -t without < <(grep -o -e '--without-[a-z0-9]*' log)
	is 'static: what is missing is told on one line' "$status,$(wc -l <log)" \
		"$((${#without[@]} > 0)),$((${#without[@]} > 0))"
	check 'static: it can be configured without that' \
		"${configure[@]}" "${without[@]}"
	check 'static: it builds' build_static
	cp "$work/src" .
	run ./aiodd src copy hash=sha256 verify=yes sums=SUMS report=page.html \
		status=json
	is 'static: exit status' "$status" 0
	is 'static: the digest' "$(cut -d ' ' -f 1 SUMS)" \
		"$(sha256sum <src | cut -d ' ' -f 1)"
	says 'static: status=json' "$work/err" '"verdict":"ok"'
	says 'static: report=' page.html '</html>'
	rm -f SUMS page.html
fi
cd "$work" || exit 99

AIODD=$work/build/aiodd
[ -x "$AIODD" ] || finish
ln -sf "$AIODD" "$work/bin/ours/aiodd"
cd "$work" || exit 99

for operand in hash=md5 hash=sha256,xxh128 hash=xxh128 sums=SUMS \
	expect="sha1:$(printf %040d 0)" verify=yes status=json \
	report=report.html bmap=auto obmap=MAP \
	decompress=gz decompress=xz decompress=zst decompress=bz2 \
	decompress=lz4 'nbd+unix:///?socket=s' 'tee=nbd+unix:///?socket=s' \
	if=nbd://localhost\ shard=1/2; do
	case $operand in
	nbd*) run aiodd "$operand" new ;;
	*\ *) run aiodd "${operand% *}" of=new "${operand#* }" ;;
	*) run aiodd src new "$operand" ;;
	esac
	is "$operand: exit status" "$status" 1
	is "$operand: one line" "$(wc -l <err)" 1
	says "$operand: it says so" err '^aiodd: .* was left out of this build$'
	is "$operand: nothing is there" \
		"$(find . -name new -o -name SUMS -o -name report.html)" ''
done
is 'what was left out is not listed' "$(aiodd --list-operands | grep -E \
	'^(hash|sums|expect|verify=yes|manifest|o?bmap|report|status=json)')" ''
check 'what is left is' eval \
	'aiodd --list-operands | grep -q "^verify=only"'
run aiodd src copy commit=rename status=bar
is 'a copy: exit status' "$status" 0
check 'a copy: identical' same src copy

require_loop
bed_fs ext4 8M || skip_all "$BED_WHY"
disk=$(findmnt -n -o SOURCE "$BED")
run aiodd if=src of="$disk"
is 'a mounted disk: exit status' "$status" 5
says 'a mounted disk: the kernel knows' err '^aiodd: .*force=busy'

finish
