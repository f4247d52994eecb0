// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Invariant I6: one client that takes what it can leaves something to the others, whatever it takes; what waits does not wait for
 * ever; and what a client can make conntrack do has a limit a second.
 */
#include "unit.h"

#include "common/crowd.h"

#define SESSIONS 65536
#define WORKS	 8192
#define BUDGETS	 16384

#define PORT_HONEST "PORT 10,0,0,2,11,185\r\n"

/* Another client logs in, announces, and is served. */
static void honest_client_is_served(struct dialogue *d)
{
	const unsigned int expected = d->expect_calls;

	crowd_turn(d, crowd_ipv4(HONEST, 40000));
	crowd_masquerade(d);
	crowd_log_in(d);
	assert_non_null(crowd_session(d));
	dialogue_says(d, CLIENT, PORT_HONEST);
	dialogue_left(d, "PORT 198,51,100,254,11,185\r\n");
	assert_int_equal(d->expect_calls, expected + 1);
}

/* A part of a PORT and no line end: what is held back takes a work slot. */
static void work_slots(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, SESSIONS, WORKS, BUDGETS);
	for (uint32_t i = 0; i < WORKS; i++) {
		crowd_turn(&d, crowd_ipv4(GREEDY, (uint16_t)(1024 + i)));
		crowd_log_in(&d);
		dialogue_says(&d, CLIENT, "PORT 1");
		d.now -= 10;
	}
	assert_true(table_works(d.engine.table) <= WORKS / 2);
	assert_true(table_works(d.engine.table) > WORKS / 4);
	assert_true(d.engine.counters.refusals[REFUSED_SHARE] > 0);
	honest_client_is_served(&d);
	dialogue_close(&d);
}

/*
 * All of them are taken. Each line that would need one has others looked at, whether they can be taken back: that is paid for as announcements are,
 * though none comes of it. A multi-line reply holds any number of such lines.
 */
static void lines_without_a_work_slot(void **state)
{
	const uint64_t limit = 2 * 5000 + 1; /* what two seconds have saved up */
	static const char line[] = "227-(10,0,0,1,11,185)\n";
	char lines[50 * (sizeof(line) - 1) + 1];
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 64, 16, 64);
	for (uint32_t i = 0; table_works(d.engine.table) < 16; i++) {
		crowd_turn(&d, crowd_ipv4(GREEDY + 1 + i, 40000));
		crowd_log_in(&d);
		dialogue_says(&d, CLIENT, "PORT 1");
	}
	crowd_turn(&d, crowd_ipv4(GREEDY, 40000));
	crowd_log_in(&d);
	dialogue_says(&d, CLIENT, "PASV\r\n");
	for (unsigned int i = 0; i < 50; i++)
		memcpy(lines + i * (sizeof(line) - 1), line, sizeof(line));
	for (unsigned int i = 0; i < 2 * limit / 50; i++) {
		d.now = 200000;
		dialogue_says(&d, SERVER, lines);
	}
	assert_true(d.engine.counters.refusals[REFUSED_MEMORY] > 0);
	assert_true(d.engine.counters.refusals[REFUSED_MEMORY] <= limit);
	assert_true(d.engine.counters.refusals[REFUSED_LIMIT] >= limit / 2);
	dialogue_close(&d);
}

static void sessions_of_one_address(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, SESSIONS, WORKS, BUDGETS);
	d.engine.policy.client_sessions = UINT32_MAX;
	for (uint32_t i = 0; i < SESSIONS; i++) {
		crowd_turn(&d, crowd_ipv4(GREEDY, (uint16_t)i));
		dialogue_handshake(&d);
		d.now = 100000;
	}
	assert_true(table_sessions(d.engine.table) <= SESSIONS / 2);
	assert_true(table_sessions(d.engine.table) > SESSIONS / 4);
	assert_true(d.engine.counters.limited > 0);
	assert_int_equal(d.engine.counters.limited, d.engine.counters.full);
	honest_client_is_served(&d);
	dialogue_close(&d);
}

/* Whoever has one address of a /64 has them all. */
static void sessions_of_one_network(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, SESSIONS, WORKS, BUDGETS);
	for (uint32_t i = 0; i < SESSIONS + SESSIONS / 8; i++) {
		crowd_turn(&d, crowd_ipv6(7, i * 2654435761u, 40000));
		dialogue_handshake(&d);
		d.now = 100000;
	}
	assert_true(table_sessions(d.engine.table) <= SESSIONS / 2);
	honest_client_is_served(&d);
	crowd_turn(&d, crowd_ipv6(8, 1, 40000));
	crowd_log_in(&d);
	assert_non_null(crowd_session(&d)); /* the next /64 is another client */
	dialogue_close(&d);
}

