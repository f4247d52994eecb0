/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edit - an argument that is being replaced: where it stands, what stands there instead, and what that does to the
 * sequence numbers behind it. One a direction, until it is acknowledged.
 *
 * Theory of operation. A replaced argument is [start, start + old_length) in the sender's numbers, and new_length bytes of
 * text in the receiver's. The sequence adjustment is handed to conntrack, or taken over ourselves, before the text leaves.
 *
 * There is a second use. A part of an argument that is held back is not acknowledged, and a sender that waits for that before it
 * sends the rest would wait for ever: many small devices write a line and its end separately, and Nagle's algorithm (RFC 9293
 * section 3.7.4) keeps the end back; others, having lost the rest, send the same part again and again. Such a part is
 * swallowed: it is "replaced" by nothing. To be exact, the byte before it together with it is replaced by that byte alone, which
 * the receiver has; so when the receiver, reminded of that byte, repeats its acknowledgement, the adjustment maps it to the end of
 * the part. The sender goes on. From then on we owe the receiver these bytes: when the argument is complete, the edit is amended
 * to bring all of it (from the part's first byte on, as an edit that never was anything else), and every segment that begins in it or right behind it begins with its text until it is acknowledged.
 */
#ifndef CORE_EDIT_H
#define CORE_EDIT_H

#include "core/engine/turn.h"

/* The edit in flight in a stream of the session; NULL where there is none. */
static inline const struct edit *edit_of(const struct turn *turn, const struct stream *stream)
{
	if (!stream->in_flight)
		return NULL;
	return &table_work(turn->engine->table, turn->session)->edit[turn_direction(turn, stream)];
}

/* The same of the turn's direction. */
static inline const struct edit *edit_in_flight(const struct turn *turn)
{
	return edit_of(turn, turn->mine);
}

/* Sender space: the first byte behind what is replaced. */
static inline uint32_t edit_end(const struct edit *edit)
{
	return edit->start + edit->old_length;
}

/* Is this a swallowed part whose rest has not come yet? */
static inline bool edit_swallowed(const struct edit *edit)
{
	return edit && edit->kind == EDIT_SWALLOWED;
}

/* Where an argument stands: at @offset in the text, whose first byte has the number @seq (sender space). */
struct edit_place {
	const char *text;
	uint32_t seq;
	uint32_t offset;
	uint32_t length; /* of the argument */
};

/**
 * edit_replace - replace an argument, or a swallowed part with what followed it
 * @turn: whose
 * @place: where it stands
 * @argument: what replaces it
 * @argument_length: at most ENDPOINT_TEXT_MAX
 *
 * The session has a work slot with a binding, and no edit in flight but, possibly, a swallowed part of this text.
 * Return: 0, or what conntrack's adjust_seq() answered; nothing has changed then.
 */
int edit_replace(struct turn *turn, const struct edit_place *place, const char *argument, uint32_t argument_length);

/* How long the text becomes that edit_replace() makes of a swallowed part and these. */
uint32_t edit_owed_length(const struct edit *edit, uint32_t offset, uint32_t length, uint32_t argument_length);

/* Swallow what is held back in this direction. Return: 0, -EBUSY while another edit is in flight, or as edit_replace(). */
int edit_swallow(struct turn *turn);

/* Give a swallowed part back as it came. */
void edit_restore(struct turn *turn);

/* The last edit in flight is not any more: conntrack may know. */
void edit_tell_settled(const struct turn *turn);

/* A packet has been dealt with. Was an edit in flight before, and is none any more? */
static inline void edit_settle(const struct turn *turn, bool was_in_flight)
{
	if (was_in_flight && !session_in_flight(turn->session))
		edit_tell_settled(turn);
}

/* Bytes behind a swallowed part have passed unseen, numbered as if it had never been: its receiver does without it. */
void edit_lose(struct turn *turn);

#endif
