/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * beginning - how a session begins: from a handshake; or where that was not seen, because nobody was there to see it, from any packet with
 * payload of a connection that conntrack knows. Internal to core.
 */
#ifndef CORE_BEGINNING_H
#define CORE_BEGINNING_H

#include "core/engine/engine.h"

/*
 * A session for a packet with payload of a connection that has none; NULL where none is begun, or there is no room. That is where
 * its handshake has just been seen, or nobody was there to see it: @passed, or session_absent(). A connection that had a session and
 * lost it (timed out, or its place was needed) has no second beginning: what was found out about it is not known any more.
 */
struct session *beginning_of(struct engine *engine, const struct arrival *arrival, uint64_t now, bool passed);

/* Does conntrack know the arrival's connection? Then who is whose, and in which direction it goes. */
bool beginning_known(struct engine *engine, const struct arrival *arrival, struct binding *binding,
		     enum direction *direction);

/* A session of an answered handshake, which is over then; NULL, and it is left alone, where there is no room. */
struct session *beginning_of_embryo(struct engine *engine, const struct arrival *arrival, struct embryo *embryo,
				    const struct binding *binding, uint64_t now);

/* A session of a SYN/ACK whose SYN was not seen; NULL where there is no room. */
struct session *beginning_of_answer(struct engine *engine, const struct arrival *arrival, const struct binding *binding,
				    uint64_t now);

#endif
