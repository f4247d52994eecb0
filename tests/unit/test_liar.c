// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client that never announces a port, behind us, and a server that lies in its packets as well as in its lines: any acknowledgements, any
 * order, segments with other content the second time, refusals to acknowledge so that the client cuts its lines anew, while the daemon dies
 * and bytes pass unseen. No port of the client's may open, and no more of the server's than the client has asked for; where the
 * client is a browser, none at all.
 */
#include "unit.h"

#include "common/dialogue.h"

#define TEXT_MAX 4096
#define RUNS	 20000

static struct {
	struct dialogue d;
	char said[TEXT_MAX];		 /* by the client */
	uint32_t length, base, una, nxt; /* of that: in numbers */
	uint32_t server;		 /* the server's next byte that the client takes */
	unsigned int passives;
	bool over; /* the client's TCP has taken an RST */
	bool away; /* nobody is there: packets pass unseen */
} s;

static const char *const commands[] = {
	"USER u\r\n",
	"PASS PORT 10,0,0,2,195,81\r\n",
	"NOOP\r\n",
	"PASV\r\n",
	"EPSV\r\n",
	"LPSV\r\n",
	"TYPE I\r\n",
	"STOR PORT 10,0,0,2,195,81\r\n",
	"MKD EPRT |1|10.0.0.2|50001|\r\n",
	"SIZE x\rPORT 10,0,0,2,195,81\r\n",
	"RNTO LPRT 4,4,10,0,0,2,2,195,81\r\n",
	"AUTH TLS\r\n",
	"RETR f\r\n",
	"ABOR\r\n",
	"SITE \r\rPORT 10,0,0,2,195,81\r\n",
	"xyz PORT 10,0,0,2,195,81\r\n",
	("\xff\xf4\xff\xf2"
	 "ABOR\r\n"),
	"QUIT\r\n",
	"STOR aPORT 198,51,100,254,195,81\r\n",
};
static const char *const replies[] = {
	"220 x\r\n",
	"230 x\r\n",
	"331 x\r\n",
	"200 x\r\n",
	"150 x\r\n",
	"226 x\r\n",
	"500 x\r\n",
	"550-x\r\n",
	"550 x\r\n",
	"234 x\r\n",
	"213-x\r\n",
	"213 x\r\n",
	"\r\n",
	"text\r\n",
	"227 x (192,168,7,3,11,185)\r\n",
	"229 x (|||3001|)\r\n",
	"227 x (10,0,0,2,195,81)\r\n",
	"228 (4,4,10,0,0,2,2,195,81)\r\n",
	"229 (|1|10.0.0.2|50001|)\r\n",
	"PORT 10,0,0,2,195,81\r\n",
	"227 x (198,51,100,254,195,81)\r\n",
	"\x17\x03\x03\x00\x05hello",
	"\x17\x03\x03\x40\x00",
	"227 x (10,0,0,",
	"2,195,81)\r\n",
	"22",
	"7 x",
	"\n",
	"425 x\r\n",
	"421 x\r\n",
	"2",
	"227-\r\n",
};

static void check(bool browser)
{
	for (unsigned int i = 0; i < s.d.expectations; i++) {
		const struct endpoint *opened = &s.d.expectation[i].tuple.dst;

		assert_true(endpoint_address_equal(opened, &s.d.inside[SERVER]));
		assert_true(opened->port >= 1024);
	}
	assert_true(s.d.expect_calls <= (browser ? 0 : s.passives));
}

/* A packet arrives where we are, and leaves again, or passes unseen. Return false where it is lost. */
static bool send_packet(int side, uint32_t seq, uint32_t ack, uint8_t flags, const void *bytes, uint32_t length)
{
	const uint32_t acked = s.d.acked[side];
	bool arrives = true;

	s.d.now += unit_pick(40) ? unit_pick(50) : unit_pick(5000);
	if (!s.away) {
		s.d.acked[side] = ack;
		dialogue_packet(&s.d, side, seq, flags, bytes, length);
		s.d.acked[side] = acked;
		arrives = s.d.verdict != VERDICT_DROP;
		if (s.d.verdict == VERDICT_REPLACE) /* nothing is edited here; but it may be cut or be a probe */
			arrives = false;
	}
	return arrives;
}

static void say(const char *line)
{
	const uint32_t length = (uint32_t)strlen(line);

	if (s.length + length > TEXT_MAX)
		return;
	s.passives += memcmp(line + 1, "ASV", 3) == 0 || memcmp(line + 1, "PSV", 3) == 0;
	memcpy(s.said + s.length, line, length);
	s.length += length;
}

static void say_something(bool browser)
{
	if (!browser)
		say(commands[unit_pick(sizeof(commands) / sizeof(commands[0]))]);
	else
		say(unit_pick(3) ? "NOOP\r\n" : "PORT 10,0,0,2,31,144\r\n");
}

