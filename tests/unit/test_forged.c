// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Invariant I8: forged, stale and stray segments. A third party that knows the addresses and ports changes nothing; an end that lies
 * opens nothing of the other's.
 */
#include "unit.h"

#include "common/dialogue.h"

#define PORT_OWN      PORT_IN
#define PORT_REPLACED "PORT 198,51,100,254,11,185\r\n"
#define GET	      "GET / HTTP/1.1\r\nCookie: c="
#define COOKIE	      "PORT 10,0,0,2,31,144\r\n"

static uint64_t disbelieved(const struct dialogue *d)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < BELIEFS; i++)
		sum += d->engine.counters.disbelieved[i];
	return sum;
}

/* A packet of somebody else's: the two ends know nothing of it. */
static void forge(struct dialogue *d, int side, uint32_t seq, uint32_t ack, uint8_t flags, const char *text)
{
	const uint32_t acked = d->acked[side];

	d->acked[side] = ack;
	dialogue_packet(d, side, seq, flags, text, text ? (uint32_t)strlen(text) : 0);
	d->acked[side] = acked;
}

/* A transfer's announcement is edited and expected as if nothing had been. */
static void works_still(struct dialogue *d)
{
	const unsigned int calls = d->expect_calls;

	dialogue_says(d, CLIENT, "NOOP\r\n");
	dialogue_says(d, SERVER, "200 ok\r\n");
	dialogue_says(d, CLIENT, "PORT 10,0,0,2,11,190\r\n");
	dialogue_left(d, "PORT 198,51,100,254,11,190\r\n");
	assert_int_equal(d->expect_calls, calls + 1);
	dialogue_says(d, SERVER, "200 ok\r\n");
}

/* Logged in behind NAT, with one edit made and acknowledged. */
static void begin(struct dialogue *d, enum seqadj_by by)
{
	dialogue_begin(d, MASQUERADE);
	d->by = by;
	dialogue_handshake(d);
	dialogue_says(d, SERVER, "220 x\r\n");
	dialogue_says(d, CLIENT, "USER x\r\n");
	dialogue_says(d, SERVER, "230 in\r\n");
	dialogue_says(d, CLIENT, PORT_OWN);
	dialogue_left(d, PORT_REPLACED);
	dialogue_says(d, SERVER, "200 ok\r\n");
	if (by == SEQADJ_KERNEL)
		memcpy(d->binding.seqadj, d->adj, sizeof(d->adj));
}

static void end_untouched(struct dialogue *d)
{
	works_still(d);
	dialogue_close(d);
}

/* ---- a third party that knows addresses and ports ---- */

static void random_acknowledgements(void **state)
{
	(void)state;
	for (int by = 0; by < 2; by++) {
		struct dialogue d;
		uint32_t number = 12345;

		begin(&d, by ? SEQADJ_SELF : SEQADJ_KERNEL);
		for (unsigned int i = 0; i < 20000; i++) {
			number = number * 1664525u + 1013904223u;
			forge(&d, (int)(i & 1), number, number * 7, TCP_ACK, i & 2 ? "x" : NULL);
			assert_int_not_equal(d.verdict, VERDICT_DROP);
		}
		assert_true(disbelieved(&d) > 19900);
		end_untouched(&d);
	}
}

/* The sequence number is right, the acknowledgement is not. */
static void acknowledgement_alone_is_wrong(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 32; bits++)
		for (int sign = 0; sign < 2; sign++) {
			struct dialogue d;
			const uint32_t off = sign ? 1u << bits : -(1u << bits);

			begin(&d, SEQADJ_KERNEL);
			forge(&d, SERVER, d.seq[SERVER], d.acked[SERVER] + off, TCP_ACK, NULL);
			end_untouched(&d);
		}
}

/* Nobody's TCP takes what is old to it, nor what that acknowledges: an edit stays in flight, and is made again. */
static void old_acknowledgement(void **state)
{
	(void)state;
	for (int by = 0; by < 2; by++) {
		struct dialogue d;

		begin(&d, by ? SEQADJ_SELF : SEQADJ_KERNEL);
		dialogue_says(&d, CLIENT, PORT_OWN);
		forge(&d, SERVER, d.seq[SERVER] - 8, d.acked[SERVER], TCP_ACK, "200 ok");
		dialogue_packet(&d, CLIENT, d.seq[CLIENT] - (uint32_t)strlen(PORT_OWN), TCP_ACK, PORT_OWN,
				(uint32_t)strlen(PORT_OWN));
		dialogue_left(&d, PORT_REPLACED);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		end_untouched(&d);
	}
}

static void two_fins(void **state)
{
	(void)state;
	for (uint32_t off = 1; off < 1u << 20; off *= 3)
		for (int sign = 0; sign < 2; sign++) {
			struct dialogue d;
			const uint32_t by = sign ? off : -off;

			begin(&d, SEQADJ_KERNEL);
			for (int side = 0; side < 2; side++)
				forge(&d, side, d.seq[side] + by, d.acked[side], TCP_FIN | TCP_ACK, NULL);
			end_untouched(&d);
		}
}

static void reset_not_at_its_place(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++)
		for (uint32_t off = 1; off < 1u << 24; off *= 5)
			for (int sign = 0; sign < 2; sign++) {
				struct dialogue d;

				begin(&d, SEQADJ_KERNEL);
				forge(&d, side, d.seq[side] + (sign ? off : -off), 0, TCP_RST, NULL);
				assert_int_equal(d.engine.counters.disbelieved[BELIEF_RESET], 1);
				end_untouched(&d);
			}
}

/* What has been sent is not acknowledged yet: both numbers are due at one TCP or the other. */
static void reset_at_its_place(void **state)
{
	(void)state;
	for (int at = 0; at < 3; at++) {
		struct dialogue d;
		uint32_t acked;

		begin(&d, SEQADJ_KERNEL);
		acked = d.seq[CLIENT];
		dialogue_says(&d, CLIENT, at == 1 ? "N" : "NOOP\r\n");
		if (at == 2)
			dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_FIN | TCP_ACK, NULL, 0);
		forge(&d, CLIENT, at == 1 ? acked : d.seq[CLIENT], 0, TCP_RST, NULL);
		assert_int_equal(d.engine.counters.disbelieved[BELIEF_RESET], 0);
		assert_int_equal(d.expectations, 0); /* it has ended */
		dialogue_close(&d);
	}
}

/* SYN, SYN/ACK, or both, and all that follows them, with numbers of one's own. */
static void invented_handshake(void **state)
{
	(void)state;
	for (int which = 1; which < 8; which++) {
		struct dialogue d;

		begin(&d, SEQADJ_KERNEL);
		if (which & 1)
			forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
		if (which & 2)
			forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
		if (which & 4) {
			forge(&d, SERVER, 99001, 77001, TCP_ACK, "220 x\r\n");
			forge(&d, CLIENT, 77001, 99008, TCP_ACK, PORT_OWN);
		}
		assert_int_equal(d.expect_calls, 1);
		end_untouched(&d);
	}
}

/* Who knows the right sequence number but acknowledges what was never sent is not believed by TCP either. */
static void exact_but_ahead(void **state)
{
	(void)state;
	for (uint32_t ahead = 1; ahead; ahead *= 2) {
		struct dialogue d;

		begin(&d, SEQADJ_KERNEL);
		forge(&d, CLIENT, d.seq[CLIENT], d.acked[CLIENT] + ahead, TCP_ACK, "PORT 10,0,0,2,11,222\r\n");
		dialogue_left(&d, "PORT 10,0,0,2,11,222\r\n");
		assert_int_equal(d.expect_calls, 1);
		end_untouched(&d);
	}
}

