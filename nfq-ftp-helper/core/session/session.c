// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * session_input() is the way of a packet: find (or make) the session, ask belief.h whether its receiver would take it, take note of
 * what it acknowledges, let the stream of its direction read it, and write it out again where it must change.
 *
 * In doubt a packet passes unchanged (invariant I5). An unedited packet is dropped here in three cases only: right after a restart, where it has
 * to come again (must_come_again()); while conntrack would move it as another connection's (is_misplaced(), handshake_input()); and where there is
 * a hole: bytes beyond the first that has not been read. Its sender fills it. Where bytes have passed some other way (the daemon was away, its
 * rules were gone), the stream is picked up behind them.
 *
 * Whoever adjusts sequence numbers, the adjustment is recorded here, because acknowledgements must be mapped back.
 */
#include "session.h"

#include "beginning.h"
#include "core/dialogue/binding.h"
#include "core/stream/compose.h"
#include "core/stream/stream.h"
#include "core/table/state.h"
#include "handshake.h"
#include "lifecycle.h"
#include "numbers.h"
#include "oneway.h"
#include "unseen.h"

int session_arrive_as(struct engine *engine, struct arrival *arrival, uint8_t *packet, size_t length,
		      bool checksum_pending, uint16_t zone, const struct tuple *ends)
{
	const int error = segment_parse(&arrival->segment, packet, length, checksum_pending);

	arrival->hash = 0;
	arrival->invalid = false;
	arrival->conntrack_id = 0;
	arrival->busy[0] = arrival->busy[1] = false;
	if (error)
		return error;
	arrival->zone = zone;
	arrival->hash = table_hash(engine->table, ends ? &ends->src : &arrival->segment.src,
				   ends ? &ends->dst : &arrival->segment.dst, zone, &arrival->key);
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

/* ---- what is believed ---- */

/* What is known of a direction, as belief.h wants it. */
static inline struct belief_side side_of(const struct turn *turn, const struct stream *stream)
{
	return (struct belief_side){
		.next = stream->next,
		.sent = stream_forwarded(turn, stream),
		.acked = stream->acked,
		.window = belief_window(stream->scale),
		.known = !stream->unsynced,
		.fin = stream->fin,
		.doubted = stream->stale,
	};
}

/* All of it was acknowledged before: its receiver takes nothing of it, not even what it acknowledges (RFC 9293 section 3.10.7.4, first). */
static bool is_old(const struct turn *turn, const struct segment *segment)
{
	const struct stream *mine = turn->mine;
	const uint32_t end = segment->seq + segment->payload_length + (segment->flags & TCP_FIN ? 1 : 0);

	return !mine->unsynced && seq_before(end, mine->acked);
}

/*
 * Would its receiver take the segment? It is no part of a handshake. An acknowledgement of bytes that never came is the other end's to
 * judge; it is believed where somebody else vouches for it: that nobody was there for a while, when it comes again, or the other end itself,
 * who has acknowledged of this direction what never came either.
 */
static enum belief judge_packet(const struct turn *turn, const struct segment *segment)
{
	const struct belief_side mine = side_of(turn, turn->mine), theirs = side_of(turn, turn->theirs);
	struct stream *acked = turn->theirs;
	const struct belief_segment judged = {
		.seq = segment->seq,
		.length = segment->payload_length,
		.ack = turn->ack,
		.flags = segment->flags,
	};
	const enum belief belief = belief_judge(&mine, &theirs, &judged);
	bool stands;

	if (belief != BELIEF_ACK_AHEAD || is_old(turn, segment))
		return belief;
	stands = unseen_claim_stands(acked, judged.ack) || unseen_is_claimed(turn, segment);
	if (!unseen_claim(turn, acked, judged.ack))
		return belief;
	if (acked->stale)
		return !segment->payload_length || (unseen_comes_again(turn, segment->seq) && stands) ? BELIEVED :
													belief;
	/* Nothing comes behind a FIN that could show whether it was true; but it may answer the other's. */
	if (segment->flags & TCP_FIN && judged.ack != theirs.sent + 1)
		return belief;
	return unseen_is_claimed(turn, segment) ? BELIEVED : belief;
}

/* ---- what is not payload ---- */

/* Does it acknowledge what has not been sent, as far as is known? */
static bool claims(const struct turn *turn)
{
	const struct stream *stream = turn->theirs;
	const uint32_t sent = stream_forwarded(turn, stream) + (stream->fin ? 1 : 0);

	return !stream->unsynced && seq_after(turn->ack, sent);
}

/* What the packet acknowledges of the other direction. */
static void acknowledge(struct turn *turn, const struct segment *segment)
{
	struct stream *stream = turn->theirs;
	const bool more = seq_after(stream->beyond, stream->next);
	const uint32_t ack = turn->ack;

	if (seq_after(ack, stream_forwarded(turn, stream) + (stream->fin ? 1 : 0))) {
		if (!stream->stale || !segment->payload_length)
			return; /* a claim */
		/* what it answers has not been seen */
		unseen_take_up(turn, direction_other(turn->direction), ack);
	} else {
		/* Receivers do not go back: what claimed more was not theirs, or will claim again. What is older says nothing. */
		if (!seq_before(ack, stream->acked))
			stream->claim = stream->next;
	}
	/* Something new, and just what we know of: then nothing else has passed. */
	if (stream->stale && seq_after(ack, stream->acked) && ack == stream_forwarded(turn, stream) &&
	    !segment_has_sack(segment) && !more)
		state_trusted(stream);
	stream_acknowledge(turn, stream, ack);
}

/* ---- payload ---- */

/* Both sides have said their last byte, and it has passed. */
static void note_fin(struct passage *passage)
{
	if (!(passage->segment->flags & TCP_FIN) || passage->end != passage->stream->next)
		return; /* there is none, or its bytes before it were cut off, or it is not at its place */
	if (claims(passage->turn))
		return; /* the other may not take it; if it does, it will say so */
	state_ended(passage->stream);
	if (passage->turn->theirs->fin)
		lifecycle_close(passage->turn);
}

/* Let the stream read the segment, which has payload or a FIN. Return false when it is to be dropped. */
static bool read_segment(struct passage *passage)
{
	struct turn *turn = passage->turn;

	if (passage->stream->fin && !seq_after(passage->start, passage->stream->next) &&
	    seq_after(passage->end, passage->stream->next))
		state_goes_on(passage->stream); /* it was not this sender's, who goes on in its place */
	if (state_reads_lines(turn->session)) {
		const enum hole hole = unseen_hole(turn, passage->start, passage->end);

		passage->probe = hole == HOLE_ASKED;
		passage->run_end = hole == HOLE_ASKED ? passage->run_start : passage->run_end;
		if (hole != HOLE_NONE)
			return hole == HOLE_ASKED;
	}
	if (!state_reads_lines(turn->session)) {
		stream_ignore(passage);
	} else {
		stream_read(passage);
		if (!state_reads_lines(turn->session))
			lifecycle_let_go(turn);
	}
	note_fin(passage);
	return true;
}

/* ---- out ---- */

/*
 * Move the numbers of a packet by what is left to us: all of the adjustments, or what conntrack was not told of them. Return false where none
 * moves, as behind an edit of which conntrack knows all that counts by now.
 */
static bool renumber(const struct turn *turn, struct segment *segment)
{
	const bool self = turn->session->self, acks = segment->flags & TCP_ACK;
	struct seqadj mine = turn->mine->adj, theirs = turn->theirs->adj;
	uint32_t seq, ack;

	if (!self) {
		mine = seqadj_untold(&mine);
		theirs = seqadj_untold_back(&theirs);
	}
	seq = seqadj_forward(&mine, segment->seq);
	ack = acks ? seqadj_back(&theirs, segment->ack) : segment->ack;
	if (seq == segment->seq && ack == segment->ack &&
	    !(acks && seqadj_active(&theirs) && segment_has_sack(segment)))
		return false;
	segment_renumber(segment, seq, ack);
	if (acks)
		segment_map_sack(segment, &theirs);
	segment_complete(segment);
	return true;
}

static bool must_renumber(const struct turn *turn)
{
	const struct seqadj *a = &turn->mine->adj, *b = &turn->theirs->adj;

	if (turn->session->self)
		return seqadj_active(a) || seqadj_active(b);
	return turn->engine->conntrack->guarded && (seqadj_misjudged(a) || seqadj_misjudged(b));
}

/* The packet goes as it came, but perhaps for its numbers. */
static enum verdict send_unchanged(const struct turn *turn, struct segment *segment, struct output *output)
{
	if (!must_renumber(turn) || !renumber(turn, segment))
		return VERDICT_ACCEPT;
	turn->engine->counters.renumbered++;
	output->packet = segment->packet;
	output->length = segment->length;
	return VERDICT_REPLACE;
}

static enum verdict send_spliced(const struct turn *turn, const struct segment *segment, const struct splice *splice,
				 struct output *output)
{
	const int length = segment_splice(segment, splice, output->buffer, output->capacity);
	const bool renumbered = must_renumber(turn);
	struct segment changed;

	if (length < 0 || (renumbered && segment_parse(&changed, output->buffer, (size_t)length, false))) {
		turn->engine->counters.dropped++;
		return VERDICT_DROP;
	}
	if (renumbered)
		renumber(turn, &changed);
	turn->engine->counters.rewritten++;
	output->packet = output->buffer;
	output->length = (size_t)length;
	return VERDICT_REPLACE;
}

/* A packet that its receiver would not take changes nothing: it goes as it came, unread. */
static enum verdict disbelieve(const struct turn *turn, struct segment *segment, enum belief belief,
			       struct output *output)
{
	turn->engine->counters.disbelieved[belief]++;
	if (belief == BELIEF_ACK_AHEAD) {
		oneway_ahead(turn, segment);
		unseen_note_sent(turn, segment);
	}
	if (numbers_far(turn, segment))
		return VERDICT_ACCEPT;
	return send_unchanged(turn, segment, output);
}

/*
 * Nobody was there for a while, and the segment acknowledges what may have passed then. It is lost, so that its sender sends it again, if
 * it is his; what passes unread could not be told from a hole afterwards.
 */
static bool must_come_again(const struct turn *turn, const struct segment *segment)
{
	const struct stream *acked = turn->theirs;

	if (!state_reads_lines(turn->session) || !acked->stale || !segment->payload_length || is_old(turn, segment) ||
	    !unseen_claim_stands(acked, turn->ack))
		return false;
	turn->engine->counters.disbelieved[BELIEF_ACK_AHEAD]++;
	turn->engine->counters.dropped++;
	return true;
}

/* Would its receiver take it? Where bytes may have passed unseen both ends may be far ahead; far behind none ever is. */
static enum belief judge(const struct turn *turn, const struct segment *segment)
{
	const bool ahead = turn->mine->stale && seq_after(turn->ack, turn->theirs->next);

	/* Nothing of a connection that we renumber passes unseen. */
	if (numbers_of_another(turn, segment) && (!ahead || must_renumber(turn)))
		return BELIEF_SEQUENCE;
	return judge_packet(turn, segment);
}

/* What it brings is read, and what of that leaves is put together. */
static enum verdict forward(struct turn *turn, struct segment *segment, struct output *output)
{
	struct passage passage;
	struct splice splice;

	passage_begin(&passage, turn, segment);
	if (!read_segment(&passage)) {
		turn->engine->counters.dropped++;
		return VERDICT_DROP;
	}
	if (!compose_nothing(&passage) && compose_payload(&passage, &splice))
		return send_spliced(turn, segment, &splice, output);
	return send_unchanged(turn, segment, output);
}

static enum verdict process(struct turn *turn, struct segment *segment, struct output *output)
{
	enum belief belief;

	turn->ack = seqadj_back(&turn->theirs->adj, segment->ack);
	if (turn->session->unsure && !numbers_agree(turn, segment))
		return send_unchanged(turn, segment, output);
	belief = judge(turn, segment);
	if (belief == BELIEF_ACK_AHEAD && must_come_again(turn, segment))
		return VERDICT_DROP;
	if (belief != BELIEVED)
		return disbelieve(turn, segment, belief, output);
	turn->session->last_seen = (uint32_t)(turn->now / 1000);
	if (segment->flags & TCP_RST) {
		lifecycle_reset(turn);
		return send_unchanged(turn, segment, output);
	}
	/* What an honest end acknowledges comes again in one that is not old. */
	if (!is_old(turn, segment))
		acknowledge(turn, segment);
	if (!segment->payload_length)
		unseen_note_sent(turn, segment);
	if (!segment->payload_length && !(segment->flags & TCP_FIN))
		return send_unchanged(turn, segment, output);
	return forward(turn, segment, output);
}

/*
 * Conntrack would move the packet as another connection's, and could not be told otherwise: so it is lost, and its sender sends it again. Conntrack
 * is told once more with each.
 */
static bool is_misplaced(struct engine *engine, struct session *session)
{
	if (!session->misplaced || binding_stands(engine, session))
		return false;
	engine->counters.dropped++;
	return true;
}

/* SYN and SYN/ACK leave as they came: no edit is before them. */
static enum verdict handshake(struct engine *engine, const struct arrival *arrival, struct session **session,
			      uint64_t now)
{
	if (handshake_input(engine, arrival, session, now))
		return VERDICT_ACCEPT;
	engine->counters.dropped++;
	return VERDICT_DROP;
}

/* The session of a packet that can have one: @session, where its flow has that; one of an earlier connection makes room. NULL: it passes. */
static struct session *session_of(struct engine *engine, const struct arrival *arrival, struct session *session,
				  uint64_t now)
{
	if (session && !arrival->invalid && handshake_is_over(engine, session, arrival, now)) {
		table_begin(engine->table, session);
		handshake_succeed(engine, session, arrival, now);
		table_commit(engine->table);
		session = NULL;
	}
	if (!session && !(arrival->segment.flags & TCP_SYN) && !arrival->invalid)
		session = beginning_of(engine, arrival, now, false);
	return session;
}

/* Whose packet is it, the client's or the server's? */
static enum direction direction_of(const struct arrival *arrival, const struct session *session)
{
	return arrival->key.swapped == session->key.swapped ? DIRECTION_ORIGINAL : DIRECTION_REPLY;
}

/* A packet of a session. @session: changed to the one its flow has from now on, or NULL. */
static enum verdict input(struct engine *engine, struct arrival *arrival, struct session **session, uint64_t now,
			  struct output *output)
{
	struct turn turn = turn_begin(engine, *session, direction_of(arrival, *session), now);
	const bool was_in_flight = session_in_flight(*session);
	enum verdict verdict;

	turn.busy = arrival->busy[turn.direction];
	if (arrival->invalid)
		return disbelieve(&turn, &arrival->segment, BELIEF_INVALID, output);
	if (arrival->segment.flags & TCP_SYN)
		return handshake(engine, arrival, session, now);
	if (is_misplaced(engine, *session))
		return VERDICT_DROP;
	verdict = process(&turn, &arrival->segment, output);
	edit_settle(&turn, was_in_flight);
	if (arrival->segment.flags & TCP_RST)
		*session = handshake_after_reset(engine, arrival, *session, now);
	return verdict;
}

enum verdict session_input(struct engine *engine, struct arrival *arrival, uint64_t now, struct output *output)
{
	struct session *session = table_find(engine->table, &arrival->key, arrival->hash);
	const struct segment *segment = &arrival->segment;
	enum verdict verdict;

	engine->counters.packets++;
	if (!session && !(segment->flags & (TCP_SYN | TCP_RST)) && !segment->payload_length) {
		engine->counters.untracked++;
		return VERDICT_ACCEPT;
	}
	if (!segment_checksum_ok(segment)) {
		engine->counters.malformed++;
		return VERDICT_ACCEPT;
	}
	session = session_of(engine, arrival, session, now);
	if (!session) {
		engine->counters.untracked++;
		if (segment->flags & TCP_SYN && !arrival->invalid)
			return handshake(engine, arrival, &session, now);
		if (segment->flags & TCP_RST && !arrival->invalid)
			handshake_after_reset(engine, arrival, NULL, now);
		else
			oneway_stranger(engine, arrival, now);
		return VERDICT_ACCEPT;
	}
	table_begin(engine->table, session);
	verdict = input(engine, arrival, &session, now, output);
	if (session) /* a handshake may have ended it, and there was no room for another */
		lifecycle_settle(engine, session);
	table_commit(engine->table);
	return verdict;
}

void session_unread(struct engine *engine, const struct arrival *arrival, uint32_t payload_length, uint64_t now)
{
	struct session *session = table_find(engine->table, &arrival->key, arrival->hash);
	const uint32_t start = segment_start(&arrival->segment), end = start + payload_length;
	struct turn turn;

	if (!session)
		return;
	turn = turn_begin(engine, session, direction_of(arrival, session), now);
	table_begin(engine->table, session);
	if (!turn.mine->unsynced && !seq_after(start, turn.mine->next) && seq_after(end, turn.mine->next))
		unseen_take_up(&turn, turn.direction, end);
	state_doubted(turn.mine);
	lifecycle_settle(engine, session);
	table_commit(engine->table);
}

void session_absent(struct engine *engine, uint64_t now)
{
	lifecycle_absent(engine, now);
}

void session_tick(struct engine *engine, uint64_t now, uint32_t slots)
{
	const uint32_t used = table_slots(engine->table);

	for (uint32_t i = 0; i < slots && i < used; i++) {
		struct session *session = table_walk(engine->table, &engine->sweep);

		if (!session)
			continue;
		table_begin(engine->table, session);
		lifecycle_tick(engine, session, now);
		table_commit(engine->table);
	}
}
