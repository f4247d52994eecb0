/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk - through a range of ports, each once: from a random one on, in steps of a random width that has no factor in common with
 * the range's. Which port it is an attacker need not be kept from knowing: only the peer may connect to it. Internal to core.
 */
#ifndef CORE_WALK_H
#define CORE_WALK_H

#include "core/engine/engine.h"

struct walk {
	uint16_t low;
	uint32_t ports; /* how many there are */
	uint32_t at;
	uint32_t step;
};

/* Through policy.port_low to policy.port_high. */
struct walk walk_begin(struct engine *engine);

/* The next one. After walk.ports of them they come again. */
uint16_t walk_next(struct walk *walk);

#endif
