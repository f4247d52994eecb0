// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table: insert, find and remove against a plain list; both directions of a flow; a daemon killed at any point of a
 * change and what its successor finds.
 */
#include "unit.h"

#include "common/packet.h"
#include "core/table/table.h"
#include "work.h"

#define SESSIONS 64
#define WORKS	 8

static const struct table_size size = { .sessions = SESSIONS, .works = WORKS, .budgets = 16 };
static const uint64_t seed[2] = { 1, 2 };

static void *room(void)
{
	return unit_alloc_lines(table_bytes(&size));
}

static struct tuple flow(uint32_t number, bool reply)
{
	struct tuple ends;

	ends.src = (struct endpoint){ .family = number & 1 ? FAMILY_IPV6 : FAMILY_IPV4,
				      .port = (uint16_t)(1024 + number) };
	ends.dst = ends.src;
	ends.src.address[0] = 10;
	ends.src.address[3] = (uint8_t)(number >> 8);
	ends.dst.address[0] = (uint8_t)(number & 2 ? 9 : 192);
	ends.dst.port = 21;
	if (reply) {
		struct endpoint src = ends.src;

		ends.src = ends.dst;
		ends.dst = src;
	}
	return ends;
}

static struct session *find(struct table *table, uint32_t number, bool reply, uint16_t zone)
{
	struct tuple ends = flow(number, reply);
	struct flow_key key;
	uint32_t hash = table_hash(table, &ends.src, &ends.dst, zone, &key);

	table_prefetch(table, hash);
	table_prefetch_chain(table, &key, hash);
	return table_find(table, &key, hash);
}

/* In use is what has a state: that is what a successor goes by. */
static struct session *insert(struct table *table, uint32_t number)
{
	struct tuple ends = flow(number, false);
	struct flow_key key;
	uint32_t hash = table_hash(table, &ends.src, &ends.dst, 0, &key);
	struct session *session = table_insert(table, &key, hash);

	if (session) {
		session->state = SESSION_READY;
		session->last_seen = number;
	}
	return session;
}

static void both_directions_are_one_flow(void **state)
{
	void *memory = room();
	struct table *table = table_open(memory, &size, seed, NULL);
	struct tuple there = flow(7, false), back = flow(7, true);
	struct flow_key key[2];

	(void)state;
	assert_non_null(table);
	assert_int_equal(table_hash(table, &there.src, &there.dst, 0, &key[0]),
			 table_hash(table, &back.src, &back.dst, 0, &key[1]));
	assert_int_not_equal(key[0].swapped, key[1].swapped);
	assert_null(find(table, 7, false, 0));
	assert_non_null(insert(table, 7));
	assert_non_null(find(table, 7, false, 0));
	assert_ptr_equal(find(table, 7, false, 0), find(table, 7, true, 0));
	assert_null(find(table, 7, false, 1)); /* another zone */
	assert_null(find(table, 8, false, 0));
	free(memory);
}

static void check_all(struct table *table, const bool *present, uint32_t numbers)
{
	uint32_t count = 0;

	for (uint32_t number = 0; number < numbers; number++) {
		struct session *session = find(table, number, unit_pick(2), 0);

		assert_int_equal(session != NULL, present[number]);
		if (session)
			assert_int_equal(session->last_seen, number);
		count += present[number];
	}
	assert_int_equal(table_sessions(table), count);
}

static void random_life(void **state)
{
	bool present[300] = { false };
	void *memory = room();
	struct table *table = table_open(memory, &size, seed, NULL);
	uint32_t recovered;

	(void)state;
	for (unsigned int step = 0; step < 20000; step++) {
		uint32_t number = unit_pick(300);
		struct session *session = find(table, number, false, 0);

		assert_int_equal(session != NULL, present[number]);
		if (session) {
			table_remove(table, session);
			present[number] = false;
		} else if (insert(table, number)) {
			present[number] = true;
		} else {
			assert_true(table_sessions(table) > SESSIONS / 2); /* full, or nearly so */
		}
		if (step % 500 == 0) {
			check_all(table, present, 300);
			table = table_open(memory, &size, seed, &recovered); /* killed and restarted */
			assert_non_null(table);
			assert_int_equal(recovered, table_sessions(table));
			check_all(table, present, 300);
		}
	}
	free(memory);
}

static void walking(void **state)
{
	void *memory = room();
	struct table *table = table_open(memory, &size, seed, NULL);
	uint32_t count = 0;

	(void)state;
	for (uint32_t number = 0; number < 20; number++)
		insert(table, number);
	for (uint32_t index = 1; index <= table_slots(table); index++)
		count += table_slot(table, index) != NULL;
	assert_int_equal(count, table_sessions(table));
	assert_int_equal(count, 20);
	free(memory);
}

static void works(void **state)
{
	void *memory = room();
	struct table *table = table_open(memory, &size, seed, NULL);

	(void)state;
	for (uint32_t number = 0; number <= WORKS; number++)
		assert_non_null(insert(table, number));
	for (uint32_t number = 0; number < WORKS; number++) {
		struct session *session = find(table, number, false, 0);

		assert_null(table_work(table, session));
		assert_non_null(work_of(table, session));
		assert_ptr_equal(table_work(table, session), work_of(table, session));
		work_of(table, session)->announcements = 1; /* it is needed */
	}
	assert_int_equal(table_works(table), WORKS);
	assert_null(work_of(table, find(table, WORKS, false, 0)));
	table_begin(table, find(table, 3, false, 0));
	table_work_put(table, find(table, 3, false, 0));
	table_commit(table);
	assert_null(table_work(table, find(table, 3, false, 0)));
	assert_int_equal(table_works(table), WORKS - 1);
	assert_non_null(work_of(table, find(table, WORKS, false, 0)));
	table_begin(table, find(table, 5, false, 0));
	table_work_put(table, find(table, 5, false, 0));
	table_remove(table, find(table, 5, false, 0));
	table_commit(table);
	assert_int_equal(table_works(table), WORKS - 1);
	free(memory);
}

