// SPDX-License-Identifier: GPL-2.0-or-later
#include "announcement.h"

#include "core/engine/share.h"

#define SAMPLE 32 /* work slots looked at for an announcement to take back */

static void forget(const struct turn *turn, struct work *work, uint32_t index)
{
	struct table *table = turn->engine->table;

	table_count(table, table_budget_of(table, turn->session), SHARE_EXPECTATIONS, -1);
	work->announcements--;
	for (uint32_t i = index; i < work->announcements; i++)
		work->announcement[i] = work->announcement[i + 1];
}

static void tell_withdrawn(const struct turn *turn, const struct announcement *announcement)
{
	const struct report withdrawn = {
		.kind = REPORT_UNEXPECT,
		.command = ftp_word_announcing(announcement->direction, announcement->kind)->text,
		.expectation = &announcement->expectation,
		.port = announcement->expectation.tuple.dst.port,
	};

	turn_report(turn, &withdrawn);
}

static void withdraw(struct turn *turn, struct work *work, uint32_t index)
{
	struct engine *engine = turn->engine;
	const struct announcement announcement = work->announcement[index];

	/* In this order: of another session's work slot, a kill in between is not undone. */
	engine->conntrack->ops->unexpect(engine->conntrack, &work->binding, &announcement.expectation);
	forget(turn, work, index);
	engine->counters.unexpectations++;
	if (turn_is_listened_to(turn))
		tell_withdrawn(turn, &announcement);
}

void announcement_withdraw_all(struct turn *turn)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);

	if (!work || !work->announcements)
		return;
	while (work->announcements)
		withdraw(turn, work, 0);
}

/* How long one may be there in all: renewed or not. */
static uint32_t longest(const struct engine *engine)
{
	const uint32_t once = conntrack_expected_seconds(engine->conntrack);

	return once > engine->policy.expect_longest ? once : engine->policy.expect_longest;
}

void announcement_expire(struct turn *turn)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);
	const uint32_t now = (uint32_t)(turn->now / 1000);

	for (uint32_t i = work ? work->announcements : 0; i-- > 0;) {
		const struct announcement *announcement = &work->announcement[i];

		if ((int32_t)(now - announcement->until) > 0 || now - announcement->since > longest(turn->engine))
			withdraw(turn, work, i);
	}
}

/* Be it answered or not: where commands and replies are out of step, it may be long before that is known. */
static bool is_due(const struct announcement *announcement, uint32_t now)
{
	return (int32_t)(now - announcement->due) >= 0;
}

bool announcement_is_due(const struct work *work, uint64_t now)
{
	for (uint32_t i = 0; i < work->announcements; i++)
		if (is_due(&work->announcement[i], (uint32_t)(now / 1000)))
			return true;
	return false;
}

/* Conntrack has it from now on, for so long. */
static void note_expected(const struct turn *turn, struct announcement *announcement, uint32_t seconds)
{
	const uint32_t now = (uint32_t)(turn->now / 1000);

	announcement->until = now + seconds;
	announcement->due = now + conntrack_expected_seconds(turn->engine->conntrack) / 2;
}

/* How long may it be there if it is renewed now? Its whole time, but not beyond the longest. 0: it is not to be renewed. */
static uint32_t renewable(const struct turn *turn, const struct announcement *announcement)
{
	const uint32_t once = conntrack_expected_seconds(turn->engine->conntrack);
	const uint32_t age = (uint32_t)(turn->now / 1000) - announcement->since;
	const uint32_t most = turn->engine->policy.expect_longest;
	const uint32_t left = age < most ? most - age : 0;

	return left < once ? left : once;
}

static void renew(struct turn *turn, struct work *work, uint32_t index, uint32_t seconds)
{
	struct conntrack *conntrack = turn->engine->conntrack;
	struct announcement *announcement = &work->announcement[index];
	const int error = conntrack->ops->renew(conntrack, &work->binding, &announcement->expectation, seconds);

	if (error == -ENOENT) {
		withdraw(turn, work, index);
	} else if (!error) {
		note_expected(turn, announcement, seconds);
		turn->engine->counters.renewals++;
	}
}

void announcement_renew(struct turn *turn, bool awaited, unsigned int *requests)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);
	const uint32_t now = (uint32_t)(turn->now / 1000);

	for (uint32_t i = work ? work->announcements : 0; i-- > 0;) {
		struct announcement *announcement = &work->announcement[i];
		const uint32_t seconds = renewable(turn, announcement);

		if (!is_due(announcement, now))
			continue;
		announcement->due = now + 1 + conntrack_expected_seconds(turn->engine->conntrack) / 32;
		/* What is there for as long already would be told the same again. */
		if (!awaited || !*requests || !seconds || (int32_t)(now + seconds - announcement->until) <= 0)
			continue;
		(*requests)--;
		renew(turn, work, i, seconds);
	}
}

/* The next session in the order of work slots that has announced something; NULL where it has not. */
static struct work *next_announcer(struct engine *engine, struct session **session)
{
	struct work *work = table_walk_work(engine->table, &engine->sample_work, session);

