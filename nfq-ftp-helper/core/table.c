// SPDX-License-Identifier: GPL-2.0-or-later
#include "table_layout.h"

#include <stdlib.h>

#define ALIGNMENT 64
#define CACHE_LINE 64
#define SESSIONS_PER_EMBRYO 4
#define PROBES_MAX 4096		/* slots looked at when a session cannot stand at home */
#define RECLAIM_STEPS 64	/* work slots looked at when none is free */
#define BUDGET_WAYS 8		/* budgets in a set; the last is the others' */

/* What is written before this point is in memory before what follows: only a kill can interrupt, not another processor. */
static void barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

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

static struct table_size rounded(const struct table_size *size)
{
	const uint32_t budgets = size->budgets < BUDGET_WAYS ? BUDGET_WAYS : size->budgets;

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
	const struct table_size whole = rounded(size);
	struct table scratch;

	return lay_out(&scratch, &whole);
}

static struct session *slot_at(const struct table *table, uint32_t index)
{
	return (struct session *)((char *)(uintptr_t)table + table->slot_offset) + (index - 1);
}

uint32_t table_slot_index(const struct table *table, const struct session *session)
{
	return (uint32_t)(session - slot_at(table, 1)) + 1;
}

static struct work *work_at(const struct table *table, uint32_t index)
{
	return (struct work *)((char *)(uintptr_t)table + table->work_offset) + (index - 1);
}

static struct client_budget *budget_at(const struct table *table, uint32_t index)
{
	return (struct client_budget *)((char *)(uintptr_t)table + table->budget_offset) + index;
}

static uint64_t rotate(uint64_t value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static inline void siphash_round(struct siphash *h)
{
	h->v0 += h->v1;
	h->v1 = rotate(h->v1, 13) ^ h->v0;
	h->v0 = rotate(h->v0, 32);
	h->v2 += h->v3;
	h->v3 = rotate(h->v3, 16) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = rotate(h->v3, 21) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = rotate(h->v1, 17) ^ h->v2;
	h->v2 = rotate(h->v2, 32);
}

/* SipHash-1-3 of a fixed number of words. */
static uint32_t siphash(const uint64_t seed[2], const uint64_t *words, size_t count)
{
	struct siphash h = { seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
			     seed[1] ^ 0x7465646279746573 };

	for (size_t i = 0; i < count; i++) {
		h.v3 ^= words[i];
		siphash_round(&h);
		h.v0 ^= words[i];
	}
	h.v2 ^= 0xff;
	siphash_round(&h);
	siphash_round(&h);
	siphash_round(&h);
	return (uint32_t)(h.v0 ^ h.v1 ^ h.v2 ^ h.v3);
}

uint32_t table_hash_key(const struct table *table, const struct flow_key *key)
{
	uint64_t words[5];

	words[0] = (uint64_t)key->low_port << 48 | (uint64_t)key->high_port << 32 | (uint64_t)key->zone << 16 |
		   key->family;
	if (key->family == FAMILY_IPV4) {
		memcpy(words + 1, key->low_address, 4);
		memcpy((char *)(words + 1) + 4, key->high_address, 4);
		return siphash(table->seed, words, 2);
	}
	memcpy(words + 1, key->low_address, 16);
	memcpy(words + 3, key->high_address, 16);
	return siphash(table->seed, words, 5);
}

void session_endpoints(const struct session *session, struct endpoint *client, struct endpoint *server)
{
	const struct flow_key *key = &session->key;
	struct endpoint *low = key->swapped ? server : client;
	struct endpoint *high = key->swapped ? client : server;

	memcpy(low->address, key->low_address, sizeof(low->address));
	memcpy(high->address, key->high_address, sizeof(high->address));
	low->port = key->low_port;
	high->port = key->high_port;
	low->family = high->family = key->family;
}

static uint32_t home_of(const struct table *table, uint32_t hash)
{
	return (hash & table->slot_mask) + 1;
}

/* Any order will do, as long as it is one. */
static int address_order(const uint8_t a[16], const uint8_t b[16])
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return x[1] < y[1] ? -1 : x[1] > y[1];
}

uint32_t table_hash(const struct table *table, const struct segment *segment, uint16_t zone, struct flow_key *key)
{
	const struct tuple ends = { segment->src, segment->dst };

	return table_hash_ends(table, &ends, zone, key);
}

