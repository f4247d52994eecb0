// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two connections, one after the other, between the same ports. What the session knows of the first must not be
 * believed of the second, even where most of either was not seen: the daemon may have been
 * away. And nobody can end the first by pretending to begin a second.
 */
#include "unit.h"

#include "common/dialogue.h"

#define PORT_REPLACED "PORT 198,51,100,254,11,185\r\n"

/* A connection with an edit, all of it acknowledged. */
static void begin(struct dialogue *d, enum seqadj_by by)
{
	dialogue_begin(d, MASQUERADE);
	d->by = by;
	dialogue_handshake(d);
	dialogue_says(d, SERVER, "220 x\r\n");
	dialogue_says(d, CLIENT, PORT_IN);
	dialogue_left(d, PORT_REPLACED);
	dialogue_says(d, SERVER, "200 ok\r\n");
	assert_int_equal(d->adj[CLIENT].after, 6);
	if (by == SEQADJ_KERNEL)
		d->binding.seqadj[CLIENT] = d->adj[CLIENT];
}

static void end(struct dialogue *d)
{
	dialogue_packet(d, CLIENT, d->seq[CLIENT]++, TCP_ACK | TCP_FIN, NULL, 0);
	dialogue_packet(d, SERVER, d->seq[SERVER]++, TCP_ACK | TCP_FIN, NULL, 0);
	d->now += 70000;
}

static void number_anew(struct dialogue *d, uint32_t client, uint32_t server)
{
	d->seq[CLIENT] = client;
	d->seq[SERVER] = server;
	d->acked[CLIENT] = server;
	d->acked[SERVER] = client;
}

static void shake_hands(struct dialogue *d)
{
	dialogue_packet(d, CLIENT, d->seq[CLIENT] - 1, TCP_SYN, NULL, 0);
	dialogue_packet(d, SERVER, d->seq[SERVER] - 1, TCP_SYN | TCP_ACK, NULL, 0);
}

static void reply_acknowledges(const struct dialogue *d, uint32_t ack)
{
	assert_int_not_equal(d->verdict, VERDICT_DROP);
	assert_int_equal(packet_get32(d->out + d->in.tcp + 8), ack);
}

enum proof {
	ENDED,	      /* the end of the first was seen */
	ANOTHER_ID,   /* conntrack has another connection there */
	NOT_ADJUSTED, /* conntrack adjusts it no longer as it has been told */
};

static void opens_again(enum seqadj_by by, enum proof proof)
{
	struct dialogue d;

	begin(&d, by);
	if (proof == ENDED)
		end(&d);
	if (proof != ANOTHER_ID || by == SEQADJ_SELF)
		memset(d.binding.seqadj, 0, sizeof(d.binding.seqadj));
	if (proof == ANOTHER_ID)
		d.binding.id++;
	number_anew(&d, 900000001, 1800000001);
	shake_hands(&d);
	reply_acknowledges(&d, 900000001);
	d.expectations = 0;
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_REPLACED);
	assert_int_equal(d.expectations, 1);
	assert_int_equal(d.adj[CLIENT].before, 0);
	assert_int_equal(d.adj[CLIENT].after, 6);
	dialogue_close(&d);
}

static void opened_again(void **state)
{
	(void)state;
	opens_again(SEQADJ_KERNEL, ENDED);
	opens_again(SEQADJ_SELF, ENDED);
	opens_again(SEQADJ_KERNEL, ANOTHER_ID);
	opens_again(SEQADJ_SELF, ANOTHER_ID);
	opens_again(SEQADJ_KERNEL, NOT_ADJUSTED);
}

/*
 * Conntrack adjusts the second as it did the first, and cannot be told otherwise when that begins. Until it can, it would move every packet as the
 * first one's: so none passes. It is told with each that comes again, of both directions.
 */
