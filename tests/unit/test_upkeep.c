// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a silent connection needs (core/session/upkeep.h), against a conntrack whose expectations and connections have a time: what is still to
 * come is renewed, within bounds, and nothing else is; the connection of a transfer is kept; a session ends when its connection has.
 */
#include "unit.h"

#include "common/dialogue.h"
#include "core/session/upkeep.h"

#include <errno.h>

#define SECONDS 1000ull

/* ---- a conntrack that forgets ---- */

static struct dialogue d;
static struct conntrack_ops ops;
static int renew_error, look_error;
static unsigned int renewals, looks, kept;
static uint64_t expires; /* of what is expected */
static uint32_t sight_id;
static bool sight_noted;
static struct scan_note sight_note;
static int (*expect)(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation);

static int timed_expect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation)
{
	expires = d.now + SECONDS * conntrack_expected_seconds(conntrack);
	return expect(conntrack, master, expectation);
}

static int timed_renew(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation,
		       uint32_t seconds)
{
	assert_true(tuple_equal(&master->tuple[0], &d.binding.tuple[0]));
	renewals++;
	if (renew_error)
		return renew_error;
	if (!d.expectations || d.now > expires)
		return -ENOENT;
	assert_int_equal(expectation->tuple.dst.port, d.expectation[0].tuple.dst.port);
	assert_in_range(seconds, 1, conntrack_expected_seconds(conntrack));
	expires = d.now + SECONDS * seconds;
	return 0;
}

static int timed_look(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct sight *sight)
{
	(void)conntrack;
	assert_int_equal(zone, 0);
	assert_true(endpoint_equal(&seen->src, &d.inside[CLIENT]));
	if (sight->bound)
		assert_true(tuple_equal(&sight->bound->tuple[0], &d.binding.tuple[0]));
	looks++;
	kept += sight->keep;
	sight->id = sight_id;
	sight->noted = sight_noted;
	sight->note = sight_note;
	return look_error;
}

static void begin(void)
{
	dialogue_ready(&d, MASQUERADE);
	dialogue_says(&d, CLIENT, "PASS x\r\n");
	dialogue_says(&d, SERVER, "230 in\r\n");
	ops = *d.conntrack.ops;
	expect = ops.expect;
	ops.expect = timed_expect;
	ops.renew = timed_renew;
	ops.look = timed_look;
	d.conntrack.ops = &ops;
	renew_error = look_error = 0;
	renewals = looks = kept = 0;
	sight_id = 0;
	sight_noted = false;
}

/* So many seconds of silence, as the daemon's worker spends them. */
static void silence(uint32_t seconds)
{
	for (uint64_t until = d.now + SECONDS * seconds; d.now < until; d.now += SECONDS) {
		if (d.now / SECONDS % 5 == 0)
			upkeep_tick(&d.engine, d.now, 0, table_work_slots(d.engine.table));
		if (d.now / SECONDS % 60 == 0)
			upkeep_tick(&d.engine, d.now, table_slots(d.engine.table), 0);
		if (d.now / SECONDS % 60 == 0)
			session_tick(&d.engine, d.now, table_slots(d.engine.table));
	}
}

static bool is_expected(void)
{
	return d.expectations && d.now <= expires;
}

static unsigned int sessions(void)
{
	unsigned int count = 0;

	for (uint32_t i = 1; i <= table_slots(d.engine.table); i++)
		count += table_slot(d.engine.table, i) != NULL;
	return count;
}

static void announce(void)
{
	dialogue_says(&d, CLIENT, PORT_IN);
	dialogue_says(&d, SERVER, "200 ok\r\n");
	assert_true(is_expected());
}

/* ---- expectations ---- */

/* A tape that is mounted within the hour, whatever the command. */
static void a_tape(void **state)
{
	static const char *const commands[] = { "RETR a\r\n", "STOR a\r\n", "LIST\r\n", "NLST\r\n",
						"MLSD\r\n",   "APPE a\r\n", "STOU\r\n", "list -l\r\n" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		begin();
		announce();
		dialogue_says(&d, CLIENT, commands[i]);
		silence(3590);
		assert_true(is_expected());
		assert_in_range(renewals, 3590 / 300, 3590 / 150 + 1);
		dialogue_says(&d, SERVER, "125 go\r\n226 done\r\n");
		assert_int_equal(d.expectations, 0);
		dialogue_close(&d);
	}
}

static void a_tape_passive(void **state)
{
	(void)state;
	for (int begun = 0; begun < 2; begun++) {
		begin();
		dialogue_says(&d, CLIENT, "PASV\r\n");
		dialogue_says(&d, SERVER, PASSIVE);
		dialogue_says(&d, CLIENT, "RETR a\r\n");
		if (begun) /* some say so first, and mount it then */
			dialogue_says(&d, SERVER, "150 mounting\r\n");
		silence(1800);
		assert_true(is_expected());
		dialogue_close(&d);
	}
}

