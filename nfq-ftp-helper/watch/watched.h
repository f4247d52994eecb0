/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watched - how the rules stand, for other threads than the one that hears of it.
 */
#ifndef WATCH_WATCHED_H
#define WATCH_WATCHED_H

#include <stdatomic.h>
#include <stdint.h>

enum watched_state {
	WATCHED_NOT,   /* nobody looks */
	WATCHED_NEVER, /* none has been seen in place so far */
	WATCHED_THERE,
	WATCHED_GONE, /* some of them */
};

/* Zeroed at first. */
struct watched {
	atomic_uint state;	   /* enum watched_state */
	atomic_uint missing;	   /* places (standing.h) */
	_Atomic uint64_t changed;  /* when it became so, milliseconds, of the workers' clock */
	_Atomic uint64_t gone;	   /* how often they have gone, ... */
	_Atomic uint64_t back;	   /* ... were back, ... */
	_Atomic uint64_t put_back; /* ... and were put back by this program */
};

static inline uint64_t watched_number(const _Atomic uint64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

#endif
