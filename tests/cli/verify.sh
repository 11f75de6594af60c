# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# verify=yes: good copies pass, in every way the bytes can take; a disk that
# gives back another byte than it was given is found out, to the byte.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"
cd "$work" || exit 99
make_data src $((3 * 1048576 + 77)) 1

good()
{
	run aiodd if=src of=copy verify=yes status=none "$@"
	is "$*: exit status" "$status" 0
	is "$*: nothing is said" "$(cat err)" ''
}

good io=inline
good io=aio iosize=64K depth=4
good bs=7 count=300001
good bs=1M seek=2 conv=notrunc
good conv=ucase
good conv=sync bs=4096
run sh -c 'cat src | "$0" of=copy bs=64K verify=yes status=none' "$AIODD"
is 'from a pipe' "$status" 0
must truncate -s 20M sparse
must "$DD" if=src of=sparse bs=1M seek=7 conv=notrunc status=none
run aiodd sparse copy verify=yes status=none
is 'holes read as zeros' "$status" 0
: >empty
run aiodd empty copy verify=yes status=none
is 'nothing' "$status" 0

run aiodd src copy verify=yes
is 'a good copy: the last line' "$(tail -n 1 err)" "aiodd: 'copy' is verified"
run aiodd src copy verify=yes commit=rename
is 'commit=rename: by its own name' "$(tail -n 1 err)" \
	"aiodd: 'copy' is verified"
run aiodd src copy
is 'not without verify=' "$(grep -c verified err)" 0
run aiodd src copy verify=yes status=noxfer
is 'nor with status=noxfer' "$(grep -c verified err)" 0
run aiodd if=src of=/dev/null verify=yes status=none
is 'what cannot be read back is refused' "$status" 1
says 'with a line' err "cannot read '/dev/null' to compare it"
must cp src kept
run aiodd if=src of=kept oflag=append verify=yes
is 'nor is what appends' "$status" 1
says 'with a line of its own' err 'cannot combine verify= and oflag=append'
check 'and nothing is lost' cmp src kept
run as_dd if=src of=copy verify=yes
is 'dd knows no verify=' "$status" 1

# Whether it can be read back is known before the first byte, by what is open
# then.
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 .
	mkdir -m 777 open
	chmod 644 src
	# by_nobody UMASK OPERANDS...
	by_nobody()
	{
		run sh -c 'umask "$0"; exec setpriv --reuid=65534 \
			--regid=65534 --clear-groups "$@"' "$1" "$AIODD" \
			if=src "${@:2}"
	}
	for operands in bs=1M io=aio 'bs=64K conv=swab' 'bs=4K seek=3'; do
		rm -f open/copy
		# shellcheck disable=SC2086 # operands
		by_nobody 0444 of=open/copy verify=yes $operands
		is "a new file that cannot be read again, $operands" \
			"$status $(tail -n 1 err)" \
			"0 $AIODD: 'open/copy' is verified"
	done
	must cp src open/copy
	chmod 222 open/copy
	by_nobody 0 of=open/copy verify=yes
	is 'one that cannot be read: one line' "$status $(cat err)" \
		"1 $AIODD: cannot read 'open/copy' to compare it: Permission denied"
	check 'one that cannot be read: it is not cut' cmp src open/copy
	run own_mounts sh -c 'mount -t tmpfs none /proc; "$@"' sh "$AIODD" \
		if=src of=copy verify=yes
	if [ "$status" -eq 99 ]; then
		skip 'without /proc' 'no mount namespaces here'
	elif is_sanitized; then
		skip 'without /proc' 'a sanitizer needs it'
	else
		is 'without /proc' "$status $(tail -n 1 err)" \
			"0 $AIODD: 'copy' is verified"
		run own_mounts sh -c 'mount -t tmpfs none /proc; exec "$@" >copy' \
			sh "$AIODD" if=src verify=yes
		is 'without /proc, what cannot be read by its descriptor' \
			"$status $(cat err) $(size_of copy)" \
			"1 $AIODD: cannot read 'standard output' to compare it: No such file or directory 0"
	fi
else
	skip 'what the mode forbids' 'needs root'
fi
if type -P strace >/dev/null; then
	for call in epoll_create1 epoll_ctl epoll_wait; do
		for operands in io=inline 'io=aio depth=4 iosize=64K'; do
			# shellcheck disable=SC2086 # operands
			ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run strace \
				-qq -f -o /dev/null -e inject=$call:error=EPERM \
				"$AIODD" if=src of=copy bs=64K verify=yes $operands
			is "no $call, $operands" "$status $(tail -n 1 err)" \
				"0 $AIODD: 'copy' is verified"
		done
	done
else
	skip 'without epoll' 'no strace here'
fi

require_nbd
require perl
for at in 0 262143 1000000 3145804; do
	if ! bed_liar $at; then
		skip "a byte flipped at $at" "$BED_WHY"
		continue
	fi
	for io in aio inline; do
		run aiodd if=src of="$BED" conv=notrunc verify=yes io=$io \
			status=none
		is "a byte flipped at $at, $io: exit status" "$status" 3
		says "a byte flipped at $at, $io: it is told" err \
			": 1 byte at offset $at differs \(first differing byte: wrote 0x.., found 0x..\)\$"
		is "a byte flipped at $at, $io: the verdict, and nothing else" \
			"$(sed 1d err)" "aiodd: '$BED' does NOT match what was written: 1 range, 1 B"
	done
	run aiodd if=src of="$BED" conv=notrunc verify=yes iflag=direct \
		status=none
	says "a byte flipped at $at, iflag=direct: it is told" err \
		": 1 byte at offset $at differs \(first differing byte: wrote 0x.., found 0x..\)\$"
done

# A disk that gives nothing back.
if bed_failing mute 8M error-pread=EIO error-pread-rate=100%; then
	for io in aio inline; do
		run aiodd if=src of="$BED" conv=notrunc verify=yes io=$io
		is "a disk that cannot be read, $io: exit status" "$status" 1
		says "a disk that cannot be read, $io: it is told" err \
			"^aiodd: cannot read back '.*': Input/output error"
	done
else
	skip 'a disk that cannot be read' "$BED_WHY"
fi

# Block devices: their own page cache is in between.
require_loop
bed_loop 8M || skip_all "$BED_WHY"
run aiodd if=src of="$BED" seek=1 bs=64K verify=yes status=none
is 'a block device: exit status' "$status" 0
run sh -c 'cat src | "$0" of="$1" bs=64K verify=yes status=none' "$AIODD" "$BED"
is 'a block device, from a pipe: exit status' "$status" 0
bed_liar 100000 || skip_all "$BED_WHY"
bed_loop_over "$BED" || skip_all "$BED_WHY"
for io in aio inline; do
	run aiodd if=src of="$BED" verify=yes io=$io
	is "a block device that lies, $io: exit status" "$status" 3
	says "a block device that lies, $io: it is told" err \
		': 1 byte at offset 100000 differs \(first'
	is "a block device that lies, $io: not safe" "$(grep -c safe err)" 0
done

finish
