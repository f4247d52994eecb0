/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * embryo - a handshake under way: what its SYN and SYN/ACK said, until conntrack knows the connection and a session is made of it.
 * Internal to core.
 *
 * Anybody can send a SYN, in anybody's name. So it costs little: it stands in a small table of its own, and it is over after a minute.
 * Where its few ways are taken, it takes the place of the oldest one of the client that has most of them: who sends many puts out
 * his own. Several of one flow may stand beside each other, with
 * different numbers: a forged SYN does not put out the right one. The SYN/ACK says which it was. Many forged ones do put it out; then the SYN/ACK
 * itself says what is left to know, while conntrack sees a handshake.
 */
#ifndef CORE_EMBRYO_H
#define CORE_EMBRYO_H

#include "core/engine/engine.h"

/* The client's SYN. */
void embryo_open(struct engine *engine, const struct arrival *arrival, uint64_t now);

/* The SYN/ACK: the embryo it answers; NULL where it answers none, or one that is over. */
struct embryo *embryo_answered_by(struct engine *engine, const struct arrival *arrival, uint64_t now);

/* It is answered from now on. Return: it was not before. */
bool embryo_answer(struct engine *engine, struct embryo *embryo, const struct arrival *arrival);

/* It has no answer: what answers it is lost, or still at hand, and a kill would lose it; so nobody has heard it. */
void embryo_await(struct embryo *embryo);

/* The SYN/ACK begins none that is there: has its flow so many that the one it answers may have been put out? Not where that is still there. */
bool embryo_is_crowded(struct engine *engine, const struct arrival *arrival, uint64_t now);

/*
 * One for that SYN/ACK, by what it says; NULL where the flow is not crowded. What its SYN was is not known: the bytes behind it may be the middle
 * of a line, and the windows of any scale.
 */
struct embryo *embryo_of_answer(struct engine *engine, const struct arrival *arrival, uint64_t now);

/* The answered one that a later packet of the flow continues; NULL where there is none. */
struct embryo *embryo_find(struct engine *engine, const struct arrival *arrival, uint64_t now);

/* The one without an answer whose client goes on in this packet behind its first bytes; NULL where there is none. */
struct embryo *embryo_unanswered(struct engine *engine, const struct arrival *arrival, uint64_t now);

/* Of the answered ones of the flow the one that was answered first; NULL where there is none. */
struct embryo *embryo_left(struct engine *engine, const struct arrival *arrival, uint64_t now);

/* The arrival is an RST: an answered handshake that it answers was none of the ends'. */
void embryo_reset(struct engine *engine, const struct arrival *arrival, uint64_t now);

/*
 * A session has been made of it. Others of its flow stay: which handshake was forged is known only when the ends reset the forged
 * connection, and go on with the right one.
 */
void embryo_close(struct embryo *embryo);

/* None is: there is no room, or its answer came amid a connection. */
void embryo_leave(struct embryo *embryo);

/*
 * A connection that may be alive is left alone from now on: there is no room for it, or its session is forgotten, and with it what was
 * found out about it. The note outlives the daemon. It stays until its place is needed, but for a day at least; where that cannot be,
 * nobody can say any more of a connection without a session that it began unseen.
 */
void embryo_note(struct engine *engine, const struct flow_key *key, uint64_t now);

/*
 * Is the packet's connection one that is left alone, or may it be? It is where a handshake of its flow has been answered and no session was
 * made of it, or there is a note, however long ago; it may be where a note is lost. Else it is none that began while a daemon was there.
 */
bool embryo_remembers(struct engine *engine, const struct arrival *arrival, uint64_t now);

#endif
