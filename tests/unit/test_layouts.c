// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an earlier daemon left, of this version or another, of this size or another, whole or damaged: connections go on, and
 * what cannot be is not believed.
 */
#include "unit.h"

#include "common/dialogue.h"
#include "core/table/table_layout.h"
#include "layout_1.h"

static const uint64_t seed[2] = { 7, 8 };

/* ---- taking up ---- */

/* Another daemon, with a table of its own of @size, finds @left. */
static enum table_left resume(struct dialogue *d, const struct table_size *size, const void *left, size_t bytes,
			      struct table_taken *taken)
{
	enum table_left what;

	free(d->memory);
	d->size = *size;
	d->memory = unit_alloc_lines(table_bytes(size));
	d->engine.table = table_new(d->memory, size, seed);
	what = table_take_up(d->engine.table, left, bytes, taken);
	resume_sessions(&d->engine);
	return what;
}

static uint8_t *copy_of(const struct dialogue *d, size_t *bytes)
{
	uint8_t *copy;

	*bytes = table_bytes(&d->size);
	copy = unit_alloc(*bytes);
	memcpy(copy, d->memory, *bytes);
	return copy;
}

/* ---- layout 1 ---- */

static uint8_t *layout_1(const struct layout_1_run *runs, size_t count)
{
	uint8_t *left = calloc(1, LAYOUT_1_BYTES);

	assert_non_null(left);
	for (size_t i = 0; i < count; i++)
		memcpy(left + runs[i].offset, runs[i].bytes, runs[i].length);
	return left;
}

/* As d was when that table was left. */
static void begin_1(struct dialogue *d, enum seqadj_by by, uint32_t client, uint32_t server_acked)
{
	dialogue_begin(d, MASQUERADE);
	d->by = by;
	d->seq[CLIENT] = client;
	d->seq[SERVER] = d->acked[CLIENT] = 5008;
	d->acked[SERVER] = server_acked;
	d->silent = true;
}

/* Renumbered by the old daemon, and by the new one; and the edit that was in flight is made again. */
static void layout_1_in_flight_goes_on(void **state)
{
	uint8_t *left = layout_1(layout_1_in_flight, sizeof(layout_1_in_flight) / sizeof(layout_1_in_flight[0]));
	struct table_taken taken;
	struct dialogue d;

	(void)state;
	begin_1(&d, SEQADJ_SELF, 1023, 1001);
	assert_int_equal(resume(&d, &d.size, left, LAYOUT_1_BYTES, &taken), TABLE_TAKEN_UP);
	assert_int_equal(taken.sessions, 1);
	assert_int_equal(taken.forgotten + taken.crowded, 0);
	assert_false(taken.own);
	for (uint32_t i = 1; i <= table_slots(d.engine.table); i++)
		if (table_slot(d.engine.table, i))
			assert_int_equal(table_slot(d.engine.table, i)->stream[SERVER].scale, 14);
	assert_int_equal(d.adjust_calls, 0);
	dialogue_packet(&d, CLIENT, 1001, TCP_ACK, PORT_IN, strlen(PORT_IN));
	dialogue_left(&d, PORT_OUT);
	assert_int_equal(dialogue_left_seq(&d), 1001);
	d.silent = false;
	dialogue_arrived(&d, CLIENT);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	assert_int_equal(packet_get32(d.out + d.in.tcp + 8), 1023); /* the ack, as the client counts */
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_int_equal(dialogue_left_seq(&d), 1023 + GROWTH);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	assert_int_equal(dialogue_left_seq(&d), 1023 + 6 + GROWTH);
	free(left);
	dialogue_close(&d);
}

