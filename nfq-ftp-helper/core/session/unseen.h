/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unseen - bytes that have passed some other way: the daemon was away, its rules were gone. What is believed of that, and where the stream is
 * picked up behind them. Internal to core.
 *
 * Theory of operation. A segment beyond what was read last shows a hole. As a rule it was lost behind us, or is still to come, and so the
 * segment is dropped, for its sender to fill the hole. Two things speak for bytes that passed unseen: the receiver acknowledges them (a
 * claim; when the segment comes again it is asked for one), and their sender goes on behind them, well apart, more than once. What is asked for is more while we were there than after
 * nobody was for a while (stream.stale). Nothing can have passed where all packets come to us: never_unseen().
 */
#ifndef CORE_UNSEEN_H
#define CORE_UNSEEN_H

#include "core/engine/turn.h"
#include "core/table/state.h"

/*
 * The packet acknowledges bytes of @stream that never came this way: note it as a claim. Return: false where it can be none: nothing of
 * this stream passes without us, or it is too far.
 */
bool unseen_claim(const struct turn *turn, struct stream *stream, uint32_t ack);

/* Has this acknowledgement of bytes that never came, or of more of them, been claimed already? */
bool unseen_claim_stands(const struct stream *stream, uint32_t ack);

/* Does the segment go on behind bytes that never came, and its receiver says that they have arrived? */
bool unseen_is_claimed(const struct turn *turn, const struct segment *segment);

/* Has this very segment come before, well apart? It is taken note of. @start: of its payload. */
bool unseen_comes_again(const struct turn *turn, uint32_t start);

/*
 * Bytes up to @next have passed unseen, and with them perhaps the beginning of a line, or of TLS. The connection has everything to
 * show again; where it had not yet shown that it is FTP at all, it will not.
 */
void unseen_take_up(struct turn *turn, enum direction direction, uint32_t next);

/* The segment is not read: it is a bare one, or not believed. Beyond what was read last, its sender has sent more, and be it a FIN. */
void unseen_note_sent(const struct turn *turn, const struct segment *segment);

enum hole {
	HOLE_NONE,
	HOLE_DROPPED, /* its sender will fill it */
	HOLE_ASKED,   /* the same, and its receiver is to say what it has: once nothing gets through, it never would */
};

/* The same of one that does begin there. */
enum hole unseen_before(struct turn *turn, uint32_t start, uint32_t end);

/*
 * The payload is [@start, @end). Does it begin beyond what was read last, and what becomes of it then? Where bytes before it have passed
 * unseen, the stream is taken up here.
 */
static inline enum hole unseen_hole(struct turn *turn, uint32_t start, uint32_t end)
{
	struct stream *stream = turn->mine;

	if (seq_after(start, stream->next))
		return unseen_before(turn, start, end);
	state_filled(stream);
	return HOLE_NONE;
}

#endif
