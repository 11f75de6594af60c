// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel boundary. Requests are queued one by one and handed over once
// a step; their completions come back through the callback that the job put
// into iocb.data, fired here as callback(ctx, obj, res, res2).
//
// io_submit can sleep, too, and nothing tells before: threads may do the
// submitting, one for reads and one for writes, so that neither stage waits
// for the disk of the other; the loop then only reaps.
//
// There are two ways to carry out a request, and one to hear of its end:
// - kernel AIO: io_submit, an eventfd that counts completions, and
//   io_getevents for exactly as many as were counted;
// - inline: pread or pwrite right at submit, for what would only sleep in
//   io_submit (the page cache), and where the kernel refuses AIO.
//
// Rules of the kernel that the code follows, measured on 6.18:
// - the event is in the ring before the eventfd counts it, so n counted
//   events can be reaped without sleeping. Reaping one that is not counted
//   yet leaves the counter ahead, and a later wake-up sleeps for ever;
// - io_submit may take fewer than it was given; an error concerns the first
//   one only; EAGAIN is over when a completion has been reaped;
// - libaio returns -errno and leaves errno alone; io_event.res is unsigned
//   and holds a negative errno: cast it to long.

#pragma once

#include <libaio.h>
#include <stdbool.h>
#include <stdint.h>

#include "aio_kernel.h"

extern const struct aio_kernel aio_kernel_linux;

struct aio_counters {
	uint64_t submitted;   // taken by io_submit
	uint64_t announced;   // counted by the eventfd
	uint64_t reaped;      // got from io_getevents
	uint64_t inlined;     // carried out by pread or pwrite
	uint64_t stalls;      // the loop was away longer than 20 ms at submit
	uint64_t longest_ns;  // the longest it was
};

struct submitter;

#define AIO_NR_SUBMITTERS 2

struct aio {
	const struct aio_kernel *kernel; // NULL: inline only
	io_context_t ctx;
	int eventfd;                     // -1: inline only
	unsigned depth;

	// Arrays of depth: a job has one request at a time.
	struct iocb **queue;
	unsigned nr_queued;
	struct iocb **inline_queue;
	unsigned nr_inline;
	struct io_event *ready;          // ended without the kernel's ring
	unsigned nr_ready;
	struct io_event *events;         // room for what is being fired

	unsigned nr_out;                 // requests that have not ended

	struct submitter *submitters[AIO_NR_SUBMITTERS]; // by enum job_op;
					 // all NULL: io_submit by ourselves
	struct iocb **batch;             // room for what goes to one of them
	int refused_fd;                  // readable: they have refused some
	struct aio_counters counters;
};

// kernel NULL: inline only. -errno: nothing was taken; -EAGAIN when
// fs.aio-max-nr is used up.
int aio_init(struct aio *aio, const struct aio_kernel *kernel,
	     unsigned depth);

// Asserts submitted == announced == reaped, unless the context was lost.
// The counters stay to be read.
void aio_done(struct aio *aio);

// Let threads do the submitting. Without them, if none can be had, all goes
// on, and the loop sleeps where io_submit does.
void aio_start_submitters(struct aio *aio);

// The two together, for a kernel that has shown that it works: one byte has
// gone the whole way round, since containers let io_setup pass and refuse
// io_getevents. -errno: that of the call that failed; nothing was taken.
int aio_open(struct aio *aio, const struct aio_kernel *kernel,
	     unsigned depth);

void aio_queue(struct aio *aio, struct iocb *iocb);
void aio_queue_inline(struct aio *aio, struct iocb *iocb);

// Hand over what is queued: first to the kernel, so that it works while
// the inline ones are carried out. What the kernel has no room for stays
// queued for the next time.
void aio_submit(struct aio *aio);

// The eventfd is readable: take its count.
void aio_on_announced(void *aio);
// The other one is: take what could not be submitted.
void aio_on_refused(void *aio);

// Fire the callbacks of what has ended. -errno: the kernel refuses to give
// events out; all requests have ended then, with results unknown, and
// nothing more may be queued for it.
int aio_reap(struct aio *aio);

// Completions cannot be had any more: wait until the kernel has done with
// all buffers, without learning how each request ended.
void aio_abandon(struct aio *aio);

// There is something to reap or to hand over without waiting.
bool aio_has_work(const struct aio *aio);
