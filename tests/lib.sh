# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
#
# Sourced by tests/cli/*.sh: TAP output, a private work directory, and the
# test beds (loop devices, file systems, slow and faulty disks).  Everything
# that a bed sets up is taken down again on every way out of the script.
#
# AIODD is the program under test (default ./aiodd), DD the reference.

# What the parent ignores, as nohup does SIGHUP, a shell has to ignore, too.
if [ -z "${AIODD_TEST_SIGNALS-}" ]; then
	AIODD_TEST_SIGNALS=default exec env --default-signal bash "$0" "$@"
fi
unset AIODD_TEST_SIGNALS

set -u
export LC_ALL=C
unset POSIXLY_CORRECT
# Reports of the sanitizers must not look like dd's own exit status 1.
export ASAN_OPTIONS="exitcode=99:${ASAN_OPTIONS-}"
export UBSAN_OPTIONS="halt_on_error=1:exitcode=99:${UBSAN_OPTIONS-}"

AIODD=$(realpath "${AIODD:-./aiodd}")
DD=${DD:-$(type -P dd)}
# Seconds, and only for what would never end: a busy machine is slow.
TIME_LIMIT=900
PATIENCE=300
tests_done=0
tests_failed=0
cleanups=()
work=$(mktemp -d "${TMPDIR:-/var/tmp}/aiodd-test.XXXXXX") || exit 99
mkfifo "$work/never" || exit 99

# --- cleaning up ---------------------------------------------------------

# cleanup_push CMD ARG...: run at the end, last pushed first.
cleanup_push()
{
	cleanups+=("$(printf '%q ' "$@")")
}

cleanup_run()
{
	local i

	trap '' INT TERM HUP
	PATIENCE=30 # what is busy then is taken down by force
	cd / || exit 99
	for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
		eval "${cleanups[i]}"
	done >/dev/null 2>&1
	rm -rf --one-file-system "$work"
}

trap cleanup_run EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- results -------------------------------------------------------------

diag()
{
	printf '%s\n' "$@" | sed 's/^/# /'
}

pass()
{
	printf 'ok %d - %s\n' $((++tests_done)) "$1"
}

# fail TEXT [DIAGNOSTICS...]
fail()
{
	printf 'not ok %d - %s\n' $((++tests_done)) "$1"
	tests_failed=$((tests_failed + 1))
	shift
	[ $# -eq 0 ] || diag "$@"
}

skip()
{
	printf 'ok %d - %s # SKIP %s\n' $((++tests_done)) "$1" "$2"
}

# check TEXT CMD ARG...: passes if the command succeeds.
check()
{
	local text=$1 log

	shift
	if log=$("$@" 2>&1); then
		pass "$text"
	else
		fail "$text" "failed: $*" "$(head -n 20 <<<"$log")"
	fi
}

# is TEXT GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:    $2" "wanted: $3"
	fi
}

# says TEXT FILE EXTENDED-REGEX: some line of the file matches.
says()
{
	if grep -Eq -- "$3" "$2"; then
		pass "$1"
	else
		fail "$1" "no line matches: $3" "$(head -n 20 "$2")"
	fi
}

# bail WHY: the test cannot go on, and is no success.
bail()
{
	echo "Bail out! $*" | tee "$work/bailed" >&2
	exit 99
}

# must CMD ARG...: what makes the data of a test; without them it shows nothing.
must()
{
	"$@" || bail "failed: $*"
}

# The last line of every script.
finish()
{
	[ ! -e "$work/bailed" ] || exit 99
	[ ! -e "$work/in_vain" ] ||
		fail 'what was waited for has come' "$(cat "$work/in_vain")"
	echo "1..$tests_done"
	[ "$tests_failed" -eq 0 ]
	exit
}

# skip_all WHY: nothing more can be tested here.
skip_all()
{
	if [ "$tests_done" -eq 0 ]; then
		echo "1..0 # SKIP $1"
		exit 0
	fi
	skip 'the rest' "$1"
	finish
}

# --- what the machine must have ------------------------------------------

require()
{
	local cmd

	for cmd; do
		type -P "$cmd" >/dev/null || skip_all "no $cmd here"
	done
}

# own_mounts COMMAND...: in a mount namespace of its own; 99 where there is none
# to be had, as in a chroot.
own_mounts()
{
	unshare -m --propagation private true 2>/dev/null || return 99
	unshare -m --propagation private "$@"
}

