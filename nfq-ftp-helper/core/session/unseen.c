// SPDX-License-Identifier: GPL-2.0-or-later
#include "unseen.h"

#include "core/dialogue/dialogue.h"
#include "core/stream/edit.h"
#include "core/stream/stream.h"
#include "lifecycle.h"

#define HOLE_UNIT     64 /* milliseconds */
#define HOLE_MISSED   3
#define HOLE_PATIENCE (TCP_TIMEOUT_LEAST / HOLE_UNIT + 1) /* in HOLE_UNIT: what comes later was sent again */
#define CLAIM_MAX     UINT16_MAX /* bytes: so many may have passed unseen while we were there */

static uint8_t hole_time(const struct turn *turn)
{
	return (uint8_t)(turn->now / HOLE_UNIT);
}

/* The lowest segment beyond the hole so far. */
static void note_hole(const struct turn *turn, struct stream *stream, uint32_t start)
{
	state_hole(stream);
	stream->hole_start = (uint16_t)start;
	stream->hole_since = hole_time(turn);
	stream->hole_missed = 0;
}

/* Others come without the lowest one: in a burst out of order it may follow; time and again, and it has been acknowledged. */
static void note_missed(const struct turn *turn, struct stream *stream, uint32_t start)
{
	const uint8_t time = hole_time(turn);

	if ((uint8_t)(time - stream->hole_since) < HOLE_PATIENCE ||
	    (stream->hole_missed && (uint8_t)(time - stream->missed_at) < HOLE_PATIENCE))
		return;
	stream->missed_at = time;
	if (++stream->hole_missed == HOLE_MISSED)
		note_hole(turn, stream, start);
}

/*
 * A stream whose numbers we move ourselves, or with an edit in flight: such a connection's packets do not bypass, so nothing of it can
 * have passed without us; but where nothing guards those with an edit, it may have while nobody was there. Then a swallowed part is lost with
 * its rest, and not before.
 */
static bool never_unseen(const struct turn *turn, const struct stream *stream)
{
	const struct session *session = turn->session;
	const struct work *work = table_work(turn->engine->table, session);
	const struct edit *edit;

	if (session->self && stream->edited)
		return true;
	if (!stream->in_flight)
		return false;
	edit = &work->edit[stream - session->stream];
	return edit->guarded || (edit->kind != EDIT_SWALLOWED && !stream->stale);
}

/*
 * The packet acknowledges bytes that never came this way. They may have passed unseen: then their sender will go on behind them. Until
 * he does, this is a claim. One end alone makes nothing of it: the other's TCP would not take such a packet (RFC 9293 section
 * 3.10.7.4, fifth), and goes on where it was. So the claim stays near, unless nobody was there for a while.
 */
bool unseen_claim(const struct turn *turn, struct stream *stream, uint32_t ack)
{
	const uint32_t reach = stream->stale ? belief_window(stream->scale) : CLAIM_MAX;

	if (never_unseen(turn, stream) || seq_after(ack, stream->next + reach))
		return false;
	if (!seq_after(stream->claim, stream->next) || seq_after(ack, stream->claim))
		stream->claim = ack;
	return true;
}

/* Has this acknowledgement of bytes that never came, or of more of them, been claimed already? */
bool unseen_claim_stands(const struct stream *stream, uint32_t ack)
{
	return seq_after(stream->claim, stream->next) && !seq_after(ack, stream->claim);
}

/* Is it the lowest segment beyond the hole, again? It is taken note of. */
static bool is_lowest_again(const struct turn *turn, struct stream *stream, uint32_t start)
{
	const bool again = stream->hole && (uint16_t)start == stream->hole_start;

	if (!stream->hole || (int16_t)((uint16_t)start - stream->hole_start) < 0)
		note_hole(turn, stream, start);
	else if (!again)
		note_missed(turn, stream, start);
	return again;
}

static bool is_well_apart(const struct turn *turn, const struct stream *stream)
{
	return (uint8_t)(hole_time(turn) - stream->hole_since) >= HOLE_PATIENCE;
}

/* Has this very segment come before, well apart? It is taken note of. */
bool unseen_comes_again(const struct turn *turn, uint32_t start)
{
	struct stream *stream = turn->mine;

	return is_lowest_again(turn, stream, start) && is_well_apart(turn, stream);
}

/* Does the segment go on behind bytes that never came, and its receiver says that they have arrived? */
bool unseen_is_claimed(const struct turn *turn, const struct segment *segment)
{
	const struct stream *stream = turn->mine;

	return !stream->unsynced && seq_after(segment->seq, stream->next) && seq_after(stream->claim, stream->next) &&
	       !seq_after(segment->seq, stream->claim);
}