static void told_in_the_end(void **state)
{
	struct dialogue d;
	unsigned int calls;

	(void)state;
	begin(&d, SEQADJ_KERNEL);
	end(&d);
	number_anew(&d, 900000001, 1800000001);
	d.adjust_error = -EIO;
	d.expectations = 0;
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] - 1, TCP_SYN, NULL, 0);
	for (unsigned int i = 0; i < 3; i++) {
		calls = d.adjust_calls;
		dialogue_packet(&d, SERVER, d.seq[SERVER] - 1, TCP_SYN | TCP_ACK, NULL, 0);
		assert_int_equal(d.verdict, VERDICT_DROP);
		assert_true(d.adjust_calls > calls);
	}
	d.adjust_error = 0;
	dialogue_packet(&d, SERVER, d.seq[SERVER] - 1, TCP_SYN | TCP_ACK, NULL, 0);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	assert_int_equal(d.adj[CLIENT].after, 0);
	memset(d.binding.seqadj, 0, sizeof(d.binding.seqadj));
	calls = d.adjust_calls;
	dialogue_says(&d, SERVER, "220 x\r\n");
	assert_int_equal(d.adjust_calls, calls);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_REPLACED);
	assert_int_equal(d.expectations, 1);
	assert_int_equal(d.adj[CLIENT].before, 0);
	assert_int_equal(d.adj[CLIENT].after, 6);
	dialogue_close(&d);
}

/*
 * So it is in the midst: the answer passed while conntrack did not say whose it is. What is INVALID to conntrack it does not move, nor does it one of a
 * connection that it has forgotten.
 */
static void told_amid_the_connection(void **state)
{
	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		struct dialogue d;

		begin(&d, SEQADJ_KERNEL);
		end(&d);
		number_anew(&d, 900000001, 1800000001);
		d.find_error = -ENOBUFS;
		shake_hands(&d);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		d.find_error = 0;
		d.adjust_error = -EIO;
		for (int i = 0; i < 4; i++) {
			dialogue_packet(&d, i % 2, d.seq[i % 2], TCP_ACK, "x", i < 2);
			assert_int_equal(d.verdict, VERDICT_DROP);
		}
		d.invalid = true;
		dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		d.invalid = false;
		d.adjust_error = gone ? -EIO : 0;
		d.find_error = gone ? -ENOENT : 0;
		dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		dialogue_close(&d);
	}
}

/* Somebody goes on behind a handshake that he has played, and announces. */
static void goes_on(struct dialogue *d)
{
	dialogue_says(d, SERVER, "220 x\r\n");
	dialogue_says(d, CLIENT, PORT_IN);
}

/*
 * The answer of a handshake that somebody plays behind what is over is lost, since conntrack cannot be told that it moves another's packets now. So no
 * client hears of it, to reset it: it has begun nothing, and what goes on behind it begins nothing. The real one has the place.
 */
static void lost_answer(void **state)
{
	struct dialogue d;
	unsigned int calls;

	(void)state;
	begin(&d, SEQADJ_KERNEL);
	end(&d);
	calls = d.expect_calls;
	d.adjust_error = -EIO;
	number_anew(&d, 77001, 99001);
	shake_hands(&d);
	assert_int_equal(d.verdict, VERDICT_DROP);
	d.adjust_error = 0;
	goes_on(&d);
	assert_int_equal(d.expect_calls, calls);
	number_anew(&d, 900000001, 1800000001);
	shake_hands(&d);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	memset(d.binding.seqadj, 0, sizeof(d.binding.seqadj));
	goes_on(&d);
	dialogue_left(&d, PORT_REPLACED);
	assert_int_equal(d.expect_calls, calls + 1);
	dialogue_close(&d);
}

/* The same amid a connection that conntrack would move as the one before it, once that is over, too. */
static void lost_answer_amid(void **state)
{
	struct dialogue d;
	unsigned int calls;

	(void)state;
	begin(&d, SEQADJ_KERNEL);
	end(&d);
	number_anew(&d, 900000001, 1800000001);
	d.find_error = -ENOBUFS;
	shake_hands(&d);
	d.find_error = 0;
	d.adjust_error = -EIO;
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, "220 x\r\n", 7);
	number_anew(&d, 77001, 99001);
	shake_hands(&d);
	assert_int_equal(d.verdict, VERDICT_DROP);
	d.adjust_error = 0;
	number_anew(&d, 900000001, 1800000001);
	goes_on(&d);
	calls = d.expect_calls;
	dialogue_says(&d, SERVER, "200 ok\r\n");
	end(&d);
	d.now -= 60000;
	number_anew(&d, 77001, 99001);
	goes_on(&d);
	assert_int_equal(d.expect_calls, calls);
	dialogue_close(&d);
}

/*
 * Both have said their last, and the client has not heard that it was heard. It says so again, in numbers that only we move; a handshake that
 * somebody plays meanwhile does not make it another's. Once it has heard, a handshake does.
 */
