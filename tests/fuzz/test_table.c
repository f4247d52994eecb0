// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A state file of any bytes: the table in it is taken up, and packets and time go over what was believed. Whatever is believed,
 * what leaves are whole packets with right checksums, and every session is found by its key.
 *
 * An input is a list of changes to one of some good tables: a byte says how many, then each is an offset and what to put there; then
 * packets. So that most inputs are nearly tables, and what is behind the first checks is reached.
 */
#include "common/packet_bytes.h"
#include "core/session/resume.h"
#include "core/session/session.h"
#include "core/table/table_layout.h"
#include "described.h"
#include "fuzz.h"
#include "model/model.h"

#include <stddef.h>

#define TABLE_ROOM 32768
#define TABLES	   6

static const struct table_size sizes[] = {
	{ .sessions = 4, .works = 2, .budgets = 2 },
	{ .sessions = 8, .works = 1, .budgets = 2 },
	{ .sessions = 2, .works = 3, .budgets = 4 },
};
static const uint64_t seed[2] = { 1, 2 };
static _Alignas(64) uint8_t memory[TABLE_ROOM];
static uint8_t buffer[65536 + 256];

/* The good tables, made once. */
static _Alignas(64) uint8_t good[TABLES][TABLE_ROOM];
static size_t good_bytes[TABLES];

struct world {
	struct engine engine;
	struct model *model;
	uint64_t now;
	uint32_t next[2]; /* by direction: about where the session stands */
};

static uint32_t make_packet(uint8_t *p, unsigned int direction, uint32_t seq, uint32_t ack, uint8_t flags,
			    const uint8_t *text, uint32_t length)
{
	static const struct endpoint ends[2] = {
		{ .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 },
		{ .family = FAMILY_IPV4, .address = { 192, 0, 2, 9 }, .port = 21 },
	};
	const struct packet_header header = { .seq = seq, .ack = ack, .flags = flags, .window = 65535 };

	return packet_put(p, &ends[direction], &ends[!direction], &header, text, length);
}

static void input_packet(struct world *world, uint8_t *packet, uint32_t length)
{
	struct output output = { .buffer = buffer, .capacity = sizeof(buffer) };
	struct model_connection connection;
	struct arrival arrival;
	struct segment segment;

	if (session_arrive(&world->engine, &arrival, packet, length, false, 0))
		return;
	model_set_time(world->model, world->now);
	model_track(world->model, &arrival.segment, MODEL_INSIDE, &connection);
	if (session_input(&world->engine, &arrival, world->now, &output) != VERDICT_REPLACE)
		return;
	MUST(segment_parse(&segment, (uint8_t *)(uintptr_t)output.packet, output.length, false) == 0);
	MUST(segment.length == output.length);
	MUST(segment_checksum_ok(&segment));
}

static void say(struct world *world, unsigned int direction, uint8_t flags, const char *text)
{
	const uint32_t length = (uint32_t)strlen(text);
	uint8_t packet[256];

	world->now += 10;
	input_packet(world, packet,
		     make_packet(packet, direction, world->next[direction], world->next[!direction], flags,
				 (const uint8_t *)text, length));
	world->next[direction] += length + ((flags & (TCP_SYN | TCP_FIN)) != 0);
}

/* ---- good tables ---- */

static void open_world(struct world *world, enum seqadj_by by)
{
	const struct endpoint inside = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 } };
	const struct endpoint outside = { .family = FAMILY_IPV4, .address = { 198, 51, 100, 254 } };

	*world = (struct world){ .now = 1000000, .next = { 100, 0xfffffff0 } };
	world->model = model_new(by);
	MUST(world->model != NULL);
	MUST(model_add_nat(world->model, &inside, &outside) == 0);
	world->engine.conntrack = model_conntrack(world->model);
	world->engine.policy = policy_default;
}

/* One table a row: what has been said when the daemon is gone. */
static const struct {
	enum seqadj_by by;
	const char *lines[10]; /* alternating; the first is the server's, "" says nothing */
} stories[TABLES] = {
	{ SEQADJ_KERNEL, { "220 x\r\n", "USER x\r\n", "331 x\r\n" } },
	{ SEQADJ_SELF, { "220 x\r\n", "PORT 10,0,0,2,11,185\r\n" } },
	{ SEQADJ_KERNEL, { "220 x\r\n", "PORT 10,0,0,2,11,185\r\n", "200 x\r\n", "PORT 10,0," } },
	{ SEQADJ_SELF, { "220 x\r\n", "PORT 1", "", "0", "", ",0", "", ",0,2", "", "," } },
	{ SEQADJ_SELF,
	  { "220 x\r\n", "PORT 10,0,0,2,11,185\r\n", "200 x\r\n", "AUTH TLS\r\n", "234 x\r\n", "secret" } },
	{ SEQADJ_KERNEL, { "220 x\r\n", "PASV\r\n", "227 x (192,0,2,9,11,185)\r\n", "EPSV\r\n", "229 x (|||30" } },
};

static void tell(unsigned int number)
{
	const char *const *lines = stories[number].lines;
	struct world world;

	open_world(&world, stories[number].by);
	world.engine.table = table_new(good[number], &sizes[0], seed);
	good_bytes[number] = table_bytes(&sizes[0]);
	MUST(good_bytes[number] <= TABLE_ROOM);
	say(&world, 0, TCP_SYN, "");
	say(&world, 1, TCP_SYN | TCP_ACK, "");
	for (unsigned int i = 0; i < 10 && lines[i]; i++)
		if (lines[i][0])
			say(&world, !(i & 1), TCP_ACK, lines[i]);
	/* The daemon died while it worked on this session. */
	if (number & 1)
		for (uint32_t i = 1; i <= table_slots(world.engine.table); i++)
			if (table_slot(world.engine.table, i)) {
				table_begin(world.engine.table, table_slot(world.engine.table, i));
				table_work_change(world.engine.table, table_slot(world.engine.table, i));
			}
	model_free(world.model);
}

