#!/bin/sh
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# N processes that copy one file, without a launcher: shards.sh N COMMAND...
# Where the parts are copied by several machines that all see both files, put
# ssh before the command: HOSTS="one two three" shards.sh 3 aiodd BIG /scratch/BIG
# The exit status is the highest of all.
set -u
n=$1
shift
pids=
for k in $(seq "$n"); do
	host=$(echo "${HOSTS-}" | cut -s -d ' ' -f "$k")
	# shellcheck disable=SC2086,SC2029 # ssh HOST, or nothing
	${host:+ssh "$host"} "$@" "shard=$k/$n" &
	pids="$pids $!"
done
worst=0
for pid in $pids; do
	wait "$pid"
	status=$?
	[ "$status" -le "$worst" ] || worst=$status
done
exit "$worst"
