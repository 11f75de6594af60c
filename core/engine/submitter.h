// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What calls io_submit. A thread of its own may do so, for devices and file
// systems where that sleeps: FUSE beyond its background requests, a full
// request queue, cold metadata. The completions still arrive at the eventfd of
// the loop, which meanwhile serves signals, progress and the other stage:
// 329 ms of sleep in the loop became 7 ms.

#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "aio_kernel.h"

struct submitter {
	const struct aio_kernel *kernel;
	io_context_t ctx;
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	// Of who submits: what goes out now. All arrays are of capacity.
	struct iocb **batch;
	unsigned nr_batch;

	// Under the lock.
	struct iocb **queue;        // what comes next, in order
	unsigned nr_queued;
	struct io_event *refused;   // ended with the error of io_submit
	unsigned nr_refused;
	uint64_t all_refused;       // with those that were taken
	uint64_t submitted;         // taken by the kernel
	bool is_ending;

	int refused_fd;             // eventfd: one for each of refused
};

// NULL: no memory. ctx and refused_fd are borrowed. No more than capacity
// requests are ever out.
struct submitter *submitter_new(const struct aio_kernel *kernel,
				io_context_t ctx, unsigned capacity,
				int refused_fd);
// From now on a thread calls io_submit. -errno: it is still who queues.
int submitter_start(struct submitter *submitter);
// Waits for the thread, which hands over what is queued first. Returns how
// many requests the kernel took from it in all.
uint64_t submitter_free(struct submitter *submitter);

// Hand over; with a thread this returns at once. Each request ends in the
// kernel's ring or among the refused, EAGAIN among their reasons.
void submitter_queue(struct submitter *submitter, struct iocb **iocbs,
		     unsigned nr);

// Move at most max of what was refused to events; each has been counted by
// refused_fd, or will be. Returns how many; *ret_all: were refused so far, with
// those that are left.
unsigned submitter_take_refused(struct submitter *submitter,
				struct io_event *events, unsigned max,
				uint64_t *ret_all);
