// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings.h"

#include <stdlib.h>

unsigned int settings_publish(struct settings_place *place, const struct options *options)
{
	struct settings *older = atomic_load_explicit(&place->newest, memory_order_relaxed);
	struct settings *settings = malloc(sizeof(*settings));

	if (!settings)
		return 0;
	*settings = (struct settings){
		.generation = older ? older->generation + 1 : 1,
		.policy = options->policy,
		.expect_timeout = options->expect_timeout,
		.older = older,
	};
	atomic_store_explicit(&place->newest, settings, memory_order_release);
	return settings->generation;
}

const struct settings *settings_news(const struct settings_place *place, unsigned int generation)
{
	const struct settings *newest = atomic_load_explicit(&place->newest, memory_order_acquire);

	return newest && newest->generation != generation ? newest : NULL;
}

static void free_list(struct settings *settings)
{
	while (settings) {
		struct settings *older = settings->older;

		free(settings);
		settings = older;
	}
}

void settings_prune(struct settings_place *place, unsigned int oldest)
{
	struct settings *newest = atomic_load_explicit(&place->newest, memory_order_relaxed);

	if (!newest || newest->generation != oldest)
		return;
	free_list(newest->older);
	newest->older = NULL;
}

void settings_free(struct settings_place *place)
{
	free_list(atomic_load_explicit(&place->newest, memory_order_relaxed));
	atomic_store_explicit(&place->newest, NULL, memory_order_relaxed);
}