uint32_t table_hash_ends(const struct table *table, const struct tuple *ends, uint16_t zone, struct flow_key *key)
{
	const int order = address_order(ends->src.address, ends->dst.address);
	const bool swapped = order > 0 || (order == 0 && ends->src.port > ends->dst.port);
	const struct endpoint *low = swapped ? &ends->dst : &ends->src;
	const struct endpoint *high = swapped ? &ends->src : &ends->dst;

	memcpy(key->low_address, low->address, 16);
	memcpy(key->high_address, high->address, 16);
	key->low_port = low->port;
	key->high_port = high->port;
	key->zone = zone;
	key->family = low->family;
	key->swapped = swapped;
	return table_hash_key(table, key);
}

static void prefetch(const struct session *session)
{
	__builtin_prefetch(session, 1);
	__builtin_prefetch((const char *)session + CACHE_LINE, 1);
	__builtin_prefetch((const char *)session + CACHE_LINE + CACHE_LINE, 1);
}

bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[4], y[4];

	memcpy(x, a->low_address, 16);
	memcpy(x + 2, a->high_address, 16);
	memcpy(y, b->low_address, 16);
	memcpy(y + 2, b->high_address, 16);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0 && a->low_port == b->low_port &&
	       a->high_port == b->high_port && a->zone == b->zone && a->family == b->family;
}

void table_prefetch(const struct table *table, uint32_t hash)
{
	prefetch(slot_at(table, home_of(table, hash)));
}

void table_prefetch_chain(const struct table *table, const struct flow_key *key, uint32_t hash)
{
	const struct session *home = slot_at(table, home_of(table, hash));

	if (home->state != SESSION_FREE && home->chain && !flow_key_equal(&home->key, key))
		prefetch(slot_at(table, home->chain));
}

struct session *table_find(struct table *table, const struct flow_key *key, uint32_t hash)
{
	uint32_t index = home_of(table, hash);
	struct session *session = slot_at(table, index);

	if (session->state == SESSION_FREE || session->home != index)
		return NULL;
	while (!flow_key_equal(&session->key, key)) {
		if (!session->chain)
			return NULL;
		session = slot_at(table, session->chain);
	}
	return session;
}

/* A free slot, looked for from @index on in steps of an odd width, which come by every slot; 0 when none is found. */
static uint32_t free_slot(const struct table *table, uint32_t index, uint32_t hash, uint32_t probes)
{
	const uint32_t step = (hash >> 16) * 2 + 1;

	for (uint32_t i = 0; i < probes && i < table->size.sessions; i++) {
		if (slot_at(table, index)->state == SESSION_FREE)
			return index;
		index = ((index - 1 + step) & table->slot_mask) + 1;
	}
	return 0;
}

/* The link that leads to a session which is not at home. */
static uint32_t *link_to(const struct table *table, uint32_t index)
{
	uint32_t *link = &slot_at(table, slot_at(table, index)->home)->chain;

	while (*link != index)
		link = &slot_at(table, *link)->chain;
	return link;
}

/* Fill a free slot: it is in use when all of it is there. */
static void fill_slot(struct session *slot, const struct session *content)
{
	struct session free_yet = *content;

	free_yet.state = SESSION_FREE;
	*slot = free_yet;
	barrier();
	slot->state = content->state;
	barrier();
}

/*
 * Move a session to the free slot @to, which may be its home. A kill in between leaves two of it: the one in the undo record is
 * right.
 */
static void move_session(struct table *table, uint32_t from, uint32_t to)
{
	struct session *session = slot_at(table, from);
	struct work *work;

	table_begin(table, session);
	work = table_work_change(table, session);
	fill_slot(slot_at(table, to), session);
	if (work)
		work->owner = to;
	if (session->home != from && session->home != to)
		*link_to(table, from) = to;
	barrier();
	session->state = SESSION_FREE;
	table_commit(table);
}

static struct session *insert(struct table *table, const struct flow_key *key, uint32_t hash, uint32_t probes)
{
	const uint32_t home = home_of(table, hash);
	const bool taken = slot_at(table, home)->state != SESSION_FREE;
	const bool by_own = taken && slot_at(table, home)->home == home;
	const uint32_t other = taken ? free_slot(table, home, hash, probes) : 0;
	struct session *session;

	if (taken && !other)
		return NULL;
	if (taken && !by_own)
		move_session(table, home, other);
	session = slot_at(table, by_own ? other : home);
	memset(session, 0, sizeof(*session));
	session->key = *key;
	session->home = home;
	session->stream[0].flags = session->stream[1].flags = STREAM_UNSYNCED;
	session->flags = SESSION_UNSURE | SESSION_RESUMED;
	if (by_own)
		session->chain = slot_at(table, home)->chain;
	barrier();
	session->state = SESSION_HANDSHAKE;
	if (by_own)
		slot_at(table, home)->chain = other;
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
	if (next)	/* the next of the chain comes home */
		move_session(table, next, index);
}

