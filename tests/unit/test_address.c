// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an announced address stands for: the speaker's own, foreign ones that are mended, networks that are let loose, and all others, each
 * in several spellings, both families, with and without NAT on either side. And for thousands of random connections and addresses: what opens is
 * a port of the speaker's, for the other end alone, or the very address of a network that was named.
 */
#include "unit.h"

#include "common/dialogue.h"
#include "core/dialogue/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define LEAVES_MAX 256

static struct network network(const char *text)
{
	struct network network = { .family = strchr(text, ':') ? FAMILY_IPV6 : FAMILY_IPV4 };
	char address[INET6_ADDRSTRLEN + 1], *end;
	const char *slash = strchr(text, '/');

	assert_non_null(slash);
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	network.bits = (uint8_t)strtoul(slash + 1, &end, 10);
	assert_int_equal(*end, '\0');
	assert_int_equal(inet_pton(network.family == FAMILY_IPV6 ? AF_INET6 : AF_INET, address, network.address), 1);
	return network;
}

struct row {
	unsigned int nat;
	const char *asks;   /* of the client, before a reply; NULL: the line is the client's own */
	const char *line;   /* its port is 3001 */
	const char *leaves; /* NULL: as it came; without \r\n, as the line */
};

/* What a row says, and more where a test says so. */
struct setting {
	const char *loose; /* a network; "": any */
	enum policy_foreign foreign;
};

static void run(struct dialogue *d, const struct row *row, const struct setting *setting)
{
	char line[LEAVES_MAX];

	dialogue_ready(d, row->nat);
	d->engine.policy.foreign = setting->foreign;
	d->engine.policy.loose.any = setting->loose && !setting->loose[0];
	if (setting->loose && setting->loose[0])
		d->engine.policy.loose.network[d->engine.policy.loose.count++] = network(setting->loose);
	if (row->asks)
		dialogue_says(d, CLIENT, row->asks);
	snprintf(line, sizeof(line), "%s\r\n", row->line);
	dialogue_says(d, row->asks ? SERVER : CLIENT, line);
	snprintf(line, sizeof(line), "%s\r\n", row->leaves ? row->leaves : row->line);
	dialogue_left(d, line);
}

/* The speaker's port, for the other end. */
static void is_the_speakers(const struct dialogue *d, int side)
{
	const struct tuple *me = &d->binding.tuple[side], *peer = &d->binding.tuple[!side];
	const struct expectation *expectation = &d->expectation[0];

	assert_true(endpoint_address_equal(&expectation->tuple.src, &peer->src));
	assert_true(endpoint_address_equal(&expectation->tuple.dst, &peer->dst));
	assert_true(endpoint_address_equal(&expectation->nat_src, &me->src));
	assert_int_equal(expectation->tuple.dst.port, expectation->nat_src.port);
	assert_int_equal(expectation->translated, binding_translated(&d->binding));
}

static void mended(const struct row *rows, unsigned int count)
{
	static const struct setting mend = { NULL, POLICY_FOREIGN_MEND }, refuse = { NULL, POLICY_FOREIGN_REFUSE };

	for (unsigned int i = 0; i < count; i++) {
		struct row as_it_came = rows[i];
		struct dialogue d;

		run(&d, &rows[i], &mend);
		if (d.expectations != 1)
			fail_msg("\"%s\" is refused: %s", rows[i].line, refusal_text(d.refusal));
		is_the_speakers(&d, rows[i].asks ? SERVER : CLIENT);
		dialogue_ends_open(&d, 3001);
		as_it_came.leaves = NULL;
		run(&d, &as_it_came, &refuse);
		dialogue_ends_refused(&d, REFUSED_FOREIGN);
	}
}

static void refused(const struct row *rows, unsigned int count, const struct setting *setting)
{
	for (unsigned int i = 0; i < count; i++) {
		struct dialogue d;

		run(&d, &rows[i], setting);
		if (d.expect_calls)
			fail_msg("\"%s\" opens a port", rows[i].line);
		dialogue_ends_refused(&d, REFUSED_ADDRESS);
	}
}

