// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shares: who is a client, what it may take of what is free, its rates, networks that stand for many; budgets that meet in one set
 * of the table, and what a successor counts; which session makes room for another.
 */
#include "unit.h"

#include "common/crowd.h"
#include "core/engine/share.h"
#include "core/engine/worth.h"

/* ---- networks ---- */

static void networks(void **state)
{
	static const struct {
		uint32_t network, bits, address;
		bool has;
	} rows[] = {
		{ 0xc0000200, 24, 0xc00002ff, true }, { 0xc0000200, 24, 0xc0000300, false },
		{ 0xc0000200, 23, 0xc00003ff, true }, { 0xc0000200, 23, 0xc0000400, false },
		{ 0xc0000201, 32, 0xc0000201, true }, { 0xc0000201, 32, 0xc0000200, false },
		{ 0, 0, 0xffffffff, true },	      { 0x80000000, 1, 0xc0000000, true },
		{ 0x80000000, 1, 0x7fffffff, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct network network = { .family = FAMILY_IPV4, .bits = (uint8_t)rows[i].bits };
		struct endpoint endpoint = crowd_ipv4(rows[i].address, 1);

		packet_put32(network.address, rows[i].network);
		assert_int_equal(network_has(&network, &endpoint), rows[i].has);
		endpoint.family = FAMILY_IPV6;
		assert_false(network_has(&network, &endpoint));
		assert_false(network_trim(&network));
	}
}

static void networks_ipv6(void **state)
{
	struct network network = { .family = FAMILY_IPV6, .bits = 62 };
	struct endpoint in = crowd_ipv6(7, 1, 1), out = crowd_ipv6(8, 1, 1);

	(void)state;
	memcpy(network.address, in.address, 16);
	assert_true(network_trim(&network));
	assert_false(network_trim(&network));
	assert_int_equal(network.address[7], 4); /* 7 without its last two bits */
	assert_int_equal(network.address[15], 0);
	assert_true(network_has(&network, &in));
	assert_false(network_has(&network, &out));
	network.bits = 128;
	assert_false(network_has(&network, &in));
}

/* As they are asked for: a whole address is no network. */
static void networks_printed(void **state)
{
	static const struct {
		uint8_t family, bits;
		const char *text;
	} rows[] = {
		{ FAMILY_IPV4, 32, "32.1.13.184" },
		{ FAMILY_IPV4, 24, "32.1.13.184/24" },
		{ FAMILY_IPV4, 0, "32.1.13.184/0" },
		{ FAMILY_IPV6, 128, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ FAMILY_IPV6, 127, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/127" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct network network = { { 0x20, 0x01, 0x0d, 0xb8 }, rows[i].family, rows[i].bits };
		char text[NETWORK_PRINT_MAX];

		if (rows[i].family == FAMILY_IPV6)
			memset(network.address + 4, 0xff, 12);
		assert_string_equal(network_print(&network, text), rows[i].text);
	}
}

/* ---- what one may take ---- */

static uint32_t take_all(struct dialogue *d, const struct endpoint *client, enum share what)
{
	uint32_t count = 0;

	while (share_may(&d->engine, client, what)) {
		table_count(d->engine.table, table_budget(d->engine.table, client), what, 1);
		count++;
		assert_true(count <= 100000);
	}
	return count;
}

static void give_all(struct dialogue *d, const struct endpoint *client, enum share what, uint32_t count)
{
	while (count--)
		share_give(&d->engine, client, what);
}

static void a_client_is_an_address_or_a_network(void **state)
{
	struct endpoint a = crowd_ipv4(GREEDY, 1), b = crowd_ipv4(GREEDY, 2);
	struct endpoint other = crowd_ipv4(GREEDY + 1, 1);
	struct endpoint six = crowd_ipv6(1, 1, 1), neighbour = crowd_ipv6(1, 0xffffffff, 9), next = crowd_ipv6(2, 1, 1);
	struct endpoint alike = a;
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 64, 32, 1024);
	alike.family = FAMILY_IPV6; /* the same bytes */
	assert_ptr_equal(table_budget(d.engine.table, &a), table_budget(d.engine.table, &b));
	assert_ptr_not_equal(table_budget(d.engine.table, &a), table_budget(d.engine.table, &other));
	assert_ptr_not_equal(table_budget(d.engine.table, &a), table_budget(d.engine.table, &alike));
	assert_ptr_equal(table_budget(d.engine.table, &six), table_budget(d.engine.table, &neighbour));
	assert_ptr_not_equal(table_budget(d.engine.table, &six), table_budget(d.engine.table, &next));
	dialogue_close(&d);
}

/* Of everything: half for one, a third each for two, and always something for the next. */
static void fractions(void **state)
{
	(void)state;
	for (enum share what = 0; what < SHARES; what++) {
		const struct endpoint one = crowd_ipv4(1, 1), two = crowd_ipv4(2, 1), three = crowd_ipv6(3, 1, 1);
		struct dialogue d;
		uint32_t room, taken[3];

		crowd_begin(&d, 4096, 512, 1024);
		d.engine.policy.expectations = 1000;
		room = share_room(&d.engine, what);
		assert_true(room >= 500);
		taken[0] = take_all(&d, &one, what);
		assert_in_range(taken[0], room / 2, room / 2 + 1);
		taken[1] = take_all(&d, &two, what);
		assert_in_range(taken[1], room / 4, room / 4 + 1);
		taken[2] = take_all(&d, &three, what);
		assert_in_range(taken[2], room / 8, room / 8 + 1);
		assert_int_equal(table_taken(d.engine.table, what), taken[0] + taken[1] + taken[2]);
		assert_false(share_full(&d.engine, what));
		/* The first has given something back: it may not take it again, the others may. */
		give_all(&d, &one, what, room / 4);
		assert_false(share_may(&d.engine, &one, what) && taken[0] - room / 4 > room / 3 + 1);
		assert_true(share_may(&d.engine, &three, what));
		give_all(&d, &one, what, taken[0] - room / 4);
		give_all(&d, &two, what, taken[1]);
		give_all(&d, &three, what, taken[2]);
		assert_int_equal(table_taken(d.engine.table, what), 0);
		share_give(&d.engine, &one, what); /* what nobody has taken is not given back */
		assert_int_equal(table_taken(d.engine.table, what), 0);
		assert_int_equal(take_all(&d, &one, what), taken[0]);
		dialogue_close(&d);
	}
}

/* A session of this client, with nothing but its address. */
static struct session session_of(uint32_t client)
{
	struct session session = { .key = { .family = FAMILY_IPV4 } };

	packet_put32(session.key.low_address, client);
	return session;
}

static void exempt_networks(void **state)
{
	const struct endpoint proxy = crowd_ipv4(0x0a010203, 1), other = crowd_ipv4(0x0a020203, 1);
	const struct session session = session_of(0x0a010203);
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 4096, 512, 1024);
	d.engine.policy.client_sessions = 5;
	d.engine.policy.exempt[0] = (struct network){ .family = FAMILY_IPV6, .bits = 0 };
	d.engine.policy.exempt[1] = (struct network){ .family = FAMILY_IPV4, .bits = 16, .address = { 10, 1 } };
	d.engine.policy.exempt_count = 2;
	assert_false(share_exempt(&d.engine, &other));
	assert_int_equal(take_all(&d, &other, SHARE_SESSIONS), 5);
	assert_int_equal(take_all(&d, &proxy, SHARE_WORKS), 512);
	assert_int_equal(take_all(&d, &proxy, SHARE_SESSIONS), share_room(&d.engine, SHARE_SESSIONS) - 5);
	assert_true(share_full(&d.engine, SHARE_SESSIONS));
	for (unsigned int i = 0; i < 100000; i++)
		assert_true(share_spend(&d.engine, &session, RATE_TRIES, 1000));
	d.engine.policy.exempt_count = 1;
	assert_false(share_exempt(&d.engine, &proxy));
	dialogue_close(&d);
}

