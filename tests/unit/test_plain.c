// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel module may deal with by itself, rule by rule: one case in which it acts, and its nearest neighbours, in which it does not.
 * It is common/module.h, which performs what scan and core/plain decide. What it is worth to the engine is test_shadow.c's.
 */
#include "unit.h"

#include "common/module.h"
#include "core/plain/lease.h"
#include "core/plain/pace.h"
#include "core/plain/part.h"
#include "core/plain/place.h"
#include "core/wire/segment.h"

enum { CLIENT, SERVER };

#define START_CLIENT 1000u
#define START_SERVER 5000u

struct talk {
	struct module module;
	struct seqadj adj[2];
	struct endpoint at[2];
	uint32_t seq[2];   /* what is next, sender space */
	uint32_t acked[2]; /* what its receiver has acknowledged of it, sender space */
	uint16_t mss;
	bool marked;
	uint16_t taken; /* port that somebody else expects */
	struct packet packet;
};

static uint16_t taken_port;

static bool is_taken(const struct tuple *expected)
{
	return expected->dst.port == taken_port;
}

static struct endpoint ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct endpoint){ .family = FAMILY_IPV4, .address = { a, b, c, d }, .port = port };
}

static struct endpoint ipv6(uint8_t last, uint16_t port)
{
	return (struct endpoint){ .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8, [15] = last }, .port = port };
}

/* A segment as its sender has written it; he acknowledges what he has been told to. */
static enum module_way sends(struct talk *t, int who, uint32_t seq, const char *text, uint32_t length, uint8_t flags)
{
	const uint8_t mss[4] = { 2, 4, (uint8_t)(t->mss >> 8), (uint8_t)t->mss };
	const struct packet_options options = { .tcp = mss, .tcp_length = flags & TCP_SYN && t->mss ? 4 : 0 };
	const uint32_t ack = seqadj_forward(&t->adj[!who], t->acked[!who]);

	packet_make(&t->packet, &t->at[who], &t->at[!who], seq, flags & TCP_ACK ? ack : 0, flags, &options, text,
		    length);
	return module_input(&t->module, who == CLIENT ? DIRECTION_ORIGINAL : DIRECTION_REPLY, &t->packet, t->marked,
			    UINT32_MAX);
}

/* The next bytes of a stream; their sender has got all that was written to him. */
static enum module_way says_bytes(struct talk *t, int who, const char *text, uint32_t length)
{
	const uint32_t seq = t->seq[who];

	t->acked[!who] = t->seq[!who];
	t->seq[who] += length;
	return sends(t, who, seq, text, length, TCP_ACK | TCP_PSH);
}

static enum module_way says(struct talk *t, int who, const char *text)
{
	return says_bytes(t, who, text, (uint32_t)strlen(text));
}

/* The same; but he has got nothing since. */
static enum module_way says_deaf(struct talk *t, int who, const char *text)
{
	const uint32_t seq = t->seq[who];

	t->seq[who] += (uint32_t)strlen(text);
	return sends(t, who, seq, text, (uint32_t)strlen(text), TCP_ACK | TCP_PSH);
}

static void has_all(struct talk *t, int who)
{
	assert_int_equal(says(t, who, ""), MODULE_PASSES);
}

/* Client and server with addresses of this family; @nat: the client's (1) or the server's (2) is translated. */
static void place(struct talk *t, uint8_t family, unsigned int nat)
{
	const bool v4 = family == FAMILY_IPV4;
	const struct endpoint client = v4 ? ipv4(10, 0, 0, 2, 40000) : ipv6(2, 40000);
	const struct endpoint server = v4 ? ipv4(192, 168, 7, 3, 21) : ipv6(3, 21);
	const struct endpoint public = v4 ? ipv4(198, 51, 100, 254, 40000) : ipv6(0xfe, 40000);
	const struct endpoint service = v4 ? ipv4(203, 0, 113, 80, 21) : ipv6(0x80, 21);
	struct tuple *tuple = t->module.connection.tuple;

	t->at[CLIENT] = client;
	t->at[SERVER] = server;
	tuple[DIRECTION_ORIGINAL] = (struct tuple){ client, nat & 2 ? service : server };
	tuple[DIRECTION_REPLY] = (struct tuple){ server, nat & 1 ? public : client };
}

static void begin_as(struct talk *t, uint8_t family, unsigned int nat, uint16_t mss)
{
	memset(t, 0, sizeof(*t));
	taken_port = 0;
	t->module.adj = t->adj;
	t->module.is_taken = is_taken;
	t->module.fast = true;
	t->module.connection.adjustable = true;
	t->module.connection.port_min = PLAIN_PORT_MIN;
	place(t, family, nat);
	t->mss = mss;
	t->seq[CLIENT] = START_CLIENT - 1;
	t->seq[SERVER] = START_SERVER - 1;
	sends(t, CLIENT, t->seq[CLIENT]++, "", 0, TCP_SYN);
	t->acked[CLIENT] = t->seq[CLIENT];
	sends(t, SERVER, t->seq[SERVER]++, "", 0, TCP_SYN | TCP_ACK);
	has_all(t, CLIENT);
}

static void login_by(struct talk *t, enum module_way way)
{
	assert_int_equal(says(t, SERVER, "220 ready\r\n"), way);
	assert_int_equal(says(t, CLIENT, "USER x\r\n"), way);
	assert_int_equal(says(t, SERVER, "331 password\r\n"), way);
	assert_int_equal(says(t, CLIENT, "PASS x\r\n"), way);
	assert_int_equal(says(t, SERVER, "230 in\r\n"), way);
	has_all(t, CLIENT);
}

static struct scan_note noted(const struct talk *t)
{
	struct scan_note note;

	assert_true(scan_note(&t->module.scan, sizeof(t->module.scan), &note));
	return note;
}

/* User space sees nothing of it. */
static void login(struct talk *t)
{
	login_by(t, MODULE_PASSES);
}

/* Behind a masquerading router. */
static void ready(struct talk *t)
{
	begin_as(t, FAMILY_IPV4, 1, 1460);
	login(t);
}

#define PORT_LINE "PORT 10,0,0,2,11,185\r\n"
#define PORT_TEXT "PORT 198,51,100,254,11,185\r\n"

static void leaves_as(const struct talk *t, const char *text)
{
	const uint32_t length = t->packet.length - t->packet.payload;

	assert_int_equal(length, strlen(text));
	assert_memory_equal(t->packet.bytes + t->packet.payload, text, length);
	assert_true(packet_is_right(t->packet.bytes, t->packet.length, t->packet.tcp));
}

