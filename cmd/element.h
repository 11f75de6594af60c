// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What objects are made of: libjansson, loaded when it is needed, and values
// as JSON has them. Only in builds with HAVE_JANSSON.

#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lazy.h"

#define ELEMENT(X)				\
	X(pack, json_pack)			\
	X(null, json_null)			\
	X(string, json_stringn)			\
	X(integer, json_integer)		\
	X(real, json_real)			\
	X(object, json_object)			\
	X(set, json_object_set_new)		\
	X(update, json_object_update)		\
	X(array, json_array)			\
	X(append, json_array_append_new)	\
	X(dumps, json_dumps)			\
	X(delete, json_delete)

// The functions of the library, after element_load. What they make has one
// owner; NULL: no memory.
extern LAZY_STRUCT(element_library, ELEMENT) element;

// 0 or -errno, told.
int element_load(void);

// A name is bytes, JSON is UTF-8: a byte that is no character is U+FFFD and
// two hex digits, and so is U+FFFD itself. NULL is null.
json_t *element_string(const char *text);
// null where it is not known.
json_t *element_number(uint64_t n, bool is_known);

// malloc'd, of an object that is deleted; NULL: no memory. flags: those of
// json_dumps. A line ends with a newline.
char *element_text(json_t *object, size_t flags);
char *element_line(json_t *object);
