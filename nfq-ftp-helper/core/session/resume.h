/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resume - conntrack is made to agree with a table that an earlier daemon left behind.
 */
#ifndef CORE_RESUME_H
#define CORE_RESUME_H

#include "core/engine/engine.h"

/* @engine: complete. Call it once, before the first packet. */
void resume_sessions(struct engine *engine);

#endif