/* A work slot that nothing needs any more goes to who needs one. */
static void idle_works_are_taken_over(void **state)
{
	void *memory = room();
	struct table *table = table_open(memory, &size, seed, NULL);

	(void)state;
	for (uint32_t number = 0; number < 3 * WORKS; number++) {
		struct session *session = insert(table, number);

		table_begin(table, session);
		assert_non_null(work_of(table, session));
		table_commit(table);
		assert_true(table_works(table) <= WORKS);
	}
	assert_int_equal(table_works(table), WORKS);
	assert_null(table_work(table, find(table, 0, false, 0)));
	free(memory);
}

/* Change a session and its work; kill before or after commit: the successor finds the old or the new state, whole. */
static void killed_amid_a_packet(void **state)
{
	(void)state;
	for (unsigned int point = 0; point < 5; point++) {
		void *memory = room();
		struct table *table = table_open(memory, &size, seed, NULL);
		struct session *session = insert(table, 1);
		struct work *work = work_of(table, session);
		uint32_t recovered;

		session->stream[0].next = 100;
		session->unsure = session->resumed = false;
		session->stream[0].unsynced = session->stream[1].unsynced = false;
		session->stream[0].edited = session->stream[0].in_flight = true;
		work->edit[0] = (struct edit){ .start = 5, .old_length = 9, .new_length = 9 };
		table_begin(table, session);
		if (point > 0)
			session->stream[0].next = 200;
		if (point > 1)
			work = table_work_change(table, session);
		if (point > 2)
			work->edit[0].start = 6;
		if (point > 3)
			table_commit(table);
		table = table_open(memory, &size, seed, &recovered);
		assert_non_null(table);
		assert_int_equal(recovered, 1);
		session = find(table, 1, true, 0);
		assert_non_null(session);
		assert_non_null(table_work(table, session));
		assert_int_equal(session->stream[0].next, point > 3 ? 200 : 100);
		assert_int_equal(table_work(table, session)->edit[0].start, point > 3 ? 6 : 5);
		assert_int_equal(table_works(table), 1);
		free(memory);
	}
}

/* A work slot taken, or given back, in the packet that was interrupted. */
static void killed_while_work_changes_hands(void **state)
{
	(void)state;
	for (unsigned int taken = 0; taken < 2; taken++) {
		void *memory = room();
		struct table *table = table_open(memory, &size, seed, NULL);
		struct session *session = insert(table, 1);

		if (!taken)
			work_of(table, session);
		table_begin(table, session);
		if (taken)
			work_of(table, session)->edit[0].start = 9;
		else
			table_work_put(table, session);
		table = table_open(memory, &size, seed, NULL);
		session = find(table, 1, false, 0);
		assert_non_null(session);
		assert_int_equal(table_work(table, session) != NULL, !taken);
		assert_int_equal(table_works(table), !taken);
		for (uint32_t number = 2; number < 2 + WORKS - !taken; number++)
			assert_non_null(work_of(table, insert(table, number)));
		free(memory);
	}
}

static void foreign_memory(void **state)
{
	void *memory = room();
	struct table_size other = size;

	(void)state;
	memset(memory, 0x55, 64);
	assert_null(table_open(memory, &size, seed, NULL));
	memset(memory, 0, 64);
	assert_non_null(table_open(memory, &size, seed, NULL));
	other.works--;
	assert_null(table_open(memory, &other, seed, NULL));
	free(memory);
}

static void hash_depends_on_seed_and_zone(void **state)
{
	void *memory[2] = { room(), room() };
	const uint64_t another[2] = { 3, 4 };
	struct table *table[2] = { table_open(memory[0], &size, seed, NULL),
				   table_open(memory[1], &size, another, NULL) };
	struct flow_key key;
	unsigned int same_seed = 0, same_zone = 0;

	(void)state;
	for (uint32_t number = 0; number < 100; number++) {
		struct tuple ends = flow(number, false);
		uint32_t hash = table_hash(table[0], &ends.src, &ends.dst, 0, &key);

		same_seed += hash == table_hash(table[1], &ends.src, &ends.dst, 0, &key);
		same_zone += hash == table_hash(table[0], &ends.src, &ends.dst, 1, &key);
	}
	assert_true(same_seed < 5);
	assert_true(same_zone < 5);
	free(memory[0]);
	free(memory[1]);
}

static void budgets(void **state)
{
	void *memory = room();
	struct table *table = table_open(memory, &size, seed, NULL);
	struct tuple one = flow(2, false);
	struct client_budget *budget = table_budget(table, &one.src);

	(void)state;
	assert_non_null(budget);
	one.src.port++;
	assert_ptr_equal(table_budget(table, &one.src), budget); /* a client is an address */
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_are_one_flow),
		cmocka_unit_test(random_life),
		cmocka_unit_test(walking),
		cmocka_unit_test(works),
		cmocka_unit_test(idle_works_are_taken_over),
		cmocka_unit_test(killed_amid_a_packet),
		cmocka_unit_test(killed_while_work_changes_hands),
		cmocka_unit_test(foreign_memory),
		cmocka_unit_test(hash_depends_on_seed_and_zone),
		cmocka_unit_test(budgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