/* After a daemon's start, amid the handshake: what a stranger's packet says of the connection stands in no handshake's way. */
static void begun_among_strangers(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, NULL, 0);
	d.acked[SERVER] = d.seq[CLIENT];
	forge(&d, SERVER, 0x12345678, 0x87654321, TCP_ACK, "220 x\r\n");
	assert_int_equal(d.engine.counters.picked_up, 1);
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	assert_int_equal(d.expect_calls, 1);
	dialogue_close(&d);
}

/* A connection is picked up where both of its ends agree, not where somebody says so. */
static void picked_up_among_strangers(void **state)
{
	struct dialogue d;
	uint32_t number = 99;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	for (unsigned int i = 0; i < 1000; i++) {
		number = number * 1664525u + 1013904223u;
		forge(&d, (int)(i & 1), number, number * 7, TCP_ACK, "PORT 10,0,0,2,11,222\r\n");
	}
	assert_int_equal(d.expect_calls, 0);
	for (int i = 0; i < 2; i++) {
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
	}
	end_untouched(&d);
}

/* What a stranger says of one direction is forgotten with what he says of the other: his FIN is not that of whoever agrees with the other end. */
static void picked_up_behind_a_fin(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	forge(&d, CLIENT, 0x12345678, 0x87654321, TCP_ACK, "NOOP\r\n");
	forge(&d, CLIENT, 0x23456789, 0x98765432, TCP_ACK | TCP_FIN, NULL);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] + 6, TCP_ACK, "NOOP\r\n", 6);
	assert_int_equal(disbelieved(&d), 0);
	assert_int_equal(d.verdict, VERDICT_DROP); /* what is before it has to come first */
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK | TCP_FIN, NULL, 0);
	assert_int_equal(d.reports[REPORT_END], 0); /* its client goes on */
	dialogue_close(&d);
}

/*
 * A server's bytes come again, of which its client has said that it has more: a FIN behind them is a stranger's, and the client does not take it. The
 * server goes on behind what was acknowledged, be it that an older acknowledgement comes late.
 */
static void picked_up_behind_an_acknowledgement(void **state)
{
	(void)state;
	for (unsigned int how = 0; how < 4; how++) {
		const bool late = how & 1, client_ends = how & 2;
		struct dialogue d;
		uint32_t due;

		dialogue_begin(&d, MASQUERADE);
		due = d.acked[CLIENT] = d.seq[SERVER];
		d.acked[SERVER] = d.seq[CLIENT];
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_packet(&d, SERVER, due - 10, TCP_ACK, "please.", 7);
		if (late)
			forge(&d, CLIENT, d.seq[CLIENT], due - 3, TCP_ACK, NULL);
		forge(&d, SERVER, due - 3, d.acked[SERVER], TCP_ACK | TCP_FIN, NULL);
		for (int again = 0; again < 3; again++) {
			dialogue_packet(&d, SERVER, due, TCP_ACK, "200 ok\r\n", 8);
			dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0);
			d.now += 1000;
		}
		assert_int_equal(disbelieved(&d), d.engine.counters.disbelieved[BELIEF_ACK_AHEAD]); /* a claim */
		assert_int_equal(d.engine.counters.resynced, 1);
		if (client_ends) {
			dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK | TCP_FIN, NULL, 0);
			assert_int_equal(d.reports[REPORT_END], 0);
			dialogue_close(&d);
			continue;
		}
		dialogue_says_bytes(&d, SERVER, "200 ok\r\n", 8);
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 ok\r\n");
		dialogue_says(&d, CLIENT, PORT_OWN);
		dialogue_left(&d, PORT_REPLACED);
		assert_int_equal(d.expect_calls, 1);
		dialogue_close(&d);
	}
}

static void called_invalid(void **state)
{
	struct output output;
	struct arrival arrival;
	struct dialogue d;

	(void)state;
	begin(&d, SEQADJ_KERNEL);
	output = (struct output){ .buffer = d.buffer, .capacity = sizeof(d.buffer) };
	packet_make(&d.in, &d.inside[CLIENT], &d.inside[SERVER], d.seq[CLIENT], d.acked[CLIENT], TCP_ACK, NULL,
		    PORT_OWN, (uint32_t)strlen(PORT_OWN));
	assert_int_equal(session_arrive(&d.engine, &arrival, d.in.bytes, d.in.length, false, 0), 0);
	arrival.invalid = true;
	assert_int_equal(session_input(&d.engine, &arrival, d.now, &output), VERDICT_ACCEPT);
	assert_int_equal(d.expect_calls, 1);
	assert_int_equal(d.engine.counters.disbelieved[BELIEF_INVALID], 1);
	end_untouched(&d);
}

/* Each packet that is not believed moves the counter of its reason by one, and no other. */
static void counted_by_reason(void **state)
{
	static const uint32_t FAR = 1u << 31;
	static const struct {
		uint32_t seq, ack; /* beyond what is due */
		uint8_t flags;
		enum belief reason;
	} forged[] = {
		{ FAR, 0, TCP_ACK, BELIEF_SEQUENCE }, { 0, FAR, TCP_ACK, BELIEF_OLD_ACK },
		{ 0, 50, TCP_ACK, BELIEF_ACK_AHEAD }, { 0, 0, 0, BELIEF_FLAGS },
		{ 10, 0, TCP_RST, BELIEF_RESET },
	};
	struct dialogue d;

	(void)state;
	begin(&d, SEQADJ_KERNEL);
	for (unsigned int i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		forge(&d, CLIENT, d.seq[CLIENT] + forged[i].seq, d.acked[CLIENT] + forged[i].ack, forged[i].flags,
		      forged[i].flags & TCP_RST ? NULL : "x");
		assert_int_equal(d.engine.counters.disbelieved[forged[i].reason], 1);
		assert_int_equal(disbelieved(&d), i + 1);
	}
	end_untouched(&d);
}

/* ---- what makes a session ---- */

static void stray_answers(void **state)
{
	struct dialogue d;

	(void)state;
	for (int known = 0; known < 2; known++) {
		dialogue_begin(&d, NO_NAT);
		forge(&d, CLIENT, 1, 0, TCP_SYN, NULL); /* somebody's else: SYNs are seen here */
		d.engine.picks_up_until = 0;
		d.find_error = known ? 0 : -ENOENT;
		for (unsigned int i = 0; i < 40; i++) {
			d.inside[CLIENT].port = (uint16_t)(2000 + i);
			forge(&d, SERVER, 1000 * i, 77, TCP_SYN | TCP_ACK, NULL);
		}
		assert_int_equal(table_sessions(d.engine.table), 0);
		dialogue_close(&d);
	}
}

