// SPDX-License-Identifier: GPL-2.0-or-later
#include "announcement.h"
#include "edit.h"
#include "lifecycle.h"
#include "stream.h"

#define CLOSED_TIMEOUT 120	/* seconds, as conntrack's TIME_WAIT */
#define HANDSHAKE_TIMEOUT 60
#define WORK_IDLE 10		/* seconds until a quiet session gives its work slot back */
#define EXPECTATION_LIFE 300	/* seconds until what was announced is taken back anyway */

static struct client_budget *budget_of(struct engine *engine, const struct session *session)
{
	struct endpoint client, server;

	session_endpoints(session, &client, &server);
	return table_budget(engine->table, &client);
}

void lifecycle_end(struct engine *engine, struct session *session, uint64_t now)
{
	struct turn turn = { engine, session, DIRECTION_ORIGINAL, now, false };
	struct client_budget *budget = budget_of(engine, session);

	announcement_withdraw_all(&turn);
	turn_report_plain(&turn, REPORT_END);
	table_work_put(engine->table, session);
	if (budget->sessions)
		budget->sessions--;
	table_remove(engine->table, session);
}

/* A slot for the arrival's flow; @swapped says which of its ends is the client. NULL, counted, at a limit. */
static struct session *new_session(struct engine *engine, const struct arrival *arrival, bool swapped)
{
	struct flow_key key = arrival->key;
	const struct endpoint *client =
		arrival->key.swapped == swapped ? &arrival->ends.src : &arrival->ends.dst;
	struct client_budget *budget = table_budget(engine->table, client);
	struct session *session = NULL;

	key.swapped = swapped;
	if (budget->sessions < engine->policy.client_sessions)
		session = table_insert(engine->table, &key, arrival->hash);
	if (!session) {
		engine->counters.full++;
		return NULL;
	}
	budget->sessions++;
	engine->counters.sessions++;
	return session;
}

static void clear_session(struct session *session)
{
	memset(session->stream, 0, sizeof(session->stream));
	session->stream[DIRECTION_ORIGINAL].flags = session->stream[DIRECTION_REPLY].flags = STREAM_UNSYNCED;
	session->flags = 0;
	session->commands = session->outstanding = session->multiline = 0;
}

/* The client's SYN, or another one of a handshake that has not got further. */
static void open_session(struct session *session, const struct segment *segment)
{
	struct stream *client = &session->stream[DIRECTION_ORIGINAL];

	clear_session(session);
	session->state = SESSION_HANDSHAKE;
	stream_start(client, segment_start(segment));
	client->acked = client->next;
	session->stream[DIRECTION_REPLY].mss = segment_mss(segment);
}

/* The server's SYN/ACK. */
static void establish_session(struct session *session, const struct segment *segment)
{
	struct stream *client = &session->stream[DIRECTION_ORIGINAL];
	struct stream *server = &session->stream[DIRECTION_REPLY];

	if (session->state != SESSION_HANDSHAKE)
		clear_session(session);
	/* The SYN was not seen, or it brought data (RFC 7413), which was not read. */
	if (client->flags & STREAM_UNSYNCED || seq_after(segment->ack, client->next))
		stream_start(client, segment->ack);
	client->acked = client->next;
	client->mss = segment_mss(segment);
	stream_start(server, segment_start(segment));
	server->acked = server->next;
	session->state = SESSION_GREETING;
}

/* A connection first seen in the middle: conntrack says who is the client, and what is adjusted already. */
static struct session *pick_up(struct engine *engine, const struct arrival *arrival)
{
	struct binding binding;
	enum direction direction;
	struct session *session;

	if (engine->conntrack->ops->find(engine->conntrack, &arrival->ends, arrival->zone, &binding, &direction))
		return NULL;
	session = new_session(engine, arrival, arrival->key.swapped ^ (direction == DIRECTION_REPLY));
	if (!session)
		return NULL;
	session->state = SESSION_MIDDLE;
	session->flags = SESSION_RESUMED;
	for (int d = 0; d < 2; d++) {
		session->stream[d].adj = binding.seqadj[d];
		if (seqadj_active(&binding.seqadj[d]))
			session->stream[d].flags |= STREAM_EDITED;
	}
	engine->counters.picked_up++;
	return session;
}

/* A session for the first packet seen of a connection; NULL where none is begun. */
struct session *lifecycle_begin(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	const struct segment *segment = &arrival->segment;
	const uint8_t kind = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST);
	struct session *session = NULL;

	if (kind == TCP_SYN)
		session = new_session(engine, arrival, arrival->key.swapped);
	else if (kind == (TCP_SYN | TCP_ACK))
		session = new_session(engine, arrival, !arrival->key.swapped);
	else if (!(kind & TCP_RST) && segment->payload_length)
		session = pick_up(engine, arrival);
	if (session)
		turn_report_plain(&(struct turn){ engine, session, DIRECTION_ORIGINAL, now, false }, REPORT_BEGIN);
	return session;
}

