#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# core/ is a library in spirit: it reports to its caller and to nobody else.
. "$(dirname "$0")/tap.sh"
cd "$top_srcdir" || exit 1

# calls REGEX FILE...
calls()
{
	local regex=$1
	shift
	without_comments "$@" | grep -E "(^|[^A-Za-z0-9_])($regex)" |
	sed 's/:[ \t]*/: /2'
	return 0
}

# includes HEADER FILE...
includes()
{
	local header=$1
	shift
	grep -n "^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*<$header>" \
		"$@" /dev/null
	[ $? -eq 1 ]
}

all=$(find core -name '*.[ch]' | sort)
not_job=$(find core -name '*.[ch]' ! -path core/engine/job.c | sort)
not_engine=$(find core cmd -name '*.[ch]' ! -path 'core/engine/*' | sort)

# shellcheck disable=SC2086
{
	clean "core does not print" calls \
		'(v?[df]?printf|f?put[cs]|putchar|perror|warnx?) *\(' $all
	clean "core knows no standard stream" calls 'std(out|err)[^a-z_]' $all
	clean "core does not exit" \
		calls '(_?exit|_Exit|quick_exit|abort|errx?) *\(' $all
	clean "core does not read the environment" \
		calls '((secure_)?getenv *\(|environ[^a-z_])' $all
	clean "only the engine room includes <libaio.h>" \
		includes libaio.h $not_engine
	clean "job_prep() is the only caller of io_prep_*" \
		calls 'io_prep_[a-z]* *\(' $not_job
}
clean "the plan makes no system calls" \
	includes '\(unistd\|fcntl\|sys/[a-z]*\)\.h' core/plan/*.[ch]
finish
