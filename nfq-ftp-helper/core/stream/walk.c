// SPDX-License-Identifier: GPL-2.0-or-later
#include "walk.h"

static uint32_t common_factor(uint32_t a, uint32_t b)
{
	while (b) {
		const uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

struct walk walk_begin(struct engine *engine)
{
	const struct policy *policy = &engine->policy;
	struct walk walk = { .low = policy->port_low, .ports = (uint32_t)(policy->port_high - policy->port_low) + 1 };

	walk.at = (uint32_t)(engine_random(engine) % walk.ports);
	walk.step = (uint32_t)(engine_random(engine) % walk.ports) + 1;
	while (common_factor(walk.step, walk.ports) != 1)
		walk.step++;
	return walk;
}

uint16_t walk_next(struct walk *walk)
{
	walk->at = (walk->at + walk->step) % walk->ports;
	return (uint16_t)(walk->low + walk->at);
}
