// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks that once succeeded.
 */

#include "unit.h"

#include "common/dialogue.h"

#define POST  "POST / HTTP/1.1\r\nHost: x\r\n\r\n"
#define BODY  "NOOP\r\n"
#define OPENS "PORT 10,0,0,2,31,144\r\n"

/* A packet of somebody else's: the two ends know nothing of it. */
static void forge(struct dialogue *d, int side, uint32_t seq, uint32_t ack, uint8_t flags, const char *text)
{
	const uint32_t acked = d->acked[side];

	d->acked[side] = ack;
	dialogue_packet(d, side, seq, flags, text, text ? (uint32_t)strlen(text) : 0);
	d->acked[side] = acked;
}

/* What a browser can be made to send behind its first line, and a hostile server's answers. */
static void speaks_ftp(struct dialogue *d)
{
	for (int i = 0; i < 4; i++) {
		dialogue_says(d, CLIENT, BODY);
		dialogue_says(d, SERVER, "200 x\r\n");
	}
	dialogue_says(d, CLIENT, OPENS);
	assert_int_equal(d->expect_calls, 0);
}

/*
 * An RST at the number that is due as far as is known here; its receiver has more by then, and takes no notice (RFC 5961
 * section 3.2).
 */
static void reset_in_vain(struct dialogue *d)
{
	const uint32_t due = d->seq[SERVER];

	d->silent = true;
	dialogue_says(d, SERVER, "x");
	d->silent = false;
	forge(d, SERVER, due, 0, TCP_RST, NULL);
	d->acked[CLIENT] = d->seq[SERVER];
}

static void browse(struct dialogue *d)
{
	dialogue_begin(d, NO_NAT);
	dialogue_handshake(d);
	dialogue_says(d, CLIENT, POST);
	assert_int_equal(d->refusal, REFUSED_NOT_FTP);
	reset_in_vain(d);
}

/* The session of a connection that goes on in spite of an RST is over after two minutes; what was found out about it is not. */
static void forgotten_after_reset(void **state)
{
	struct dialogue d;

	(void)state;
	browse(&d);
	d.now += 125000;
	for (int i = 0; i < 2; i++)
		session_tick(&d.engine, d.now, 8);
	speaks_ftp(&d);
	dialogue_close(&d);
}

/* Where nobody queues SYNs, the answer is all there is of a handshake. */
static void shake_hands(struct dialogue *d, bool unseen)
{
	if (!unseen) {
		dialogue_handshake(d);
		return;
	}
	d->acked[SERVER] = ++d->seq[CLIENT];
	dialogue_packet(d, SERVER, d->seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d->acked[CLIENT] = d->seq[SERVER];
}

/* A packet that conntrack says is of another connection. */
static void of_another(struct dialogue *d, int side, uint8_t flags, const char *text)
{
	struct output output = { .buffer = d->buffer, .capacity = sizeof(d->buffer) };
	struct arrival arrival;

	packet_make(&d->in, &d->inside[side], &d->inside[!side], d->seq[side], d->acked[side], flags,
		    &(struct packet_options){ 0 }, text, (uint32_t)strlen(text));
	assert_int_equal(session_arrive(&d->engine, &arrival, d->in.bytes, d->in.length, false, 0), 0);
	arrival.conntrack_id = d->binding.id;
	assert_int_equal(session_input(&d->engine, &arrival, d->now, &output), VERDICT_ACCEPT);
}

/* Conntrack forgets a connection that was reset after ten seconds, and takes the next packet for another's; be it a SYN of the server's. */
static void another_of_conntracks(void **state)
{
	(void)state;
	for (int how = 0; how < 8; how++) {
		struct dialogue d;

		dialogue_begin(&d, NO_NAT);
		shake_hands(&d, how & 4);
		dialogue_says(&d, CLIENT, POST);
		if (how & 1)
			reset_in_vain(&d);
		d.now += 12000;
		d.binding.id = 0x2d;
		if (how & 2)
			of_another(&d, SERVER, TCP_SYN, "");
		of_another(&d, CLIENT, TCP_ACK, BODY);
		d.seq[CLIENT] += (uint32_t)strlen(BODY);
		d.acked[SERVER] = d.seq[CLIENT];
		dialogue_says(&d, SERVER, "200 x\r\n");
		speaks_ftp(&d);
		dialogue_close(&d);
	}
}

/* A server that takes its time with the SYN/ACK: longer than a handshake is remembered. */
static void answered_late(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_SYN, NULL, 0);
	d.acked[SERVER] = d.seq[CLIENT];
	d.now += 64000;
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_says(&d, CLIENT, POST);
	dialogue_says(&d, SERVER, "220 x\r\n");
	speaks_ftp(&d);
	dialogue_close(&d);
}