/* The client says another line, or says again what was not acknowledged, cut as it likes. */
static void client(bool browser)
{
	uint32_t from = unit_pick(3) ? s.nxt : s.una, most, length;

	if (s.nxt == s.base + s.length && unit_pick(2))
		say_something(browser);
	most = s.base + s.length;
	length = most - from;
	if (length && unit_pick(2))
		length = 1 + unit_pick(length);
	if (length > 1400)
		length = 1400;
	send_packet(CLIENT, from, s.server, TCP_ACK, s.said + (from - s.base), length);
	if (seq_after(from + length, s.nxt))
		s.nxt = from + length;
}

/* Where the client's text could be taken for an announcement, if one began to read there. */
static uint32_t worth_beginning_at(void)
{
	const uint32_t sent = s.nxt - s.base;
	uint32_t at = s.una - s.base + unit_pick(s.nxt - s.una + 1);

	for (uint32_t i = at; i + 4 < sent; i++)
		if (!memcmp(s.said + i, "PORT", 4) || !memcmp(s.said + i, "EPRT", 4) || !memcmp(s.said + i, "LPRT", 4))
			return s.base + i;
	return s.base + at;
}

/* For once as it should be. */
static void exchange(bool browser)
{
	static const char *const good[][2] = { { "USER u\r\n", "230 in\r\n" },
					       { "NOOP\r\n", "200 ok\r\n" },
					       { "PASV\r\n", "227 x (192,168,7,3,11,185)\r\n" },
					       { "CCC\r\n", "200 ok\r\n" },
					       { "RETR f\r\n", "550 no\r\n" } };
	const unsigned int which = browser ? 1 : unit_pick(5);
	const uint32_t length = (uint32_t)strlen(good[which][1]);

	say(good[which][0]);
	s.nxt = s.base + s.length;
	if (!send_packet(CLIENT, s.una, s.server, TCP_ACK, s.said + (s.una - s.base), s.nxt - s.una))
		return;
	s.una = s.nxt;
	if (send_packet(SERVER, s.server, s.una, TCP_ACK, good[which][1], length))
		s.server += length;
}

static void server(void)
{
	char text[512];
	uint32_t length = 0, seq = s.server, ack = unit_pick(2) ? s.una : worth_beginning_at();
	uint8_t flags = TCP_ACK;

	for (unsigned int lines = unit_pick(4); lines; lines--) {
		const char *line = replies[unit_pick(sizeof(replies) / sizeof(replies[0]))];
		const uint32_t size = line[0] == 0x17 ? (line[3] ? 5 : 10) : (uint32_t)strlen(line);

		memcpy(text + length, line, size); /* NOLINT(bugprone-not-null-terminated-result): bytes */
		length += size;
	}
	if (!unit_pick(6))
		seq += unit_pick(40);
	if (!unit_pick(6))
		seq -= unit_pick(40);
	if (!unit_pick(5))
		ack = s.nxt + unit_pick(60);
	if (!unit_pick(40))
		flags |= TCP_FIN;
	if (!unit_pick(60))
		flags |= TCP_RST;
	if (!unit_pick(60))
		flags |= TCP_SYN;
	if (!send_packet(SERVER, seq, ack, flags, text, length))
		return;
	s.over |= (flags & (TCP_RST | TCP_SYN)) == TCP_RST && seq == s.server;
	if (flags & (TCP_SYN | TCP_RST) || seq_after(ack, s.nxt))
		return; /* no client takes it */
	if (seq_after(ack, s.una))
		s.una = ack;
	if (!seq_after(seq, s.server) && seq_after(seq + length, s.server))
		s.server = seq + length;
}

/* Nobody is there for a while: whoever is there then has the table. */
static void go_away(bool browser)
{
	if (!s.away && browser && s.d.reports[REPORT_REFUSE] == 0)
		return; /* what has never been read proves nothing */
	s.away = !s.away;
	if (!s.away)
		dialogue_restart(&s.d);
}

static void run(bool browser)
{
	static const char post[] = "POST / HTTP/1.1\r\nHost: x\r\n\r\n";

	memset(&s, 0, sizeof(s));
	dialogue_begin(&s.d, unit_pick(2) ? MASQUERADE : NO_NAT);
	dialogue_handshake(&s.d);
	s.d.binding.progress = PROGRESS_BEYOND;
	s.base = s.una = s.nxt = s.d.seq[CLIENT];
	s.server = s.d.seq[SERVER];
	if (browser) {
		memcpy(s.said, post, sizeof(post) - 1);
		s.length = sizeof(post) - 1;
	}
	if (!browser && unit_pick(4))
		send_packet(SERVER, s.server, s.una, TCP_ACK, "220 x\r\n", 7), s.server += 7;
	for (unsigned int steps = 20 + unit_pick(120); steps && !s.over; steps--) {
		const unsigned int what = unit_pick(40);

		if (what < 4)
			exchange(browser);
		else if (what < 18)
			client(browser);
		else if (what < 38)
			server();
		else if (what == 38)
			go_away(browser);
		else
			session_tick(&s.d.engine, s.d.now += unit_pick(200000), table_slots(s.d.engine.table));
		check(browser);
	}
	dialogue_close(&s.d);
}

static void client_announces_nothing(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < RUNS; i++)
		run(false);
}

static void browser_opens_nothing(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < RUNS; i++)
		run(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_announces_nothing),
		cmocka_unit_test(browser_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
