#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# NBD servers on either side: what they hold after a copy, what they are not
# asked for, and what they refuse.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

require nbdkit
run aiodd plan=yes "nbd+unix:///?socket=$work/none" "$work/out"
! grep -q 'Protocol not supported' "$work/err" ||
	skip_all 'NBD was left out of this build'

cd "$work" || exit 99
mkdir servers
make_data data $((20 << 20)) 1
make_data more $((20 << 20)) 2

# shellcheck disable=SC2317 # called by wait_for
is_up_or_dead()
{
	[ -e "servers/$1.pid" ] || ! kill -0 "$2"
}

# serve NAME NBDKIT-ARGUMENTS...: $uri is its address.
serve()
{
	local name=$1

	shift
	rm -f "servers/$name".*
	uri="nbd+unix:///?socket=$work/servers/$name.sock"
	nbdkit -f -P "servers/$name.pid" -U "servers/$name.sock" "$@" \
		2>"servers/$name.log" &
	server=$!
	cleanup_push kill $!
	wait_for is_up_or_dead "$name" $!
	[ -e "servers/$name.pid" ] ||
		bail "no server: $* $(cat "servers/$name.log")"
}

# has ADDRESS FILE: the export begins with it, as another program reads it.
# shellcheck disable=SC2317 # called by check
has()
{
	cmp -n "$(stat -L -c %s "$2")" \
		<(nbdcopy --request-size=65536 "$1" - 2>/dev/null) "$2"
}

require nbdcopy

# --- both ways ---------------------------------------------------------------

serve a memory 20M
serve b memory 20M
a="nbd+unix:///?socket=$work/servers/a.sock"
b="nbd+unix:///?socket=$work/servers/b.sock"

run aiodd data "$a"
is 'onto an export: exit status' "$status" 0
check 'onto an export' has "$a" data
run aiodd "$a" "$b" status=engine
is 'from server to server: exit status' "$status" 0
check 'from server to server' has "$b" data
run aiodd "$b" back
is 'from an export: exit status' "$status" 0
check 'from an export' same data back
run aiodd if="$b" of=back bs=512 skip=3 count=1000
check 'a part of it, in blocks of 512' \
	same back <(tail -c +1537 data | head -c 512000)
run aiodd if=more of="$b" bs=1 seek=777 count=99991 conv=notrunc
{ head -c 777 data; head -c 99991 more; tail -c +100769 data; } >mixed
check 'bytes at an odd offset' has "$b" mixed

# plan=yes looks at what is there.
head -c 1M more >small
run aiodd small copy obmap=small.bmap
run aiodd "$b" back bmap=small.bmap plan=yes
is 'plan=yes: an export that a block map does not fit' "$status" 4
says 'plan=yes: why' err 'the block map of an image of 1048576 bytes$'
gzip -c small >small.gz
serve packed -r file small.gz
for disk in back disk; do
	if [ $disk = disk ]; then
		bed_loop 64M || break
		disk=$BED
	fi
	run aiodd "$uri" "$disk" plan=yes
	planned=$status
	run aiodd "$uri" "$disk"
	is "plan=yes of what is packed, onto ${disk##*[0-9]}" "$planned" "$status"
done

# Each destination has its own ranges that differ.
truncate -s 30M many
for ((i = 0; i < 30; i++)); do
	dd if=more of=many bs=64K count=1 seek=$((16 * i)) conv=notrunc \
		status=none
done
serve null null 30M
run aiodd many back tee="$uri" verify=yes
is 'a server that forgets, beside a file: exit status' "$status" 3
says 'its ranges are told' err "/null[.]sock': 10 more ranges differ\$"
is 'and none of the file' "$(grep -c "'back': .* differ" err)" 0

