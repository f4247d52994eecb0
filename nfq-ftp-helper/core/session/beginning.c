// SPDX-License-Identifier: GPL-2.0-or-later
#include "beginning.h"

#include "core/dialogue/binding.h"
#include "core/dialogue/dialogue.h"
#include "core/engine/share.h"
#include "core/engine/worth.h"
#include "core/stream/stream.h"
#include "core/table/state.h"
#include "embryo.h"
#include "lifecycle.h"

/* Where there is no room for the client's new session, a session of less worth makes some. */
static bool make_room(struct engine *engine, const struct endpoint *client, uint64_t now)
{
	struct session *least = worth_least(engine, client, now);

	if (!least)
		return false;
	table_begin(engine->table, least);
	lifecycle_forget(engine, least, now);
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
	struct flow_key key = arrival->key;
	struct endpoint client, server;
	struct session *session = NULL;

	key.swapped = swapped;
	flow_ends(&key, &client, &server);
	if (share_may(engine, &client, SHARE_SESSIONS) || make_room(engine, &client, now))
		session = table_insert(engine->table, &key, arrival->hash);
	if (!session) {
		tell_limit(engine, &client, &server);
		return NULL;
	}
	table_begin(engine->table, session); /* a kill before it is filled in leaves none */
	table_count(engine->table, table_budget(engine->table, &client), SHARE_SESSIONS, 1);
	session->last_seen = (uint32_t)(now / 1000);
	session->began = session_began(session->last_seen);
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
bool beginning_known(struct engine *engine, const struct arrival *arrival, struct binding *binding,
		     enum direction *direction)
{
	struct conntrack *conntrack = engine->conntrack;
	const struct tuple ends = arrival_ends(arrival);

	return !arrival->invalid && conntrack->ops->find(conntrack, &ends, arrival->zone, binding, direction) == 0;
}

/* Window scaling is in use where both ends have said so (RFC 7323 section 2.2). */
static uint8_t scale_of(const struct embryo *embryo, enum direction direction)
{
	const uint8_t *scale = embryo->scale;

	if (scale[0] == SEGMENT_NO_SCALE || scale[1] == SEGMENT_NO_SCALE)
		return 0;
	return scale[direction_other(direction)];
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
	for (unsigned int i = 0; i < embryo->lines; i++)
		pairing_push(&turn->session->pairing, PAIRING_OTHER);
	turn->session->pairing.overflow = embryo->lines != 0; /* which commands they are, nobody remembers */
	if (embryo->lines)
		turn->session->first_line = true;
	if (embryo->strange)
		dialogue_not_ftp(turn);
}

struct session *beginning_of_embryo(struct engine *engine, const struct arrival *arrival, struct embryo *embryo,
				    const struct binding *binding, uint64_t now)
{
	struct session *session = new_session(engine, arrival, embryo->key.swapped, now);
	struct binding own = *binding;
	struct turn turn;

	if (!session) { /* it is left alone: not every packet of it is to ask again */
		embryo_leave(embryo);
		return NULL;
	}
	turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);
	session->conntrack_id = binding->id ? binding->id : arrival->conntrack_id;
	session->unsure = session->resumed = session->met = false;
	begin_streams(session, embryo);
	/* Of a forged one in this one's place conntrack has an adjustment that would move this one's bytes. */
	binding_tell(engine, session, &own);
	state_happen(session, EVENT_SHAKEN);
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
struct session *beginning_of_answer(struct engine *engine, const struct arrival *arrival, const struct binding *binding,
				    uint64_t now)
{
	const struct segment *segment = &arrival->segment;
	struct session *session = new_session(engine, arrival, !arrival->key.swapped, now);
	struct turn turn;

	if (!session) {
		embryo_note(engine, &arrival->key, now);
		return NULL;
	}
	session->conntrack_id = binding->id ? binding->id : arrival->conntrack_id;
	session->unsure = session->resumed = session->met = false;
	stream_start(&session->stream[DIRECTION_ORIGINAL], segment->ack);
	stream_start(&session->stream[DIRECTION_REPLY], segment_start(segment));
	ftp_lose_line(&session->stream[DIRECTION_ORIGINAL].line);
	session->stream[DIRECTION_ORIGINAL].mss = segment_mss(segment);
	for (int d = 0; d < 2; d++) {
		session->stream[d].acked = session->stream[d].next;
		session->stream[d].scale = BELIEF_SCALE_MAX;
	}
	state_happen(session, EVENT_SHAKEN);
	turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);
	turn_report_plain(&turn, REPORT_BEGIN);
	return begun(engine, session);
}

/*
 * A connection first seen in the middle: conntrack says who is the client, and what is adjusted already. Where a session has moved its numbers,
 * all is lost with that; and conntrack, which is liberal about it, takes anybody's packets for its own. So it is left alone.
 */
static struct session *pick_up(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct binding binding;
	enum direction direction;
	struct session *session;
	struct turn turn;

	if (!beginning_known(engine, arrival, &binding, &direction))
		return NULL;
	if (binding.progress == PROGRESS_HANDSHAKE)
		return NULL; /* it has no middle yet */
	if (binding.renumbered) {
		embryo_note(engine, &arrival->key, now);
		return NULL;
	}
	session = new_session(engine, arrival, arrival->key.swapped ^ (direction == DIRECTION_REPLY), now);
	if (!session)
		return NULL;
	state_happen(session, EVENT_MET);
	session->conntrack_id = binding.id ? binding.id : arrival->conntrack_id;
	for (int d = 0; d < 2; d++) {
		session->stream[d].adj = conntrack_told(engine->conntrack, &binding.seqadj[d]);
		session->stream[d].scale = BELIEF_SCALE_MAX;
		if (seqadj_active(&binding.seqadj[d]))
			state_adjusted(&session->stream[d]);
	}
	engine->counters.picked_up++;
	turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);
	turn_report_plain(&turn, REPORT_BEGIN);
	return begun(engine, session);
}

struct session *beginning_of(struct engine *engine, const struct arrival *arrival, uint64_t now, bool passed)
{
	struct embryo *embryo;
	struct binding binding;
	enum direction direction;

	if (arrival->segment.flags & TCP_RST || !arrival->segment.payload_length)
		return NULL;
	/* Who goes on behind a handshake may have played it: the first that was answered comes first. */
	embryo = embryo_find(engine, arrival, now) ? embryo_left(engine, arrival, now) : NULL;
	if (embryo && beginning_known(engine, arrival, &binding, &direction))
		return beginning_of_embryo(engine, arrival, embryo, &binding, now);
	if ((passed || now < engine->picks_up_until) && !embryo_remembers(engine, arrival, now))
		return pick_up(engine, arrival, now);
	engine->counters.strangers++;
	return NULL;
}
