#!/bin/sh
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# deb.sh TARBALL: its Debian package, source and binary, in the directory deb
# beside it; of a version that any package of a distribution replaces. Its
# maintainer is DEBFULLNAME <DEBEMAIL>.
set -eu

tarball=$(realpath "$1")
version=${tarball##*/aiodd-}
version=${version%.tar.gz}
deb=${tarball%/*}/deb
rm -rf "$deb"
mkdir "$deb"
cd "$deb"
cp "$tarball" "aiodd_$version.orig.tar.gz"
tar xf "$tarball"
cd "aiodd-$version"
cp -r contrib/debian .
find debian -name "*.license" -delete
sed -i "1s/(.*)/($version-0local1)/" debian/changelog
[ -z "${DEBEMAIL-}" ] ||
	sed -i "s/The aiodd authors <.*>/${DEBFULLNAME:-The aiodd authors} <$DEBEMAIL>/" \
		debian/changelog debian/control
dpkg-buildpackage -us -uc
