/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lifecycle - how a session ends: a while after both FINs or an RST, or when nothing has been seen of it for a long time; and what it
 * lets go of before. beginning.h and handshake.h say how it begins. Internal to core.
 */
#ifndef CORE_LIFECYCLE_H
#define CORE_LIFECYCLE_H

#include "core/engine/turn.h"

/* Nobody was on the queue until now: connections are picked up in the middle, for a quarter of an hour. */
void lifecycle_absent(struct engine *engine, uint64_t now);

/* And nobody was for some of the time since then, in seconds? */
bool lifecycle_was_absent(const struct engine *engine, uint32_t since);

/* Forget a session; what it announced is taken back. */
void lifecycle_end(struct engine *engine, struct session *session, uint64_t now);

/* Forget the session of a connection that may be alive. That is left alone from then on, unless nothing was found out about it that is lost. */
void lifecycle_forget(struct engine *engine, struct session *session, uint64_t now);

/* Nothing waits any more for lines that will not be read: what is held back is given up. */
void lifecycle_let_go(const struct turn *turn);

/* The connection has ended. What adjusts its last packets stays for a while. */
void lifecycle_close(struct turn *turn);

/* The same, by an RST. */
void lifecycle_reset(struct turn *turn);

/* After each packet: a closed session keeps its work slot only while an edit may have to be sent again. */
void lifecycle_settle(struct engine *engine, struct session *session);

/* Now and then: forget it if it has timed out, take from it what it does not need. */
void lifecycle_tick(struct engine *engine, struct session *session, uint64_t now);

#endif