/* There was no room for the connection when it began; later there is. */
static void no_room_then(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	d.engine.policy.client_sessions = 0;
	dialogue_handshake(&d);
	dialogue_says(&d, CLIENT, POST);
	d.engine.policy.client_sessions = 8;
	dialogue_says(&d, SERVER, "220 x\r\n");
	speaks_ftp(&d);
	dialogue_close(&d);
}

/* A daemon that nobody has told of SYNs that begin connections; @syn: but of the client's, which conntrack knows already. */
static void answer_alone(struct dialogue *d, bool syn)
{
	dialogue_begin(d, NO_NAT);
	d->engine.picks_up_until = 0;
	d->seq[CLIENT]++;
	d->acked[SERVER] = d->seq[CLIENT];
	d->binding.progress = PROGRESS_HANDSHAKE;
	if (syn)
		dialogue_packet(d, CLIENT, d->seq[CLIENT] - 1, TCP_SYN, NULL, 0);
	dialogue_packet(d, SERVER, d->seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d->acked[CLIENT] = d->seq[SERVER];
	assert_int_equal(d->engine.counters.sessions, 1);
}

/* Where nobody queues SYNs, an answer alone begins a session: not one in the middle of a connection that was reset in vain. */
static void answer_after_reset(void **state)
{
	struct dialogue d;

	(void)state;
	answer_alone(&d, false);
	dialogue_says(&d, CLIENT, POST);
	reset_in_vain(&d);
	d.acked[SERVER] = d.seq[CLIENT];
	d.binding.progress = PROGRESS_BEYOND;
	dialogue_packet(&d, SERVER, d.seq[SERVER] - 1, TCP_SYN | TCP_ACK, NULL, 0);
	dialogue_says(&d, SERVER, "220 x\r\n");
	dialogue_says(&d, CLIENT, "x\r\n");
	speaks_ftp(&d);
	dialogue_close(&d);
}

/* There, too, SYNs come: what conntrack calls ESTABLISHED is queued, and with it a forged SYN, or one that is sent again. None turns off the rest. */
static void answer_after_forged_syn(void **state)
{
	struct dialogue d;

	(void)state;
	answer_alone(&d, true);
	d.binding.progress = PROGRESS_BEYOND;
	forge(&d, CLIENT, 0x12345678, 0, TCP_SYN, "");
	d.binding.id++;
	d.binding.progress = PROGRESS_HANDSHAKE;
	d.seq[SERVER] += 100000;
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	assert_int_equal(d.engine.counters.sessions, 2);
	dialogue_close(&d);
}

/*
 * Encrypted, or not FTP behind a first line that was: so it stays when bytes have passed while no daemon was there, or one end says so.
 */
static void opaque_after_restart(void **state)
{
	static const char *const ends[][2] = { { "AUTH TLS\r\n", "234 go on\r\n" }, { "\1\2\3\r\n", "500 what?\r\n" } };

	(void)state;
	for (int how = 0; how < 2; how++)
		for (int reset = 0; reset < 2; reset++) {
			struct dialogue d;

			dialogue_ready(&d, NO_NAT);
			dialogue_says(&d, CLIENT, ends[how][0]);
			dialogue_says(&d, SERVER, ends[how][1]);
			if (reset)
				reset_in_vain(&d);
			dialogue_restart(&d);
			forge(&d, SERVER, d.seq[SERVER], d.seq[CLIENT] + 5, TCP_ACK, "x");
			d.seq[CLIENT] += 5;
			d.seq[SERVER] += 1;
			d.acked[SERVER] = d.seq[CLIENT];
			d.acked[CLIENT] = d.seq[SERVER];
			dialogue_says(&d, SERVER, "\r\n");
			dialogue_says(&d, CLIENT, "\r\n");
			speaks_ftp(&d);
			dialogue_close(&d);
		}
}

/* From here on the two ends are others, of whom nobody has heard. */
static void be_others(struct dialogue *d, uint16_t port)
{
	d->inside[CLIENT].port = port;
	d->binding.tuple[DIRECTION_ORIGINAL].src.port = port;
	d->binding.tuple[DIRECTION_REPLY].dst.port = port;
	d->seq[CLIENT] += 100000;
	d->seq[SERVER] += 100000;
	d->acked[CLIENT] = d->seq[SERVER];
	d->acked[SERVER] = d->seq[CLIENT];
}

/* One that began while nobody was there is followed all the same. */
static void is_followed(struct dialogue *d)
{
	for (int i = 0; i < 4; i++) {
		dialogue_says(d, CLIENT, BODY);
		dialogue_says(d, SERVER, "200 x\r\n");
	}
	dialogue_says(d, CLIENT, OPENS);
	assert_int_equal(d->expect_calls, 1);
}

static void wait_for(struct dialogue *d, uint32_t seconds)
{
	d->now += 1000ull * seconds;
	for (int i = 0; i < 2; i++)
		session_tick(&d->engine, d->now, 8);
	assert_int_equal(table_sessions(d->engine.table), 0);
}

/* A connection whose server says nothing for long; one that is not FTP; one without room; one that has to make some. */
static void leave_alone(struct dialogue *d, int how)
{
	dialogue_begin(d, NO_NAT);
	if (how == 2)
		d->engine.policy.client_sessions = 0;
	d->binding.progress = PROGRESS_HANDSHAKE;
	shake_hands(d, how == 2);
	d->binding.progress = PROGRESS_UNKNOWN;
	if (how == 1)
		dialogue_says(d, CLIENT, POST);
	if (how < 2)
		wait_for(d, d->engine.policy.idle_timeout + 1);
	if (how == 3) {
		const struct dialogue before = *d;

		d->engine.policy.client_sessions = 1;
		d->now += 20000;
		be_others(d, 40001);
		dialogue_handshake(d);
		assert_int_equal(d->engine.counters.displaced, 1);
		be_others(d, before.inside[CLIENT].port);
		memcpy(d->seq, before.seq, sizeof(d->seq));
		memcpy(d->acked, before.acked, sizeof(d->acked));
	}
	d->engine.policy.client_sessions = 8;
}

/* What was left alone is left alone by the next daemon, too; and what began between the two is not. */
static void left_alone_before_restart(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct dialogue d;

		leave_alone(&d, how);
		dialogue_restart(&d);
		speaks_ftp(&d);
		be_others(&d, 40002);
		is_followed(&d);
		dialogue_close(&d);
	}
}

