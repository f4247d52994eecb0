/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace - how often a second a client may announce without user space's being asked: a token bucket of two seconds, as the engine's own
 * (core/engine/budget.h), in what the kernel can reckon with. Freestanding.
 */
#ifndef CORE_PLAIN_PACE_H
#define CORE_PLAIN_PACE_H

#include "core/wire/endpoint.h"

#define PACE_DEFAULT 5000    /* announcements a second: the engine's policy */
#define PACE_MOST    1000000 /* of what can be asked for */

/* Of one client, or of several that share it. All zero in the beginning, which is full. */
struct pace {
	uint32_t spent; /* thousandths of an announcement */
	uint32_t seen;	/* milliseconds */
};

/**
 * pace_spend - one more
 * @pace: the client's
 * @rate: announcements a second; 0: none
 * @now: milliseconds, modulo 2^32
 *
 * Return: false where there have been too many; that one does not count.
 */
bool pace_spend(struct pace *pace, uint32_t rate, uint32_t now);

#endif
