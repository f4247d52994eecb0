// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streams, packet by packet: what leaves, with which numbers, when text is rewritten, split, sent again, or too long.
 * The simulation does the same at random; here each rule has a name. Every packet's checksum is verified by dialogue.h.
 */
#include "unit.h"

#include "common/dialogue.h"

/* ---- one edit ---- */

static void text(unsigned int nat, int side, const char *before, const char *came, const char *left, uint16_t port)
{
	struct dialogue d;

	dialogue_ready(&d, nat);
	if (before)
		dialogue_says(&d, CLIENT, before);
	dialogue_says(&d, side, came);
	dialogue_left(&d, left);
	dialogue_expects(&d, port);
	dialogue_close(&d);
}

static void every_notation(void **state)
{
	(void)state;
	text(MASQUERADE, CLIENT, NULL, PORT_IN, PORT_OUT, 3001);
	text(MASQUERADE, CLIENT, NULL, "EPRT |1|10.0.0.2|3001|\r\n", "EPRT |1|198.51.100.254|3001|\r\n", 3001);
	text(MASQUERADE, CLIENT, NULL, "eprt !1!10.0.0.2!3001!\r\n", "eprt !1!198.51.100.254!3001!\r\n", 3001);
	text(MASQUERADE, CLIENT, NULL, "LPRT 4,4,10,0,0,2,2,11,185\n", "LPRT 4,4,198,51,100,254,2,11,185\n", 3001);
	text(DNAT, SERVER, "PASV\r\n", "227 Entering Passive Mode (192,168,7,3,11,185).\r\n",
	     "227 Entering Passive Mode (203,0,113,80,11,185).\r\n", 3001);
	text(DNAT, SERVER, "PASV\r\n", "227 =192,168,7,3,11,185\r\n", "227 =203,0,113,80,11,185\r\n", 3001);
	text(DNAT, SERVER, "LPSV\r\n", "228 Mode (4,4,192,168,7,3,2,11,185)\r\n",
	     "228 Mode (4,4,203,0,113,80,2,11,185)\r\n", 3001);
	text(DNAT, SERVER, "EPSV\r\n", "229 Mode (|||3001|)\r\n", "229 Mode (|||3001|)\r\n", 3001);
	text(MASQUERADE | WITH_IPV6, CLIENT, NULL, "EPRT |2|2001:db8::1|3001|\r\n", "EPRT |2|2001:db8::3|3001|\r\n",
	     3001);
	text(MASQUERADE | WITH_IPV6, CLIENT, NULL, "LPRT 6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1,2,11,185\r\n",
	     "LPRT 6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,3,2,11,185\r\n", 3001);
}

static void unchanged_where_nothing_calls_for_it(void **state)
{
	(void)state;
	text(NO_NAT, CLIENT, NULL, PORT_IN, PORT_IN, 3001);
	text(DNAT, CLIENT, NULL, PORT_IN, PORT_IN, 3001);
	text(MASQUERADE, CLIENT, NULL, PORT_OUT, PORT_OUT, 3001);
	text(NO_NAT, CLIENT, NULL, "PORT 010,000,000,002,011,185\r\n", "PORT 010,000,000,002,011,185\r\n", 3001);
}

static void expectation(const struct dialogue *d, int by, bool translated)
{
	const struct expectation *e = &d->expectation[0];
	const struct tuple *me = &d->binding.tuple[by], *peer = &d->binding.tuple[!by];

	assert_int_equal(d->expectations, 1);
	assert_true(endpoint_address_equal(&e->tuple.src, &peer->src));
	assert_true(endpoint_address_equal(&e->tuple.dst, &peer->dst));
	assert_int_equal(e->translated, translated);
	assert_int_equal(e->nat_direction, !by);
	assert_true(endpoint_address_equal(&e->nat_src, &me->src));
	assert_int_equal(e->nat_src.port, 3001);
}

static void expectations_are_right(void **state)
{
	(void)state;
	for (unsigned int nat = 0; nat < 4; nat++) {
		struct dialogue d;

		dialogue_ready(&d, nat);
		dialogue_says(&d, CLIENT, PORT_IN);
		expectation(&d, CLIENT, nat != NO_NAT);
		dialogue_close(&d);
		dialogue_ready(&d, nat);
		dialogue_says(&d, CLIENT, "PASV\r\n");
		dialogue_says(&d, SERVER, "227 x (192,168,7,3,11,185)\r\n");
		expectation(&d, SERVER, nat != NO_NAT);
		dialogue_close(&d);
	}
}

