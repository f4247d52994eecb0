/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * throttle - lines that a client can bring about as often as he likes: of each client and reason a few are written, the rest is counted,
 * and after a while the log hears how many there were.
 *
 * A client is an IPv4 address or an IPv6 /64. There is room for some hundred at once; where that is not enough whoever came first makes
 * room, and what was left out of his is counted among the others'. Owned by one thread.
 */
#ifndef DAEMON_THROTTLE_H
#define DAEMON_THROTTLE_H

#include "core/wire/endpoint.h"

#include <stdbool.h>

#define THROTTLE_LINES	      3	    /* of a client and reason, in ... */
#define THROTTLE_MILLISECONDS 10000 /* ... this time */
#define THROTTLE_SETS	      64
#define THROTTLE_WAYS	      4

struct throttle_place {
	struct endpoint client; /* family 0: the place is free */
	unsigned int reason;
	uint64_t began; /* milliseconds: its first line */
	uint32_t written;
	uint32_t left_out;
};

/* Zeroed at first. */
struct throttle {
	struct throttle_place places[THROTTLE_SETS][THROTTLE_WAYS];
	uint32_t others;  /* lines left out, whoever's: their places were needed */
	uint64_t settled; /* milliseconds: when these were told last */
};

/* May one more line about this client, for this reason, be written? @now: milliseconds. */
bool throttle_allows(struct throttle *throttle, const struct endpoint *client, unsigned int reason, uint64_t now);

/*
 * Time passes: tell of those whose time is over and of whom something was left out. A @place of family 0 stands for others whose places
 * were needed.
 */
void throttle_tick(struct throttle *throttle, uint64_t now, void (*tell)(const struct throttle_place *place));

#endif