/* The same where the module has let something pass: its note tells less than had been found out. */
static void left_alone_and_noted(void **state)
{
	(void)state;
	for (int restart = 0; restart < 2; restart++) {
		struct scan_note note = { .pairing.before[0] = 0 };
		struct arrival arrival;
		struct dialogue d;

		leave_alone(&d, 1);
		if (restart)
			dialogue_restart(&d);
		note.next[CLIENT] = d.seq[CLIENT];
		note.next[SERVER] = d.seq[SERVER];
		packet_make(&d.in, &d.inside[CLIENT], &d.inside[SERVER], d.seq[CLIENT], d.acked[CLIENT], TCP_ACK,
			    &(struct packet_options){ 0 }, BODY, (uint32_t)strlen(BODY));
		assert_int_equal(session_arrive(&d.engine, &arrival, d.in.bytes, d.in.length, false, 0), 0);
		passed_input(&d.engine, &arrival, d.now, &note);
		speaks_ftp(&d);
		dialogue_close(&d);
	}
}

/*
 * The module has given up following a connection, and hands over all of it; its note is of before. A daemon that has never heard of the
 * connection does not go on from there.
 */
static void old_note(void **state)
{
	const struct scan_note note = { .next = { 1001, 5001 }, .whole = true };
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	be_others(&d, 40000);
	for (int i = 0; i < 2; i++) {
		struct arrival arrival;

		packet_make(&d.in, &d.inside[CLIENT], &d.inside[SERVER], d.seq[CLIENT], d.acked[CLIENT], TCP_ACK,
			    &(struct packet_options){ 0 }, BODY, (uint32_t)strlen(BODY));
		assert_int_equal(session_arrive(&d.engine, &arrival, d.in.bytes, d.in.length, false, 0), 0);
		passed_input(&d.engine, &arrival, d.now, &note);
		dialogue_says(&d, CLIENT, BODY);
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
		dialogue_says(&d, SERVER, "200 x\r\n");
		assert_int_equal(d.verdict, VERDICT_ACCEPT);
	}
	dialogue_close(&d);
}

/* A note is lost where handshakes without a session take its place. Then no daemon can tell any more who was left alone, for a day. */
static void note_is_lost(void **state)
{
	struct dialogue d;

	(void)state;
	leave_alone(&d, 1);
	for (uint16_t i = 0; i < 8; i++) {
		const struct endpoint client = d.inside[CLIENT];

		d.inside[CLIENT].port = (uint16_t)(50000 + i);
		d.find_error = -ENOENT;
		d.now += 61000;
		shake_hands(&d, false);
		d.inside[CLIENT] = client;
		d.find_error = 0;
	}
	be_others(&d, 40000);
	dialogue_restart(&d);
	speaks_ftp(&d);
	d.now += 86400000ull;
	dialogue_restart(&d);
	be_others(&d, 40001);
	is_followed(&d);
	dialogue_close(&d);
}

