/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - how far a control connection has got. One function changes it, and knows from where to where.
 *
 * state	what it means					what is read	left by
 * -----------	---------------------------------------------	---------------	-------------------------------------------------------
 * FREE		no session: the slot is nobody's		nothing		HANDSHAKE: table_insert()
 * HANDSHAKE	just made, nothing is known of it yet		nothing		GREETING: its handshake was seen (beginning.c)
 *								MIDDLE: it was not (beginning.c)
 * GREETING	waiting for the greeting			lines		READY: any 2xx (dialogue.c); a note of the module (passed.c)
 *										MIDDLE, and OPAQUE at once: bytes passed unseen (unseen.c)
 * MIDDLE	its beginning, or bytes of it, were not seen:	lines		EXCHANGE: a command (dialogue.c)
 *		waiting for a command				READY: a note of the module
 * EXCHANGE	and for its reply				lines		READY: the reply (dialogue.c)
 *										MIDDLE: bytes passed unseen
 * READY	an FTP dialogue: what is announced may open	lines		MIDDLE: bytes passed unseen
 *										TLS: 234 (dialogue.c)
 * TLS		both directions are in TLS			records		MIDDLE: a line where a record would begin (dialogue.c)
 *										OPAQUE: what is neither, or bytes passed unseen
 * OPAQUE	not FTP, or no TLS that can be followed		numbers		CLOSED only: what was found out is never forgotten (I4)
 * CLOSED	both FINs or an RST have passed			numbers		FREE: after a while (lifecycle.c)
 *
 * From each state in which lines are read OPAQUE is entered by what is not FTP (dialogue.c); EXCHANGE is left by 234 as READY is. CLOSED is
 * entered from all by lifecycle_close(). A direction that is still in TLS when the other has left it goes on so, whatever the state.
 * Announcements, work->announcement[], are written in READY only; edits and held bytes while lines are read, and
 * given up on leaving that (lifecycle_let_go()). The slot itself is taken and given
 * back by table_place.c, FREE and HANDSHAKE; what a killed daemon left is not entered but checked (table_check.c).
 *
 * Which line of a dialogue is which event, and what follows, is dialogue.h's table. Internal to core.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "record.h"

/* May a session go from the one to the other? */
bool state_follows(enum session_state from, enum session_state to);

/* The session is in this state from now on. That it may is the caller's to know; a build with sanitizers stops where it may not. */
void state_enter(struct session *session, enum session_state state);

/* Are its lines read? */
static inline bool state_reads_lines(const struct session *session)
{
	return session->state < SESSION_OPAQUE;
}

#endif