/*
 * Bytes up to @next have passed unseen, and with them perhaps the beginning of a line, or of TLS. The connection has everything to
 * show again; where it had not yet shown that it is FTP at all, it will not.
 */
void unseen_take_up(struct turn *turn, enum direction direction, uint32_t next)
{
	struct session *session = turn->session;
	struct stream *stream = &session->stream[direction];
	const bool stale = session->stream[0].stale || session->stream[1].stale;
	const bool opaque = session_in_tls(session) || (!stale && dialogue_may_be_opaque(session));
	const bool shown = session->state >= SESSION_MIDDLE && (session->first_line || session->resumed);
	const uint32_t beyond = stream->beyond;
	struct turn side = *turn;

	turn_to(&side, direction);
	edit_lose(&side);
	state_goes_on(stream); /* a FIN before them was not its sender's */
	stream_start(stream, next);
	stream->beyond = seq_max(beyond, next);
	ftp_lose_line(&stream->line);
	state_doubted(stream); /* the receiver has not said that it has no more than that */
	turn->engine->counters.resynced++;
	turn->resynced = true;
	if (!state_reads_lines(session))
		return; /* only its numbers are needed: it has nothing to show any more */
	dialogue_lost(turn->engine->table, session);
	state_happen(session, EVENT_UNSEEN);
	if (opaque)
		dialogue_opaque(turn);
	else if (!shown)
		dialogue_not_ftp(turn);
	if (!state_reads_lines(session))
		lifecycle_let_go(turn);
}

/* Has this very segment come before, well apart, and nothing before it in between? Else it is taken note of. */
static bool has_waited(const struct turn *turn, struct stream *stream, uint32_t start)
{
	if (!is_lowest_again(turn, stream, start))
		return false;
	stream->hole_missed = 0;
	return is_well_apart(turn, stream);
}

/*
 * Bytes are missing before this segment. Does it show that they have passed unseen? It does when the receiver has acknowledged them. But that
 * may be a lie, and the segment another, made by one who knows the numbers: so it has to come once more, and in between neither end may have
 * said otherwise. After nobody was there for a while it also does when it shows the same of the other direction, having come again already;
 * and when it has come for the third time, well apart, and nothing before it has: a sender repeats the first byte that is not acknowledged,
 * but for one probe of the last (RFC 8985 section 7). At other times it has been lost three times.
 *
 * Where nothing shows it, the receiver may have said so, and been contradicted by an older packet of its own. It says nothing more while
 * nothing reaches it: so whatever has waited asks it.
 */
static enum hole judge_hole(const struct turn *turn, struct stream *stream, uint32_t start)
{
	const bool claimed = unseen_claim_stands(stream, start);
	const bool stale = stream->stale;

	if (never_unseen(turn, stream))
		return HOLE_DROPPED;
	if (stale && turn->resynced)
		return HOLE_NONE;
	if (!has_waited(turn, stream, start))
		return HOLE_DROPPED;
	if (claimed || (stale && stream->hole_again))
		return HOLE_NONE;
	state_hole_again(stream);
	stream->hole_since = hole_time(turn);
	return HOLE_ASKED;
}

/*
 * The sender has been seen to go on up to @end, perhaps while nobody was there. Not further than a control connection's unacknowledged bytes
 * go: what is further off is a guess of somebody's who does not know the numbers.
 */
static void note_beyond(struct stream *stream, uint32_t end)
{
	if (end - stream->next <= UINT16_MAX && seq_after(end, stream->beyond))
		stream->beyond = end;
}

void unseen_note_sent(const struct turn *turn, const struct segment *segment)
{
	struct stream *stream = turn->mine;

	if (segment->payload_length)
		note_beyond(stream, segment->seq + segment->payload_length);
	else if (seq_after(segment->seq, stream->next)) /* a FIN where the next byte is due is not beyond */
		note_beyond(stream, segment->seq + !!(segment->flags & TCP_FIN));
}

/*
 * Both vouch for it that bytes have passed; where the other acknowledges one more than was sent, that was a FIN, unless its sender has been
 * seen to send a byte there that was not read.
 */
static void note_unseen_fin(const struct turn *turn)
{
	struct stream *theirs = turn->theirs;

	if (turn->ack == theirs->next + 1 && !seq_after(theirs->beyond, theirs->next))
		state_ended(theirs);
}

enum hole unseen_before(struct turn *turn, uint32_t start, uint32_t end)
{
	struct stream *stream = turn->mine;
	const enum hole hole = judge_hole(turn, stream, start);

	if (hole != HOLE_NONE) {
		note_beyond(stream, end);
		return hole;
	}
	unseen_take_up(turn, turn->direction, start);
	note_unseen_fin(turn);
	return HOLE_NONE;
}