static void own(const struct row *rows, unsigned int count, const struct setting *setting)
{
	for (unsigned int i = 0; i < count; i++) {
		struct dialogue d;

		run(&d, &rows[i], setting);
		if (d.expectations != 1)
			fail_msg("\"%s\" is refused: %s", rows[i].line, refusal_text(d.refusal));
		is_the_speakers(&d, rows[i].asks ? SERVER : CLIENT);
		dialogue_ends_open(&d, 3001);
	}
}

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

static const struct setting plain = { NULL, POLICY_FOREIGN_MEND };

/* No client dials these: it dials the server, and is told so where it could make a difference. */
static void unreachable(void **state)
{
	static const char as_dialed[] = "227 x (192,168,7,3,11,185)";
	static const struct row rows[] = {
		{ NO_NAT, "PASV\r\n", "227 Entering Passive Mode (192,168,1,111,11,185).",
		  "227 Entering Passive Mode (192,168,7,3,11,185)." },
		{ NO_NAT, "PASV\r\n", "227 x (10,255,0,9,11,185)", as_dialed },
		{ MASQUERADE, "PASV\r\n", "227 x (10,0,0,2,11,185)", as_dialed }, /* the client's own, too */
		{ NO_NAT, "PASV\r\n", "227 x (0,0,0,0,11,185)", as_dialed },
		{ MASQUERADE, "PASV\r\n", "227 x (0,1,2,3,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (127,0,0,1,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (100,64,0,1,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (100,127,255,255,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (169,254,9,9,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (172,16,0,1,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (172,31,255,254,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (203,0,113,0,11,185)", as_dialed },
		{ NO_NAT, "PASV\r\n", "227 x (203, 0, 113, 0, 11, 185)", as_dialed },
		{ NO_NAT, "LPSV\r\n", "228 x (4,4,10,1,1,1,2,11,185)", "228 x (4,4,192,168,7,3,2,11,185)" },
		{ NO_NAT, "LPSV\r\n", "228 x (6,16,0,0,0,0,0,0,0,0,0,0,255,255,10,1,1,1,2,11,185)",
		  "228 x (4,4,192,168,7,3,2,11,185)" },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,11,185)",
		  "228 (6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,2,2,11,185)" },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,11,185)",
		  "228 (6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,2,2,11,185)" },
		{ MASQUERADE | WITH_IPV6, "LPSV\r\n", "228 (6,16,253,9,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,11,185)",
		  "228 (6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,2,2,11,185)" },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,254,191,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,11,185)",
		  "228 (6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,2,2,11,185)" },
		/* no room for the server's address: it stays, and nobody looks at it */
		{ NO_NAT | WITH_IPV6, "PASV\r\n", "227 x (0,0,0,0,11,185)", NULL },
		{ MASQUERADE | WITH_IPV6, "PASV\r\n", "227 x 0,0,0,0,11,185.", NULL },
		{ DNAT | WITH_IPV6, "PASV\r\n", "227 x (0, 0, 0, 0, 11, 185)", NULL },
	};
	static const struct row reachable[] = {
		{ NO_NAT, "PASV\r\n", "227 x (203,0,113,77,11,185)", NULL },
		{ MASQUERADE, "PASV\r\n", "227 x (198,51,100,254,11,185)", NULL }, /* the client's, as NAT shows it */
		{ NO_NAT, "PASV\r\n", "227 x (1,0,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (9,255,255,255,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (11,0,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (100,63,255,255,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (100,128,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (126,0,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (128,0,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (169,253,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (172,15,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (172,32,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (192,167,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (192,169,0,1,11,185)", NULL },
		{ NO_NAT, "PASV\r\n", "227 x (255,255,255,255,11,185)", NULL },
		{ NO_NAT | WITH_IPV6, "PASV\r\n", "227 x (203,0,113,77,11,185)", NULL },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,9,2,11,185)", NULL },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,2,11,185)", NULL },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,254,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,11,185)", NULL },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,254,192,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,11,185)", NULL },
		{ NO_NAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,251,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,11,185)", NULL },
	};

	(void)state;
	mended(ROWS(rows));
	refused(ROWS(reachable), &plain);
}

