// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes become a sequence of packets on two connections, through the whole engine with the model as conntrack: any
 * order, any overlap, any flags, ticks and restarts in between. Nothing is expected of the dialogue; what must hold is
 * that every packet that leaves is a whole one with a right checksum, no larger than allowed, and that nothing remains
 * when everything has timed out.
 *
 * An input is a list of steps. A step's first byte says what it is; see step().
 */
#include "common/packet_bytes.h"
#include "core/session/resume.h"
#include "core/session/session.h"
#include "described.h"
#include "fuzz.h"
#include "model/model.h"

#define MSS	   1460
#define TABLE_ROOM 65536

static const struct table_size table_size = { .sessions = 4, .works = 2, .budgets = 2 };
static _Alignas(64) uint8_t memory[TABLE_ROOM];
static uint8_t buffer[65536 + 256];

struct world {
	struct engine engine;
	struct model *model;
	uint64_t now;
	uint32_t next[2][2]; /* by connection and direction */
};

static const uint64_t seed[2] = { 1, 2 };

static void attach_engine(struct world *world, struct table *table)
{
	MUST(table != NULL);
	memset(&world->engine, 0, sizeof(world->engine));
	world->engine.table = table;
	world->engine.conntrack = model_conntrack(world->model);
	world->engine.policy = policy_default;
	resume_sessions(&world->engine);
	session_absent(&world->engine, 0);
}

/* The next daemon, with what the last one has left. */
static void open_engine(struct world *world)
{
	attach_engine(world, table_open(memory, &table_size, seed, NULL));
}

/* The first one. A new table's bytes are made once and then copied, as making them takes longer than most inputs. */
static void open_first_engine(struct world *world)
{
	static uint8_t new_table[TABLE_ROOM];
	static struct table *table;

	MUST(table_bytes(&table_size) <= sizeof(memory));
	if (!table) {
		table = table_open(memory, &table_size, seed, NULL);
		memcpy(new_table, memory, table_bytes(&table_size));
	}
	memcpy(memory, new_table, table_bytes(&table_size));
	attach_engine(world, table);
}

/* IPv4 from the inside, as the engine sees it. */
static uint32_t make_packet(uint8_t *p, unsigned int connection, unsigned int direction, uint32_t seq, uint32_t ack,
			    uint8_t flags, uint16_t urgent, const uint8_t *text, uint32_t length)
{
	const struct endpoint ends[2] = {
		{ .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = (uint16_t)(40000 + connection) },
		{ .family = FAMILY_IPV4, .address = { 192, 0, 2, 9 }, .port = 21 },
	};
	const struct packet_header header = {
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.window = 65535,
		.urgent = urgent,
		.tcp = (const uint8_t *)"\2\4\5\264",
		.tcp_length = flags & TCP_SYN ? 4 : 0,
	};

	return packet_put(p, &ends[direction], &ends[!direction], &header, text, length);
}

static void input_packet(struct world *world, uint8_t *packet, uint32_t length)
{
	struct output output = { .buffer = buffer, .capacity = sizeof(buffer) };
	struct model_connection connection;
	struct arrival arrival;
	struct segment segment;
	uint32_t came;
	enum verdict verdict;

	if (session_arrive(&world->engine, &arrival, packet, length, false, 0))
		return;
	came = arrival.segment.payload_length;
	model_set_time(world->model, world->now);
	model_track(world->model, &arrival.segment, MODEL_INSIDE, &connection);
	verdict = session_input(&world->engine, &arrival, world->now, &output);
	if (verdict != VERDICT_REPLACE)
		return;
	MUST(segment_parse(&segment, (uint8_t *)(uintptr_t)output.packet, output.length, false) == 0);
	MUST(segment.length == output.length);
	MUST(segment_checksum_ok(&segment));
	MUST(segment.payload_length <= (came > MSS ? came : MSS));
}

/* A packet: which connection and direction, where it begins relative to what was sent last, flags, text. */
static void step_packet(struct world *world, struct input *input, uint8_t what)
{
	const unsigned int connection = what & 1, direction = what >> 1 & 1;
	uint32_t *next = &world->next[connection][direction];
	const uint8_t mode = input_byte(input);
	uint8_t flags = TCP_ACK, *packet;
	uint32_t seq, length;
	size_t text_length;
	uint8_t *text = input_copy(input, mode & 0x80 ? input_byte(input) * 6u : input_byte(input), &text_length);

	if (mode & 1)
		flags = input_byte(input) & 0x3f;
	seq = *next + (mode & 2 ? (uint32_t)(int8_t)input_byte(input) : 0);
	packet = malloc(44 + text_length);
	MUST(packet != NULL);
	length = make_packet(packet, connection, direction, seq,
			     world->next[connection][!direction] + (mode & 4 ? (uint32_t)(int8_t)input_byte(input) : 0),
			     flags, mode & 8 ? input_byte(input) : 0, text, (uint32_t)text_length);
	if (mode & 16)
		packet[20 + input_byte(input) % (length - 20)] ^= input_byte(input);
	input_packet(world, packet, length);
	if (!(mode & 32))
		*next = seq + (uint32_t)text_length + ((flags & (TCP_SYN | TCP_FIN)) != 0);
	free(packet);
	free(text);
}

static void step(struct world *world, struct input *input)
{
	const uint8_t what = input_byte(input);

	world->now += 1 + (what >> 4) * 20;
	if ((what & 12) == 12 && what >= 0xf0)
		open_engine(world);
	else if ((what & 12) == 8 && what >= 0xf0)
		session_tick(&world->engine, world->now += 100000, 8);
	else
		step_packet(world, input, what);
}

/* Greeted and logged in, so that not every input has to find out how. */
static void preamble(struct world *world)
{
	static const char *const lines[] = { "", "", "220 x\r\n", "USER x\r\n", "331 x\r\n" };
	uint8_t packet[128];

	for (unsigned int i = 0; i < 5; i++) {
		unsigned int direction = i == 0 || i == 3 ? 0 : 1;
		uint8_t flags = i == 0 ? TCP_SYN : i == 1 ? TCP_SYN | TCP_ACK : TCP_ACK;
		uint32_t size = (uint32_t)strlen(lines[i]);
		uint32_t length = make_packet(packet, 0, direction, world->next[0][direction],
					      world->next[0][!direction], flags, 0, (const uint8_t *)lines[i], size);

		input_packet(world, packet, length);
		world->next[0][direction] += size + (i < 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct endpoint inside = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 } };
	const struct endpoint outside = { .family = FAMILY_IPV4, .address = { 198, 51, 100, 254 } };
	struct input input = { data, size };
	struct world world = { .now = 1000000, .next = { { 100, 0xfffffff0 }, { 5, 7 } } };
	uint8_t how = input_byte(&input);

	world.model = model_new(how & 1 ? SEQADJ_SELF : SEQADJ_KERNEL);
	MUST(world.model != NULL);
	if (how & 2)
		MUST(model_add_nat(world.model, &inside, &outside) == 0);
	open_first_engine(&world);
	if (how & 4)
		preamble(&world);
	while (input.left)
		step(&world, &input);
	world.now += 1000ull * (world.engine.policy.idle_timeout + 100000);
	for (unsigned int i = 0; i < 4; i++)
		session_tick(&world.engine, world.now += 1000, 8);
	MUST(table_sessions(world.engine.table) == 0);
	MUST(table_works(world.engine.table) == 0);
	model_free(world.model);
	return 0;
}