/* As the one before, but conntrack knows the connection only when the client's first bytes come. */
static void known_late(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.engine.picks_up_until = 0;
	d.find_error = -ENOENT;
	dialogue_handshake(&d);
	assert_int_equal(table_sessions(d.engine.table), 0);
	d.find_error = 0;
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

/*
 * The same with a handshake that was played behind it: what goes on behind that does not take the place. The first that was answered has it,
 * until its client resets that.
 */
static void known_late_among_others(void **state)
{
	(void)state;
	for (int before = 0; before < 2; before++) {
		struct dialogue d;

		dialogue_begin(&d, MASQUERADE);
		d.engine.picks_up_until = 0;
		d.find_error = -ENOENT;
		if (!before)
			dialogue_handshake(&d);
		forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
		forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
		if (before) {
			dialogue_handshake(&d);
			forge(&d, CLIENT, 77001, 0, TCP_RST, NULL);
		}
		d.find_error = 0;
		forge(&d, SERVER, 99001, 77001, TCP_ACK, "220 x\r\n");
		dialogue_says(&d, SERVER, "220 x\r\n");
		forge(&d, CLIENT, 77001, 99008, TCP_ACK, PORT_OWN);
		assert_int_equal(d.expect_calls, 0);
		dialogue_says(&d, CLIENT, PORT_OWN);
		dialogue_left(&d, PORT_REPLACED);
		dialogue_expects(&d, 3001);
		dialogue_close(&d);
	}
}

static jmp_buf killed;

static void kill_at_beginning(void *context, const struct report *report)
{
	(void)context;
	if (report->kind == REPORT_BEGIN)
		longjmp(killed, 1);
}

/*
 * The daemon is killed amid the answer of a handshake that was played: it is lost, and no client hears of it, to reset it. So it is no answer, and who
 * goes on behind it begins nothing; the same answer would, if it came again.
 */
static void killed_amid_the_answer(void **state)
{
	static struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
	d.engine.report = kill_at_beginning;
	if (!setjmp(killed)) {
		forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
		fail();
	}
	d.binding.progress = PROGRESS_HANDSHAKE;
	dialogue_restart(&d);
	forge(&d, SERVER, 99001, 77001, TCP_ACK, "220 x\r\n");
	assert_int_equal(table_sessions(d.engine.table), 0);
	dialogue_handshake(&d);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	dialogue_expects(&d, 3001);
	dialogue_close(&d);

	dialogue_begin(&d, MASQUERADE);
	forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
	d.engine.report = kill_at_beginning;
	if (!setjmp(killed))
		forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
	dialogue_restart(&d);
	forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
	assert_int_equal(table_sessions(d.engine.table), 1);
	dialogue_close(&d);
}

/*
 * The client has reset the one that was played, and the daemon is killed when that has made room for the right one, which has been answered: none has the
 * place. A third one is played then, and its answer gives the place to the right one.
 */
static void killed_amid_the_reset(void **state)
{
	static struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.binding.progress = PROGRESS_HANDSHAKE;
	forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
	forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
	dialogue_handshake(&d);
	d.engine.report = kill_at_beginning;
	if (!setjmp(killed)) {
		forge(&d, CLIENT, 77001, 0, TCP_RST, NULL);
		fail();
	}
	dialogue_restart(&d);
	assert_int_equal(table_sessions(d.engine.table), 0);
	forge(&d, CLIENT, 55000, 0, TCP_SYN, NULL);
	forge(&d, SERVER, 88000, 55001, TCP_SYN | TCP_ACK, NULL);
	forge(&d, SERVER, 88001, 55001, TCP_ACK, "220 x\r\n");
	forge(&d, CLIENT, 55001, 88008, TCP_ACK, PORT_OWN);
	assert_int_equal(d.expect_calls, 0);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

/* A dialogue that announces, both ends of it played, from its handshake on or in the middle. */
static void play(struct dialogue *d, bool handshake)
{
	static const char *const lines[] = { "220 x\r\n", "USER x\r\n", "230 in\r\n", "NOOP\r\n",   "200 ok\r\n",
					     "NOOP\r\n",  "200 ok\r\n", "NOOP\r\n",   "200 ok\r\n", PORT_OWN };
	uint32_t next[2] = { 77001, 99001 };

	if (handshake) {
		forge(d, CLIENT, next[CLIENT] - 1, 0, TCP_SYN, NULL);
		forge(d, SERVER, next[SERVER] - 1, next[CLIENT], TCP_SYN | TCP_ACK, NULL);
		d->binding.progress = PROGRESS_BEYOND;
	}
	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const int side = i % 2 ? CLIENT : SERVER;

		forge(d, side, next[side], next[!side], TCP_ACK, lines[i]);
		next[side] += (uint32_t)strlen(lines[i]);
	}
}

/* A new daemon meets a handshake where conntrack is beyond it: it begins nothing, and nothing that goes on behind it does, nor later. */
static void played_amid_a_connection(void **state)
{
	(void)state;
	for (int beyond = 0; beyond < 2; beyond++) {
		struct dialogue d;

		dialogue_begin(&d, NO_NAT);
		d.now += 2000;
		d.binding.progress = beyond ? PROGRESS_BEYOND : PROGRESS_HANDSHAKE;
		play(&d, true);
		assert_int_equal(d.expect_calls, !beyond);
		assert_int_equal(table_sessions(d.engine.table), !beyond);
		d.now += 70000;
		play(&d, false);
		assert_int_equal(d.expect_calls, !beyond);
		dialogue_close(&d);
	}
}

/* One that is answered while nobody is there is not; nor one that was answered before conntrack was beyond it. */
static void answered_once_more(void **state)
{
	(void)state;
	for (int seen = 0; seen < 2; seen++) {
		struct dialogue d;

		dialogue_begin(&d, NO_NAT);
		dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, NULL, 0);
		d.acked[SERVER] = d.seq[CLIENT];
		d.find_error = -EIO;
		if (seen)
			dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_SYN | TCP_ACK, NULL, 0);
		d.find_error = 0;
		d.now += 2000;
		dialogue_restart(&d);
		d.now += 2000;
		d.binding.progress = PROGRESS_BEYOND;
		dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
		d.acked[CLIENT] = d.seq[SERVER];
		assert_int_equal(table_sessions(d.engine.table), seen);
		for (int i = 0; i < 4; i++) {
			dialogue_says(&d, SERVER, i ? "230 in\r\n" : "220 x\r\n");
			dialogue_says(&d, CLIENT, "USER x\r\n");
		}
		dialogue_says(&d, SERVER, "230 in\r\n");
		dialogue_says(&d, CLIENT, PORT_OWN);
		assert_int_equal(d.expect_calls, 1);
		dialogue_close(&d);
	}
}

/* Where a session that is lost has moved a connection's numbers, conntrack is liberal about it, and takes a dialogue with any for its own. */
static void played_where_numbers_were_moved(void **state)
{
	(void)state;
	for (int moved = 0; moved < 2; moved++)
		for (int handshake = 0; handshake < 2; handshake++) {
			struct dialogue d;

			dialogue_begin(&d, NO_NAT);
			d.now += 500;
			dialogue_restart(&d); /* a handshake that begins in this second may have passed before */
			d.binding.progress = PROGRESS_BEYOND;
			d.binding.renumbered = moved;
			play(&d, handshake);
			assert_int_equal(d.expect_calls, !moved);
			assert_int_equal(table_sessions(d.engine.table), !moved);
			dialogue_close(&d);
		}
}

/* Amid the handshake nothing is picked up: no end has said anything. */
static void played_before_the_answer(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, NULL, 0);
	d.acked[SERVER] = d.seq[CLIENT];
	d.binding.progress = PROGRESS_HANDSHAKE;
	play(&d, false);
	assert_int_equal(table_sessions(d.engine.table), 0);
	assert_int_equal(d.expect_calls, 0);
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d.acked[CLIENT] = d.seq[SERVER];
	d.binding.progress = PROGRESS_BEYOND;
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	assert_int_equal(d.expect_calls, 1);
	dialogue_close(&d);
}

/* A forged SYN before or behind the right one does not put it out. */
static void forged_syns(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.engine.picks_up_until = 0;
	forge(&d, CLIENT, 5, 0, TCP_SYN, NULL);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, NULL, 0);
	forge(&d, CLIENT, 6, 0, TCP_SYN, NULL);
	forge(&d, SERVER, 7, 9, TCP_SYN | TCP_ACK, NULL);
	d.acked[SERVER] = d.seq[CLIENT];
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_says(&d, SERVER, "220 x\r\n");
	end_untouched(&d);
}

