// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Names and words as GNU's messages quote them. What is printable is decided
// by LC_CTYPE. The texts are malloc'd, and the caller frees them; NULL: memory
// is out.

#pragma once

#include <stdbool.h>
#include <stddef.h>

// A terminal shows it, and does nothing else.
bool quote_is_printable(const char *name);

// For a name inside a sentence: always quoted so that a shell reads it back:
// 'f', "it's", 'a'$'\n''b'.
char *quote_name_always(const char *name);

// For a name before a colon: quoted in the same way, but only a name that a
// shell or a reader of the message could misunderstand, and '' for no name.
char *quote_name_colon(const char *name);

// A command, up to NULL, on one line, so that a shell reads it back.
char *quote_command(char *const *argv);

// For a word of dd's own language, len bytes at text: 'word', in UTF-8 with
// the typographic quotes; characters that cannot be shown as in C.
char *quote_symbol(const char *text, size_t len);