/* What was swallowed was acknowledged to its sender: the receiver gets it, once, and conntrack adjusts accordingly. */
static void layout_1_swallowed_is_owed(void **state)
{
	uint8_t *left = layout_1(layout_1_swallowed, sizeof(layout_1_swallowed) / sizeof(layout_1_swallowed[0]));
	struct table_taken taken;
	struct dialogue d;

	(void)state;
	begin_1(&d, SEQADJ_KERNEL, 1010, 1006);
	d.binding.seqadj[CLIENT] = d.adj[CLIENT] = (struct seqadj){ .pos = 1005, .before = 0, .after = -4 };
	assert_int_equal(resume(&d, &d.size, left, LAYOUT_1_BYTES, &taken), TABLE_TAKEN_UP);
	assert_int_equal(taken.sessions, 1);
	assert_int_equal(d.adjust_calls, 1);
	assert_int_equal(d.adj[CLIENT].after, 0);
	dialogue_packet(&d, CLIENT, 1010, TCP_ACK, ",0,2,11,185\r\n", 13);
	dialogue_left(&d, " 10,0,0,2,11,185\r\n");
	assert_int_equal(dialogue_left_seq(&d), 1005);
	assert_int_equal(d.expectations, 0);
	free(left);
	dialogue_close(&d);
}

/* ---- layouts that there are not ---- */

#define SHIFT 12 /* by which everything in a slot stands elsewhere */
#define MORE  40 /* which are more bytes a slot, and in the description */

static void shift_fields(void *fields, size_t size)
{
	for (size_t at = 0; at < size; at += sizeof(struct field))
		((struct field *)(void *)((uint8_t *)fields + at))->offset += SHIFT;
}

static void shift_slots(uint8_t *to, struct described_slots *slots, uint64_t offset, const uint8_t *from)
{
	for (uint32_t i = 0; i < slots->count; i++)
		memcpy(to + offset + (size_t)i * (slots->stride + MORE) + SHIFT,
		       from + slots->offset + (size_t)i * slots->stride, slots->stride);
	slots->offset = offset;
	slots->stride += MORE;
}

/* The same sessions as another version would have them, which describes more than is known here. */
static uint8_t *another_layout(const struct dialogue *d, size_t *bytes)
{
	const uint8_t *memory = d->memory;
	const struct undo *undo = (const struct undo *)(const void *)(memory + offsetof(struct table, undo));
	struct table_description description;
	uint8_t *left;

	*bytes = 1000 + 2 * (table_bytes(&d->size) + ((size_t)d->size.sessions + d->size.works) * MORE) + sizeof(*undo);
	left = calloc(1, *bytes);
	assert_non_null(left);
	memcpy(&description, memory, sizeof(description));
	description.version = 77;
	description.bytes += MORE;
	memset(left + sizeof(description), 0xee, MORE);
	shift_fields(&description.session, sizeof(description.session));
	shift_fields(&description.work, sizeof(description.work));
	description.undo_slot = 1000;
	description.undo_work = 1004;
	description.undo_session = 1008;
	description.undo_work_copy = 1008 + sizeof(struct session) + MORE;
	memcpy(left + description.undo_slot, &undo->slot, 4);
	memcpy(left + description.undo_work, &undo->work, 4);
	memcpy(left + description.undo_session + SHIFT, &undo->session, sizeof(undo->session));
	memcpy(left + description.undo_work_copy + SHIFT, &undo->work_copy, sizeof(undo->work_copy));
	shift_slots(left, &description.sessions, 1000 + sizeof(*undo) + 2 * (size_t)MORE + 64, memory);
	shift_slots(left, &description.works,
		    description.sessions.offset + (uint64_t)description.sessions.count * description.sessions.stride,
		    memory);
	memcpy(left, &description, sizeof(description));
	return left;
}

static void begin_adjusted(struct dialogue *d, enum seqadj_by by)
{
	dialogue_begin(d, MASQUERADE);
	d->by = by;
	dialogue_handshake(d);
	dialogue_says(d, SERVER, "220 x\r\n");
	dialogue_says(d, CLIENT, PORT_IN);
	dialogue_says(d, SERVER, "200 ok\r\n");
}

static void resume_another(struct dialogue *d)
{
	struct table_taken taken;
	size_t bytes;
	uint8_t *left = another_layout(d, &bytes);

	assert_int_equal(resume(d, &d->size, left, bytes, &taken), TABLE_TAKEN_UP);
	assert_int_equal(taken.sessions, 1);
	assert_int_equal(taken.forgotten + taken.crowded, 0);
	assert_false(taken.own);
	free(left);
}