/* A server that NAT translates knows its public address by hearsay. */
static void behind_nat(void **state)
{
	static const char as_dialed[] = "227 x (203,0,113,80,11,185)";
	static const struct row rows[] = {
		{ DNAT, "PASV\r\n", "227 x (203,0,113,79,11,185)", as_dialed },
		{ DNAT, "PASV\r\n", "227 x (8,8,8,8,11,185)", as_dialed },
		{ DNAT, "PASV\r\n", "227 x (10,0,0,2,11,185)", as_dialed },
		{ DNAT | MASQUERADE, "PASV\r\n", "227 x (198,51,100,254,11,185)", as_dialed },
		{ DNAT, "LPSV\r\n", "228 x (4,4,203,0,113,79,2,11,185)", "228 x (4,4,203,0,113,80,2,11,185)" },
		{ DNAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,9,2,11,185)",
		  "228 (6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,4,2,11,185)" },
		{ DNAT | WITH_IPV6, "PASV\r\n", "227 x (203,0,113,79,11,185)", NULL },
	};

	(void)state;
	mended(ROWS(rows));
}

/* The client's word is law to the server: nothing is mended there. */
static void commands(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, NULL, "PORT 192,168,1,111,11,185", NULL },
		{ MASQUERADE, NULL, "PORT 0,0,0,0,11,185", NULL },
		{ MASQUERADE, NULL, "PORT 127,0,0,1,11,185", NULL },
		{ MASQUERADE | DNAT, NULL, "PORT 10,0,0,3,11,185", NULL },
		{ DNAT, NULL, "PORT 203,0,113,80,11,185", NULL },
		{ NO_NAT, NULL, "EPRT |1|172.16.0.1|3001|", NULL },
		{ NO_NAT, NULL, "EPRT |2|::|3001|", NULL },
		{ NO_NAT, NULL, "EPRT |2|::ffff:10.0.0.3|3001|", NULL },
		{ NO_NAT, NULL, "LPRT 4,4,10,0,0,3,2,11,185", NULL },
		{ MASQUERADE | WITH_IPV6, NULL, "EPRT |2|fe80::1|3001|", NULL },
		{ NO_NAT | WITH_IPV6, NULL, "EPRT |2|::|3001|", NULL },
		{ NO_NAT | WITH_IPV6, NULL, "EPRT |2|::ffff:10.0.0.2|3001|", NULL },
		{ NO_NAT | WITH_IPV6, NULL, "PORT 0,0,0,0,11,185", NULL },
	};
	static const struct setting any = { "", POLICY_FOREIGN_MEND }, other = { "192.0.2.0/24", POLICY_FOREIGN_MEND };

	(void)state;
	refused(ROWS(rows), &plain);
	refused(ROWS(rows), &any); /* any is of replies */
	refused(ROWS(rows), &other);
}

