// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine of kernel AIO: io_submit, an eventfd that counts completions, and
// io_getevents for exactly as many as were counted.
//
// io_submit can sleep, too, and nothing tells before: threads may do the
// submitting, one for reads and one for writes, so that neither stage waits
// for the disk of the other; the loop then only reaps.
//
// Rules of the kernel that the code follows, measured on 6.18:
// - the event is in the ring before the eventfd counts it, so n counted
//   events can be reaped without sleeping. Reaping one that is not counted
//   yet leaves the counter ahead, and a later wake-up sleeps for ever;
// - io_submit may take fewer than it was given; an error concerns the first
//   one only;
// - libaio returns -errno and leaves errno alone; io_event.res is unsigned
//   and holds a negative errno: cast it to long;
// - io_destroy sleeps for two RCU grace periods, about 30 ms.

#pragma once

#include "aio_kernel.h"
#include "engine.h"

struct submitter;

enum kaio_submitter { KAIO_READS, KAIO_WRITES, KAIO_NR_SUBMITTERS };

struct kaio {
	struct engine engine;            // news_fd is the eventfd
	const struct aio_kernel *kernel;
	struct submitter *submitters[KAIO_NR_SUBMITTERS];
	struct iocb **batch;             // room for what goes to one of them
	uint64_t counted;                // by the eventfd: announced, and
	struct aio_counters *counters;
};

// For at most depth requests at a time. kernel and counters are borrowed; what
// was submitted is in them when it is freed. io_submit is called by whoever
// queues. -errno: nothing was taken; -EAGAIN when fs.aio-max-nr is used up.
int kaio_new(struct kaio **ret, const struct aio_kernel *kernel, unsigned depth,
	     struct aio_counters *counters);

// Let threads do the submitting. A side that can have none sleeps in the loop
// where io_submit does.
void kaio_start_submitters(struct kaio *kaio);

// The two together, for a kernel that has shown that it works: one byte has
// gone the whole way round, since containers let io_setup pass and refuse
// io_getevents. -errno: that of the call that failed; nothing was taken.
int kaio_open(struct engine **ret, const struct aio_kernel *kernel,
	      unsigned depth, struct aio_counters *counters);
