// SPDX-License-Identifier: GPL-2.0-or-later
#include "announcement.h"
#include "dialogue.h"
#include "edit.h"
#include "embryo.h"
#include "lifecycle.h"
#include "opening.h"
#include "share.h"
#include "stream.h"
#include "worth.h"

#define PICK_UP_PERIOD UINT64_C(900000)	/* milliseconds: servers end sessions that are silent for longer */
#define WORK_IDLE 10		/* seconds until a quiet session gives its work slot back */
#define EXPECTATION_LIFE 300	/* seconds until what was announced is taken back anyway */
#define HELD_LIFE 300		/* seconds until what is held back is let go */
#define LAST_ACK_SECONDS 30	/* as conntrack's */
#define EDIT_LIFE 1200		/* seconds until an edit that nobody acknowledges is given up */

void lifecycle_end(struct engine *engine, struct session *session, uint64_t now)
{
	struct turn turn = { engine, session, DIRECTION_ORIGINAL, now, 0, false };
	struct endpoint client, server;

	flow_ends(&session->key, &client, &server);
	announcement_withdraw_all(&turn);
	turn_report_plain(&turn, REPORT_END);
	table_work_put(engine->table, session);
	share_give(engine, &client, SHARE_SESSIONS);
	table_remove(engine->table, session);
}

void lifecycle_absent(struct engine *engine, uint64_t now)
{
	engine->picks_up_until = now + PICK_UP_PERIOD;
}

/* May its ends go on? They may where they have not both said their last byte: an RST's receiver may not have believed it. */
static bool may_go_on(const struct session *session)
{
	return !(session->stream[0].flags & session->stream[1].flags & STREAM_FIN);
}

/*
 * A session of a connection that may be alive is forgotten, and with it what was found out about the connection. From then on nobody can
 * say of one without a session that nobody was there when it began.
 */
static void forget(struct engine *engine, struct session *session, uint64_t now)
{
	if (may_go_on(session) &&
	    session->last_seen >= (engine->picks_up_until - PICK_UP_PERIOD) / 1000)
		engine->picks_up_until = 0;
	lifecycle_end(engine, session, now);
}

/* Where there is no room for the client's new session, a session of less worth makes some. */
static bool make_room(struct engine *engine, const struct endpoint *client, uint64_t now)
{
	struct session *least = worth_least(engine, client, now);

	if (!least)
		return false;
	table_begin(engine->table, least);
	forget(engine, least, now);
	table_commit(engine->table);
	engine->counters.displaced++;
	return true;
}

/* A connection is not followed. */
static void tell_limit(struct engine *engine, const struct endpoint *client, const struct endpoint *server)
{
	const bool full = share_full(engine, SHARE_SESSIONS);
	const struct report told = {
		.kind = REPORT_LIMIT,
		.client = *client,
		.server = *server,
		.command = "",
		.taken = full ? 0 : table_budget(engine->table, client)->taken[SHARE_SESSIONS],
	};

	engine->counters.full++;
	if (told.taken)
		engine->counters.limited++;
	if (engine->report)
		engine->report(engine->report_context, &told);
}

/* A slot for the arrival's flow; @swapped says which of its ends is the client. NULL, counted, at a limit. */
static struct session *new_session(struct engine *engine, const struct arrival *arrival, bool swapped, uint64_t now)
{
	const bool sent = arrival->key.swapped == swapped;
	const struct endpoint *client = sent ? &arrival->ends.src : &arrival->ends.dst;
	const struct endpoint *server = sent ? &arrival->ends.dst : &arrival->ends.src;
	struct flow_key key = arrival->key;
	struct session *session = NULL;

	key.swapped = swapped;
	if (share_may(engine, client, SHARE_SESSIONS) || make_room(engine, client, now))
		session = table_insert(engine->table, &key, arrival->hash);
	if (!session) {
		tell_limit(engine, client, server);
		return NULL;
	}
	table_begin(engine->table, session);	/* a kill before it is filled in leaves none */
	table_count(engine->table, table_budget(engine->table, client), SHARE_SESSIONS, 1);
	session->last_seen = (uint32_t)(now / 1000);
	engine->counters.sessions++;
	return session;
}

/* The new session is filled in. */
static struct session *begun(struct engine *engine, struct session *session)
{
	table_commit(engine->table);
	return session;
}

