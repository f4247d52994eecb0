// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Where sessions stand: each at home, or in a chain that begins there. One that is not at home anywhere in the chain makes room for
 * one that is. A slot is in use from the moment its state says so, which is written last; so a kill in between leaves it free, or
 * leaves two of one session, of which the undo record names the right one (move_session()).
 */
#include "table_layout.h"

#define CACHE_LINE 64
#define PROBES_MAX 4096 /* slots looked at when a session cannot stand at home */

static uint32_t home_of(const struct table *table, uint32_t hash)
{
	return (hash & table->slot_mask) + 1;
}

static void prefetch(const struct session *session)
{
	__builtin_prefetch(session, 1);
	__builtin_prefetch((const char *)session + CACHE_LINE, 1);
	__builtin_prefetch((const char *)session + CACHE_LINE + CACHE_LINE, 1);
}

void table_prefetch(const struct table *table, uint32_t hash)
{
	prefetch(table_slot_at(table, home_of(table, hash)));
}

void table_prefetch_chain(const struct table *table, const struct flow_key *key, uint32_t hash)
{
	const struct session *home = table_slot_at(table, home_of(table, hash));

	if (home->state != SESSION_FREE && home->chain && !flow_key_equal(&home->key, key))
		prefetch(table_slot_at(table, home->chain));
}

struct session *table_find(struct table *table, const struct flow_key *key, uint32_t hash)
{
	uint32_t index = home_of(table, hash);
	struct session *session = table_slot_at(table, index);

	if (session->state == SESSION_FREE || session->home != index)
		return NULL;
	while (!flow_key_equal(&session->key, key)) {
		if (!session->chain)
			return NULL;
		session = table_slot_at(table, session->chain);
	}
	return session;
}

/* A free slot, looked for from @index on in steps of an odd width, which come by every slot; 0 when none is found. */
static uint32_t free_slot(const struct table *table, uint32_t index, uint32_t hash, uint32_t probes)
{
	const uint32_t step = (hash >> 16) * 2 + 1;

	for (uint32_t i = 0; i < probes && i < table->size.sessions; i++) {
		if (table_slot_at(table, index)->state == SESSION_FREE)
			return index;
		index = ((index - 1 + step) & table->slot_mask) + 1;
	}
	return 0;
}

/* The link that leads to a session which is not at home. */
static uint32_t *link_to(const struct table *table, uint32_t index)
{
	uint32_t *link = &table_slot_at(table, table_slot_at(table, index)->home)->chain;

	while (*link != index)
		link = &table_slot_at(table, *link)->chain;
	return link;
}

/* Fill a free slot: it is in use when all of it is there. */
static void fill_slot(struct session *slot, const struct session *content)
{
	struct session free_yet = *content;

	free_yet.state = SESSION_FREE;
	*slot = free_yet;
	table_barrier();
	slot->state = content->state;
	table_barrier();
}

/*
 * Move a session to the free slot @to, which may be its home. A kill in between leaves two of it: the one in the undo record is
 * right.
 */
static void move_session(struct table *table, uint32_t from, uint32_t to)
{
	struct session *session = table_slot_at(table, from);
	struct work *work;

	table_begin(table, session);
	work = table_work_change(table, session);
	fill_slot(table_slot_at(table, to), session);
	if (work)
		work->owner = to;
	if (session->home != from && session->home != to)
		*link_to(table, from) = to;
	table_barrier();
	session->state = SESSION_FREE;
	table_commit(table);
}

static struct session *insert(struct table *table, const struct flow_key *key, uint32_t hash, uint32_t probes)
{
	const uint32_t home = home_of(table, hash);
	const bool taken = table_slot_at(table, home)->state != SESSION_FREE;
	const bool by_own = taken && table_slot_at(table, home)->home == home;
	const uint32_t other = taken ? free_slot(table, home, hash, probes) : 0;
	struct session *session;

	if (taken && !other)
		return NULL;
	if (taken && !by_own)
		move_session(table, home, other);
	session = table_slot_at(table, by_own ? other : home);
	memset(session, 0, sizeof(*session));
	session->key = *key;
	session->home = home;
	session->stream[0].unsynced = session->stream[1].unsynced = true;
	session->unsure = session->resumed = session->met = true;
	if (by_own)
		session->chain = table_slot_at(table, home)->chain;
	table_barrier();
	session->state = SESSION_HANDSHAKE;
	if (by_own)
		table_slot_at(table, home)->chain = other;
	table->session_count++;
	return session;
}

struct session *table_insert(struct table *table, const struct flow_key *key, uint32_t hash)
{
	return insert(table, key, hash, PROBES_MAX);
}

struct session *table_insert_anywhere(struct table *table, const struct flow_key *key, uint32_t hash)
{
	return insert(table, key, hash, UINT32_MAX);
}

void table_remove(struct table *table, struct session *session)
{
	const uint32_t index = table_slot_index(table, session);
	const uint32_t next = session->chain;

	table->session_count--;
	if (session->home != index) {
		*link_to(table, index) = next;
		session->state = SESSION_FREE;
		table_commit(table);
		return;
	}
	session->state = SESSION_FREE;
	table_commit(table);
	if (next) /* the next of the chain comes home */
		move_session(table, next, index);
}