/* Its lines are read again, but it has to show a command and its reply first. */
static void another_layout_goes_on(void **state)
{
	(void)state;
	for (unsigned int self = 0; self < 2; self++) {
		const uint32_t shift = self ? GROWTH : 0; /* else it is the kernel's to add */
		struct dialogue d;

		begin_adjusted(&d, self ? SEQADJ_SELF : SEQADJ_KERNEL);
		resume_another(&d);
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_left(&d, PORT_IN);
		assert_int_equal(dialogue_left_seq(&d), d.seq[CLIENT] - strlen(PORT_IN) + shift);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		assert_int_equal(packet_get32(d.out + d.in.tcp + 8), d.seq[CLIENT] + (self ? 0 : GROWTH));
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_left(&d, PORT_OUT);
		dialogue_close(&d);
	}
}

static void another_layout_opaque(void **state)
{
	struct dialogue d;

	(void)state;
	begin_adjusted(&d, SEQADJ_SELF);
	dialogue_says(&d, CLIENT, "AUTH TLS\r\n");
	dialogue_says(&d, SERVER, "234 go\r\n");
	resume_another(&d);
	dialogue_says(&d, CLIENT, "NOOP\r\n" PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_IN);
	assert_int_equal(dialogue_left_seq(&d), d.seq[CLIENT] - strlen(PORT_IN) + GROWTH);
	dialogue_close(&d);
}

/* The part that was held back is still its sender's to send. */
static void another_layout_held(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	begin_adjusted(&d, SEQADJ_SELF);
	d.silent = true;
	start = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, "PORT 10,0,");
	dialogue_left(&d, "PORT ");
	resume_another(&d);
	dialogue_packet(&d, CLIENT, start + 5, TCP_ACK, "10,0,0,2,11,185\r\n", 17);
	dialogue_left(&d, "10,0,0,2,11,185\r\n");
	assert_int_equal(dialogue_left_seq(&d), start + 5 + GROWTH);
	assert_int_equal(table_works(d.engine.table), 0);
	dialogue_close(&d);
}

/* A packet's change that was not finished is undone in another layout, too. */
static void another_layout_undone(void **state)
{
	struct dialogue d;
	struct session *session = NULL;

	(void)state;
	begin_adjusted(&d, SEQADJ_SELF);
	for (uint32_t i = 1; !session; i++)
		session = table_slot(d.engine.table, i);
	table_begin(d.engine.table, session);
	session->stream[CLIENT].adj.after = 99;
	session->stream[CLIENT].next += 1000;
	resume_another(&d);
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_int_equal(dialogue_left_seq(&d), d.seq[CLIENT] - 6 + GROWTH);
	dialogue_close(&d);
}

/* ---- another size ---- */

static void another_size(void **state)
{
	const struct table_size larger = { .sessions = 64, .works = 16, .budgets = 64 };
	struct table_taken taken;
	struct dialogue d;
	size_t bytes;
	uint8_t *left;

	(void)state;
	begin_adjusted(&d, SEQADJ_SELF);
	left = copy_of(&d, &bytes);
	assert_int_equal(resume(&d, &larger, left, bytes, &taken), TABLE_TAKEN_UP);
	assert_int_equal(taken.sessions, 1);
	assert_true(taken.own);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT); /* the dialogue is known */
	dialogue_says(&d, SERVER, "200 ok\r\n");
	free(left);
	dialogue_close(&d);
}