/* The client's SYN, and behind it so many forged ones of its flow that it is put out. */
static void crowd_out(struct dialogue *d, const char *data)
{
	dialogue_begin(d, MASQUERADE);
	d->engine.picks_up_until = 0;
	d->engine.syns_queued = true;
	d->binding.progress = PROGRESS_HANDSHAKE;
	dialogue_packet(d, CLIENT, d->seq[CLIENT]++, TCP_SYN, data, (uint32_t)strlen(data));
	for (uint32_t i = 1; i <= EMBRYO_WAYS; i++, d->now += 1000)
		forge(d, CLIENT, 10007 * i, 0, TCP_SYN, NULL);
	d->acked[SERVER] = d->seq[CLIENT];
}

static void answer(struct dialogue *d)
{
	dialogue_packet(d, SERVER, d->seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d->acked[CLIENT] = d->seq[SERVER];
	d->binding.progress = PROGRESS_BEYOND;
}

/* Its answer says what is left to know. Where a forged handshake has the place, it is this one's when that is reset. */
static void crowded_out(void **state)
{
	(void)state;
	for (int forged = 0; forged < 2; forged++) {
		struct dialogue d;

		crowd_out(&d, "");
		if (forged)
			forge(&d, SERVER, 99000, 10007 * EMBRYO_WAYS + 1, TCP_SYN | TCP_ACK, NULL);
		answer(&d);
		if (forged)
			forge(&d, CLIENT, 10007 * EMBRYO_WAYS + 1, 0, TCP_RST, NULL);
		dialogue_says(&d, SERVER, "220 x\r\n");
		dialogue_says(&d, CLIENT, "USER x\r\n");
		dialogue_says(&d, SERVER, "331 x\r\n");
		dialogue_says(&d, CLIENT, PORT_OWN);
		dialogue_left(&d, PORT_REPLACED);
		dialogue_expects(&d, 3001);
		dialogue_close(&d);
	}
}

/* Those that put it out have been answered, and reset, before its own answer comes. */
static void crowded_out_before(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_out(&d, "");
	for (uint32_t i = EMBRYO_WAYS; i > EMBRYO_WAYS - 2; i--)
		forge(&d, SERVER, 99000 + i, 10007 * i + 1, TCP_SYN | TCP_ACK, NULL);
	for (uint32_t i = EMBRYO_WAYS - 1; i <= EMBRYO_WAYS; i++)
		forge(&d, CLIENT, 10007 * i + 1, 0, TCP_RST, NULL);
	answer(&d);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, "USER x\r\n");
	dialogue_says(&d, SERVER, "331 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	dialogue_expects(&d, 3001);
	dialogue_close(&d);
}

/* What conntrack has seen answered already needs no other answer; nor does one begin anything that no SYN may have been put out of. */
static void answers_to_no_syn(void **state)
{
	(void)state;
	for (int beyond = 0; beyond < 2; beyond++) {
		struct dialogue d;

		if (beyond) {
			crowd_out(&d, "");
			d.binding.progress = PROGRESS_BEYOND;
		} else {
			dialogue_begin(&d, MASQUERADE);
			d.engine.picks_up_until = 0;
			d.engine.syns_queued = true;
			d.binding.progress = PROGRESS_HANDSHAKE;
		}
		answer(&d);
		dialogue_says(&d, SERVER, "220 x\r\n");
		dialogue_says(&d, CLIENT, "USER x\r\n");
		dialogue_says(&d, SERVER, "331 x\r\n");
		dialogue_says(&d, CLIENT, PORT_OWN);
		assert_int_equal(d.expect_calls, 0);
		assert_int_equal(table_sessions(d.engine.table), 0);
		dialogue_close(&d);
	}
}

/*
 * A copy of the answer that a session was made of, whose SYN has been put out since, begins nothing: not even when an RST has ended that one. Nor
 * does another answer to a SYN that has not been put out.
 */
static void crowded_out_later(void **state)
{
	(void)state;
	for (uint32_t other = 0; other < 2; other++) {
		struct dialogue d;

		dialogue_begin(&d, MASQUERADE);
		d.engine.picks_up_until = 0;
		d.engine.syns_queued = true;
		d.binding.progress = PROGRESS_HANDSHAKE;
		dialogue_handshake(&d);
		for (uint32_t i = 1; i <= (other ? EMBRYO_WAYS / 2 - 1 : EMBRYO_WAYS); i++, d.now += 1000)
			forge(&d, CLIENT, 10007 * i, 0, TCP_SYN, NULL);
		dialogue_packet(&d, SERVER, d.seq[SERVER] - 1 + other * 1000000, TCP_SYN | TCP_ACK, NULL, 0);
		dialogue_says(&d, CLIENT, GET COOKIE);
		assert_int_equal(d.refusal, REFUSED_NOT_FTP);
		forge(&d, CLIENT, d.seq[CLIENT], d.acked[CLIENT], TCP_RST | TCP_ACK, NULL);
		assert_int_equal(d.reports[REPORT_BEGIN], 1);
		dialogue_close(&d);
	}
}

/* Of a browser that sends its request along with a SYN that is put out: the answer may point at the word PORT. */
static void crowded_out_with_data(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_out(&d, GET COOKIE);
	d.acked[SERVER] += (uint32_t)strlen(GET);
	answer(&d);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] + (uint32_t)strlen(GET), TCP_ACK, COOKIE, (uint32_t)strlen(COOKIE));
	d.seq[CLIENT] += (uint32_t)strlen(GET COOKIE);
	d.acked[SERVER] = d.seq[CLIENT];
	dialogue_says(&d, SERVER, "200 x\r\n");
	dialogue_says(&d, CLIENT, "Host: x\r\n");
	assert_int_equal(d.expect_calls, 0);
	assert_int_equal(d.refusal, REFUSED_NOT_FTP);
	dialogue_close(&d);
}

/* ---- an end that lies ---- */

/* A browser is led to a hostile server, which makes it say what it likes behind a first line that is none of FTP. */
static void browse(struct dialogue *d)
{
	dialogue_begin(d, NO_NAT);
	d->engine.picks_up_until = 0;
	dialogue_handshake(d);
	dialogue_says(d, CLIENT, GET COOKIE);
	assert_int_equal(d->refusal, REFUSED_NOT_FTP);
}

static void another_answer(void **state)
{
	struct dialogue d;

	(void)state;
	browse(&d);
	/* It points at the word PORT; the browser sends again what is not acknowledged. */
	forge(&d, SERVER, 800000, d.seq[CLIENT] - (uint32_t)strlen(COOKIE), TCP_SYN | TCP_ACK, NULL);
	forge(&d, SERVER, 800001, d.seq[CLIENT] - (uint32_t)strlen(COOKIE), TCP_ACK, "220 x\r\n");
	forge(&d, CLIENT, d.seq[CLIENT] - (uint32_t)strlen(COOKIE), 800008, TCP_ACK, COOKIE);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT] - (uint32_t)strlen(GET COOKIE), TCP_ACK, GET COOKIE,
			(uint32_t)strlen(GET COOKIE));
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

