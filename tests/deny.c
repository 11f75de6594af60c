// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// deny NAME,NAME... ERRNO|KILL COMMAND ARG...: the command, to which the kernel
// answers these system calls with this error, as the seccomp filter of a
// container does, or kills who makes them. 77: not to be had here.

#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451 // 6.5; the same number on every architecture
#endif

#define NR_MAX 32

struct named {
	const char *name;
	int nr;
};

// Not all of them exist on all machines.
static const struct named calls[] = {
	{"clone", SYS_clone},
	{"copy_file_range", SYS_copy_file_range},
	{"epoll_create1", SYS_epoll_create1},
	{"epoll_ctl", SYS_epoll_ctl},
	{"epoll_pwait", SYS_epoll_pwait},
	{"eventfd2", SYS_eventfd2},
	{"fadvise64", SYS_fadvise64},
	{"fdatasync", SYS_fdatasync},
	{"fstatfs", SYS_fstatfs},
	{"fsync", SYS_fsync},
	{"ftruncate", SYS_ftruncate},
	{"getrandom", SYS_getrandom},
	{"io_destroy", SYS_io_destroy},
	{"io_getevents", SYS_io_getevents},
	{"io_setup", SYS_io_setup},
	{"io_submit", SYS_io_submit},
	{"madvise", SYS_madvise},
	{"memfd_create", SYS_memfd_create},
	{"ppoll", SYS_ppoll},
	{"prlimit64", SYS_prlimit64},
	{"renameat2", SYS_renameat2},
	{"signalfd4", SYS_signalfd4},
	{"splice", SYS_splice},
	{"statx", SYS_statx},
	{"sync_file_range", SYS_sync_file_range},
	{"sysinfo", SYS_sysinfo},
	{"timerfd_create", SYS_timerfd_create},
	{"timerfd_settime", SYS_timerfd_settime},
	{"cachestat", SYS_cachestat},
#ifdef SYS_clone3
	{"clone3", SYS_clone3},
#endif
#ifdef SYS_epoll_wait
	{"epoll_wait", SYS_epoll_wait},
#endif
#ifdef SYS_io_pgetevents
	{"io_pgetevents", SYS_io_pgetevents},
#endif
#ifdef SYS_poll
	{"poll", SYS_poll},
#endif
};

static const struct named answers[] = {
	{"EPERM", SECCOMP_RET_ERRNO | EPERM},
	{"ENOSYS", SECCOMP_RET_ERRNO | ENOSYS},
	{"EINTR", SECCOMP_RET_ERRNO | EINTR},
	{"KILL", SECCOMP_RET_KILL_THREAD},
};

// -1: there is none of this name.
static int
find(const struct named *table, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].nr;
	return -1;
}

static unsigned
put_rules(struct sock_filter *rules, char *names, unsigned answer)
{
	unsigned n = 0;

	rules[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (char *name = strtok(names, ","); name != NULL && n < 2 * NR_MAX;
	     name = strtok(NULL, ",")) {
		const int nr = find(calls, ARRAY_LEN(calls), name);

		if (nr < 0)
			continue;
		rules[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1);
		rules[n++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, answer);
	}
	rules[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						  SECCOMP_RET_ALLOW);
	return n;
}

int
main(int argc, char **argv)
{
	struct sock_filter rules[2 * NR_MAX + 3];
	struct sock_fprog program = {.filter = rules};
	const int answer =
		argc > 3 ? find(answers, ARRAY_LEN(answers), argv[2]) : -1;

	if (answer < 0) {
		fprintf(stderr, "usage: deny NAMES ERRNO COMMAND ARG...\n");
		return 2;
	}
	program.len = (unsigned short)put_rules(rules, argv[1],
						(unsigned)answer);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return 77;
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