static void taken_port(void **state)
{
	struct dialogue d;
	char expected[64];
	uint16_t port;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	d.busy_port = 3001;
	dialogue_says(&d, CLIENT, PORT_IN);
	port = d.expectation[0].tuple.dst.port;
	assert_int_not_equal(port, 3001);
	assert_true(port >= d.engine.policy.port_low && port <= d.engine.policy.port_high);
	assert_true(d.expectation[0].translated);
	assert_int_equal(d.expectation[0].nat_src.port, 3001);
	snprintf(expected, sizeof(expected), "PORT 10,0,0,2,%u,%u\r\n", port / 256u, port % 256u);
	dialogue_left(&d, expected);
	dialogue_close(&d);
}

/* ---- numbers ---- */

/* Conntrack is told of an edit of equal length, too: while it is in flight the connection's packets must not pass without us. */
static void equal_length_is_told(void **state)
{
	struct dialogue d;

	(void)state;
	for (int by = 0; by < 2; by++) {
		dialogue_begin(&d, MASQUERADE);
		d.by = by ? SEQADJ_SELF : SEQADJ_KERNEL;
		memcpy(d.binding.tuple[DIRECTION_REPLY].dst.address, (const uint8_t[4]){ 20, 0, 0, 9 }, 4);
		dialogue_handshake(&d);
		dialogue_says(&d, SERVER, "220 ready\r\n");
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_left(&d, "PORT 20,0,0,9,11,185\r\n");
		assert_int_equal(d.adjust_calls, 1);
		assert_false(seqadj_active(&d.adj[CLIENT]));
		dialogue_close(&d);
	}
}

static void kernel_renumbers(void **state)
{
	struct dialogue d;
	uint32_t argument;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	argument = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, PORT_IN);
	assert_int_equal(dialogue_left_seq(&d), argument - 5);
	assert_int_equal(d.adjust_calls, 1);
	assert_int_equal(d.adj[CLIENT].pos, argument);
	assert_int_equal(d.adj[CLIENT].before, 0);
	assert_int_equal(d.adj[CLIENT].after, GROWTH);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	assert_int_equal(dialogue_left_seq(&d), argument - 5 + strlen(PORT_IN));
	dialogue_close(&d);
}

static void self_renumbers(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.by = SEQADJ_SELF;
	d.seq[CLIENT] = UINT32_MAX - 20; /* the numbers wrap amid the argument */
	dialogue_handshake(&d);
	dialogue_says(&d, SERVER, "220 x\r\n");
	start = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, PORT_IN);
	assert_int_equal(dialogue_left_seq(&d), start);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	assert_int_equal(packet_get32(d.out + d.in.tcp + 8), d.seq[CLIENT]); /* the ack, as the client counts */
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_int_equal(dialogue_left_seq(&d), (uint32_t)(start + strlen(PORT_OUT)));
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0); /* without payload too */
	assert_int_equal(dialogue_left_seq(&d), (uint32_t)(start + strlen(PORT_OUT) + 6));
	dialogue_close(&d);
}

