// SPDX-License-Identifier: GPL-3.0-or-later
//
// What objects are made of: libjansson, loaded when it is needed, and values
// as JSON has them. Only in builds with HAVE_JANSSON.

#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

// The functions of the library, after element_load. What they make has one
// owner; NULL: no memory.
extern struct element_library {
	__typeof__(&json_pack) pack;
	__typeof__(&json_null) null;
	__typeof__(&json_stringn) string;
	__typeof__(&json_integer) integer;
	__typeof__(&json_real) real;
	__typeof__(&json_object) object;
	__typeof__(&json_object_set_new) set;
	__typeof__(&json_object_update) update;
	__typeof__(&json_array) array;
	__typeof__(&json_array_append_new) append;
	__typeof__(&json_dumps) dumps;
	__typeof__(&json_delete) delete;
} element;

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