static void not_quite_ended(void **state)
{
	struct dialogue d;
	uint32_t last;

	(void)state;
	begin(&d, SEQADJ_SELF);
	last = d.seq[CLIENT];
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_ACK | TCP_FIN, NULL, 0);
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_ACK | TCP_FIN, NULL, 0);
	for (int i = 0; i < 2; i++) {
		const struct dialogue before = d;

		number_anew(&d, 900000001, 1800000001);
		shake_hands(&d);
		dialogue_says(&d, SERVER, "220 x\r\n");
		assert_int_equal(d.engine.counters.sessions, i ? 2 : 1);
		memcpy(d.seq, before.seq, sizeof(d.seq));
		memcpy(d.acked, before.acked, sizeof(d.acked));
		if (i)
			break;
		dialogue_packet(&d, CLIENT, last, TCP_ACK | TCP_FIN, NULL, 0);
		assert_int_equal(dialogue_left_seq(&d), last + 6);
		d.acked[SERVER] = last + 6 + 1;
		dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
		d.acked[CLIENT] = d.seq[SERVER];
		dialogue_packet(&d, CLIENT, last + 1, TCP_ACK, NULL, 0);
	}
	dialogue_close(&d);
}

/*
 * A daemon that began behind the SYN has met the SYN/ACK alone; then a copy of both comes. What an end says again when the connection has
 * ended is its own all the same, not a new one's of that handshake: it is adjusted as before.
 */
static void own_handshake_again(void **state)
{
	struct dialogue d;
	uint32_t start[2], last;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	start[CLIENT] = d.seq[CLIENT]++;
	start[SERVER] = d.seq[SERVER]++;
	d.acked[SERVER] = d.seq[CLIENT];
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_packet(&d, SERVER, start[SERVER], TCP_SYN | TCP_ACK, NULL, 0);
	dialogue_packet(&d, CLIENT, start[CLIENT], TCP_SYN, NULL, 0);
	dialogue_packet(&d, SERVER, start[SERVER], TCP_SYN | TCP_ACK, NULL, 0);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, "USER x\r\n");
	dialogue_says(&d, SERVER, "331 x\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_REPLACED);
	d.binding.seqadj[CLIENT] = d.adj[CLIENT];
	last = d.seq[SERVER];
	dialogue_says(&d, SERVER, "200 ok\r\n");
	end(&d);
	d.now -= 65000;
	dialogue_packet(&d, SERVER, last, TCP_ACK | TCP_PSH, "200 ok\r\n", 8);
	assert_int_equal(d.engine.counters.sessions, 1);
	assert_int_equal(d.adj[CLIENT].after, 6);
	dialogue_close(&d);
}

static void own_copy(struct dialogue *d)
{
	const uint32_t acked = d->acked[SERVER];

	dialogue_packet(d, CLIENT, 1000, TCP_SYN, NULL, 0);
	d->acked[SERVER] = 1001;
	dialogue_packet(d, SERVER, 5000, TCP_SYN | TCP_ACK, NULL, 0);
	d->acked[SERVER] = acked;
}

/*
 * A copy of the whole handshake comes when what was noted of it is over, and with it an RST that its receiver never has, before it or behind: both
 * ends go on. Their session is none that begins with the copy: it is adjusted as before, or its bytes would stand where nobody is.
 */
static void own_handshake_and_reset(void **state)
{
	struct dialogue d;

	(void)state;
	for (int how = 0; how < 4; how++) {
		dialogue_ready(&d, MASQUERADE);
		if (how & 1) {
			dialogue_says(&d, CLIENT, PORT_IN);
			dialogue_left(&d, PORT_REPLACED);
			d.binding.seqadj[CLIENT] = d.adj[CLIENT];
			dialogue_says(&d, SERVER, "200 ok\r\n");
		}
		d.now += 70000;
		if (how & 2)
			dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK | TCP_RST, NULL, 0);
		own_copy(&d);
		if (!(how & 2))
			dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK | TCP_RST, NULL, 0);
		dialogue_says(&d, SERVER, "211 x\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		assert_int_equal(d.engine.counters.sessions, 1);
		assert_int_equal(d.adj[CLIENT].after, how & 1 ? 6 : 0);
		dialogue_close(&d);
	}
}

