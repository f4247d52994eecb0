// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Invariant I4, second part: no TLS before it; what was opened is taken back; connections picked up in the middle;
 * limits, and a conntrack that says no.
 */
#include "unit.h"

#include "common/dialogue.h"

/* ---- TLS ---- */

static void tls(const char *answer, bool opaque)
{
	struct dialogue d;

	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, "AUTH TLS\r\n");
	dialogue_says(&d, SERVER, answer);
	assert_int_equal(d.reports[REPORT_OPAQUE], opaque);
	dialogue_says(&d, CLIENT, PORT_IN);
	assert_int_equal(d.expectations, !opaque);
	dialogue_left(&d, opaque ? PORT_IN : "PORT 198,51,100,254,11,185\r\n");
	dialogue_close(&d);
}

static void tls_accepted_and_refused(void **state)
{
	(void)state;
	tls("234 go\r\n", true);
	tls("534 no\r\n", false);
	tls("431 later\r\n", false);
}

static void code_234_without_auth(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, SERVER, "234 what\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_ends_open(&d, 3001);
}

/* ---- taken back ---- */

static void refused_by_the_server(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_expects(&d, 3001);
	dialogue_says(&d, SERVER, "500 Illegal PORT command\r\n");
	assert_int_equal(d.expectations, 0);
	assert_int_equal(d.reports[REPORT_UNEXPECT], 1);
	dialogue_close(&d);
}

static void accepted_by_the_server(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_ends_open(&d, 3001);
}

static void replaced(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,186\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_expects(&d, 3002);
	dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, SERVER, PASSIVE);
	dialogue_ends_open(&d, 3001);
}

static void transfer_over(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, "LIST\r\n");
	dialogue_says(&d, SERVER, "150 here\r\n");
	dialogue_expects(&d, 3001);
	dialogue_says(&d, SERVER, "226 done\r\n");
	assert_int_equal(d.expectations, 0);
	dialogue_close(&d);
}

/* The server has left PORT unanswered: the 1xx of the transfer accepts it, and begins that all the same. */
static void transfer_over_unanswered(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, CLIENT, "LIST\r\n");
	dialogue_says(&d, SERVER, "150 here\r\n");
	dialogue_expects(&d, 3001);
	dialogue_says(&d, SERVER, "226 done\r\n");
	assert_int_equal(d.expectations, 0);
	dialogue_close(&d);
}

/* The server answers PORT before it says that the transfer before is over, or never says that; it is the next one's, and ends with it. */
static void accepted_while_another_goes_on(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 3; way++) {
		struct dialogue d;

		dialogue_ready(&d, NO_NAT);
		dialogue_says(&d, CLIENT, "PASV\r\n");
		dialogue_says(&d, SERVER, PASSIVE);
		dialogue_says(&d, CLIENT, "RETR a\r\n");
		dialogue_says(&d, SERVER, "150 here\r\n");
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		if (way == 0)
			dialogue_says(&d, SERVER, "226 the first one\r\n");
		dialogue_expects(&d, 3001);
		dialogue_says(&d, CLIENT, "LIST\r\n");
		if (way == 1)
			dialogue_says(&d, SERVER, "226 the first one\r\n");
		dialogue_expects(&d, 3001);
		dialogue_says(&d, SERVER, "150 here\r\n");
		dialogue_expects(&d, 3001);
		dialogue_says(&d, SERVER, "226 done\r\n");
		assert_int_equal(d.expectations, 0);
		dialogue_close(&d);
	}
}

static void control_connection_ends(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 3; way++) {
		struct dialogue d;

		dialogue_ready(&d, NO_NAT);
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_expects(&d, 3001);
		if (way < 2) {
			dialogue_packet(&d, CLIENT, d.seq[CLIENT], (uint8_t)(way ? TCP_FIN | TCP_ACK : TCP_RST), NULL,
					0);
			if (way)
				dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_FIN | TCP_ACK, NULL, 0);
		} else {
			dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_RST | TCP_ACK, NULL, 0);
		}
		assert_int_equal(d.expectations, 0);
		/* It is said at once, and once: not again when it is forgotten. */
		assert_int_equal(d.reports[REPORT_END], 1);
		session_tick(&d.engine, d.now + 1000ull * (d.engine.policy.idle_timeout + 10), 100);
		assert_int_equal(table_sessions(d.engine.table), 0);
		assert_int_equal(d.reports[REPORT_END], 1);
		dialogue_close(&d);
	}
}