/* Who is whose, and in which direction the arrival goes, where conntrack knows its connection. */
static bool known(struct engine *engine, const struct arrival *arrival, struct binding *binding, enum direction *direction)
{
	struct conntrack *conntrack = engine->conntrack;

	return !arrival->invalid &&
	       conntrack->ops->find(conntrack, &arrival->ends, arrival->zone, binding, direction) == 0;
}

/* Window scaling is in use where both ends have said so (RFC 7323 section 2.2). */
static uint8_t scale_of(const struct embryo *embryo, enum direction direction)
{
	const uint8_t *scale = embryo->scale;

	if (scale[0] == SEGMENT_NO_SCALE || scale[1] == SEGMENT_NO_SCALE)
		return 0;
	return scale[turn_other(direction)];
}

/* What the handshake has agreed on. A stream's MSS and scale are what its receiver said. */
static void begin_streams(struct session *session, const struct embryo *embryo)
{
	for (int d = 0; d < 2; d++) {
		struct stream *stream = &session->stream[d];

		stream_start(stream, embryo->start[d]);
		stream->acked = stream->next;
		stream->mss = embryo->mss[!d];
		stream->scale = scale_of(embryo, (enum direction)d);
	}
}

/* The SYN's bytes have been read. How many of them the SYN/ACK took does not matter: the client sends the others again, as they were. */
static void begin_first_line(struct turn *turn, const struct embryo *embryo)
{
	struct stream *client = &turn->session->stream[DIRECTION_ORIGINAL];

	client->next += embryo->data;
	client->claim = client->next;
	client->acked = embryo->acked;
	client->line = embryo->line;
	turn->session->outstanding = embryo->lines;
	if (embryo->lines)
		turn->session->flags |= SESSION_FIRST_LINE;
	if (embryo->strange)
		dialogue_not_ftp(turn);
}

/* An adjustment that conntrack has of a forged connection in this one's place would move this one's bytes. */
static void clear_adjustment(struct engine *engine, const struct binding *binding)
{
	static const struct seqadj none;

	for (int d = 0; d < 2; d++)
		if (seqadj_active(&binding->seqadj[d]))
			engine->conntrack->ops->adjust_seq(engine->conntrack, binding, (enum direction)d, &none);
}

static struct session *session_of_embryo(struct engine *engine, const struct arrival *arrival,
					 struct embryo *embryo, const struct binding *binding, uint64_t now)
{
	struct session *session = new_session(engine, arrival, embryo->key.swapped, now);
	struct turn turn = { engine, session, DIRECTION_ORIGINAL, now, 0, false };

	if (!session) {		/* it is left alone: not every packet of it is to ask again */
		embryo_leave(embryo);
		return NULL;
	}
	clear_adjustment(engine, binding);
	session->conntrack_id = binding->id ? binding->id : arrival->conntrack_id;
	session->last_seen = (uint32_t)(now / 1000);
	session->flags = 0;
	begin_streams(session, embryo);
	session->state = SESSION_GREETING;
	turn_report_plain(&turn, REPORT_BEGIN);
	begin_first_line(&turn, embryo);
	begun(engine, session);
	embryo_close(embryo);
	return session;
}

/*
 * A SYN/ACK whose SYN was not seen. What it acknowledges may be the middle of a line that the SYN began; and it may be another one of
 * a connection that has long begun.
 */
static struct session *session_of_answer(struct engine *engine, const struct arrival *arrival,
					 const struct binding *binding, uint64_t now)
{
	const struct segment *segment = &arrival->segment;
	struct session *session = new_session(engine, arrival, !arrival->key.swapped, now);

	if (!session) {
		engine->picks_up_until = 0;	/* it did not begin unseen, and nothing will say so */
		return NULL;
	}
	session->conntrack_id = binding->id ? binding->id : arrival->conntrack_id;
	session->last_seen = (uint32_t)(now / 1000);
	session->flags = 0;
	stream_start(&session->stream[DIRECTION_ORIGINAL], segment->ack);
	stream_start(&session->stream[DIRECTION_REPLY], segment_start(segment));
	ftp_lose_line(&session->stream[DIRECTION_ORIGINAL].line);
	session->stream[DIRECTION_ORIGINAL].mss = segment_mss(segment);
	for (int d = 0; d < 2; d++) {
		session->stream[d].acked = session->stream[d].next;
		session->stream[d].scale = BELIEF_SCALE_MAX;
	}
	session->state = SESSION_GREETING;
	turn_report_plain(&(struct turn){ engine, session, DIRECTION_ORIGINAL, now, 0, false }, REPORT_BEGIN);
	return begun(engine, session);
}

