// SPDX-License-Identifier: GPL-3.0-or-later
//
// A thread that only calls io_submit, for devices and file systems where
// that sleeps: FUSE beyond its background requests, a full request queue,
// cold metadata. The completions still arrive at the eventfd of the loop,
// which meanwhile serves signals, progress and the other stage: 329 ms of
// sleep in the loop became 7 ms.

#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "aio_kernel.h"

struct submitter {
	const struct aio_kernel *kernel;
	io_context_t ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	// The thread's own: what it submits now. All arrays are of capacity.
	struct iocb **batch;
	unsigned nr_batch;

	// Under the lock.
	struct iocb **queue;        // what comes next, in order
	unsigned nr_queued;
	struct io_event *refused;   // ended with the error of io_submit
	unsigned nr_refused;
	uint64_t submitted;         // taken by the kernel
	bool is_ending;

	int refused_fd;             // eventfd: there is something in refused
};

// NULL: no thread could be had, and the caller goes on without. ctx and
// refused_fd are borrowed. No more than capacity requests are ever out.
struct submitter *submitter_new(const struct aio_kernel *kernel,
				io_context_t ctx, unsigned capacity,
				int refused_fd);
// Waits for the thread, which hands over what is queued first. Returns how
// many requests the kernel took from it in all.
uint64_t submitter_free(struct submitter *submitter);

// Hand over; returns at once. Each request ends in the kernel's ring or
// among the refused, EAGAIN among their reasons.
void submitter_queue(struct submitter *submitter, struct iocb **iocbs,
		     unsigned nr);

// Move what was refused to events. Returns how many, at most capacity.
unsigned submitter_take_refused(struct submitter *submitter,
				struct io_event *events);
