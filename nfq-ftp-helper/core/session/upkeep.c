// SPDX-License-Identifier: GPL-2.0-or-later
#include "upkeep.h"

#include "core/dialogue/announcement.h"
#include "core/dialogue/dialogue.h"
#include "core/engine/worth.h"
#include "lifecycle.h"
#include "passed.h"

#define REQUESTS     64	 /* of conntrack, a tick: of some 10 microseconds each */
#define KEEP_AFTER   30	 /* seconds of silence: less than a round, so that it is done once in each */
#define ASK_AFTER    300 /* seconds of silence */
#define ASKED_ONE_IN 4	 /* rounds */

/* Is the connection gone, or another in its place? */
static bool is_gone(const struct session *session, int error, const struct sight *sight)
{
	if (error)
		return error == -ENOENT;
	return sight->id && session->conntrack_id && sight->id != session->conntrack_id;
}

/* Ask conntrack about the turn's connection. Return: look()'s. */
static int look(struct turn *turn, bool keep, struct sight *sight)
{
	struct conntrack *conntrack = turn->engine->conntrack;
	const struct work *work = table_work(turn->engine->table, turn->session);
	struct tuple seen;
	int error;

	*sight = (struct sight){ .bound = work && work->bound ? &work->binding : NULL, .keep = keep };
	flow_ends(&turn->session->key, &seen.src, &seen.dst);
	error = conntrack->ops->look(conntrack, &seen, turn->session->key.zone, sight);
	if (!is_gone(turn->session, error, sight) && sight->noted)
		passed_note(turn, &sight->note);
	return error;
}

/* ---- the connection ---- */

/* What it is kept for: a transfer, as long as one may be waited for where it has not begun. */
static bool is_kept(const struct engine *engine, const struct session *session, uint32_t silence)
{
	if (silence < KEEP_AFTER)
		return false;
	return dialogue_transfers(session) ||
	       (dialogue_awaits_transfer(session) && silence < engine->policy.expect_longest);
}

/* Each is asked about in one of some rounds, which one depends on its place: so they are spread evenly. */
static bool is_asked_about(const struct engine *engine, uint64_t now, uint32_t silence)
{
	return silence >= ASK_AFTER && (now / 60000 + engine->attended) % ASKED_ONE_IN == 0;
}

/* The session may be forgotten by this. */
static void attend(struct engine *engine, struct session *session, uint64_t now, unsigned int *requests)
{
	struct turn turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);
	const uint32_t silence = (uint32_t)(now / 1000) - session->last_seen;
	const bool keep = is_kept(engine, session, silence);
	struct sight sight;
	int error;

	if (session->state == SESSION_CLOSED || !*requests || !(keep || is_asked_about(engine, now, silence)))
		return;
	(*requests)--;
	error = look(&turn, keep, &sight);
	if (is_gone(session, error, &sight) && !worth_keeping(session))
		lifecycle_forget(engine, session, now);
}

/* ---- expectations ---- */

static void renew(struct engine *engine, struct session *session, uint64_t now, unsigned int *requests)
{
	struct turn turn = turn_begin(engine, session, DIRECTION_ORIGINAL, now);
	struct sight sight;

	if (engine->conntrack->noted && !dialogue_awaits_transfer(session) && engine->conntrack->ops->look) {
		(*requests)--;
		look(&turn, false, &sight);
	}
	announcement_renew(&turn, dialogue_awaits_transfer(session), requests);
}

/* The order of walks: what was not come to, for want of requests, comes first the next time. */
static void renew_next(struct engine *engine, uint64_t now, uint32_t works, unsigned int *requests)
{
	const uint32_t slots = table_work_slots(engine->table);

	for (uint32_t i = 0; i < works && i < slots; i++) {
		struct session *session;
		const struct work *work;

		if (*requests <= REQUESTS / 2)
			return;
		work = table_walk_work(engine->table, &engine->renewed, &session);
		if (!work || !announcement_is_due(work, now))
			continue;
		table_begin(engine->table, session);
		renew(engine, session, now, requests);
		table_commit(engine->table);
	}
}

static void attend_next(struct engine *engine, uint64_t now, uint32_t sessions, unsigned int *requests)
{
	const uint32_t slots = table_slots(engine->table);

	for (uint32_t i = 0; i < sessions && i < slots; i++) {
		struct session *session = table_walk(engine->table, &engine->attended);

		if (!session)
			continue;
		table_begin(engine->table, session);
		attend(engine, session, now, requests);
		table_commit(engine->table);
	}
}

void upkeep_tick(struct engine *engine, uint64_t now, uint32_t sessions, uint32_t works)
{
	const struct conntrack_ops *ops = engine->conntrack->ops;
	unsigned int requests = REQUESTS;

	if (ops->renew)
		renew_next(engine, now, works, &requests);
	if (ops->look)
		attend_next(engine, now, sessions, &requests);
}