/* An hour is the most, whatever is waited for. */
static void no_longer(uint32_t longest, uint32_t until)
{
	begin();
	d.engine.policy.expect_longest = longest;
	announce();
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	silence(until - 60);
	assert_true(is_expected());
	silence(60 + 120); /* all sessions are looked at once a minute */
	assert_int_equal(d.expectations, 0);
	assert_int_equal(d.unexpect_calls, 1);
	dialogue_close(&d);
}

/* Nor does conntrack keep it longer, should nobody be there to take it back. */
static void told_of_the_hour(void **state)
{
	uint64_t since;

	(void)state;
	begin();
	announce();
	since = d.now;
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	silence(3590);
	assert_true(is_expected());
	assert_in_range(expires, since + SECONDS * 3590, since + SECONDS * 3601); /* it is counted in whole seconds */
	dialogue_close(&d);
}

static void an_hour_at_the_most(void **state)
{
	(void)state;
	no_longer(3600, 3600);
	no_longer(900, 900);
	no_longer(0, 300);
	assert_int_equal(renewals, 0);
}

/* Where nothing is waited for, five minutes are all. */
static void without_a_transfer(void **state)
{
	static const char *const said[][2] = {
		{ NULL, NULL }, { "NOOP\r\n", NULL }, { "RETR a\r\n", "550 no\r\n" }, { "TYPE I\r\n", "200 I\r\n" }
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		begin();
		announce();
		if (said[i][0])
			dialogue_says(&d, CLIENT, said[i][0]);
		if (said[i][1])
			dialogue_says(&d, SERVER, said[i][1]);
		silence(370);
		assert_int_equal(d.expectations, 0);
		assert_int_equal(renewals, 0);
		dialogue_close(&d);
	}
}

/* The command comes late, but in time. */
static void a_late_command(void **state)
{
	(void)state;
	begin();
	announce();
	silence(290);
	assert_int_equal(renewals, 0);
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	silence(600);
	assert_true(is_expected());
	dialogue_close(&d);
}

/* It has come: that is the end of it, in the table too. */
static void it_has_come(void **state)
{
	(void)state;
	begin();
	announce();
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	d.expectations = 0;
	silence(1200);
	assert_int_equal(renewals, 1);
	assert_int_equal(d.reports[REPORT_UNEXPECT], 1);
	dialogue_close(&d);
}

/* Conntrack fails: it is tried again, and what it has let go of is let go of here. */
static void conntrack_fails(void **state)
{
	(void)state;
	begin();
	announce();
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	renew_error = -ENOBUFS;
	silence(200);
	assert_in_range(renewals, 2, 12);
	renew_error = 0;
	silence(400);
	assert_true(is_expected());
	renew_error = -ENOBUFS;
	silence(370);
	assert_int_equal(d.expectations, 0);
	dialogue_close(&d);
}

/* Another time than the usual one. */
static void a_short_time(void **state)
{
	(void)state;
	begin();
	d.conntrack.expected_seconds = 30;
	announce();
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	silence(600);
	assert_true(is_expected());
	assert_in_range(renewals, 20, 41);
	dialogue_close(&d);
}

/* A restart forgets neither since when nor until when. */
static void over_a_restart(void **state)
{
	(void)state;
	begin();
	announce();
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	for (int i = 0; i < 17; i++) {
		silence(200);
		dialogue_restart(&d);
	}
	assert_true(is_expected());
	silence(380);
	assert_int_equal(d.expectations, 0);
	dialogue_close(&d);
}

/* The module lets RETR pass; its note says so when conntrack is asked. */
static void by_the_modules_note(void **state)
{
	(void)state;
	for (int waits = 0; waits < 2; waits++) {
		begin();
		d.conntrack.noted = true;
		announce();
		sight_noted = true;
		sight_note = (struct scan_note){ .next = { d.seq[CLIENT] + 8, d.seq[SERVER] + 10 } };
		pairing_push(&sight_note.pairing, waits ? PAIRING_TRANSFER : PAIRING_OTHER);
		silence(1000);
		assert_int_equal(is_expected(), waits);
		assert_in_range(looks, 1, 40);
		dialogue_close(&d);
	}
}

/* ---- the connection ---- */

static void kept_while_it_transfers(void **state)
{
	(void)state;
	begin();
	announce();
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	dialogue_says(&d, SERVER, "150 here\r\n");
	silence(6 * 3600);
	assert_in_range(kept, 6 * 60 - 2, 6 * 60 + 1);
	dialogue_says(&d, SERVER, "226 done\r\n");
	kept = 0;
	silence(3600);
	assert_int_equal(kept, 0);
	dialogue_close(&d);
}