/* Give up what is held back, so that nothing waits for lines that will not be read any more. */
void lifecycle_let_go(const struct turn *turn)
{
	struct turn side = *turn;

	for (int d = 0; d < 2; d++) {
		struct stream *stream = &turn->session->stream[d];
		const struct work *work = table_work(turn->engine->table, turn->session);

		if (!(stream->flags & STREAM_HELD))
			continue;
		stream->next = stream_forwarded(stream, work, (enum direction)d);
		side.direction = (enum direction)d;
		edit_restore(&side);
		stream->flags &= (uint8_t)~STREAM_HELD;
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

/* Is the SYN/ACK a late copy of the one that began what the server has written so far? */
static bool is_late_copy(const struct stream *server, const struct segment *segment)
{
	return server->next - segment_start(segment) < FTP_LATE_SYNACK;
}

/* Does conntrack still adjust the connection as we have told it? A new one with the same addresses would not be adjusted. */
static bool is_adjusted_still(const struct turn *turn)
{
	const struct session *session = turn->session;
	struct conntrack *conntrack = turn->engine->conntrack;
	struct binding binding;
	enum direction direction;
	bool adjusted = false;
	struct tuple seen;

	for (int d = 0; d < 2; d++)
		adjusted |= seqadj_active(&session->stream[d].adj);
	if (!adjusted)
		return false;
	session_endpoints(session, &seen.src, &seen.dst);
	if (conntrack->ops->find(conntrack, &seen, session->key.zone, &binding, &direction))
		return false;
	for (int d = 0; d < 2; d++)
		if (memcmp(&binding.seqadj[d], &session->stream[d].adj, sizeof(struct seqadj)) != 0)
			return false;
	return true;
}

/* Does this SYN/ACK begin a connection in the place of one whose end was not seen? Anybody can send one that does not. */
static bool begins_anew(const struct turn *turn, const struct segment *segment)
{
	const struct session *session = turn->session;

	if (is_late_copy(&session->stream[DIRECTION_REPLY], segment))
		return false;
	if (session->state == SESSION_CLOSED)
		return true;
	/* Where we renumber a connection every packet is seen, and its end would have been. */
	return !(session->flags & SESSION_SELF) && !is_adjusted_still(turn);
}

/* SYN or SYN/ACK. A connection that is alive is not begun anew by anybody's SYN. */
void lifecycle_handshake(struct turn *turn, const struct segment *segment)
{
	struct session *session = turn->session;

	if (!(segment->flags & TCP_ACK)) {
		if (turn->direction == DIRECTION_ORIGINAL &&
		    (session->state == SESSION_HANDSHAKE || session->state == SESSION_CLOSED)) {
			table_work_put(turn->engine->table, session);
			open_session(session, segment);
		}
		return;
	}
	if (turn->direction != DIRECTION_REPLY)
		return;
	if (session->state == SESSION_HANDSHAKE) {
		establish_session(session, segment);
	} else if (begins_anew(turn, segment)) {
		announcement_withdraw_all(turn);
		table_work_put(turn->engine->table, session);
		establish_session(session, segment);
	}
}

/* An RST ends the connection if its number is one the receiver would take. */
void lifecycle_reset(struct turn *turn, const struct segment *segment)
{
	const struct stream *stream = &turn->session->stream[turn->direction];

	if (turn->session->state == SESSION_HANDSHAKE || stream->flags & STREAM_UNSYNCED ||
	    (!seq_before(segment->seq, stream->acked) && !seq_after(segment->seq, stream->next + 1)))
		lifecycle_close(turn);
}

/* A closed session keeps its work slot only while an edit may have to be sent again. */
void lifecycle_settle(struct engine *engine, struct session *session)
{
	if (session->state == SESSION_CLOSED && session->work && !session_in_flight(session))
		table_work_put(engine->table, session);
}

static bool timed_out(const struct engine *engine, const struct session *session, uint32_t idle)
{
	if (session->state == SESSION_CLOSED)
		return idle > CLOSED_TIMEOUT;
	if (session->state == SESSION_HANDSHAKE)
		return idle > HANDSHAKE_TIMEOUT;
	return idle > engine->policy.idle_timeout;
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
	struct turn turn = { engine, session, DIRECTION_ORIGINAL, now, false };

	if (timed_out(engine, session, idle)) {
		lifecycle_end(engine, session, now);
		return;
	}
	if (idle > EXPECTATION_LIFE)
		announcement_withdraw_all(&turn);
	if (idle > WORK_IDLE)
		release_work(engine, session);
}
