#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/report.png: the report of a real run, a disk with two bad areas that is
# copied to a file. Wants root, chromium and pngquant.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require chromium pngquant
require_loop
picture=$(realpath "$(dirname "$0")/../../docs/report.png")
cd "$work" || exit 99

# 150 MiB of data, 60 MiB of zeros, 40 MiB of data, 6 MiB of zeros
make_data data $((150 << 20)) 1
must truncate -s 256M disk.img
must "$DD" if=data of=disk.img bs=1M conv=notrunc status=none
must "$DD" if=data of=disk.img bs=1M seek=210 count=40 conv=notrunc status=none
cat >map <<'END'
0 +
0x00000000 0x02d00000 +
0x02d00000 0x00002000 -
0x02d02000 0x04c3e000 +
0x07940000 0x00180000 -
0x07ac0000 0x08540000 +
END
bed_bad disk disk.img map || skip_all "$BED_WHY"
bed_loop_over "$BED" 512 || skip_all "$BED_WHY"

must aiodd "$BED" rescued.img conv=noerror,sparse,fsync hash=sha256 \
	report=report.html 2>messages
HOME=$work must chromium --headless=new --no-sandbox --disable-gpu \
	--hide-scrollbars --window-size=900,1080 \
	--screenshot="$work/page.png" "file://$work/report.html" 2>browser
must pngquant --force --output "$picture" 64 page.png
