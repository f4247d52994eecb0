// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections of which the packets of one direction only come this way, the other's over another router: from their beginning, from some
 * packet on, and over a restart of the daemon with and without its state. Nothing of such a one is edited, and nothing opened; and it is
 * said, once per host, where nothing else looks the same.
 */
#include "unit.h"

#include "common/dialogue.h"
#include "daemon/reporter.h"

#include <errno.h>
#include <unistd.h>

#define SECOND 1000u

/* What both ends say, all of it, with an announcement of every kind; ">": the client. */
static const char *const script[] = {
	"<220 ready\r\n",
	">USER x\r\n",
	"<331 password\r\n",
	">PASS y\r\n",
	"<230 in\r\n",
	">TYPE I\r\n",
	"<200 I\r\n",
	(">" PORT_IN),
	"<200 ok\r\n",
	">RETR a\r\n",
	"<150 go\r\n",
	"<226 done\r\n",
	">PASV\r\n",
	("<" PASSIVE),
	">LIST\r\n",
	"<150 go\r\n",
	"<226 done\r\n",
	">EPSV\r\n",
	"<229 Entering Extended Passive Mode (|||3001|)\r\n",
	">EPRT |1|10.0.0.2|3001|\r\n",
	"<200 ok\r\n",
	">NOOP\r\n",
	"<200 ok\r\n",
	(">" PORT_IN),
	"<200 ok\r\n",
};

#define LINES (sizeof(script) / sizeof(script[0]))

static struct dialogue d;

/* How packets of the one direction acknowledge what the other has sent. */
enum acks {
	WITH_PAYLOAD, /* with their own payload only */
	AT_ONCE,      /* also in packets of their own, before */
	TWICE,	      /* and each packet with payload comes twice */
};

static int side_of(const char *line)
{
	return line[0] == '>' ? CLIENT : SERVER;
}

/* The end that is seen hears of it, whatever way it took. */
static void passes_unseen(int side, const char *text)
{
	d.seq[side] += (uint32_t)strlen(text);
	d.acked[!side] = d.seq[side];
}

static void is_seen(int side, const char *text, enum acks acks)
{
	const uint32_t length = (uint32_t)strlen(text);
	const unsigned int copies = acks == TWICE ? 3 : 1;

	if (acks != WITH_PAYLOAD)
		dialogue_packet(&d, side, d.seq[side], TCP_ACK, NULL, 0);
	for (unsigned int i = 0; i < copies; i++) {
		d.now += i * 400;
		dialogue_packet(&d, side, d.seq[side], TCP_ACK | TCP_PSH, text, length);
		if (d.verdict != VERDICT_DROP)
			dialogue_left(&d, text);
	}
	d.seq[side] += length;
	d.acked[!side] = d.seq[side];
}

/* From line @from on, only @seen's packets come here. */
static void goes_on_one_way(unsigned int from, int seen, enum acks acks)
{
	for (unsigned int i = from; i < LINES; i++) {
		const int side = side_of(script[i]);

		d.now += SECOND;
		if (side == seen)
			is_seen(side, script[i] + 1, acks);
		else
			passes_unseen(side, script[i] + 1);
	}
}

static void both_ways(unsigned int until)
{
	for (unsigned int i = 0; i < until; i++)
		dialogue_says(&d, side_of(script[i]), script[i] + 1);
}

static void nothing_came_of_it(void)
{
	assert_int_equal(d.expect_calls, 0);
	assert_int_equal(d.expectations, 0);
	assert_int_equal(d.adjust_calls, 0);
	assert_int_equal(d.engine.counters.edits, 0);
	assert_int_equal(d.engine.counters.rewritten, 0);
	assert_int_equal(d.engine.counters.held, 0);
}

static void is_said(bool said)
{
	assert_int_equal(d.reports[REPORT_ONE_WAY], said); /* once */
	assert_int_equal(d.engine.counters.one_way, d.reports[REPORT_ONE_WAY]);
}

/* ---- from the beginning ---- */

/* What conntrack on this machine makes of the connection: its rules may leave it out. The kernel's calls all behind the SYN invalid. */
enum known {
	UNKNOWN,
	INVALID,
	KNOWN,
	KNOWNS,
};

