// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a stream owes its sender and its receiver when segments come again: a part that is held back is given back or
 * acknowledged, never kept for ever; what has left is never taken back; what is held back never leaves by itself.
 */
#include "unit.h"

#include "common/dialogue.h"

#define NEXT_IN "PORT 10,0,0,2,11,186\r\n"

static void again(struct dialogue *d, uint32_t seq, const char *text)
{
	dialogue_packet(d, CLIENT, seq, TCP_ACK | TCP_PSH, text, (uint32_t)strlen(text));
}

/* Where the receiver's acknowledgement of all before the argument shows its sender to be, where conntrack renumbers. */
static uint32_t acknowledged_to(const struct dialogue *d, uint32_t seq)
{
	return seqadj_back(&d->adj[CLIENT], seq);
}

/* ---- a held part comes again ---- */

/* RFC 6298 section 5.4: the first segment that is not acknowledged, alone. */
static void first_segment_alone(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	start = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, "PORT 10,0,0,");
	dialogue_left(&d, "PORT ");
	dialogue_says(&d, CLIENT, "2,11,1");
	assert_int_equal(d.adjust_calls, 0);
	d.now += 1000;
	again(&d, start, "10,0,0,");
	assert_int_equal(acknowledged_to(&d, start), start + 13);
	dialogue_says(&d, CLIENT, "85\r\n");
	dialogue_left(&d, "198,51,100,254,11,185\r\n");
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

/* It comes again in smaller segments than before. */
static void smaller_segments(void **state)
{
	(void)state;
	for (uint32_t length = 1; length < 10; length++) {
		struct dialogue d;
		char text[16] = "10,0,0,2,";
		uint32_t start;

		text[length] = 0;
		dialogue_ready(&d, MASQUERADE);
		start = d.seq[CLIENT] + 5;
		dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11");
		d.now += 1000;
		again(&d, start, text);
		assert_int_equal(acknowledged_to(&d, start), start + 11);
		dialogue_says(&d, CLIENT, ",185\r\n");
		dialogue_left(&d, "198,51,100,254,11,185\r\n");
		dialogue_close(&d);
	}
}

/* A sender whose part was acknowledged so sends the next piece, and waits for an acknowledgement of that as well. */
static void next_piece(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	start = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, "PORT 10,0");
	d.now += 1000;
	again(&d, start, "10,0");
	assert_int_equal(acknowledged_to(&d, start), start + 4);
	dialogue_says(&d, CLIENT, ",0,2");
	assert_int_equal(acknowledged_to(&d, start), start + 8);
	dialogue_says(&d, CLIENT, ",11,185\r\n");
	dialogue_left(&d, "198,51,100,254,11,185\r\n");
	dialogue_close(&d);
}

/* What has been swallowed is owed from its first byte on: an acknowledgement of all before it is what it says. */
static void owed_begins_with_the_part(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	start = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11");
	again(&d, start, "10,0,0,2,11");
	assert_int_equal(acknowledged_to(&d, start), start + 11);
	dialogue_says(&d, CLIENT, ",185\r\n");
	assert_int_equal(acknowledged_to(&d, start), start);
	assert_int_equal(acknowledged_to(&d, start + 23), start + 17);
	/* A sender that has not heard of it begins before. */
	again(&d, start - 5, "PORT ");
	dialogue_left(&d, "PORT ");
	again(&d, start - 5, "PORT 1");
	dialogue_left(&d, "PORT 198,51,100,254,11,185");
	dialogue_close(&d);
}

/* While an earlier edit is in flight a part cannot be swallowed; that it comes often at once is no reason to give it
 * up. */
