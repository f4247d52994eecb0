/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock - what time it is, by whichever clock: CLOCK_MONOTONIC for how long something takes, since nobody sets it.
 */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What workers and sessions, and all that is told of them, go by, in milliseconds: it goes on while the machine sleeps. */
static inline uint64_t clock_of_sessions(void)
{
	return (uint64_t)clock_milliseconds(CLOCK_BOOTTIME);
}

#endif