static void data_in_the_syn(void **state)
{
	(void)state;
	for (int part = 0; part < 4; part++) {
		const uint32_t begins = (uint32_t)strlen(GET), all = (uint32_t)strlen(GET COOKIE);
		const uint32_t taken[4] = { 0, 3, begins, all };
		struct dialogue d;

		dialogue_begin(&d, NO_NAT);
		d.engine.picks_up_until = 0;
		dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, GET COOKIE, all);
		d.acked[SERVER] = d.seq[CLIENT] + taken[part];
		dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
		d.acked[CLIENT] = d.seq[SERVER];
		dialogue_says(&d, SERVER, "220 x\r\n");
		dialogue_packet(&d, CLIENT, d.seq[CLIENT] + taken[part], TCP_ACK, &(GET COOKIE)[taken[part]],
				all - taken[part]);
		d.seq[CLIENT] += all;
		d.acked[SERVER] = d.seq[CLIENT];
		dialogue_says(&d, SERVER, "200 x\r\n");
		dialogue_says(&d, CLIENT, "PORT 10,0,0,2,31,145\r\n");
		assert_int_equal(d.expect_calls, 0);
		assert_int_equal(d.refusal, REFUSED_NOT_FTP);
		dialogue_close(&d);
	}
}

/* A client that sends its first line along with the SYN, in part or whole, is as good as any. */
static void ftp_in_the_syn(void **state)
{
	(void)state;
	for (uint32_t data = 1; data <= 8; data++)
		for (uint32_t taken = 0; taken <= data; taken++) {
			static const char line[] = "USER x\r\n";
			struct dialogue d;

			dialogue_begin(&d, MASQUERADE);
			d.engine.picks_up_until = 0;
			dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, line, data);
			d.acked[SERVER] = d.seq[CLIENT] + taken;
			dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
			d.acked[CLIENT] = d.seq[SERVER];
			dialogue_says(&d, SERVER, "220 x\r\n");
			dialogue_packet(&d, CLIENT, d.seq[CLIENT] + taken, TCP_ACK, line + taken, 8 - taken);
			d.seq[CLIENT] += 8;
			d.acked[SERVER] = d.seq[CLIENT];
			dialogue_says(&d, SERVER, "331 x\r\n");
			end_untouched(&d);
		}
}

/*
 * A server that speaks along with its SYN/ACK: that is not read, and so nothing behind it makes the connection FTP. It is not broken: what stands
 * behind is dropped until it has come often enough, and both vouch for what precedes it.
 */
static void greeting_in_the_answer(void **state)
{
	static const char greeting[] = "220 x\r\n";

	(void)state;
	for (unsigned int nat = 0; nat < 2; nat++) {
		unsigned int dropped = 0;
		struct dialogue d;

		dialogue_begin(&d, nat ? MASQUERADE | DNAT : NO_NAT);
		d.engine.picks_up_until = 0;
		dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, NULL, 0);
		d.acked[SERVER] = d.seq[CLIENT];
		dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, greeting, sizeof(greeting) - 1);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		d.seq[SERVER] += sizeof(greeting) - 1;
		d.acked[CLIENT] = d.seq[SERVER];
		dialogue_says(&d, CLIENT, "USER x\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		do {
			assert_true(dropped++ < 4);
			d.now += 400;
			dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, "230 x\r\n", 7);
		} while (d.verdict == VERDICT_DROP);
		d.seq[SERVER] += 7;
		d.acked[CLIENT] = d.seq[SERVER];
		for (int i = 0; i < 3; i++) {
			dialogue_says(&d, CLIENT, i & 1 ? "NOOP\r\n" : PORT_OWN);
			dialogue_left(&d, i & 1 ? "NOOP\r\n" : PORT_OWN);
			dialogue_says(&d, SERVER, "200 x\r\n");
			assert_int_not_equal(d.verdict, VERDICT_DROP);
		}
		assert_int_equal(d.expect_calls, 0);
		dialogue_close(&d);
	}
}

/* A client that has not logged in acknowledges what the server has not sent, and has its own text sent back as a reply's beginning. */
static void acknowledged_ahead_by_the_client(void **state)
{
	static const char user[] = "USER 227 Entering Passive Mode (192,168,7,3,12,234)\r\n";
	struct dialogue d;

	(void)state;
	dialogue_open(&d, NO_NAT);
	dialogue_says(&d, SERVER, "220 x\r\n");
	for (uint32_t ahead = 1; ahead < 12; ahead++)
		forge(&d, CLIENT, d.seq[CLIENT], d.seq[SERVER] + ahead, TCP_ACK, NULL);
	forge(&d, CLIENT, d.seq[CLIENT], d.seq[SERVER] + 9, TCP_ACK, user);
	dialogue_says(&d, CLIENT, user);
	dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, SERVER, "331 User 227 Entering Passive Mode (192,168,7,3,12,234) ok\r\n");
	assert_int_equal(d.expect_calls, 0);
	/* Nor where the answer comes in segments of its liking. */
	dialogue_says(&d, SERVER, "500-User\r\n");
	assert_int_equal(d.expect_calls, 0);
	assert_int_equal(d.engine.counters.resynced, 0);
	dialogue_close(&d);
}

static void acknowledged_ahead_by_the_server(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	d.engine.picks_up_until = 0;
	dialogue_handshake(&d);
	forge(&d, SERVER, d.seq[SERVER], d.seq[CLIENT] + (uint32_t)strlen(GET), TCP_ACK, NULL);
	dialogue_says(&d, CLIENT, GET COOKIE);
	dialogue_says(&d, SERVER, "220 x\r\n");
	forge(&d, SERVER, d.seq[SERVER], d.seq[CLIENT] + 3, TCP_ACK, NULL);
	dialogue_says(&d, CLIENT, "xxxNOOP\r\n");
	dialogue_says(&d, SERVER, "200 x\r\n");
	dialogue_says(&d, CLIENT, COOKIE);
	assert_int_equal(d.expect_calls, 0);
	assert_int_equal(d.refusal, REFUSED_NOT_FTP);
	dialogue_close(&d);
}

/* An end goes on behind bytes that never came, and that the other has acknowledged. Twice: the first may have been somebody else. */
static void go_on(struct dialogue *d, int side, const char *text)
{
	const uint32_t seq = d->seq[side];
	const uint64_t resynced = d->engine.counters.resynced;

	for (int i = 0; i < 2; i++) {
		dialogue_says(d, side, text);
		assert_int_equal(d->verdict, VERDICT_DROP);
		assert_int_equal(d->engine.counters.resynced, resynced);
		d->seq[side] = seq;
	}
	d->now += 400;
	dialogue_says(d, side, text);
	assert_int_not_equal(d->verdict, VERDICT_DROP);
	assert_int_equal(d->engine.counters.resynced, resynced + 1);
}

/* Both ends go on behind bytes that never came: before it has shown what it is, the connection is not FTP; later it shows it again. */
static void passed_unseen(bool logged_in)
{
	struct dialogue d;

	dialogue_open(&d, NO_NAT);
	d.engine.picks_up_until = 0;
	if (logged_in) {
		dialogue_says(&d, SERVER, "220 x\r\n");
		dialogue_says(&d, CLIENT, "USER x\r\n");
		dialogue_says(&d, SERVER, "230 x\r\n");
	}
	d.seq[CLIENT] += 20;
	d.acked[SERVER] = d.seq[CLIENT];
	dialogue_says(&d, SERVER, logged_in ? "200 x\r\n" : "220 x\r\n");
	go_on(&d, CLIENT, COOKIE);
	if (logged_in) /* the server's first words behind them have not been read either */
		go_on(&d, SERVER, "200 x\r\n");
	else
		dialogue_says(&d, SERVER, "200 x\r\n");
	dialogue_says(&d, CLIENT, COOKIE);
	assert_int_equal(d.expect_calls, 0);
	for (int i = 0; i < 2; i++) {
		dialogue_says(&d, SERVER, "200 x\r\n");
		dialogue_says(&d, CLIENT, "NOOP\r\n");
	}
	dialogue_says(&d, SERVER, "200 x\r\n");
	dialogue_says(&d, CLIENT, COOKIE);
	assert_int_equal(d.expect_calls, logged_in);
	if (!logged_in)
		assert_int_equal(d.refusal, REFUSED_NOT_FTP);
	dialogue_close(&d);
}