static void many_edits(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.by = SEQADJ_SELF;
	dialogue_handshake(&d);
	dialogue_says(&d, SERVER, "220 x\r\n");
	start = d.seq[CLIENT];
	for (unsigned int i = 0; i < 200; i++) {
		bool grows = i & 1;
		const char *in = grows ? PORT_IN : "PORT 010,000,000,002,011,185\r\n";

		dialogue_says(&d, CLIENT, in);
		dialogue_left(&d, PORT_OUT);
		assert_int_equal(dialogue_left_seq(&d), start + i * strlen(PORT_OUT) + i * 6);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_left(&d, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
	}
	assert_int_equal(d.engine.counters.edits, 200);
	dialogue_close(&d);
}

/* ---- pieces ---- */

/* Cut at every place in two: the argument leaves whole, once, at its own number. */
static void every_cut(void **state)
{
	const uint32_t length = strlen(PORT_IN);

	(void)state;
	for (uint32_t cut = 1; cut < length; cut++) {
		char out[128];
		struct dialogue d;
		uint32_t start, first;

		dialogue_ready(&d, MASQUERADE);
		start = d.seq[CLIENT];
		dialogue_says_bytes(&d, CLIENT, PORT_IN, cut);
		assert_int_not_equal(d.verdict, VERDICT_DROP);
		first = d.out_length - d.in.payload;
		assert_int_equal(first, cut < 5 ? cut : 5);
		memcpy(out, d.out + d.in.payload, first);
		assert_int_equal(d.expect_calls, 0);
		dialogue_says_bytes(&d, CLIENT, &PORT_IN[cut], length - cut);
		assert_int_equal(dialogue_left_seq(&d), start + first);
		memcpy(out + first, d.out + d.in.payload, d.out_length - d.in.payload);
		assert_int_equal(first + d.out_length - d.in.payload, strlen(PORT_OUT));
		assert_memory_equal(out, PORT_OUT, strlen(PORT_OUT));
		dialogue_expects(&d, 3001);
		dialogue_close(&d);
	}
}

static void byte_by_byte(void **state)
{
	struct dialogue d;
	char out[64];
	uint32_t length = 0;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.by = SEQADJ_SELF;
	dialogue_handshake(&d);
	dialogue_says(&d, SERVER, "220 x\r\n");
	for (const char *byte = PORT_IN; *byte; byte++) {
		uint32_t seq = d.acked[SERVER];

		dialogue_says_bytes(&d, CLIENT, byte, 1);
		/* What the server has already comes again at most. */
		length += d.verdict == VERDICT_DROP ? 0 : d.acked[SERVER] - seq;
		if (d.verdict != VERDICT_DROP && d.acked[SERVER] != seq) {
			uint32_t news = d.acked[SERVER] - seq;

			memcpy(out + length - news, d.out + d.out_length - news, news);
		}
	}
	assert_int_equal(length, strlen(PORT_OUT));
	assert_memory_equal(out, PORT_OUT, length);
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

static void hole_is_dropped(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] + 6, TCP_ACK, PORT_IN, strlen(PORT_IN));
	assert_int_equal(d.verdict, VERDICT_DROP);
	assert_int_equal(d.expect_calls, 0);
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	dialogue_close(&d);
}

/* ---- sent again ---- */

static void sent_again_unacknowledged(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	start = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, PORT_IN);
	for (unsigned int i = 0; i < 5; i++) {
		dialogue_packet(&d, CLIENT, start, TCP_ACK, PORT_IN, strlen(PORT_IN));
		dialogue_left(&d, PORT_OUT);
		assert_int_equal(dialogue_left_seq(&d), start);
	}
	/* coalesced with what follows, and a part of it */
	dialogue_packet(&d, CLIENT, start, TCP_ACK, PORT_IN "LIST\r\n", strlen(PORT_IN) + 6);
	dialogue_left(&d, PORT_OUT "LIST\r\n");
	dialogue_packet(&d, CLIENT, start, TCP_ACK, PORT_IN, 9);
	dialogue_left(&d, "PORT 198,51,100,254,11,185");
	assert_int_equal(d.expect_calls, 1);
	assert_int_equal(d.adjust_calls, 1);
	dialogue_close(&d);
}

/* The old text must not leave any more, nor what precedes it; the receiver is reminded instead. */
static void sent_again_acknowledged(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	start = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_packet(&d, CLIENT, start, TCP_ACK, PORT_IN, strlen(PORT_IN) - 2);
	assert_int_equal(d.verdict, VERDICT_REPLACE);
	assert_int_equal(d.out_length, d.in.payload);
	assert_true(seq_before(dialogue_left_seq(&d), start + strlen(PORT_IN)));
	dialogue_packet(&d, CLIENT, start, TCP_ACK, PORT_IN "LIST\r\n", strlen(PORT_IN) + 6);
	dialogue_left(&d, "\r\nLIST\r\n");
	dialogue_close(&d);
}

/*
 * What stands behind the last edit leaves as often as it comes, though it has been acknowledged: by somebody else, perhaps, and its receiver
 * does not have it. The edit may be as long as what it replaced.
 */