/* A connection that has ended in order is followed anew where its client takes the same port while nobody is there. */
static void same_port_while_away(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	for (int side = 0; side < 2; side++) {
		dialogue_packet(&d, side, d.seq[side]++, TCP_ACK | TCP_FIN, NULL, 0);
		d.acked[!side] = d.seq[side];
	}
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0);
	wait_for(&d, 125);
	dialogue_restart(&d);
	be_others(&d, 40000);
	is_followed(&d);
	dialogue_close(&d);
}

/*
 * Bytes have passed unseen. A forged packet behind them hides the reply to RETR: the refusal of EPSV is taken for that, and what the server says
 * unasked is taken for EPSV's answer.
 */
static void reply_is_hidden(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_restart(&d);
	d.seq[SERVER] += 20;
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0);
	for (int i = 0; i < 2; i++, d.now += 1000)
		forge(&d, SERVER, d.seq[SERVER], d.acked[SERVER], TCP_ACK, "220 x\r\n");
	assert_int_not_equal(d.verdict, VERDICT_DROP);
	dialogue_says(&d, CLIENT, "RETR f\r\n");
	dialogue_says(&d, SERVER, "550 No such file.\r\n");
	dialogue_says(&d, CLIENT, "EPSV\r\n");
	dialogue_says(&d, SERVER, "425 no\r\n" PASSIVE);
	assert_int_equal(d.expect_calls, 0);
	/* And that was all that was in doubt. */
	dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, SERVER, PASSIVE);
	assert_int_equal(d.expect_calls, 1);
	dialogue_close(&d);
}

/*
 * Amid an edit, which nothing guards, the daemon begins anew. Somebody who knows the numbers says in the server's name that it has more than was
 * sent, be it before or after, and goes on behind that in the client's, perhaps with an acknowledgement of the same kind. The client's own
 * next bytes would be taken for old ones then, and dropped for ever.
 */
static void moved_at_a_restart(void **state)
{
	(void)state;
	for (unsigned int how = 0; how < 8; how++) {
		const bool settled = how & 1, before = how & 2, ahead = how & 4;
		struct dialogue d;
		uint32_t due;

		dialogue_ready(&d, MASQUERADE);
		dialogue_says(&d, CLIENT, PORT_IN);
		due = d.seq[CLIENT];
		if (settled)
			dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
		for (int begun = 0; begun < 2; begun++) {
			if (begun)
				dialogue_restart(&d);
			if (begun != before)
				forge(&d, SERVER, d.seq[SERVER], due + GROWTH + 40, TCP_ACK, NULL);
			if (begun != before && ahead)
				forge(&d, CLIENT, due, d.acked[CLIENT] + 9, TCP_ACK, NULL);
		}
		forge(&d, CLIENT, due + 40, d.acked[CLIENT] + (ahead ? 9 : 0), TCP_ACK, "x");
		assert_int_equal(d.verdict, VERDICT_DROP);
		forge(&d, SERVER, d.seq[SERVER], due + GROWTH + 30, TCP_ACK, NULL);
		dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		dialogue_left(&d, "NOOP\r\n");
		dialogue_close(&d);
	}
}

/*
 * The same while a part of an argument has been acknowledged to its sender only, and nobody was away: what comes behind it has not passed, whoever
 * says so, and the part is not lost.
 */
static void moved_amid_a_swallowed_part(void **state)
{
	static const char part[] = "10,0,0,2,11";
	const uint32_t length = (uint32_t)strlen(part);
	struct dialogue d;
	uint32_t due;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, "PORT ");
	dialogue_says(&d, CLIENT, part);
	due = d.seq[CLIENT];
	d.now += 1000;
	dialogue_packet(&d, CLIENT, due - length, TCP_ACK, part, length);
	assert_int_equal(d.adjust_calls, 1); /* it is swallowed */
	for (int again = 0; again < 4; again++) {
		forge(&d, SERVER, d.seq[SERVER], due - length + 40, TCP_ACK, NULL);
		forge(&d, CLIENT, due + 10, d.acked[CLIENT] + 9, TCP_ACK, "x");
		d.now += 1000;
	}
	assert_int_equal(d.engine.counters.resynced, 0);
	dialogue_says(&d, CLIENT, ",185\r\n");
	dialogue_left(&d, "198,51,100,254,11,185\r\n");
	dialogue_close(&d);
}

