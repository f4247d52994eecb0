// SPDX-License-Identifier: GPL-2.0-or-later
#include "passed.h"

#include "beginning.h"
#include "core/dialogue/dialogue.h"
#include "core/stream/edit.h"
#include "core/stream/stream.h"
#include "core/table/state.h"
#include "lifecycle.h"

static bool is_news(const struct stream *stream, uint32_t next)
{
	return stream->unsynced || seq_after(next, stream->next);
}

/*
 * Everything before @next has gone, and nothing passed before all that we had been given was acknowledged: an edit in flight has
 * arrived. Of what passed nothing is known: it may be lost behind us, and have to go again. Where there was no daemon before,
 * what comes now may have bypassed the queue; unless it is the first that has been queued since.
 */
static void pass_over(const struct turn *turn, enum direction direction, const struct scan_note *note)
{
	const uint32_t next = note->next[direction];
	struct stream *stream = &turn->session->stream[direction];
	const struct work *work = table_work(turn->engine->table, turn->session);
	const bool stale = (stream->stale || stream->unsynced) && !note->single;

	if (stream->unsynced)
		stream->acked = next - UINT16_MAX;
	else if (stream->in_flight)
		stream_acknowledge(turn, stream, seq_min(edit_end(&work->edit[direction]), next));
	if (is_news(stream, next)) {
		stream_start(stream, next);
		if (stale)
			state_doubted(stream);
	}
}

/*
 * Conntrack adjusts otherwise than we know: the module has edited. All of that is acknowledged, but for what the note says, so what was
 * replaced must not go again as it was. Whoever adjusts a connection by himself has its only adjustment, and no packet passes him by; an edit
 * behind what passed is none of the module's; and of an earlier one a packet tells that was on its way to us.
 */
static void take_adjustment(const struct turn *turn, enum direction direction, const struct scan_note *note)
{
	struct stream *stream = &turn->session->stream[direction];
	const struct seqadj *adj = &note->adj[direction];
	struct work *work;

	if (turn->session->self || stream->in_flight || !seqadj_active(adj) ||
	    !seq_before(adj->pos, note->next[direction]) ||
	    (seqadj_active(&stream->adj) && seq_before(adj->pos, stream->adj.pos)))
		return;
	if (!note->edit[direction])
		stream->acked = seq_max(stream->acked, adj->pos + 1);
	if (seqadj_active(&stream->adj) && adj->pos == stream->adj.pos)
		return;
	stream->adj = *adj;
	state_adjusted(stream);
	work = table_work_change(turn->engine->table, turn->session);
	if (work && work->bound)
		work->binding.seqadj[direction] = *adj;
}

/* It has not been shown yet that this is FTP; there is nothing of the session that the module has not followed. */
static void take_up_early(const struct turn *turn, const struct scan_note *note)
{
	struct session *session = turn->session;

	session->first_line = note->exchanged != EXCHANGED_NOTHING || !pairing_empty(&note->pairing);
	session->exchanged = note->exchanged & 3;
	session->answered = note->next[DIRECTION_REPLY];
	session->logged_in = note->logged_in;
	if (!session->first_line && !note->spoken)
		session->stream[DIRECTION_ORIGINAL].line = (struct ftp_line){ .phase = FTP_PHASE_FIRST };
	state_happen(session, note->greeted ? EVENT_NOTED : EVENT_UNGREETED);
}

/* The dialogue as the module has followed it. */
static void take_up(struct turn *turn, const struct scan_note *note)
{
	struct session *session = turn->session;

	dialogue_lost(turn->engine->table, session);
	session->pairing = note->pairing;
	session->resumed = false;
	session->met = 0;
	if (note->early) {
		take_up_early(turn, note);
		return;
	}
	session->first_line = true;
	session->exchanged = EXCHANGED_TWO;
	session->logged_in = 1;
	state_happen(session, EVENT_NOTED);
}

static void take_news(struct turn *turn, const struct scan_note *note)
{
	struct session *session = turn->session;
	const bool was_in_flight = session_in_flight(session);

	lifecycle_let_go(turn);
	for (int d = 0; d < 2; d++)
		pass_over(turn, (enum direction)d, note);
	session->unsure = session->heard = session->heard_reply = false;
	if (state_reads_lines(session) && (note->opaque || session_in_tls(session)))
		dialogue_opaque(turn);
	if (state_reads_lines(session))
		take_up(turn, note);
	edit_settle(turn, was_in_flight);
}

/* TLS has begun, and AUTH was not seen: nobody can tell where a record begins. */
static bool has_missed_tls(const struct session *session, const struct scan_note *note)
{
	return note->tls && state_reads_lines(session) && session->tls[DIRECTION_ORIGINAL].place == TLS_NONE &&
	       !dialogue_may_be_opaque(session);
}

static void take_note(struct turn *turn, const struct scan_note *note)
{
	struct session *session = turn->session;

	if (is_news(&session->stream[0], note->next[0]) || is_news(&session->stream[1], note->next[1]))
		take_news(turn, note);
	for (int d = 0; d < 2; d++)
		take_adjustment(turn, (enum direction)d, note);
	if (!has_missed_tls(session, note))
		return;
	lifecycle_let_go(turn);
	dialogue_opaque(turn);
}

/*
 * Is the note of another connection with the same addresses? Two have numbers far from each other; but of one of which everything has been
 * handed over since, its own may be long ago.
 */
static bool is_anothers_note(const struct session *session, const struct scan_note *note)
{
	if (session->self && session->state != SESSION_CLOSED)
		return false; /* nothing of it passes unseen, and its adjustment is known here only */
	for (int d = 0; d < 2; d++) {
		const struct stream *stream = &session->stream[d];
		const uint32_t distance = note->next[d] - stream->next;

		if (note->whole && !seq_after(note->next[d], stream->next))
			continue;
		if (!stream->unsynced && distance + FTP_LATE_SYNACK > 2 * FTP_LATE_SYNACK)
			return true;
	}
	return false;
}

void passed_note(struct turn *turn, const struct scan_note *note)
{
	if (!is_anothers_note(turn->session, note))
		take_note(turn, note);
}

/*
 * The session of a packet with a note; one of an earlier connection makes room. Where all has been handed over since the note, that is no
 * place to begin at, unless this packet is all: a daemon that has not seen it does not know what it was.
 */
static struct session *session_of_note(struct engine *engine, const struct arrival *arrival, uint64_t now,
				       const struct scan_note *note)
{
	struct session *session = table_find(engine->table, &arrival->key, arrival->hash);

	if (session && is_anothers_note(session, note)) {
		table_begin(engine->table, session);
		lifecycle_end(engine, session, now);
		table_commit(engine->table);
		session = NULL;
	}
	return session || (note->whole && !note->single) ? session : beginning_of(engine, arrival, now, true);
}

void passed_input(struct engine *engine, struct arrival *arrival, uint64_t now, const struct scan_note *note)
{
	struct session *session;
	struct turn turn;

	if (!segment_checksum_ok(&arrival->segment))
		return;
	session = session_of_note(engine, arrival, now, note);
	if (!session)
		return;
	turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);
	table_begin(engine->table, session);
	take_note(&turn, note);
	table_commit(engine->table);
	memcpy(arrival->busy, note->edit, sizeof(arrival->busy));
}