static void begin_one_way(int seen, unsigned int nat, enum known known)
{
	dialogue_begin(&d, nat);
	d.engine.picks_up_until = 0; /* the daemon has been there for long */
	d.find_error = known == KNOWN ? 0 : -ENOENT;
	if (seen == CLIENT)
		dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_SYN, NULL, 0);
	d.acked[SERVER] = ++d.seq[CLIENT];
	d.invalid = known == INVALID;
	if (seen == SERVER)
		dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_SYN | TCP_ACK, NULL, 0);
	d.acked[CLIENT] = ++d.seq[SERVER];
}

static void from_the_beginning(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 2 * 2 * 3 * KNOWNS; way++) {
		const enum known known = (enum known)(way / 12);
		const int seen = (int)(way & 1);

		begin_one_way(seen, way & 2 ? MASQUERADE | DNAT : NO_NAT, known);
		goes_on_one_way(0, seen, (enum acks)(way / 4 % 3));
		nothing_came_of_it();
		is_said(seen == CLIENT || known == KNOWN); /* of a server's alone that nobody knows, nothing is kept */
		dialogue_close(&d);
	}
}

/* ---- from some packet on ---- */

static void from_some_packet_on(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 2 * 3; way++)
		for (unsigned int from = 0; from <= 6; from++) {
			const int seen = (int)(way & 1);

			dialogue_open(&d, MASQUERADE | DNAT);
			both_ways(from);
			goes_on_one_way(from, seen, (enum acks)(way / 2));
			nothing_came_of_it();
			is_said(true);
			dialogue_close(&d);
		}
}

/* ---- over a restart ---- */

/* With its state or without; packets may have passed while it was away, or not. */
static void over_a_restart(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 2 * 3 * 2; way++)
		for (unsigned int from = 1; from <= 6; from++) {
			const int seen = (int)(way & 1);
			const bool kept = way / 6;

			dialogue_open(&d, MASQUERADE | DNAT);
			both_ways(from);
			if (!kept)
				memset(d.memory, 0, table_bytes(&d.size));
			dialogue_restart(&d);
			goes_on_one_way(from, seen, (enum acks)(way / 2 % 3));
			nothing_came_of_it();
			if (!kept && way / 2 % 3 == WITH_PAYLOAD)
				is_said(true);
			dialogue_close(&d);
		}
}

/* ---- what is not one ---- */

static void said_of_no_other(void **state)
{
	(void)state;
	for (unsigned int pause = 0; pause < 30; pause += 10) { /* long silences, lost lines, a late daemon */
		dialogue_open(&d, NO_NAT);
		for (unsigned int i = 0; i < LINES; i++) {
			d.now += pause * SECOND;
			if (pause && i % 5 == 3)
				passes_unseen(side_of(script[i]), script[i] + 1);
			else
				is_seen(side_of(script[i]), script[i] + 1, (enum acks)(i % 3));
		}
		is_said(false);
		dialogue_close(&d);
	}
}

/* The server's part of the handshake has passed while nobody was there. */
static void an_answer_while_away(void **state)
{
	(void)state;
	dialogue_begin(&d, NO_NAT);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_SYN, NULL, 0);
	d.acked[SERVER] = ++d.seq[CLIENT];
	d.acked[CLIENT] = ++d.seq[SERVER];
	d.now += 2 * SECOND;
	dialogue_restart(&d);
	passes_unseen(SERVER, "220 ready\r\n");
	passes_unseen(CLIENT, "USER x\r\n");
	passes_unseen(SERVER, "331 password\r\n");
	d.now += 10 * SECOND;
	d.invalid = true;
	is_seen(CLIENT, "PASS y\r\n", WITH_PAYLOAD);
	is_said(false);
	dialogue_close(&d);
}

/* One who types slowly, and one line of the server's that passed unseen. */
static void a_slow_client(void **state)
{
	(void)state;
	dialogue_ready(&d, NO_NAT);
	passes_unseen(CLIENT, "NOOP\r\n");
	passes_unseen(SERVER, "200 ok\r\n");
	for (unsigned int i = 0; i < 6; i++) {
		d.now += 20 * SECOND;
		is_seen(CLIENT, "NOOP\r\n", AT_ONCE);
		dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK | TCP_PSH, "200 ok\r\n", 8);
		d.seq[SERVER] += 8;
		d.acked[CLIENT] = d.seq[SERVER];
	}
	is_said(false);
	dialogue_close(&d);
}

