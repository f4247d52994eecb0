// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings.h"

#include <string.h>

_Static_assert(sizeof(struct settings) % sizeof(unsigned long) == 0, "they are written by words");

void settings_publish(struct settings_place *place, const struct options *options)
{
	struct settings settings;

	memset(&settings, 0, sizeof(settings));
	settings.policy = options->policy;
	settings.expect_timeout = options->expect_timeout;
	snapshot_write(&place->version, place->words, &settings, SNAPSHOT_WORDS(struct settings));
}

/* Those that are published while they are read are read once more: their version is another. */
bool settings_news(const struct settings_place *place, unsigned int *version, struct settings *news)
{
	const unsigned int newest = atomic_load_explicit(&place->version, memory_order_relaxed);

	if (newest == *version || !snapshot_read(&place->version, place->words, news, SNAPSHOT_WORDS(struct settings)))
		return false;
	*version = newest;
	return true;
}
