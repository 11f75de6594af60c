// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Runs a program and logs its system calls; one of them can be made to fail.
//
// usage: fault LOG SECONDS [NAME NUMBER ERRNO] -- PROGRAM [ARGUMENT]...
//
// LOG gets one line a call, the fields parted by tabs: the name, which of its
// name it is, counted over all threads from 1, what it is about (the name, or
// the file that the first argument, or the first request, has open), its
// arguments, of io_submit also the operation, the bytes and the descriptor of
// its requests, "failed" if it was made to fail, and the errnos that are worth
// trying. The last line is "exit STATUS", "signal NUMBER" or "hang": it was
// killed after SECONDS. The exit status is that of the program.
//
// Nothing counts before main() of aiodd, whose first call is
// fcntl(2, F_GETFD).

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

enum about { NOTHING, FD, PATH, AT_PATH, REQUESTS };

// What a call can fail with; calls that cannot fail are not here.
static const struct call {
	const char *name;
	const char *errnos;
	int nr;
	enum about about;
} calls[] = {
#define CALL(name, about, errnos) { #name, errnos, SYS_##name, about }
	CALL(openat, AT_PATH, "EACCES ENOENT EMFILE EINTR ENOMEM"),
	CALL(close, FD, "EIO EINTR"),
	CALL(read, FD, "EIO EINTR EAGAIN ENOMEM"),
	CALL(pread64, FD, "EIO EINTR EAGAIN ENOMEM"),
	CALL(write, FD, "ENOSPC EIO EINTR EAGAIN EDQUOT EFBIG ENOMEM"),
	CALL(pwrite64, FD, "ENOSPC EIO EINTR EDQUOT EFBIG EINVAL"),
	CALL(readv, FD, "EIO EINTR"),
	CALL(writev, FD, "ENOSPC EIO EINTR"),
	CALL(lseek, FD, "EINVAL ESPIPE ENXIO EIO"),
	CALL(ftruncate, FD, "EFBIG EPERM EINTR ENOSPC EIO EINVAL"),
	CALL(fallocate, FD, "EOPNOTSUPP ENOSPC EINTR EIO"),
	CALL(fsync, FD, "EIO EINTR ENOSPC EDQUOT EINVAL"),
	CALL(fdatasync, FD, "EIO EINTR ENOSPC EDQUOT EINVAL"),
	CALL(syncfs, FD, "EIO"),
	CALL(sync_file_range, FD, "EIO ENOSPC ESPIPE ENOMEM"),
	CALL(fadvise64, FD, "EINVAL ESPIPE EIO"),
	CALL(copy_file_range, FD,
	     "EXDEV EINVAL EIO ENOSPC EINTR EOPNOTSUPP ENOMEM EPERM"),
	CALL(splice, FD, "EINVAL EAGAIN EIO ENOMEM EINTR"),
	CALL(sendfile, FD, "EINVAL EAGAIN EIO"),
	CALL(io_setup, NOTHING, "EAGAIN ENOSYS ENOMEM EPERM"),
	CALL(io_submit, REQUESTS, "EAGAIN EINVAL EIO ENOMEM EOPNOTSUPP"),
	CALL(io_getevents, NOTHING, "EINTR EINVAL EPERM"),
#ifdef SYS_io_pgetevents
	CALL(io_pgetevents, NOTHING, "EINTR EINVAL EPERM"),
#endif
	CALL(io_destroy, NOTHING, "EINVAL"),
	CALL(epoll_create1, NOTHING, "EMFILE ENOMEM"),
	CALL(epoll_ctl, NOTHING, "ENOMEM ENOSPC EPERM"),
#ifdef SYS_epoll_wait
	CALL(epoll_wait, NOTHING, "EINTR"),
#endif
	CALL(epoll_pwait, NOTHING, "EINTR"),
#ifdef SYS_poll
	CALL(poll, NOTHING, "EINTR ENOMEM"),
#endif
	CALL(ppoll, NOTHING, "EINTR ENOMEM"),
	CALL(eventfd2, NOTHING, "EMFILE ENOMEM"),
	CALL(signalfd4, NOTHING, "EMFILE ENOMEM"),
	CALL(timerfd_create, NOTHING, "EMFILE ENOMEM"),
	CALL(timerfd_settime, NOTHING, "EINVAL"),
	CALL(mmap, FD, "ENOMEM"),
	CALL(munmap, NOTHING, "ENOMEM"),
	CALL(mremap, NOTHING, "ENOMEM"),
	CALL(mprotect, NOTHING, "ENOMEM"),
	CALL(madvise, NOTHING, "ENOMEM EINVAL"),
#ifdef SYS_clone3
	CALL(clone3, NOTHING, "EAGAIN ENOMEM"),
#endif
	CALL(fstat, FD, "EIO ENOMEM"),
#ifdef SYS_newfstatat
	CALL(newfstatat, AT_PATH, "EACCES EIO ENOENT"),
#endif
	CALL(statx, AT_PATH, "EACCES EIO ENOENT ENOMEM"),
	CALL(fstatfs, FD, "EIO ENOSYS"),
	CALL(statfs, PATH, "EIO"),
	CALL(ioctl, FD, "EIO ENOTTY EPERM"),
	CALL(fcntl, FD, "EINVAL EMFILE"),
	CALL(dup, FD, "EMFILE"),
#ifdef SYS_dup2
	CALL(dup2, FD, "EMFILE EINTR"),
#endif
	CALL(dup3, FD, "EMFILE EINTR"),
	CALL(cachestat, FD, "ENOSYS EOPNOTSUPP"),
#ifdef SYS_rename
	CALL(rename, PATH, "EACCES ENOSPC EIO EXDEV"),
	CALL(unlink, PATH, "EACCES EIO"),
	CALL(readlink, PATH, "EACCES ENOENT EINVAL"),
	CALL(access, PATH, "EACCES ENOENT"),
	CALL(link, PATH, "EPERM EEXIST"),
#endif
	CALL(renameat, AT_PATH, "EACCES ENOSPC EIO EXDEV"),
	CALL(renameat2, AT_PATH, "EACCES ENOSPC EIO EINVAL"),
	CALL(unlinkat, AT_PATH, "EACCES EIO"),
	CALL(readlinkat, AT_PATH, "EACCES ENOENT EINVAL"),
	CALL(linkat, AT_PATH, "EPERM ENOENT EEXIST"),
	CALL(faccessat, AT_PATH, "EACCES ENOENT"),
	CALL(faccessat2, AT_PATH, "EACCES ENOENT"),
	CALL(fchmod, FD, "EPERM EROFS EIO"),
	CALL(fchmodat, AT_PATH, "EPERM EROFS"),
	CALL(fchown, FD, "EPERM EROFS EIO"),
	CALL(fchownat, AT_PATH, "EPERM EROFS"),
	CALL(utimensat, AT_PATH, "EPERM"),
	CALL(fgetxattr, FD, "ENODATA EOPNOTSUPP"),
	CALL(fsetxattr, FD, "EPERM EOPNOTSUPP ENOSPC"),
	CALL(fremovexattr, FD, "EPERM EIO ENODATA"),
	CALL(getxattr, PATH, "ENODATA EOPNOTSUPP EIO"),
	CALL(flistxattr, FD, "EOPNOTSUPP EIO"),
	CALL(getdents64, FD, "EIO ENOENT"),
	CALL(getcwd, NOTHING, "ENOENT EACCES"),
	CALL(getrandom, NOTHING, "EINTR ENOSYS EAGAIN"),
	CALL(memfd_create, NOTHING, "EMFILE ENOMEM"),
	CALL(pipe2, NOTHING, "EMFILE"),
	CALL(prlimit64, NOTHING, "EPERM"),
	CALL(setrlimit, NOTHING, "EPERM"),
	CALL(sysinfo, NOTHING, "EFAULT"),
	CALL(uname, NOTHING, "EFAULT"),
	CALL(sched_getaffinity, NOTHING, "EINVAL"),
	CALL(sched_setscheduler, NOTHING, "EPERM"),
	CALL(socket, NOTHING, "EACCES EMFILE"),
	CALL(clock_nanosleep, NOTHING, "EINTR"),
	CALL(bpf, NOTHING, "EPERM"),
#undef CALL
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

// The call that is to fail; nr is -1 if none is.
struct fault {
	int nr;
	unsigned long number;
	int error;
};

static unsigned long seen[NR_CALLS];
static bool is_main_reached;

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(125);
}