/* Two lines that come before what they answer, which then comes: of several queues one may be slow. */
static void out_of_order(void **state)
{
	(void)state;
	dialogue_ready(&d, NO_NAT);
	for (unsigned int i = 0; i < 3; i++) {
		passes_unseen(SERVER, "200 ok\r\n");
		is_seen(CLIENT, "NOOP\r\n", WITH_PAYLOAD);
	}
	is_said(false);
	dialogue_close(&d);
}

/* One reply passed unseen, and the next line, which is lost behind us, is sent again and again. */
static void one_line_again(void **state)
{
	(void)state;
	dialogue_ready(&d, NO_NAT);
	passes_unseen(SERVER, "200 ok\r\n");
	for (unsigned int i = 0; i < 6; i++) {
		d.now += 3 * SECOND;
		dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK | TCP_PSH, "NOOP\r\n", 6);
	}
	is_said(false);
	dialogue_close(&d);
}

/* ---- the log ---- */

static char logged[1u << 16];

static unsigned int lines_with(const char *text)
{
	unsigned int count = 0;

	for (const char *at = logged; (at = strstr(at, text)); at++)
		count++;
	return count;
}

/* What the reporter says of connections of so many servers, of each twice, when it hears of them in this direction. */
static void log_of(unsigned int servers, enum direction direction, unsigned int pause)
{
	struct report report = { .kind = REPORT_ONE_WAY, .direction = direction, .command = "" };
	static struct reporter reporter;
	FILE *file = unit_stream(tmpfile());
	const int real = dup(STDERR_FILENO);

	memset(&reporter, 0, sizeof(reporter));
	report.client = (struct endpoint){ .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 };
	report.server = (struct endpoint){ .family = FAMILY_IPV4, .address = { 192, 0, 2, 0 }, .port = 21 };
	dup2(fileno(file), STDERR_FILENO);
	for (unsigned int i = 0; i < 2 * servers; i++) {
		report.server.address[3] = (uint8_t)(i % servers);
		report.server.port = (uint16_t)(21 + i);
		reporter.now += pause;
		reporter_report(&reporter, &report);
	}
	dup2(real, STDERR_FILENO);
	close(real);
	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	memset(logged, 0, sizeof(logged));
	assert_true(fread(logged, 1, sizeof(logged) - 1, file) > 0);
	fclose(file);
}

static void said_once_per_host(void **state)
{
	(void)state;
	log_of(5, DIRECTION_ORIGINAL, SECOND);
	assert_int_equal(lines_with("said=once"), 5);
	assert_int_equal(lines_with("missing-from=192.0.2.3 "), 1);
	log_of(5, DIRECTION_REPLY, SECOND);
	assert_int_equal(lines_with("said=once"), 1);
	assert_int_equal(lines_with("come-from=192.0.2.0 missing-from=10.0.0.2 "), 1);
	log_of(200, DIRECTION_ORIGINAL, SECOND);
	assert_int_equal(lines_with("said=once"), REPORTER_HOSTS);
	log_of(200, DIRECTION_ORIGINAL,
	       1); /* of whom a line was one too many of its second, it is said the next time */
	assert_int_equal(lines_with("said=once"), 10);
	assert_int_equal(lines_with("missing-from=192.0.2.9 "), 1);
	log_of(15, DIRECTION_ORIGINAL, 70); /* a line that was one too many of its second is written the next time */
	assert_int_equal(lines_with("said=once"), 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_beginning),	cmocka_unit_test(from_some_packet_on),
		cmocka_unit_test(over_a_restart),	cmocka_unit_test(said_of_no_other),
		cmocka_unit_test(an_answer_while_away), cmocka_unit_test(a_slow_client),
		cmocka_unit_test(out_of_order),		cmocka_unit_test(one_line_again),
		cmocka_unit_test(said_once_per_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
