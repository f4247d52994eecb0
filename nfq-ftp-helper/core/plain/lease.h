/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease - for how long the module leaves all of it to user space, which wants to see everything for a while and says so again and again: so
 * a daemon that is killed leaves nothing behind that somebody would have to mend. Freestanding.
 */
#ifndef CORE_PLAIN_LEASE_H
#define CORE_PLAIN_LEASE_H

#include "core/wire/types.h"

#define LEASE_MOST 60u /* seconds at a time */

/*
 * When it ends, in seconds of a clock that begins with the machine; 0: there was none. Of 32 bits: one of milliseconds, or of the kernel's ticks, comes
 * round, at first five minutes after the start, and one that was never taken would hold for the minute before.
 */
struct lease {
	uint32_t until;
};

/* Return: so many seconds are left; 0: it is over. */
static inline uint32_t lease_left(const struct lease *lease, uint32_t now)
{
	const uint32_t left = lease->until - now;

	return left <= LEASE_MOST ? left : 0;
}

/* So long from now at least: whoever wants less takes nothing from others. */
static inline void lease_take(struct lease *lease, uint32_t now, uint32_t seconds)
{
	const uint32_t wanted = seconds < LEASE_MOST ? seconds : LEASE_MOST;

	if (wanted > lease_left(lease, now))
		lease->until = now + wanted;
}

#endif
