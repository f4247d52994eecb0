/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings - what may change while the daemon runs: snapshots, numbered, which nobody changes once they are published.
 *
 * The main thread publishes them. A worker looks at its tick whether there is a newer one than it has, copies that, and says so by its
 * number; an older one goes when all workers have the newest. So no packet waits for a lock, and none sees half a change.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "options.h"

#include <stdatomic.h>

struct settings {
	unsigned int generation; /* from 1 on; the options that the daemon began with are 0 */
	struct policy policy;
	uint32_t expect_timeout;
	struct settings *older;
};

/* Zeroed at first: nothing has been published. */
struct settings_place {
	_Atomic(struct settings *) newest;
};

/* Publish what of @options may change. Return: the generation; 0: no memory, and nothing is published. */
unsigned int settings_publish(struct settings_place *place, const struct options *options);

/* The newest; NULL where @generation is. Valid until @generation is said to be newer. */
const struct settings *settings_news(const struct settings_place *place, unsigned int generation);

/* Free all that are older than the newest, where that is @oldest: the oldest generation that a worker has. */
void settings_prune(struct settings_place *place, unsigned int oldest);

/* All of them: there are no workers any more. */
void settings_free(struct settings_place *place);

#endif