static void mapped(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, NULL, "EPRT |2|::ffff:10.0.0.2|3001|", NULL },
		{ MASQUERADE, NULL, "EPRT |2|::ffff:10.0.0.2|3001|", "EPRT |1|198.51.100.254|3001|" },
		{ MASQUERADE, NULL, "EPRT |2|::FFFF:0a00:0002|3001", "EPRT |1|198.51.100.254|3001|" },
		{ MASQUERADE, NULL, "EPRT |2|::ffff:198.51.100.254|3001|", NULL },
		{ MASQUERADE | DNAT, NULL, "EPRT !2!0:0:0:0:0:ffff:10.0.0.2!3001!", "EPRT !1!198.51.100.254!3001!" },
		{ MASQUERADE, NULL, "LPRT 6,16,0,0,0,0,0,0,0,0,0,0,255,255,10,0,0,2,2,11,185",
		  "LPRT 4,4,198,51,100,254,2,11,185" },
		{ DNAT, "LPSV\r\n", "228 x 6,16,0,0,0,0,0,0,0,0,0,0,255,255,192,168,7,3,2,11,185",
		  "228 x 4,4,203,0,113,80,2,11,185" },
		{ NO_NAT, "LPSV\r\n", "228 x 6,16,0,0,0,0,0,0,0,0,0,0,255,255,192,168,7,3,2,11,185", NULL },
	};
	static const struct setting refuse = { NULL, POLICY_FOREIGN_REFUSE };

	(void)state;
	own(ROWS(rows), &plain);
	own(ROWS(rows), &refuse);
}

/* 229 names a port. What else it names is nothing; but nobody shall be misled by it. */
static void filled_in(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, "EPSV\r\n", "229 Mode (|1|192.168.7.3|3001|)", NULL },
		{ DNAT, "EPSV\r\n", "229 Mode (|1|203.0.113.80|3001|)", NULL },
		{ DNAT, "EPSV\r\n", "229 Mode (|1|192.168.7.3|3001|)", "229 Mode (|||3001|)" },
		{ NO_NAT, "EPSV\r\n", "229 Mode (|1|8.8.8.8|3001|)", "229 Mode (|||3001|)" },
		{ NO_NAT, "EPSV\r\n", "229 Mode (|2|::ffff:192.168.7.3|3001|)", NULL },
		{ MASQUERADE, "EPSV\r\n", "229 Mode (|2|fe80::1|3001|).", "229 Mode (|||3001|)." },
		{ NO_NAT | WITH_IPV6, "EPSV\r\n", "229 Mode (|2|2001:db8::2|3001|)", NULL },
		{ DNAT | WITH_IPV6, "EPSV\r\n", "229 Mode (!2!2001:db8::2!3001!)", "229 Mode (!!!3001!)" },
		{ DNAT | WITH_IPV6, "EPSV\r\n", "229 Mode |1|10.0.0.1|3001", "229 Mode (|||3001|)" },
	};
	static const struct setting refuse = { NULL, POLICY_FOREIGN_REFUSE }, any = { "", POLICY_FOREIGN_REFUSE };

	(void)state;
	own(ROWS(rows), &plain);
	own(ROWS(rows), &refuse);
	own(ROWS(rows), &any);
}