/* ---- rates ---- */

static unsigned int spend_all(struct dialogue *d, uint32_t client, enum rate rate, uint64_t now)
{
	const struct session session = session_of(client);
	unsigned int count = 0;

	while (share_spend(&d->engine, &session, rate, now))
		count++;
	return count;
}

static void rates(void **state)
{
	const struct endpoint one = crowd_ipv4(1, 1);
	struct client_budget *budget;
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 64, 32, 1024);
	d.engine.policy.client_rate = 100;
	d.engine.policy.client_tries = 7;
	assert_int_equal(spend_all(&d, 1, RATE_ANNOUNCEMENTS, 5000), 200);
	assert_int_equal(spend_all(&d, 1, RATE_TRIES, 5000), 14); /* of its own */
	assert_int_equal(spend_all(&d, 2, RATE_ANNOUNCEMENTS, 5000), 200);
	assert_int_equal(spend_all(&d, 1, RATE_ANNOUNCEMENTS, 5009), 0);
	assert_int_equal(spend_all(&d, 1, RATE_ANNOUNCEMENTS, 5010), 1);
	assert_int_equal(spend_all(&d, 1, RATE_ANNOUNCEMENTS, 6010), 100);
	assert_int_equal(spend_all(&d, 1, RATE_TRIES, 6010), 7);
	assert_int_equal(spend_all(&d, 1, RATE_ANNOUNCEMENTS, 1000000), 200);
	/* A damaged budget is not the end of it. */
	budget = table_budget(d.engine.table, &one);
	budget->refilled = UINT64_MAX;
	budget->tokens[RATE_ANNOUNCEMENTS] = 0;
	assert_int_equal(spend_all(&d, 1, RATE_ANNOUNCEMENTS, 1000001), 200);
	budget->tokens[RATE_ANNOUNCEMENTS] = UINT32_MAX;
	assert_int_equal(spend_all(&d, 1, RATE_ANNOUNCEMENTS, 1000001), 200);
	dialogue_close(&d);
}

