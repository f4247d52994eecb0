// SPDX-License-Identifier: GPL-2.0-or-later
#include "worth.h"

#define SAMPLE	     32	  /* slots looked at for a session to give up */
#define LONG_SILENCE 3600 /* seconds */

/* What conntrack waits in TIME_WAIT and SYN_RECV. */
#define PATIENCE_CLOSED	   120
#define PATIENCE_HANDSHAKE 60

/* Servers look up a client's name before they greet it, and wait for a login for some minutes. */
#define PATIENCE_UNANSWERED 300
#define PATIENCE_STRANGER   900

/* In the order in which they go. */
enum worth {
	WORTH_OVER,	  /* closed */
	WORTH_UNANSWERED, /* the server has said nothing, or nothing is read any more */
	WORTH_STRANGER,	  /* not logged in */
	WORTH_USER,
	WORTH_KEPT, /* we renumber its packets, or one of them has to be sent again: without us it breaks */
};

/* Seconds of silence before a session may be given up for another. */
static const uint32_t grace[] = {
	[WORTH_OVER] = 0,
	[WORTH_UNANSWERED] = 10,
	[WORTH_STRANGER] = 30,
	[WORTH_USER] = 300,
};

/* Do we renumber its packets? */
static bool is_renumbered(const struct session *session)
{
	return session->self && (seqadj_active(&session->stream[0].adj) || seqadj_active(&session->stream[1].adj));
}

bool worth_keeping(const struct session *session)
{
	return is_renumbered(session) || session_in_flight(session);
}

static enum worth worth_of(const struct session *session)
{
	if (session->state == SESSION_CLOSED)
		return WORTH_OVER;
	if (worth_keeping(session))
		return WORTH_KEPT;
	if (session->state <= SESSION_GREETING || session->state == SESSION_OPAQUE || session_in_tls(session))
		return WORTH_UNANSWERED;
	return session->logged_in ? WORTH_USER : WORTH_STRANGER;
}

static uint32_t silence_allowed(const struct engine *engine, const struct session *session)
{
	if (session->state == SESSION_CLOSED)
		return PATIENCE_CLOSED;
	if (is_renumbered(session) || session_in_tls(session))
		return engine->policy.idle_timeout;
	switch (session->state) {
	case SESSION_HANDSHAKE:
		return PATIENCE_HANDSHAKE;
	case SESSION_GREETING:
	case SESSION_MIDDLE:
	case SESSION_EXCHANGE:
		return PATIENCE_UNANSWERED;
	case SESSION_READY:
		return session->logged_in ? engine->policy.idle_timeout : PATIENCE_STRANGER;
	default:
		return engine->policy.idle_timeout;
	}
}

uint32_t worth_patience(const struct engine *engine, const struct session *session)
{
	const uint32_t most = engine->policy.idle_timeout;
	const uint32_t allowed = silence_allowed(engine, session);

	return allowed < most || session->state == SESSION_CLOSED ? allowed : most;
}

/* Who wants room, and what he has. */
struct newcomer {
	const struct endpoint *client;
	const struct client_budget *budget;
	uint32_t sessions;
	bool full; /* there is no room for anybody */
};

static bool may_displace(struct engine *engine, const struct newcomer *newcomer, const struct session *session,
			 enum worth worth, uint32_t silence)
{
	struct endpoint client, server;
	const struct client_budget *budget;
	uint32_t sessions;

	flow_ends(&session->key, &client, &server);
	budget = table_budget_of(engine->table, session);
	if (budget == newcomer->budget)
		return true;
	/* Of a network that stands for many, each may be another one's. */
	sessions = share_exempt(engine, &client) ? 1 : budget->taken[SHARE_SESSIONS];
	if (sessions > newcomer->sessions + 1)
		return true;
	return newcomer->full && sessions >= newcomer->sessions && (worth < WORTH_USER || silence > LONG_SILENCE);
}

struct session *worth_least(struct engine *engine, const struct endpoint *client, uint64_t now)
{
	const struct client_budget *budget = table_budget(engine->table, client);
	const struct newcomer newcomer = {
		.client = client,
		.budget = budget,
		.sessions = share_exempt(engine, client) ? 0 : budget->taken[SHARE_SESSIONS],
		.full = share_full(engine, SHARE_SESSIONS),
	};
	const uint32_t slots = table_slots(engine->table);
	struct session *least = NULL;
	enum worth least_worth = WORTH_KEPT;
	uint32_t least_silence = 0;

	for (uint32_t i = 0; i < SAMPLE && i < slots; i++) {
		struct session *session = table_walk(engine->table, &engine->sample);
		enum worth worth;
		uint32_t silence;

		if (!session)
			continue;
		worth = worth_of(session);
		silence = (uint32_t)(now / 1000) - session->last_seen;
		if (worth > least_worth || (worth == least_worth && silence <= least_silence) || worth == WORTH_KEPT ||
		    silence < grace[worth] || !may_displace(engine, &newcomer, session, worth, silence))
			continue;
		least = session;
		least_worth = worth;
		least_silence = silence;
	}
	return least;
}
