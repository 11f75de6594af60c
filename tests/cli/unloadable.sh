#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A library that is there and cannot be loaded: the program names it and copies
# nothing that would need it, and what keeps a disk safe stays closed.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

config=${top_builddir:-.}/config.h
grep -qs '^#define ENABLE_DLOPEN 1' "$config" ||
	skip_all 'this build loads no libraries'

# An empty file is no library, and the search ends at it.
mkdir "$work/no" || exit 99
# without SONAME ARG...: the program, which cannot load that one.
without()
{
	rm -f "$work"/no/* && : >"$work/no/$1" || exit 99
	shift
	LD_LIBRARY_PATH=$work/no run aiodd "$@"
}

# names MACRO SONAME ARG...: it ends, and says which library it was.
names()
{
	local macro=$1 soname=$2

	shift 2
	if ! grep -q "^#define $macro 1" "$config"; then
		skip "$soname is named" 'it was left out of this build'
		return
	fi
	rm -f new SUMS
	without "$soname" "$@"
	is "$soname, $*: exit status" "$status" 1
	says "$soname: it is named" <(cat err out) \
		"^(aiodd: |.*\"message\":\").*${soname%%.*}"
	is "$soname: nothing is there" "$(find . -name new -o -name SUMS)" ''
}

cd "$work" || exit 99
make_data src 100000 1
crypto=$(grep -aoE 'libcrypto\.so\.[0-9.]+' "$AIODD" | head -n 1)
names HAVE_LIBCRYPTO "$crypto" src new hash=sha256 sums=SUMS
names HAVE_LIBCRYPTO "$crypto" src new "expect=sha1:$(printf %040d 0)"
names HAVE_LIBCRYPTO "$crypto" src new hash=md5 report=report.html
names HAVE_JANSSON libjansson.so.4 src new status=json
names HAVE_JANSSON libjansson.so.4 src new report=report.html
echo '<bmap>' >src.bmap
names HAVE_EXPAT libexpat.so.1 src new bmap=src.bmap
run aiodd src copy obmap=src.bmap
if [ "$status" -eq 0 ]; then
	names HAVE_LIBCRYPTO "$crypto" src new bmap=src.bmap
	names HAVE_LIBCRYPTO "$crypto" of=copy verify=only bmap=src.bmap
else
	skip "$crypto is named" "$(cat "$work/err")"
fi
names HAVE_LIBNBD libnbd.so.0 "nbd+unix:///?socket=$work/none" new
# begin BYTES: of a packed file, that is known by them
begin()
{
	{ printf '%b' "$1"; cat src; } >packed
}
begin '\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46'
names HAVE_LIBLZMA liblzma.so.5 packed new decompress=auto
begin '\x28\xb5\x2f\xfd'
names HAVE_LIBZSTD libzstd.so.1 packed new decompress=auto
begin 'BZh91AY&SY'
names HAVE_LIBBZ2 libbz2.so.1.0 packed new decompress=auto
begin '\x04\x22\x4d\x18'
names HAVE_LIBLZ4 liblz4.so.1 packed new decompress=auto
begin '\x1f\x8b\x08\0\0\0\0\0\x02\x03'
grep -q '^#define HAVE_ISAL 1' "$config" ||
	names HAVE_LIBZ libz.so.1 packed new decompress=auto

# Of what keeps a disk safe: the kernel says who has it, and who cannot be asked
# is named.
require_root
require_loop
bed_fs ext4 8M || skip_all "$BED_WHY"
disk=$(findmnt -n -o SOURCE "$BED")
sum=$(sha256sum <"$disk")
without libmount.so.1 if=src of="$disk"
is 'libmount: a mounted disk is refused' "$status" 5
says 'libmount: the kernel knows' err 'force=busy'
without libblkid.so.1 if=src of="$disk"
is 'libblkid: a mounted disk is refused' "$status" 5
says 'libblkid: it is named' err 'libblkid\.so\.1 cannot be loaded'
is 'nothing was written' "$(sha256sum <"$disk")" "$sum"
bed_loop 1M || skip_all "$BED_WHY"
disk=$BED
without libmount.so.1 if=src of="$disk"
says 'libmount: it is named where nobody has the disk' err \
	'cannot tell whether .* is in use \(libmount: '

finish
