/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - how far a control connection has got, and how each of its streams stands. One function changes the first, and knows from where
 * to where; what a stream's flags are is changed here alone, a function an event.
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
 * Which line of a dialogue is which event, and what follows, is dialogue.h's table.
 *
 * A stream's flags are independent of each other, but for what stands here. What each means, record.h says.
 *
 * flag		set by					cleared by				what it makes be read
 * -----------	---------------------------------------	---------------------------------------	---------------------------------------
 * unsynced	table_place.c: a new session		state_begins()				no number of the stream
 * fin		state_ended()				state_goes_on(): it was not its sender's
 * edited	state_edited(), state_adjusted()	never
 * held		state_held()				state_let_go(), state_begins()		work->held[]
 * in_flight	state_edited()				state_arrived(): or it is given up	work->edit[]
 * hole		state_hole()				state_filled(), state_begins()		hole_start, hole_since, hole_missed
 * hole_again	state_hole_again()			the same; state_hole(), of another
 * stale	state_doubted(): nobody was there,	state_trusted(): the receiver has	beyond
 *		or bytes passed unseen			said what it has; state_edited(),
 *							state_begins()
 *
 * Whoever has no work slot has neither of the two that are in it: state_idle(). table_take_up.c, too, writes what it has found, before
 * anybody else sees the stream. Internal to core.
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

/* ---- what befalls a stream ---- */

/* It begins, or begins again, at a number that is known: a line may begin here. */
static inline void state_begins(struct stream *stream)
{
	stream->unsynced = stream->held = stream->hole = stream->hole_again = stream->stale = false;
}

/* Its sender has said his last byte, and it has passed. */
static inline void state_ended(struct stream *stream)
{
	stream->fin = true;
}

/* That was not its sender's, or its receiver did not take it. */
static inline void state_goes_on(struct stream *stream)
{
	stream->fin = false;
}

/* Numbers behind here are adjusted: what was acknowledged may be another text's. */
static inline void state_adjusted(struct stream *stream)
{
	stream->edited = true;
}

/* An edit is made, or amended. Its receiver was seen to have what precedes it, and nothing of it. */
static inline void state_edited(struct stream *stream)
{
	stream->in_flight = stream->edited = true;
	stream->stale = false;
}

/* The edit is acknowledged. */
static inline void state_arrived(struct stream *stream)
{
	stream->in_flight = false;
}

/* A part of an argument is kept. */
static inline void state_held(struct stream *stream)
{
	stream->held = true;
}

/* Nothing is kept any more: it passes, or its sender sends it again. */
static inline void state_let_go(struct stream *stream)
{
	stream->held = false;
}

/* A segment beyond next was dropped. */
static inline void state_hole(struct stream *stream)
{
	stream->hole = true;
	stream->hole_again = false;
}

/* And the same one again, well apart. */
static inline void state_hole_again(struct stream *stream)
{
	stream->hole_again = true;
}

/* What comes is not beyond next. */
static inline void state_filled(struct stream *stream)
{
	stream->hole = stream->hole_again = false;
}

/* Bytes may have passed unseen. */
static inline void state_doubted(struct stream *stream)
{
	stream->stale = true;
}

/* Its receiver has acknowledged just what is known of. */
static inline void state_trusted(struct stream *stream)
{
	stream->stale = false;
}

/* There is no work slot for it: neither edit nor held bytes. */
static inline void state_idle(struct stream *stream)
{
	stream->held = stream->in_flight = false;
}

#endif