/* A connection first seen in the middle: conntrack says who is the client, and what is adjusted already. */
static struct session *pick_up(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct binding binding;
	enum direction direction;
	struct session *session;

	if (!known(engine, arrival, &binding, &direction))
		return NULL;
	session = new_session(engine, arrival, arrival->key.swapped ^ (direction == DIRECTION_REPLY), now);
	if (!session)
		return NULL;
	session->state = SESSION_MIDDLE;
	session->conntrack_id = binding.id ? binding.id : arrival->conntrack_id;
	for (int d = 0; d < 2; d++) {
		session->stream[d].adj = binding.seqadj[d];
		session->stream[d].scale = BELIEF_SCALE_MAX;
		if (seqadj_active(&binding.seqadj[d]))
			session->stream[d].flags |= STREAM_EDITED;
	}
	engine->counters.picked_up++;
	turn_report_plain(&(struct turn){ engine, session, DIRECTION_ORIGINAL, now, 0, false }, REPORT_BEGIN);
	return begun(engine, session);
}

struct session *lifecycle_begin(struct engine *engine, const struct arrival *arrival, uint64_t now, bool passed)
{
	struct embryo *embryo;
	struct binding binding;
	enum direction direction;

	if (arrival->segment.flags & TCP_RST || !arrival->segment.payload_length)
		return NULL;
	embryo = embryo_find(engine, arrival, now);
	if (embryo && known(engine, arrival, &binding, &direction))
		return session_of_embryo(engine, arrival, embryo, &binding, now);
	if (passed || (now < engine->picks_up_until && !embryo_remembers(engine, arrival)))
		return pick_up(engine, arrival, now);
	engine->counters.strangers++;
	return NULL;
}

/* Give up what is held back in the turn's direction. */
static void let_go(struct turn *turn)
{
	struct stream *stream = &turn->session->stream[turn->direction];
	const struct work *work = table_work(turn->engine->table, turn->session);

	if (!(stream->flags & STREAM_HELD))
		return;
	stream->next = stream_forwarded(stream, work, turn->direction);
	edit_restore(turn);
	stream->flags &= (uint8_t)~STREAM_HELD;
}

/* Give up what is held back, so that nothing waits for lines that will not be read any more. */
void lifecycle_let_go(const struct turn *turn)
{
	struct turn side = *turn;

	for (int d = 0; d < 2; d++) {
		side.direction = (enum direction)d;
		let_go(&side);
	}
}

/* The connection has ended. What adjusts its last packets stays for a while. */
void lifecycle_close(struct turn *turn)
{
	if (turn->session->state == SESSION_CLOSED)
		return;
	turn->session->state = SESSION_CLOSED;
	lifecycle_let_go(turn);
	announcement_withdraw_all(turn);
}

/* An end knows nothing of it any more. What was still to be said of an end that both have announced will not be. */
void lifecycle_reset(struct turn *turn)
{
	const uint8_t fins = turn->session->stream[0].flags & turn->session->stream[1].flags & STREAM_FIN;

	for (int d = 0; d < 2 && fins; d++)
		turn->session->stream[d].acked = turn->session->stream[d].next + 1;
	lifecycle_close(turn);
}

/*
 * Both have announced the end, and one has not been told that it was heard: it will say so again, in numbers that only we can move. No
 * TCP begins anew before it has been told. Where conntrack moves them we may not be given what tells it.
 */
static bool is_ending(const struct session *session, uint64_t now)
{
	const struct stream *stream = session->stream;

	return session->flags & SESSION_SELF && (uint32_t)(now / 1000) - session->last_seen <= LAST_ACK_SECONDS &&
	       stream[0].flags & stream[1].flags & STREAM_FIN &&
	       (!seq_after(stream[0].acked, stream[0].next) || !seq_after(stream[1].acked, stream[1].next));
}

/* Does conntrack adjust another connection by now? A new one with the same addresses is not adjusted as we have told it. */
static bool is_adjusted_otherwise(const struct session *session, const struct binding *binding)
{
	bool adjusted = false, otherwise = false;

	for (int d = 0; d < 2; d++) {
		adjusted |= seqadj_active(&session->stream[d].adj);
		otherwise |= memcmp(&binding->seqadj[d], &session->stream[d].adj, sizeof(struct seqadj)) != 0;
	}
	return adjusted && otherwise;
}

