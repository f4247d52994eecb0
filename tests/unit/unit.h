/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit - what every unit program includes: cmocka with what it needs before it, and a small generator of numbers that
 * is the same in every run.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

/* Leave the case out, and say what is missing here: scripts/test tells it with the case's name. */
#define unit_skip(why)                                                                                                 \
	do {                                                                                                           \
		print_message("# skipped: %s\n", why);                                                                 \
		skip();                                                                                                \
	} while (0)

/* Memory that is there; free() takes it back. None at all is a byte. */
static inline void *unit_alloc(size_t bytes)
{
	void *memory = malloc(bytes ? bytes : 1);

	if (!memory)
		abort();
	return memory;
}

/* A stream that is there. (An analyser does not know that cmocka's assertions do not return.) */
static inline FILE *unit_stream(FILE *stream)
{
	if (!stream)
		abort();
	return stream;
}

/* Zeros, in whole cache lines, as a table stands in. */
static inline void *unit_alloc_lines(size_t bytes)
{
	const size_t whole = (bytes + 63) / 64 * 64;
	void *memory = aligned_alloc(64, whole);

	if (!memory)
		abort();
	memset(memory, 0, whole);
	return memory;
}

/* xorshift64*: 32 bits. */
static inline uint32_t unit_random(void)
{
	static uint64_t state = 0x853c49e6748fea9bu;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * 0x2545f4914f6cdd1du >> 32);
}

/* 0 to n - 1 */
static inline uint32_t unit_pick(uint32_t n)
{
	return unit_random() % n;
}

static inline void unit_fill(void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((uint8_t *)bytes)[i] = (uint8_t)unit_random();
}

#endif