# fill_root ROOT DIRECTORIES...: with these of the outside, and what a program
# needs
fill_root()
{
	local root=$1 dir

	shift
	for dir in /bin /lib /lib64 /usr "$@"; do
		if [ -L "$dir" ]; then
			cp -P "$dir" "$root$dir"
		elif [ -d "$dir" ]; then
			mkdir "$root$dir"
			mount --rbind "$dir" "$root$dir" || exit 99
		fi
	done
}
export -f fill_root

# in_own_root MOUNT FILE DIRECTORIES OPERANDS...: the program in a root of its
# own, which mount gives for the words of MOUNT; of the outside it has FILE,
# DIRECTORIES, and what a program needs.
in_own_root()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	own_mounts bash -c '
		program=$1 from=$2 file=$3 dirs=$4
		shift 4
		mount $from mnt && cp "$program" mnt/aiodd &&
			cp "$file" mnt/ || exit 99
		fill_root mnt $dirs
		PATH=/:$PATH exec chroot mnt aiodd "$@"' - "$AIODD" "$@"
}

require_root()
{
	[ "$(id -u)" -eq 0 ] || skip_all 'needs root'
}

require_loop()
{
	require_root
	require losetup
	losetup -f >/dev/null 2>&1 || skip_all 'no loop devices here'
}

require_nbd()
{
	require nbdkit nbdfuse fusermount3
	[ -w /dev/fuse ] || skip_all 'no /dev/fuse here'
}

require_gnu_dd()
{
	"$DD" --version 2>/dev/null | grep -q coreutils ||
		skip_all "$DD is not GNU dd"
}

# Address space and memory figures of such a program mean nothing.
is_sanitized()
{
	grep -q __asan_init "$AIODD"
}

# --- running the program -------------------------------------------------

# Messages begin with argv[0], so the names are found through PATH.
mkdir -p "$work/bin/ours" "$work/bin/gnu"
ln -s "$AIODD" "$work/bin/ours/aiodd"
ln -s "$AIODD" "$work/bin/ours/dd"
ln -s "$DD" "$work/bin/gnu/dd"
path_of_ours=$work/bin/ours:$PATH
path_of_gnu=$work/bin/gnu:$PATH

aiodd()
{
	PATH=$path_of_ours \
		timeout --foreground -k 5 "$TIME_LIMIT" aiodd "$@"
}

as_dd()
{
	PATH=$path_of_ours \
		timeout --foreground -k 5 "$TIME_LIMIT" dd "$@"
}

gnu_dd()
{
	PATH=$path_of_gnu \
		timeout --foreground -k 5 "$TIME_LIMIT" dd "$@"
}

# run CMD ARG...: sets $status, fills $work/out and $work/err.
run()
{
	"$@" >"$work/out" 2>"$work/err"
	status=$?
}

# masked FILE: its text without time, rate, and the shell's obituaries.
masks=(-E -e 's/, [0-9.e+-]+ s, .*/, T s, R/' -e '/: line [0-9]+: +[0-9]+ /d')
masked()
{
	sed "${masks[@]}" "$1"
}

# The byte count of the last transfer line in FILE.
bytes_reported()
{
	sed -n -E 's/^.*\b([0-9]+) bytes? .*copied.*/\1/p' "$1" | tail -n 1
}

# Fails unless FILE has an engine line with equal first three counters.
engine_balanced()
{
	local n='([0-9]+)' text

	text=$(<"$1")
	[[ $text =~ engine:\ submitted=$n\ announced=$n\ reaped=$n\  &&
		${BASH_REMATCH[1]} = "${BASH_REMATCH[2]}" &&
		${BASH_REMATCH[1]} = "${BASH_REMATCH[3]}" ]] ||
		{ echo "$text"; return 1; }
}

same()
{
	cmp -- "$1" "$2"
}

# said MAP: its areas, and no comments.
said()
{
	local off len state

	sed '/^#/d' "$1" | tail -n +2 | while read -r off len state; do
		printf '%d %d %s; ' "$off" "$len" "$state"
	done
}

size_of()
{
	stat -c %s -- "$1"
}

