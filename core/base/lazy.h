// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Optional libraries, loaded when they are first needed. Linked, libcrypto
// alone took 8 ms of each start, twice what a copy of a small file takes. What
// may be loaded stands in the program for who packages it, as notes:
// https://systemd.io/ELF_DLOPEN_METADATA/. Built with --disable-dlopen the
// libraries are linked, there are no notes, and loading cannot fail.

#pragma once

#include <elf.h>

// The functions of a library: a macro FUNCTIONS(X) that has one line
// X(member, function) for each. LAZY_STRUCT makes a struct of pointers of it.
#define LAZY_MEMBER(member, function) __typeof__(&function) member;
#define LAZY_NAME(member, function) #function "\0"
#define LAZY_VALUE(member, function) .member = function,
#define LAZY_STRUCT(tag, FUNCTIONS) struct tag { FUNCTIONS(LAZY_MEMBER) }

// The library behind the struct NAME, once in the program. It makes
// int load_NAME(void), which sets all members: 0, or -ENOENT if the library or
// one of the functions is missing. feature, description and priority
// ("recommended" or "suggested") are for the note.
#ifdef ENABLE_DLOPEN
#define LAZY_LIBRARY(name, FUNCTIONS, soname, feature, description, priority) \
	LAZY_NOTE(name, "[{\"soname\":[\"" soname "\"],"		      \
		  "\"feature\":\"" feature "\","			      \
		  "\"description\":\"" description "\","		      \
		  "\"priority\":\"" priority "\"}]");			      \
	static int							      \
	load_##name(void)						      \
	{								      \
		return lazy_load(soname, FUNCTIONS(LAZY_NAME), &name);	      \
	}

// The notes lie behind one another: what they are aligned to is said, or the
// compiler takes more, and each is as long as a multiple of that.
#define LAZY_NOTE_TYPE 0x407c0c0a
#define LAZY_NOTE(name, json)						      \
	static const struct {						      \
		Elf32_Nhdr header; /* that of 64 bits is the same */	      \
		char owner[4];						      \
		char text[(sizeof(json) + 3) / 4 * 4];	      \
	} name##_note __attribute__((					      \
		used, aligned(4), section(".note.dlopen"))) = {		      \
		{sizeof("FDO"), sizeof(json), LAZY_NOTE_TYPE}, "FDO", json}

// Load the library and set the pointers at functions, one for each of names,
// which all end in '\0' and the last in two. The library stays loaded. 0, or
// -ENOENT; some of the pointers may be set then.
int lazy_load(const char *soname, const char *names, void *functions);
#else
#define LAZY_LIBRARY(name, FUNCTIONS, soname, feature, description, priority) \
	static int							      \
	load_##name(void)						      \
	{								      \
		name = (__typeof__(name)){FUNCTIONS(LAZY_VALUE)};	      \
		return 0;						      \
	}
#endif
