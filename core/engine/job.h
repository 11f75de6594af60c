// SPDX-FileCopyrightText: 2026 the aiodd authors
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
//   READING  engine  reader_start; it stays so for  ring_fill; ring_put,
//                    the rest of a short read       where nothing came
//   FILLED   core    ring_fill                      ring_fill, at once or
//                                                   when all before it are
//                                                   read; ring_release,
//                                                   with digests
//   READY    core    ring_fill, ring_release; back  writer_start; ring_put,
//                    from WRITING, if it has to be  behind the end of the
//                    written alone                  ring
//   CHECKING engine  writer_start, where what is    writer_start;
//                    there is compared; it stays so ring_put, where
//                    for the rest of a short read   nothing is written
//   WRITING  engine  writer_start; it stays so for  ring_put; or back to
//                    the rest of a short write      READY
//
// The engine is the kernel, or the call that is made in place of it; bytes
// that are known to be zeros pass through READING without a request.
//
// A buffer is not touched, let alone freed, while its job is READING, CHECKING
// or WRITING: on failure nothing new is started and all is waited for.

#pragma once

#include <libaio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct reader;
struct checker;
struct writer;

enum job_state {
	JOB_FREE,
	JOB_READING,
	JOB_FILLED,
	JOB_READY,
	JOB_CHECKING,
	JOB_WRITING,
	JOB_NR_STATES,
};

// How a request is carried out. What one refuses goes the next one's way.
enum job_route {
	JOB_BY_AIO,               // asynchronously: kernel AIO, O_DIRECT
	JOB_BY_CALL,              // pread or pwrite, O_DIRECT
	JOB_BY_CACHE,             // the same, through the page cache
	JOB_BY_HELPER,            // of JOB_CALL, which no other carries out
};

// The first job that went in is the first to come out. {0}: none.
struct job_list {
	struct job *first;
	struct job *last;
};

struct job {
	struct iocb iocb;
	enum job_state state;     // assigned by job_move only

	// Set once by the ring and the stages.
	unsigned char *buf;       // job_size bytes, page-aligned; twice that
	                          // where what is there is compared
	struct reader *reader;    // the callbacks find their stage here
	struct checker *checker;
	struct writer *writer;

	// What it carries.
	uint64_t number;          // of the ring
	uint64_t off;             // from the start of the stretch
	uint64_t skipped;         // bytes before it that need no job
	size_t want;              // bytes to read
	size_t len;               // bytes read so far
	size_t found;             // bytes of len read at the destination
	size_t known;             // of them there already, without a look
	bool is_checked;          // that is all of them, also if it is less
	size_t done;              // bytes of len written so far
	bool is_zeros;            // which were not read, but known

	// Of a copy with several destinations.
	struct job *lender;       // that has the bytes which this one writes
	bool is_copy;             // buf is a copy of them, its own
	unsigned nr_left;         // of those that write its bytes: which are
	                          // not through

	// How what is left of it is carried out.
	enum job_route route;
	bool is_alone;            // while nothing else is written
	size_t piece;             // bytes a request at most, 0: all
	int error;                // why in pieces: positive errno, or 0

	// Of whoever has the job: the ring, while it is FREE or READY, the
	// dispatcher, or its engine.
	struct job *next;
	long res;                 // how the call ended
	void *with;               // what it is with, of several
	bool is_awaited;          // by a thread that sleeps: nobody takes it
};

enum job_op { JOB_READ, JOB_WRITE, JOB_FSYNC, JOB_FDSYNC, JOB_CALL };

// Beside libaio's own: u.c.buf is a struct job_call.
#define JOB_CMD_CALL 64

// What needs more than one system call, or one that libaio does not have; to
// be embedded. Made by a thread of an engine, once at a time: the result is
// that of the request.
struct job_call {
	long (*make)(struct job_call *call, uint64_t pos, uint64_t len);
};

struct job_io {
	enum job_op op;
	enum job_route route;
	struct engine *own;       // that serves the side, whatever the route;
	                          // NULL: those of the route, by fd
	int fd;
	uint64_t pos;             // in the file
	size_t from;              // in the buffer
	size_t len;
	struct job_call *call;    // of JOB_CALL
	io_callback_t on_done;
};

// The only caller of io_prep_*, which clear the callback, the eventfd and
// the flags: everything that a submission needs is set here, together.
// eventfd: of the engine that it goes to, -1: it has none.
void job_prep(struct job *job, const struct job_io *io, int eventfd);

// res may be a refusal and no failure, of this way to carry the request out:
// then the next way is chosen, and it is to be made again. False: there is
// none, or it is an error of the device or the file.
bool job_reroute(struct job *job, long res);

// The only place that assigns the state. Asserts that the move is legal.
void job_move(struct job *job, enum job_state to);

void job_list_put(struct job_list *list, struct job *job);
// NULL: there is none.
struct job *job_list_take(struct job_list *list);
// The ends of at most max of them, with their res. Returns how many.
unsigned job_list_take_events(struct job_list *list, struct io_event *events,
			      unsigned max);