# One side of like_dd: the script with dd meaning the program of WHO.
like_dd_side() # WHO SETUP SCRIPT
{
	local side=$1 # full.sh asks

	cd "$work/$side/files" || exit 99
	PATH=$work/bin/$side:$PATH
	# shellcheck disable=SC2317 # called by the script
	dd()
	{
		timeout --foreground -k 5 "$TIME_LIMIT" dd "$@"
	}
	set -e
	eval "$2"
	set +e
	: >"$work/$side.ready"
	eval "$3"
}

# start_side WHO SETUP SCRIPT: in the background
start_side()
{
	like_dd_side "$@" </dev/null >"$work/$1/stdout" 2>"$work/$1/stderr" &
}

# end_side WHO PID
end_side()
{
	wait "$2"
	echo "exit status $?" >>"$work/$1/stdout"
}

list_sides()
{
	local here=$PWD side

	for side in gnu ours; do
		cd "$work/$side/files" &&
			stat -c '%n %F %s %a' -- * >../list 2>/dev/null
	done
	cd "$here" || exit 99
}

sides_are_ready()
{
	[ -e "$work/gnu.ready" ] && [ -e "$work/ours.ready" ]
}

# like_dd TEXT SETUP SCRIPT: the shell text SCRIPT, run once with GNU dd and
# once with ours in two fresh directories that SETUP has filled, must give
# the same files, stdout, exit status, and stderr but for time and rate.  The
# two run at the same time, or one after the other if in_turn is set.  There
# are hundreds of these, so no process is started that is not needed.
in_turn=
like_dd()
{
	local log gnu sides=("$work/gnu" "$work/ours")

	rm -rf "${sides[@]}" "${sides[@]/%/.ready}"
	mkdir -p "${sides[@]/%//files}"
	start_side gnu "$2" "$3"
	gnu=$!
	[ -z "$in_turn" ] || end_side gnu "$gnu"
	start_side ours "$2" "$3"
	end_side ours $!
	[ -n "$in_turn" ] || end_side gnu "$gnu"
	sides_are_ready ||
		bail "$1: failed: $2: $(cat "${sides[@]/%//stderr}")"
	sed -i "${masks[@]}" "${sides[@]/%//stderr}"
	list_sides
	if log=$(diff -r --no-dereference "${sides[@]}" 2>&1); then
		pass "$1"
	else
		fail "$1" "script: $3" "$(head -n 20 <<<"$log")"
	fi
}

# make_data FILE BYTES SEED: incompressible, and the same every time.
make_data()
{
	head -c "$2" /dev/zero |
		openssl enc -aes-128-ctr -nosalt -iv "$(printf %032x "$3")" \
			-K 00000000000000000000000000000000 >"$1"
	[ "$(size_of "$1")" -eq "$2" ] || bail "no room for $1"
}

# wait_for CMD ARG...: until it succeeds, for ever but for what hangs, which
# finish() tells.
wait_for()
{
	local end=$((SECONDS + PATIENCE))

	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "$*" >>"$work/in_vain"
			return 1
		fi
		# Asleep, without a program for it.
		read -rt 0.02 <>"$work/never" || :
	done
}

# wait_caught PID: until it would not die of SIGUSR1.
wait_caught()
{
	wait_for grep -Eq '^SigCgt:.*[2367abef]..$' "/proc/$1/status"
}

has_or_ended()
{
	"${@:2}" || ! kill -0 "$1"
}

# wait_served PID CMD ARG...: until the server makes it succeed, or has ended.
wait_served()
{
	wait_for has_or_ended "$@" && "${@:2}"
}

pid=
# is_caught CONDITION...: the process pid is stopped, and the condition holds
# and goes on to hold: whatever comes next comes in the middle.
is_caught()
{
	wait_for has_or_ended "$pid" "$@"
	kill -STOP "$pid" && wait_for has_stopped "$pid" && "$@"
}

has_stopped()
{
	[ ! -e "/proc/$1" ] ||
		grep -Eq '^State:[[:space:]]*[TZ]' "/proc/$1/status"
}

# catch CONDITION START ARG...: START begins a copy, sets pid, and is called
# once more with a rate= where the machine was too busy to stop the copy in
# its middle, where CONDITION holds.  It stands still then, until SIGCONT.
catch()
{
	local condition=$1 slower

	shift
	for slower in '' rate=6M rate=2M rate=500K; do
		"$@" ${slower:+"$slower"}
		! is_caught "$condition" || return 0
		kill -KILL "$pid"
		wait $!
	done 2>/dev/null
	bail "it never stands still: $*"
}

# send SIGNAL: to what stands still, and it goes on.
send()
{
	kill "-$1" "$pid"
	kill -CONT "$pid"
}

# --- test beds -----------------------------------------------------------
# Each sets BED to the device, file or directory it made; where the machine
# cannot make it, it returns 1 with the reason in BED_WHY.

beds=0

bed_cannot()
{
	BED=
	BED_WHY=$1
	return 1
}

# A mount can be busy for a moment after its last user has gone, and the
# script can have taken it down itself.
bed_umount()
{
	mountpoint -q "$1" || return 0
	wait_for umount "$1" || umount -l "$1"
}

# What lies under the loop device, by inode and device: the name can go.
loop_file() # DEVICE
{
	losetup -nO BACK-INO,BACK-MAJ:MIN "$1" 2>/dev/null | xargs
}

# is_our_loop DEVICE [WHAT]: others, whose numbers are these, too, may have
# taken it away.
declare -A loop_files
is_our_loop()
{
	[ "$(loop_file "$1")" = "${2:-${loop_files[$1]-none}}" ]
}

# must_be_ours DEVICE: before it is written to.
must_be_ours()
{
	[ -z "${loop_files[$1]-}" ] || is_our_loop "$1" ||
		bail "somebody has taken $1 away"
}

bed_detach() # DEVICE WHAT
{
	! is_our_loop "$1" "$2" || wait_for losetup -d "$1"
}

# Between the search for a free one and its set-up somebody else can have it,
# and somebody's clean-up can take it away at once.
loop_attach() # FILE SECTOR OPTION...
{
	local tries

	for ((tries = 0; tries < 20; tries++)); do
		if BED=$(losetup --direct-io=on -b "$2" "${@:3}" -f --show \
			"$1" 2>&1); then
			[[ $(loop_file "$BED") != "$(stat -L -c %i "$1") "* ]] ||
				return 0
		elif [[ $BED != *busy* && $BED != *temporarily* ]]; then
			return 1
		fi
		sleep 0.1
	done
	return 1
}

# bed_loop_over FILE [SECTOR OPTION...]: -r, -P of losetup
bed_loop_over()
{
	loop_attach "$1" "${2:-512}" "${@:3}" || { bed_cannot "losetup: $BED"; return; }
	loop_files[$BED]=$(loop_file "$BED")
	# What was set by blockdev stays, whoever had the device then.
	[[ " ${*:3} " = *' -r '* ]] || blockdev --setrw "$BED"
	cleanup_push bed_detach "$BED" "${loop_files[$BED]}"
}

# bed_loop SIZE [SECTOR]: a loop device with sectors of 512 or 4096 bytes.
bed_loop()
{
	local image=$work/bed$((++beds)).img

	must truncate -s "$1" "$image"
	bed_loop_over "$image" "${2:-512}"
}

# bed_mount TYPE SOURCE [OPTIONS]
bed_mount()
{
	local dir=$work/bed$((++beds)) log

	mkdir "$dir"
	log=$(mount -t "$1" -o "${3:-defaults}" "$2" "$dir" 2>&1) ||
		{ bed_cannot "$log"; return; }
	cleanup_push bed_umount "$dir"
	BED=$dir
}

# bed_mkfs TYPE FILE
bed_mkfs()
{
	local log options=(-q)

	[ "$1" != ext4 ] || options+=(-F -m 0)
	type -P "mkfs.$1" >/dev/null ||
		{ bed_cannot "no mkfs.$1 here"; return; }
	log=$("mkfs.$1" "${options[@]}" "$2" 2>&1) ||
		bed_cannot "mkfs.$1: $log"
}

# bed_fs TYPE SIZE: ext4, xfs (300M or more), btrfs (128M or more), tmpfs.
bed_fs()
{
	local image=$work/bed$((++beds)).img

	[ "$1" != tmpfs ] || { bed_mount tmpfs tmpfs "size=$2"; return; }
	must truncate -s "$2" "$image"
	bed_mkfs "$1" "$image" && bed_mount "$1" "$image" loop
}

# bed_full: a small disk, to be filled.
bed_full()
{
	bed_fs ext4 64M
}

bed_nbd_stop() # DIR PID
{
	! grep -qF " $1 " /proc/self/mounts || wait_for fusermount3 -u "$1" ||
		fusermount3 -u -z "$1"
	kill "$2"
	wait "$2"
}

# bed_nbd NAME NBDKIT-ARG...: what nbdkit serves, as the file BED.
bed_nbd()
{
	local dir=$work/$1 log=$work/$1.log

	mkdir "$dir"
	shift
	nbdfuse "$dir/disk" [ nbdkit --exit-with-parent "$@" ] \
		</dev/null >"$log" 2>&1 &
	cleanup_push bed_nbd_stop "$dir" $!
	wait_served $! test -s "$dir/disk" ||
		{ bed_cannot "nbdfuse: $(head -n 1 "$log")"; return; }
	BED=$dir/disk
}

# bed_slow NAME SIZE READ_MS WRITE_MS: serves requests side by side, each late.
bed_slow()
{
	bed_nbd "$1" --filter=delay memory "$2" \
		delay-read="$3ms" delay-write="$4ms"
}

# bed_bad NAME FILE MAP: FILE, with EIO where the ddrescue map has a '-'.
bed_bad()
{
	bed_nbd "$1" --filter=ddrescue file "$2" ddrescue-mapfile="$3"
}

# bed_failing NAME SIZE ERROR-ARG...: arguments of nbdkit's error filter.
# build_tool NAME PACKAGE: $work/NAME of tests/NAME.c, against the library.
build_tool()
{
	# shellcheck disable=SC2046
	cc -O1 "$(dirname "${BASH_SOURCE[0]}")/$1.c" -o "$work/$1" \
		$(pkg-config --cflags --libs "$2") 2>"$work/err" ||
		skip_all "cc: $(head -n 1 "$work/err")"
}

require_late()
{
	require cc pkg-config fusermount3
	[ -w /dev/fuse ] || skip_all 'no /dev/fuse here'
	pkg-config fuse3 || skip_all 'no libfuse3-dev here'
	build_tool late fuse3
}

# bed_late NAME MILLISECONDS: the file NAME.img, as a file that answers late,
# and not at all while there is NAME.img.hold.
bed_late()
{
	local dir=$work/$1

	mkdir "$dir"
	"$work/late" "$work/$1.img" "$2" -f "$dir" \
		</dev/null >"$work/$1.log" 2>&1 &
	cleanup_push bed_nbd_stop "$dir" $!
	wait_served $! test -s "$dir/disk" ||
		{ bed_cannot "$(head -n 1 "$work/$1.log")"; return; }
	BED=$dir/disk
}

# bed_refusing NAME BYTES ERROR: a disk of 4 MiB, the file NAME.img, that
# refuses what is written behind so many bytes.
bed_refusing()
{
	local image=$work/$1.img bytes='iflag=skip_bytes,count_bytes'

	truncate -s 4M "$image"
	bed_nbd "$1" eval get_size='echo 4194304' can_write='exit 0' \
		can_flush='exit 0' flush='exit 0' \
		pread="dd if='$image' $bytes skip=\$4 count=\$3 status=none" \
		pwrite="[ \$((\$4 + \$3)) -le $2 ] || { echo $3 >&2; exit 1; }
			dd of='$image' oflag=seek_bytes seek=\$4 conv=notrunc \
				status=none"
}

bed_failing()
{
	local name=$1 size=$2

	shift 2
	bed_nbd "$name" --filter=error memory "$size" "$@"
}

# bed_liar AT: 4 MiB that give back another byte at AT than they were given.
# Needs perl.
bed_liar()
{
	local at=$1

	cat >"$work/pread$at" <<-END
		OFF=\$4; export OFF
		dd if="$work/backing$at" bs=64K iflag=skip_bytes,count_bytes \\
			skip="\$4" count="\$3" status=none |
		perl -0777 -pe 'BEGIN { \$at = $at - \$ENV{OFF} }
			substr(\$_, \$at, 1) ^= "\\x40"
				if \$at >= 0 && \$at < length'
	END
	must truncate -s 4M "$work/backing$at"
	bed_nbd "liar$at" --filter=noextents eval \
		get_size="echo 4194304" \
		pread=". $work/pread$at" \
		pwrite="dd of=$work/backing$at bs=64K oflag=seek_bytes \
			seek=\$4 conv=notrunc status=none"
}

[ -x "$AIODD" ] || { echo "Bail out! no program at $AIODD"; exit 99; }
type -P openssl >/dev/null || skip_all 'no openssl here'