	return work && work->announcements ? work : NULL;
}

/* Another session's. */
static void withdraw_first(const struct turn *turn, struct session *session, struct work *work)
{
	struct turn other = turn_begin(turn->engine, session, turn->direction, turn->now);

	withdraw(&other, work, 0);
}

/*
 * Take back what is needed least of the next few that are open: one of the same client's, or of anybody's where all are taken,
 * whose transfer is going on, since its data connection has most likely come; else the oldest of the same client's.
 */
static bool displace(const struct turn *turn)
{
	struct table *table = turn->engine->table;
	const struct client_budget *client = table_budget_of(table, turn->session);
	const bool full = share_full(turn->engine, SHARE_EXPECTATIONS);
	struct session *session, *oldest = NULL;
	struct work *oldest_work = NULL;

	for (uint32_t i = 0; i < SAMPLE; i++) {
		struct work *work = next_announcer(turn->engine, &session);
		const bool own = work && table_budget_of(table, session) == client;

		if (!work || !(own || full))
			continue;
		if (session->pairing.begun) {
			withdraw_first(turn, session, work);
			return true;
		}
		if (own && (!oldest_work || work->announcement[0].since < oldest_work->announcement[0].since)) {
			oldest = session;
			oldest_work = work;
		}
	}
	if (oldest_work)
		withdraw_first(turn, oldest, oldest_work);
	return oldest_work != NULL;
}

bool announcement_room(struct turn *turn)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);

	if (share_session_may(turn->engine, turn->session, SHARE_EXPECTATIONS))
		return true;
	if (work->announcements) {
		withdraw(turn, work, 0);
		return true;
	}
	return displace(turn);
}

/* Is there one that has this answer? Most replies change nothing here: then the work slot is not touched. */
static bool has_any(const struct turn *turn, enum announcement_answer answer)
{
	const struct work *work = table_work(turn->engine->table, turn->session);

	for (uint32_t i = 0; work && i < work->announcements; i++)
		if (work->announcement[i].answered == answer)
			return true;
	return false;
}

void announcement_transfer_begins(struct turn *turn)
{
	struct work *work;

	if (!has_any(turn, ANNOUNCEMENT_FOR_NEXT))
		return;
	work = table_work_change(turn->engine->table, turn->session);
	for (uint32_t i = 0; i < work->announcements; i++)
		if (work->announcement[i].answered == ANNOUNCEMENT_FOR_NEXT)
			work->announcement[i].answered = ANNOUNCEMENT_ACCEPTED;
}

void announcement_transfer_over(struct turn *turn)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);

	if (!work)
		return;
	for (uint32_t i = work->announcements; i-- > 0;)
		if (work->announcement[i].answered == ANNOUNCEMENT_ACCEPTED)
			withdraw(turn, work, i);
	announcement_transfer_begins(turn);
}

void announcement_heard(struct turn *turn)
{
	const struct work *work = table_work(turn->engine->table, turn->session);

	for (uint32_t i = 0; work && i < work->announcements; i++)
		if (!work->announcement[i].heard)
			table_work_change(turn->engine->table, turn->session)->announcement[i].heard = 1;
}

void announcement_answered(struct turn *turn, unsigned int code)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);
	uint32_t index = 0;

	if (!work)
		return;
	while (index < work->announcements && work->announcement[index].answered)
		index++;
	if (index == work->announcements)
		return;
	if (code >= 400) {
		withdraw(turn, work, index);
	} else if (code < 300) {
		work->announcement[index].answered =
			turn->session->pairing.begun ? ANNOUNCEMENT_FOR_NEXT : ANNOUNCEMENT_ACCEPTED;
		while (index-- > 0)
			withdraw(turn, work, 0);
	}
}

void announcement_add(struct turn *turn, enum ftp_kind kind, const struct expectation *expectation)
{
	struct table *table = turn->engine->table;
	struct work *work = table_work_change(table, turn->session);
	struct announcement *announcement;

	for (uint32_t i = work->announcements; i-- > 0;)
		if (endpoint_equal(&work->announcement[i].expectation.tuple.dst, &expectation->tuple.dst) &&
		    endpoint_equal(&work->announcement[i].expectation.tuple.src, &expectation->tuple.src))
			forget(turn, work, i);
	if (turn->direction == DIRECTION_REPLY)
		while (work->announcements)
			withdraw(turn, work, 0);
	table_count(table, table_budget_of(table, turn->session), SHARE_EXPECTATIONS, 1);
	announcement = &work->announcement[work->announcements++];
	announcement->expectation = *expectation;
	announcement->since = (uint32_t)(turn->now / 1000);
	note_expected(turn, announcement, conntrack_expected_seconds(turn->engine->conntrack));
	announcement->kind = (uint8_t)kind;
	announcement->direction = (uint8_t)turn->direction;
	announcement->answered = turn->direction == DIRECTION_REPLY ? ANNOUNCEMENT_ACCEPTED : ANNOUNCEMENT_OPEN;
	announcement->heard = 0;
}