/* What one end is said to have, it has not: it says so itself before the other, or who speaks for it, has gone on twice. */
static void contradicted(void **state)
{
	struct dialogue d;
	uint32_t seq;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	d.engine.picks_up_until = 0;
	seq = d.seq[CLIENT];
	forge(&d, SERVER, d.seq[SERVER], seq + 20, TCP_ACK, NULL);
	forge(&d, CLIENT, seq + 20, d.seq[SERVER], TCP_ACK, COOKIE);
	assert_int_equal(d.verdict, VERDICT_DROP);
	d.now += 400;
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	forge(&d, CLIENT, seq + 20, d.seq[SERVER], TCP_ACK, COOKIE);
	assert_int_equal(d.verdict, VERDICT_REPLACE);
	dialogue_left(&d, ""); /* it only asks the server what he has */
	assert_int_equal(d.engine.counters.resynced, 0);
	dialogue_says(&d, CLIENT, COOKIE);
	assert_int_equal(d.expect_calls, 1);
	dialogue_close(&d);
}

static void bytes_that_passed_unseen(void **state)
{
	(void)state;
	passed_unseen(false);
	passed_unseen(true);
}

/* ---- what was found out outlives the session ---- */

static void forgotten(void **state)
{
	struct dialogue d;

	(void)state;
	browse(&d);
	d.now += 1000ull * (d.engine.policy.idle_timeout + 10);
	session_tick(&d.engine, d.now, 100);
	assert_int_equal(table_sessions(d.engine.table), 0);
	for (int i = 0; i < 4; i++) {
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_says(&d, SERVER, "200 x\r\n");
	}
	dialogue_says(&d, CLIENT, COOKIE);
	assert_int_equal(d.expect_calls, 0);
	assert_int_equal(table_sessions(d.engine.table), 0);
	assert_true(d.engine.counters.strangers > 0);
	dialogue_close(&d);
}

/* ---- the door itself ---- */

static enum belief judged(uint32_t seq, uint32_t length, uint32_t ack, uint8_t flags, uint8_t scale)
{
	const struct belief_side mine = {
		.next = 1000, .sent = 1000, .acked = 900, .window = belief_window(scale), .known = true
	};
	const struct belief_side theirs = {
		.next = 50, .sent = 50, .acked = 40, .window = belief_window(scale), .known = true
	};

	return belief_judge(&mine, &theirs, &(struct belief_segment){ seq, length, ack, flags });
}

static void the_door(void **state)
{
	(void)state;
	for (uint8_t scale = 0; scale <= 14; scale++) {
		const uint32_t window = belief_window(scale);

		assert_int_equal(window, 65535u << scale);
		assert_int_equal(judged(1000, 0, 50, TCP_ACK, scale), BELIEVED);
		assert_int_equal(judged(1000 + 1 + window, 0, 50, TCP_ACK, scale), BELIEVED);
		assert_int_equal(judged(1000 + 2 + window, 0, 50, TCP_ACK, scale), BELIEF_SEQUENCE);
		assert_int_equal(judged(1000 - window, 0, 50, TCP_ACK, scale), BELIEVED);
		assert_int_equal(judged(1000 - window - 10, 10, 50, TCP_ACK, scale), BELIEVED);
		assert_int_equal(judged(1000 - window - 11, 10, 50, TCP_ACK, scale), BELIEF_SEQUENCE);
		assert_int_equal(judged(1000, 0, 51, TCP_ACK, scale), BELIEF_ACK_AHEAD);
		assert_int_equal(judged(1000, 0, 50 + window, TCP_ACK, scale), BELIEF_ACK_AHEAD);
		assert_int_equal(judged(1000, 0, 51 + window, TCP_ACK, scale), BELIEF_OLD_ACK);
		assert_int_equal(judged(1000, 0, 40 - window, TCP_ACK, scale), BELIEVED);
		assert_int_equal(judged(1000, 0, 39 - window, TCP_ACK, scale), BELIEF_OLD_ACK);
		assert_int_equal(judged(1000, 0, 50, 0, scale), BELIEF_FLAGS);
	}
	assert_int_equal(belief_window(200), belief_window(14));
	assert_int_equal(judged(1000, 0, 0, TCP_RST, 0), BELIEVED);
	assert_int_equal(judged(900, 0, 0, TCP_RST, 0), BELIEVED);
	assert_int_equal(judged(901, 0, 0, TCP_RST, 0), BELIEF_RESET);
	assert_int_equal(judged(1001, 0, 0, TCP_RST, 0), BELIEF_RESET);
}

/* Once its FIN has passed, a direction has nothing more to say. */
static void behind_a_fin(void **state)
{
	const struct belief_side mine = {
		.next = 1000, .sent = 1000, .acked = 1001, .window = 65535, .known = true, .fin = true
	};
	struct belief_side unheard = mine;
	const struct belief_side theirs = {
		.next = 50, .sent = 50, .acked = 40, .window = 65535, .known = true, .fin = true
	};
	const struct {
		struct belief_segment segment;
		enum belief belief;
	} rows[] = {
		{ { 990, 10, 50, TCP_ACK | TCP_FIN }, BELIEVED }, { { 1000, 0, 51, TCP_ACK | TCP_FIN }, BELIEVED },
		{ { 1001, 0, 51, TCP_ACK }, BELIEVED },		  { { 1000, 5, 50, TCP_ACK }, BELIEF_SEQUENCE },
		{ { 1001, 5, 50, TCP_ACK }, BELIEF_SEQUENCE },	  { { 990, 11, 50, TCP_ACK }, BELIEF_SEQUENCE },
		{ { 1001, 0, 52, TCP_ACK }, BELIEF_ACK_AHEAD },	  { { 1001, 0, 0, TCP_RST }, BELIEVED },
		{ { 1002, 0, 0, TCP_RST }, BELIEF_RESET },
	};
	const struct belief_segment goes_on = { 1000, 5, 50, TCP_ACK }, beyond = { 1001, 5, 50, TCP_ACK };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(belief_judge(&mine, &theirs, &rows[i].segment), rows[i].belief);
	/* Where the FIN has not been acknowledged it may have been another's: its sender goes on in its place. */
	unheard.acked = 1000;
	assert_int_equal(belief_judge(&unheard, &theirs, &goes_on), BELIEVED);
	assert_int_equal(belief_judge(&unheard, &theirs, &beyond), BELIEF_SEQUENCE);
	/* Or behind it, where the receiver may have had more by then, and so has not taken it. */
	unheard.doubted = true;
	assert_int_equal(belief_judge(&unheard, &theirs, &beyond), BELIEVED);
	unheard.acked = 1001;
	assert_int_equal(belief_judge(&unheard, &theirs, &beyond), BELIEF_SEQUENCE);
}

/* ---- what the simulator's adversary won by ---- */

/* A FIN right behind the client's, which no client sends, takes that one back no more than it is one itself: with the server's it is over. */
static void fin_behind_a_fin(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_ACK | TCP_FIN, NULL, 0);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK | TCP_FIN, NULL, 0);
	assert_int_equal(d.unexpect_calls, 0);
	d.acked[SERVER]++;
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_ACK | TCP_FIN, NULL, 0);
	assert_int_equal(d.unexpect_calls, 1);
	dialogue_close(&d);
}