/* ---- budgets in the table ---- */

/* One set for all: clients without a place of their own count as one, and nobody's count is lost whatever comes and goes. */
static void many_in_one_set(void **state)
{
	enum { CLIENTS = 30 };
	uint32_t model[CLIENTS] = { 0 }, all = 0, beyond = 0;
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 4096, 32, 1); /* rounded up: eight */
	for (unsigned int step = 0; step < 100000; step++) {
		const uint32_t number = unit_pick(step % 3000 < 1500 ? CLIENTS : 5);
		const struct endpoint client = crowd_ipv4(number + 1, 1);
		const bool take = step % 1500 < 750 ? unit_pick(3) : !unit_pick(3);

		if (take) {
			table_count(d.engine.table, table_budget(d.engine.table, &client), SHARE_SESSIONS, 1);
			model[number]++;
			all++;
		} else if (model[number]) {
			table_count(d.engine.table, table_budget(d.engine.table, &client), SHARE_SESSIONS, -1);
			model[number]--;
			all--;
		}
		assert_int_equal(table_taken(d.engine.table, SHARE_SESSIONS), all);
		for (uint32_t i = 0; i < CLIENTS; i++) {
			const struct endpoint each = crowd_ipv4(i + 1, 1);

			if (!model[i])
				continue;
			assert_true(table_budget(d.engine.table, &each)->taken[SHARE_SESSIONS] >= model[i]);
			beyond += table_budget(d.engine.table, &each)->taken[SHARE_SESSIONS] > model[i];
		}
	}
	assert_true(beyond > 0); /* there were others */
	for (uint32_t i = 0; i < CLIENTS; i++) {
		const struct endpoint client = crowd_ipv4(i + 1, 1);

		while (model[i]--)
			table_count(d.engine.table, table_budget(d.engine.table, &client), SHARE_SESSIONS, -1);
	}
	assert_int_equal(table_taken(d.engine.table, SHARE_SESSIONS), 0);
	for (uint32_t i = 0; i < 7; i++) { /* and each of seven has a place again */
		const struct endpoint client = crowd_ipv4(100 + i, 1);

		table_count(d.engine.table, table_budget(d.engine.table, &client), SHARE_SESSIONS, 1);
		assert_int_equal(table_budget(d.engine.table, &client)->family, FAMILY_IPV4);
	}
	dialogue_close(&d);
}

/* Is what the budgets say what the sessions have? */
static void check_counts(struct dialogue *d)
{
	struct table *table = d->engine.table;
	uint32_t sum[SHARES] = { 0 };

	for (uint32_t i = 1; i <= table_slots(table); i++) {
		const struct session *session = table_slot(table, i);
		const struct work *work = session ? table_work(table, session) : NULL;

		sum[SHARE_SESSIONS] += session != NULL;
		sum[SHARE_WORKS] += work != NULL;
		sum[SHARE_EXPECTATIONS] += work ? work->announcements : 0;
	}
	for (enum share what = 0; what < SHARES; what++)
		assert_int_equal(table_taken(table, what), sum[what]);
}

