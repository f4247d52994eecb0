/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream - one direction of a control connection as a byte stream: which bytes of a segment are new, which may be
 * forwarded, and what the forwarded segment looks like.
 *
 * Internal to core, between session.c (connections), dialogue.c (lines) and opening.c (announcements).
 */
#ifndef CORE_STREAM_H
#define CORE_STREAM_H

#include "passage.h"

/* The first byte of a stream of the session that has not been forwarded, where something is held back. */
uint32_t stream_forwarded_held(const struct turn *turn, const struct stream *stream);

/* The same wherever. */
static inline uint32_t stream_forwarded(const struct turn *turn, const struct stream *stream)
{
	return stream->held ? stream_forwarded_held(turn, stream) : stream->next;
}

/* Start (again) at @next, taken for the beginning of a line. What was held back is given up. */
void stream_start(struct stream *stream, uint32_t next);

/* The other side acknowledges this stream of the session up to @ack, sender space. */
void stream_acknowledge(const struct turn *turn, struct stream *stream, uint32_t ack);

/* Read the new bytes of the segment, which is not beyond stream->next, and decide what to forward. */
void stream_read(struct passage *passage);

/* The same without reading, for a connection whose lines do not matter any more. */
void stream_ignore(struct passage *passage);

#endif
