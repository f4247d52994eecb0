/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turn - on whose behalf core is working: one packet of one direction of one session. What the files below session.c hand
 * to each other. Internal to core.
 */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include "engine.h"

struct turn {
	struct engine *engine;
	struct session *session;
	struct stream *mine;	  /* the session's of this direction */
	struct stream *theirs;	  /* and of the other */
	enum direction direction; /* of the packet */
	uint64_t now;		  /* milliseconds */
	uint32_t ack;		  /* what the packet acknowledges, in the numbers of the one who is acknowledged */
	bool resynced;		  /* the packet has shown that bytes of the other direction passed unseen */
	bool busy; /* an edit of the kernel module's in this direction is not acknowledged yet: there can be no other */
};

/* The turn is the other direction's, or this one's, from now on. */
static inline void turn_to(struct turn *turn, enum direction direction)
{
	turn->direction = direction;
	turn->mine = &turn->session->stream[direction];
	turn->theirs = &turn->session->stream[direction_other(direction)];
}

static inline struct turn turn_begin(struct engine *engine, struct session *session, enum direction direction,
				     uint64_t now)
{
	struct turn turn = { .engine = engine, .session = session, .now = now };

	turn_to(&turn, direction);
	return turn;
}

/* Which of the session's streams is it? */
static inline enum direction turn_direction(const struct turn *turn, const struct stream *stream)
{
	return stream == turn->mine ? turn->direction : direction_other(turn->direction);
}

/* Does anybody listen? What is told need not be put together otherwise: a report is large, and there is one for most lines. */
static inline bool turn_is_listened_to(const struct turn *turn)
{
	return turn->engine->report != NULL;
}

/* Tell the listener, if there is one; who and in which direction is filled in. */
void turn_report(const struct turn *turn, const struct report *report);

/* The same where there is nothing else to tell. */
void turn_report_plain(const struct turn *turn, enum report_kind kind);

#endif