/* One that was never answered is not kept for ever. */
static void kept_for_an_hour(void **state)
{
	(void)state;
	begin();
	announce();
	dialogue_says(&d, CLIENT, "RETR a\r\n");
	silence(7200);
	assert_in_range(kept, 58, 60);
	dialogue_close(&d);
}

static void asked_about_when_idle(void **state)
{
	(void)state;
	begin();
	silence(295);
	assert_int_equal(looks, 0);
	silence(600);
	assert_in_range(looks, 1, 4);
	assert_int_equal(kept, 0);
	assert_int_equal(sessions(), 1);
	dialogue_close(&d);
}

/* What conntrack says, and whether the session is there after it. */
static void told(int error, uint32_t id, uint32_t known, bool forgotten)
{
	begin();
	dialogue_says(&d, CLIENT, "TYPE I\r\n");
	for (uint32_t i = 1; i <= table_slots(d.engine.table); i++)
		if (table_slot(d.engine.table, i))
			table_slot(d.engine.table, i)->conntrack_id = known;
	look_error = error;
	sight_id = id;
	silence(700);
	assert_true(looks >= 1);
	assert_int_equal(sessions(), !forgotten);
	assert_int_equal(d.reports[REPORT_END], forgotten);
	dialogue_close(&d);
}

static void forgotten_with_its_connection(void **state)
{
	(void)state;
	told(0, 0, 0, false);
	told(0, 7, 7, false);
	told(0, 0, 7, false);
	told(0, 7, 0, false);
	told(-ENOBUFS, 0, 7, false);
	told(-EAGAIN, 0, 0, false);
	told(-ENOENT, 0, 7, true);
	told(-ENOENT, 0, 0, true);
	told(0, 8, 7, true);
}

/* Whose packets we renumber breaks without us, whatever conntrack has forgotten. */
static void not_where_it_would_break(void **state)
{
	(void)state;
	begin();
	d.by = SEQADJ_SELF;
	announce();
	look_error = -ENOENT;
	silence(1200);
	assert_true(looks >= 1);
	assert_int_equal(sessions(), 1);
	dialogue_close(&d);
}

/* ---- bounds ---- */

#define MANY 1000

static unsigned int asked[MANY + 1];

static int counting_look(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct sight *sight)
{
	(void)conntrack;
	(void)zone;
	(void)sight;
	looks++;
	asked[seen->src.port]++;
	return 0;
}

static void fill_table(void)
{
	free(d.memory);
	d.size = (struct table_size){ .sessions = 1024, .works = 4, .budgets = 8 };
	d.memory = unit_alloc_lines(table_bytes(&d.size));
	dialogue_restart(&d);
	for (uint16_t i = 1; i <= MANY; i++) {
		const struct tuple ends = { .src = { .family = FAMILY_IPV4, .port = i, .address = { 10 } },
					    .dst = { .family = FAMILY_IPV4, .port = 21, .address = { 9 } } };
		struct flow_key key;
		const uint32_t hash = table_hash(d.engine.table, &ends.src, &ends.dst, 0, &key);
		struct session *session = table_insert(d.engine.table, &key, hash);

		assert_non_null(session);
		session->state = SESSION_READY;
		session->last_seen = (uint32_t)(d.now / SECONDS) - 400;
	}
}

/* Idle sessions: so many questions a tick and no more, however many are looked at; and each is asked about, sooner or later. */
static void many(void **state)
{
	unsigned int never = 0;

	(void)state;
	begin();
	ops.look = counting_look;
	d.now = 1000 * SECONDS;
	fill_table();
	memset(asked, 0, sizeof(asked));
	for (unsigned int tick = 0; tick < 20 * 600; tick++) {
		looks = 0;
		d.now += SECONDS / 10;
		upkeep_tick(&d.engine, d.now, 1024 / 600 + 1, 1);
		assert_in_range(looks, 0, 2);
	}
	for (unsigned int i = 1; i <= MANY; i++)
		never += asked[i] == 0;
	assert_int_equal(never, 0);
	for (unsigned int tick = 0; tick < 10; tick++) {
		looks = 0;
		upkeep_tick(&d.engine, d.now, 1024, 1);
		assert_int_equal(looks, 64);
	}
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tape),
		cmocka_unit_test(a_tape_passive),
		cmocka_unit_test(an_hour_at_the_most),
		cmocka_unit_test(told_of_the_hour),
		cmocka_unit_test(without_a_transfer),
		cmocka_unit_test(a_late_command),
		cmocka_unit_test(it_has_come),
		cmocka_unit_test(conntrack_fails),
		cmocka_unit_test(a_short_time),
		cmocka_unit_test(over_a_restart),
		cmocka_unit_test(by_the_modules_note),
		cmocka_unit_test(kept_while_it_transfers),
		cmocka_unit_test(kept_for_an_hour),
		cmocka_unit_test(asked_about_when_idle),
		cmocka_unit_test(forgotten_with_its_connection),
		cmocka_unit_test(not_where_it_would_break),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
