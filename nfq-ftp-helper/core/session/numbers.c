// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers.h"

#include "core/stream/stream.h"
#include "core/table/state.h"
#include "oneway.h"

#define NEAR  UINT16_MAX       /* bytes: two numbers of one stream, seen shortly after one another */
#define REACH (2 * UINT16_MAX) /* bytes between what is due in a control connection and any packet of it */

static bool is_near(uint32_t a, uint32_t b)
{
	return a - b <= NEAR || b - a <= NEAR;
}

/* Nothing is known but what this packet says, or adds to what others of its direction have said. */
static void hear(const struct turn *turn, const struct segment *segment, bool more)
{
	struct session *session = turn->session;
	struct stream *mine = turn->mine, *theirs = turn->theirs;
	const uint32_t end = segment->seq + segment->payload_length, ack = turn->ack;

	if (!more) { /* what was heard before may have been another's, and a FIN of the other direction with it */
		state_goes_on(mine);
		state_goes_on(theirs);
	}
	if (segment->flags & TCP_FIN && (!more || !seq_before(end, mine->next)))
		state_ended(mine);
	mine->next = more ? seq_max(mine->next, end) : end;
	theirs->next = more ? seq_max(theirs->next, ack) : ack;
	session->heard = true;
	session->heard_reply = turn->direction == DIRECTION_REPLY;
}

/*
 * Conntrack says where the last edit begins. Where its sender goes on behind that, or its receiver has what is behind it, it ends before there
 * at the latest; else it may still be in flight, and nothing is known of its end.
 */
static void note_replaced(struct stream *stream, uint32_t behind)
{
	const uint32_t most = seq_min(behind, stream->adj.pos + 1 + HELD_MAX) - stream->adj.pos;

	if (stream->edited && seqadj_active(&stream->adj) && seq_after(behind, stream->adj.pos))
		stream->replaced = (uint8_t)most;
}

/*
 * A number in a stream, probably not a line's beginning; the receiver may lack what is before it, or have more. @behind: what it has, or its
 * sender takes it to have.
 */
static void begin_at(struct stream *stream, uint32_t next, uint32_t behind)
{
	note_replaced(stream, behind);
	stream_start(stream, next);
	ftp_lose_line(&stream->line);
	stream->acked = next - UINT16_MAX;
	state_doubted(stream);
}

bool numbers_agree(const struct turn *turn, const struct segment *segment)
{
	struct session *session = turn->session;
	struct stream *mine = turn->mine, *theirs = turn->theirs;
	const bool same = !session->heard_reply == (turn->direction == DIRECTION_ORIGINAL);
	const uint32_t heard = mine->next; /* what the other has acknowledged */
	const bool fits = session->heard && is_near(segment->seq, mine->next) && is_near(turn->ack, theirs->next);

	if (!(segment->flags & TCP_ACK) || segment->flags & TCP_RST)
		return false;
	if (fits && same)
		oneway_unsure(turn, segment);
	if (!fits || same) {
		hear(turn, segment, fits);
		return false;
	}
	if (theirs->fin && turn->ack != theirs->next + 1 &&
	    seq_after(mine->next, segment->seq + segment->payload_length + !!(segment->flags & TCP_FIN)))
		state_goes_on(theirs); /* it acknowledged what has not been sent: the other does not take it */
	begin_at(theirs, theirs->next, turn->ack);
	begin_at(mine, segment->seq, segment->seq);
	mine->beyond = seq_max(segment->seq, heard); /* sent again: its receiver has more */
	session->unsure = session->heard = session->heard_reply = false;
	state_happen(session, EVENT_MET);
	return true;
}

bool numbers_far(const struct turn *turn, const struct segment *segment)
{
	const struct stream *stream = turn->mine;

	return !stream->unsynced && segment->seq - stream->next + REACH > 2 * REACH;
}

/* Outside of what is under way, and of what is near that. */
static bool is_outside(const struct stream *stream, uint32_t number)
{
	const uint32_t low = seq_min(stream->acked, stream->next) - REACH, high = stream->next + REACH;

	return !stream->unsynced && (seq_before(number, low) || seq_after(number, high));
}

bool numbers_of_another(const struct turn *turn, const struct segment *segment)
{
	return is_outside(turn->mine, segment->seq) && segment->flags & TCP_ACK && is_outside(turn->theirs, turn->ack);
}
