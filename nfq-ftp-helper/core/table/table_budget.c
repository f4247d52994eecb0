// SPDX-License-Identifier: GPL-2.0-or-later
#include "siphash.h"
#include "table_layout.h"

static uint64_t client_network(const struct endpoint *client)
{
	uint64_t network = 0;

	memcpy(&network, client->address, endpoint_client_length(client->family));
	return network;
}

bool table_same_client(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && client_network(a) == client_network(b);
}

static bool has_nothing(const struct client_budget *budget)
{
	uint32_t all = 0;

	for (unsigned int what = 0; what < SHARES; what++)
		all |= budget->taken[what];
	return all == 0;
}

/* The place of a client who has nothing: an unused one, else that of who was here longest ago; NULL when there is none. */
static struct client_budget *vacant(struct client_budget *set)
{
	struct client_budget *oldest = NULL;

	for (unsigned int i = 0; i < TABLE_BUDGET_WAYS - 1; i++)
		if (has_nothing(&set[i]) && (!oldest || set[i].refilled < oldest->refilled))
			oldest = &set[i];
	return oldest;
}

struct client_budget *table_budget(struct table *table, const struct endpoint *client)
{
	const uint64_t words[2] = { client_network(client), client->family };
	const uint32_t set_index = siphash(table->seed, words, 2) & table->budget_mask & ~(TABLE_BUDGET_WAYS - 1u);
	struct client_budget *set = table_budget_at(table, set_index);
	struct client_budget *others = &set[TABLE_BUDGET_WAYS - 1];
	struct client_budget *budget;

	for (unsigned int i = 0; i < TABLE_BUDGET_WAYS - 1; i++)
		if (set[i].family == client->family && set[i].network == words[0])
			return &set[i];
	budget = has_nothing(others) ? vacant(set) : NULL;
	if (!budget)
		return others;
	memset(budget, 0, sizeof(*budget));
	budget->network = words[0];
	budget->family = client->family;
	return budget;
}

struct client_budget *table_budget_of(struct table *table, const struct session *session)
{
	struct endpoint client, server;

	if (session->work)
		return table_budget_at(table, table_work_at(table, session->work)->budget);
	flow_ends(&session->key, &client, &server);
	return table_budget(table, &client);
}

void table_count(struct table *table, struct client_budget *budget, enum share what, int32_t change)
{
	if (change < 0 && (!budget->taken[what] || !table->taken[what]))
		return;
	budget->taken[what] += (uint32_t)change;
	table->taken[what] += (uint32_t)change;
}

uint32_t table_taken(const struct table *table, enum share what)
{
	return table->taken[what];
}
