// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes that passed some other way, and what the two ends then say.
 */

#include "unit.h"

#include "common/dialogue.h"

static const struct session *session_of(const struct dialogue *d)
{
	for (uint32_t i = 1; i <= table_slots(d->engine.table); i++)
		if (table_slot(d->engine.table, i))
			return table_slot(d->engine.table, i);
	return NULL;
}

static uint32_t left_length(const struct dialogue *d)
{
	return d->out_length - d->in.payload;
}

/*
 * The receiver has said that it has more than was seen here, and then an older word of its came late. From then on its peer goes on where
 * nothing is let through, and it has nothing to answer. So what comes again and again asks it.
 */
static void receiver_is_asked(void **state)
{
	struct dialogue d;
	bool asked = false;
	uint32_t due;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	due = d.seq[CLIENT];
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	d.seq[CLIENT] += 6; /* "NOOP" has passed unseen */
	d.acked[SERVER] = d.seq[CLIENT];
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	d.acked[SERVER] = due;
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	for (int i = 0; i < 3 && !asked; i++, d.now += 1000) {
		dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, "NOOP\r\n", 6);
		asked = d.verdict != VERDICT_DROP;
	}
	assert_true(asked);
	assert_int_equal(left_length(&d), 0);
	assert_true(seq_before(dialogue_left_seq(&d), due)); /* such a one every receiver answers */
	d.acked[SERVER] = d.seq[CLIENT];
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	d.now += 1000;
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_left(&d, "NOOP\r\n");
	dialogue_close(&d);
}

/*
 * After a restart: the client has been seen beyond what was read, so that an acknowledgement of all that was read does not prove that nothing
 * more has passed; be it that what was lost before is sent again, some of it late.
 */
static void seen_beyond(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct dialogue d;
		uint32_t start;

		dialogue_ready(&d, NO_NAT);
		start = d.seq[CLIENT];
		dialogue_restart(&d);
		dialogue_packet(&d, CLIENT, start + 12, how == 2 ? TCP_ACK | TCP_FIN : TCP_ACK, "NOOP\r\n",
				how ? 0 : 6);
		dialogue_packet(&d, CLIENT, start - 8, TCP_ACK, "USER x\r\n", 8); /* a late copy */
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
		assert_true(session_of(&d)->stream[CLIENT].stale);
		dialogue_says(&d, CLIENT, "NOOP\r\nNOOP\r\n");
		dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
		assert_false(session_of(&d)->stream[CLIENT].stale);
		dialogue_close(&d);
	}
}

/*
 * After a restart, where acknowledgements are not seen: an argument that its sender begins with twice says that all before it has arrived. So has
 * the edit before it, and conntrack is told, whatever becomes of this one.
 */
static void asked_edit_is_settled(void **state)
{
	static const char next[] = "PORT 10,0,0,2,11,186\r\n";
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	dialogue_restart(&d);
	d.expect_error = -ENOSPC;
	for (int i = 0; i < 4; i++, d.now += 1000)
		dialogue_packet(&d, CLIENT, d.seq[CLIENT] + (i ? 5 : 0), TCP_ACK, next + (i ? 5 : 0),
				sizeof(next) - 1 - (i ? 5 : 0));
	assert_int_equal(d.refusal, REFUSED_CONNTRACK);
	assert_int_equal(d.settle_calls, 1);
	dialogue_close(&d);
}

/* Much of both directions has passed while nobody was there, in a connection of wide windows: it is followed again, and not taken for another. */
static void far_behind(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	for (int side = 0; side < 2; side++)
		((struct session *)session_of(&d))->stream[side].scale = BELIEF_SCALE_MAX;
	dialogue_restart(&d);
	for (int side = 0; side < 2; side++) {
		d.seq[side] += 1u << 20;
		d.acked[!side] = d.seq[side];
	}
	for (int i = 0; i < 3; i++) {
		for (int again = 0; again < 3; again++, d.now += 1000)
			dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, "NOOP\r\n", 6);
		d.seq[CLIENT] += 6;
		d.acked[SERVER] = d.seq[CLIENT];
		for (int again = 0; again < 3; again++, d.now += 1000)
			dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, "200 ok\r\n", 8);
		d.seq[SERVER] += 8;
		d.acked[CLIENT] = d.seq[SERVER];
	}
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

/* An edit in flight that conntrack has to be told of again after a restart: it may leave the connection to us by then. */
static void resumed_by_ourselves(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	table_work_change(d.engine.table, session_of(&d))->binding.seqadj[CLIENT].after = 0;
	d.by = SEQADJ_SELF;
	dialogue_restart(&d);
	assert_true(session_of(&d)->self);
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_int_equal(dialogue_left_seq(&d), d.seq[CLIENT] - 6 + GROWTH);
	dialogue_close(&d);
}

/* What is not read needs not come again, whatever it acknowledges of what passed while nobody was there. */
static void unread_goes_on(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "GET / HTTP/1.1\r\n");
	assert_int_equal(d.refusal, REFUSED_NOT_FTP);
	dialogue_restart(&d);
	d.seq[CLIENT] += 5;
	d.acked[SERVER] = d.seq[CLIENT];
	for (int i = 0; i < 3; i++) {
		dialogue_says(&d, SERVER, "x");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
	}
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receiver_is_asked),	 cmocka_unit_test(seen_beyond),
		cmocka_unit_test(asked_edit_is_settled), cmocka_unit_test(far_behind),
		cmocka_unit_test(resumed_by_ourselves),	 cmocka_unit_test(unread_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
