// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * session_input() is the way of a packet: find (or make) the session, ask belief.h whether its receiver would take it, take note of
 * what it acknowledges, let the stream of its direction read it, and write it out again where it must change.
 *
 * In doubt a packet passes unchanged (invariant I5). The one case in which an unedited packet is dropped is a hole: bytes
 * beyond the first that has not been read. Its sender fills it. Where bytes have passed some other way (the daemon was away, its
 * rules were gone), the stream is picked up behind them.
 *
 * Whoever adjusts sequence numbers, the adjustment is recorded here, because acknowledgements must be mapped back.
 */
#include "announcement.h"
#include "dialogue.h"
#include "edit.h"
#include "lifecycle.h"
#include "session.h"
#include "stream.h"

#define HOLE_UNIT 64		/* milliseconds */
#define HOLE_MISSED 3
#define HOLE_PATIENCE 4		/* in HOLE_UNIT: more than the least retransmission timeout in use, 200 ms */
#define CLAIM_MAX UINT16_MAX	/* bytes: so many may have passed unseen while we were there */
#define MSS_DEFAULT_IPV4 536	/* RFC 9293 section 3.7.1 */
#define MSS_DEFAULT_IPV6 1220

int session_arrive_as(struct engine *engine, struct arrival *arrival, uint8_t *packet, size_t length,
		      bool checksum_pending, uint16_t zone, const struct tuple *ends)
{
	const int error = segment_parse(&arrival->segment, packet, length, checksum_pending);

	arrival->hash = 0;
	arrival->invalid = false;
	arrival->conntrack_id = 0;
	if (error)
		return error;
	arrival->zone = zone;
	arrival->ends = ends ? *ends : (struct tuple){ arrival->segment.src, arrival->segment.dst };
	arrival->hash = table_hash(engine->table, &arrival->ends, zone, &arrival->key);
	return 0;
}

int session_arrive(struct engine *engine, struct arrival *arrival, uint8_t *packet, size_t length,
		   bool checksum_pending, uint16_t zone)
{
	return session_arrive_as(engine, arrival, packet, length, checksum_pending, zone, NULL);
}

void session_prefetch(const struct engine *engine, const struct arrival *arrivals, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		table_prefetch(engine->table, arrivals[i].hash);
	for (unsigned int i = 0; i < count; i++)
		table_prefetch_chain(engine->table, &arrivals[i].key, arrivals[i].hash);
}

/* ---- what comes again ---- */

static uint8_t hole_time(const struct turn *turn)
{
	return (uint8_t)(turn->now / HOLE_UNIT);
}

