// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Invariant I4, clause by clause: for each, a dialogue that opens a port and one that must not.
 */
#include "unit.h"

#include "common/dialogue.h"

/* ---- a server's greeting ---- */

static void greeting_220(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, SERVER, "220 hello\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_ends_open(&d, 3001);
}

static void greeting_missing(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_ends_refused(&d, REFUSED_NO_GREETING);
}

static void greeting_120_then_220(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, SERVER, "120 wait\r\n");
	dialogue_says(&d, SERVER, "220 now\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_ends_open(&d, 3001);
}

static void greeting_120_only(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, SERVER, "120 wait\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_ends_refused(&d, REFUSED_NO_GREETING);
}

static void greeting_multi_line(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, SERVER, "220-hello\r\nanything\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_refused(&d, REFUSED_NO_GREETING);
	dialogue_says(&d, SERVER, "220 ready\r\n");
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,186\r\n");
	dialogue_ends_open(&d, 3002);
}

/* What is no greeting is none, and keeps none from coming. */
static void greeting_other(void **state)
{
	static const char *const greetings[] = { "120 x\r\n",	  "421 busy\r\n", "500 no\r\n", "331 x\r\n",
						 "SSH-2.0-x\r\n", "+OK pop\r\n",  "2200 x\r\n", "220x\r\n" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		struct dialogue d;

		dialogue_open(&d, NO_NAT);
		dialogue_says(&d, SERVER, greetings[i]);
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_refused(&d, REFUSED_NO_GREETING);
		dialogue_says(&d, SERVER, "220 hello\r\n");
		dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,186\r\n");
		dialogue_ends_open(&d, 3002);
	}
}

static void greeting_any_2xx(void **state)
{
	static const char *const greetings[] = { "200 hello\r\n", "230 in\r\n", "250-a\r\n250 b\r\n", "299\r\n" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		struct dialogue d;

		dialogue_open(&d, NO_NAT);
		dialogue_says(&d, SERVER, greetings[i]);
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_ends_open(&d, 3001);
	}
}

/* ---- client lines that are FTP ---- */

static void first_line(const char *line, bool is_ftp)
{
	struct dialogue d;

	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, SERVER, "220 hello\r\n");
	dialogue_says(&d, CLIENT, line);
	dialogue_says(&d, SERVER, "250 ok\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	assert_int_equal(d.expectations, is_ftp);
	dialogue_close(&d);
}

static void first_lines(void **state)
{
	(void)state;
	first_line("USER x\r\n", true);
	first_line("FEAT\r\n", true);
	first_line("user x\r\n", true);
	first_line("\377\361USER x\r\n", true);
	first_line("GET / HTTP/1.1\r\n", false);
	first_line("POST /upload HTTP/1.0\r\n", false);
	first_line("EHLO mail.example\r\n", false);
	first_line("HELO mail.example\r\n", false);
	first_line("\026\003\001 TLS", false);
	first_line("xyzzy\r\n", false);
}

static void http_body(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_open(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, "POST / HTTP/1.1\r\n\r\n" PORT_IN);
	dialogue_says(&d, SERVER, "220 hello\r\n200 ok\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_IN);
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

/* ---- a complete line at a true line start ---- */

static void line_never_completed(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,185");
	assert_int_equal(d.expect_calls, 0);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_FIN | TCP_ACK, NULL, 0);
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

static void line_completed_later(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,185");
	dialogue_says(&d, CLIENT, "\r\n");
	dialogue_ends_open(&d, 3001);
}

static void not_at_line_start(void **state)
{
	static const char *const lines[] = { "SITE " PORT_IN, "X" PORT_IN, " " PORT_IN, "RETR a" PORT_IN };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct dialogue d;

		dialogue_ready(&d, NO_NAT);
		dialogue_says(&d, CLIENT, lines[i]);
		assert_int_equal(d.expect_calls, 0);
		dialogue_close(&d);
	}
}

static void after_another_command(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "TYPE I\r\n" PORT_IN);
	dialogue_ends_open(&d, 3001);
}

static void telnet_before(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "\377\361" PORT_IN);
	dialogue_ends_open(&d, 3001);
}

static void line_too_long(void **state)
{
	char line[400] = "PORT ";
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	memset(line + 5, '1', 300);
	snprintf(line + 305, sizeof(line) - 305, ",0,0,2,11,185\r\n");
	dialogue_says(&d, CLIENT, line);
	dialogue_left(&d, line);
	dialogue_ends_refused(&d, REFUSED_TOO_LONG);
}

/* ---- whose address ---- */

static void address(unsigned int nat, const char *line, const struct policy_loose *loose, uint16_t port)
{
	struct dialogue d;

	dialogue_ready(&d, nat);
	if (loose)
		d.engine.policy.loose = *loose;
	dialogue_says(&d, CLIENT, line);
	if (port) {
		dialogue_ends_open(&d, port);
	} else {
		dialogue_left(&d, line);
		dialogue_ends_refused(&d, REFUSED_ADDRESS);
	}
}