static long long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// All calls are told, but for the one that carries the listener to us.
static int
listen_to_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

static _Noreturn void
run_program(int socket, char **argv)
{
	union control control = { .header = {
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	} };
	char byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	const int listener = listen_to_calls();
	if (listener < 0)
		die("seccomp");
	memcpy(CMSG_DATA(&control.header), &listener, sizeof(listener));
	if (sendmsg(socket, &message, 0) < 0)
		_exit(125);
	execvp(argv[0], argv);
	_exit(127);
}

static int
receive_listener(int socket)
{
	union control control;
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int listener;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0 ||
	    CMSG_FIRSTHDR(&message) == NULL)
		exit(125); // and the child has said why
	memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return listener;
}

// One line of text, whatever the name holds.
static void
print_name(FILE *log, const char *name, size_t length)
{
	for (size_t i = 0; i < length && name[i] != '\0'; i++)
		fputc(name[i] < ' ' ? '?' : name[i], log);
}

// The bytes at an address of the program, as many of them as there are.
static size_t
peek(const struct seccomp_notif *told, uint64_t from, void *ret, size_t size)
{
	struct iovec ours = { ret, size };
	struct iovec theirs = { (void *)(uintptr_t)from, size };
	const ssize_t length = process_vm_readv((pid_t)told->pid, &ours, 1,
						&theirs, 1, 0);

	return length > 0 ? (size_t)length : 0;
}

