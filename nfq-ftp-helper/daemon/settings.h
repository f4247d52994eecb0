/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings - what may change while the daemon runs.
 *
 * The main thread publishes it as a snapshot (figures/snapshot.h). A worker looks at its tick whether there is a newer one than it has, and takes
 * that over, whole. So no packet waits for a lock, and none sees half a change.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "figures/snapshot.h"
#include "options.h"

struct settings {
	struct policy policy;
	uint32_t expect_timeout;
	_Alignas(8) char end[8]; /* whole words */
};

/* Zeroed at first: nothing has been published. */
struct settings_place {
	atomic_uint version;
	atomic_ulong words[SNAPSHOT_WORDS(struct settings)];
};

/* Publish what of @options may change. */
void settings_publish(struct settings_place *place, const struct options *options);

/**
 * settings_news - what has been published since
 * @version: of what the caller has; 0: the options that the daemon began with. It is that of @news then
 *
 * Return: false: nothing.
 */
bool settings_news(const struct settings_place *place, unsigned int *version, struct settings *news);

#endif