run aiodd "$a" - >/dev/null
check 'to a pipe' cmp <(aiodd "$a" - 2>/dev/null) data
# shellcheck disable=SC2016 # for eval
check 'from a pipe' eval 'cat more | aiodd - "$a" 2>/dev/null && has "$a" more'
run aiodd "$a" back hash=sha256
says 'with a digest' err "= $(sha256sum <"more" | cut -d ' ' -f 1)$"
run aiodd "$a" back "expect=sha256:$(sha256sum <data | cut -d ' ' -f 1)"
is 'another digest is expected: exit status' "$status" 4
run as_dd if=data of="$b" count=1
is 'as dd it is a file' "$status $(grep -c 'No such file' err)" '1 1'

# --- what makes a copy credible ----------------------------------------------

run aiodd data "$a" verify=yes
is 'verify=yes: exit status' "$status" 0
says 'verify=yes: it is said' err 'is verified$'
run aiodd more "$a" verify=only
is 'verify=only: exit status' "$status" 3
rm -f copy
must aiodd data copy obmap=data.bmap status=none
run aiodd of="$a" verify=only bmap=data.bmap
is 'verify=only bmap=: exit status' "$status" 0
says 'verify=only bmap=: it is said' err "matches the block map 'data.bmap'"
must aiodd more copy obmap=more.bmap status=none
run aiodd of="$a" verify=only bmap=more.bmap
is 'verify=only bmap=, of another image' "$status" 3
cp data changed
printf x | dd of=changed bs=1 seek=5000000 conv=notrunc status=none
run aiodd changed "$a" update=yes
is 'update=yes: exit status' "$status" 0
says 'update=yes: what is the same stays' err ': 4096 bytes were different'
check 'update=yes' has "$a" changed
run aiodd more "$a" commit=first-last
is 'commit=first-last: exit status' "$status" 0
check 'commit=first-last' has "$a" more
run aiodd data "$b" map=m.map
is 'map=: exit status' "$status" 0
check 'map=' has "$b" data
run aiodd data "$b" map=m.map
is 'map=, once more: exit status' "$status" 0
run aiodd data "$b" rate=100M connections=2
is 'rate=: exit status' "$status" 0
run aiodd data "$a" manifest=x.manifest update=yes
is 'manifest=: exit status' "$status" 0
run aiodd "$a" back status=json
check 'JSON says what it is' grep -q '"kind": *"nbd"' err

# A server that forgets what it is not made to flush, and one that lies.
serve c memory 20M --filter=error error-pwrite=EIO error-pwrite-rate=100%
run aiodd data "$uri"
is 'writes fail: exit status' "$status" 1
says 'writes fail: what' err "error writing 'nbd.unix:.*Input/output error"
serve c --filter=error file data error-pread=EIO error-pread-rate=100%
run aiodd "$uri" back
is 'reads fail: exit status' "$status" 1
says 'reads fail: what' err "error reading 'nbd.unix:.*Input/output error"
# shellcheck disable=SC2016 # for the server's shell
serve c eval get_size='echo 1M' can_write='exit 0' can_flush='exit 0' \
	pread='head -c "$3" /dev/zero' pwrite='cat >/dev/null' \
	flush='echo EIO; exit 1'
run aiodd data "$uri" count=1
is 'the flush fails: exit status' "$status" 1
says 'the flush fails: what' err "fsync failed for 'nbd.unix:"

# Bad sectors, and a map of them.
serve c --filter=error file data error-pread=EIO error-pread-rate=100% \
	error-pread-file="$work/bad"
touch bad
run aiodd "$uri" back map=n.map
is 'a source that is bad: exit status' "$status" 2
rm bad
run aiodd "$uri" back map=n.map retries=1
is 'the same, good again: exit status' "$status" 0
check 'the same, good again' same data back

# --- zeros and holes ---------------------------------------------------------

truncate -s 20M sparse
must dd if=data of=sparse bs=1M seek=7 count=2 conv=notrunc status=none
serve c memory 20M
run aiodd data "$uri"
run aiodd sparse "$uri" report=r.json
check 'holes become zeros over old data' has "$uri" sparse
check 'which the server makes' \
	grep -Eq '"offloaded": *(18874368|1[0-9]{7})' r.json