static void acknowledged_by_another(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct dialogue d;
		uint32_t start, behind;

		dialogue_begin(&d, MASQUERADE);
		d.by = i & 1 ? SEQADJ_SELF : SEQADJ_KERNEL;
		if (i & 2)
			d.binding.tuple[DIRECTION_REPLY].dst =
				(struct endpoint){ .family = FAMILY_IPV4, .address = { 20, 0, 0, 2 }, .port = 40000 };
		dialogue_handshake(&d);
		dialogue_says(&d, SERVER, "220 ready\r\n");
		start = d.seq[CLIENT];
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_left(&d, i & 2 ? "PORT 20,0,0,2,11,185\r\n" : PORT_OUT);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		behind = d.seq[CLIENT];
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_packet(&d, CLIENT, behind, TCP_ACK, "NOOP\r\n", 6);
		dialogue_left(&d, "NOOP\r\n");
		dialogue_packet(&d, CLIENT, start, TCP_ACK, PORT_IN "NOOP\r\n", strlen(PORT_IN) + 6);
		dialogue_left(&d, "\r\nNOOP\r\n");
		dialogue_close(&d);
	}
}

/* The same of one that is met in its middle, and whose last edit only conntrack knows: it ends before what has been acknowledged then. */
static void met_behind_an_edit(void **state)
{
	struct dialogue d;
	uint8_t before[66] = "not to leave";
	uint32_t behind;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.seq[CLIENT] = 1100;
	d.acked[SERVER] = 1100 + GROWTH;
	d.seq[SERVER] = d.acked[CLIENT] = 5008;
	d.binding.seqadj[CLIENT] = d.adj[CLIENT] = (struct seqadj){ .pos = 1050, .before = 0, .after = GROWTH };
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	behind = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_packet(&d, CLIENT, behind, TCP_ACK, "NOOP\r\n", 6);
	dialogue_left(&d, "NOOP\r\n");
	memcpy(before + 60, "QUIT\r\n", 6); /* NOLINT(bugprone-not-null-terminated-result): bytes */
	dialogue_packet(&d, CLIENT, behind - 60, TCP_ACK, before, sizeof(before));
	dialogue_left(&d, "QUIT\r\n");
	dialogue_close(&d);
}

static void second_edit_waits(void **state)
{
	struct dialogue d;
	uint32_t second;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	second = d.seq[CLIENT] + strlen(PORT_IN) + 5;
	dialogue_says(&d, CLIENT, PORT_IN "PORT 10,0,0,2,11,186\r\n");
	dialogue_left(&d, PORT_OUT "PORT ");
	assert_int_equal(d.expect_calls, 1);
	d.acked[SERVER] = second + GROWTH;
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_packet(&d, CLIENT, second, TCP_ACK, "10,0,0,2,11,186\r\n", 17);
	dialogue_left(&d, "198,51,100,254,11,186\r\n");
	assert_int_equal(d.adj[CLIENT].pos, second);
	assert_int_equal(d.adj[CLIENT].before, GROWTH);
	assert_int_equal(d.adj[CLIENT].after, 2 * GROWTH);
	dialogue_close(&d);
}

/* ---- size ---- */

static void growth_is_cut_off(void **state)
{
	char line[1461], expected[1462];
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	memset(line, 'x', sizeof(line));
	memcpy(line, PORT_IN "STOR ", strlen(PORT_IN) + 5);
	memcpy(line + 1458, "\r\n", 3);
	dialogue_says(&d, CLIENT, line);
	assert_int_equal(d.out_length - d.in.payload, 1460);
	snprintf(expected, sizeof(expected), "%s%.*s", PORT_OUT, 1460 - (int)strlen(PORT_OUT), line + strlen(PORT_IN));
	dialogue_left(&d, expected);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] - GROWTH, TCP_ACK, line + 1460 - GROWTH, GROWTH);
	assert_int_equal(d.out_length - d.in.payload, GROWTH);
	assert_memory_equal(d.out + d.in.payload, line + 1460 - GROWTH, GROWTH);
	dialogue_close(&d);
}