static unsigned int opens(const struct talk *t, bool accepted)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < t->module.opens; i++)
		count += t->module.open[i].accepted == accepted;
	return count;
}

/* ---- a plain transfer ---- */

static void test_active(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
	leaves_as(&t, PORT_TEXT);
	assert_int_equal(opens(&t, false), 1);
	assert_true(endpoint_address_equal(&t.module.open[0].expected.src, &t.at[SERVER]));
	assert_true(endpoint_equal(
		&t.module.open[0].expected.dst,
		&(struct endpoint){ .family = FAMILY_IPV4, .address = { 198, 51, 100, 254 }, .port = 3001 }));
	assert_true(endpoint_address_equal(&t.module.open[0].inside, &t.at[CLIENT]));
	assert_int_equal(t.module.open[0].inside.port, 3001);
	assert_int_equal(t.adj[CLIENT].pos, t.seq[CLIENT] - 17);
	assert_int_equal(t.adj[CLIENT].after, 6);
	assert_int_equal(says(&t, SERVER, "200 fine\r\n"), MODULE_PASSES);
	assert_int_equal(opens(&t, false), 0);
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(says(&t, CLIENT, "RETR f\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "150 here\r\n"), MODULE_PASSES);
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(says(&t, SERVER, "226 done\r\n"), MODULE_PASSES);
	assert_int_equal(t.module.opens, 0);
}

static void test_passive(void **state)
{
	struct talk t;

	(void)state;
	begin_as(&t, FAMILY_IPV4, 2, 1460);
	login(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "227 Entering Passive Mode (192,168,7,3,11,185).\r\n"), MODULE_EDITED);
	leaves_as(&t, "227 Entering Passive Mode (203,0,113,80,11,185).\r\n");
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(says(&t, CLIENT, "LIST\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "150 here\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "226 done\r\n"), MODULE_PASSES);
	assert_int_equal(t.module.opens, 0);
}

/* Every notation, either way, with one translation, two, none. */
static void test_texts(void **state)
{
	static const struct {
		uint8_t family;
		unsigned int nat;
		const char *asks, *announces, *leaves; /* NULL: the client announces; it leaves as it came */
	} rows[] = {
		{ FAMILY_IPV4, 1, NULL, "EPRT |1|10.0.0.2|65535|\r\n", "EPRT |1|198.51.100.254|65535|\r\n" },
		{ FAMILY_IPV4, 3, NULL, "LPRT 4,4,10,0,0,2,2,4,1\r\n", "LPRT 4,4,198,51,100,254,2,4,1\r\n" },
		{ FAMILY_IPV4, 1, NULL, "port  10,0,0,2,255,255 \n", "port  198,51,100,254,255,255 \n" },
		{ FAMILY_IPV4, 2, NULL, PORT_LINE, NULL },
		{ FAMILY_IPV4, 0, NULL, PORT_LINE, NULL },
		{ FAMILY_IPV6, 1, NULL, "EPRT |2|2001:db8::2|4000|\r\n", "EPRT |2|2001:db8::fe|4000|\r\n" },
		{ FAMILY_IPV6, 1, NULL, "EPRT !2!2001:db8::2!4000!\r\n", "EPRT !2!2001:db8::fe!4000!\r\n" },
		{ FAMILY_IPV4, 2, "EPSV\r\n", "229 Extended (|||4000|)\r\n", NULL },
		{ FAMILY_IPV6, 2, "EPSV\r\n", "229 Extended (|||4000|)\r\n", NULL },
		{ FAMILY_IPV4, 3, "LPSV\r\n", "228 Long (4,4,192,168,7,3,2,8,0)\r\n",
		  "228 Long (4,4,203,0,113,80,2,8,0)\r\n" },
		{ FAMILY_IPV4, 1, "PASV\r\n", "227 x (192,168,7,3,11,185)\r\n", NULL },
		{ FAMILY_IPV4, 3, "PASV\r\n", "227 =192,168,7,3,11,185\n", "227 =203,0,113,80,11,185\n" },
	};
	struct talk t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_as(&t, rows[i].family, rows[i].nat, 1460);
		login(&t);
		if (rows[i].asks)
			assert_int_equal(says(&t, CLIENT, rows[i].asks), MODULE_PASSES);
		assert_int_equal(says(&t, rows[i].asks ? SERVER : CLIENT, rows[i].announces),
				 rows[i].leaves ? MODULE_EDITED : MODULE_PASSES);
		leaves_as(&t, rows[i].leaves ? rows[i].leaves : rows[i].announces);
		assert_int_equal(t.module.announced, 1);
		assert_int_equal(t.module.opens, 1);
	}
}

/* ---- when it may not act ---- */

/* The line is user space's, and nothing has been opened. */
static void declined(struct talk *t, enum module_way way)
{
	assert_int_equal(way, MODULE_QUEUED);
	assert_int_equal(t->module.opens, 0);
	assert_int_equal(t->module.announced, 0);
	assert_false(seqadj_active(&t->adj[0]) || seqadj_active(&t->adj[1]));
}

static void declines(struct talk *t, const char *line)
{
	declined(t, says(t, CLIENT, line));
}

/* Rule 1: everything has been shown. */
static void test_untrusted(void **state)
{
	struct talk t;

	(void)state;
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	says(&t, SERVER, "220 ready\r\n");
	says(&t, CLIENT, "USER x\r\n");
	says(&t, SERVER, "331 password\r\n");
	declines(&t, PORT_LINE);
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	says(&t, SERVER, "220 ready\r\n");
	says(&t, CLIENT, "NOOP\r\n");
	says(&t, SERVER, "200 yes\r\n");
	says(&t, CLIENT, "NOOP\r\n");
	says(&t, SERVER, "200 yes\r\n");
	declines(&t, PORT_LINE);
}

/* Rule 2: nothing that was handed over is unacknowledged, in either direction; nor an edit of its own. */
static void test_pending(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "FEAT\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "211-x\r\n"), MODULE_QUEUED);
	assert_int_equal(says_deaf(&t, SERVER, "211 y\r\n"), MODULE_QUEUED);
	declined(&t, says_deaf(&t, CLIENT, PORT_LINE));

	ready(&t);
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
	assert_int_equal(says_deaf(&t, SERVER, "200 fine\r\n"), MODULE_QUEUED);
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_QUEUED);
	assert_int_equal(t.module.announced, 1);

	begin_as(&t, FAMILY_IPV4, 2, 1460);
	login(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n"), MODULE_EDITED);
	assert_int_equal(says_deaf(&t, CLIENT, "NOOP\r\n"), MODULE_QUEUED);
}