run aiodd "$uri" back
check 'its holes become holes' same sparse back
check 'and are not written' test "$(stat -c %b back)" -lt 8192
run aiodd data "$uri"
cp --sparse=never sparse full
run aiodd full "$uri" conv=sparse
check 'conv=sparse makes zeros' has "$uri" sparse
serve c memory 20M --filter=nozero
run aiodd data "$uri"
run aiodd sparse "$uri"
check 'a server that makes none has them written' has "$uri" sparse
serve c memory 20M --filter=error error-zero=EIO error-zero-rate=100%
run aiodd data "$uri"
run aiodd sparse "$uri"
is 'zeros fail: exit status' "$status" 0
check 'zeros that fail are written' has "$uri" sparse
serve c --filter=noextents file sparse
run aiodd "$uri" back
check 'a server that tells no holes is read' same sparse back
serve c --filter=error file sparse error-extents=EIO error-extents-rate=100%
run aiodd "$uri" back
is 'a server that fails to tell is read: exit status' "$status" 0
check 'a server that fails to tell is read' same sparse back
is 'and it is said once' "$(grep -c 'does not tell where' err)" 1

# --- what a server can do ----------------------------------------------------

serve c memory 20M --filter=blocksize-policy blocksize-minimum=4096 \
	blocksize-maximum=128K blocksize-preferred=4096 \
	blocksize-error-policy=error
must aiodd more "$uri" 2>/dev/null
head -c 5000001 data >odd
run aiodd odd "$uri"
is 'a block size, and a length that is no multiple: exit status' "$status" 0
{ cat odd; tail -c +5000002 more; } >mixed
check 'a block size, and a length that is no multiple' has "$uri" mixed
run aiodd if=data of="$uri" bs=1 seek=4097 count=10000 conv=notrunc
is 'a block size, and an odd offset: exit status' "$status" 0
{ head -c 4097 odd; head -c 10000 data; tail -c +14098 mixed; } >mixed2
check 'a block size, and an odd offset' has "$uri" mixed2
run aiodd "$uri" back
check 'from a server with a block size' same mixed2 back
run aiodd odd "$uri" seek=777B verify=yes
is 'a block size, and verify= at an odd offset: exit status' "$status" 1
says 'a block size, and verify= at an odd offset: why' err \
	'takes whole blocks: with verify=, seek= has to be a multiple of them'
check 'a block size, and verify= at an odd offset: nothing is written' \
	has "$uri" mixed2

# --- what is in an export ----------------------------------------------------

gzip -c data >packed.gz
serve c file packed.gz
run aiodd "$uri" new decompress=auto
is 'decompress=auto: exit status' "$status" 1
says 'decompress=auto: both are named' err 'cannot combine .*decompress='
check 'decompress=auto: nothing is made' test ! -e new
if [ "$(id -u)" -eq 0 ] && bed_loop 32M; then
	before=$(sha256sum <"$BED")
	run aiodd "$uri" "$BED"
	is 'packed, onto a disk: exit status' "$status" 5
	says 'packed, onto a disk: why' err \
		'compressed \(gz\); have the server unpack it \(nbdkit '
	is 'packed, onto a disk: nothing is written' \
		"$(sha256sum <"$BED")" "$before"
	run aiodd "$uri" "$BED" force=format
	is 'packed, onto a disk, force=format: exit status' "$status" 0
else
	skip 'packed, onto a disk' "${BED_WHY:-needs root}"
fi

serve c -r memory 20M
run aiodd data "$uri"
is 'read-only: exit status' "$status" 1
says 'read-only: why' err 'is write-protected$'
serve c memory 10M
run aiodd data "$uri"
is 'too small: exit status' "$status" 5
says 'too small: why' err '\(10 MiB\)'
run aiodd data "$uri" force=size
is 'what fits: exit status' "$status" 1
head -c 10M data >part
check 'what fits' has "$uri" part
run aiodd "$uri" "$uri"
is 'onto itself: exit status' "$status" 5
says 'onto itself: why' err 'shares data with the source'
serve c eval can_flush='exit 3' get_size='echo 1M' can_write='exit 0' \
	pread='exit 1' pwrite='exit 1'