static void
print_file(FILE *log, const struct seccomp_notif *told, int fd)
{
	char name[4096], link[64];

	snprintf(link, sizeof(link), "/proc/%u/fd/%d", told->pid, fd);
	const ssize_t length = readlink(link, name, sizeof(name));
	if (length > 0)
		print_name(log, name, (size_t)length);
}

// Requests that are submitted together go to one file, one way.
static struct iocb
peek_requests(const struct seccomp_notif *told)
{
	struct iocb sum = {0}, request;
	uint64_t bytes = 0, address;

	for (uint64_t i = 0; i < told->data.args[1]; i++) {
		if (peek(told, told->data.args[2] + i * sizeof(address),
			 &address, sizeof(address)) < sizeof(address) ||
		    peek(told, address, &request, sizeof(request)) <
			    sizeof(request))
			break;
		bytes += request.aio_nbytes;
		sum = request;
	}
	sum.aio_nbytes = bytes;
	return sum;
}

static void
print_about(FILE *log, const struct seccomp_notif *told, enum about about)
{
	char name[256];
	size_t length = 0;

	if (about == NOTHING)
		return;
	if (about == REQUESTS) {
		print_file(log, told, (int)peek_requests(told).aio_fildes);
		return;
	}
	if (about != FD)
		length = peek(told, told->data.args[about == AT_PATH], name,
			      sizeof(name));
	if (length > 0 && name[0] != '\0')
		print_name(log, name, length);
	else
		print_file(log, told, (int)told->data.args[0]);
}

static void
print_args(FILE *log, const struct seccomp_notif *told, enum about about)
{
	fprintf(log, "%lld", (long long)told->data.args[0]);
	for (int i = 1; i < 4; i++)
		fprintf(log, " %#llx", (long long)told->data.args[i]);
	if (about == REQUESTS) {
		const struct iocb sum = peek_requests(told);

		fprintf(log, " %d %llu %d", sum.aio_lio_opcode,
			(unsigned long long)sum.aio_nbytes,
			(int)sum.aio_fildes);
	}
}