/* The very address, in text and expectation alike, whatever NAT there is. */
static void let_loose(void **state)
{
	static const struct {
		struct row row;
		const char *network; /* "": any */
		const char *address;
	} rows[] = {
		{ { NO_NAT, "PASV\r\n", "227 x (203,0,113,77,11,185)", NULL }, "", "203.0.113.77" },
		{ { DNAT, "PASV\r\n", "227 x (203,0,113,77,11,185)", NULL }, "", "203.0.113.77" },
		{ { DNAT, "PASV\r\n", "227 x (203,0,113,77,11,185)", NULL }, "203.0.113.0/24", "203.0.113.77" },
		{ { DNAT | MASQUERADE, "PASV\r\n", "227 x (10,7,7,7,11,185)", NULL }, "10.7.0.0/16", "10.7.7.7" },
		{ { NO_NAT, "PASV\r\n", "227 x (10,7,7,7,11,185)", NULL }, "10.7.7.7/32", "10.7.7.7" },
		{ { MASQUERADE, "LPSV\r\n", "228 (4,4,192,0,2,9,2,11,185)", NULL }, "192.0.2.0/24", "192.0.2.9" },
		{ { NO_NAT, NULL, "PORT 192,0,2,9,11,185", NULL }, "192.0.2.0/24", "192.0.2.9" },
		{ { MASQUERADE, NULL, "EPRT |1|192.0.2.9|3001|", NULL }, "192.0.2.0/24", "192.0.2.9" },
		{ { MASQUERADE, NULL, "EPRT |2|::ffff:192.0.2.9|3001|", NULL }, "192.0.2.0/24", "192.0.2.9" },
		{ { DNAT | WITH_IPV6, NULL, "EPRT |2|2001:db8:7::1|3001|", NULL }, "2001:db8:7::/48", "2001:db8:7::1" },
		{ { DNAT | WITH_IPV6, "LPSV\r\n", "228 (6,16,32,1,13,184,0,7,0,0,0,0,0,0,0,0,0,1,2,11,185)", NULL },
		  "2001:db8:7::/48",
		  "2001:db8:7::1" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct setting setting = { rows[i].network, POLICY_FOREIGN_REFUSE };
		const int side = rows[i].row.asks ? SERVER : CLIENT;
		char printed[ENDPOINT_PRINT_MAX];
		struct dialogue d;

		run(&d, &rows[i].row, &setting);
		dialogue_expects(&d, 3001);
		assert_string_equal(endpoint_print_address(&d.expectation[0].tuple.dst, printed), rows[i].address);
		assert_true(endpoint_equal(&d.expectation[0].tuple.dst, &d.expectation[0].nat_src));
		assert_true(endpoint_address_equal(&d.expectation[0].tuple.src, &d.binding.tuple[!side].src));
		assert_false(d.expectation[0].translated); /* the router's rules decide */
		dialogue_close(&d);
	}
}

/* What is let loose comes before what is mended, and behind what is the speaker's own. */
static void in_order(void **state)
{
	static const struct row own_rows[] = {
		{ DNAT, "PASV\r\n", "227 x (192,168,7,3,11,185)", "227 x (203,0,113,80,11,185)" },
		{ NO_NAT, NULL, "PORT 10,0,0,2,11,185", NULL },
		{ MASQUERADE, NULL, "PORT 10,0,0,2,11,185", "PORT 198,51,100,254,11,185" },
	};
	static const struct row elsewhere[] = {
		{ DNAT, "PASV\r\n", "227 x (203,0,113,77,11,185)", "227 x (203,0,113,80,11,185)" },
		{ NO_NAT, "PASV\r\n", "227 x (192,168,7,9,11,185)", "227 x (192,168,7,3,11,185)" },
		{ NO_NAT | WITH_IPV6, "PASV\r\n", "227 x (10,0,0,2,11,185)", NULL }, /* another family */
	};
	static const struct setting any = { "", POLICY_FOREIGN_MEND }, all = { "0.0.0.0/0", POLICY_FOREIGN_MEND },
				    other = { "198.18.0.0/15", POLICY_FOREIGN_MEND };

	(void)state;
	own(ROWS(own_rows), &any);
	own(ROWS(own_rows), &all);
	own(ROWS(elsewhere), &other);
	own(&elsewhere[2], 1, &any);
}

/* A server without NAT whose text cannot be changed: it says so in two pieces, of which the first has left, or conntrack cannot. */
static void mended_as_it_is(void **state)
{
	struct dialogue d;

	(void)state;
	dialogue_ready(&d, NO_NAT);
	dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, SERVER, "227 x (192,168,1,111,");
	dialogue_left(&d, "227 x (192,168,1,111,"); /* it is not held back */
	dialogue_says(&d, SERVER, "11,185)\r\n");
	dialogue_left(&d, "11,185)\r\n");
	is_the_speakers(&d, SERVER);
	dialogue_ends_open(&d, 3001);

	dialogue_ready(&d, NO_NAT);
	d.adjust_error = -EOPNOTSUPP;
	dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, SERVER, "227 x (192,168,1,111,11,185)\r\n");
	dialogue_left(&d, "227 x (192,168,1,111,11,185)\r\n");
	assert_int_equal(d.unexpect_calls, 0);
	dialogue_ends_open(&d, 3001);

	dialogue_ready(&d, DNAT); /* there it must be changed */
	d.adjust_error = -EOPNOTSUPP;
	dialogue_says(&d, CLIENT, "PASV\r\n");
	dialogue_says(&d, SERVER, "227 x (203,0,113,79,11,185)\r\n");
	assert_int_equal(d.expectations, 0);
	assert_int_equal(d.refusal, REFUSED_CONNTRACK);
	dialogue_close(&d);
}

