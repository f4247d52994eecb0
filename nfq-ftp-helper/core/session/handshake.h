/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handshake - SYN, SYN/ACK and RST: which connection of its two ends a flow's session is of. Anybody can play both ends of a handshake;
 * so one begins nothing in the place of what is alive. Internal to core.
 */
#ifndef CORE_HANDSHAKE_H
#define CORE_HANDSHAKE_H

#include "core/engine/engine.h"

/*
 * A SYN or SYN/ACK. @session: the one its flow has, or NULL; changed to the one it has from now on: another one where the handshake begins a
 * connection that conntrack knows, in the place of none or of one that is over. Return false where the packet has to be lost, since conntrack
 * would move it as another connection's, and cannot be told otherwise: then it has begun nothing, nor been an answer.
 */
bool handshake_input(struct engine *engine, const struct arrival *arrival, struct session **session, uint64_t now);

/* Is the packet of a connection that began after this one has ended: does it go on behind the handshake of another? */
bool handshake_is_followed(struct engine *engine, const struct session *session, const struct arrival *arrival,
			   uint64_t now);

/* Are both known to conntrack, and two to it? */
static inline bool handshake_is_anothers(const struct session *session, uint32_t conntrack_id)
{
	return session->conntrack_id && conntrack_id && session->conntrack_id != conntrack_id;
}

/* Does the packet show that the session's connection is over, and this is another's? By its CTA_ID, or by the handshake it follows. */
static inline bool handshake_is_over(struct engine *engine, const struct session *session,
				     const struct arrival *arrival, uint64_t now)
{
	return handshake_is_anothers(session, arrival->conntrack_id) ||
	       (session_over(session) && handshake_is_followed(engine, session, arrival, now));
}

/*
 * End it then. Where the packet belongs to no handshake, conntrack may have lost sight of a connection that goes on all the same; and
 * what was found out about it is lost with the session.
 */
void handshake_succeed(struct engine *engine, struct session *session, const struct arrival *arrival, uint64_t now);

/*
 * After an RST. @session: the one its flow has, or NULL. An answered handshake that the RST shows to be forged is forgotten; and where it
 * has ended the session of such a one, the right one, which has been answered as well, has its session at once: until then another
 * forged one could take the place. Return: the session the flow has from now on, or NULL.
 */
struct session *handshake_after_reset(struct engine *engine, const struct arrival *arrival, struct session *session,
				      uint64_t now);

#endif
