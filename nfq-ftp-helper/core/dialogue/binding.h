/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * binding - the connection that a busy session belongs to, as conntrack has it. Looked up once, kept in the session's work slot.
 * Internal to core.
 */
#ifndef CORE_BINDING_H
#define CORE_BINDING_H

#include "core/engine/turn.h"

/**
 * binding_get - the session's work slot, to change, with the binding of its connection
 * @turn: whose
 * @refusal: why there is none: REFUSED_MEMORY, REFUSED_SHARE (share.h), REFUSED_LIMIT (a look-up costs an announcement of the client's
 *	rate), REFUSED_UNKNOWN, REFUSED_CONNTRACK (it adjusts otherwise than the session, and cannot be told). Not changed otherwise
 *
 * Return: NULL where there is none.
 */
struct work *binding_get(struct turn *turn, enum refusal *refusal);

/**
 * binding_align - conntrack is to adjust as the session says
 * @session: in a change (table_begin()); it adjusts itself from now on where conntrack leaves that to it
 * @binding: as conntrack has it now; changed accordingly
 *
 * It adjusts otherwise where a daemon was killed between the two, or could not be told, or where a forged connection was adjusted that was in
 * this one's place before.
 *
 * Return: 0 where both agree; 1 where it has been told; -EIO where it could not be.
 */
int binding_align(struct engine *engine, struct session *session, struct binding *binding);

/* Tell it so, where nothing of the session is in flight, that nothing is. */
void binding_settle(struct engine *engine, const struct session *session, const struct binding *binding);

/* Both. Where it cannot be told, that stands in the session until it can (session.misplaced). */
void binding_tell(struct engine *engine, struct session *session, struct binding *binding);

/* The binding is a beginning connection's, and what conntrack adjusts yet one's that was before it. Return false where it cannot be told. */
bool binding_clear(struct engine *engine, struct binding *binding);

/*
 * Does conntrack adjust the session's packets as the session says? Where it was known not to, it is told once more. Return: false: it does not.
 * A packet that passes then is moved as another connection's.
 */
bool binding_stands(struct engine *engine, struct session *session);

/* Does NAT change the addresses of the end that writes in the turn's direction? */
bool binding_speaker_translated(const struct turn *turn, const struct binding *binding);

#endif