/* The announced port is taken: another one is told, beside the address that the text has room for. */
static void mended_with_another_port(void **state)
{
	static const struct {
		unsigned int nat;
		const char *line, *leaves;
	} rows[] = {
		{ NO_NAT, "227 x (192,168,1,111,11,185)\r\n", "227 x (192,168,7,3" },
		{ DNAT, "227 x (203,0,113,79,11,185)\r\n", "227 x (203,0,113,80" },
		{ NO_NAT | WITH_IPV6, "227 x (0, 0,0,0,11,185)\r\n", "227 x (0,0,0,0" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char leaves[LEAVES_MAX];
		struct dialogue d;
		uint16_t port;

		dialogue_ready(&d, rows[i].nat);
		d.busy_port = 3001;
		dialogue_says(&d, CLIENT, "PASV\r\n");
		dialogue_says(&d, SERVER, rows[i].line);
		assert_int_equal(d.expectations, 1);
		port = d.expectation[0].tuple.dst.port;
		assert_int_equal(d.expectation[0].nat_src.port, 3001);
		snprintf(leaves, sizeof(leaves), "%s,%u,%u)\r\n", rows[i].leaves, (unsigned int)port >> 8, port & 255u);
		dialogue_left(&d, leaves);
		dialogue_close(&d);
	}
}

/* ---- for random connections and addresses ---- */

static void draw_family(struct endpoint *endpoint, uint8_t family)
{
	static const uint8_t heads[][2] = { { 0, 1 },	 { 10, 9 },    { 100, 64 },  { 127, 0 },   { 169, 254 },
					    { 172, 16 }, { 192, 168 }, { 203, 200 }, { 100, 200 }, { 172, 40 } };

	endpoint->family = family;
	memset(endpoint->address, 0, sizeof(endpoint->address));
	unit_fill(endpoint->address, endpoint_address_length(family));
	if (family == FAMILY_IPV4) {
		if (unit_pick(4))
			memcpy(endpoint->address, heads[unit_pick(10)], 2);
		if (!unit_pick(6))
			endpoint->address[3] = 0;
		return;
	}
	switch (unit_pick(6)) {
	case 0:
		memset(endpoint->address, 0, 15);
		endpoint->address[15] &= 3;
		break;
	case 1:
		endpoint->address[0] = 0xfc | (endpoint->address[0] & 3);
		break;
	case 2:
		endpoint->address[0] = 0xfe;
		endpoint->address[1] |= 0x80;
		break;
	case 3: /* IPv4-mapped */
		memset(endpoint->address, 0, 10);
		memset(endpoint->address + 10, 0xff, 2);
		break;
	default:
		endpoint->address[0] = 0x20;
		break;
	}
}

static void draw_binding(struct dialogue *d)
{
	const uint8_t family = unit_pick(2) ? FAMILY_IPV4 : FAMILY_IPV6;
	struct endpoint client, server, shown, known;

	draw_family(&client, family);
	draw_family(&server, family);
	draw_family(&shown, family);
	draw_family(&known, family);
	client.port = shown.port = 40000;
	server.port = known.port = 21;
	d->inside[CLIENT] = client;
	d->inside[SERVER] = server;
	d->binding.tuple[DIRECTION_ORIGINAL] = (struct tuple){ client, unit_pick(2) ? known : server };
	d->binding.tuple[DIRECTION_REPLY] = (struct tuple){ server, unit_pick(2) ? shown : client };
}

/* Said by the one side: his own, the other one's, or anybody's. */
static struct endpoint draw_announced(const struct dialogue *d, enum notation notation)
{
	const struct tuple *tuple = &d->binding.tuple[unit_pick(2)];
	struct endpoint announced = unit_pick(2) ? tuple->src : tuple->dst;

	if (unit_pick(3))
		draw_family(&announced, unit_pick(4) ? announced.family : FAMILY_IPV4);
	if (notation == NOTATION_HOST_PORT && announced.family != FAMILY_IPV4)
		draw_family(&announced, FAMILY_IPV4);
	announced.port = (uint16_t)(1024 + unit_pick(60000));
	return announced;
}

/* Could a client that sits elsewhere reach it? By the C library's eyes. */
static bool cannot_be_reached(const struct endpoint *endpoint)
{
	struct in6_addr v6;
	uint32_t v4;

	memcpy(&v6, endpoint->address, 16);
	memcpy(&v4, endpoint->address, 4);
	v4 = ntohl(v4);
	if (endpoint->family == FAMILY_IPV6)
		return IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) ||
		       (v6.s6_addr[0] & 0xfe) == 0xfc;
	return v4 < 0x01000000 || v4 >> 24 == 10 || v4 >> 24 == 127 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 ||
	       v4 >> 16 == 0xa9fe || (v4 >= 0x64400000 && v4 <= 0x647fffff) || (v4 & 0xff) == 0;
}