/* Its sessions' windows may be of any size. */
static void widen(struct dialogue *d)
{
	for (uint32_t i = 1; i <= table_slots(d->engine.table); i++) {
		struct session *session = table_slot(d->engine.table, i);

		for (int side = 0; session && side < 2; side++)
			session->stream[side].scale = BELIEF_SCALE_MAX;
	}
}

/*
 * A session is of a forged handshake, with windows so large that the numbers of every connection lie in one. What the real ends say is not
 * of it: it goes as it came, though the forged one is adjusted by us.
 */
static void numbers_of_another(void **state)
{
	static const uint32_t far[] = { 1u << 18, 1u << 24, 1u << 29, 1u << 31, -(1u << 18), -(1u << 29) };

	(void)state;
	for (unsigned int i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		for (int side = 0; side < 2; side++) {
			struct dialogue d;

			begin(&d, SEQADJ_SELF);
			widen(&d);
			forge(&d, side, d.seq[side] + 1000, d.acked[side] + 0x50000000, TCP_ACK, NULL);
			assert_int_equal(d.verdict, VERDICT_REPLACE); /* it may be: renumbered, and no more */
			forge(&d, side, d.seq[side] + far[i], d.acked[side] + 0x50000000, TCP_ACK, NULL);
			assert_int_equal(d.verdict, VERDICT_ACCEPT);
			end_untouched(&d);
		}
}

/*
 * The connection was reset, and what began since in its place, unseen, has numbers that lie in the widest window there is: its bytes are
 * not taken for old ones of the edited stream.
 */
static void numbers_behind_a_reset(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct dialogue d;

		begin(&d, SEQADJ_KERNEL);
		widen(&d);
		forge(&d, CLIENT, d.seq[CLIENT], 0, TCP_RST, NULL);
		forge(&d, side, d.seq[side] - 0x30000000, d.acked[side] - 0x30000000, TCP_ACK, "NOOP\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		dialogue_close(&d);
	}
}

/*
 * So does what would be believed, since both of its numbers lie in those windows, be it a bare acknowledgement or bytes; and an RST has closed the
 * forged one. What is far in one number only, as in a long listing by STAT of which a part comes again, is the connection's own.
 */
static void believed_of_another(void **state)
{
	static const uint32_t far[] = { 1u << 18, 1u << 24, 1u << 29, -(1u << 18), -(1u << 24), -(1u << 29) };

	(void)state;
	for (unsigned int i = 0; i < 4 * sizeof(far) / sizeof(far[0]); i++) {
		const uint32_t off = far[i / 4];
		const int side = i % 2 ? SERVER : CLIENT;
		const bool reset = i & 2;
		struct dialogue d;

		begin(&d, SEQADJ_SELF);
		widen(&d);
		if (reset)
			forge(&d, SERVER, d.seq[SERVER], 0, TCP_RST, NULL);
		forge(&d, side, d.seq[side] + off, d.acked[side] - (1u << 29), TCP_ACK, NULL);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		forge(&d, side, d.seq[side] + off, d.acked[side] - (1u << 29), TCP_ACK, "NOOP\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		forge(&d, CLIENT, d.seq[CLIENT], d.acked[CLIENT], TCP_ACK, NULL); /* and has moved nothing */
		assert_int_equal(d.verdict, VERDICT_REPLACE);
		forge(&d, CLIENT, d.seq[CLIENT], d.acked[CLIENT] - (1u << 24), TCP_ACK, NULL);
		assert_int_equal(d.verdict, VERDICT_REPLACE);
		forge(&d, SERVER, d.seq[SERVER] - (1u << 24), d.acked[SERVER], TCP_ACK, "211-file");
		assert_int_equal(d.verdict, VERDICT_REPLACE);
		dialogue_close(&d);
	}
}

/*
 * A dialogue is invented beside the real one after a daemon's start, and the real one's numbers lie in its windows, of which nothing is known: the
 * real ends' bytes are neither beyond a hole in it nor a repetition of what has been edited there, and pass. After another start both ends may be
 * far ahead, since that may have passed unseen; not in a stream that is known again, nor where one of both is far behind.
 */
static void real_beside_an_invented(void **state)
{
	static const char *const invented[] = { "220 x\r\n", "NOOP\r\n", "200 x\r\n",  "NOOP\r\n",
						"200 x\r\n", PORT_OWN,	 "200 ok\r\n", "NOOP\r\n" };
	static const uint32_t far[] = { 1u << 18, 1u << 24, 1u << 29, -(1u << 18), -(1u << 24), -(1u << 29) };

	(void)state;
	for (unsigned int i = 0; i < 4 * sizeof(far) / sizeof(far[0]); i++) {
		const uint32_t off[2] = { i & 1 ? far[i / 4] : -far[i / 4], far[i / 4] }; /* CLIENT, SERVER */
		const bool restarts = i & 2;
		struct dialogue d;
		uint32_t at[2];

		dialogue_begin(&d, MASQUERADE);
		d.by = SEQADJ_KERNEL;
		for (int side = 0; side < 2; side++) {
			d.acked[!side] = d.seq[side];
			at[side] = d.seq[side] + off[side];
		}
		for (unsigned int k = 0; k < sizeof(invented) / sizeof(invented[0]); k++) {
			const int from = k % 2 ? CLIENT : SERVER;

			forge(&d, from, at[from], at[!from], TCP_ACK, invented[k]);
			at[from] += (uint32_t)strlen(invented[k]);
		}
		assert_int_equal(d.expect_calls, 1);
		if (restarts) { /* and the invented client's stream is known again */
			dialogue_restart(&d);
			forge(&d, CLIENT, at[CLIENT], at[SERVER], TCP_ACK, "NOOP\r\n");
			forge(&d, SERVER, at[SERVER], at[CLIENT] + 6 + sizeof(PORT_REPLACED) - sizeof(PORT_OWN),
			      TCP_ACK, NULL);
		}
		for (int again = 0; again < 8; again++)
			for (int side = 0; side < 2; side++) {
				if (restarts && side == SERVER && off[CLIENT] >> 31 && off[SERVER] >> 31)
					continue;
				forge(&d, side, d.seq[side], d.acked[side], TCP_ACK, "NOOP\r\n");
				assert_int_equal(d.verdict, VERDICT_ACCEPT);
				d.now += 1000;
			}
		dialogue_close(&d);
	}
}

/* Nobody was there for a while. One packet that acknowledges what never came is not enough, whatever it carries. */
static void ahead_after_a_restart(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		struct dialogue d;

		begin(&d, SEQADJ_KERNEL);
		dialogue_restart(&d);
		forge(&d, SERVER, d.seq[SERVER], d.acked[SERVER] + 40, TCP_ACK, "226-\r\n");
		assert_int_equal(d.engine.counters.resynced, 0);
		assert_int_equal(d.engine.counters.disbelieved[BELIEF_ACK_AHEAD], 1);
		assert_int_equal(d.verdict, VERDICT_DROP);
		d.now += 1000;
		if (again) { /* its sender insists, and its receiver has not said otherwise */
			forge(&d, SERVER, d.seq[SERVER], d.acked[SERVER] + 40, TCP_ACK, "226-\r\n");
			assert_int_equal(d.engine.counters.resynced, 1);
			assert_int_not_equal(d.verdict, VERDICT_DROP);
		} else {
			works_still(&d);
			assert_int_equal(d.engine.counters.resynced, 0);
		}
		dialogue_close(&d);
	}
}

/* A forged handshake during the real one has the session; when its client resets it, no third one gets in between. */
static void reset_among_handshakes(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
	forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
	dialogue_handshake(&d);
	forge(&d, CLIENT, 77001, 0, TCP_RST, NULL);
	forge(&d, CLIENT, 55000, 0, TCP_SYN, NULL);
	forge(&d, SERVER, 88000, 55001, TCP_SYN | TCP_ACK, NULL);
	forge(&d, SERVER, 88001, 55001, TCP_ACK, "220 x\r\n");
	forge(&d, CLIENT, 55001, 88008, TCP_ACK, PORT_OWN);
	assert_int_equal(d.expect_calls, 0);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	assert_int_equal(d.expect_calls, 1);
	dialogue_close(&d);
}

/*
 * Another forged one was begun before the real one, and answered behind it: its client, whose connection has begun by then, does not reset it.
 * The one that was answered first has the place.
 */
static void reset_among_answers(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
	forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
	forge(&d, CLIENT, 55000, 0, TCP_SYN, NULL);
	dialogue_handshake(&d);
	forge(&d, SERVER, 88000, 55001, TCP_SYN | TCP_ACK, NULL);
	/* One who knows what to acknowledge; and many handshakes, which put out each other. */
	forge(&d, SERVER, d.seq[SERVER] + 15, d.acked[SERVER], TCP_SYN | TCP_ACK, NULL);
	for (uint32_t i = 0; i < 8; i++, d.now += 1000)
		forge(&d, CLIENT, 1000 * i, 0, TCP_SYN, NULL);
	forge(&d, CLIENT, 77001, 0, TCP_RST, NULL);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	dialogue_left(&d, PORT_REPLACED);
	assert_int_equal(d.expect_calls, 1);
	dialogue_close(&d);
}

/*
 * Nobody was there for a while, before the greeting: the ends may have reset the handshake that has the place, or it is theirs. A reset is not sent
 * again, so nothing tells; and another's whole connection takes nothing over.
 */
static void another_after_an_absence(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.binding.progress = PROGRESS_HANDSHAKE;
	dialogue_handshake(&d);
	dialogue_restart(&d);
	forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
	forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
	forge(&d, SERVER, 99001, 77001, TCP_ACK, "220 x\r\n");
	forge(&d, CLIENT, 77001, 99008, TCP_ACK, "USER x\r\n");
	forge(&d, SERVER, 99008, 77009, TCP_ACK, "230 x\r\n");
	forge(&d, CLIENT, 77009, 99015, TCP_ACK, PORT_OWN);
	assert_int_equal(d.expect_calls, 0);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, "USER x\r\n");
	dialogue_says(&d, SERVER, "331 x\r\n");
	end_untouched(&d);
}

