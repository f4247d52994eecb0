// SPDX-License-Identifier: GPL-2.0-or-later
#include "share.h"

#include "budget.h"

/*
 * Of the session slots, one in so many stays free: where fewer are, a new session might not find one in the table's bounded
 * search.
 */
#define SLOTS_PER_RESERVE 64

/* Work slots looked at for one that is not needed any more: where a client is at its share, and where there is none left. */
#define RECLAIM_SHARE 8
#define RECLAIM_FULL  64

bool share_exempt(const struct engine *engine, const struct endpoint *client)
{
	const struct policy *policy = &engine->policy;

	for (unsigned int i = 0; i < policy->exempt_count; i++)
		if (network_has(&policy->exempt[i], client))
			return true;
	return false;
}

uint32_t share_room(const struct engine *engine, enum share what)
{
	const uint32_t slots = table_slots(engine->table);
	const uint32_t announcements = table_work_slots(engine->table) * ANNOUNCEMENTS_MAX;
	const uint32_t allowed = engine->policy.expectations;

	switch (what) {
	case SHARE_SESSIONS:
		return slots - slots / SLOTS_PER_RESERVE;
	case SHARE_WORKS:
		return table_work_slots(engine->table);
	default:
		return allowed && allowed < announcements ? allowed : announcements;
	}
}

static uint32_t free_of(const struct engine *engine, enum share what)
{
	const uint32_t room = share_room(engine, what), taken = table_taken(engine->table, what);

	return taken < room ? room - taken : 0;
}

bool share_full(const struct engine *engine, enum share what)
{
	return free_of(engine, what) == 0;
}

/* Is the client below its limit? */
static bool is_below(const struct engine *engine, const struct client_budget *budget, enum share what)
{
	uint32_t limit = free_of(engine, what);

	if (what == SHARE_SESSIONS && engine->policy.client_sessions < limit)
		limit = engine->policy.client_sessions;
	return budget->taken[what] < limit;
}

bool share_may(const struct engine *engine, const struct endpoint *client, enum share what)
{
	return is_below(engine, table_budget(engine->table, client), what) ||
	       (!share_full(engine, what) && share_exempt(engine, client));
}

static bool session_exempt(const struct engine *engine, const struct session *session)
{
	struct endpoint client, server;

	flow_ends(&session->key, &client, &server);
	return share_exempt(engine, &client);
}

bool share_session_may(const struct engine *engine, const struct session *session, enum share what)
{
	return is_below(engine, table_budget_of(engine->table, session), what) ||
	       (!share_full(engine, what) && session_exempt(engine, session));
}

void share_give(struct engine *engine, const struct endpoint *client, enum share what)
{
	table_count(engine->table, table_budget(engine->table, client), what, -1);
}

static bool spend(const struct engine *engine, const struct session *session, struct client_budget *budget,
		  enum rate rate, uint64_t now)
{
	return budget_spend(budget, &engine->policy, rate, now) || session_exempt(engine, session);
}

bool share_spend(struct engine *engine, const struct session *session, enum rate rate, uint64_t now)
{
	return spend(engine, session, table_budget_of(engine->table, session), rate, now);
}

/* Quiet sessions keep their work slots for a while: that is no use of them. Take some back, and look again. */
static bool may_after_all(struct engine *engine, const struct session *session)
{
	table_work_reclaim(engine->table, share_full(engine, SHARE_WORKS) ? RECLAIM_FULL : RECLAIM_SHARE);
	return share_session_may(engine, session, SHARE_WORKS);
}

struct work *share_work(struct engine *engine, struct session *session, uint64_t now, enum refusal *refusal)
{
	struct client_budget *budget = table_budget_of(engine->table, session);

	*refusal = REFUSED_LIMIT;
	if (!spend(engine, session, budget, RATE_ANNOUNCEMENTS, now))
		return NULL;
	if (is_below(engine, budget, SHARE_WORKS) || may_after_all(engine, session))
		return table_work_take(engine->table, session, budget);
	*refusal = share_full(engine, SHARE_WORKS) ? REFUSED_MEMORY : REFUSED_SHARE;
	return NULL;
}