static bool is_own(const struct dialogue *d, int side, const struct endpoint *announced)
{
	return endpoint_address_equal(announced, &d->binding.tuple[side].src) ||
	       endpoint_address_equal(announced, &d->binding.tuple[!side].dst);
}

static void draw_loose(struct policy *policy)
{
	policy->loose.any = !unit_pick(4);
	policy->loose.count = unit_pick(3);
	for (unsigned int i = 0; i < policy->loose.count; i++) {
		struct endpoint endpoint;

		draw_family(&endpoint, unit_pick(2) ? FAMILY_IPV4 : FAMILY_IPV6);
		memcpy(policy->loose.network[i].address, endpoint.address, 16);
		policy->loose.network[i].family = endpoint.family;
		policy->loose.network[i].bits = (uint8_t)(1 + unit_pick(16));
		network_trim(&policy->loose.network[i]);
	}
}

/* A host that there is nowhere else: any does not mean it. */
static bool is_nobodys(const struct endpoint *endpoint)
{
	struct in6_addr v6;

	memcpy(&v6, endpoint->address, 16);
	if (endpoint->family == FAMILY_IPV6)
		return IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LOOPBACK(&v6);
	return endpoint->address[0] == 0 || endpoint->address[0] == 127;
}

static bool is_loose(const struct dialogue *d, int side, const struct endpoint *announced)
{
	const struct policy_loose *loose = &d->engine.policy.loose;
	bool named = loose->any && side == SERVER && !is_nobodys(announced);

	for (unsigned int i = 0; i < loose->count; i++)
		named |= network_has(&loose->network[i], announced);
	return named && announced->family == d->inside[side].family;
}

/* Begin a connection of random addresses, and have the side announce something. Return: what, after unmapping. */
static struct endpoint announce(struct dialogue *d, int *side, bool loose)
{
	static const char *const before[2][5] = {
		{ NULL, "PORT ", "EPRT ", NULL, "LPRT " },
		{ NULL, "227 =", NULL, "229 ", "228 =" },
	};
	static const char *const asks[] = { NULL, "PASV\r\n", NULL, "EPSV\r\n", "LPSV\r\n" };
	enum notation notation;
	struct endpoint announced;
	char line[LEAVES_MAX];
	int length, written;