for operand in conv=fsync verify=yes commit=first-last map=o.map; do
	run aiodd data "$uri" "$operand" count=1
	is "no flush, $operand: exit status" "$status" 1
	says "no flush, $operand: why" err 'cannot be flushed'
done
serve c memory 20M --filter=fua
run aiodd data "$uri" oflag=dsync
is 'no durable writes: exit status' "$status" 1
says 'no durable writes: why' err 'cannot make each write durable'

for operands in "commit=rename data $a" "clone=always $a out" \
	"oflag=append data $a" "conv=excl data $a" "conv=sync $a out" \
	"conv=noerror $a out" "conv=ucase $a out"; do
	# shellcheck disable=SC2086 # the operands
	run aiodd $operands
	is "${operands%% *}: exit status" "$status" 1
	says "${operands%% *}: why" err 'cannot combine an NBD'
done

# --- parts, each by a process of its own ---------------------------------------

serve a file data
truncate -s 20M image
serve b file image
from="nbd+unix:///?socket=$work/servers/a.sock"
for part in 2/3 3/3 1/3; do
	run aiodd "$from" "$uri" shard=$part verify=yes
	is "shard=$part of an export: exit status" "$status" 0
done
check 'the parts of an export' same data image
run aiodd [ nbdkit file data ] back shard=1/2 plan=yes
says 'shard= of a server to be started: plan=yes' err 'would have to be started'
run aiodd nbd+unix:///?socket=none back shard=1/2
is 'shard= of no server: exit status' "$status" 1
is 'shard= of no server: one line' "$(wc -l <err)" 1

# --- a server of our own -----------------------------------------------------

