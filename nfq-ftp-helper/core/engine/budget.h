/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * budget - what a client may do only so often a second: a token bucket of two seconds for each rate. Internal to core.
 */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include "engine.h"

/* The client does it once more; false, and nothing is spent, where it has done it too often lately. @now: milliseconds. */
bool budget_spend(struct client_budget *budget, const struct policy *policy, enum rate rate, uint64_t now);

#endif