	dialogue_begin(d, NO_NAT);
	draw_binding(d);
	if (loose)
		draw_loose(&d->engine.policy);
	dialogue_handshake(d);
	dialogue_says(d, SERVER, "220 ready\r\n");
	dialogue_says(d, CLIENT, "USER x\r\n");
	dialogue_says(d, SERVER, "230 in\r\n");
	*side = (int)unit_pick(2);
	do
		notation = (enum notation)(1 + unit_pick(4));
	while (!before[*side][notation]);
	announced = draw_announced(d, notation);
	if (*side == SERVER)
		dialogue_says(d, CLIENT, asks[notation]);
	length = snprintf(line, sizeof(line), "%s", before[*side][notation]);
	written = endpoint_write(notation, &announced, '|', line + length, sizeof(line) - 3 - (size_t)length);
	assert_true(written > 0);
	snprintf(line + length + written, 3, "\r\n");
	dialogue_says(d, *side, line);
	address_unmap(&announced);
	if (notation == NOTATION_EXTENDED_PORT) /* names nobody */
		memcpy(&announced, &d->binding.tuple[*side].src, offsetof(struct endpoint, port));
	announced.family = notation == NOTATION_EXTENDED_PORT ? d->inside[*side].family : announced.family;
	return announced;
}

static void nobody_but_the_two(void **state)
{
	unsigned int opened = 0, mended_replies = 0, shut = 0;

	(void)state;
	for (unsigned int i = 0; i < 30000; i++) {
		struct dialogue d;
		int side;
		const struct endpoint announced = announce(&d, &side, false);
		const bool own_address = is_own(&d, side, &announced);
		const bool translated =
			!endpoint_address_equal(&d.binding.tuple[side].src, &d.binding.tuple[!side].dst);
		const bool opens = own_address || (side == SERVER && (translated || cannot_be_reached(&announced)));

		if (d.expectations != opens) {
			char text[ENDPOINT_PRINT_MAX];

			fail_msg("%u: %s announces %s: %u expectations", i, side == SERVER ? "server" : "client",
				 endpoint_print(&announced, text), d.expectations);
		}
		if (opens) {
			is_the_speakers(&d, side);
			assert_int_equal(d.expectation[0].tuple.dst.port, announced.port);
		}
		opened += opens;
		mended_replies += opens && !own_address;
		shut += !opens;
		dialogue_close(&d);
	}
	assert_true(opened > 8000 && mended_replies > 3000 && shut > 3000);
}

static void nobody_but_the_two_and_the_named(void **state)
{
	unsigned int very = 0, others = 0;

	(void)state;
	for (unsigned int i = 0; i < 30000; i++) {
		struct dialogue d;
		int side;
		const struct endpoint announced = announce(&d, &side, true);
		const struct expectation *expectation = &d.expectation[0];

		if (!is_own(&d, side, &announced) && is_loose(&d, side, &announced)) {
			dialogue_expects(&d, announced.port);
			assert_true(endpoint_equal(&expectation->tuple.dst, &announced));
			assert_true(endpoint_equal(&expectation->nat_src, &announced));
			assert_true(endpoint_address_equal(&expectation->tuple.src, &d.binding.tuple[!side].src));
			very++;
		} else if (d.expectations) {
			is_the_speakers(&d, side);
			others++;
		}
		dialogue_close(&d);
	}
	assert_true(very > 1500 && others > 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unreachable),
		cmocka_unit_test(behind_nat),
		cmocka_unit_test(commands),
		cmocka_unit_test(mapped),
		cmocka_unit_test(filled_in),
		cmocka_unit_test(let_loose),
		cmocka_unit_test(in_order),
		cmocka_unit_test(mended_as_it_is),
		cmocka_unit_test(mended_with_another_port),
		cmocka_unit_test(nobody_but_the_two),
		cmocka_unit_test(nobody_but_the_two_and_the_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
