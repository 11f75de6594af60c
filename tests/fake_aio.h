// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A scripted kernel behind struct aio_kernel, and a copy that runs on it.
//
// Requests wait until the test completes them, in the order it likes. The
// bytes live in memory files: what goes inline finds them there as well. It
// asserts what the real kernel would punish late or never: a request without
// an eventfd, an iocb that is in flight twice, a buffer that is touched
// while the kernel has it, and a call of io_getevents that would sleep or
// ask for more than the eventfd has counted.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aio.h"
#include "copy.h"
#include "kaio.h"
#include "request.h"
#include "stats.h"

enum { FAKE_MAX = 64, FAKE_LOG_MAX = 256, FAKE_NR_FAULTS = 4 };

// A request as the kernel took it.
struct fake_request {
	struct iocb *obj;
	void *data;
	int op; // IO_CMD_PREAD or IO_CMD_PWRITE
	int fd;
	unsigned char *buf;
	size_t len;
	uint64_t pos;
	int eventfd;
	uint64_t sum; // of the buffer, which must not change
};

// Requests on fd that touch a byte of [from, to) end with -error, if to > 0.
struct fake_fault {
	int fd;
	uint64_t from;
	uint64_t to;
	int error;
};

struct fake_aio {
	// The script.
	int setup_error;
	unsigned nr_eagain;  // io_submit refuses so often
	unsigned accept_max; // takes no more in one call; 0: any number
	int first_error;     // of the first iocb, once
	unsigned nr_eintr;   // io_getevents is interrupted so often
	int getevents_error; // from now on
	uint32_t align;	     // else -EINVAL
	size_t short_len;    // so many bytes at most ...
	unsigned nr_short;   // ... of so many requests
	struct fake_fault faults[FAKE_NR_FAULTS];
	bool is_eager;	 // completed in io_submit
	uint64_t random; // seed of a chance order and of chance trouble
	bool is_trouble;
	const struct aio *aio; // whose counters bound io_getevents

	// What happened.
	int depth;
	unsigned nr_submits;
	unsigned nr_reaps;
	struct fake_request log[FAKE_LOG_MAX];
	unsigned nr_log;
	struct fake_request pending[FAKE_MAX];
	unsigned nr_pending;
	struct io_event ready[FAKE_MAX];
	unsigned nr_ready;
	uint64_t nr_completed;
};

extern const struct aio_kernel fake_aio_kernel;

// The next io_setup gets this one.
void fake_aio_use(struct fake_aio *fake);

// Each of these makes events and then counts them; what is pending stands in
// the order in which it was taken.
void fake_aio_complete(struct fake_aio *fake, unsigned pending);
void fake_aio_complete_all(struct fake_aio *fake);
void fake_aio_complete_last(struct fake_aio *fake);
void fake_aio_complete_any(struct fake_aio *fake);

// The eventfd has counted nr so far: what the kernel does between an event and
// its count. Returns how many it had counted.
uint64_t fake_aio_set_count(int eventfd, uint64_t nr);

// Below n, from fake->random.
uint64_t fake_aio_below(struct fake_aio *fake, uint64_t n);

// A copy of one memory file to another. After open the test changes the
// plan and the script at will, then starts.
struct fake_copy {
	struct fake_aio fake;
	struct kaio *kaio; // the engine of aio
	struct aio aio;
	struct side src;
	struct side dst;
	struct plan plan;
	struct request request;
	struct stats stats;
	struct env env;
	struct clear *clear; // NULL: zeros are written, or left out
	const struct side *back; // of a plan that is_compared
	struct differ *differ;
	struct copy copy;
};

enum { FAKE_JOB = 4096, FAKE_ALIGN = 512 };

// src_len bytes of a pattern without zeros; jobs of FAKE_JOB bytes, four of
// them, kernel AIO on both sides.
void fake_copy_open(struct fake_copy *c, size_t src_len);

enum fake_inline { FAKE_INLINE_SRC, FAKE_INLINE_DST };
void fake_copy_make_inline(struct fake_copy *c, enum fake_inline side);

// Of a side that moves no byte.
void fake_copy_make_void(struct plan_side *plan, struct side *side);

void fake_copy_start(struct fake_copy *c);

// The one with buffer number nr: until a job is FREE again, the one that was
// taken as number nr.
struct job *fake_copy_job(struct fake_copy *c, unsigned nr);

// Everything that is under way ends, once; what the callbacks queue for it
// is handed over.
void fake_copy_deliver(struct fake_copy *c);

// One step.
enum copy_verdict fake_copy_step(struct fake_copy *c);

// Steps until the verdict, completing what is pending: one at a time by
// chance if there is a seed, else all, the last first.
enum copy_verdict fake_copy_finish(struct fake_copy *c);

// All is at rest, and the destination begins with n bytes of the source.
void fake_copy_check(const struct fake_copy *c, uint64_t n);

// Asserts that submitted, announced and reaped agree.
void fake_copy_close(struct fake_copy *c);

// All of the above, for a copy that ends with a prefix of n.
void fake_copy_run(struct fake_copy *c, uint64_t n);
