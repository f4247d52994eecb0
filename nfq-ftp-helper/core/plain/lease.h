/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease - for how long the module leaves all of it to user space, which wants to see everything for a while and says so again and again: so
 * a daemon that is killed leaves nothing behind that somebody would have to mend. Freestanding.
 */
#ifndef CORE_PLAIN_LEASE_H
#define CORE_PLAIN_LEASE_H

#include "core/wire/types.h"

#define LEASE_MOST 60000u /* milliseconds at a time */

/*
 * When it ends, in milliseconds modulo 2^32; one that is over is not looked at any more, and so comes back for a minute in 49 days, which
 * costs speed and nothing else.
 */
struct lease {
	uint32_t until;
};

/* Return: so many milliseconds are left; 0: it is over. */
static inline uint32_t lease_left(const struct lease *lease, uint32_t now)
{
	const uint32_t left = lease->until - now;

	return left <= LEASE_MOST ? left : 0;
}

/* So long from now at least: whoever wants less takes nothing from others. */
static inline void lease_take(struct lease *lease, uint32_t now, uint32_t milliseconds)
{
	const uint32_t wanted = milliseconds < LEASE_MOST ? milliseconds : LEASE_MOST;

	if (wanted > lease_left(lease, now))
		lease->until = now + wanted;
}

#endif