static void not_given_up_in_flight(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	dialogue_says(&d, CLIENT, PORT_IN "PORT 10,0,0,2,1");
	dialogue_left(&d, PORT_OUT "PORT ");
	start = d.seq[CLIENT] - 10;
	for (unsigned int i = 0; i < 12; i++) {
		again(&d, start, "10,0,0,2,1");
		assert_int_equal(d.out_length - d.in.payload, 0);
	}
	assert_int_equal(d.reports[REPORT_REFUSE], 0);
	d.acked[SERVER] = start + GROWTH;
	dialogue_says(&d, SERVER, "200 ok\r\n");
	again(&d, start, "10,0,0,2,1");
	assert_int_equal(acknowledged_to(&d, start + GROWTH), start + 10);
	dialogue_says(&d, CLIENT, "1,186\r\n");
	dialogue_left(&d, "198,51,100,254,11,186\r\n");
	dialogue_close(&d);
}

/* No acknowledgement is ever seen; but a sender that begins with the argument, twice and well apart, has had one. */
static void asked_for_in_pieces(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	dialogue_says(&d, CLIENT, PORT_IN NEXT_IN);
	dialogue_left(&d, PORT_OUT "PORT ");
	start = d.seq[CLIENT] - 17;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(d.expect_calls, 1);
		d.now += 300u << i;
		again(&d, start, "10,0,");
		again(&d, start + 5, "0,2,11,");
		again(&d, start + 12, "186\r\n");
	}
	assert_int_equal(d.expect_calls, 2);
	assert_int_equal(d.adj[CLIENT].after, 2 * GROWTH);
	dialogue_close(&d);
}

/* So it is where what comes again is more each time. */
static void asked_for_with_more(void **state)
{
	static const char *const pieces[] = { "10,0", "10,0,0,2", "10,0,0,2,11,1" };
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	dialogue_says(&d, CLIENT, PORT_IN NEXT_IN);
	dialogue_left(&d, PORT_OUT "PORT ");
	start = d.seq[CLIENT] - 17;
	for (unsigned int i = 0; i < 2; i++) {
		d.now += 300u << i;
		again(&d, start, pieces[i]);
	}
	assert_int_equal(acknowledged_to(&d, start + GROWTH), start + 8);
	again(&d, start, pieces[2]);
	assert_int_equal(acknowledged_to(&d, start + GROWTH), start + 13);
	again(&d, start + 13, "86\r\n");
	dialogue_left(&d, "198,51,100,254,11,186\r\n");
	assert_int_equal(d.expect_calls, 2);
	assert_int_equal(d.adj[CLIENT].after, 2 * GROWTH);
	dialogue_close(&d);
}

/* A greeting on a path whose segments carry no more than this. */
static void ready_on_path(struct dialogue *d, uint8_t most)
{
	const uint8_t mss[4] = { 2, 4, 0, most };
	const struct packet_options options = { .tcp = mss, .tcp_length = 4 };

	dialogue_begin(d, MASQUERADE);
	packet_make(&d->in, &d->inside[CLIENT], &d->inside[SERVER], d->seq[CLIENT]++, 0, TCP_SYN, &options, NULL, 0);
	dialogue_input(d);
	d->acked[SERVER] = d->seq[CLIENT];
	packet_make(&d->in, &d->inside[SERVER], &d->inside[CLIENT], d->seq[SERVER]++, d->acked[SERVER],
		    TCP_SYN | TCP_ACK, &options, NULL, 0);
	dialogue_input(d);
	d->acked[CLIENT] = d->seq[SERVER];
	dialogue_says(d, SERVER, "220 x\r\n");
	dialogue_says(d, CLIENT, "PORT ");
}

/* Where the path's segments are too small to give a part back in one, it passes as it came; nothing waits for ever. */
static void too_small_to_swallow(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	ready_on_path(&d, 10);
	start = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, "10,0,0,2,1");
	for (unsigned int i = 0; i < 6 && !d.reports[REPORT_REFUSE]; i++) {
		d.now += 1000u << i;
		again(&d, start, "10,0,0,2,1");
	}
	assert_int_equal(d.refusal, REFUSED_STALLED);
	dialogue_left(&d, "10,0,0,2,1");
	dialogue_says(&d, CLIENT, "1,185\r\n");
	dialogue_left(&d, "1,185\r\n");
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_left(&d, "NOOP\r\n");
	assert_int_equal(d.adjust_calls, 0);
	dialogue_close(&d);
}