static void urgent_data(void **state)
{
	static const char line[] = PORT_IN "\377\364\377\362ABOR\r\n";
	struct dialogue d;
	const uint32_t end = strlen(PORT_IN) + 4;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	packet_make(&d.in, &d.inside[CLIENT], &d.inside[SERVER], d.seq[CLIENT], d.acked[CLIENT], TCP_ACK | TCP_URG,
		    NULL, line, sizeof(line) - 1);
	packet_put16(d.in.bytes + d.in.tcp + 18, end);
	packet_mend(&d.in);
	dialogue_input(&d);
	assert_int_equal(d.out_length - d.in.payload, sizeof(line) - 1 + GROWTH);
	assert_int_equal(packet_get16(d.out + d.in.tcp + 18), end + GROWTH);
	dialogue_close(&d);
}

/* ---- doubtful packets ---- */

static void broken_stays_broken(void **state)
{
	struct output output;
	struct arrival arrival;
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	output = (struct output){ .buffer = d.buffer, .capacity = sizeof(d.buffer) };
	packet_make(&d.in, &d.inside[CLIENT], &d.inside[SERVER], d.seq[CLIENT], d.acked[CLIENT], TCP_ACK, NULL, PORT_IN,
		    strlen(PORT_IN));
	d.in.bytes[d.in.payload + 7] ^= 4;
	assert_int_equal(session_arrive(&d.engine, &arrival, d.in.bytes, d.in.length, false, 0), 0);
	assert_int_equal(session_input(&d.engine, &arrival, d.now, &output), VERDICT_ACCEPT);
	assert_int_equal(d.expect_calls, 0);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	dialogue_close(&d);
}

static void keepalive_passes(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] - 1, TCP_ACK, "\n", 1);
	assert_int_not_equal(d.verdict, VERDICT_DROP);
	assert_true(seq_before(dialogue_left_seq(&d), d.seq[CLIENT]));
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] - 1, TCP_ACK, NULL, 0);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	dialogue_close(&d);
}

static void ftp_data_is_not_followed(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	dialogue_packet(&d, CLIENT, 1, TCP_RST, NULL, 0);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	dialogue_packet(&d, CLIENT, 1, TCP_ACK, NULL, 0);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	assert_int_equal(table_sessions(d.engine.table), 0);
	dialogue_close(&d);
}

/* ---- restart ---- */

static void opaque_goes_on_renumbering(void **state)
{
	struct dialogue d;
	uint32_t shown;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.by = SEQADJ_SELF;
	dialogue_handshake(&d);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, "AUTH TLS\r\n");
	dialogue_says(&d, SERVER, "234 go\r\n");
	shown = d.seq[CLIENT] + GROWTH;
	dialogue_says(&d, CLIENT, "\026\003\001\001 secret " PORT_IN);
	dialogue_left(&d, "\026\003\001\001 secret " PORT_IN);
	assert_int_equal(dialogue_left_seq(&d), shown);
	dialogue_close(&d);
}

static void restart_goes_on(void **state)
{
	(void)state;
	for (unsigned int by = 0; by < 2; by++) {
		struct dialogue d;
		uint32_t shown;

		dialogue_begin(&d, MASQUERADE);
		d.by = by ? SEQADJ_SELF : SEQADJ_KERNEL;
		dialogue_handshake(&d);
		dialogue_says(&d, SERVER, "220 x\r\n");
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_restart(&d);
		shown = d.seq[CLIENT] + (by ? GROWTH : 0);
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		assert_int_equal(dialogue_left_seq(&d), shown);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,186\r\n");
		dialogue_left(&d, "PORT 198,51,100,254,11,186\r\n");
		dialogue_close(&d);
	}
}

/*
 * The daemon dies with an edit in flight. Where nothing guards such a connection its packets pass meanwhile, the acknowledgement of the edit
 * among them, and it goes on when the daemon is back. Where a queue that does not bypass does, nothing can have passed.
 */
static void edit_acknowledged_unseen(void **state)
{
	(void)state;
	for (unsigned int guarded = 0; guarded < 2; guarded++) {
		const struct session *session = NULL;
		struct dialogue d;

		dialogue_ready(&d, MASQUERADE);
		d.conntrack.guarded = guarded;
		dialogue_says(&d, CLIENT, PORT_IN);
		d.binding.seqadj[CLIENT] = d.adj[CLIENT];
		dialogue_restart(&d);
		d.seq[SERVER] += 16; /* 200 ok, 200 ok */
		d.acked[CLIENT] += 16;
		d.seq[CLIENT] += 6; /* NOOP */
		d.acked[SERVER] += sizeof(PORT_IN) - 1 + GROWTH + 6;
		for (unsigned int time = 0; time < 4; time++) {
			d.now += 300;
			dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK | TCP_PSH, "NOOP\r\n", 6);
			dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
		}
		for (uint32_t index = 1; index <= table_slots(d.engine.table) && !session; index++)
			session = table_slot(d.engine.table, index);
		assert_non_null(session);
		assert_int_equal(session->stream[CLIENT].next == d.seq[CLIENT] + 6, !guarded);
		dialogue_close(&d);
	}
}

