// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The buffer that a job which was read lends to those that write its bytes, its
// legs. A leg whose writer may fill up the last block has a copy: the others
// have something else behind the last byte.

#pragma once

#include <stddef.h>

struct job;

// leg has its writer, and the bytes it wants. -ENOMEM: it cannot write them;
// loan_end is to be called all the same.
int loan_begin(struct job *leg, struct job *lender);
// The lender that was, NULL: it is given back already.
struct job *loan_end(struct job *leg);
// The kernel may have the buffer to the end of the process: there it stays, and
// the lender gets another one of len bytes. -ENOMEM: it did not.
int loan_leave(struct job *leg, size_t len);