/* What is old to its receiver acknowledges nothing, also where it carries something. */
static void test_old_acknowledgement(void **state)
{
	struct talk t;

	(void)state;
	for (uint32_t length = 0; length < 8; length += 2) {
		ready(&t);
		assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
		t.acked[CLIENT] = t.seq[CLIENT];
		sends(&t, SERVER, t.seq[SERVER] - 8, "230 in\r\n", length, TCP_ACK);
		assert_true(noted(&t).edit[CLIENT]);
		assert_int_equal(says_deaf(&t, CLIENT, "NOOP\r\n"), MODULE_QUEUED);
		has_all(&t, SERVER);
		assert_false(noted(&t).edit[CLIENT]);
	}
}

/* Rule 3: in order, no flag, and short. */
static void test_segment(void **state)
{
	char line[PLAIN_PAYLOAD_MAX + 2];
	struct talk t;

	(void)state;
	for (int flag = 0; flag < 3; flag++) {
		static const uint8_t flags[] = { TCP_ACK | TCP_FIN, TCP_ACK | TCP_URG, 0 };

		ready(&t);
		declined(&t, sends(&t, CLIENT, t.seq[CLIENT], PORT_LINE, sizeof(PORT_LINE) - 1, flags[flag]));
	}
	ready(&t);
	declined(&t, sends(&t, CLIENT, t.seq[CLIENT] + 1, PORT_LINE, sizeof(PORT_LINE) - 1, TCP_ACK));
	for (uint32_t length = PLAIN_PAYLOAD_MAX; length <= PLAIN_PAYLOAD_MAX + 1; length++) {
		ready(&t);
		memset(line, ' ', sizeof(line));
		memcpy(line, PORT_LINE, sizeof(PORT_LINE) - 3);
		line[length - 1] = '\n';
		assert_int_equal(says_bytes(&t, CLIENT, line, length),
				 length == PLAIN_PAYLOAD_MAX ? MODULE_EDITED : MODULE_QUEUED);
	}
}

/* Rule 4: one line, whole, alone, and no Telnet in it. */
static void test_alone(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	declines(&t, "NOOP\r\n" PORT_LINE);
	ready(&t);
	declines(&t, PORT_LINE "NOOP\r\n");
	ready(&t);
	declines(&t, PORT_LINE "N");
	ready(&t);
	declines(&t, "\r\n" PORT_LINE);
	ready(&t);
	declines(&t, "\xff\xf1" PORT_LINE);
	ready(&t);
	declines(&t, "PORT 10,0,0,2,11,185\xff\xf1\r\n");
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "PORT 10,0,"), MODULE_QUEUED);
	declined(&t, says(&t, CLIENT, "0,2,11,185\r\n"));
}