const struct work *table_work(const struct table *table, const struct session *session)
{
	return session->work ? work_at(table, session->work) : NULL;
}

/* Copy what is in use of a work slot: @session says of which edits and held bytes that is so. */
static void copy_work(struct work *to, const struct work *from, const struct session *session)
{
	memcpy(to, from, offsetof(struct work, edit));
	for (int d = 0; d < 2; d++) {
		if (session->stream[d].flags & STREAM_IN_FLIGHT)
			to->edit[d] = from->edit[d];
		if (session->stream[d].flags & STREAM_HELD)
			to->held[d] = from->held[d];
	}
	for (uint32_t i = 0; i < from->announcements && i < ANNOUNCEMENTS_MAX; i++)
		to->announcement[i] = from->announcement[i];
}

/* Keep the work slot's content for undoing; once a packet. */
static void save_work(struct table *table, uint32_t index)
{
	if (table->undo.work || !table->undo.slot)
		return;
	copy_work(&table->undo.work_copy, work_at(table, index), &table->undo.session);
	barrier();
	table->undo.work = index;
	barrier();
}

struct work *table_work_change(struct table *table, const struct session *session)
{
	if (!session->work)
		return NULL;
	save_work(table, session->work);
	return work_at(table, session->work);
}

/* Can the session that owns this work slot do without it? Then it is only there because it may be needed again soon. */
static bool work_spare(const struct table *table, const struct work *work)
{
	const struct session *owner = slot_at(table, work->owner);

	return work->announcements == 0 &&
	       !((owner->stream[0].flags | owner->stream[1].flags) & (STREAM_HELD | STREAM_IN_FLIGHT));
}

/* The session's client has one work slot more, or one less. */
static void count_work(struct table *table, struct client_budget *budget, int32_t change)
{
	table_count(table, budget, SHARE_WORKS, change);
	table->work_count += (uint32_t)change;
}

void table_work_reclaim(struct table *table, uint32_t steps)
{
	for (uint32_t i = 0; i < steps && i < table->works_used; i++) {
		struct session *owner;
		struct work *work;

		table->reclaim = table->reclaim < table->works_used ? table->reclaim + 1 : 1;
		work = work_at(table, table->reclaim);
		if (!work->owner || !work_spare(table, work))
			continue;
		owner = slot_at(table, work->owner);
		count_work(table, table_budget_of(table, owner), -1);
		owner->work = 0;
		work->owner = 0;
		work->free_next = table->work_free;
		table->work_free = table->reclaim;
	}
}

/* A work slot that is nobody's; 0 when there is none. */
static uint32_t free_work(struct table *table)
{
	const uint32_t index = table->work_free;

	if (index) {
		table->work_free = work_at(table, index)->free_next;
		return index;
	}
	return table->works_used < table->size.works ? ++table->works_used : 0;
}

struct work *table_work_new(struct table *table, struct session *session, struct client_budget *budget)
{
	const uint32_t index = free_work(table);
	struct work *work;

	if (!index)
		return NULL;
	work = work_at(table, index);
	work->free_next = 0;
	work->budget = (uint32_t)(budget - budget_at(table, 0));
	work->bound = 0;
	work->announcements = 0;
	memset(work->waiting, 0, sizeof(work->waiting));
	work->owner = table_slot_index(table, session);
	barrier();
	session->work = index;
	count_work(table, budget, 1);
	return work;
}

struct work *table_work_take(struct table *table, struct session *session, struct client_budget *budget)
{
	if (!table->work_free && table->works_used == table->size.works)
		table_work_reclaim(table, RECLAIM_STEPS);
	return table_work_new(table, session, budget);
}

struct work *table_work_get(struct table *table, struct session *session)
{
	if (session->work)
		return table_work_change(table, session);
	return table_work_take(table, session, table_budget_of(table, session));
}

void table_work_put(struct table *table, struct session *session)
{
	struct work *work = table_work_change(table, session);

	if (!work)
		return;
	count_work(table, table_budget_of(table, session), -1);
	work->owner = 0;
	work->free_next = table->work_free;
	table->work_free = session->work;
	session->work = 0;
}

struct work *table_work_slot(struct table *table, uint32_t index, struct session **owner)
{
	struct work *work = work_at(table, index);

