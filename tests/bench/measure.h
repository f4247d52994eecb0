/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure - what the benchmarks of the engine count with: time, instructions and allocations.
 *
 * Results are lines of text, fields separated by tabs, for scripts/bench to make a table of:
 *
 *	time	NAME	MEDIAN	FASTEST		nanoseconds a packet, over all rounds
 *	packets	NAME	COUNT			under callgrind: how many packets the parts of this name have measured
 *	figure	NAME	VALUE			anything else
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds, of a clock that does not step. */
uint64_t measure_clock(void);

/* Does this run under valgrind, which counts instructions and makes time meaningless? */
bool measure_instructions(void);

/* What lies between these two is measured by callgrind, as one part of its output, described by @name. */
void measure_begin(void);
void measure_end(const char *name, size_t packets);

/* Figures of several rounds. */
struct samples {
	double *values; /* nanoseconds a packet */
	size_t count;
	size_t capacity;
};

void samples_add(struct samples *samples, double value);
double samples_median(struct samples *samples);
double samples_least(const struct samples *samples);
void samples_free(struct samples *samples);

/* Allocations since the last call, by anybody in this process but between the two below. */
size_t measure_allocations(void);

/* What follows may allocate: the model's memory is not the engine's. */
void measure_allowed(bool allowed);

/* Say why, and end. */
void measure_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