/* Where there is not room for all, those that would break without us come first. */
static void smaller_size(void **state)
{
	const struct table_size many = { .sessions = 64, .works = 4, .budgets = 4 };
	const struct table_size few = { .sessions = 8, .works = 2, .budgets = 4 };
	void *memory = unit_alloc_lines(table_bytes(&many));
	struct table_taken taken;
	struct dialogue d;
	uint32_t self = 0;

	(void)state;
	d.engine.table = table_new(memory, &many, seed);
	for (uint32_t i = 0; i < 40; i++) {
		struct tuple ends = { .src = { .family = FAMILY_IPV4, .port = (uint16_t)(1 + i) },
				      .dst = { .family = FAMILY_IPV4, .port = 21, .address = { 9 } } };
		struct flow_key key;
		uint32_t hash = table_hash(d.engine.table, &ends.src, &ends.dst, 0, &key);
		struct session *session = table_insert(d.engine.table, &key, hash);

		assert_non_null(session);
		session->state = SESSION_READY;
		if (i % 5 == 4)
			session->self = true;
	}
	dialogue_begin(&d, MASQUERADE);
	assert_int_equal(resume(&d, &few, memory, table_bytes(&many), &taken), TABLE_TAKEN_UP);
	assert_int_equal(taken.sessions, 8);
	assert_int_equal(taken.crowded, 32);
	for (uint32_t i = 1; i <= table_slots(d.engine.table); i++)
		self += table_slot(d.engine.table, i)->self;
	assert_int_equal(self, 8);
	free(memory);
	dialogue_close(&d);
}

/* ---- what is not believed ---- */

/* One a line of table_check.c. The session has an edit in flight and an argument held in the client's direction. */
#define CASES(X)                                                                                                       \
	X(session->state = SESSION_CLOSED + 1)                                                                         \
	X(session->state = SESSION_OPAQUE)                                                                             \
	X(session->unsure = true)                                                                                      \
	X(session->heard = true)                                                                                       \
	X(session->heard_reply = true)                                                                                 \
	X(session->state = SESSION_TLS)                                                                                \
	X(session->tls[1].place = TLS_PLACES)                                                                          \
	X(session->tls[1].place = TLS_BODY)                                                                            \
	X(session->tls[1].place = TLS_WORD)                                                                            \
	X(session->tls[0].place = TLS_HEADER)                                                                          \
	X(session->logged_in = 2)                                                                                      \
	X(session->key.family = 5)                                                                                     \
	X(session->key.family = 0)                                                                                     \
	X(session->key.low_address[4] = 1)                                                                             \
	X(session->key.high_address[15] = 1)                                                                           \
	X(session->key.swapped = 2)                                                                                    \
	X(session->pairing.count = PAIRING_MAX + 1)                                                                    \
	X(session->pairing.count++)                                                                                    \
	X(session->pairing.classes = 0x8)                                                                              \
	X(session->pairing.classes = 1u << 4 * PAIRING_MAX)                                                            \
	X(session->pairing.classes = 0x70)                                                                             \
	X(session->pairing.before[PAIRING_MAX] = 1)                                                                    \
	X(session->pairing.begun = 1)                                                                                  \
	X(session->stream[1].line.separator = FTP_SEPARATORS)                                                          \
	X(session->stream[0].line.web = FTP_WEB_ALL + 1)                                                               \
	X(session->stream[1].line.phase = FTP_PHASE_FIRST)                                                             \
	X(session->stream[1].line.phase = FTP_PHASE_ODD)                                                               \
	X(session->multiline = 1000)                                                                                   \
	X(session->stream[0].adj.after = INT32_MAX)                                                                    \
	X(session->stream[1].adj.before = INT32_MIN)                                                                   \
	X(session->stream[0].acked = session->stream[0].next + 1)                                                      \
	X(session->stream[1].acked = session->stream[1].next + 1)                                                      \
	X(session->stream[0].scale = 15)                                                                               \
	X(session->stream[1].scale = 15)                                                                               \
	X(session->stream[0].replaced = HELD_MAX + 2)                                                                  \
	X(session->stream[1].replaced = 1)                                                                             \
	X(session->stream[0].claim = session->stream[0].next + (1u << 30))                                             \
	X(session->stream[1].unsynced = true)                                                                          \
	X(session->stream[0].line.phase = 15)                                                                          \
	X(session->stream[1].line.telnet = 3)                                                                          \
	X(session->stream[0].line.length = 6)                                                                          \
	X(session->stream[1].line.length = 4)                                                                          \
	X(session->stream[1].line.length = 2)                                                                          \
	X(session->stream[0].line.word[0] = 'X')                                                                       \
	X(session->stream[0].line.phase = FTP_PHASE_SKIP)                                                              \
	X(session->stream[0].unsynced = true)                                                                          \
	X(session->stream[0].edited = false)                                                                           \
	X(session->stream[0].next++)                                                                                   \
	X(session->stream[1].held = true)                                                                              \
	X(session->stream[1].in_flight = session->stream[1].edited = true)                                             \
	X(work->bound = 0)                                                                                             \
	X(work->bound = 2)                                                                                             \
	X(work->announcements = ANNOUNCEMENTS_MAX + 1)                                                                 \
	X(work->announcements = 2)                                                                                     \
	X(work->binding.tuple[1].src.family = FAMILY_IPV6)                                                             \
	X(work->binding.tuple[0].dst.address[7] = 1)                                                                   \
	X(work->binding.seqadj[0].after = INT32_MIN)                                                                   \
	X(work->held[0].length = HELD_MAX)                                                                             \
	X(work->held[0].length = 0)                                                                                    \
	X(work->held[0].start--)                                                                                       \
	X(work->held[0].copied = 2)                                                                                    \
	X(work->edit[0].kind = EDIT_OWED + 1)                                                                          \
	X(work->edit[0].kind = EDIT_SWALLOWED)                                                                         \
	X(work->edit[0].old_length = 0)                                                                                \
	X(work->edit[0].old_length = HELD_MAX + 2)                                                                     \
	X(work->edit[0].new_length = 0)                                                                                \
	X(work->edit[0].new_length = EDIT_TEXT_MAX + 1)                                                                \
	X(work->edit[0].start = session->stream[0].next - work->edit[0].old_length + 1)                                \
	X(work->edit[0].old_length = (uint16_t)(work->held[0].start - work->edit[0].start + 1))                        \
	X(work->announcement[0].kind = FTP_OTHER)                                                                      \
	X(work->announcement[0].kind = FTP_AUTH)                                                                       \
	X(work->announcement[0].kind = FTP_PASV)                                                                       \
	X(work->announcement[0].direction = 1)                                                                         \
	X(work->announcement[0].answered = 3)                                                                          \
	X(work->announcement[0].heard = 2)                                                                             \
	X(work->announcement[0].expectation.tuple.dst.family = 0)                                                      \
	X(work->announcement[0].expectation.tuple.src.family = FAMILY_IPV6)                                            \
	X(work->announcement[0].expectation.tuple.dst.port = 0)                                                        \
	X(work->announcement[0].expectation.tuple.src.port = 1)                                                        \
	X(work->announcement[0].expectation.nat_src.port = 0)                                                          \
	X(work->announcement[0].expectation.nat_src.family = 9)                                                        \
	X(work->announcement[0].expectation.nat_direction = (enum direction)2)                                         \
	X(memset(&work->announcement[0].expectation.translated, 2, 1))

