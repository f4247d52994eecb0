/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream - one direction of a control connection as a byte stream: which bytes of a segment are new, which may be
 * forwarded, and what the forwarded segment looks like.
 *
 * Internal to core, between session.c (connections), dialogue.c (lines) and policy.c (announcements).
 */
#ifndef CORE_STREAM_H
#define CORE_STREAM_H

#include "edit.h"

/* A segment on its way through a stream. All numbers are sender space. */
struct passage {
	struct turn *turn;
	struct stream *stream;
	const struct segment *segment;
	uint32_t start;			/* the segment's bytes: [start, end) */
	uint32_t end;
	uint32_t run_start;		/* the bytes to forward: [run_start, run_end) */
	uint32_t run_end;
	uint32_t earliest;		/* reading never goes back to before this: it has been forwarded, or is in an edit */
	uint32_t space;			/* payload bytes that may leave in this packet (invariant I2) */
	uint32_t space_alone;		/* the same, of any segment on this path */
	bool probe;			/* nothing to forward, but the receiver should acknowledge again */
	uint32_t carried_start;		/* bytes that an earlier segment brought and that were held back */
	uint32_t carried_length;
	bool copied;			/* they were passed on all the same */
	uint8_t carried[HELD_MAX];
};

/* The first byte of a direction that has not been forwarded, where something is held back. */
uint32_t stream_forwarded_held(const struct turn *turn, enum direction direction);

/* The same wherever. */
static inline uint32_t stream_forwarded(const struct turn *turn, enum direction direction)
{
	const struct stream *stream = &turn->session->stream[direction];

	return stream->flags & STREAM_HELD ? stream_forwarded_held(turn, direction) : stream->next;
}

/* Start (again) at @next, taken for the beginning of a line. What was held back is given up. */
void stream_start(struct stream *stream, uint32_t next);

/* The other side acknowledges this direction up to @ack, sender space. */
void stream_acknowledge(const struct turn *turn, enum direction direction, uint32_t ack);

/* Read the new bytes of the segment, which is not beyond stream->next, and decide what to forward. */
void stream_read(struct passage *passage);

/* The same without reading, for a connection whose lines do not matter any more. */
void stream_ignore(struct passage *passage);

/* Does nothing leave but what came, as nearly always? Then there is nothing to compose. */
static inline bool stream_passes(const struct passage *passage)
{
	return passage->run_start == passage->start && passage->run_end == passage->end && !passage->probe &&
	       !passage->carried_length && !edit_in_flight(passage->turn);
}

/**
 * stream_compose - the payload to forward
 * @passage: after stream_read()
 * @splice: filled in when the segment must change
 *
 * Return: true when @splice says how the segment changes, false when it goes as it came.
 */
bool stream_compose(struct passage *passage, struct splice *splice);

#endif
