/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unwatched - the rules that queue packets were gone for a while, or still are, though somebody was on the queue: what passed has not been seen.
 */
#ifndef CORE_UNWATCHED_H
#define CORE_UNWATCHED_H

#include "core/engine/engine.h"

/**
 * unwatched_sessions - it is as after a restart: connections are picked up in the middle, and of each session bytes may have passed unseen
 * @engine: the engine
 * @now: as for session_input()
 *
 * It goes through the whole table. Call it when they are found gone, before anybody puts them back, and when they are back.
 */
void unwatched_sessions(struct engine *engine, uint64_t now);

#endif