/*
 * A text grows in a stream that has become shorter: conntrack, which is told the later shift only, leaves us to move what stands before the
 * edit. Once that is acknowledged, packets have nothing of ours: they pass as they are, and do not count.
 */
static void settled_leaves_nothing(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.conntrack.guarded = true;
	for (unsigned int i = 0; i < 4; i++) { /* by two bytes each */
		dialogue_says(&d, CLIENT, "PORT 010,000,000,002,011,185\r\n");
		dialogue_left(&d, "PORT 198,51,100,254,11,185\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
	}
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, "PORT 198,51,100,254,11,185\r\n");
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] - (uint32_t)strlen(PORT_IN), TCP_ACK, NULL, 0); /* a keepalive's */
	assert_int_equal(d.verdict, VERDICT_REPLACE);
	assert_int_equal(d.engine.counters.renumbered, 1);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	assert_int_equal(d.settle_calls, 5);
	for (unsigned int i = 0; i < 3; i++) {
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
	}
	assert_int_equal(d.engine.counters.renumbered, 1);
	dialogue_close(&d);
}

static void nothing_leaks(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE | DNAT);
	for (unsigned int i = 0; i < 20; i++) {
		dialogue_says(&d, CLIENT, i & 1 ? "PASV\r\n" : PORT_IN);
		dialogue_says(&d, SERVER, i & 1 ? "227 x (192,168,7,3,11,185)\r\n" : "200 ok\r\n");
	}
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_FIN | TCP_ACK, NULL, 0);
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_FIN | TCP_ACK, NULL, 0);
	assert_int_equal(d.expectations, 0);
	session_tick(&d.engine, d.now + 3600 * 1000, 100);
	assert_int_equal(table_works(d.engine.table), 0);
	assert_int_equal(table_sessions(d.engine.table), 0);
	dialogue_close(&d);
}

static void table_full(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	for (unsigned int i = 0; i < 40; i++) {
		d.inside[CLIENT].port = (uint16_t)(2000 + i);
		dialogue_packet(&d, CLIENT, 1, TCP_SYN, NULL, 0);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		d.acked[SERVER] = 2;
		dialogue_packet(&d, SERVER, 1, TCP_SYN | TCP_ACK, NULL, 0);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
	}
	assert_true(d.engine.counters.full > 0);
	assert_true(table_sessions(d.engine.table) <= d.size.sessions);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_notation),
		cmocka_unit_test(unchanged_where_nothing_calls_for_it),
		cmocka_unit_test(expectations_are_right),
		cmocka_unit_test(taken_port),
		cmocka_unit_test(equal_length_is_told),
		cmocka_unit_test(kernel_renumbers),
		cmocka_unit_test(self_renumbers),
		cmocka_unit_test(many_edits),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(hole_is_dropped),
		cmocka_unit_test(sent_again_unacknowledged),
		cmocka_unit_test(sent_again_acknowledged),
		cmocka_unit_test(acknowledged_by_another),
		cmocka_unit_test(met_behind_an_edit),
		cmocka_unit_test(second_edit_waits),
		cmocka_unit_test(growth_is_cut_off),
		cmocka_unit_test(urgent_data),
		cmocka_unit_test(broken_stays_broken),
		cmocka_unit_test(keepalive_passes),
		cmocka_unit_test(ftp_data_is_not_followed),
		cmocka_unit_test(opaque_goes_on_renumbering),
		cmocka_unit_test(restart_goes_on),
		cmocka_unit_test(edit_acknowledged_unseen),
		cmocka_unit_test(settled_leaves_nothing),
		cmocka_unit_test(nothing_leaks),
		cmocka_unit_test(table_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