/* One client's packets, at random, each of its connections at another point; the daemon is killed and comes back in between. */
static void counted_anew_after_a_restart(void **state)
{
	static const char *const says[] = { "PORT 1",	"PORT 10,0,0,2,11,185\r\n",  "NOOP\r\n", "PASV\r\n",
					    "QUIT\r\n", "EPRT |1|10.0.0.2|3002|\r\n" };
	static const char *const answers[] = { "200 ok\r\n", "500 no\r\n", "226 done\r\n", "150 here\r\n" };
	unsigned int most[SHARES] = { 0 };
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 64, 16, 8);
	for (unsigned int step = 0; step < 20000; step++) {
		struct session *session;

		crowd_turn(&d, crowd_ipv4(HONEST + unit_pick(3), (uint16_t)(1024 + unit_pick(12))));
		d.expectations = 0; /* conntrack remembers more than is looked at here */
		session = crowd_session(&d);
		if (!session) {
			crowd_log_in(&d);
		} else if (unit_pick(12) == 0) {
			dialogue_packet(&d, CLIENT, session->stream[CLIENT].next, TCP_RST, NULL, 0);
		} else {
			for (int side = 0; side < 2; side++) {
				d.seq[side] = session->stream[side].next;
				d.acked[!side] = session->stream[side].next;
			}
			if (unit_pick(2))
				dialogue_says(&d, CLIENT, says[unit_pick(6)]);
			else
				dialogue_says(&d, SERVER, answers[unit_pick(4)]);
		}
		if (unit_pick(50) == 0)
			crowd_wait(&d, unit_pick(200));
		check_counts(&d);
		if (unit_pick(50) == 0) {
			dialogue_restart(&d);
			check_counts(&d);
		}
		for (enum share what = 0; what < SHARES; what++)
			if (table_taken(d.engine.table, what) > most[what])
				most[what] = table_taken(d.engine.table, what);
	}
	assert_true(most[SHARE_SESSIONS] > 10 && most[SHARE_WORKS] > 4 && most[SHARE_EXPECTATIONS] > 4);
	for (unsigned int sweep = 0; sweep < 8; sweep++) /* one that moves meanwhile is met by the next */
		crowd_wait(&d, 10 * 86400);
	check_counts(&d);
	assert_int_equal(table_taken(d.engine.table, SHARE_SESSIONS), 0);
	dialogue_close(&d);
}

/* ---- expectations ---- */

static void announce(struct dialogue *d, uint16_t port)
{
	char text[64];

	snprintf(text, sizeof(text), "EPRT |1|10.0.0.2|%u|\r\n", port);
	dialogue_says(d, CLIENT, text);
	dialogue_says(d, SERVER, "200 ok\r\n");
}

/* A client that has its share of expectations gives one up for the next: one whose transfer is going on before the oldest. */
static void expectations_make_room(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 64, 32, 64);
	d.engine.policy.expectations = 8;
	for (uint16_t i = 0; i < 4; i++) {
		crowd_turn(&d, crowd_ipv4(HONEST, (uint16_t)(2000 + i)));
		crowd_log_in(&d);
		announce(&d, (uint16_t)(3000 + i));
		if (i == 2) {
			dialogue_says(&d, CLIENT, "LIST\r\n");
			dialogue_says(&d, SERVER, "150 here\r\n");
		}
		d.now += 1000;
	}
	assert_int_equal(d.expectations, 4);
	for (uint16_t i = 4; i < 6; i++) {
		crowd_turn(&d, crowd_ipv4(HONEST, (uint16_t)(2000 + i)));
		crowd_log_in(&d);
		announce(&d, (uint16_t)(3000 + i));
		assert_int_equal(d.expectations, 4);
		for (unsigned int e = 0; e < d.expectations; e++) {
			assert_int_not_equal(d.expectation[e].tuple.dst.port, 3002);
			assert_true(i == 4 || d.expectation[e].tuple.dst.port != 3000);
		}
		assert_int_equal(d.reports[REPORT_UNEXPECT], i - 3);
	}
	/* Another client is not asked to make room, nor does it have to. */
	crowd_turn(&d, crowd_ipv4(GREEDY, 2000));
	crowd_log_in(&d);
	dialogue_says(&d, CLIENT, "EPRT |1|10.0.0.9|4000|\r\n");
	assert_int_equal(d.expectations, 5);
	dialogue_close(&d);
}

