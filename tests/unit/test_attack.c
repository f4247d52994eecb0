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

/* Where nobody queues SYNs, an answer alone begins a session: not one in the middle of a connection that was reset in vain. */
static void answer_after_reset(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, NO_NAT);
	d.engine.picks_up_until = 0;
	d.seq[CLIENT]++;
	d.acked[SERVER] = d.seq[CLIENT];
	d.binding.progress = PROGRESS_HANDSHAKE;
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d.acked[CLIENT] = d.seq[SERVER];
	assert_int_equal(d.engine.counters.sessions, 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgotten_after_reset), cmocka_unit_test(another_of_conntracks),
		cmocka_unit_test(answered_late),	 cmocka_unit_test(no_room_then),
		cmocka_unit_test(answer_after_reset),	 cmocka_unit_test(opaque_after_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