static bool is_anothers(const struct session *session, uint32_t conntrack_id)
{
	return session->conntrack_id && conntrack_id && session->conntrack_id != conntrack_id;
}

/*
 * Does it say again what this session's ends have said, within the largest window without scaling? A copy of their own handshake, of which
 * a daemon that met it halfway has seen the rest only, looks like another's. A new connection begins beyond (RFC 6528 section 3).
 */
static bool is_repeated(const struct session *session, const struct arrival *arrival)
{
	const struct segment *segment = &arrival->segment;
	const struct stream *stream = &session->stream[arrival->key.swapped != session->key.swapped];
	const uint32_t end = segment_start(segment) + segment->payload_length;

	return !(stream->flags & STREAM_UNSYNCED) && stream->next - end <= UINT16_MAX;
}

/* Does the packet go on behind a handshake that was not this ended session's? */
static bool is_followed(struct engine *engine, const struct session *session, const struct arrival *arrival, uint64_t now)
{
	struct binding binding;
	enum direction direction;

	return session->state == SESSION_CLOSED && !is_ending(session, now) && arrival->segment.payload_length &&
	       !(arrival->segment.flags & (TCP_SYN | TCP_RST)) && !is_repeated(session, arrival) && embryo_find(engine, arrival, now) &&
	       known(engine, arrival, &binding, &direction);
}

/* Has nothing been found out about it that is lost when it is picked up in its middle? */
static bool has_shown(const struct session *session)
{
	return session->state >= SESSION_MIDDLE && session->state <= SESSION_READY &&
	       session->flags & (SESSION_FIRST_LINE | SESSION_RESUMED) && !dialogue_may_be_opaque(session);
}

