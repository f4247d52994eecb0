/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lifecycle - how a session begins and ends: from a SYN, from a SYN/ACK whose SYN was not seen, or, where neither was seen, from any
 * packet with payload of a connection that conntrack knows; until a while after both FINs or an RST, or until nothing has been seen
 * of it for a long time. Internal to core.
 */
#ifndef CORE_LIFECYCLE_H
#define CORE_LIFECYCLE_H

#include "turn.h"

/* A session for the first packet seen of a connection; NULL where none is begun, or there is no room. */
struct session *lifecycle_begin(struct engine *engine, const struct arrival *arrival, uint64_t now);

/* Forget a session; what it announced is taken back. */
void lifecycle_end(struct engine *engine, struct session *session, uint64_t now);

/* A SYN or SYN/ACK of a session. */
void lifecycle_handshake(struct turn *turn, const struct segment *segment);

/* An RST: it ends the session if its number is one the receiver would take. */
void lifecycle_reset(struct turn *turn, const struct segment *segment);

/* Nothing waits any more for lines that will not be read: what is held back is given up. */
void lifecycle_let_go(const struct turn *turn);

/* The connection has ended. What adjusts its last packets stays for a while. */
void lifecycle_close(struct turn *turn);

/* After each packet: a closed session keeps its work slot only while an edit may have to be sent again. */
void lifecycle_settle(struct engine *engine, struct session *session);

/* Now and then: forget it if it has timed out, take from it what it does not need. */
void lifecycle_tick(struct engine *engine, struct session *session, uint64_t now);

#endif