#define X(statement)                                                                                                   \
	if (i++ == number) {                                                                                           \
		(void)(statement);                                                                                     \
		return #statement;                                                                                     \
	}

/* Return: what was done; NULL: there are fewer. */
static const char *damage(unsigned int number, struct session *session, struct work *work)
{
	unsigned int i = 0;

	CASES(X)
	return NULL;
}

static void begin_busy(struct dialogue *d)
{
	dialogue_ready(d, MASQUERADE);
	d->silent = true;
	dialogue_says(d, CLIENT, PORT_IN);
	dialogue_says(d, SERVER, "200 ok\r\n");
	dialogue_says(d, CLIENT, "PORT 10,0");
}

static struct session *only_session(struct table *table)
{
	for (uint32_t i = 1; i <= table_slots(table); i++)
		if (table_slot(table, i))
			return table_slot(table, i);
	fail();
	return NULL;
}

static void damaged_slots_are_forgotten(void **state)
{
	struct table_taken taken;
	struct dialogue d;
	const char *what;
	size_t bytes;
	uint8_t *left;

	(void)state;
	begin_busy(&d);
	left = copy_of(&d, &bytes);
	assert_int_equal(resume(&d, &d.size, left, bytes, &taken), TABLE_TAKEN_UP);
	assert_int_equal(taken.sessions, 1); /* it is a good one */
	for (unsigned int number = 0;; number++) {
		struct table *table;
		struct session *session;
		uint8_t *damaged = unit_alloc_lines(bytes);

		memcpy(damaged, left, bytes);
		table = (struct table *)(void *)damaged;
		session = only_session(table);
		what = damage(number, session, table_work_change(table, session));
		if (what && resume(&d, &d.size, damaged, bytes, &taken) != TABLE_TAKEN_UP)
			fail_msg("%s: it is no table", what);
		free(damaged);
		if (!what)
			break;
		if (taken.sessions != 0 || taken.forgotten != 1)
			fail_msg("%s: believed", what);
		assert_int_equal(table_sessions(d.engine.table), 0);
		assert_int_equal(table_works(d.engine.table), 0);
	}
	free(left);
	dialogue_close(&d);
}

