// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules that queue packets were gone while the daemon was there: what passed meanwhile, and what is believed of it once they are back.
 */

#include "unit.h"

#include "common/dialogue.h"
#include "core/session/unwatched.h"

static struct session *session_of(const struct dialogue *d)
{
	for (uint32_t i = 1; i <= table_slots(d->engine.table); i++)
		if (table_slot(d->engine.table, i))
			return table_slot(d->engine.table, i);
	return NULL;
}

/* A command passes unseen, and its reply has not come yet. */
static void command_passes(struct dialogue *d)
{
	d->seq[CLIENT] += 6; /* "NOOP" */
	d->acked[SERVER] = d->seq[CLIENT];
}

static void acknowledges(struct dialogue *d, int side)
{
	dialogue_packet(d, side, d->seq[side], TCP_ACK, NULL, 0);
}

/* The client goes on behind it, until that is believed. Return: how often it was sent in vain. */
static int goes_on(struct dialogue *d)
{
	for (int sent = 0; sent < 4; sent++, d->now += 1000) {
		dialogue_packet(d, CLIENT, d->seq[CLIENT], TCP_ACK, "NOOP\r\n", 6);
		if (d->engine.counters.resynced) {
			d->seq[CLIENT] += 6;
			return sent;
		}
	}
	return 4;
}

/* With the rules found gone its sender is believed when it goes on behind it for the third time; without, it has been lost three times. */
static void what_passed_is_believed(void **state)
{
	(void)state;
	for (int found = 0; found < 2; found++) {
		struct dialogue d;

		dialogue_ready(&d, MASQUERADE);
		acknowledges(&d, SERVER);
		if (found)
			unwatched_sessions(&d.engine, d.now);
		command_passes(&d);
		assert_int_equal(goes_on(&d), found ? 2 : 4);
		assert_int_equal(d.engine.counters.resynced, found);
		dialogue_close(&d);
	}
}

/* Bytes are lost, and with them what was shown: a command and its reply open the way again. */
static void everything_is_shown_again(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	unwatched_sessions(&d.engine, d.now);
	command_passes(&d);
	acknowledges(&d, SERVER);
	assert_int_equal(goes_on(&d), 1);
	acknowledges(&d, SERVER);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_refused(&d, REFUSED_NO_EXCHANGE);
	dialogue_left(&d, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n200 ok\r\n500 no\r\n");
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	dialogue_close(&d);
}

/* Nothing has passed after all, and the server says so when it has the next command: the session is as it was. */
static void nothing_has_passed(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	unwatched_sessions(&d.engine, d.now);
	assert_true(session_of(&d)->stream[CLIENT].stale && session_of(&d)->stream[SERVER].stale);
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	acknowledges(&d, SERVER);
	assert_false(session_of(&d)->stream[CLIENT].stale);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	dialogue_close(&d);
}

/* Where its end does not say so, an announcement may be one that has passed already, and comes again: it is not edited. */
static void announcement_may_have_passed(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	unwatched_sessions(&d.engine, d.now);
	dialogue_packet(&d, CLIENT, d.seq[CLIENT], TCP_ACK, PORT_IN, sizeof(PORT_IN) - 1);
	assert_int_equal(d.expect_calls, 0);
	dialogue_close(&d);
}

/* A connection that began meanwhile is picked up in its middle; one that began while its packets came here is not. */
static void picked_up_in_its_middle(void **state)
{
	(void)state;
	for (int found = 0; found < 2; found++) {
		struct dialogue d;

		dialogue_begin(&d, MASQUERADE);
		d.engine.picks_up_until = 0;
		if (found)
			unwatched_sessions(&d.engine, d.now);
		dialogue_says(&d, CLIENT, "NOOP\r\n");
		assert_int_equal(d.engine.counters.picked_up, found);
		assert_int_equal(d.engine.counters.strangers, !found);
		dialogue_close(&d);
	}
}

/* No packet of a connection that we renumber can do without us: nothing of it is in doubt. */
static void our_own_numbers(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, MASQUERADE);
	session_of(&d)->self = true;
	unwatched_sessions(&d.engine, d.now);
	assert_false(session_of(&d)->stream[CLIENT].stale || session_of(&d)->stream[SERVER].stale);
	dialogue_close(&d);
}

/* That rules are back is said, too: what a sender has shown in between is not forgotten by that. */
static void second_time(void **state)
{
	struct dialogue d;
	uint32_t start;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	start = d.seq[CLIENT];
	unwatched_sessions(&d.engine, d.now);
	dialogue_packet(&d, CLIENT, start + 12, TCP_ACK, "NOOP\r\n", 6);
	unwatched_sessions(&d.engine, d.now);
	assert_int_equal(session_of(&d)->stream[CLIENT].beyond, start + 18);
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	acknowledges(&d, SERVER);
	assert_true(session_of(&d)->stream[CLIENT].stale);
	dialogue_close(&d);
}

/* An edit that was in flight when rules went may have been acknowledged unseen, and its sender have gone on: nothing guarded it any more. */
static void edit_was_in_flight(void **state)
{
	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		struct dialogue d;

		dialogue_ready(&d, MASQUERADE);
		d.conntrack.guarded = true;
		dialogue_says(&d, CLIENT, PORT_IN);
		dialogue_left(&d, PORT_OUT);
		assert_true(session_of(&d)->stream[CLIENT].in_flight);
		if (gone)
			unwatched_sessions(&d.engine, d.now);
		command_passes(&d);
		d.acked[SERVER] += GROWTH;
		acknowledges(&d, SERVER);
		assert_int_equal(goes_on(&d) < 4, gone);
		dialogue_close(&d);
	}
}

/* Rules are seen somewhat later than the first packets they hand over: who has been seen from the beginning is not doubted for that. */
static void rules_come(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_begin(&d, MASQUERADE);
	d.engine.picks_up_until = 0;
	session_absent(&d.engine, d.now);
	dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_int_equal(d.engine.counters.picked_up, 1);
	dialogue_close(&d);

	dialogue_ready(&d, MASQUERADE);
	session_absent(&d.engine, d.now);
	assert_false(session_of(&d)->stream[CLIENT].stale || session_of(&d)->stream[SERVER].stale);
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_left(&d, PORT_OUT);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passed_is_believed),
		cmocka_unit_test(everything_is_shown_again),
		cmocka_unit_test(nothing_has_passed),
		cmocka_unit_test(announcement_may_have_passed),
		cmocka_unit_test(picked_up_in_its_middle),
		cmocka_unit_test(our_own_numbers),
		cmocka_unit_test(second_time),
		cmocka_unit_test(rules_come),
		cmocka_unit_test(edit_was_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