/* A whole handshake with numbers of somebody's own, or one that the SYN/ACK alone makes up. Conntrack knows the connection as before. */
static void pretend(struct dialogue *d, bool syn)
{
	const uint32_t acked = d->acked[SERVER];

	if (syn)
		dialogue_packet(d, CLIENT, 900000000, TCP_SYN, NULL, 0);
	d->acked[SERVER] = syn ? 900000001 : acked;
	dialogue_packet(d, SERVER, 1800000000, TCP_SYN | TCP_ACK, NULL, 0);
	d->acked[SERVER] = acked;
	assert_int_equal(d->engine.counters.disbelieved[BELIEF_HANDSHAKE], 1);
}

static void opened_by_a_liar(void **state)
{
	struct dialogue d;

	(void)state;
	for (int by = 0; by < 4; by++) {
		begin(&d, by & 1 ? SEQADJ_SELF : SEQADJ_KERNEL);
		d.binding.seqadj[SERVER].pos = 4000; /* of an edit that moved nothing, in a connection before */
		pretend(&d, by & 2);
		dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,186\r\n");
		dialogue_left(&d, "PORT 198,51,100,254,11,186\r\n");
		if (by & 1)
			assert_int_equal(dialogue_left_seq(&d), d.seq[CLIENT] - strlen(PORT_IN) + 6);
		else
			assert_int_equal(d.adj[CLIENT].after, 12);
		dialogue_close(&d);
	}
}

/* Bytes from the client's next on, in a packet that brings a note. */
static void says_with_note(struct dialogue *d, const char *line, uint32_t from)
{
	const char *text = line + from;
	const struct scan_note note = { .next = { d->seq[CLIENT], d->seq[SERVER] } };
	struct output output = { .buffer = d->buffer, .capacity = sizeof(d->buffer) };
	struct arrival arrival;

	packet_make(&d->in, &d->inside[CLIENT], &d->inside[SERVER], d->seq[CLIENT] + from, d->seq[SERVER],
		    TCP_ACK | TCP_PSH, NULL, text, (uint32_t)strlen(text));
	d->out = d->in.bytes;
	d->out_length = d->in.length;
	assert_int_equal(session_arrive(&d->engine, &arrival, d->in.bytes, d->in.length, false, 0), 0);
	passed_input(&d->engine, &arrival, d->now, &note);
	d->verdict = session_input(&d->engine, &arrival, d->now, &output);
	if (d->verdict == VERDICT_REPLACE) {
		d->out = output.packet;
		d->out_length = (uint32_t)output.length;
	}
}

/*
 * Its sender learns that "PORT " has arrived and sends the rest again, and again: then it is edited, as the first edit
 * of its connection.
 */
static void is_edited(struct dialogue *d)
{
	uint32_t tries = 0;

	memset(d->adj, 0, sizeof(d->adj));
	d->expectations = 0;
	do {
		says_with_note(d, PORT_IN, tries ? 5 : 0);
		assert_int_equal(d->verdict, VERDICT_REPLACE);
		d->now += 200u << tries;
	} while (!d->expectations && ++tries < 9);
	assert_int_equal(tries, 3);
	assert_int_equal(d->adj[CLIENT].before, 0);
	assert_int_equal(d->adj[CLIENT].after, 6);
	assert_memory_equal(d->out + d->in.payload, "198", 3);
}

static void noted_again(uint32_t client, uint32_t server, bool ended)
{
	struct dialogue d;

	begin(&d, SEQADJ_KERNEL);
	if (ended)
		end(&d);
	memset(d.binding.seqadj, 0, sizeof(d.binding.seqadj));
	number_anew(&d, client, server);
	is_edited(&d);
	dialogue_close(&d);
}

/* Not even the SYN/ACK was seen: the first that is heard is a note with other numbers. */
static void known_by_its_note(void **state)
{
	(void)state;
	for (int ended = 0; ended < 2; ended++) {
		noted_again(4000000000, 4100000000, ended);
		noted_again(9000000, 10000000, ended);
		noted_again(9000000, 4100000000, ended);
	}
}

/* A connection that was never heard of: what it says now it may have said while nobody listened. */
static void first_heard_of(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	is_edited(&d);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opened_again),
		cmocka_unit_test(told_in_the_end),
		cmocka_unit_test(told_amid_the_connection),
		cmocka_unit_test(lost_answer),
		cmocka_unit_test(lost_answer_amid),
		cmocka_unit_test(not_quite_ended),
		cmocka_unit_test(own_handshake_again),
		cmocka_unit_test(own_handshake_and_reset),
		cmocka_unit_test(opened_by_a_liar),
		cmocka_unit_test(known_by_its_note),
		cmocka_unit_test(first_heard_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
