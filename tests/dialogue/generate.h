/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generate - a dialogue from a seed: odd, but such that it works between its two ends; one of five is hostile, and must open nothing.
 */
#ifndef DIALOGUE_GENERATE_H
#define DIALOGUE_GENERATE_H

#include "script.h"

struct wish {
	int world;	  /* enum world; -1: any */
	int family;	  /* FAMILY_IPV4 or _IPV6; 0: any */
	int hostile;	  /* -1: one of five */
	unsigned int odd; /* oddities at most */
};

void generate(struct script *script, uint64_t seed, const struct wish *wish);

#endif