/* Many clients, a connection each that says nothing: the newcomer takes the place of one. */
static void sessions_of_many(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, SESSIONS, WORKS, BUDGETS);
	for (uint32_t i = 0; i < SESSIONS + SESSIONS / 8; i++) {
		crowd_turn(&d, crowd_ipv4(0x0b000000u + i, 40000));
		dialogue_handshake(&d);
		d.now = 100000;
	}
	assert_true(d.engine.counters.full > 0);
	d.now += 30000;
	honest_client_is_served(&d);
	assert_int_equal(d.engine.counters.displaced, 1);
	dialogue_close(&d);
}

/* SYN after SYN, answered by nobody, while another client's handshake is under way. */
static void handshakes(void **state)
{
	struct dialogue d;

	(void)state;
	for (unsigned int six = 0; six < 2; six++) {
		const struct endpoint honest = six ? crowd_ipv6(2, 1, 40000) : crowd_ipv4(HONEST, 40000);

		crowd_begin(&d, 1024, 64, 64);
		crowd_turn(&d, honest);
		dialogue_packet(&d, CLIENT, 1000, TCP_SYN, NULL, 0);
		for (uint32_t i = 0; i < 10000; i++) {
			crowd_turn(&d, six ? crowd_ipv6(7, i, 40000) : crowd_ipv4(GREEDY, (uint16_t)i));
			dialogue_packet(&d, CLIENT, i, TCP_SYN, NULL, 0);
			d.now = 100000 + 3 * i;
		}
		crowd_turn(&d, honest);
		d.seq[CLIENT]++;
		d.acked[SERVER] = d.seq[CLIENT];
		d.engine.picks_up_until = 0;
		dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
		d.acked[CLIENT] = d.seq[SERVER];
		dialogue_says(&d, SERVER, "220 ready\r\n");
		assert_non_null(crowd_session(&d));
		assert_int_equal(crowd_session(&d)->state, SESSION_READY);
		dialogue_close(&d);
	}
}

/* Every port is taken. A second of announcements as fast as they come, and what conntrack is asked in it. */
static void taken_ports(void **state)
{
	struct dialogue d;
	const unsigned int announcements = 10000;
	uint64_t limit;

	(void)state;
	crowd_begin(&d, SESSIONS, WORKS, BUDGETS);
	limit = 2 * 5000 + 2 * 1000 + 5000 + 1000; /* what two seconds have saved up, and a second's */
	d.expect_error = -EBUSY;
	for (unsigned int i = 0; i < announcements; i++) {
		if (i % 50 == 0) {
			crowd_turn(&d, crowd_ipv4(GREEDY, (uint16_t)(1024 + i)));
			crowd_log_in(&d);
		}
		dialogue_says(&d, CLIENT, "PORT 10,0,0,9,11,185\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
		d.now = 100000 + i / 10;
	}
	assert_true(d.expect_calls <= limit);
	assert_true(d.find_calls <= limit);
	assert_true(d.engine.counters.refusals[REFUSED_LIMIT] > 0);
	d.expect_error = 0;
	honest_client_is_served(&d);
	dialogue_close(&d);
}

/* ---- time ---- */

static void held_bytes_are_let_go(void **state)
{
	struct dialogue d;
	uint32_t seq;

	(void)state;
	crowd_begin(&d, 16, 4, 8);
	crowd_turn(&d, crowd_ipv4(HONEST, 40000));
	crowd_masquerade(&d);
	crowd_log_in(&d);
	seq = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, "PORT 10,0,0");
	for (unsigned int minute = 0; minute < 6; minute++) {
		assert_int_equal(table_works(d.engine.table), 1);
		crowd_wait(&d, 60);
		dialogue_says(&d, SERVER, "220-still there\r\n"); /* it is not quiet */
	}
	crowd_wait(&d, 60);
	assert_int_equal(d.engine.counters.overdue, 1);
	assert_int_equal(d.refusal, REFUSED_STALLED);
	crowd_wait(&d, 60); /* the work slot goes a while after */
	assert_int_equal(table_works(d.engine.table), 0);
	dialogue_packet(&d, CLIENT, seq, TCP_ACK | TCP_PSH, PORT_HONEST, (uint32_t)strlen(PORT_HONEST));
	dialogue_left(&d, PORT_HONEST);
	assert_int_equal(d.expect_calls, 0);
	/* And the dialogue goes on with the next line. */
	d.seq[CLIENT] = seq + (uint32_t)strlen(PORT_HONEST);
	dialogue_says(&d, CLIENT, PORT_HONEST);
	dialogue_left(&d, "PORT 198,51,100,254,11,185\r\n");
	dialogue_close(&d);
}

