/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backends - all of them, and which one suits this machine.
 */
#ifndef RULESET_BACKENDS_H
#define RULESET_BACKENDS_H

#include "backend.h"
#include "found.h"

/* In the order of preference. */
#define BACKENDS 2
extern const struct backend *const backends[BACKENDS];
extern const char *const backend_names[BACKENDS + 1];

/* Is its program installed? */
bool backends_have(const struct backend *backend);

/* Is this chain ours, whichever made it? */
bool backends_own(const struct found_chain *chain);

/* The first whose program is there and from which the kernel would take these rules, or may not be asked; else the last. */
const struct backend *backends_choose(const struct request *request);

#endif