/* The session whose numbers are not known has less to be damaged. */
static void damaged_unsure(void **state)
{
	static const struct {
		bool unsure, heard, heard_reply, unsynced[2], good;
	} rows[] = {
		{ .unsure = true, .unsynced = { true, true }, .good = true },
		{ .unsure = true, .heard = true, .heard_reply = true, .unsynced = { true, true }, .good = true },
		{ .unsure = true, .heard_reply = true, .unsynced = { true, true } },
		{ .unsure = true, .unsynced = { false, true } },
		{ .unsure = true, .unsynced = { true, false } },
		{ .unsure = true },
		{ .unsynced = { true, true } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct table_taken taken;
		struct session *session;
		struct dialogue d;
		size_t bytes;
		uint8_t *left;

		dialogue_open(&d, NO_NAT);
		session = only_session(d.engine.table);
		session->unsure = rows[i].unsure;
		session->heard = rows[i].heard;
		session->heard_reply = rows[i].heard_reply;
		session->first_line = session->resumed = session->self = false;
		session->stream[0].unsynced = rows[i].unsynced[0];
		session->stream[1].unsynced = rows[i].unsynced[1];
		left = copy_of(&d, &bytes);
		assert_int_equal(resume(&d, &d.size, left, bytes, &taken), TABLE_TAKEN_UP);
		assert_int_equal(taken.sessions, rows[i].good);
		assert_int_equal(taken.forgotten, !rows[i].good);
		free(left);
		dialogue_close(&d);
	}
}

/* ---- handshakes under way ---- */

/* The only one there is, in what is left of @d. */
static struct embryo *only_embryo(const struct dialogue *d, uint8_t *left)
{
	const struct table *table = d->memory;
	struct embryo *embryos = (struct embryo *)(void *)(left + table->embryo_offset);

	for (uint32_t i = 0; i < table->embryos; i++)
		if (embryos[i].state != EMBRYO_FREE)
			return &embryos[i];
	fail();
	return NULL;
}

static void damage_embryo(struct embryo *embryo, unsigned int how)
{
	switch (how) {
	case 1:
		embryo->state = EMBRYO_STATES;
		break;
	case 2:
		embryo->line.phase = 15;
		break;
	case 3:
		embryo->line.telnet = 3;
		break;
	case 4:
		embryo->line.length = 6;
		break;
	case 5:
		embryo->scale[0] = 15;
		break;
	case 6:
		embryo->scale[1] = 15;
		break;
	case 7:
		embryo->key.family = 5;
		break;
	case 8:
		embryo->key.swapped = 2;
		break;
	case 9:
		embryo->key.low_address[5] = 1;
		break;
	case 10:
		embryo->strange = 2;
		break;
	default:
		break;
	}
}

/* SYN; the daemon is replaced; SYN/ACK. Only whose SYN is known begins a connection. */
static void handshake_goes_on(void **state)
{
	const struct table_size larger = { .sessions = 256, .works = 16, .budgets = 64 };

	(void)state;
	for (unsigned int how = 0; how <= 13; how++) {
		const bool known = how == 0 || how == 12;
		struct table_taken taken;
		struct dialogue d;
		size_t bytes;
		uint8_t *left;

		dialogue_begin(&d, MASQUERADE);
		d.engine.picks_up_until = 0;
		dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, NULL, 0);
		left = how == 13 ? another_layout(&d, &bytes) : copy_of(&d, &bytes);
		if (how == 11)
			bytes -= 64;
		else if (how < 11)
			damage_embryo(only_embryo(&d, left), how);
		assert_int_equal(resume(&d, how == 12 ? &larger : &d.size, left, bytes, &taken), TABLE_TAKEN_UP);
		d.acked[SERVER] = d.seq[CLIENT];
		dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
		if (table_sessions(d.engine.table) != known)
			fail_msg("way %u: %u sessions", how, table_sessions(d.engine.table));
		free(left);
		dialogue_close(&d);
	}
}

