// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A thread for each hash. What is handed over goes through all of them, in that
// order; they take from one queue, each at its own pace. One thread hands over.

#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"

struct hooks;

#define WORKERS_QUEUE 1024

struct workers_part {
	uint64_t off;
	const void *buf;      // stays as it is until it is done
	size_t len;
	bool is_end;          // it all ends at off
};

struct workers {
	struct worker {
		struct workers *workers;
		struct hash hash;  // the thread's alone while parts are under
				   // way
		pthread_t thread;
		bool has_thread;
		uint64_t nr_done;  // parts, under the lock
	} all[HASH_NR];
	unsigned nr;
	int fd;                    // an eventfd: nr_done has grown
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_cond_t done;       // some worker is through a part

	// Under the lock.
	struct workers_part parts[WORKERS_QUEUE];
	uint64_t nr_put;           // changed by who hands over alone
	bool is_ending;

	atomic_bool is_cancelled;  // for hash_init
};

// 0 or -errno; workers_done in any case, which cancels what is under way.
int workers_init(struct workers *workers);
void workers_done(struct workers *workers);

// Before anything is handed over: one more, whose hash the caller inits, and
// hands the result of that to workers_start. 0 or -errno, also that one.
struct hash *workers_add(struct workers *workers);
int workers_start(struct workers *workers, int r);

// At most WORKERS_QUEUE are under way at a time.
void workers_put(struct workers *workers, struct workers_part part);
// How many parts are through all of them.
uint64_t workers_nr_done(struct workers *workers);
// Sleep until so many are.
void workers_wait(struct workers *workers, uint64_t nr);
// The same of all that was put, while hooks are served; NULL: no hooks. 0 or
// -ECANCELED.
int workers_serve(struct workers *workers, const struct hooks *hooks);

// Nobody wants the results any more: what is under way is through at once.
void workers_cancel(struct workers *workers);
// All threads are through, and end: the hashes are the caller's.
void workers_end(struct workers *workers);
