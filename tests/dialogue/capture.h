/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture - dialogues as a capture of a router's inside, without the engine: what `replay' reads.
 */
#ifndef DIALOGUE_CAPTURE_H
#define DIALOGUE_CAPTURE_H

#include "generate.h"

/* One behind the other. Says how many data connections must be expected, and how many not. Return the program's exit code. */
int capture_seeds(const char *path, uint64_t from, uint64_t to, const struct wish *wish);

#endif