struct snapshot {
	const struct dialogue *d;
	uint8_t *left;
	size_t bytes;
};

static void take_snapshot(void *context, const struct report *report)
{
	struct snapshot *snapshot = context;

	assert_int_equal(report->kind, REPORT_BEGIN);
	snapshot->left = copy_of(snapshot->d, &snapshot->bytes);
}

/* The daemon is killed while it fills in a new session: there is none, and the handshake is known still. */
static void killed_while_beginning(void **state)
{
	struct snapshot snapshot = { 0 };
	struct table_taken taken;
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.engine.picks_up_until = 0;
	snapshot.d = &d;
	start = d.seq[CLIENT];
	dialogue_packet(&d, CLIENT, start, TCP_SYN, "USER x\r\n", 8);
	d.engine.report = take_snapshot;
	d.engine.report_context = &snapshot;
	d.acked[SERVER] = start + 9;
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_SYN | TCP_ACK, NULL, 0);
	assert_int_equal(table_sessions(d.engine.table), 1);
	assert_non_null(snapshot.left);
	d.engine.report = NULL;
	assert_int_equal(resume(&d, &d.size, snapshot.left, snapshot.bytes, &taken), TABLE_TAKEN_UP);
	assert_int_equal(taken.sessions + taken.forgotten, 0);
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_SYN | TCP_ACK, NULL, 0);
	assert_int_equal(table_sessions(d.engine.table), 1);
	assert_int_equal(only_session(d.engine.table)->stream[CLIENT].next, start + 9);
	assert_int_equal(only_session(d.engine.table)->pairing.before[0], 1);
	free(snapshot.left);
	dialogue_close(&d);
}

/* ---- what clients share ---- */

static void shares_are_counted_anew(void **state)
{
	(void)state;
	for (unsigned int another = 0; another < 2; another++) {
		struct table_taken taken;
		struct client_budget *budget;
		struct dialogue d;
		size_t bytes;
		uint8_t *left;

		begin_busy(&d);
		left = another ? another_layout(&d, &bytes) : copy_of(&d, &bytes);
		assert_int_equal(resume(&d, &d.size, left, bytes, &taken), TABLE_TAKEN_UP);
		assert_int_equal(taken.sessions, 1);
		budget = table_budget(d.engine.table, &d.inside[CLIENT]);
		assert_int_equal(budget->taken[SHARE_SESSIONS], 1);
		assert_int_equal(budget->taken[SHARE_WORKS], 1);
		assert_int_equal(budget->taken[SHARE_EXPECTATIONS], !another);
		for (unsigned int what = 0; what < SHARES; what++)
			assert_int_equal(table_taken(d.engine.table, (enum share)what), budget->taken[what]);
		assert_ptr_equal(table_budget_of(d.engine.table, only_session(d.engine.table)), budget);
		free(left);
		dialogue_close(&d);
	}
}

