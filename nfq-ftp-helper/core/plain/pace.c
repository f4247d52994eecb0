// SPDX-License-Identifier: GPL-2.0-or-later
#include "pace.h"

#define SECONDS	  2 /* that a bucket holds */
#define THOUSANDS 1000u

/* A thousandth for each announcement a second and millisecond: so no division is needed. */
static void refill(struct pace *pace, uint32_t rate, uint32_t now)
{
	const uint32_t silence = now - pace->seen;
	const uint64_t refilled = (uint64_t)rate * silence;

	pace->seen = now;
	pace->spent = refilled < pace->spent ? pace->spent - (uint32_t)refilled : 0;
}

bool pace_spend(struct pace *pace, uint32_t rate, uint32_t now)
{
	const uint32_t most = rate < PACE_MOST ? rate : PACE_MOST;

	refill(pace, most, now);
	if (pace->spent + THOUSANDS > most * SECONDS * THOUSANDS)
		return false;
	pace->spent += THOUSANDS;
	return true;
}