run aiodd [ nbdkit file data ] back
is 'a server that is started: exit status' "$status" 0
check 'a server that is started' same data back
run aiodd [[ nbdkit -s file more ]] back
is 'a server on its standard input: exit status' "$status" 0
check 'a server on its standard input' same more back
cp data image
run aiodd more [ nbdkit file image ] verify=yes
is 'onto a server that is started: exit status' "$status" 0
check 'onto a server that is started' same more image
run aiodd [ nbdkit file data out
says 'a command without an end' err '^aiodd: \[ starts the command'
run aiodd [ nbdkit file data ] out plan=yes
says 'no command is started for plan=yes' err 'would have to be started'

# --- a server that is lost, and comes back -------------------------------------

# begin_copy OPERANDS...: in the background, up to 10 MiB a second
begin_copy()
{
	aiodd rate=10M "$@" 2>err <&0 &
	copy=$!
}

end_copy()
{
	wait "$copy"
	status=$?
}

# shellcheck disable=SC2317 # called by wait_for
same_size()
{
	[ "$(size_of "$1")" -eq "$(size_of "$2")" ]
}

# has_some FILE: something was written there
# shellcheck disable=SC2317 # called by wait_for
has_some()
{
	[ "$(stat -c %b "$1")" -gt 0 ]
}

lose()
{
	kill -9 "$server"
	wait "$server" 2>/dev/null
	rm -f "servers/$1.sock"
}

rm -f back
: >back
serve l file data
begin_copy "$uri" back oflag=direct
wait_for has_some back
lose l
serve l file data
end_copy
is 'the source is lost: exit status' "$status" 0
says 'the source is lost: it is said' err "connection to 'nbd.unix:.*' was lost"
says 'and where it goes on' err 'connected again; the copy goes on \(offset'
check 'the source is lost' same data back

# What is in that cache is lost with the server.
rm -f image
truncate -s 20M image
serve l --filter=cache file image cache=writeback
begin_copy data "$uri" hash=sha256 status=progress
wait_for grep -q ' s, ' err
lose l
serve l --filter=cache file image cache=writeback
end_copy
is 'the destination is lost: exit status' "$status" 0
check 'the destination is lost' same data image
says 'and its digest' err "= $(sha256sum <data | cut -d ' ' -f 1)$"

# What it wrote and finds there when it comes by again was not there before.
rm -f image
truncate -s 20M image
serve l file image
begin_copy data "$uri" update=yes depth=1 iosize=1M connections=1
# shellcheck disable=SC2317 # called by wait_for
has_more() { [ "$(stat -c %b image)" -gt 10000 ]; }
wait_for has_more
lose l
serve l file image
end_copy
is 'lost in an update: exit status' "$status" 0
check 'lost in an update' same data image
# But for the request that the server had then.
nr=$(sed -n 's/^aiodd: \([0-9]*\) bytes were different.*/\1/p' err)
check 'lost in an update: what was written' test "$nr" -ge $((19 << 20))

: >back
serve l file data
begin_copy "$uri" back oflag=direct reconnect=0
wait_for has_some back
lose l
end_copy
is 'reconnect=0: exit status' "$status" 1
says 'reconnect=0: why' err "error reading 'nbd.unix:.*not connected"

: >back
serve l file data
begin_copy "$uri" back oflag=direct
wait_for has_some back
lose l
serve l memory 30M
end_copy
is 'another export comes back: exit status' "$status" 1
says 'another export comes back: why' err 'another size or other abilities'

# One of several destinations, while the other goes on.
for way in file pipe; do
	rm -f image back
	truncate -s 20M image
	serve l file image
	case $way in
	file) begin_copy data back tee="$uri" ;;
	pipe) begin_copy - back tee="$uri" < <(cat data) ;;
	esac
	wait_for has_some image
	lose l
	wait_for same_size data back
	serve l file image
	end_copy
	check "lost beside another, a $way: the other has all of it" same data back
	if [ $way = file ]; then
		is 'lost beside another: exit status' "$status" 0
		says 'lost beside another: it is back' err 'is connected again'
		check 'lost beside another: it has all of it, too' same data image
	else
		is 'lost beside another, a pipe: exit status' "$status" 1
		says 'lost beside another, a pipe: why' err \
			"error writing 'nbd.unix:.*not connected"
	fi
done
for way in reconnect=0 reconnect=1; do
	rm -f back
	serve l file image
	begin_copy more back tee="$uri" $way
	wait_for has_some back
	lose l
	end_copy
	is "one is lost for good, $way: exit status" "$status" 1
	says "one is lost for good, $way: which" err "l.sock': [0-9]* bytes, FAILED"
	check "one is lost for good, $way: the other" same more back
done

# --- others ------------------------------------------------------------------

if type -P qemu-nbd qemu-img >/dev/null; then
	must qemu-img create -q -f qcow2 disk.qcow2 20M
	qemu-nbd -f qcow2 -e 4 -t -k "$work/q.sock" disk.qcow2 &
	cleanup_push kill $!
	wait_for test -S q.sock
	run aiodd data "nbd+unix:///?socket=$work/q.sock" verify=yes
	is 'qemu-nbd: exit status' "$status" 0
	run aiodd "nbd+unix:///?socket=$work/q.sock" back
	check 'qemu-nbd: both ways' same data back
else
	skip 'qemu-nbd' 'it is not here'
fi
if type -P psktool >/dev/null; then
	must psktool -u alice -p keys.psk >/dev/null
	serve t --tls=require --tls-psk=keys.psk memory 20M
	t="nbds+unix://alice@/?socket=$work/servers/t.sock"
	run aiodd data "$t&tls-psk-file=$work/keys.psk" verify=yes
	is 'TLS: exit status' "$status" 0
	run aiodd data "$uri"
	is 'TLS, but not asked for: exit status' "$status" 1
else
	skip 'TLS' 'no psktool here'
fi

finish