/* The lowest segment beyond the hole so far. */
static void note_hole(const struct turn *turn, struct stream *stream, uint32_t start)
{
	stream->flags = (uint8_t)((stream->flags | STREAM_HOLE) & ~STREAM_HOLE_AGAIN);
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

/* ---- what is believed ---- */

/* What is known of a direction, as belief.h wants it. */
static struct belief_side side_of(const struct turn *turn, enum direction direction)
{
	const struct stream *stream = &turn->session->stream[direction];
	const struct work *work = table_work(turn->engine->table, turn->session);

	return (struct belief_side){
		.next = stream->next,
		.sent = stream_forwarded(stream, work, direction),
		.acked = stream->acked,
		.window = belief_window(stream->scale),
		.known = !(stream->flags & STREAM_UNSYNCED),
		.fin = stream->flags & STREAM_FIN,
	};
}

/*
 * A stream whose numbers we move ourselves, or with an edit in flight: such a connection's packets do not bypass, so nothing of it can
 * have passed without us. A swallowed part alone is lost where its rest has.
 */
static bool never_unseen(const struct session *session, const struct stream *stream)
{
	if (session->flags & SESSION_SELF && stream->flags & STREAM_EDITED)
		return true;
	return stream->flags & STREAM_IN_FLIGHT && !(stream->flags & STREAM_HELD);
}

/*
 * The packet acknowledges bytes that never came this way. They may have passed unseen: then their sender will go on behind them. Until
 * he does, this is a claim. One end alone makes nothing of it: the other's TCP would not take such a packet (RFC 9293 section
 * 3.10.7.4, fifth), and goes on where it was. So the claim stays near, unless nobody was there for a while.
 */
static bool note_claim(const struct turn *turn, struct stream *stream, uint32_t ack)
{
	const uint32_t reach = stream->flags & STREAM_STALE ? belief_window(stream->scale) : CLAIM_MAX;

	if (never_unseen(turn->session, stream) || seq_after(ack, stream->next + reach))
		return false;
	if (!seq_after(stream->claim, stream->next) || seq_after(ack, stream->claim))
		stream->claim = ack;
	return true;
}

/* Has this acknowledgement of bytes that never came, or of more of them, been claimed already? */
static bool claim_covers(const struct stream *stream, uint32_t ack)
{
	return seq_after(stream->claim, stream->next) && !seq_after(ack, stream->claim);
}

/* Has this very segment come before, well apart? It is taken note of. */
static bool comes_again(const struct turn *turn, uint32_t start)
{
	struct stream *stream = &turn->session->stream[turn->direction];

	if (!(stream->flags & STREAM_HOLE) || (int16_t)((uint16_t)start - stream->hole_start) < 0)
		note_hole(turn, stream, start);
	else if ((uint16_t)start != stream->hole_start)
		note_missed(turn, stream, start);
	else
		return (uint8_t)(hole_time(turn) - stream->hole_since) >= HOLE_PATIENCE;
	return false;
}

/* All of it was acknowledged before: its receiver takes nothing of it, not even what it acknowledges (RFC 9293 section 3.10.7.4, first). */
static bool is_old(const struct turn *turn, const struct segment *segment)
{
	const struct stream *mine = &turn->session->stream[turn->direction];
	const uint32_t end = segment->seq + segment->payload_length + (segment->flags & TCP_FIN ? 1 : 0);

	return !(mine->flags & STREAM_UNSYNCED) && seq_before(end, mine->acked);
}

/* Does the segment go on behind bytes that never came, and its receiver says that they have arrived? */
static bool is_claimed(const struct turn *turn, const struct segment *segment)
{
	const struct stream *stream = &turn->session->stream[turn->direction];

	return !(stream->flags & STREAM_UNSYNCED) && seq_after(segment->seq, stream->next) &&
	       seq_after(stream->claim, stream->next) && !seq_after(segment->seq, stream->claim);
}

/*
 * Would its receiver take the segment? It is no part of a handshake. An acknowledgement of bytes that never came is the other end's to
 * judge; it is believed where somebody else vouches for it: that nobody was there for a while, or the other end itself, who has
 * acknowledged of this direction what never came either.
 */
static enum belief judge(const struct turn *turn, const struct segment *segment)
{
	const enum direction other = turn_other(turn->direction);
	const struct belief_side mine = side_of(turn, turn->direction), theirs = side_of(turn, other);
	struct stream *acked = &turn->session->stream[other];
	const struct belief_segment judged = {
		.seq = segment->seq,
		.length = segment->payload_length,
		.ack = turn->ack,
		.flags = segment->flags,
	};
	const enum belief belief = belief_judge(&mine, &theirs, &judged);
	const bool stands = claim_covers(acked, judged.ack);

	if (belief != BELIEF_ACK_AHEAD || is_old(turn, segment) || !note_claim(turn, acked, judged.ack))
		return belief;
	if (acked->flags & STREAM_STALE)
		return !segment->payload_length || is_claimed(turn, segment) || (comes_again(turn, segment->seq) && stands) ?
			       BELIEVED : belief;
	/* Nothing comes behind a FIN that could show whether it was true; but it may answer the other's. */
	if (segment->flags & TCP_FIN && judged.ack != theirs.sent + 1)
		return belief;
	return is_claimed(turn, segment) ? BELIEVED : belief;
}

/* ---- the numbers of a connection picked up in the middle ---- */

static bool is_near(uint32_t a, uint32_t b)
{
	return a - b <= CLAIM_MAX || b - a <= CLAIM_MAX;
}

/* Nothing is known but what this packet says, or adds to what others of its direction have said. */
static void hear(const struct turn *turn, const struct segment *segment, bool more)
{
	struct session *session = turn->session;
	struct stream *mine = &session->stream[turn->direction];
	struct stream *theirs = &session->stream[turn_other(turn->direction)];
	const uint32_t end = segment->seq + segment->payload_length, ack = turn->ack;

	if (!more)
		mine->flags &= (uint8_t)~STREAM_FIN;
	if (segment->flags & TCP_FIN && (!more || !seq_before(end, mine->next)))
		mine->flags |= STREAM_FIN;
	mine->next = more ? seq_max(mine->next, end) : end;
	theirs->next = more ? seq_max(theirs->next, ack) : ack;
	session->flags &= (uint8_t)~SESSION_HEARD_REPLY;
	session->flags |= SESSION_HEARD | (turn->direction == DIRECTION_REPLY ? SESSION_HEARD_REPLY : 0);
}

/* A number in a stream, probably not a line's beginning; the receiver may lack what is before it, or have more. */
static void begin_at(struct stream *stream, uint32_t next)
{
	stream_start(stream, next);
	ftp_lose_line(&stream->line);
	stream->acked = next - UINT16_MAX;
	stream->flags |= STREAM_STALE;
}

/*
 * Anybody's packet can be the first that is seen of it. So numbers are taken up only where a packet of one direction and the next
 * of the other agree on them; until then packets pass unread. Return: true when the numbers are known.
 */
static bool agree(const struct turn *turn, const struct segment *segment)
{
	struct session *session = turn->session;
	struct stream *mine = &session->stream[turn->direction];
	struct stream *theirs = &session->stream[turn_other(turn->direction)];
	const bool same = !(session->flags & SESSION_HEARD_REPLY) == (turn->direction == DIRECTION_ORIGINAL);
	const bool fits = session->flags & SESSION_HEARD && is_near(segment->seq, mine->next) &&
			  is_near(turn->ack, theirs->next);

	if (!(segment->flags & TCP_ACK) || segment->flags & TCP_RST)
		return false;
	if (!fits || same) {
		hear(turn, segment, fits);
		return false;
	}
	if (theirs->flags & STREAM_FIN && turn->ack != theirs->next + 1 &&
	    seq_after(mine->next, segment->seq + segment->payload_length))
		theirs->flags &= (uint8_t)~STREAM_FIN;	/* it acknowledged what has not been sent: the other does not take it */
	begin_at(theirs, theirs->next);
	begin_at(mine, segment->seq);
	session->flags &= (uint8_t)~(SESSION_UNSURE | SESSION_HEARD | SESSION_HEARD_REPLY);
	if (session->state < SESSION_MIDDLE)
		session->state = SESSION_MIDDLE;
	return true;
}

/* ---- what is not payload ---- */

/*
 * Bytes up to @next have passed unseen, and with them perhaps the beginning of a line, or of TLS. The connection has everything to
 * show again; where it had not yet shown that it is FTP at all, it will not.
 */
static void resync(struct turn *turn, enum direction direction, uint32_t next)
{
	struct session *session = turn->session;
	struct stream *stream = &session->stream[direction];
	const bool stale = (session->stream[0].flags | session->stream[1].flags) & STREAM_STALE;
	const bool opaque = dialogue_may_be_opaque(session);
	const bool shown = session->state >= SESSION_MIDDLE && session->flags & (SESSION_FIRST_LINE | SESSION_RESUMED);
	struct turn side = *turn;

	side.direction = direction;
	edit_lose(&side);
	stream_start(stream, next);
	ftp_lose_line(&stream->line);
	stream->flags |= STREAM_STALE;	/* the receiver has not said that it has no more than that */
	turn->engine->counters.resynced++;
	turn->resynced = true;
	if (session->state >= SESSION_OPAQUE)
		return;			/* only its numbers are needed: it has nothing to show any more */
	dialogue_lost(turn->engine->table, session);
	session->state = SESSION_MIDDLE;
	if (opaque && !stale)
		dialogue_opaque(turn);
	else if (!shown)
		dialogue_not_ftp(turn);
	if (session->state >= SESSION_OPAQUE)
		lifecycle_let_go(turn);
}

/* Does it acknowledge what has not been sent, as far as is known? */
static bool claims(const struct turn *turn)
{
	const enum direction direction = turn_other(turn->direction);
	const struct stream *stream = &turn->session->stream[direction];
	const struct work *work = table_work(turn->engine->table, turn->session);
	const uint32_t sent = stream_forwarded(stream, work, direction) + (stream->flags & STREAM_FIN ? 1 : 0);

	return !(stream->flags & STREAM_UNSYNCED) && seq_after(turn->ack, sent);
}

/* What the packet acknowledges of the other direction. */
static void acknowledge(struct turn *turn, const struct segment *segment)
{
	const enum direction direction = turn_other(turn->direction);
	struct session *session = turn->session;
	struct stream *stream = &session->stream[direction];
	const struct work *work = table_work(turn->engine->table, session);
	const struct conntrack *conntrack = turn->engine->conntrack;
	const bool was_in_flight = session_in_flight(session);
	const bool more = stream->flags & STREAM_HOLE;	/* its sender has been seen beyond */
	const uint32_t ack = turn->ack;

	if (seq_after(ack, stream_forwarded(stream, work, direction) + (stream->flags & STREAM_FIN ? 1 : 0))) {
		if (!(stream->flags & STREAM_STALE) || !segment->payload_length)
			return;		/* a claim */
		resync(turn, direction, ack);	/* what it answers has not been seen */
	} else {
		stream->claim = stream->next;	/* receivers do not go back: what claimed more was not theirs, or will claim again */
	}
	/* Something new, and just what we know of: then nothing else has passed. */
	if (seq_after(ack, stream->acked) && ack == stream_forwarded(stream, work, direction) &&
	    !segment_has_sack(segment) && !more)
		stream->flags &= (uint8_t)~STREAM_STALE;
	stream_acknowledge(stream, work, direction, ack);
	if (was_in_flight && work->bound && !session_in_flight(session) && !(session->flags & SESSION_SELF) &&
	    conntrack->ops->settle)
		conntrack->ops->settle(turn->engine->conntrack, &work->binding);
}

/* ---- payload ---- */

/*
 * Bytes are missing before this segment. Does it show that they have passed unseen? It does when the receiver has acknowledged them. While
 * we were there that is nearly always a lie, and the segment another: so it has to come once more, and in between neither end may have
 * said otherwise. After nobody was there for a while it also does when it shows the same of the other direction; and when it has come
 * for the third time, well apart, and nothing before it has: a sender repeats the first byte that is not acknowledged, but for one probe
 * of the last (RFC 8985 section 7). At other times it has been lost three times.
 */
static bool passed_unseen(const struct turn *turn, struct stream *stream, uint32_t start)
{
	const bool lower = (int16_t)((uint16_t)start - stream->hole_start) < 0;
	const bool claimed = seq_after(stream->claim, stream->next) && !seq_after(start, stream->claim);
	const bool stale = stream->flags & STREAM_STALE;

	if (never_unseen(turn->session, stream) || (!claimed && !stale))
		return false;
	if (stale && (claimed || turn->resynced))
		return true;
	if (!(stream->flags & STREAM_HOLE) || lower) {
		note_hole(turn, stream, start);
		return false;
	}
	if ((uint16_t)start != stream->hole_start) {
		note_missed(turn, stream, start);
		return false;
	}
	stream->hole_missed = 0;
	if ((uint8_t)(hole_time(turn) - stream->hole_since) < HOLE_PATIENCE)
		return false;
	if (claimed || stream->flags & STREAM_HOLE_AGAIN)
		return true;
	stream->flags |= STREAM_HOLE_AGAIN;
	stream->hole_since = hole_time(turn);
	return false;
}

/* A bare segment beyond what was read last: its sender has sent more, perhaps while nobody was there, and be it a FIN. */
static void note_sent(const struct turn *turn, const struct segment *segment)
{
	struct stream *stream = &turn->session->stream[turn->direction];

	if (!segment->payload_length && stream->flags & STREAM_STALE && !(stream->flags & STREAM_HOLE) &&
	    seq_after(segment->seq, stream->next))
		note_hole(turn, stream, segment->seq + 1);
}

/* Both vouch for it that bytes have passed; where the other acknowledges one more than was sent, that was a FIN. */
static void note_unseen_fin(const struct turn *turn)
{
	struct stream *theirs = &turn->session->stream[turn_other(turn->direction)];

	if (turn->ack == theirs->next + 1)
		theirs->flags |= STREAM_FIN;
}

/* Is the segment beyond what was read last, and to be dropped for it? */
static bool is_hole(struct turn *turn, const struct passage *passage)
{
	struct stream *stream = passage->stream;

	if (!seq_after(passage->start, stream->next)) {
		stream->flags &= (uint8_t)~(STREAM_HOLE | STREAM_HOLE_AGAIN);
		return false;
	}
	if (!passed_unseen(turn, stream, passage->start))
		return true;
	resync(turn, turn->direction, passage->start);
	note_unseen_fin(turn);
	return false;
}

static uint32_t space_alone(const struct passage *passage)
{
	const struct segment *segment = passage->segment;
	const uint32_t options = segment_options_length(segment);
	uint32_t mss = passage->stream->mss;

	if (!mss)
		mss = segment->src.family == FAMILY_IPV4 ? MSS_DEFAULT_IPV4 : MSS_DEFAULT_IPV6;
	return mss > options ? mss - options : 1;
}

/* Both sides have said their last byte, and it has passed. */
static void note_fin(struct passage *passage)
{
	struct session *session = passage->turn.session;

	if (!(passage->segment->flags & TCP_FIN) || passage->end != passage->stream->next)
		return;		/* there is none, or its bytes before it were cut off, or it is not at its place */
	if (claims(&passage->turn))
		return;		/* the other may not take it; if it does, it will say so */
	passage->stream->flags |= STREAM_FIN;
	if (session->stream[turn_other(passage->turn.direction)].flags & STREAM_FIN)
		lifecycle_close(&passage->turn);
}

/* Let the stream read the segment. Return false when it is to be dropped. */
static bool read_segment(struct passage *passage)
{
	struct turn *turn = &passage->turn;
	const struct segment *segment = passage->segment;

	passage->start = segment_start(segment);
	passage->end = passage->start + segment->payload_length;
	passage->run_start = passage->start;
	passage->run_end = passage->end;
	passage->carried_length = 0;
	passage->copied = false;
	passage->probe = false;
	if (segment->payload_length == 0 && !(segment->flags & TCP_FIN))
		return true;
	if (passage->stream->flags & STREAM_FIN && seq_after(passage->end, passage->stream->next))
		passage->stream->flags &= (uint8_t)~STREAM_FIN;	/* it was not this sender's */
	passage->space_alone = space_alone(passage);
	passage->space = segment->payload_length > passage->space_alone ? segment->payload_length : passage->space_alone;
	if (turn->session->state < SESSION_OPAQUE && is_hole(turn, passage))
		return false;
	if (turn->session->state >= SESSION_OPAQUE) {
		stream_ignore(passage);
	} else {
		stream_read(passage);
		if (turn->session->state >= SESSION_OPAQUE)
			lifecycle_let_go(turn);
	}
	note_fin(passage);
	return true;
}

/* ---- out ---- */

/* Move the numbers of a packet of a session that we adjust ourselves. */
static void renumber(const struct turn *turn, struct segment *segment)
{
	const struct session *session = turn->session;
	const struct seqadj *mine = &session->stream[turn->direction].adj;
	const struct seqadj *theirs = &session->stream[turn_other(turn->direction)].adj;
	const bool acks = segment->flags & TCP_ACK;

	segment_renumber(segment, seqadj_forward(mine, segment->seq),
			 acks ? seqadj_back(theirs, segment->ack) : segment->ack);
	if (acks)
		segment_map_sack(segment, theirs);
	segment_complete(segment);
}

static bool must_renumber(const struct session *session)
{
	return session->flags & SESSION_SELF &&
	       (seqadj_active(&session->stream[0].adj) || seqadj_active(&session->stream[1].adj));
}

/* The packet goes as it came, but perhaps for its numbers. */
static enum verdict send_unchanged(const struct turn *turn, struct segment *segment, struct output *output)
{
	if (!must_renumber(turn->session))
		return VERDICT_ACCEPT;
	renumber(turn, segment);
	turn->engine->counters.renumbered++;
	output->packet = segment->packet;
	output->length = segment->length;
	return VERDICT_REPLACE;
}

static enum verdict send_spliced(const struct turn *turn, const struct segment *segment, const struct splice *splice,
				 struct output *output)
{
	const int length = segment_splice(segment, splice, output->buffer, output->capacity);
	struct segment changed;

	if (length < 0 || segment_parse(&changed, output->buffer, (size_t)length, false)) {
		turn->engine->counters.dropped++;
		return VERDICT_DROP;
	}
	if (must_renumber(turn->session))
		renumber(turn, &changed);
	turn->engine->counters.rewritten++;
	output->packet = output->buffer;
	output->length = (size_t)length;
	return VERDICT_REPLACE;
}

/* Is its number of this connection at all? One of another with the same ports, which somebody has played, is not ours to move. */
static bool is_anothers_number(const struct turn *turn, const struct segment *segment)
{
	const struct stream *stream = &turn->session->stream[turn->direction];
	const uint32_t reach = belief_window(stream->scale) + UINT16_MAX;

	return !(stream->flags & STREAM_UNSYNCED) && segment->seq - stream->next + reach > 2 * reach;
}

/* A packet that its receiver would not take changes nothing: it goes as it came, unread. */
static enum verdict disbelieve(const struct turn *turn, struct segment *segment, enum belief belief, struct output *output)
{
	turn->engine->counters.disbelieved[belief]++;
	if (is_anothers_number(turn, segment))
		return VERDICT_ACCEPT;
	return send_unchanged(turn, segment, output);
}

/*
 * Nobody was there for a while, and the segment acknowledges what may have passed then. It is lost, so that its sender sends it again, if
 * it is his; what passes unread could not be told from a hole afterwards.
 */
static bool must_come_again(const struct turn *turn, const struct segment *segment)
{
	const struct stream *acked = &turn->session->stream[turn_other(turn->direction)];

	if (!(acked->flags & STREAM_STALE) || !segment->payload_length || is_old(turn, segment) ||
	    !claim_covers(acked, turn->ack))
		return false;
	turn->engine->counters.disbelieved[BELIEF_ACK_AHEAD]++;
	turn->engine->counters.dropped++;
	return true;
}

static enum verdict process(struct turn *turn, struct segment *segment, struct output *output)
{
	struct passage passage;
	struct splice splice;
	enum belief belief;

	turn->ack = seqadj_back(&turn->session->stream[turn_other(turn->direction)].adj, segment->ack);
	if (turn->session->flags & SESSION_UNSURE && !agree(turn, segment))
		return send_unchanged(turn, segment, output);
	belief = judge(turn, segment);
	if (belief != BELIEVED)
		return belief == BELIEF_ACK_AHEAD && must_come_again(turn, segment) ?
			       VERDICT_DROP : disbelieve(turn, segment, belief, output);
	turn->session->last_seen = (uint32_t)(turn->now / 1000);
	if (segment->flags & TCP_RST) {
		lifecycle_reset(turn);
		return send_unchanged(turn, segment, output);
	}
	/* Where all packets come here, what an honest end acknowledges comes again in one that is not old. */
	if (!is_old(turn, segment) || !(turn->session->flags & SESSION_SELF))
		acknowledge(turn, segment);
	note_sent(turn, segment);
	passage.turn = *turn;
	passage.segment = segment;
	passage.stream = &turn->session->stream[turn->direction];
	if (!read_segment(&passage)) {
		turn->engine->counters.dropped++;
		return VERDICT_DROP;
	}
	if (stream_compose(&passage, &splice))
		return send_spliced(turn, segment, &splice, output);
	return send_unchanged(turn, segment, output);
}

/* SYN and SYN/ACK leave as they came: no edit is before them. */
static enum verdict handshake(struct turn *turn, const struct arrival *arrival)
{
	turn->session = lifecycle_handshake(turn->engine, arrival, turn->session, turn->now);
	return VERDICT_ACCEPT;
}

/* The session of a packet that can have one: @session, where its flow has that; one of an earlier connection makes room. NULL: it passes. */
static struct session *session_of(struct engine *engine, const struct arrival *arrival, struct session *session, uint64_t now)
{
	if (session && !arrival->invalid && lifecycle_is_over(engine, session, arrival, now)) {
		table_begin(engine->table, session);
		lifecycle_succeed(engine, session, arrival, now);
		table_commit(engine->table);
		session = NULL;
	}
	if (!session && !(arrival->segment.flags & TCP_SYN) && !arrival->invalid)
		session = lifecycle_begin(engine, arrival, now, false);
	return session;
}

static enum verdict input(struct turn *turn, struct arrival *arrival, struct output *output)
{
	enum verdict verdict;

	if (arrival->invalid)
		return disbelieve(turn, &arrival->segment, BELIEF_INVALID, output);
	if (arrival->segment.flags & TCP_SYN)
		return handshake(turn, arrival);
	verdict = process(turn, &arrival->segment, output);
	if (arrival->segment.flags & TCP_RST)
		turn->session = lifecycle_after_reset(turn->engine, arrival, turn->session, turn->now);
	return verdict;
}

enum verdict session_input(struct engine *engine, struct arrival *arrival, uint64_t now, struct output *output)
{
	struct turn turn = { .engine = engine, .now = now };
	const struct segment *segment = &arrival->segment;
	enum verdict verdict;

	engine->counters.packets++;
	turn.session = table_find(engine->table, &arrival->key, arrival->hash);
	if (!turn.session && !(segment->flags & (TCP_SYN | TCP_RST)) && !segment->payload_length) {
		engine->counters.untracked++;
		return VERDICT_ACCEPT;
	}
	if (!segment_checksum_ok(segment)) {
		engine->counters.malformed++;
		return VERDICT_ACCEPT;
	}
	turn.session = session_of(engine, arrival, turn.session, now);
	if (!turn.session) {
		if (segment->flags & TCP_SYN && !arrival->invalid)
			lifecycle_handshake(engine, arrival, NULL, now);
		else if (segment->flags & TCP_RST && !arrival->invalid)
			lifecycle_after_reset(engine, arrival, NULL, now);
		engine->counters.untracked++;
		return VERDICT_ACCEPT;
	}
	table_begin(engine->table, turn.session);
	turn.direction = arrival->key.swapped == turn.session->key.swapped ? DIRECTION_ORIGINAL : DIRECTION_REPLY;
	verdict = input(&turn, arrival, output);
	if (turn.session)	/* a handshake may have ended it, and there was no room for another */
		lifecycle_settle(engine, turn.session);
	table_commit(engine->table);
	return verdict;
}

void session_unread(struct engine *engine, const struct arrival *arrival)
{
	struct session *session = table_find(engine->table, &arrival->key, arrival->hash);

	if (!session)
		return;
	table_begin(engine->table, session);
	session->stream[arrival->key.swapped == session->key.swapped ? DIRECTION_ORIGINAL : DIRECTION_REPLY].flags |=
		STREAM_STALE;
	table_commit(engine->table);
}

void session_absent(struct engine *engine, uint64_t now)
{
	lifecycle_absent(engine, now);
}

/* ---- what the kernel module let pass ---- */

static bool is_news(const struct stream *stream, uint32_t next)
{
	return stream->flags & STREAM_UNSYNCED || seq_after(next, stream->next);
}

/*
 * Everything before @next has gone, and nothing passed before all that we had been given was acknowledged: an edit in flight has
 * arrived. Of what passed nothing is known: it may be lost behind us, and have to go again. Where there was no daemon before,
 * what comes now may have bypassed the queue.
 */
static void pass_over(const struct turn *turn, enum direction direction, uint32_t next)
{
	struct stream *stream = &turn->session->stream[direction];
	const struct work *work = table_work(turn->engine->table, turn->session);
	uint8_t stale = stream->flags & STREAM_STALE;

	if (stream->flags & STREAM_UNSYNCED) {
		stream->acked = next - UINT16_MAX;
		stale = STREAM_STALE;
	} else if (stream->flags & STREAM_IN_FLIGHT) {
		stream_acknowledge(stream, work, direction, seq_min(edit_end(&work->edit[direction]), next));
	}
	if (is_news(stream, next)) {
		stream_start(stream, next);
		stream->flags |= stale;
	}
}

/* The dialogue as the module has followed it. */
static void take_up(struct turn *turn, const struct scan_note *note)
{
	struct session *session = turn->session;

	dialogue_lost(turn->engine->table, session);
	session->outstanding = note->outstanding;
	session->multiline = note->multiline;
	session->flags = (uint8_t)((session->flags & SESSION_SELF) | SESSION_FIRST_LINE |
				   (note->transfer ? SESSION_TRANSFER : 0));
	session->state = SESSION_READY;
}

static void passed(struct turn *turn, const struct scan_note *note)
{
	struct session *session = turn->session;
	const struct work *work = table_work(turn->engine->table, session);
	const bool was_in_flight = session_in_flight(session);
	const struct conntrack_ops *ops = turn->engine->conntrack->ops;

	if (!is_news(&session->stream[0], note->next[0]) && !is_news(&session->stream[1], note->next[1]))
		return;
	lifecycle_let_go(turn);
	for (int d = 0; d < 2; d++)
		pass_over(turn, (enum direction)d, note->next[d]);
	session->flags &= (uint8_t)~(SESSION_UNSURE | SESSION_HEARD | SESSION_HEARD_REPLY);
	if (session->state < SESSION_OPAQUE && note->opaque)
		session->state = SESSION_OPAQUE;
	if (session->state < SESSION_OPAQUE)
		take_up(turn, note);
	if (was_in_flight && work->bound && !session_in_flight(session) && !(session->flags & SESSION_SELF) && ops->settle)
		ops->settle(turn->engine->conntrack, &work->binding);
}

/* Is the note of another connection with the same addresses? Two have numbers far from each other. */
static bool is_anothers(const struct session *session, const struct scan_note *note)
{
	if (session->flags & SESSION_SELF && session->state != SESSION_CLOSED)
		return false;	/* nothing of it passes unseen, and its adjustment is known here only */
	for (int d = 0; d < 2; d++) {
		const struct stream *stream = &session->stream[d];

		if (!(stream->flags & STREAM_UNSYNCED) && note->next[d] - stream->next + FTP_LATE_SYNACK > 2 * FTP_LATE_SYNACK)
			return true;
	}
	return false;
}

/* The session of a packet with a note; one of an earlier connection makes room. */
static struct session *session_of_note(struct engine *engine, const struct arrival *arrival, uint64_t now,
				       const struct scan_note *note)
{
	struct session *session = table_find(engine->table, &arrival->key, arrival->hash);

	if (session && is_anothers(session, note)) {
		table_begin(engine->table, session);
		lifecycle_end(engine, session, now);
		table_commit(engine->table);
		session = NULL;
	}
	return session ? session : lifecycle_begin(engine, arrival, now, true);
}

void session_passed(struct engine *engine, struct arrival *arrival, uint64_t now, const struct scan_note *note)
{
	struct turn turn = { .engine = engine, .now = now };

	if (!segment_checksum_ok(&arrival->segment))
		return;
	turn.session = session_of_note(engine, arrival, now, note);
	if (!turn.session)
		return;
	table_begin(engine->table, turn.session);
	passed(&turn, note);
	table_commit(engine->table);
}

/* Conntrack is to adjust as the table says. Where the session has a work slot, it is bound again. */
static void align_conntrack(struct engine *engine, struct session *session)
{
	struct work *work = table_work_change(engine->table, session);
	const struct conntrack_ops *ops = engine->conntrack->ops;
	struct binding binding;
	enum direction direction;
	struct tuple seen;

	flow_ends(&session->key, &seen.src, &seen.dst);
	if (ops->find(engine->conntrack, &seen, session->key.zone, &binding, &direction))
		return;
	for (int d = 0; d < 2 && !(session->flags & SESSION_SELF); d++) {
		const struct seqadj *kernel = &binding.seqadj[d], *ours = &session->stream[d].adj;

		if (memcmp(kernel, ours, sizeof(*ours)) == 0 || (!seqadj_active(kernel) && !seqadj_active(ours)))
			continue;
		if (ops->adjust_seq(engine->conntrack, &binding, (enum direction)d, ours) == SEQADJ_KERNEL)
			binding.seqadj[d] = *ours;
	}
	if (!(session->flags & SESSION_SELF) && !session_in_flight(session) && ops->settle)
		ops->settle(engine->conntrack, &binding);
	if (work && !work->bound) {
		work->binding = binding;
		work->bound = 1;
	}
}

/* An edit is in flight, and whose is not known: another version began it. */
static bool is_unbound(const struct table *table, const struct session *session)
{
	return session_in_flight(session) && !table_work(table, session)->bound;
}

/*
 * The daemon died between two things it did for one packet. The table has forgotten the first; conntrack may not have. The packet
 * itself never left: so the older adjustment is the right one.
 */
void session_resume(struct engine *engine)
{
	struct table *table = engine->table;
	struct session *undone = table_undone(table);

	if (undone && !(undone->flags & SESSION_SELF))
		align_conntrack(engine, undone);
	for (uint32_t i = 1; i <= table_slots(table); i++) {
		struct session *session = table_slot(table, i);

		if (!session || !is_unbound(table, session))
			continue;
		table_begin(table, session);
		align_conntrack(engine, session);
		table_commit(table);
	}
}

void session_tick(struct engine *engine, uint64_t now, uint32_t slots)
{
	const uint32_t used = table_slots(engine->table);

	for (uint32_t i = 0; i < slots && i < used; i++) {
		struct session *session;

		engine->sweep = engine->sweep < used ? engine->sweep + 1 : 1;
		session = table_slot(engine->table, engine->sweep);
		if (!session)
			continue;
		table_begin(engine->table, session);
		lifecycle_tick(engine, session, now);
		table_commit(engine->table);
	}
}
