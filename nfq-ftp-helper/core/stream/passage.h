/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passage - a segment on its way through a stream. All numbers are sender space. Internal to core.
 */
#ifndef CORE_PASSAGE_H
#define CORE_PASSAGE_H

#include "edit.h"

struct passage {
	struct turn *turn;
	struct stream *stream;
	const struct segment *segment;
	uint32_t start; /* the segment's bytes: [start, end) */
	uint32_t end;
	uint32_t run_start; /* the bytes to forward: [run_start, run_end) */
	uint32_t run_end;
	uint32_t earliest;	/* reading never goes back to before this: it has been forwarded, or is in an edit */
	uint32_t space;		/* payload bytes that may leave in this packet (invariant I2) */
	uint32_t space_alone;	/* the same, of any segment on this path */
	bool probe;		/* nothing to forward, but the receiver should acknowledge again */
	uint32_t carried_start; /* bytes that an earlier segment brought and that were held back */
	uint32_t carried_length;
	bool copied; /* they were passed on all the same */
	uint8_t carried[HELD_MAX];
};

#define MSS_DEFAULT_IPV4 536 /* RFC 9293 section 3.7.1 */
#define MSS_DEFAULT_IPV6 1220

static inline uint32_t passage_space_alone(const struct stream *stream, const struct segment *segment)
{
	const uint32_t options = segment_options_length(segment);
	uint32_t mss = stream->mss;

	if (!mss)
		mss = segment->src.family == FAMILY_IPV4 ? MSS_DEFAULT_IPV4 : MSS_DEFAULT_IPV6;
	return mss > options ? mss - options : 1;
}

/* The turn's segment comes. What is to be carried is not known yet. */
static inline void passage_begin(struct passage *passage, struct turn *turn, const struct segment *segment)
{
	passage->turn = turn;
	passage->stream = turn->mine;
	passage->segment = segment;
	passage->start = passage->run_start = segment_start(segment);
	passage->end = passage->run_end = passage->start + segment->payload_length;
	passage->space_alone = passage_space_alone(passage->stream, segment);
	passage->space =
		segment->payload_length > passage->space_alone ? segment->payload_length : passage->space_alone;
	passage->probe = passage->copied = false;
	passage->carried_length = 0;
}

/* The segment's byte with the number @seq, which is in it. */
static inline const uint8_t *passage_bytes(const struct passage *passage, uint32_t seq)
{
	return segment_payload(passage->segment) + (seq - passage->start);
}

/* The session's work slot, to look at; NULL where it has none. */
static inline const struct work *passage_work(const struct passage *passage)
{
	return table_work(passage->turn->engine->table, passage->turn->session);
}

/* The same, to change. */
static inline struct work *passage_work_change(const struct passage *passage)
{
	return table_work_change(passage->turn->engine->table, passage->turn->session);
}

/* Does the run [start, end) touch the edit's old bytes? */
static inline bool passage_touches(const struct edit *edit, uint32_t start, uint32_t end)
{
	return seq_before(start, edit_end(edit)) && seq_after(end, edit->start);
}

#endif