static void no_room_for_an_expectation(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 64, 32, 64);
	d.engine.policy.expectations = 1;
	crowd_turn(&d, crowd_ipv4(GREEDY, 2000));
	crowd_log_in(&d);
	dialogue_says(&d, CLIENT, "EPRT |1|10.0.0.9|4000|\r\n");
	dialogue_expects(&d, 4000);
	crowd_turn(&d, crowd_ipv4(HONEST, 2000));
	crowd_log_in(&d);
	dialogue_says(&d, CLIENT, "EPRT |1|10.0.0.2|3000|\r\n");
	dialogue_left(&d, "EPRT |1|10.0.0.2|3000|\r\n");
	assert_int_equal(d.refusal, REFUSED_SHARE);
	dialogue_expects(&d, 4000);
	dialogue_close(&d);
}

/* 10.0.0.@host announces its own address. */
static void announces_itself(struct dialogue *d, uint32_t host)
{
	char text[64];

	crowd_turn(d, crowd_ipv4(0x0a000000 | host, 2000));
	crowd_log_in(d);
	snprintf(text, sizeof(text), "EPRT |1|10.0.0.%u|3000|\r\n", host);
	dialogue_says(d, CLIENT, text);
}

/* No client has more than one: it is room for busy sessions as such that is missing. */
static void no_room_for_a_busy_session(void **state)
{
	struct dialogue d;
	uint32_t busy = 0;

	(void)state;
	crowd_begin(&d, 64, 8, 64);
	while (!share_full(&d.engine, SHARE_WORKS)) {
		announces_itself(&d, 100 + ++busy);
		dialogue_says(&d, SERVER, "200 ok\r\n");
		assert_int_equal(d.engine.counters.expectations, busy);
	}
	announces_itself(&d, 100);
	assert_int_equal(d.refusal, REFUSED_MEMORY);
	assert_int_equal(d.engine.counters.refusals[REFUSED_MEMORY], 1);
	assert_int_equal(d.engine.counters.expectations, busy);
	dialogue_close(&d);
}

/* ---- tries for a port ---- */

static unsigned int tried[65536];

static int taken(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation)
{
	(void)conntrack;
	(void)master;
	tried[expectation->tuple.dst.port]++;
	return -EBUSY;
}

/* Of a small range each port is tried once, of a large one sixteen, and no port twice. */
static void each_port_once(void **state)
{
	(void)state;
	for (uint16_t ports = 1; ports <= 40; ports++) {
		struct conntrack_ops ops;
		unsigned int all = 0;
		struct dialogue d;

		crowd_begin(&d, 64, 32, 64);
		memcpy(&ops, d.conntrack.ops, sizeof(ops));
		ops.expect = taken;
		d.conntrack.ops = &ops;
		d.engine.random = ports;
		d.engine.policy.port_low = 50000;
		d.engine.policy.port_high = (uint16_t)(50000 + ports - 1);
		crowd_turn(&d, crowd_ipv4(HONEST, 2000));
		crowd_log_in(&d);
		memset(tried, 0, sizeof(tried));
		dialogue_says(&d, CLIENT, "PORT 10,0,0,2,195,83\r\n"); /* 50003: one of the range itself */
		assert_int_equal(d.refusal, REFUSED_NO_PORT);
		assert_int_equal(tried[50003], 1);
		for (unsigned int port = 0; port < 65536; port++) {
			assert_true(tried[port] <= 1);
			assert_true(!tried[port] || port == 50003 || (port >= 50000 && port < 50000u + ports));
			all += tried[port];
		}
		assert_in_range(all, ports < 16 ? ports : 16, ports < 16 ? ports + 1u : 17);
		dialogue_close(&d);
	}
}

/* ---- who makes room ---- */

/* A table of 16 with nothing but these: what goes is told by the port. */
static void fill(struct dialogue *d, uint32_t address, uint16_t port, unsigned int progress)
{
	crowd_turn(d, crowd_ipv4(address, port));
	dialogue_handshake(d);
	if (progress > 0) {
		dialogue_says(d, SERVER, "220 ready\r\n");
		dialogue_says(d, CLIENT, "USER x\r\n");
	}
	if (progress > 1)
		dialogue_says(d, SERVER, "230 come in\r\n");
}