// Counts it; true if it is the one that is to fail.
static bool
log_call(FILE *log, const struct seccomp_notif *told,
	 const struct fault *fault)
{
	bool is_failed;
	size_t i = 0;

	if (told->data.nr == SYS_fcntl &&
	    told->data.args[0] == STDERR_FILENO &&
	    told->data.args[1] == F_GETFD && !is_main_reached) {
		is_main_reached = true;
		return false;
	}
	while (i < NR_CALLS && calls[i].nr != told->data.nr)
		i++;
	if (!is_main_reached || i == NR_CALLS)
		return false;
	seen[i]++;
	is_failed = fault->nr == told->data.nr && fault->number == seen[i];
	fprintf(log, "%s\t%lu\t", calls[i].name, seen[i]);
	print_about(log, told, calls[i].about);
	fputc('\t', log);
	print_args(log, told, calls[i].about);
	fprintf(log, "\t%s\t%s\n", is_failed ? "failed" : "",
		calls[i].errnos);
	return is_failed;
}

// Answers one call; what was told may be gone by then.
static void
answer(int listener, FILE *log, const struct fault *fault)
{
	struct seccomp_notif told = {0};
	struct seccomp_notif_resp reply = {0};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &told) < 0)
		return;
	reply.id = told.id;
	if (log_call(log, &told, fault))
		reply.error = -fault->error;
	else
		reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

// Until the program has ended, or the time has.
static bool
serve(int listener, FILE *log, const struct fault *fault, long long end_ms)
{
	for (;;) {
		struct pollfd told = { .fd = listener, .events = POLLIN };
		const long long left = end_ms - now_ms();

		if (left <= 0 || poll(&told, 1, (int)left) == 0)
			return false;
		if (told.revents & POLLIN)
			answer(listener, log, fault);
		else if (told.revents)
			return true;
	}
}

static void
parse_fault(struct fault *ret, char **argv)
{
	for (size_t i = 0; i < NR_CALLS; i++)
		if (strcmp(calls[i].name, argv[0]) == 0)
			ret->nr = calls[i].nr;
	if (ret->nr < 0) {
		fprintf(stderr, "fault: not in the table: %s\n", argv[0]);
		exit(125);
	}
	ret->number = strtoul(argv[1], NULL, 10);
	ret->error = atoi(argv[2]);
}

int
main(int argc, char **argv)
{
	struct fault fault = { .nr = -1 };
	int sockets[2], status;
	const int at = argc > 6 && strcmp(argv[6], "--") == 0 ? 7 : 4;

	if (argc <= at || strcmp(argv[at - 1], "--") != 0) {
		fputs("usage: fault LOG SECONDS [NAME NUMBER ERRNO] -- "
		      "PROGRAM [ARGUMENT]...\n", stderr);
		return 125;
	}
	if (at == 7)
		parse_fault(&fault, argv + 3);
	FILE *log = fopen(argv[1], "we");
	if (log == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		die(argv[1]);
	const pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		run_program(sockets[1], argv + at);
	close(sockets[1]);
	// Ours would keep a pipe open that the program has closed.
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	const bool has_ended = serve(receive_listener(sockets[0]), log, &fault,
				     now_ms() + atoi(argv[2]) * 1000LL);
	if (!has_ended)
		kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (!has_ended)
		fputs("hang\n", log);
	else if (WIFSIGNALED(status))
		fprintf(log, "signal %d\n", WTERMSIG(status));
	else
		fprintf(log, "exit %d\n", WEXITSTATUS(status));
	if (fclose(log) != 0 || !has_ended || !WIFEXITED(status))
		return 125;
	return WEXITSTATUS(status);
}