/* What the text may become is longer than the path's segments: it passes as it came, and nothing opens. One more byte is enough. */
static void no_space_for_the_text(void **state)
{
	static const char argument[] = "10,0,0,2,11,185\r\n";
	const uint8_t widest = (uint8_t)strlen("198,51,100,254,255,255");
	struct dialogue d;

	(void)state;
	ready_on_path(&d, widest - 1);
	dialogue_says(&d, CLIENT, argument);
	dialogue_left(&d, argument);
	dialogue_refused(&d, REFUSED_SPACE);
	assert_int_equal(d.engine.counters.refusals[REFUSED_SPACE], 1);
	assert_int_equal(d.adjust_calls, 0);
	dialogue_close(&d);
	ready_on_path(&d, widest);
	dialogue_says(&d, CLIENT, argument);
	assert_int_equal(d.reports[REPORT_REFUSE], 0);
	assert_int_equal(d.expectations, 1);
	dialogue_close(&d);
}

/* The new text fills a packet by itself: what its sender sends behind it gets through all the same. */
static void filled_by_the_edit(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	ready_on_path(&d, 22);
	start = d.seq[CLIENT];
	d.silent = true;
	dialogue_says(&d, CLIENT, "10,0,0,2,1");
	again(&d, start, "10,0,0,2,1");
	dialogue_says(&d, CLIENT, "11,185\r\n");
	dialogue_left(&d, "198,51,100,254,111,185");
	again(&d, start + 16, "\r\n");
	dialogue_left(&d, "198,51,100,254,111,185");
	d.now += 1000;
	again(&d, start + 16, "\r\n");
	dialogue_left(&d, "\r\n");
	d.now += 1000;
	again(&d, start + 16, "\r\n");
	dialogue_left(&d, "198,51,100,254,111,185");
	dialogue_close(&d);
}

/*
 * Beside a block of SACK, which its sender sends as long as he lacks something, there is no room for the new text: nothing leaves. Every other time
 * the packet has the number that is due, so that its receiver takes what it acknowledges; else an old one, which the receiver answers.
 */
static void no_room_beside_sack(void **state)
{
	static const uint8_t sack[] = { 1, 1, 5, 10, 0, 0, 16, 0, 0, 0, 16, 8 };
	static const struct packet_options options = { .tcp = sack, .tcp_length = sizeof(sack) };
	static const char argument[] = "10,0,0,2,11,185\r\n";
	struct dialogue d;
	uint32_t start;

	(void)state;
	ready_on_path(&d, 24);
	start = d.seq[CLIENT];
	d.silent = true;
	dialogue_says(&d, CLIENT, argument);
	dialogue_left(&d, "198,51,100,254,11,185\r\n");
	for (unsigned int i = 0; i < 6; i++) {
		packet_make(&d.in, &d.inside[CLIENT], &d.inside[SERVER], start, d.acked[CLIENT], TCP_ACK, &options,
			    argument, (uint32_t)strlen(argument));
		dialogue_input(&d);
		assert_int_equal(d.verdict, VERDICT_REPLACE);
		dialogue_left(&d, "");
		assert_int_equal(dialogue_left_seq(&d) == start, i & 1);
		assert_false(seq_after(dialogue_left_seq(&d), start));
		d.now += 1000;
	}
	again(&d, start, argument); /* there is room now */
	dialogue_left(&d, "198,51,100,254,11,185\r\n");
	dialogue_close(&d);
}

/* ---- a full packet ---- */

static void filler(char *text, uint32_t length)
{
	memset(text, 'x', length);
	memcpy(text, "STOR ", 5);
	memcpy(text + length - 2, "\r\n", 2);
	text[length] = 0;
}