/*
 * A request whose method is PORT, and whose "HTTP/1.1" the server has had cut: its first bytes are held back as an argument's, which gets too long,
 * or stays incomplete for too long.
 */
static void request_is_cut(void **state)
{
	(void)state;
	for (unsigned int cut = 0; cut < 8; cut++)
		for (int late = 0; late < 2; late++) {
			static const char start[] = "PORT /", end[] = " HTTP/1.1\r\n";
			char target[HELD_MAX + 16];
			struct dialogue d;
			uint32_t first;

			dialogue_open(&d, cut % 2 ? MASQUERADE : NO_NAT);
			dialogue_says(&d, SERVER, "220 x\r\n");
			memset(target, 'x', sizeof(target));
			memcpy(target, start, sizeof(start) - 1);
			memcpy(target + HELD_MAX - 4, end, sizeof(end) - 1);
			first = d.seq[CLIENT];
			dialogue_says_bytes(&d, CLIENT, target, HELD_MAX - 3 + cut);
			if (late)
				session_tick(&d.engine, d.now += 400000, table_slots(d.engine.table));
			for (int again = 1; again >= 0; again--) { /* from where it was held, and then all of it */
				const uint32_t from = again ? HELD_MAX - 3 + cut : 0;

				dialogue_packet(&d, CLIENT, first + from, TCP_ACK | TCP_PSH, target + from,
						HELD_MAX + 7 - from);
			}
			assert_int_equal(d.refusal, REFUSED_NOT_FTP);
			dialogue_close(&d);
		}
}

/*
 * Clients begin TLS upon other replies than 234, too (curl and FileZilla upon 334). The server, who knows the keys, has chosen a file's name so
 * that the record with RETR holds a line.
 */
static void tls_unannounced(void **state)
{
	static const char *const replies[] = { "334 go\r\n", "200 go\r\n", "150 go\r\n", "234-go\r\n", "\r\n" };
	static const char record[] = "\x17\x03\x03\x01\x02"
				     "abc\n" OPENS "def\n" OPENS;

	(void)state;
	for (unsigned int i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		for (unsigned int cut = 1; cut < sizeof(record); cut++) {
			struct dialogue d;

			dialogue_open(&d, NO_NAT);
			dialogue_says(&d, SERVER, "230 in\r\n");
			for (int n = 0; n < 2; n++) {
				dialogue_says(&d, CLIENT, "AUTH SSL\r\n");
				dialogue_says(&d, SERVER, "504 no\r\n");
			}
			dialogue_says(&d, CLIENT, "AUTH TLS\r\n");
			dialogue_says(&d, SERVER, replies[i]);
			dialogue_says_bytes(&d, CLIENT, record, cut);
			dialogue_says(&d, SERVER, "200 x\r\n");
			if (record[cut])
				dialogue_says(&d, CLIENT, record + cut);
			assert_int_equal(d.expect_calls, 0);
			dialogue_close(&d);
		}
}

/* The same where nobody was there when it began. */
static void tls_unseen(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_restart(&d);
	d.seq[CLIENT] += 10;
	d.seq[SERVER] += 12;
	d.acked[SERVER] = d.seq[CLIENT];
	d.acked[CLIENT] = d.seq[SERVER];
	dialogue_packet(&d, SERVER, d.seq[SERVER], TCP_ACK, NULL, 0);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, NULL, 0);
	for (int i = 0; i < 3; i++) {
		dialogue_says(&d, CLIENT, "\x17\x03\x03\x01\x02\nNOOP\r\ntag");
		dialogue_says(&d, SERVER, "\x17\x03\x03\x01\x02\n200 x\r\ntag");
	}
	dialogue_says(&d, CLIENT, "\x17\x03\x03\x01\x02\n" OPENS);
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgotten_after_reset),
		cmocka_unit_test(another_of_conntracks),
		cmocka_unit_test(answered_late),
		cmocka_unit_test(no_room_then),
		cmocka_unit_test(answer_after_reset),
		cmocka_unit_test(answer_after_forged_syn),
		cmocka_unit_test(opaque_after_restart),
		cmocka_unit_test(left_alone_before_restart),
		cmocka_unit_test(left_alone_and_noted),
		cmocka_unit_test(note_is_lost),
		cmocka_unit_test(old_note),
		cmocka_unit_test(same_port_while_away),
		cmocka_unit_test(reply_is_hidden),
		cmocka_unit_test(moved_at_a_restart),
		cmocka_unit_test(moved_amid_a_swallowed_part),
		cmocka_unit_test(tls_unseen),
		cmocka_unit_test(tls_unannounced),
		cmocka_unit_test(request_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