static void no_edit_waits_for_ever(enum seqadj_by by)
{
	struct dialogue d;
	uint32_t seq;

	crowd_begin(&d, 16, 4, 8);
	d.by = by;
	crowd_turn(&d, crowd_ipv4(HONEST, 40000));
	crowd_masquerade(&d);
	crowd_log_in(&d);
	seq = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, PORT_HONEST);
	dialogue_left(&d, "PORT 198,51,100,254,11,185\r\n");
	d.silent = true;
	for (unsigned int minute = 0; minute <= 20; minute++) {
		assert_int_equal(table_works(d.engine.table), 1);
		d.acked[SERVER] = seq; /* the server's packets acknowledge nothing of it */
		dialogue_says(&d, SERVER, "220-still there\r\n");
		crowd_wait(&d, 60);
	}
	assert_int_equal(d.engine.counters.overdue, 1);
	crowd_wait(&d, 60);
	assert_int_equal(table_works(d.engine.table), 0);
	assert_int_equal(d.expectations, 0);
	/* Its bytes never pass unedited, whole or in part. */
	dialogue_packet(&d, CLIENT, seq, TCP_ACK | TCP_PSH, PORT_HONEST, (uint32_t)strlen(PORT_HONEST));
	if (d.verdict != VERDICT_DROP)
		assert_null(memmem(d.out + d.in.payload, d.out_length - d.in.payload, "10,0,0,2", 8));
	dialogue_packet(&d, CLIENT, seq + 5, TCP_ACK | TCP_PSH, &(PORT_HONEST)[5], 8);
	if (d.verdict != VERDICT_DROP)
		dialogue_left(&d, "");
	/* The adjustment stays: what comes behind it is renumbered. */
	assert_true(seqadj_active(&crowd_session(&d)->stream[CLIENT].adj));
	dialogue_packet(&d, CLIENT, seq + (uint32_t)strlen(PORT_HONEST), TCP_ACK | TCP_PSH, "NOOP\r\n", 6);
	dialogue_left(&d, "NOOP\r\n");
	if (by == SEQADJ_SELF)
		assert_int_equal(dialogue_left_seq(&d), seq + strlen("PORT 198,51,100,254,11,185\r\n"));
	dialogue_close(&d);
}

static void an_edit_is_given_up(void **state)
{
	(void)state;
	no_edit_waits_for_ever(SEQADJ_KERNEL);
	no_edit_waits_for_ever(SEQADJ_SELF);
}

/* A NOOP a minute keeps the connection, and not what was announced in it. */
static void announcements_end(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 16, 4, 8);
	crowd_turn(&d, crowd_ipv4(HONEST, 40000));
	crowd_log_in(&d);
	dialogue_says(&d, CLIENT, PORT_HONEST);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	for (unsigned int minute = 0; minute < 6; minute++) {
		assert_int_equal(d.expectations, 1);
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
		crowd_wait(&d, 60);
	}
	assert_int_equal(d.expectations, 0);
	crowd_wait(&d, 60);
	assert_int_equal(table_works(d.engine.table), 0);
	assert_non_null(crowd_session(&d));
	dialogue_close(&d);
}

/* How long a silent session is kept depends on how far it has got. */
static void silence(void **state)
{
	static const struct {
		const char *says[2];
		uint32_t kept, gone;
	} ways[] = {
		{ { NULL, NULL }, 240, 360 },			   /* never greeted */
		{ { "220 ready\r\n", NULL }, 840, 960 },	   /* not logged in */
		{ { "220 ready\r\n", "331 who?\r\n" }, 840, 960 }, /* nor here */
		{ { "220 ready\r\n", "230 come in\r\n" }, 86400, 600000 },
	};

	(void)state;
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		struct dialogue d;

		crowd_begin(&d, 16, 4, 8);
		crowd_turn(&d, crowd_ipv4(HONEST, 40000));
		dialogue_handshake(&d);
		if (ways[way].says[0])
			dialogue_says(&d, SERVER, ways[way].says[0]);
		dialogue_says(&d, CLIENT, "USER x\r\n");
		if (ways[way].says[1])
			dialogue_says(&d, SERVER, ways[way].says[1]);
		crowd_wait(&d, ways[way].kept);
		assert_non_null(crowd_session(&d));
		crowd_wait(&d, ways[way].gone - ways[way].kept);
		assert_null(crowd_session(&d));
		dialogue_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_slots),
		cmocka_unit_test(lines_without_a_work_slot),
		cmocka_unit_test(sessions_of_one_address),
		cmocka_unit_test(sessions_of_one_network),
		cmocka_unit_test(sessions_of_many),
		cmocka_unit_test(handshakes),
		cmocka_unit_test(taken_ports),
		cmocka_unit_test(held_bytes_are_let_go),
		cmocka_unit_test(an_edit_is_given_up),
		cmocka_unit_test(announcements_end),
		cmocka_unit_test(silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