/* All that was sent comes again in one full segment, with one byte that is new: less of it leaves than has left before.
 */
static void cut_takes_nothing_back(void **state)
{
	const uint32_t known = 1459;
	char line[1500], whole[1500];
	struct dialogue d;
	uint32_t start, shown;

	(void)state;
	for (int by = 0; by < 2; by++) {
		dialogue_begin(&d, MASQUERADE);
		d.by = by ? SEQADJ_SELF : SEQADJ_KERNEL;
		dialogue_handshake(&d);
		dialogue_says(&d, SERVER, "220 x\r\n");
		d.silent = true;
		start = d.seq[CLIENT];
		dialogue_says(&d, CLIENT, PORT_IN);
		filler(line, known - (uint32_t)strlen(PORT_IN));
		dialogue_says(&d, CLIENT, line);
		snprintf(whole, sizeof(whole), "%s%sN", PORT_IN, line);
		again(&d, start, whole);
		assert_int_equal(d.out_length - d.in.payload, 1460);
		/* The receiver has all that has left. */
		d.acked[SERVER] = start + known + GROWTH;
		dialogue_says(&d, SERVER, "200 ok\r\n");
		shown = start + known + (by ? GROWTH : 0);
		again(&d, start + known, "NOOP\r\n");
		dialogue_left(&d, "NOOP\r\n");
		assert_int_equal(dialogue_left_seq(&d), shown);
		assert_int_equal(d.engine.counters.resynced, 0);
		d.silent = false;
		d.seq[CLIENT] += 6;
		d.acked[SERVER] += 6;
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_says(&d, CLIENT, NEXT_IN);
		dialogue_left(&d, "PORT 198,51,100,254,11,186\r\n");
		dialogue_close(&d);
	}
}

/* The packet is full amid what is held back: that is no reason for it to leave. */
static void held_does_not_leave(void **state)
{
	char line[1600], whole[1600], expected[1600];
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	start = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, PORT_IN);
	filler(line, 1420); /* all of it fits by itself, but not with what the edit grows */
	dialogue_says(&d, CLIENT, line);
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,1");
	dialogue_left(&d, "PORT ");
	snprintf(whole, sizeof(whole), "%s%sPORT 10,0,0,2,11", PORT_IN, line);
	snprintf(expected, sizeof(expected), "%s%sPORT ", PORT_OUT, line);
	again(&d, start, whole);
	dialogue_left(&d, expected);
	/* Not even of a segment that several were merged into. */
	filler(line, 1470);
	dialogue_close(&d);
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	start = d.seq[CLIENT];
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, CLIENT, line);
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,1");
	snprintf(whole, sizeof(whole), "%s%sPORT 10,0,0,2,11", PORT_IN, line);
	again(&d, start, whole);
	assert_memory_equal(d.out + d.out_length - 7, "\r\nPORT ", 7);
	dialogue_close(&d);
}

/*
 * The rest of an argument passes while nobody is there, adjusted as if its swallowed part had never been. Its receiver does without
 * the part; it is not sent behind that, nor mixed with the next argument.
 */
static void swallowed_and_the_rest_unseen(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	start = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,");
	again(&d, start, "10,0,0,2,");
	assert_int_equal(acknowledged_to(&d, start), start + 9);
	dialogue_restart(&d);
	d.seq[CLIENT] += 8; /* "11,185\r\n" */
	d.acked[SERVER] = d.seq[CLIENT] - 9;
	d.silent = true;
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, "NOOP\r\n", 6);
	assert_int_equal(d.verdict, VERDICT_DROP);
	d.now += 400;
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_left(&d, "NOOP\r\n");
	assert_int_equal(dialogue_left_seq(&d), d.seq[CLIENT] - 6);
	assert_int_equal(d.engine.counters.resynced, 1);
	d.acked[SERVER] += 6;
	dialogue_says(&d, SERVER, "200 ok\r\n");
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_says(&d, CLIENT, "PWD\r\n");
	d.acked[SERVER] += 5;
	dialogue_says(&d, SERVER, "257 \"/\"\r\n");
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_says(&d, CLIENT, NEXT_IN);
	dialogue_left(&d, "PORT 198,51,100,254,11,186\r\n");
	assert_int_equal(dialogue_left_seq(&d), d.seq[CLIENT] - strlen(NEXT_IN));
	assert_int_equal(d.adj[CLIENT].before, -9);
	assert_int_equal(d.adj[CLIENT].after, -9 + GROWTH);
	dialogue_close(&d);
}

