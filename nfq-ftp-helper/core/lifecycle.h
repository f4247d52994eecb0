/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lifecycle - how a session begins and ends: from a handshake; or where that was not seen, because nobody was there to see it, from any
 * packet with payload of a connection that conntrack knows; until a while after both FINs or an RST, or until nothing has been seen
 * of it for a long time. Internal to core.
 */
#ifndef CORE_LIFECYCLE_H
#define CORE_LIFECYCLE_H

#include "turn.h"

/*
 * A session for a packet with payload of a connection that has none; NULL where none is begun, or there is no room. That is where
 * its handshake has just been seen, or nobody was there to see it: @passed, or session_absent(). A connection that had a session and
 * lost it (timed out, or its place was needed) has no second beginning: what was found out about it is not known any more.
 */
struct session *lifecycle_begin(struct engine *engine, const struct arrival *arrival, uint64_t now, bool passed);

/* Nobody was on the queue until now: connections are picked up in the middle, for a quarter of an hour. */
void lifecycle_absent(struct engine *engine, uint64_t now);

/* Forget a session; what it announced is taken back. */
void lifecycle_end(struct engine *engine, struct session *session, uint64_t now);

/*
 * A SYN or SYN/ACK. @session: the one its flow has, or NULL. Return: the one it has from now on, or NULL: another one where the
 * handshake begins a connection that conntrack knows, in the place of none or of one that is over.
 */
struct session *lifecycle_handshake(struct engine *engine, const struct arrival *arrival, struct session *session,
				    uint64_t now);

/* Does the packet show that the session's connection is over, and this is another's? By its CTA_ID, or by the handshake it follows. */
bool lifecycle_is_over(struct engine *engine, const struct session *session, const struct arrival *arrival, uint64_t now);

/*
 * End it then. Where the packet belongs to no handshake, conntrack may have lost sight of a connection that goes on all the same; and
 * what was found out about it is lost with the session.
 */
void lifecycle_succeed(struct engine *engine, struct session *session, const struct arrival *arrival, uint64_t now);

/* Nothing waits any more for lines that will not be read: what is held back is given up. */
void lifecycle_let_go(const struct turn *turn);

/* The connection has ended. What adjusts its last packets stays for a while. */
void lifecycle_close(struct turn *turn);

/* The same, by an RST. */
void lifecycle_reset(struct turn *turn);

/*
 * After an RST. @session: the one its flow has, or NULL. An answered handshake that the RST shows to be forged is forgotten; and where it
 * has ended the session of such a one, the right one, which has been answered as well, has its session at once: until then another
 * forged one could take the place. Return: the session the flow has from now on, or NULL.
 */
struct session *lifecycle_after_reset(struct engine *engine, const struct arrival *arrival, struct session *session,
				      uint64_t now);

/* After each packet: a closed session keeps its work slot only while an edit may have to be sent again. */
void lifecycle_settle(struct engine *engine, struct session *session);

/* Now and then: forget it if it has timed out, take from it what it does not need. */
void lifecycle_tick(struct engine *engine, struct session *session, uint64_t now);

#endif