static uint16_t goes(struct dialogue *d, uint32_t address)
{
	const struct endpoint client = crowd_ipv4(address, 1);
	const struct session *session = worth_least(&d->engine, &client, d->now);
	struct endpoint ends[2];

	if (!session)
		return 0;
	flow_ends(&session->key, &ends[0], &ends[1]);
	return ends[0].port;
}

static void end(struct dialogue *d, uint32_t address, uint16_t port)
{
	crowd_turn(d, crowd_ipv4(address, port));
	assert_non_null(crowd_session(d));
	table_begin(d->engine.table, crowd_session(d));
	dialogue_packet(d, CLIENT, crowd_session(d)->stream[CLIENT].next, TCP_RST, NULL, 0);
}

/* Never answered before not logged in before silent; of these who is silent for longest. */
static void the_least_goes_first(void **state)
{
	static const uint16_t order[] = { 7, 6, 5, 4, 3, 2, 1 };
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 16, 16, 64);
	fill(&d, GREEDY, 3, 2);
	d.now += 1000000;
	fill(&d, GREEDY, 2, 2);
	d.now += 1000;
	fill(&d, GREEDY, 1, 2);
	d.now += 300000;
	fill(&d, GREEDY, 5, 1);
	d.now += 1000;
	fill(&d, GREEDY, 4, 1);
	d.now += 100000;
	fill(&d, GREEDY, 7, 0);
	d.now += 1000;
	fill(&d, GREEDY, 6, 0);
	assert_int_equal(goes(&d, HONEST), 5); /* the others were heard of just now */
	d.now += 20000;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		/* The last one is as much as the newcomer has. */
		assert_int_equal(goes(&d, i < 6 ? HONEST : GREEDY), order[i]);
		crowd_turn(&d, crowd_ipv4(GREEDY, order[i]));
		share_give(&d.engine, &d.inside[CLIENT], SHARE_SESSIONS);
		table_remove(d.engine.table, crowd_session(&d));
		if (i == 5)
			assert_int_equal(goes(&d, HONEST), 0);
	}
	assert_int_equal(goes(&d, GREEDY), 0);
	dialogue_close(&d);
}

static void closed_ones_go_before_all(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 16, 16, 64);
	for (uint16_t i = 1; i < 6; i++)
		fill(&d, GREEDY, i, 2);
	end(&d, GREEDY, 3);
	assert_int_equal(crowd_session(&d)->state, SESSION_CLOSED);
	assert_int_equal(goes(&d, HONEST), 3);
	dialogue_close(&d);
}

/* Whoever has less takes from whoever has more, not the other way round. */
static void more_gives_to_less(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 16, 16, 64);
	for (uint16_t i = 1; i <= 6; i++)
		fill(&d, GREEDY, i, 2);
	for (uint16_t i = 11; i <= 12; i++)
		fill(&d, HONEST, i, 0);
	d.now += 400000;
	assert_in_range(goes(&d, HONEST), 11, 12); /* its own, never answered */
	assert_in_range(goes(&d, HONEST + 1), 11, 12);
	assert_in_range(goes(&d, GREEDY), 1, 6); /* though these are worth more */
	/* In a network that stands for many each has one: that is not taken from it while there is room. */
	d.engine.policy.exempt[0] = (struct network){ .family = FAMILY_IPV4, .bits = 32 };
	packet_put32(d.engine.policy.exempt[0].address, HONEST);
	d.engine.policy.exempt_count = 1;
	assert_in_range(goes(&d, HONEST + 1), 1, 6);
	for (uint16_t i = 1; i <= 8; i++)
		fill(&d, GREEDY + i, 7, 0);
	assert_true(share_full(&d.engine, SHARE_SESSIONS));
	assert_in_range(goes(&d, HONEST + 1), 11, 12);
	dialogue_close(&d);
}