static void forged_reset_does_not(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] + 100000, TCP_RST, NULL, 0);
	dialogue_ends_open(&d, 3001);
}

static void session_forgotten(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	session_tick(&d.engine, d.now + 1000ull * (d.engine.policy.idle_timeout + 10), 100);
	assert_int_equal(d.expectations, 0);
	assert_int_equal(table_sessions(d.engine.table), 0);
	assert_int_equal(table_works(d.engine.table), 0);
	assert_int_equal(d.reports[REPORT_END], 1);
	dialogue_close(&d);
}

/* ---- picked up in the middle ---- */

static void middle_without_exchange(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	for (unsigned int i = 0; i < 3; i++) {
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_left(&d, PORT_IN);
		if (!i)
			dialogue_says(&d, SERVER, "226 done\r\n");
	}
	dialogue_ends_refused(&d, REFUSED_NO_EXCHANGE);
}

static void middle_after_an_exchange(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	for (unsigned int i = 0; i < 3; i++) { /* numbers, a line's beginning, an exchange */
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
	}
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, "PORT 198,51,100,254,11,185\r\n");
	dialogue_ends_open(&d, 3001);
}

static void middle_replies_only(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	dialogue_says(&d, SERVER, "226 done\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, SERVER, PASSIVE);
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

static void middle_of_something_else(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	d.find_error = -ENOENT;
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	assert_int_equal(table_sessions(d.engine.table), 0);
	dialogue_close(&d);
}

/* ---- limits ---- */

static void too_many_a_second(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	d.engine.policy.client_rate = 2;
	for (unsigned int i = 0; i < 12; i++) {
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_says(&d, SERVER, "200 ok\r\n");
	}
	assert_true(d.engine.counters.refusals[REFUSED_LIMIT] > 0);
	assert_true(d.expect_calls < 12);
	dialogue_close(&d);
}

static void conntrack_says_no(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.expect_error = -EOPNOTSUPP;
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_IN);
	assert_int_equal(d.refusal, REFUSED_CONNTRACK);
	d.expect_error = 0;
	d.adjust_error = -EIO;
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_IN);
	assert_int_equal(d.refusal, REFUSED_CONNTRACK);
	assert_int_equal(d.expectations, 0); /* what was expected for it is taken back */
	dialogue_close(&d);
}

static void connection_unknown(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.find_error = -ENOENT;
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_IN);
	dialogue_ends_refused(&d, REFUSED_UNKNOWN);
}

static void no_port_free(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	d.expect_error = -EBUSY;
	dialogue_says(&d, CLIENT, PORT_IN);
	assert_int_equal(d.refusal, REFUSED_NO_PORT);
	assert_true(d.expect_calls <= d.engine.policy.port_tries + 1u);
	dialogue_left(&d, PORT_IN);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_accepted_and_refused),
		cmocka_unit_test(code_234_without_auth),
		cmocka_unit_test(refused_by_the_server),
		cmocka_unit_test(accepted_by_the_server),
		cmocka_unit_test(replaced),
		cmocka_unit_test(transfer_over),
		cmocka_unit_test(transfer_over_unanswered),
		cmocka_unit_test(accepted_while_another_goes_on),
		cmocka_unit_test(control_connection_ends),
		cmocka_unit_test(forged_reset_does_not),
		cmocka_unit_test(session_forgotten),
		cmocka_unit_test(middle_without_exchange),
		cmocka_unit_test(middle_after_an_exchange),
		cmocka_unit_test(middle_replies_only),
		cmocka_unit_test(middle_of_something_else),
		cmocka_unit_test(too_many_a_second),
		cmocka_unit_test(conntrack_says_no),
		cmocka_unit_test(connection_unknown),
		cmocka_unit_test(no_port_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