/*
 * The forged one has an edit in flight, for which its session stays when it is reset. The next handshake gives the place to the
 * one that was answered before, which is the real one, and not to itself: nothing that it announces opens. So does an answer alone.
 */
static void reset_with_an_edit(void **state)
{
	(void)state;
	for (unsigned int alone = 0; alone < 2; alone++) {
		struct dialogue d;

		dialogue_begin(&d, MASQUERADE);
		d.by = SEQADJ_SELF;
		if (alone) /* nobody knows whether SYNs are queued, and an answer alone may begin a session */
			d.binding.progress = PROGRESS_HANDSHAKE;
		forge(&d, CLIENT, 77000, 0, TCP_SYN, NULL);
		forge(&d, SERVER, 99000, 77001, TCP_SYN | TCP_ACK, NULL);
		dialogue_handshake(&d);
		forge(&d, SERVER, 99001, 77001, TCP_ACK, "220 x\r\n");
		forge(&d, CLIENT, 77001, 99008, TCP_ACK, PORT_OWN);
		dialogue_left(&d, PORT_REPLACED);
		forge(&d, CLIENT, 77001, 0, TCP_RST, NULL);
		assert_int_equal(d.expectations, 0);
		if (!alone)
			forge(&d, CLIENT, 55000, 0, TCP_SYN, NULL);
		forge(&d, SERVER, 88000, 55001, TCP_SYN | TCP_ACK, NULL);
		forge(&d, SERVER, 88001, 55001, TCP_ACK, "220 x\r\n");
		forge(&d, CLIENT, 55001, 88008, TCP_ACK, PORT_OWN);
		assert_int_equal(d.expect_calls, 1);
		dialogue_says(&d, SERVER, "220 x\r\n");
		dialogue_says(&d, CLIENT, PORT_OWN);
		dialogue_left(&d, PORT_REPLACED);
		assert_int_equal(d.expect_calls, 2);
		dialogue_close(&d);
	}
}

/* 234 answers AUTH, also one before which others have been left unanswered: what a client says then is TLS. */
static void proceed_out_of_step(void **state)
{
	struct dialogue d;

	(void)state;
	begin(&d, SEQADJ_KERNEL);
	dialogue_says(&d, CLIENT, "NOOP\r\nNOOP\r\nAUTH TLS\r\n");
	dialogue_says(&d, SERVER, "234 Proceed.\r\n");
	dialogue_says(&d, CLIENT, PORT_OWN);
	assert_int_equal(d.expect_calls, 1);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_acknowledgements),
		cmocka_unit_test(acknowledgement_alone_is_wrong),
		cmocka_unit_test(old_acknowledgement),
		cmocka_unit_test(two_fins),
		cmocka_unit_test(reset_not_at_its_place),
		cmocka_unit_test(reset_at_its_place),
		cmocka_unit_test(invented_handshake),
		cmocka_unit_test(exact_but_ahead),
		cmocka_unit_test(picked_up_among_strangers),
		cmocka_unit_test(picked_up_behind_a_fin),
		cmocka_unit_test(picked_up_behind_an_acknowledgement),
		cmocka_unit_test(begun_among_strangers),
		cmocka_unit_test(called_invalid),
		cmocka_unit_test(counted_by_reason),
		cmocka_unit_test(stray_answers),
		cmocka_unit_test(known_late),
		cmocka_unit_test(known_late_among_others),
		cmocka_unit_test(killed_amid_the_answer),
		cmocka_unit_test(killed_amid_the_reset),
		cmocka_unit_test(played_amid_a_connection),
		cmocka_unit_test(answered_once_more),
		cmocka_unit_test(played_where_numbers_were_moved),
		cmocka_unit_test(played_before_the_answer),
		cmocka_unit_test(forged_syns),
		cmocka_unit_test(crowded_out),
		cmocka_unit_test(crowded_out_before),
		cmocka_unit_test(answers_to_no_syn),
		cmocka_unit_test(crowded_out_later),
		cmocka_unit_test(crowded_out_with_data),
		cmocka_unit_test(another_answer),
		cmocka_unit_test(data_in_the_syn),
		cmocka_unit_test(ftp_in_the_syn),
		cmocka_unit_test(greeting_in_the_answer),
		cmocka_unit_test(acknowledged_ahead_by_the_client),
		cmocka_unit_test(acknowledged_ahead_by_the_server),
		cmocka_unit_test(contradicted),
		cmocka_unit_test(bytes_that_passed_unseen),
		cmocka_unit_test(forgotten),
		cmocka_unit_test(the_door),
		cmocka_unit_test(behind_a_fin),
		cmocka_unit_test(ahead_after_a_restart),
		cmocka_unit_test(fin_behind_a_fin),
		cmocka_unit_test(numbers_of_another),
		cmocka_unit_test(numbers_behind_a_reset),
		cmocka_unit_test(believed_of_another),
		cmocka_unit_test(real_beside_an_invented),
		cmocka_unit_test(reset_among_handshakes),
		cmocka_unit_test(reset_among_answers),
		cmocka_unit_test(another_after_an_absence),
		cmocka_unit_test(reset_with_an_edit),
		cmocka_unit_test(proceed_out_of_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