/* ---- a damaged one ---- */

/* Offsets are little-endian; the slots and the header are favoured over budgets and zeroes. */
static void change(struct input *input, uint8_t *left, size_t bytes)
{
	const struct table *table = (const struct table *)(const void *)good[0];
	const uint8_t how = input_byte(input);
	uint32_t at = input_byte(input);

	at |= (uint32_t)input_byte(input) << 8;
	if (how & 0x40)
		at = (uint32_t)table->slot_offset + at % (uint32_t)(4 * sizeof(struct session));
	else if (how & 0x80)
		at = (uint32_t)table->work_offset + at % (uint32_t)(2 * sizeof(struct work));
	for (unsigned int i = 0; i <= (how & 3u); i++) {
		const uint8_t value = input_byte(input);

		if (at + i >= bytes)
			return;
		left[at + i] = how & 4 ? left[at + i] ^ value : value;
	}
}

static void step(struct world *world, struct input *input)
{
	const uint8_t what = input_byte(input);
	const unsigned int direction = what & 1;
	const uint32_t before = what & 2 ? input_byte(input) : 0;
	const uint8_t flags = what & 4 ? input_byte(input) & 0x3f : TCP_ACK;
	size_t length;
	uint8_t *text = input_copy(input, what & 8 ? input_byte(input) * 6u : 40, &length);
	uint8_t *packet = malloc(40 + length);

	MUST(packet != NULL);
	world->now += 1 + (what >> 4) * 100;
	input_packet(world, packet,
		     make_packet(packet, direction, world->next[direction] - before,
				 world->next[!direction] + (what >> 6), flags, text, (uint32_t)length));
	world->next[direction] += (uint32_t)length - before;
	free(packet);
	free(text);
}

/* Every session can be found, and has what it says it has. */
static void check_table(struct world *world)
{
	struct table *table = world->engine.table;
	uint32_t sessions = 0, works = 0, announcements = 0;

	for (uint32_t i = 1; i <= table_slots(table); i++) {
		struct session *session = table_slot(table, i);

		if (!session)
			continue;
		sessions++;
		MUST(table_find(table, &session->key, flow_hash(&session->key, table->seed)) == session);
		MUST(session->work || !session_in_flight(session));
		if (session->work) {
			MUST(table_work(table, session)->owner == i);
			works++;
			announcements += table_work(table, session)->announcements;
		}
		for (int d = 0; d < 2; d++)
			world->next[d] = session->stream[d].next;
	}
	MUST(sessions == table_sessions(table) && works == table_works(table));
	MUST(sessions == table_taken(table, SHARE_SESSIONS) && works == table_taken(table, SHARE_WORKS));
	MUST(announcements == table_taken(table, SHARE_EXPECTATIONS));
}

/* The daemon is killed, and the next one takes up what it has left, all of it. */
static void again(struct world *world, const struct table_size *now)
{
	const size_t bytes = table_bytes(now);
	uint8_t *left = malloc(bytes);
	struct table_taken taken;

	MUST(left != NULL);
	memcpy(left, memory, bytes);
	memset(memory, 0, bytes);
	world->engine.table = table_new(memory, now, seed);
	MUST(table_take_up(world->engine.table, left, bytes, &taken) == TABLE_TAKEN_UP);
	MUST(taken.forgotten == 0 && taken.crowded == 0);
	free(left);
	MUST(table_sessions(world->engine.table) == taken.sessions);
	check_table(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool told;
	struct input input = { data, size };
	const uint8_t which = input_byte(&input), changes = input_byte(&input), cut = input_byte(&input);
	const struct table_size *now = &sizes[which / TABLES % 3];
	struct table_taken taken;
	struct world world;
	uint8_t *left;
	size_t bytes;

	for (unsigned int i = 0; !told && i < TABLES; i++)
		tell(i);
	told = true;
	bytes = good_bytes[which % TABLES] - (cut < 128 ? 0 : good_bytes[which % TABLES] * (cut - 127u) / 129);
	left = malloc(bytes); /* so that reading behind it is found out */
	MUST(left != NULL && table_bytes(now) <= sizeof(memory));
	memcpy(left, good[which % TABLES], bytes);
	for (unsigned int i = 0; i < changes % 32; i++)
		change(&input, left, bytes);
	memset(memory, 0, table_bytes(now));
	open_world(&world, which & 0x80 ? SEQADJ_SELF : SEQADJ_KERNEL);
	world.engine.table = table_new(memory, now, seed);
	if (table_take_up(world.engine.table, left, bytes, &taken) != TABLE_TAKEN_UP)
		MUST(table_sessions(world.engine.table) == 0);
	free(left);
	MUST(table_sessions(world.engine.table) == taken.sessions);
	resume_sessions(&world.engine);
	check_table(&world);
	while (input.left)
		step(&world, &input);
	again(&world, now);
	world.now += 1000ull * (world.engine.policy.idle_timeout + 100000);
	for (unsigned int i = 0; i < 4; i++)
		session_tick(&world.engine, world.now += 1000, 8);
	model_free(world.model);
	return 0;
}
