// SPDX-License-Identifier: GPL-2.0-or-later
#include "lifecycle.h"

#include "core/dialogue/announcement.h"
#include "core/dialogue/dialogue.h"
#include "core/engine/share.h"
#include "core/engine/worth.h"
#include "core/stream/edit.h"
#include "core/stream/opening.h"
#include "core/stream/stream.h"
#include "core/table/state.h"
#include "embryo.h"

#define PICK_UP_PERIOD UINT64_C(900000) /* milliseconds: servers end sessions that are silent for longer */
#define WORK_IDLE      10		/* seconds until a quiet session gives its work slot back */
#define HELD_LIFE      300		/* seconds until what is held back is let go */
#define EDIT_LIFE      1200		/* seconds until an edit that nobody acknowledges is given up */

void lifecycle_end(struct engine *engine, struct session *session, uint64_t now)
{
	struct turn turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);
	struct endpoint client, server;

	flow_ends(&session->key, &client, &server);
	announcement_withdraw_all(&turn);
	if (session->state != SESSION_CLOSED) /* else that has been said when it was */
		turn_report_plain(&turn, REPORT_END);
	table_work_put(engine->table, session);
	share_give(engine, &client, SHARE_SESSIONS);
	table_remove(engine->table, session);
}

void lifecycle_absent(struct engine *engine, uint64_t now)
{
	engine->picks_up_until = now + PICK_UP_PERIOD;
}

bool lifecycle_was_absent(const struct engine *engine, uint32_t since)
{
	return engine->picks_up_until > UINT64_C(1000) * since + PICK_UP_PERIOD;
}

/* May its ends go on? They may where they have not both said their last byte: an RST's receiver may not have believed it. */
static bool may_go_on(const struct session *session)
{
	return !(session->stream[0].fin && session->stream[1].fin);
}

/* Has nothing been found out about it that is lost when it is picked up in its middle? */
static bool has_shown(const struct session *session)
{
	return session->state >= SESSION_MIDDLE && session->state <= SESSION_READY && !session_in_tls(session) &&
	       (session->first_line || session->resumed) && !dialogue_may_be_opaque(session);
}

void lifecycle_forget(struct engine *engine, struct session *session, uint64_t now)
{
	if (may_go_on(session) && !has_shown(session))
		embryo_note(engine, &session->key, now);
	lifecycle_end(engine, session, now);
}

/* Give up what is held back in the turn's direction. */
static void let_go(struct turn *turn)
{
	struct stream *stream = turn->mine;

	if (!stream->held)
		return;
	stream->next = stream_forwarded(turn, stream);
	edit_restore(turn);
	state_let_go(stream);
}

/* Give up what is held back, so that nothing waits for lines that will not be read any more. */
void lifecycle_let_go(const struct turn *turn)
{
	struct turn side = *turn;

	for (int d = 0; d < 2; d++) {
		turn_to(&side, (enum direction)d);
		let_go(&side);
	}
}

/* The connection has ended. What adjusts its last packets stays for a while. */
void lifecycle_close(struct turn *turn)
{
	if (turn->session->state == SESSION_CLOSED)
		return;
	state_happen(turn->session, EVENT_ENDED);
	lifecycle_let_go(turn);
	announcement_withdraw_all(turn);
	turn_report_plain(turn, REPORT_END);
}

/*
 * That stands, though the daemon be killed amid what follows from it, and with it the RST be lost: nobody sends that once more. All else is undone
 * then: the other end does not know yet.
 */
static void note_reset(struct turn *turn)
{
	turn->session->reset = true;
	table_commit(turn->engine->table);
	table_begin(turn->engine->table, turn->session);
}

/* An end knows nothing of it any more. What was still to be said of an end that both have announced will not be. */
void lifecycle_reset(struct turn *turn)
{
	const bool fins = turn->session->stream[0].fin && turn->session->stream[1].fin;

	note_reset(turn);
	for (int d = 0; d < 2 && fins; d++)
		turn->session->stream[d].acked = turn->session->stream[d].next + 1;
	lifecycle_close(turn);
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
	struct stream *stream = turn->mine;
	const struct work *work = table_work(turn->engine->table, turn->session);
	const struct held *held;

	if (!stream->held)
		return;
	held = &work->held[turn->direction];
	if ((uint32_t)(turn->now / 1000) - held->since <= HELD_LIFE)
		return;
	table_work_change(turn->engine->table, turn->session);
	let_go(turn);
	opening_refuse(turn, &stream->line, REFUSED_STALLED);
	ftp_skip_behind(&stream->line, held->bytes,
			stream->next - held->start); /* the rest is read when it comes again */
	turn->engine->counters.overdue++;
}

/*
 * Nobody acknowledges an edit. Its text is forgotten, and the bytes that it replaced are dropped when they come again, as those
 * before an acknowledged edit are. It is not settled: only we know that they must not pass. The adjustment stays.
 */
static void abandon_edit(struct turn *turn)
{
	struct stream *stream = turn->mine;
	const struct work *work = table_work(turn->engine->table, turn->session);

	if (!stream->in_flight || (uint32_t)(turn->now / 1000) - work->edit[turn->direction].since <= EDIT_LIFE)
		return;
	stream_acknowledge(turn, stream, edit_end(&work->edit[turn->direction]));
	turn->engine->counters.overdue++;
}

/* Its beginning is told by a clock that turns: one that is older than the clock can say stays as old as that. */
static void hold_age(struct session *session, uint32_t seconds)
{
	uint32_t age;

	if (session_age(session, seconds, &age) && age > SESSION_AGE_MAX)
		session->began = session_began(seconds - SESSION_AGE_MAX);
}

/* Give the work slot back where nothing needs it. */
static void release_work(struct engine *engine, struct session *session)
{
	const struct work *work = table_work(engine->table, session);

	if (work && !work->announcements && !session_in_flight(session) && !session_held(session))
		table_work_put(engine->table, session);
}

void lifecycle_tick(struct engine *engine, struct session *session, uint64_t now)
{
	const uint32_t idle = (uint32_t)(now / 1000) - session->last_seen;
	struct turn turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);

	if (idle > worth_patience(engine, session)) {
		lifecycle_forget(engine, session, now);
		return;
	}
	hold_age(session, (uint32_t)(now / 1000));
	announcement_expire(&turn);
	turn.ack = session->stream[DIRECTION_REPLY].acked;
	for (int d = 0; d < 2; d++) {
		turn_to(&turn, (enum direction)d);
		release_held(&turn);
		abandon_edit(&turn);
	}
	if (idle > WORK_IDLE)
		release_work(engine, session);
}