	if (index > table->works_used || !work->owner)
		return NULL;
	*owner = slot_at(table, work->owner);
	return work;
}

void table_begin(struct table *table, const struct session *session)
{
	table_commit(table);
	table->undo.session = *session;
	barrier();
	table->undo.slot = table_slot_index(table, session);
	barrier();
}

void table_commit(struct table *table)
{
	barrier();
	table->undo.slot = 0;
	table->undo.work = 0;
	barrier();
}

/* The one place that says what a client is. */
static uint64_t client_network(const struct endpoint *client)
{
	uint64_t network = 0;

	memcpy(&network, client->address, client->family == FAMILY_IPV4 ? 4 : 8);
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

	for (unsigned int i = 0; i < BUDGET_WAYS - 1; i++)
		if (has_nothing(&set[i]) && (!oldest || set[i].refilled < oldest->refilled))
			oldest = &set[i];
	return oldest;
}

struct client_budget *table_budget(struct table *table, const struct endpoint *client)
{
	const uint64_t words[2] = { client_network(client), client->family };
	const uint32_t set_index = siphash(table->seed, words, 2) & table->budget_mask & ~(BUDGET_WAYS - 1u);
	struct client_budget *set = budget_at(table, set_index);
	struct client_budget *others = &set[BUDGET_WAYS - 1];
	struct client_budget *budget;

	for (unsigned int i = 0; i < BUDGET_WAYS - 1; i++)
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
		return budget_at(table, work_at(table, session->work)->budget);
	session_endpoints(session, &client, &server);
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

struct embryo *table_embryo_ways(struct table *table, uint32_t hash)
{
	return (struct embryo *)((char *)table + table->embryo_offset) +
	       (hash & (table->embryos - 1) & ~(uint32_t)(EMBRYO_WAYS - 1));
}

struct embryo *table_embryo_free(struct table *table, const struct flow_key *key)
{
	struct embryo *ways = table_embryo_ways(table, table_hash_key(table, key));

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
	struct session *session = slot_at(table, index);

	return session->state == SESSION_FREE ? NULL : session;
}

uint32_t table_sessions(const struct table *table)
{
	return table->session_count;
}

uint32_t table_works(const struct table *table)
{
	return table->work_count;
}

uint32_t table_work_slots(const struct table *table)
{
	return table->size.works;
}

struct session *table_undone(struct table *table)
{
	const uint32_t index = table->undone;

	table->undone = 0;
	return index ? slot_at(table, index) : NULL;
}

struct table *table_new(void *memory, const struct table_size *size, const uint64_t seed[2])
{
	const struct table_size whole = rounded(size);
	struct table *table = memory;

	lay_out(table, &whole);
	table->size = whole;
	table->budget_mask = whole.budgets - 1;
	table->slot_mask = whole.sessions - 1;
	memcpy(table->seed, seed, sizeof(table->seed));
	table_description_own(&table->description);
	table->description.sessions.offset = table->slot_offset;
	table->description.sessions.count = whole.sessions;
	table->description.works.offset = table->work_offset;
	table->description.works.count = whole.works;
	return table;
}

/* Is this a table of this layout and this size? */
static bool is_same(const struct table *table, const struct table_size *size)
{
	struct table_description description;
	const size_t bytes = table_bytes(size);

	return table_description_read((const uint8_t *)table, bytes, &description) == TABLE_TAKEN_UP &&
	       table_description_is_own(&description) && memcmp(&table->size, size, sizeof(*size)) == 0;
}

/* Make place for a new table, and fill it with what was there. */
static enum table_left take_up_here(struct table *table, const struct table_size *size, const uint64_t seed[2],
				    struct table_taken *taken)
{
	const size_t bytes = table_bytes(size);
	void *left = malloc(bytes);
	enum table_left what = TABLE_STRANGE;

	if (left) {
		memcpy(left, table, bytes);
		memset((void *)table, 0, bytes);
		what = table_take_up(table_new(table, size, seed), left, bytes, taken);
	}
	free(left);
	return what;
}

struct table *table_open(void *memory, const struct table_size *size, const uint64_t seed[2], uint32_t *recovered)
{
	const struct table_size whole = rounded(size);
	struct table_taken taken = { 0 };
	struct table *table = memory;

	if (table->description.magic == 0) {
		table_new(memory, &whole, seed);
	} else if (!is_same(table, &whole) || take_up_here(table, &whole, seed, &taken) != TABLE_TAKEN_UP) {
		errno = EINVAL;
		return NULL;
	}
	if (recovered)
		*recovered = taken.sessions;
	return table;
}
