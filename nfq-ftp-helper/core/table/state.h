/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - how far a control connection has got, and how each of its streams stands. One function changes the first, and knows from where
 * to where; what a stream's flags are is changed here alone, a function an event.
 *
 * state	what it means					what is read	what may be there
 * -----------	---------------------------------------------	---------------	-------------------------------------------------------
 * FREE		no session: the slot is nobody's		nothing
 * HANDSHAKE	just made, nothing is known of it yet		nothing
 * GREETING	waiting for the greeting			lines		edits, held bytes
 * MIDDLE	its beginning, or bytes of it, were not seen:	lines		the same
 *		waiting for a command
 * EXCHANGE	and for its reply				lines		the same
 * READY	an FTP dialogue					lines		and announcements: only here one is added
 * TLS		both directions are in TLS			records
 * OPAQUE	not FTP, or no TLS that can be followed		numbers
 * CLOSED	both FINs or an RST have passed			numbers		an edit that may have to go again
 *
 * Which one follows, a row a state, a column an event; "." stays. What is none of these events changes no state: a server's line of no form,
 * a command of no interest, a reply that answers nothing.
 *
 *	SHAKEN	MET	COMMAND	GREETED	ANSWERED LOST	UNSEEN	NOTED	UNGREETED TLS	PLAIN	FOREIGN	ENDED
 *	---------------------------------------------------------------------------------------------------------
 * HANDSHAKE GREETING MIDDLE	.	.	.	.	.	.	.	.	.	.	CLOSED
 * GREETING .	MIDDLE	.	READY	.	MIDDLE	MIDDLE	READY	.	OPAQUE	.	OPAQUE	CLOSED
 * MIDDLE .	.	EXCHANGE .	.	.	.	READY	GREETING OPAQUE	.	OPAQUE	CLOSED
 * EXCHANGE .	.	.	.	READY	MIDDLE	MIDDLE	READY	.	TLS	.	OPAQUE	CLOSED
 * READY .	.	.	.	.	.	MIDDLE	.	.	TLS	.	OPAQUE	CLOSED
 * TLS	.	.	.	.	.	.	MIDDLE	.	.	.	MIDDLE	OPAQUE	CLOSED
 * OPAQUE .	.	.	.	.	.	.	.	.	.	.	.	CLOSED
 *
 * event	what has happened							who says so
 * -----------	-----------------------------------------------------------------------	-----------------------------------------------
 * SHAKEN	its handshake was seen							session/beginning.c
 * MET		it was met in its middle: conntrack knows it, or both directions agree	session/beginning.c, session/numbers.c
 * COMMAND	a command that is known							dialogue/dialogue.c, as the next three
 * GREETED	2xx, with none before
 * ANSWERED	a reply to a command
 * LOST		replies may have been lost
 * UNSEEN	bytes have passed unseen						session/unseen.c
 * NOTED	the module has followed it: all has been shown to it			session/passed.c
 * UNGREETED	the module has followed it, and there was no greeting yet		session/passed.c
 * TLS		234 to AUTH								dialogue/dialogue.c, as the next two
 * PLAIN	a line where a record of TLS would begin
 * FOREIGN	the client speaks something else; there is no record of TLS; which reply is which is not known any more, and TLS may be
 * ENDED	both FINs or an RST have passed						session/lifecycle.c
 *
 * What was found out is never forgotten (I4): OPAQUE leads nowhere else. A direction that is still in TLS when the other has left it goes on so,
 * whatever the state. What is held back is given up on leaving the states in which lines are read (lifecycle_let_go()). The slot is taken and
 * given back by table_place.c, FREE and HANDSHAKE; what a killed daemon left is not entered but checked (table_check.c). What makes a
 * client's line FOREIGN is dialogue.h's table.
 *
 * A stream's flags are independent of each other, but for what stands here. What each means, record.h says.
 *
 * flag		set by					cleared by				what it makes be read
 * -----------	---------------------------------------	---------------------------------------	---------------------------------------
 * unsynced	table_place.c: a new session		state_begins()				no number of the stream
 * fin		state_ended()				state_goes_on(): it was not its sender's
 * edited	state_edited(), state_adjusted()	never					adj.pos, replaced
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

enum state_event {
	EVENT_SHAKEN,
	EVENT_MET,
	EVENT_COMMAND,
	EVENT_GREETED,
	EVENT_ANSWERED,
	EVENT_LOST,
	EVENT_UNSEEN,
	EVENT_NOTED,
	EVENT_UNGREETED,
	EVENT_TLS,
	EVENT_PLAIN,
	EVENT_FOREIGN,
	EVENT_ENDED,
	EVENTS,
};

/* The table: what follows a state upon an event, which may be itself. */
enum session_state state_next(enum session_state state, enum state_event event);

/* This has happened to the session. Nothing else changes its state. */
void state_happen(struct session *session, enum state_event event);

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