/* A connection whose numbers we move breaks without us: it stays, however silent. */
static void renumbered_ones_stay(void **state)
{
	struct dialogue d;

	(void)state;
	for (unsigned int self = 0; self < 2; self++) {
		crowd_begin(&d, 16, 16, 64);
		d.by = self ? SEQADJ_SELF : SEQADJ_KERNEL;
		crowd_turn(&d, crowd_ipv4(HONEST, 1));
		crowd_masquerade(&d);
		crowd_log_in(&d);
		dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,185\r\n");
		dialogue_left(&d, "PORT 198,51,100,254,11,185\r\n");
		d.now += 400000;
		assert_int_equal(goes(&d, HONEST), 0); /* the edit is in flight */
		dialogue_says(&d, SERVER, "200 ok\r\n");
		assert_false(session_in_flight(crowd_session(&d)));
		d.now += 400000;
		assert_int_equal(goes(&d, HONEST), self ? 0 : 1);
		crowd_session(&d)->logged_in = 0;
		crowd_wait(&d, 4 * 86400);
		assert_int_equal(crowd_session(&d) != NULL, self);
		dialogue_close(&d);
	}
}

/* A connection has ended, and its ports begin another one, for which there is no room: nothing of the old one touches it. */
static void no_room_for_the_next(void **state)
{
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 16, 16, 64);
	d.by = SEQADJ_SELF;
	crowd_turn(&d, crowd_ipv4(HONEST, 1));
	crowd_masquerade(&d);
	crowd_log_in(&d);
	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,185\r\n");
	dialogue_says(&d, SERVER, "200 ok\r\n");
	dialogue_packet(&d, CLIENT, d.seq[CLIENT]++, TCP_FIN | TCP_ACK, NULL, 0);
	d.acked[SERVER] = d.seq[CLIENT];
	dialogue_packet(&d, SERVER, d.seq[SERVER]++, TCP_FIN | TCP_ACK, NULL, 0);
	assert_int_equal(crowd_session(&d)->state, SESSION_CLOSED);
	d.now += 31000; /* the last acknowledgement is not waited for any longer */
	d.engine.policy.client_sessions = 0;
	d.binding.id = 0x1e;
	d.seq[CLIENT] += 100000;
	d.seq[SERVER] += 100000;
	dialogue_handshake(&d);
	assert_null(crowd_session(&d));
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	dialogue_packet(&d, SERVER, d.seq[SERVER] - 1, TCP_SYN | TCP_ACK, NULL, 0);
	assert_int_equal(d.verdict, VERDICT_ACCEPT);
	assert_int_equal(d.engine.counters.limited + d.engine.counters.full > 0, 1);
	check_counts(&d);
	dialogue_close(&d);
}

/* A connection that there is no room for is counted and looked up once, whatever it says. */
static void asked_once(void **state)
{
	unsigned int calls;
	struct dialogue d;

	(void)state;
	crowd_begin(&d, 16, 16, 64);
	d.engine.policy.client_sessions = 1;
	d.engine.picks_up_until = 0;
	crowd_turn(&d, crowd_ipv4(HONEST, 1));
	crowd_log_in(&d);
	crowd_turn(&d, crowd_ipv4(HONEST, 2));
	calls = d.find_calls;
	crowd_log_in(&d);
	for (unsigned int i = 0; i < 20; i++)
		dialogue_says(&d, CLIENT, "NOOP\r\n");
	assert_null(crowd_session(&d));
	assert_int_equal(d.engine.counters.limited, 1);
	assert_int_equal(d.find_calls, calls + 1);
	assert_int_equal(d.reports[REPORT_LIMIT], 1);
	dialogue_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks),
		cmocka_unit_test(networks_ipv6),
		cmocka_unit_test(networks_printed),
		cmocka_unit_test(a_client_is_an_address_or_a_network),
		cmocka_unit_test(fractions),
		cmocka_unit_test(exempt_networks),
		cmocka_unit_test(rates),
		cmocka_unit_test(many_in_one_set),
		cmocka_unit_test(counted_anew_after_a_restart),
		cmocka_unit_test(expectations_make_room),
		cmocka_unit_test(no_room_for_an_expectation),
		cmocka_unit_test(no_room_for_a_busy_session),
		cmocka_unit_test(each_port_once),
		cmocka_unit_test(the_least_goes_first),
		cmocka_unit_test(closed_ones_go_before_all),
		cmocka_unit_test(more_gives_to_less),
		cmocka_unit_test(renumbered_ones_stay),
		cmocka_unit_test(no_room_for_the_next),
		cmocka_unit_test(asked_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
