// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allocations are counted by standing in front of the C library's malloc(): a program's own definition wins over the
 * library's, for the library as well. Sanitizers do the same, so it is left out there.
 */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __has_include
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name) ((void)(name))
#endif

static size_t allocations;
static bool allocations_allowed;

uint64_t measure_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool measure_instructions(void)
{
	return RUNNING_ON_VALGRIND;
}

void measure_begin(void)
{
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
}

void measure_end(const char *name, size_t packets)
{
	CALLGRIND_DUMP_STATS_AT(name);
	CALLGRIND_STOP_INSTRUMENTATION;
	if (measure_instructions())
		printf("packets\t%s\t%zu\n", name, packets);
}

void samples_add(struct samples *samples, double value)
{
	if (samples->count == samples->capacity) {
		const size_t capacity = samples->capacity ? samples->capacity * 2 : 64;
		double *values = realloc(samples->values, capacity * sizeof(*values));

		if (!values)
			measure_fail("out of memory");
		samples->values = values;
		samples->capacity = capacity;
	}
	samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_median(struct samples *samples)
{
	if (!samples->count)
		return 0;
	qsort(samples->values, samples->count, sizeof(*samples->values), compare);
	return samples->values[samples->count / 2];
}

double samples_least(const struct samples *samples)
{
	double least = samples->count ? samples->values[0] : 0;

	for (size_t i = 1; i < samples->count; i++)
		if (samples->values[i] < least)
			least = samples->values[i];
	return least;
}

void samples_free(struct samples *samples)
{
	free(samples->values);
	*samples = (struct samples){ 0 };
}

void measure_fail(const char *format, ...)
{
	va_list arguments;

	fputs("engine: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/* ---- allocations ---- */

size_t measure_allocations(void)
{
	const size_t seen = allocations;

	allocations = 0;
	return seen;
}

void measure_allowed(bool allowed)
{
	allocations_allowed = allowed;
}

#if !defined(__SANITIZE_ADDRESS__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	allocations += !allocations_allowed;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations += !allocations_allowed;
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	allocations += !allocations_allowed;
	return __libc_realloc(memory, size);
}
#endif
