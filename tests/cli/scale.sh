#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Large sources: memory that does not grow with them, calls that grow with the
# data only, offsets beyond 2^32 blocks.
# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

require python3 strace
cd "$work" || exit 99
truncate -s 4T large 2>/dev/null || skip_all "no files of 4 TiB here"
[ -x /usr/bin/time ] || skip_all "no /usr/bin/time here"

# sparse FILE SIZE NR: NR pieces of 64 KiB, all different, the last at the end
sparse()
{
	python3 - "$@" <<'END'
import os, sys
name, size, nr = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(name, "wb") as file:
    for i in range(nr):
        file.seek((size - 65536) * i // (nr - 1) // 65536 * 65536)
        file.write(os.urandom(65536))
    file.truncate(size)
END
}

# same A B: size, and all that is data in either
# shellcheck disable=SC2317
same()
{
	python3 - "$@" <<'END'
import os, sys
a, b = (os.open(name, os.O_RDONLY) for name in sys.argv[1:])
def data(fd):
    end, size = 0, os.fstat(fd).st_size
    while end < size:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, end - start
assert os.fstat(a).st_size == os.fstat(b).st_size
for off, size in [*data(a), *data(b)]:
    assert os.pread(a, size, off) == os.pread(b, size, off), off
END
}

# peak COMMAND...: KiB
peak()
{
	/usr/bin/time -f %M -o peak "$@" 2>err && cat peak
}

# submitted: requests of the last command, for it ran with status=engine
submitted()
{
	sed -n 's/^engine: submitted=\([0-9]*\) .*/\1/p' err
}

# level TEXT A B: about the same KiB
level()
{
	check "$1" test "$(($3 - $2))" -lt 4096 -a "$(($2 - $3))" -lt 65536
}

gib=$((1 << 30))
tib=$((1 << 40))

### Memory

declare -A kib
sparse small "$gib" 64
sparse medium $((100 * gib)) 64
sparse big "$tib" 64
# Inline by itself, as so little of it is data, and by the ring.
for way in io=auto io=aio; do
	for size in small medium big; do
		rm -f $size.out
		kib[$size]=$(peak "$AIODD" $size $size.out conv=fsync \
			status=engine $way)
		check "$size is copied, $way" same $size $size.out
		[ $way = io=auto ] || check "$size: by kernel AIO" \
			test "$(submitted)" -gt 0
	done
	diag "$way, KiB at most: ${kib[small]} ${kib[medium]} ${kib[big]}"
	level "100 GiB takes the memory of 1 GiB, $way" \
		"${kib[small]}" "${kib[medium]}"
	level "so does 1 TiB, $way" "${kib[small]}" "${kib[big]}"
	check "the copy has the holes, $way" \
		test "$(stat -c %b big.out)" -lt 20000
done

### Counts and offsets

"$AIODD" if=big of=/dev/null bs=1M 2>err
says "records of 1 TiB" err '^1048576\+0 records out$'
says "bytes of 1 TiB" err '^1099511627776 bytes \(1\.1 TB, 1\.0 TiB\)'
"$AIODD" if=big of=/dev/null 2>err
says "records of 512" err '^2147483648\+0 records in$'

printf 'far away' | "$DD" of=large bs=512 seek=$(((1 << 32) + 5)) \
	conv=notrunc status=none
"$AIODD" if=large bs=512 skip=$(((1 << 32) + 5)) count=1 status=none |
	head -c 8 >got
is "skip= beyond 2^32 blocks" "$(cat got)" "far away"
"$AIODD" if=small of=far.out bs=1M count=40 skip=1000 \
	seek=$((3 << 20)) conv=fsync status=none
check "seek= beyond 2^32 blocks" cmp -n $((24 << 20)) \
	-i $((1000 << 20)):$((3 << 40)) small far.out

### Calls

# calls NR: system calls that ask for extents in a file of NR
calls()
{
	sparse extents $((4 * gib)) "$1"
	strace -f -c -e trace=lseek -o calls "$AIODD" extents extents.out \
		2>/dev/null
	awk '$NF == "lseek" { print $4 }' calls
}

many=$(calls 8000)
diag "lseek: $many for 8000 pieces"
# A few each, how many depends on who is first; not one for each pair.
check "the calls grow with the extents" test "$many" -lt $((6 * 8000))
check "8000 pieces are copied" same extents extents.out

### A slow disk

require_loop
require_nbd
bed_slow disk 64M 4 0 || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
device=$BED
bed_mkfs ext4 "$device" || skip_all "$BED_WHY"
bed_mount ext4 "$device" || skip_all "$BED_WHY"
sparse "$BED/medium" $((100 * gib)) 64
for way in io=auto io=aio; do
	rm -f medium.out
	sync -f "$BED"
	gnu_dd if="$BED/medium" iflag=nocache count=0 status=none
	slow=$(peak "$AIODD" "$BED/medium" medium.out status=engine $way)
	check "100 GiB of a slow disk are copied, $way" \
		same "$BED/medium" medium.out
	check "100 GiB of a slow disk, $way: no more memory" \
		test "$slow" -lt $((kib[small] + 4096))
done
check "100 GiB of a slow disk: by kernel AIO" test "$(submitted)" -gt 0

finish