void lifecycle_succeed(struct engine *engine, struct session *session, const struct arrival *arrival, uint64_t now)
{
	/* Only the client begins anew; a server can send a SYN at any time. */
	const bool begins = (arrival->segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
			    arrival->key.swapped == session->key.swapped;

	if (begins || has_shown(session) || embryo_find(engine, arrival, now))
		lifecycle_end(engine, session, now);
	else
		forget(engine, session, now);
}

bool lifecycle_is_over(struct engine *engine, const struct session *session, const struct arrival *arrival, uint64_t now)
{
	return is_anothers(session, arrival->conntrack_id) || is_followed(engine, session, arrival, now);
}

/*
 * May a handshake begin a connection in the place of this one? Anybody can play one, both ends of it. So it may where this one has
 * ended, or where conntrack shows that it is another's. One that ended unseen and was begun anew at once, in the same place of
 * conntrack's memory, stays unseen: nothing tells it from a forged one.
 */
static bool may_begin_anew(const struct session *session, const struct binding *binding, uint64_t now)
{
	if (is_anothers(session, binding->id) || (session->state == SESSION_CLOSED && !is_ending(session, now)))
		return true;
	return !(session->flags & SESSION_SELF) && is_adjusted_otherwise(session, binding);
}

/*
 * Where nobody queues SYNs, as rules for a cthelper stub do not, all there is is the answer. A server can send one at any time; only
 * conntrack can tell that its client has asked for it.
 */
static bool answers_alone(const struct engine *engine, const struct binding *binding)
{
	return !engine->counters.syns && binding->progress != PROGRESS_BEYOND;
}

/* A new session; @session, the flow's, makes room for it, and is NULL then. */
static struct session *answered(struct engine *engine, const struct arrival *arrival, struct session **session, uint64_t now)
{
	struct embryo *embryo = embryo_answer(engine, arrival, now);
	struct binding binding;
	enum direction direction;

	if ((!embryo && engine->counters.syns) || !known(engine, arrival, &binding, &direction) ||
	    direction != DIRECTION_REPLY || (!embryo && !answers_alone(engine, &binding)) || (*session && !may_begin_anew(*session, &binding, now)))
		return NULL;
	if (*session)
		lifecycle_end(engine, *session, now);
	*session = NULL;
	return embryo ? session_of_embryo(engine, arrival, embryo, &binding, now) :
			session_of_answer(engine, arrival, &binding, now);
}

struct session *lifecycle_handshake(struct engine *engine, const struct arrival *arrival, struct session *session,
				    uint64_t now)
{
	struct session *begun = NULL;

	if (arrival->segment.flags & (TCP_RST | TCP_FIN)) {
		engine->counters.disbelieved[BELIEF_FLAGS]++;
		return session;
	}
	if (!(arrival->segment.flags & TCP_ACK)) {
		engine->counters.syns++;
		embryo_open(engine, arrival, now);
		return session;
	}
	begun = answered(engine, arrival, &session, now);
	if (!begun && session)
		engine->counters.disbelieved[BELIEF_HANDSHAKE]++;
	return begun ? begun : session;
}

/* Does anything of it still have to be moved? */
static bool is_adjusted(const struct session *session)
{
	return seqadj_active(&session->stream[0].adj) || seqadj_active(&session->stream[1].adj);
}

struct session *lifecycle_after_reset(struct engine *engine, const struct arrival *arrival, struct session *session,
				      uint64_t now)
{
	struct embryo *embryo;
	struct binding binding;
	enum direction direction;

	embryo_reset(engine, arrival, now);
	if (!session || session->state != SESSION_CLOSED || is_adjusted(session))
		return session;
	embryo = embryo_left(engine, arrival, now);
	if (!embryo || !known(engine, arrival, &binding, &direction))
		return session;
	lifecycle_end(engine, session, now);
	return session_of_embryo(engine, arrival, embryo, &binding, now);
}

/* A closed session keeps its work slot only while an edit may have to be sent again. */
void lifecycle_settle(struct engine *engine, struct session *session)
{
	if (session->state == SESSION_CLOSED && session->work && !session_in_flight(session))
		table_work_put(engine->table, session);
}

/* An argument's part has been held back for too long: when it comes again it passes as it is, and its line opens nothing. */
static void release_held(struct turn *turn)
{
	struct stream *stream = &turn->session->stream[turn->direction];
	const struct work *work = table_work(turn->engine->table, turn->session);

	if (!(stream->flags & STREAM_HELD) ||
	    (uint32_t)(turn->now / 1000) - work->held[turn->direction].since <= HELD_LIFE)
		return;
	table_work_change(turn->engine->table, turn->session);
	let_go(turn);
	opening_refuse(turn, &stream->line, REFUSED_STALLED);
	ftp_skip_line(&stream->line);
	turn->engine->counters.overdue++;
}

/*
 * Nobody acknowledges an edit. Its text is forgotten, and the bytes that it replaced are dropped when they come again, as those
 * before an acknowledged edit are. It is not settled: only we know that they must not pass. The adjustment stays.
 */
static void abandon_edit(struct turn *turn)
{
	struct stream *stream = &turn->session->stream[turn->direction];
	const struct work *work = table_work(turn->engine->table, turn->session);

	if (!(stream->flags & STREAM_IN_FLIGHT) ||
	    (uint32_t)(turn->now / 1000) - work->edit[turn->direction].since <= EDIT_LIFE)
		return;
	stream_acknowledge(stream, work, turn->direction, edit_end(&work->edit[turn->direction]));
	turn->engine->counters.overdue++;
}

/* Give the work slot back where nothing needs it. */
static void release_work(struct engine *engine, struct session *session)
{
	const struct work *work = table_work(engine->table, session);
	const uint8_t flags = session->stream[0].flags | session->stream[1].flags;

	if (work && !work->announcements && !(flags & (STREAM_HELD | STREAM_IN_FLIGHT)))
		table_work_put(engine->table, session);
}

void lifecycle_tick(struct engine *engine, struct session *session, uint64_t now)
{
	const uint32_t idle = (uint32_t)(now / 1000) - session->last_seen;
	struct turn turn = { engine, session, DIRECTION_ORIGINAL, now, 0, false };

	if (idle > worth_patience(engine, session)) {
		/* One that an RST has ended, and nothing else, is not to be picked up in its middle if it goes on. */
		if (session->state != SESSION_CLOSED || !may_go_on(session) || now >= engine->picks_up_until)
			forget(engine, session, now);
		return;
	}
	announcement_expire(&turn, EXPECTATION_LIFE);
	for (int d = 0; d < 2; d++) {
		turn.direction = (enum direction)d;
		release_held(&turn);
		abandon_edit(&turn);
	}
	if (idle > WORK_IDLE)
		release_work(engine, session);
}