/* Rule 5: it may, and user space has no hand in it. */
static void test_allowed(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	t.marked = true;
	declines(&t, PORT_LINE);
	ready(&t);
	t.module.fast = false;
	declines(&t, PORT_LINE);
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\nNOOP\r\n"), MODULE_QUEUED);
	assert_int_equal(says(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n"), MODULE_QUEUED);
	assert_int_equal(says(&t, SERVER, "200 yes\r\n"), MODULE_QUEUED);
	has_all(&t, CLIENT);
	declines(&t, PORT_LINE); /* user space's own is open: whoever has opened it takes it back */
	declines(&t, "PASV\r\n");
}

/* Rule 6: the dialogue, of a command. */
static void test_dialogue_command(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\n"), MODULE_PASSES);
	declines(&t, PORT_LINE);
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "RETR f\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "150 here\r\n"), MODULE_PASSES);
	declines(&t, PORT_LINE);
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "FEAT\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "211-x\r\n"), MODULE_QUEUED);
	has_all(&t, CLIENT);
	declines(&t, PORT_LINE);
	ready(&t);
	declines(&t, "PORT\r\n");
}

/* Rule 6, of a reply. */
static void test_dialogue_reply(void **state)
{
	static const char *const others[] = { "227 nothing here\r\n",
					      "200 yes\r\n",
					      "227-x\r\n",
					      "150 x\r\n",
					      "hello\r\n227 x\r\n",
					      "227-x\r\n227 y (192,168,7,3,11,185)\r\n",
					      "200 x\r\n227 y (192,168,7,3,11,185)\r\n" };
	struct talk t;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ready(&t);
		assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
		declined(&t, says(&t, SERVER, others[i]));
	}
	ready(&t);
	declined(&t, says(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n")); /* nobody has asked */
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\nPASV\r\n"), MODULE_QUEUED);
	declined(&t, says(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n"));
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	declined(&t, says_deaf(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n")); /* said before he was asked */
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\n"), MODULE_QUEUED);
	declined(&t, says(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n"));
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "500 no\r\n"), MODULE_PASSES);
	declined(&t, says(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n"));
}

/* Rules 7 and 8: what it says, whose address that is, which port. */
static void test_argument(void **state)
{
	static const char *const lines[] = {
		"PORT 10,0,0,2,11,185,7\r\n",
		"PORT 10,0,0,2,11,185 x\r\n",
		"PORT 10,0,0,2,11,185\rx\r\n",
		"PORT 10,0,0,2,11,256\r\n",
		"PORT 10,0,0,2,11\r\n",
		"PORT 10,0,0,3,11,185\r\n",
		"PORT 10,0,0,2,3,255\r\n",
		"PORT 198,51,100,254,11,185\r\n",
		"PORT 10,0,0,2,11,185 HTTP/1.0\r\n",
		"EPRT |2|::ffff:10.0.0.2|4000|\r\n",
	};
	static const char nul[] = "PORT 10,0,0,2,11,185\0\r\n";
	struct talk t;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ready(&t);
		declines(&t, lines[i]);
	}
	ready(&t);
	declined(&t, says_bytes(&t, CLIENT, nul, sizeof(nul) - 1));
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "PORT 10,0,0,2,4,0\r\n"), MODULE_EDITED);
	begin_as(&t, FAMILY_IPV4, 2, 1460);
	login(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	declined(&t, says(&t, SERVER, "227 x (203,0,113,80,11,185)\r\n"));
	begin_as(&t, FAMILY_IPV4, 2, 1460);
	login(&t);
	assert_int_equal(says(&t, CLIENT, "EPSV\r\n"), MODULE_PASSES);
	declined(&t, says(&t, SERVER, "229 x (|1|192.168.7.3|4000|)\r\n"));
}

/* Rules 9 to 11: conntrack can adjust, and would not be misled; the path is wide enough; the port is free. */
static void test_surroundings(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	t.module.connection.adjustable = false;
	declines(&t, PORT_LINE);
	begin_as(&t, FAMILY_IPV4, 2, 1460);
	login(&t);
	t.module.connection.adjustable = false;
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_PASSES);

	begin_as(&t, FAMILY_IPV4, 1, SCAN_NARROW - 1);
	login_by(&t, MODULE_QUEUED);
	declines(&t, PORT_LINE);
	begin_as(&t, FAMILY_IPV4, 1, SCAN_NARROW);
	login(&t);
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);

	ready(&t);
	taken_port = 3001;
	declines(&t, PORT_LINE);

	/* The text would grow in a stream that has become shorter. */
	ready(&t);
	t.adj[CLIENT] = (struct seqadj){ START_CLIENT, 0, -10 };
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 0);
	ready(&t);
	t.adj[CLIENT] = (struct seqadj){ START_CLIENT, 0, -6 };
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
	assert_int_equal(t.adj[CLIENT].before, -6);
	assert_int_equal(t.adj[CLIENT].after, 0);
}

/* ---- what is taken back ---- */

static void announced(struct talk *t, const char *line, const char *reply)
{
	assert_int_equal(says(t, CLIENT, line), MODULE_EDITED);
	assert_int_equal(says(t, SERVER, reply), MODULE_PASSES);
}

static void test_refused(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	announced(&t, PORT_LINE, "500 no\r\n");
	assert_int_equal(t.module.opens, 0);
	announced(&t, PORT_LINE, "200 fine\r\n");
	announced(&t, "PORT 10,0,0,2,11,186\r\n", "500 no\r\n"); /* the one before stays */
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(t.module.open[0].expected.dst.port, 3001);
	assert_int_equal(t.adj[CLIENT].before, 12); /* of three */
	assert_int_equal(t.adj[CLIENT].after, 18);
}

static void test_replaced(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	announced(&t, PORT_LINE, "200 fine\r\n");
	assert_int_equal(says(&t, CLIENT, "PORT 10,0,0,2,11,186\r\n"), MODULE_EDITED);
	assert_int_equal(t.module.opens, 2); /* it is valid until the new one is accepted */
	assert_int_equal(says(&t, SERVER, "200 fine\r\n"), MODULE_PASSES);
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(t.module.open[0].expected.dst.port, 3002);
	assert_int_equal(says(&t, CLIENT, "EPSV\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "229 x (|||4000|)\r\n"), MODULE_PASSES);
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(t.module.open[0].expected.dst.port, 4000);
	/* By one of user space's, too. */
	assert_int_equal(says(&t, CLIENT, "PORT 10,0,0,2,11,187\r"), MODULE_QUEUED);
	assert_int_equal(says(&t, CLIENT, "\n"), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 1);
	assert_int_equal(says(&t, SERVER, "200 fine\r\n"), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 0);
	ready(&t);
	announced(&t, PORT_LINE, "200 fine\r\n");
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "227 x (192,168,"), MODULE_QUEUED);
	assert_int_equal(says(&t, SERVER, "7,3,11,186)\r\n"), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 0);
}

/* Refused, and accepted, in several lines of one segment. */
static void test_pipelined(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	announced(&t, PORT_LINE, "200 fine\r\n");
	assert_int_equal(says(&t, CLIENT, "PORT 10,0,0,2,11,186\r\n"), MODULE_EDITED);
	assert_int_equal(says(&t, CLIENT, "RETR f\r\n"), MODULE_QUEUED);
	assert_int_equal(says(&t, SERVER, "200 fine\r\n150 here\r\n"), MODULE_QUEUED);
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(t.module.open[0].expected.dst.port, 3002);
	assert_int_equal(says(&t, SERVER, "226 done\r\n"), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 0);
	ready(&t);
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
	assert_int_equal(says(&t, CLIENT, "RETR f\r\n"), MODULE_QUEUED);
	assert_int_equal(says(&t, SERVER, "150 here\r\n"), MODULE_QUEUED); /* which accepts what is before it */
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(says(&t, SERVER, "226 done\r\n"), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 0);
}

/* User space's, accepted before the transfer that goes on is over, is for the next one: user space is to see that one's end, too. */
static void test_for_next(void **state)
{
	static const struct {
		int who;
		const char *text;
	} lines[] = {
		{ CLIENT, "PORT 10,0,0,2,11,186\r\n" },
		{ SERVER, "200 fine\r\n" },
		{ SERVER, "226 done\r\n" },
		{ CLIENT, "RETR g\r\n" },
		{ SERVER, "150 here\r\n" },
		{ SERVER, "226 done\r\n" },
	};
	struct talk t;

	(void)state;
	ready(&t);
	announced(&t, PORT_LINE, "200 fine\r\n");
	assert_int_equal(says(&t, CLIENT, "RETR f\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "150 here\r\n"), MODULE_PASSES);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(says(&t, lines[i].who, lines[i].text), MODULE_QUEUED);
		has_all(&t, !lines[i].who);
	}
}

/* The connection is not followed any more: nobody could take it back later. */
static void test_ended(void **state)
{
	static const struct {
		int who;
		const char *text;
		uint8_t flags;
	} ends[] = {
		{ CLIENT, "", TCP_ACK | TCP_FIN },
		{ SERVER, "", TCP_ACK | TCP_FIN },
		{ CLIENT, "", TCP_RST },
		{ CLIENT, "Host: x\r\n", TCP_ACK },
	};
	struct talk t;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		ready(&t);
		announced(&t, PORT_LINE, "200 fine\r\n");
		assert_int_equal(t.module.opens, 1);
		t.acked[!ends[i].who] = t.seq[!ends[i].who];
		sends(&t, ends[i].who, t.seq[ends[i].who], ends[i].text, (uint32_t)strlen(ends[i].text), ends[i].flags);
		assert_int_equal(t.module.opens, 0);
	}
	ready(&t);
	announced(&t, PORT_LINE, "200 fine\r\n");
	sends(&t, CLIENT, t.seq[CLIENT] + 1, "", 0, TCP_RST); /* its receiver would not take it */
	assert_int_equal(t.module.opens, 1);
	assert_int_equal(says(&t, CLIENT, "AUTH TLS\r\n"), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 1);
	assert_int_equal(says(&t, SERVER, "234 go on\r\n"), MODULE_QUEUED);
	assert_int_equal(t.module.opens, 0);
}

/* ---- once more ---- */

#define LINE_MAX 64

/* What its receiver has of the line, by its own numbers; @from: the number of its first byte. */
static void receives(const struct talk *t, uint32_t from, const char *whole, bool *has)
{
	const uint8_t *tcp = t->packet.bytes + t->packet.tcp;
	const uint32_t at = seqadj_forward(&t->adj[CLIENT], packet_get32(tcp + 4)) - from;
	const uint32_t length = t->packet.length - t->packet.payload;

	assert_true(packet_is_right(t->packet.bytes, t->packet.length, t->packet.tcp));
	assert_true(at <= LINE_MAX && at + length <= strlen(whole));
	assert_memory_equal(t->packet.bytes + t->packet.payload, whole + at, length);
	if (has && at == 0 && length == strlen(whole))
		*has = true;
}

/* Any part of the line, with or without what comes behind it, however it is cut; while it is on its way, and later. */
static void again(const char *line, const char *whole, uint32_t client, bool acknowledged)
{
	static const char behind[] = "RETR f\r\n";
	const uint32_t length = (uint32_t)strlen(line);
	char text[LINE_MAX + sizeof(behind)];
	bool has = false;
	struct talk t;

	ready(&t);
	t.module.connection.tuple[DIRECTION_REPLY].dst = ipv4((uint8_t)client, 0, 0, 2, 40000);
	assert_int_equal(says(&t, CLIENT, line), MODULE_EDITED);
	leaves_as(&t, whole);
	snprintf(text, sizeof(text), "%s%s", line, behind);
	if (acknowledged)
		assert_int_equal(says(&t, SERVER, "200 fine\r\n"), MODULE_PASSES);
	for (uint32_t from = 0; from < length; from++) {
		for (uint32_t to = from + 1; to <= strlen(text); to++) {
			const uint32_t seq = t.seq[CLIENT] - length + from;
			const bool touches = from < length - 2 && to > 5;
			const struct scan before = t.module.scan;

			if (!touches)
				continue;
			assert_int_equal(sends(&t, CLIENT, seq, text + from, to - from, TCP_ACK | TCP_FIN),
					 MODULE_AGAIN);
			assert_int_equal(t.packet.bytes[t.packet.tcp + 13], TCP_ACK);
			receives(&t, t.seq[CLIENT] - length, whole, &has);
			assert_memory_equal(&before, &t.module.scan, sizeof(before));
		}
	}
	assert_true(has);
}

static void test_again(void **state)
{
	(void)state;
	for (int acknowledged = 0; acknowledged < 2; acknowledged++) {
		again(PORT_LINE, "PORT 198,0,0,2,11,185\r\n", 198, acknowledged); /* longer */
		again(PORT_LINE, "PORT 1,0,0,2,11,185\r\n", 1, acknowledged);	  /* shorter */
		again(PORT_LINE, "PORT 11,0,0,2,11,185\r\n", 11, acknowledged);	  /* as long */
	}
}

/*
 * A client that did not wait for the last answer, which is lost behind us, sends all of it again in one segment, as long as its path allows: the
 * longer text has no room in that. What is before it goes, its receiver acknowledges all, and the next segment begins at the text.
 */
static void test_again_in_full(void **state)
{
	static const char line[] = "PORT 10,0,0,2,11,185\r\n", whole[] = "PORT 198,0,0,2,11,185\r\n";
	char text[1460 + sizeof(line)];
	uint32_t before, length;
	struct talk t;

	(void)state;
	for (before = 400; before <= 1438; before++) {
		const bool room = before + strlen(whole) <= SCAN_NARROW - 40;

		snprintf(text, sizeof(text), "SITE %0*d\r\n%s", (int)before - 7, 0, line);
		length = (uint32_t)strlen(text);
		ready(&t);
		t.module.connection.tuple[DIRECTION_REPLY].dst = ipv4(198, 0, 0, 2, 40000);
		assert_int_equal(says_bytes(&t, CLIENT, text, before), MODULE_PASSES);
		assert_int_equal(says(&t, SERVER, "200 yes\r\n"), MODULE_PASSES);
		assert_int_equal(says(&t, CLIENT, line), MODULE_EDITED);
		assert_int_equal(sends(&t, CLIENT, t.seq[CLIENT] - length, text, length, TCP_ACK), MODULE_AGAIN);
		assert_true(packet_is_right(t.packet.bytes, t.packet.length, t.packet.tcp));
		assert_int_equal(t.packet.length - t.packet.payload, before + (room ? strlen(whole) : 5));
		assert_memory_equal(t.packet.bytes + t.packet.payload, text, before + 5);
	}
}

/* What does not touch it is none of the module's; nor the other direction's, what nobody believes, what has been edited again. */
static void test_not_again(void **state)
{
	struct talk t;
	uint32_t line;

	(void)state;
	ready(&t);
	line = t.seq[CLIENT];
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
	assert_int_equal(sends(&t, CLIENT, line, "PORT ", 5, TCP_ACK), MODULE_QUEUED);
	assert_int_equal(sends(&t, CLIENT, line + 20, "\r\n", 2, TCP_ACK), MODULE_QUEUED);
	assert_int_equal(sends(&t, CLIENT, line + 20, "\r\nNOOP\r\n", 8, TCP_ACK), MODULE_QUEUED);
	assert_int_equal(sends(&t, CLIENT, line, PORT_LINE, 22, 0), MODULE_QUEUED); /* no TCP sends that */
	leaves_as(&t, PORT_LINE);
	ready(&t);
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
	line = t.seq[SERVER];
	t.module.edit.start = line + 4; /* were it the other's */
	assert_int_equal(says(&t, SERVER, "200 fine and well\r\n"), MODULE_PASSES);
	ready(&t);
	line = t.seq[CLIENT];
	announced(&t, PORT_LINE, "200 fine\r\n");
	announced(&t, PORT_LINE, "200 fine\r\n");
	assert_int_equal(sends(&t, CLIENT, line, PORT_LINE, 22, TCP_ACK), MODULE_QUEUED);
	assert_int_equal(sends(&t, CLIENT, line + 22, PORT_LINE, 22, TCP_ACK), MODULE_AGAIN);
	t.adj[CLIENT] = (struct seqadj){ t.seq[CLIENT] + 5, 12, 13 }; /* user space's */
	assert_int_equal(sends(&t, CLIENT, line + 22, PORT_LINE, 22, TCP_ACK), MODULE_QUEUED);
}

/* A note says what the module has left unanswered, and which edit is on its way, until it has arrived whole. */
static void test_note(void **state)
{
	struct scan_note note;
	struct talk t;

	(void)state;
	ready(&t);
	assert_int_equal(says(&t, CLIENT, PORT_LINE), MODULE_EDITED);
	assert_true(scan_note(&t.module.scan, sizeof(t.module.scan), &note));
	assert_true(note.edit[CLIENT] && !note.edit[SERVER]);
	assert_int_equal(note.pairing.classes, PAIRING_IDLE);
	assert_int_equal(note.pairing.count, 1);
	assert_int_equal(note.next[CLIENT], t.seq[CLIENT]);
	/* A part of the text, then all of it, though what is behind has not come. */
	assert_int_equal(says_deaf(&t, CLIENT, "NOOP\r\n"), MODULE_QUEUED);
	t.acked[CLIENT] = t.seq[CLIENT] - 6 - 1;
	assert_int_equal(sends(&t, SERVER, t.seq[SERVER], "", 0, TCP_ACK), MODULE_PASSES);
	assert_true(scan_note(&t.module.scan, sizeof(t.module.scan), &note) && note.edit[CLIENT]);
	t.acked[CLIENT] = t.seq[CLIENT] - 6;
	assert_int_equal(sends(&t, SERVER, t.seq[SERVER], "", 0, TCP_ACK), MODULE_PASSES);
	assert_true(scan_note(&t.module.scan, sizeof(t.module.scan), &note) && !note.edit[CLIENT]);
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
	assert_true(scan_note(&t.module.scan, sizeof(t.module.scan), &note));
	assert_int_equal(note.pairing.classes, PAIRING_PASSIVE);
	assert_int_equal(says(&t, SERVER, "500 no\r\n"), MODULE_PASSES);
	assert_true(scan_note(&t.module.scan, sizeof(t.module.scan), &note));
	assert_true(pairing_empty(&note.pairing));
}

/* ---- a session of which user space sees nothing ---- */

/* How far a plain beginning has come is in the note, step by step. */
static void test_early_notes(void **state)
{
	struct scan_note note;
	struct talk t;

	(void)state;
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	note = noted(&t);
	assert_true(note.early && !note.greeted && !note.single && pairing_empty(&note.pairing));
	assert_int_equal(note.next[SERVER], START_SERVER);
	assert_int_equal(says(&t, SERVER, "220-hello\r\n220 ready\r\n"), MODULE_PASSES);
	note = noted(&t);
	assert_true(note.early && note.greeted && !note.logged_in && note.exchanged == EXCHANGED_NOTHING);
	assert_int_equal(says(&t, CLIENT, "USER x\r\n"), MODULE_PASSES);
	assert_int_equal(noted(&t).pairing.classes, PAIRING_LOGIN);
	assert_int_equal(says(&t, SERVER, "331 password\r\n"), MODULE_PASSES);
	note = noted(&t);
	assert_true(note.exchanged == EXCHANGED_ONE && pairing_empty(&note.pairing));
	assert_int_equal(says(&t, CLIENT, "PASS x\r\n"), MODULE_PASSES);
	note = noted(&t);
	assert_true(note.early && note.exchanged == EXCHANGED_SENT && note.pairing.count == 1);
	assert_int_equal(says(&t, SERVER, "230-hello\r\n"), MODULE_QUEUED);
	note = noted(&t);
	assert_true(note.single && note.next[SERVER] == t.seq[SERVER] - 11);
	assert_int_equal(says(&t, SERVER, "230 in\r\n"), MODULE_QUEUED);
	assert_false(noted(&t).single);
	has_all(&t, CLIENT);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\n"), MODULE_PASSES);
	assert_false(noted(&t).early);
}

static void test_early_greeting_230(void **state)
{
	struct talk t;

	(void)state;
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	assert_int_equal(says(&t, SERVER, "230 in\r\n"), MODULE_PASSES);
	assert_true(noted(&t).early && noted(&t).logged_in);
}

/* What is not plain of a beginning is user space's. */
static void test_early_declined(void **state)
{
	static const char *const odd[] = {
		"AUTH TLS\r\n", PORT_LINE, "PASV\r\n", "US", "GET / HTTP/1.0\r\n", "XYZZY\r\n", "USER x\r\nPASS x\r\n"
	};
	struct talk t;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		begin_as(&t, FAMILY_IPV4, 1, 1460);
		assert_int_equal(says(&t, SERVER, "220 ready\r\n"), MODULE_PASSES);
		assert_int_equal(says(&t, CLIENT, odd[i]), MODULE_QUEUED);
	}
	/* One more, before the first is answered; one from somebody who has not got the answer; an answer to nothing. */
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	assert_int_equal(says(&t, SERVER, "220 ready\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\n"), MODULE_QUEUED);
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	assert_int_equal(says(&t, SERVER, "220 ready\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "200 fine\r\n"), MODULE_PASSES);
	assert_int_equal(says_deaf(&t, CLIENT, "NOOP\r\n"), MODULE_QUEUED);
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	assert_int_equal(says(&t, SERVER, "220 ready\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "200 fine\r\n"), MODULE_QUEUED);
}

/*
 * The first bytes of all, where they may begin a load balancer's header or a line, are user space's, which would take what is behind them for a line. A
 * whole header passes, and the note says so: there is no other.
 */
static void test_early_header(void **state)
{
	static const char *const parts[] = { "P", "PRO", "PROXY TCP4 192.0.2.9", "\r", "\r\n\r" };
	static const char header[] = "PROXY TCP4 192.0.2.9 203.0.113.5 56079 21\r\n";
	struct talk t;

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		begin_as(&t, FAMILY_IPV4, 1, 1460);
		assert_int_equal(says(&t, SERVER, "220 ready\r\n"), MODULE_PASSES);
		assert_int_equal(says(&t, CLIENT, parts[i]), MODULE_QUEUED);
		assert_true(noted(&t).single && noted(&t).early && !noted(&t).spoken);
		assert_int_equal(noted(&t).next[CLIENT], START_CLIENT);
	}
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	assert_int_equal(says(&t, CLIENT, header), MODULE_PASSES);
	assert_true(noted(&t).early && noted(&t).spoken && !noted(&t).pairing.begun);
	assert_int_equal(noted(&t).exchanged, EXCHANGED_NOTHING);
	assert_int_equal(says(&t, SERVER, "220 ready\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, CLIENT, "USER x\r\n"), MODULE_PASSES);
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	assert_int_equal(says(&t, CLIENT, header), MODULE_PASSES);
	assert_int_equal(says(&t, CLIENT, header), MODULE_QUEUED);
}

static enum module_way ends(struct talk *t, int who, uint8_t flags)
{
	t->acked[!who] = t->seq[!who];
	return sends(t, who, t->seq[who], "", 0, flags);
}

/* Its end passes as well, but where user space knows of it; and so does what comes late of its handshake. */
static void test_unseen(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	announced(&t, PORT_LINE, "200 fine\r\n");
	assert_int_equal(sends(&t, CLIENT, START_CLIENT - 1, "", 0, TCP_SYN), MODULE_PASSES);
	assert_int_equal(says(&t, CLIENT, "QUIT\r\n"), MODULE_PASSES);
	assert_int_equal(says(&t, SERVER, "221 bye\r\n"), MODULE_PASSES);
	assert_int_equal(ends(&t, SERVER, TCP_ACK | TCP_FIN), MODULE_PASSES);
	assert_int_equal(t.module.opens, 0);
	assert_int_equal(ends(&t, CLIENT, TCP_ACK | TCP_FIN), MODULE_PASSES);
	ready(&t);
	assert_int_equal(ends(&t, CLIENT, TCP_RST), MODULE_PASSES);

	ready(&t);
	assert_int_equal(says(&t, CLIENT, "NO"), MODULE_QUEUED);
	assert_int_equal(says(&t, CLIENT, "OP\r\n"), MODULE_QUEUED);
	assert_int_equal(says(&t, SERVER, "200 fine\r\n"), MODULE_PASSES);
	assert_int_equal(sends(&t, CLIENT, START_CLIENT - 1, "", 0, TCP_SYN), MODULE_PASSES);
	assert_int_equal(ends(&t, SERVER, TCP_ACK | TCP_FIN), MODULE_QUEUED);
	ready(&t);
	t.module.fast = false;
	assert_int_equal(ends(&t, SERVER, TCP_ACK | TCP_FIN), MODULE_QUEUED);
}

/* Late copies of both of its packets: user space is given them where it has been given the handshake, and nowhere else. */
static void comes_late(struct talk *t, enum module_way way)
{
	assert_int_equal(sends(t, CLIENT, START_CLIENT - 1, "", 0, TCP_SYN), way);
	assert_int_equal(sends(t, SERVER, START_SERVER - 1, "", 0, TCP_SYN | TCP_ACK), way);
}

/* Whether it passed is what counts, not whether the module may deal with the connection just now: that may be marked, or all be user space's. */
static void test_late_handshake(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	assert_int_equal(says(&t, CLIENT, "NO"), MODULE_QUEUED);
	comes_late(&t, MODULE_PASSES);
	t.marked = true;
	comes_late(&t, MODULE_PASSES);
	t.marked = t.module.fast = false;
	comes_late(&t, MODULE_PASSES);
	t.module.fast = true;
	comes_late(&t, MODULE_PASSES);
	memset(&t.module.scan, 0, sizeof(t.module.scan));
	t.marked = true;
	comes_late(&t, MODULE_QUEUED); /* itself */
	t.marked = false;
	comes_late(&t, MODULE_QUEUED);
}

/* It is no FTP any more amid a reply of which user space may hold a part: that lets go of it with what follows. */
static void test_opaque_amid_a_reply(void **state)
{
	struct talk t;

	(void)state;
	for (int amid = 0; amid < 2; amid++) {
		ready(&t);
		assert_int_equal(says(&t, CLIENT, "PASV\r\n"), MODULE_PASSES);
		assert_int_equal(says(&t, SERVER, amid ? "227 x (192,168" : "227-x\r\n227 (1,2,3,4,5,6)\r\n"),
				 MODULE_QUEUED);
		assert_int_equal(says(&t, CLIENT, "GET / HTTP/1.0\r\n"), MODULE_QUEUED);
		assert_int_equal(says(&t, SERVER, ",7,3,11,185)\r\n"), amid ? MODULE_QUEUED : MODULE_PASSES);
	}
}

/* An announcement in the last segment of all is nobody's but user space's. */
static void test_announced_with_fin(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	t.acked[SERVER] = t.seq[SERVER];
	assert_int_equal(sends(&t, CLIENT, t.seq[CLIENT], PORT_LINE, (uint32_t)strlen(PORT_LINE), TCP_ACK | TCP_FIN),
			 MODULE_QUEUED);
	assert_int_equal(t.module.opens, 0);
}

/* ---- how often ---- */

static void test_pace(void **state)
{
	struct pace pace = { 0 };
	uint32_t now = 0xfffffff0u, done = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		done += pace_spend(&pace, 10, now);
	assert_int_equal(done, 20);
	assert_false(pace_spend(&pace, 10, now + 99)); /* over the clock's turn */
	assert_true(pace_spend(&pace, 10, now + 100));
	assert_false(pace_spend(&pace, 10, now + 100));
	for (done = 0; done < 100 && pace_spend(&pace, 10, now + 60000); done++)
		;
	assert_int_equal(done, 20); /* it holds no more */
	pace = (struct pace){ 0 };
	assert_false(pace_spend(&pace, 0, now));
	for (done = 0; done < 3 * PACE_MOST && pace_spend(&pace, UINT32_MAX, now); done++)
		;
	assert_int_equal(done, 2 * PACE_MOST);
}

static unsigned int awaits(const struct talk *t)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < t->module.opens; i++)
		count += t->module.open[i].awaited;
	return count;
}

static void is_kept(const struct talk *t, uint32_t seconds)
{
	assert_int_equal(plain_keeps(scan_transfer(&t->module.scan), 3600), seconds);
}

/* Nobody renews an expectation of the module's, nor sets its connection's time anew: so it has the longest while a transfer is asked for. */
static void test_awaited(void **state)
{
	struct talk t;

	(void)state;
	ready(&t);
	says(&t, CLIENT, PORT_LINE);
	says(&t, SERVER, "200 fine\r\n");
	assert_int_equal(awaits(&t), 0);
	is_kept(&t, 0);
	says(&t, CLIENT, "NOOP\r\n");
	says(&t, SERVER, "200 fine\r\n");
	assert_int_equal(awaits(&t), 0);
	assert_int_equal(says(&t, CLIENT, "RETR x\r\n"), MODULE_PASSES);
	assert_int_equal(awaits(&t), 1);
	is_kept(&t, 3600);
	assert_int_equal(says(&t, CLIENT, "NOOP\r\n"), MODULE_PASSES);
	is_kept(&t, 3600);
	assert_int_equal(says(&t, SERVER, "150 here\r\n"), MODULE_PASSES);
	has_all(&t, CLIENT);
	assert_int_equal(awaits(&t), 1);
	is_kept(&t, PLAIN_TRANSFER_SECONDS);
	says(&t, SERVER, "226 done\r\n");
	assert_int_equal(opens(&t, true), 0);
	is_kept(&t, 0);

	/* The file is not there: what was accepted stays, and has no more than the usual any more. */
	ready(&t);
	says(&t, CLIENT, PORT_LINE);
	says(&t, SERVER, "200 fine\r\n");
	says(&t, CLIENT, "RETR x\r\n");
	assert_int_equal(awaits(&t), 1);
	says(&t, SERVER, "550 no\r\n");
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(awaits(&t), 0);
	is_kept(&t, 0);
}

/* Passive; asked for before it was accepted; refused. */
static void test_awaited_otherwise(void **state)
{
	struct talk t;

	(void)state;
	begin_as(&t, FAMILY_IPV4, 2, 1460);
	login(&t);
	says(&t, CLIENT, "PASV\r\n");
	says(&t, SERVER, "227 x (192,168,7,3,11,185)\r\n");
	has_all(&t, CLIENT);
	assert_int_equal(awaits(&t), 0);
	says(&t, CLIENT, "LIST\r\n");
	assert_int_equal(awaits(&t), 1);
	says(&t, SERVER, "150 here\r\n");
	is_kept(&t, PLAIN_TRANSFER_SECONDS);
	says(&t, SERVER, "226 done\r\n");
	assert_int_equal(opens(&t, true), 0);

	ready(&t);
	says(&t, CLIENT, PORT_LINE);
	has_all(&t, SERVER);
	says(&t, CLIENT, "RETR x\r\n");
	assert_int_equal(opens(&t, false), 1);
	assert_int_equal(awaits(&t), 0);
	says(&t, SERVER, "200 fine\r\n");
	assert_int_equal(opens(&t, true), 1);
	assert_int_equal(awaits(&t), 1);

	ready(&t);
	says(&t, CLIENT, PORT_LINE);
	has_all(&t, SERVER);
	says(&t, CLIENT, "RETR x\r\n");
	says(&t, SERVER, "500 no\r\n");
	assert_int_equal(t.module.opens, 0);

	/* Nothing is kept of one that is not trusted: who cannot log in may say RETR, too. */
	begin_as(&t, FAMILY_IPV4, 1, 1460);
	says(&t, SERVER, "220 ready\r\n");
	says(&t, CLIENT, "RETR x\r\n");
	is_kept(&t, 0);
}

/* As many as the clients of core/engine/share.h may have: one alone half, another then half of what is left. */
static void test_part(void **state)
{
	struct part part = { 0, 0 };
	uint32_t first;

	(void)state;
	for (; part_fits(&part, 100); part.mine++, part.all++)
		;
	assert_int_equal(part.mine, 50);
	first = part.mine;
	for (part.mine = 0; part_fits(&part, 100); part.mine++, part.all++)
		;
	assert_int_equal(part.mine, 25);
	assert_int_equal(part.all, first + 25);
	part.mine = 0;
	assert_true(part_fits(&part, part.all + 1));
	assert_false(part_fits(&part, part.all));
	assert_false(part_fits(&part, 0));
	part = (struct part){ UINT32_MAX, UINT32_MAX };
	assert_false(part_fits(&part, UINT32_MAX));
}

/* A client's connections take places and do not give them back. Return: how many it got. */
static unsigned int takes_places(struct plain_place places[PLACES], uint32_t client, uint32_t now)
{
	static const char connections[100];
	unsigned int count = 0;

	for (unsigned int i = 0; i < sizeof(connections); i++) {
		struct plain_place *place = plain_place_for(places, &connections[i], client, now);

		if (!place)
			continue;
		*place = (struct plain_place){ .owner = &connections[i], .client = client, .since = now };
		count++;
	}
	return count;
}

/* Nobody has all places for edits, whatever becomes of his connections; who comes later has some. */
static void test_place(void **state)
{
	static const char connection[3]; /* two have a place */
	struct plain_place places[PLACES] = { { .owner = NULL } };

	(void)state;
	assert_int_equal(takes_places(places, 1, 10), 2);
	assert_null(plain_place_for(places, &connection[0], 1, 10 + PLACE_SECONDS));
	assert_non_null(plain_place_for(places, &connection[0], 2, 10));
	assert_non_null(plain_place_for(places, &connection[0], 1, 11 + PLACE_SECONDS));
	/* what has been acknowledged is kept as long as there is another one, and counts for nobody */
	places[0].acknowledged = true;
	places[2] = (struct plain_place){ .owner = &connection[0], .client = 1, .since = 10 };
	assert_ptr_equal(plain_place_for(places, &connection[1], 2, 10), &places[3]);
	places[3] = (struct plain_place){ .owner = &connection[1], .client = 2, .since = 10 };
	assert_ptr_equal(plain_place_for(places, &connection[2], 3, 10), &places[0]);
	assert_null(plain_place_for(places, &connection[2], 1, 10));
	assert_null(plain_place_for(places, &connection[2], 2, 10));
	places[0].acknowledged = false;
	assert_null(plain_place_for(places, &connection[2], 3, 10));
	/* a connection's own is its own, whoever has how many */
	assert_ptr_equal(plain_place_for(places, &connection[0], 1, 10), &places[2]);
	assert_ptr_equal(plain_place_of(places, &connection[1]), &places[3]);
	assert_null(plain_place_of(places, &connection[2]));
}

static void test_lease(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	/* None was taken: whatever time it is. */
	for (uint32_t now = 0; now < 1000000; now++)
		assert_int_equal(lease_left(&lease, now), 0);
	lease_take(&lease, 100, 50);
	assert_int_equal(lease_left(&lease, 100), 50);
	assert_int_equal(lease_left(&lease, 149), 1);
	assert_int_equal(lease_left(&lease, 150), 0);
	assert_int_equal(lease_left(&lease, 151), 0);
	/* The longest counts. */
	lease_take(&lease, 200, 50);
	lease_take(&lease, 220, 10);
	lease_take(&lease, 220, 0);
	assert_int_equal(lease_left(&lease, 220), 30);
	lease_take(&lease, 230, 50);
	assert_int_equal(lease_left(&lease, 230), 50);
	/* None is for long, nor counts that is over for long. */
	lease_take(&lease, 300, UINT32_MAX);
	assert_int_equal(lease_left(&lease, 300), LEASE_MOST);
	for (uint32_t now = 300 + LEASE_MOST; now < 10000000; now++)
		assert_int_equal(lease_left(&lease, now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_active),
		cmocka_unit_test(test_passive),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_untrusted),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_old_acknowledgement),
		cmocka_unit_test(test_segment),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_dialogue_command),
		cmocka_unit_test(test_dialogue_reply),
		cmocka_unit_test(test_argument),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_for_next),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_again_in_full),
		cmocka_unit_test(test_not_again),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_early_notes),
		cmocka_unit_test(test_early_greeting_230),
		cmocka_unit_test(test_early_declined),
		cmocka_unit_test(test_early_header),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_late_handshake),
		cmocka_unit_test(test_opaque_amid_a_reply),
		cmocka_unit_test(test_announced_with_fin),
		cmocka_unit_test(test_awaited),
		cmocka_unit_test(test_awaited_otherwise),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
