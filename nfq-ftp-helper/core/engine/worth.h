/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worth - how long a silent session is kept, and which one goes first where there is no room for another: one that was never
 * answered before one that has not logged in, and that before one that was silent for long (invariant I6). Internal to core.
 */
#ifndef CORE_WORTH_H
#define CORE_WORTH_H

#include "share.h"

/* Does its connection break without us? We renumber its packets, or one of them has to be sent again. */
bool worth_keeping(const struct session *session);

/* Seconds of silence after which a session is forgotten. */
uint32_t worth_patience(const struct engine *engine, const struct session *session);

/**
 * worth_least - the session to give up for a new one of this client
 * @engine: the engine
 * @client: the new one's
 * @now: milliseconds
 *
 * A bounded search through some of the table. Whoever has less may displace what is worth least of whoever has more, and everybody
 * what is worth least of his own. Never one whose connection would break without us, nor one that was heard of just now.
 *
 * Return: NULL when none is found.
 */
struct session *worth_least(struct engine *engine, const struct endpoint *client, uint64_t now);

#endif
