// SPDX-License-Identifier: GPL-3.0-or-later
//
// One job: a request to the kernel with the buffer it fills and empties.
//
// The job embeds its iocb, so a completion leads back to it by container_of
// from io_event.obj; iocb.data carries the callback and nothing else. The
// same job, iocb and buffer serve the read and then the write.
//
// The state says who owns the buffer; there is no second flag:
//
//   state    owner   entered by                     left by
//   FREE     ring    start; written; nothing read   reader_start
//   READING  kernel  reader_start, and again for    reader_on_done
//                    the rest of a short read
//   FILLED   core    reader_on_done                 ring_fill, in order
//                                                   where order is asked
//   READY    core    ring_fill                      writer_start
//   WRITING  kernel  writer_start, and again for    writer_on_done
//                    the rest of a short write
//
// A buffer is not touched, let alone freed, while its job is READING or
// WRITING: on failure nothing new is started and all is waited for.

#pragma once

#include <libaio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;
struct writer;

enum job_state {
	JOB_FREE,
	JOB_READING,
	JOB_FILLED,
	JOB_READY,
	JOB_WRITING,
	JOB_NR_STATES,
};

struct job {
	struct iocb iocb;
	enum job_state state;     // assigned by job_move only

	// Set once by the ring and the stages.
	unsigned char *buf;       // job_size bytes, page-aligned
	struct reader *reader;    // the callbacks find their stage here
	struct writer *writer;

	// What it carries.
	uint64_t off;             // from the start of the stretch
	size_t want;              // bytes to read
	size_t len;               // bytes read so far
	size_t done;              // bytes of len written so far

	// How the request in hand is carried out.
	bool is_inline;           // by pread or pwrite, not by kernel AIO
	bool is_direct_refused;   // EINVAL once: this transfer goes inline
};

enum job_op { JOB_READ, JOB_WRITE };

struct job_io {
	enum job_op op;
	int fd;
	uint64_t pos;             // in the file
	size_t from;              // in the buffer
	size_t len;
	io_callback_t on_done;
	int eventfd;              // -1 for an inline request
};

// The only caller of io_prep_*, which clear the callback, the eventfd and
// the flags: everything that a submission needs is set here, together.
void job_prep(struct job *job, const struct job_io *io);

// The only place that assigns the state. Asserts that the move is legal.
void job_move(struct job *job, enum job_state to);
