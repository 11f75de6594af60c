// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Everything that goes to standard error: "NAME: text[: reason]", and the
// statistics. NAME is what the program was called by.

#pragma once

#include <stdbool.h>

// name: argv[0]. Called as dd, the messages are dd's to the letter; else
// those about data say where.
void message_init(const char *name);

const char *message_name(void);
bool message_is_dd(void);

// error: a positive errno to explain, or 0.
__attribute__((format(printf, 2, 3))) void message_error(int error,
							 const char *fmt, ...);
// One line: the name and the text.
void message_line(const char *text);

// The texts of message_error go to take, which prints what is to be printed.
void message_divert(void (*take)(void *ctx, const char *text), void *ctx);

// And where to find help.
void message_usage_hint(void);

// Text as it is, in one write.
void message_text(const char *text);

// A line that is drawn over and over is open: the next message begins below
// it.
void message_open_line(const char *text);
void message_close_line(void);
bool message_has_open_line(void);

// Something could not be written to standard error.
bool message_has_failed(void);
void message_fail(void);
