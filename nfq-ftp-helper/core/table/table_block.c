// SPDX-License-Identifier: GPL-2.0-or-later
#include "table_layout.h"

#define ALIGNMENT	    64
#define SESSIONS_PER_EMBRYO 4

static size_t aligned(size_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint32_t power_of_two(uint32_t number)
{
	uint32_t power = 2;

	while (power < number && power < 1u << 31)
		power <<= 1;
	return power;
}

struct table_size table_rounded(const struct table_size *size)
{
	const uint32_t budgets = size->budgets < TABLE_BUDGET_WAYS ? TABLE_BUDGET_WAYS : size->budgets;

	return (struct table_size){ power_of_two(size->sessions), size->works, power_of_two(budgets) };
}

/* Fill in the offsets of the parts; return the whole's size. */
static size_t lay_out(struct table *table, const struct table_size *size)
{
	size_t at = aligned(sizeof(*table));

	table->slot_offset = at;
	at += aligned((size_t)size->sessions * sizeof(struct session));
	table->work_offset = at;
	at += aligned((size_t)size->works * sizeof(struct work));
	table->budget_offset = at;
	at += aligned((size_t)size->budgets * sizeof(struct client_budget));
	table->embryo_offset = at;
	table->embryos = power_of_two(size->sessions / SESSIONS_PER_EMBRYO);
	if (table->embryos < EMBRYO_WAYS)
		table->embryos = EMBRYO_WAYS;
	return at + aligned((size_t)table->embryos * sizeof(struct embryo));
}

size_t table_bytes(const struct table_size *size)
{
	const struct table_size whole = table_rounded(size);
	struct table scratch;

	return lay_out(&scratch, &whole);
}

struct table *table_new(void *memory, const struct table_size *size, const uint64_t seed[2])
{
	const struct table_size whole = table_rounded(size);
	struct table *table = memory;

	lay_out(table, &whole);
	table->size = whole;
	table->budget_mask = whole.budgets - 1;
	table->slot_mask = whole.sessions - 1;
	memcpy(table->seed, seed, sizeof(table->seed));
	table_layout_describe(&table->description);
	table->description.sessions.offset = table->slot_offset;
	table->description.sessions.count = whole.sessions;
	table->description.works.offset = table->work_offset;
	table->description.works.count = whole.works;
	return table;
}

uint32_t table_hash(const struct table *table, const struct endpoint *src, const struct endpoint *dst, uint16_t zone,
		    struct flow_key *key)
{
	flow_key_of(key, src, dst, zone);
	return flow_hash(key, table->seed);
}

void table_begin(struct table *table, const struct session *session)
{
	table_commit(table);
	table->undo.session = *session;
	table_barrier();
	table->undo.slot = table_slot_index(table, session);
	table_barrier();
}

void table_commit(struct table *table)
{
	table_barrier();
	table->undo.slot = 0;
	table->undo.work = 0;
	table_barrier();
}

struct session *table_undone(struct table *table)
{
	const uint32_t index = table->undone;

	table->undone = 0;
	return index ? table_slot_at(table, index) : NULL;
}

struct embryo *table_embryo_ways(struct table *table, uint32_t hash)
{
	return (struct embryo *)((char *)table + table->embryo_offset) +
	       (hash & (table->embryos - 1) & ~(uint32_t)(EMBRYO_WAYS - 1));
}

uint32_t table_key_hash(const struct table *table, const struct flow_key *key)
{
	return flow_hash(key, table->seed);
}

void table_lose_note(struct table *table, uint32_t since)
{
	if (since >= table->lost_note)
		table->lost_note = since ? since : 1;
}

bool table_lost_note(const struct table *table, uint32_t seconds)
{
	return table->lost_note && seconds - table->lost_note <= EMBRYO_NOTE_SECONDS;
}

struct embryo *table_embryo_free(struct table *table, const struct flow_key *key)
{
	struct embryo *ways = table_embryo_ways(table, table_key_hash(table, key));

	for (unsigned int i = 0; i < EMBRYO_WAYS; i++)
		if (ways[i].state == EMBRYO_FREE)
			return &ways[i];
	return NULL;
}

uint32_t table_slots(const struct table *table)
{
	return table->size.sessions;
}

struct session *table_slot(struct table *table, uint32_t index)
{
	struct session *session = table_slot_at(table, index);

	return session->state == SESSION_FREE ? NULL : session;
}

struct session *table_walk(struct table *table, uint32_t *at)
{
	*at = table_next(*at, table->size.sessions);
	return table_slot(table, *at);
}

uint32_t table_sessions(const struct table *table)
{
	return table->session_count;
}