/* What another version does not say of a connection is taken for as little as can be known. */
static void another_layout_belief(void **state)
{
	struct session *session;
	struct dialogue d;

	(void)state;
	begin_adjusted(&d, SEQADJ_KERNEL);
	session = only_session(d.engine.table);
	session->stream[0].scale = 3;
	session->conntrack_id = 77;
	session->logged_in = 1;
	session->stream[1].claim = session->stream[1].next + 9;
	resume_another(&d);
	session = only_session(d.engine.table);
	assert_int_equal(session->stream[0].scale, 3);
	assert_int_equal(session->conntrack_id, 77);
	assert_int_equal(session->logged_in, 1);
	assert_int_equal(session->state, SESSION_MIDDLE);
	assert_true(session->resumed);
	assert_false(session->self || session->first_line || session->unsure || session->heard);
	assert_int_equal(session->met, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(session->stream[i].claim, session->stream[i].next);
		assert_true(session->stream[i].stale);
	}
	dialogue_close(&d);
}

/* A work slot is a session's when both say so. */
static void strangers_work_slot(void **state)
{
	struct table_taken taken;
	struct dialogue d;
	size_t bytes;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct session *session;
		uint8_t *left;

		begin_busy(&d);
		session = only_session(d.engine.table);
		if (i == 0)
			session->work = 77;
		else if (i == 1)
			table_work_change(d.engine.table, session)->owner = 3 - session->home % 2;
		else
			table_work_change(d.engine.table, session)->owner = UINT32_MAX;
		left = copy_of(&d, &bytes);
		assert_int_equal(resume(&d, &d.size, left, bytes, &taken), TABLE_TAKEN_UP);
		assert_int_equal(taken.sessions, 1);
		assert_null(table_work(d.engine.table, only_session(d.engine.table)));
		assert_false(session_in_flight(only_session(d.engine.table)));
		free(left);
		dialogue_close(&d);
	}
}

static void cut_short(void **state)
{
	struct table_taken taken;
	struct dialogue d;
	size_t bytes;
	uint8_t *left;

	(void)state;
	begin_busy(&d);
	left = copy_of(&d, &bytes);
	for (size_t length = 1; length < bytes; length += 1 + length / 50) {
		uint8_t *part = unit_alloc(length); /* so that reading behind it is found out */
		const struct described_slots *works = &((struct table *)(void *)left)->description.works;
		const uint64_t end = works->offset + (uint64_t)works->count * works->stride;
		enum table_left what;

		assert_non_null(part);
		memcpy(part, left, length);
		what = resume(&d, &d.size, part, length, &taken);
		assert_int_equal(what, length < end ? TABLE_CUT_SHORT : TABLE_TAKEN_UP);
		assert_int_equal(table_sessions(d.engine.table), length < end ? 0 : 1);
		free(part);
	}
	free(left);
	dialogue_close(&d);
}

static void no_table(void **state)
{
	struct table_taken taken;
	struct dialogue d;
	uint8_t text[4096];

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	for (unsigned int i = 0; i < 1000; i++) {
		unit_fill(text, sizeof(text));
		if (i & 1) /* ours, as far as that goes */
			memcpy(text, (const uint32_t[]){ TABLE_MAGIC, i & 2 ? 1 : TABLE_LAYOUT }, 8);
		assert_int_not_equal(resume(&d, &d.size, text, sizeof(text), &taken), TABLE_TAKEN_UP);
	}
	memset(text, 0, sizeof(text));
	assert_int_equal(resume(&d, &d.size, text, sizeof(text), &taken), TABLE_STRANGE);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_1_in_flight_goes_on),
		cmocka_unit_test(layout_1_swallowed_is_owed),
		cmocka_unit_test(another_layout_goes_on),
		cmocka_unit_test(another_layout_opaque),
		cmocka_unit_test(another_layout_held),
		cmocka_unit_test(another_layout_undone),
		cmocka_unit_test(another_size),
		cmocka_unit_test(smaller_size),
		cmocka_unit_test(damaged_slots_are_forgotten),
		cmocka_unit_test(damaged_unsure),
		cmocka_unit_test(handshake_goes_on),
		cmocka_unit_test(killed_while_beginning),
		cmocka_unit_test(shares_are_counted_anew),
		cmocka_unit_test(another_layout_belief),
		cmocka_unit_test(strangers_work_slot),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