/* What was swallowed is made whole in a packet that has no room for it: its bytes have been read nevertheless. */
static void owed_does_not_fit_yet(void **state)
{
	char line[1600], whole[1700];
	struct dialogue d;
	uint32_t start, argument;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	d.silent = true;
	start = d.seq[CLIENT];
	filler(line, 1460 - 20);
	dialogue_says(&d, CLIENT, line);
	argument = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,1");
	again(&d, argument, "10,0,0,2,1");
	assert_int_equal(d.adjust_calls, 1);
	snprintf(whole, sizeof(whole), "%s%.20s", line, PORT_IN);
	again(&d, start, whole);
	assert_int_equal(d.expect_calls, 0);
	snprintf(whole, sizeof(whole), "%s%s", line + 2, PORT_IN);
	again(&d, start + 2, whole);
	assert_int_equal(d.expect_calls, 1);
	/* only now it leaves, in the place of a part of it */
	again(&d, argument, "1");
	dialogue_left(&d, "198,51,100,254,11,185");
	again(&d, argument + 15, "\r\n");
	dialogue_left(&d, "198,51,100,254,11,185\r\n");
	again(&d, argument + 17, "NOOP\r\n");
	dialogue_left(&d, "NOOP\r\n");
	dialogue_close(&d);
}

/* ---- a restart ---- */

/* What precedes the part had passed before: nobody can tell whether the rest has. The line passes as it is. */
static void held_over_a_restart(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	start = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,1");
	dialogue_restart(&d);
	again(&d, start, "10,0,0,2,11,185\r\n");
	dialogue_left(&d, "10,0,0,2,11,185\r\n");
	d.seq[CLIENT] = start + 17;
	d.acked[SERVER] = d.seq[CLIENT];
	assert_int_equal(d.adjust_calls, 0);
	dialogue_says(&d, SERVER, "500 no\r\n");
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, NEXT_IN);
	dialogue_left(&d, "PORT 198,51,100,254,11,186\r\n");
	dialogue_expects(&d, 3002);
	dialogue_close(&d);
}

/* What has been swallowed is owed whatever happens: its sender will not send it again. */
static void swallowed_over_a_restart(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	start = d.seq[CLIENT] + 5;
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,1");
	again(&d, start, "10,0,0,2,1");
	dialogue_restart(&d);
	dialogue_says(&d, CLIENT, "1,185\r\n");
	dialogue_left(&d, "198,51,100,254,11,185\r\n");
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_segment_alone),
		cmocka_unit_test(smaller_segments),
		cmocka_unit_test(next_piece),
		cmocka_unit_test(owed_begins_with_the_part),
		cmocka_unit_test(not_given_up_in_flight),
		cmocka_unit_test(asked_for_in_pieces),
		cmocka_unit_test(asked_for_with_more),
		cmocka_unit_test(too_small_to_swallow),
		cmocka_unit_test(no_space_for_the_text),
		cmocka_unit_test(filled_by_the_edit),
		cmocka_unit_test(no_room_beside_sack),
		cmocka_unit_test(cut_takes_nothing_back),
		cmocka_unit_test(held_does_not_leave),
		cmocka_unit_test(owed_does_not_fit_yet),
		cmocka_unit_test(held_over_a_restart),
		cmocka_unit_test(swallowed_over_a_restart),
		cmocka_unit_test(swallowed_and_the_rest_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