static void addresses(void **state)
{
	(void)state;
	address(NO_NAT, "PORT 10,0,0,2,11,185\r\n", NULL, 3001); /* his own */
	address(MASQUERADE, "PORT 10,0,0,2,11,185\r\n", NULL, 3001);
	address(MASQUERADE, "PORT 198,51,100,254,11,185\r\n", NULL, 3001); /* as NAT shows it */
	address(NO_NAT, "PORT 198,51,100,254,11,185\r\n", NULL, 0);
	address(NO_NAT, "PORT 192,168,7,3,11,185\r\n", NULL, 0); /* the server's */
	address(NO_NAT, "PORT 192,0,2,9,11,185\r\n", NULL, 0);	 /* a third party's */
	address(NO_NAT, "EPRT |1|192.0.2.9|3001|\r\n", NULL, 0);
	address(NO_NAT, "LPRT 4,4,192,0,2,9,2,11,185\r\n", NULL, 0);
}

static void third_party_when_loose(void **state)
{
	const struct policy_loose any = { .any = true };
	const struct policy_loose network = { .count = 1, .network = { { { 192, 0, 2 }, FAMILY_IPV4, 24 } } };

	(void)state;
	address(NO_NAT, "PORT 192,0,2,9,11,185\r\n", &network, 3001);
	address(NO_NAT, "PORT 192,0,3,9,11,185\r\n", &network, 0);
	address(NO_NAT, "PORT 192,0,2,9,11,185\r\n", &any, 0); /* any is of replies */
}

static void wrong_family(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, WITH_IPV6);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_ends_refused(&d, REFUSED_ADDRESS);
}

static void server_address(void **state)
{
	static const struct {
		unsigned int nat;
		const char *line;
		bool opens;
	} rows[] = {
		{ NO_NAT, "227 x (192,168,7,3,11,185)\r\n", true },
		{ DNAT, "227 x (192,168,7,3,11,185)\r\n", true },
		{ DNAT, "227 x (203,0,113,80,11,185)\r\n", true },
		{ NO_NAT, "227 x (203,0,113,80,11,185)\r\n", false },
		{ DNAT, "227 x (10,0,0,2,11,185)\r\n", true }, /* mended */
		{ NO_NAT, "227 x (10,0,0,2,11,185)\r\n", true },
		{ MASQUERADE, "227 x (203,0,113,80,11,185)\r\n", false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dialogue d;

		dialogue_ready(&d, rows[i].nat);
		dialogue_says(&d, CLIENT, "PASV\r\n");
		dialogue_says(&d, SERVER, rows[i].line);
		if (rows[i].opens)
			dialogue_ends_open(&d, 3001);
		else
			dialogue_ends_refused(&d, REFUSED_ADDRESS);
	}
}

/* ---- port and octets ---- */

static void argument(const char *line, enum refusal refusal, uint16_t port)
{
	struct dialogue d;

	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, line);
	if (port) {
		dialogue_ends_open(&d, port);
	} else {
		dialogue_left(&d, line);
		dialogue_ends_refused(&d, refusal);
	}
}

static void ports(void **state)
{
	(void)state;
	argument("PORT 10,0,0,2,3,255\r\n", REFUSED_PORT, 0); /* 1023 */
	argument("PORT 10,0,0,2,4,0\r\n", REFUSED_NOT, 1024);
	argument("PORT 10,0,0,2,0,0\r\n", REFUSED_PORT, 0);
	argument("PORT 10,0,0,2,255,255\r\n", REFUSED_NOT, 65535);
	argument("EPRT |1|10.0.0.2|1023|\r\n", REFUSED_PORT, 0);
	argument("EPRT |1|10.0.0.2|1024|\r\n", REFUSED_NOT, 1024);
	argument("EPRT |1|10.0.0.2|65536|\r\n", REFUSED_MALFORMED, 0);
	argument("LPRT 4,4,10,0,0,2,2,3,255\r\n", REFUSED_PORT, 0);
	argument("LPRT 4,4,10,0,0,2,2,4,0\r\n", REFUSED_NOT, 1024);
}

static void lower_port_when_configured(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	d.engine.policy.min_port = 1;
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,0,20\r\n");
	dialogue_ends_open(&d, 20);
}

static void malformed(void **state)
{
	(void)state;
	argument("PORT 256,0,0,2,11,185\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10,0,0,2,11,256\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10,0,0,2,11\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10,0,0,2,11,185,1\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10,0,0,2,11,185 x\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10.0.0.2,11,185\r\n", REFUSED_MALFORMED, 0);
	argument("EPRT |1|10.0.0.2|\r\n", REFUSED_MALFORMED, 0);
	argument("EPRT |1|10.0.0.2|3001!\r\n", REFUSED_MALFORMED, 0);
	argument("EPRT |1|10.0.0.2|3001||\r\n", REFUSED_MALFORMED, 0);
	argument("EPRT |1|10.0.0.2|3001 1\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10, 0, 0, 2, 11, 256\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10, 0, 0, 2, 11, 185, 1\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10 0 0 2 11 185\r\n", REFUSED_MALFORMED, 0);
	argument("EPRT |3|10.0.0.2|3001|\r\n", REFUSED_MALFORMED, 0);
	argument("LPRT 4,4,10,0,0,2,1,11\r\n", REFUSED_MALFORMED, 0);
	argument("PORT 10,0,0,2,11,185 \r\n", REFUSED_NOT, 3001);
	argument("PORT 10,0,0,2,11,185\n", REFUSED_NOT, 3001);
}

/* ---- asked for ---- */

static void reply(const char *command, const char *text, bool must_open)
{
	struct dialogue d;

	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, command);
	dialogue_says(&d, SERVER, text);
	assert_int_equal(d.expectations, must_open);
	if (!must_open)
		assert_int_equal(d.expect_calls, 0);
	dialogue_left(&d, text);
	dialogue_close(&d);
}

static void asked_and_unasked(void **state)
{
	(void)state;
	reply("PASV\r\n", PASSIVE, true);
	reply("EPSV\r\n", "229 Entering Extended Passive Mode (|||3001|)\r\n", true);
	reply("EPSV 1\r\n", "229 Entering Extended Passive Mode (|||3001|)\r\n", true);
	reply("LPSV\r\n", "228 Mode (4,4,192,168,7,3,2,11,185)\r\n", true);
	reply("NOOP\r\n", PASSIVE, false);
	reply("EPSV\r\n", PASSIVE, true);
	reply("PASV\r\n", "229 Mode (|||3001|)\r\n", true);
	reply("LPSV\r\n", PASSIVE, true);
	reply("PASV\r\n", "200 x\r\n" PASSIVE, true); /* one too many, to something else */
	reply("PASV\r\n", "425 no\r\n" PASSIVE, false);
	reply("PASV\r\n", "226 x (192,168,7,3,11,185)\r\n", false);
	reply("NOOP\r\nPASV\r\n", "200 ok\r\n" PASSIVE, true);
	reply("NOOP\r\nPASV\r\n", PASSIVE "200 ok\r\n", true);
	reply("PASV\r\nNOOP\r\n", PASSIVE "200 ok\r\n", true);
}

static void nothing_outstanding(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, SERVER, PASSIVE);
	dialogue_ends_refused(&d, REFUSED_UNASKED);
}

static void twice_for_one(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, SERVER, PASSIVE);
	dialogue_says(&d, SERVER, "227 Entering Passive Mode (192,168,7,3,11,186).\r\n");
	assert_int_equal(d.refusal, REFUSED_UNASKED);
	dialogue_ends_open(&d, 3001);
}

static void text_inside_a_reply(void **state)
{
	(void)state;
	reply("PASV\r\n", "211-Features\r\n" PASSIVE "211 End\r\n", false);
	reply("PASV\r\n", "230-\r\n " PASSIVE "230 x\r\n", false);
	reply("PASV\r\nNOOP\r\n", "211-x\r\n227 no\r\n211 End\r\n" PASSIVE, true);
	reply("FEAT\r\nPASV\r\n", "211-x\r\n227 no\r\n211 End\r\n" PASSIVE, true);
	reply("RETR x\r\nPASV\r\n", "150 x\r\n226 done\r\n" PASSIVE, true);
}

static void too_many_outstanding(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	for (unsigned int i = 0; i < 100; i++)
		dialogue_says(&d, CLIENT, "NOOP\r\n");
	for (unsigned int i = 0; i < PAIRING_MAX; i++)
		dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_ends_refused(&d, REFUSED_PIPELINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greeting_220),
		cmocka_unit_test(greeting_missing),
		cmocka_unit_test(greeting_120_then_220),
		cmocka_unit_test(greeting_120_only),
		cmocka_unit_test(greeting_multi_line),
		cmocka_unit_test(greeting_other),
		cmocka_unit_test(greeting_any_2xx),
		cmocka_unit_test(first_lines),
		cmocka_unit_test(http_body),
		cmocka_unit_test(line_never_completed),
		cmocka_unit_test(line_completed_later),
		cmocka_unit_test(not_at_line_start),
		cmocka_unit_test(after_another_command),
		cmocka_unit_test(telnet_before),
		cmocka_unit_test(line_too_long),
		cmocka_unit_test(addresses),
		cmocka_unit_test(third_party_when_loose),
		cmocka_unit_test(wrong_family),
		cmocka_unit_test(server_address),
		cmocka_unit_test(ports),
		cmocka_unit_test(lower_port_when_configured),
		cmocka_unit_test(malformed),
		cmocka_unit_test(asked_and_unasked),
		cmocka_unit_test(nothing_outstanding),
		cmocka_unit_test(twice_for_one),
		cmocka_unit_test(text_inside_a_reply),
		cmocka_unit_test(too_many_outstanding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
