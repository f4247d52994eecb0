// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Announcements as the field writes them: several spellings of each kind, both families, with and without NAT on either side, cut in two
 * anywhere. What need not be rewritten leaves byte for byte as it came; what is rewritten leaves as the standards have it. Beside each
 * kind what is like it and must open nothing.
 */
#include "unit.h"

#include "common/dialogue.h"

#include <stdio.h>

#define LINE_MAX_HERE 512

/* What the two ends are told by the line that leaves. */
struct row {
	unsigned int nat;
	int side;
	const char *asks; /* what the client says before; "": nothing */
	const char *line;
	const char *leaves; /* NULL: as it came */
};

struct left {
	char text[LINE_MAX_HERE];
	uint32_t length;
};

static void note_left(const struct dialogue *d, struct left *left)
{
	const uint32_t length = d->verdict == VERDICT_DROP ? 0 : d->out_length - d->in.payload;

	assert_true(left->length + length < sizeof(left->text));
	memcpy(left->text + left->length, d->out + (length ? d->in.payload : 0), length);
	left->length += length;
	left->text[left->length] = '\0';
}

/* The line in two segments, or in one where @cut is 0. */
static void says_cut(struct dialogue *d, const struct row *row, uint32_t cut, struct left *left)
{
	const uint32_t length = (uint32_t)strlen(row->line);

	*left = (struct left){ .length = 0 };
	if (cut) {
		dialogue_says_bytes(d, row->side, row->line, cut);
		note_left(d, left);
	}
	dialogue_says_bytes(d, row->side, row->line + cut, length - cut);
	note_left(d, left);
}

static void begin(struct dialogue *d, const struct row *row)
{
	dialogue_ready(d, row->nat);
	if (row->asks[0])
		dialogue_says(d, CLIENT, row->asks);
}

/* The data connection may come from the other end, to the speaker, and from and to nobody else. */
static void expects_speaker(const struct dialogue *d, int side)
{
	const struct tuple *me = &d->binding.tuple[side], *peer = &d->binding.tuple[!side];
	const struct expectation *expectation = &d->expectation[0];

	dialogue_expects(d, 3001);
	assert_true(endpoint_address_equal(&expectation->tuple.src, &peer->src));
	assert_true(endpoint_address_equal(&expectation->tuple.dst, &peer->dst));
	assert_true(endpoint_address_equal(&expectation->nat_src, &me->src));
	assert_int_equal(expectation->nat_src.port, 3001);
}

static void opens(const struct row *row)
{
	for (uint32_t cut = 0; cut < strlen(row->line); cut++) {
		struct dialogue d;
		struct left left;

		begin(&d, row);
		says_cut(&d, row, cut, &left);
		if (d.expectations != 1)
			fail_msg("\"%s\", cut at %u, opens nothing: %s", row->line, cut, refusal_text(d.refusal));
		expects_speaker(&d, row->side);
		if (strcmp(left.text, row->leaves ? row->leaves : row->line) != 0)
			fail_msg("\"%s\", cut at %u, leaves as \"%s\"", row->line, cut, left.text);
		dialogue_close(&d);
	}
}

static void stays_shut(const struct row *row, enum refusal refusal)
{
	for (uint32_t cut = 0; cut < strlen(row->line); cut++) {
		struct dialogue d;
		struct left left;

		begin(&d, row);
		says_cut(&d, row, cut, &left);
		if (d.expect_calls || d.refusal != refusal)
			fail_msg("\"%s\", cut at %u: %u expectations, \"%s\"", row->line, cut, d.expect_calls,
				 refusal_text(d.refusal));
		assert_string_equal(left.text, row->line);
		dialogue_close(&d);
	}
}

#define OPENS(table)                                                                                                   \
	for (unsigned int i = 0; i < sizeof(table) / sizeof((table)[0]); i++)                                          \
	opens(&(table)[i])

#define STAYS_SHUT(table, refusal)                                                                                     \
	for (unsigned int i = 0; i < sizeof(table) / sizeof((table)[0]); i++)                                          \
	stays_shut(&(table)[i], refusal)

#define PASV	SERVER, "PASV\r\n"
#define EPSV	SERVER, "EPSV\r\n"
#define LPSV	SERVER, "LPSV\r\n"
#define COMMAND CLIENT, ""

static void blanks_after_commas(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, PASV, "227 Entering Passive Mode (192, 168, 7, 3, 11, 185).\r\n", NULL },
		{ NO_NAT, PASV, "227 ok 192,168,7,3, 11,185\r\n", NULL },
		{ MASQUERADE, PASV, "227 =192,  168,\t7,3,   11, 185\r\n", NULL },
		{ DNAT, PASV, "227 Mode (192, 168, 7, 3, 11, 185).\r\n", "227 Mode (203,0,113,80,11,185).\r\n" },
		{ DNAT, PASV, "227 Mode (203, 0, 113, 80, 11, 185).\r\n", NULL },
		{ NO_NAT, COMMAND, "PORT 10, 0, 0, 2, 11, 185\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10, 0, 0, 2, 11, 185\r\n", PORT_OUT },
		{ MASQUERADE, COMMAND, "PORT  10,0,0,2,  11, 185 \r\n", "PORT  198,51,100,254,11,185 \r\n" },
		{ MASQUERADE, COMMAND, "PORT 198, 51, 100, 254, 11, 185\r\n", NULL },
		{ NO_NAT, LPSV, "228 Long (4, 4, 192, 168, 7, 3, 2, 11, 185)\r\n", NULL },
		{ MASQUERADE, COMMAND, "LPRT 4, 4, 10, 0, 0, 2, 2, 11, 185\r\n",
		  "LPRT 4,4,198,51,100,254,2,11,185\r\n" },
		{ MASQUERADE | WITH_IPV6, COMMAND,
		  "LPRT 006, 016, 032, 001, 013, 184, 000, 000, 000, 000, 000, 000, 000, 000, 000, 000, 000, 001, 002, "
		  "011, 185\r\n",
		  "LPRT 6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,3,2,11,185\r\n" },
	};
	static const struct row shut[] = {
		{ NO_NAT, PASV, "227 Mode (192, 168, 7, 3, 11, 441)\r\n", NULL },
		{ DNAT, PASV, "227 Mode (448, 168, 7, 3, 11, 185)\r\n", NULL },
		{ NO_NAT, PASV, "227 Mode (192, 168, 7, 3, 11, 185, 1)\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10, 0, 0, 2, 11\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10 ,0 ,0 ,2 ,11 ,185\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10, 0, 0, 258, 11, 185\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
}

static void leading_zeros(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, EPSV, "229 Entering Extended Passive Mode (|||03001|)\r\n", NULL },
		{ DNAT, EPSV, "229 Mode (|||003001|).\r\n", NULL },
		{ DNAT | WITH_IPV6, EPSV, "229 Mode (!!!00000003001!)\r\n", NULL },
		{ NO_NAT | WITH_IPV6, EPSV, "229 |||03001|\r\n", NULL },
		{ NO_NAT, COMMAND, "EPRT |1|010.000.000.002|0003001|\r\n", NULL },
		{ MASQUERADE, COMMAND, "EPRT |1|10.0.0.2|003001|\r\n", "EPRT |1|198.51.100.254|3001|\r\n" },
	};
	static const struct row shut[] = {
		{ NO_NAT, EPSV, "229 Mode (|||065536|)\r\n", NULL },
		{ DNAT, EPSV, "229 Mode (|||0300100|)\r\n", NULL },
	};
	static const struct row low[] = {
		{ NO_NAT, EPSV, "229 Mode (|||0|)\r\n", NULL },
		{ NO_NAT, EPSV, "229 Mode (|||00000|)\r\n", NULL },
		{ DNAT, EPSV, "229 Mode (|||0001023|)\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
	STAYS_SHUT(low, REFUSED_PORT);
}

static void comma_behind(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, PASV, "227 Entering Passive Mode (192,168,7,3,11,185,)\r\n", NULL },
		{ NO_NAT, PASV, "227 ok 192, 168, 7, 3, 11, 185,\r\n", NULL },
		{ DNAT, PASV, "227 Mode (192,168,7,3,11,185,)\r\n", "227 Mode (203,0,113,80,11,185,)\r\n" },
		{ DNAT, PASV, "227 Mode 192,168,7,3,11,185, go\r\n", "227 Mode 203,0,113,80,11,185, go\r\n" },
		{ NO_NAT, LPSV, "228 Long (4,4,192,168,7,3,2,11,185,)\r\n", NULL },
		{ NO_NAT, COMMAND, "PORT 10,0,0,2,11,185,\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10,0,0,2,11,185,\r\n", PORT_OUT },
		{ MASQUERADE, COMMAND, "PORT 10, 0, 0, 2, 11, 185, \r\n", "PORT 198,51,100,254,11,185 \r\n" },
		{ MASQUERADE, COMMAND, "LPRT 4,4,10,0,0,2,2,11,185,\n", "LPRT 4,4,198,51,100,254,2,11,185\n" },
	};
	static const struct row shut[] = {
		{ NO_NAT, PASV, "227 Mode (192,168,7,3,11,185,,)\r\n", NULL },
		{ DNAT, PASV, "227 Mode (192,168,7,3,11,185, 1)\r\n", NULL },
		{ NO_NAT, PASV, "227 Mode (192,168,7,3,11,)\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10,0,0,2,11,185,1\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10,0,0,2,11,185, x\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10,0,0,2,11,185 ,\r\n", NULL },
		{ MASQUERADE, COMMAND, "EPRT |1|10.0.0.2|3001|,\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
}

static void octets_of_many_digits(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, PASV, "227 Mode (0192,0168,0007,0003,0011,0185)\r\n", NULL },
		{ DNAT, PASV, "227 Mode (0192,168,00007,3,11,185)\r\n", "227 Mode (203,0,113,80,11,185)\r\n" },
		{ DNAT, PASV, "227 192,168,7,3,0011,00000185\r\n", "227 203,0,113,80,11,185\r\n" },
		{ NO_NAT, LPSV, "228 Long (4,4,192,168,0007,3,2,0011,0185)\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 0010,0000,0000,0002,0011,0185\r\n", PORT_OUT },
		{ MASQUERADE, COMMAND, "PORT 00000010, 0, 0, 2, 011, 185,\r\n", PORT_OUT },
	};
	static const struct row shut[] = {
		{ NO_NAT, PASV, "227 Mode (192,168,7,3,11,0185)\r\n", NULL },
		{ DNAT, PASV, "227 Mode (0192,0168,0007,0003,011,0185)\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 10,0,0,2,11,0185\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 1010,0,0,2,11,185\r\n", NULL },
		{ MASQUERADE, COMMAND, "PORT 0010,0,0,0258,11,185\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
}

static void blanks_around_the_port(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, EPSV, "229 Entering Extended Passive Mode (||| 3001|)\r\n", NULL },
		{ DNAT, EPSV, "229 Mode (|||   03001 |)\r\n", NULL },
		{ DNAT | WITH_IPV6, EPSV, "229 Mode (!!!\t3001!)\r\n", NULL },
		{ MASQUERADE | DNAT, EPSV, "229 Mode (|||3001 )\r\n", NULL },
	};
	static const struct row shut[] = {
		{ NO_NAT, EPSV, "229 Mode (||| |)\r\n", NULL },
		{ NO_NAT, EPSV, "229 Mode (||| 30 01|)\r\n", NULL },
		{ DNAT, EPSV, "229 Mode ||| 3001|\r\n", NULL },
		{ DNAT | WITH_IPV6, EPSV, "229 Mode (| || 3001|)\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
}

static void without_parentheses(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, EPSV, "229 Entering Extended Passive Mode |||3001|\r\n", NULL },
		{ DNAT, EPSV, "229 |||3001|\r\n", NULL },
		{ MASQUERADE | DNAT, EPSV, "229 Extended (at last) |||3001|.\r\n", NULL },
		{ NO_NAT | WITH_IPV6, EPSV, "229 Mode: |||03001| ok\r\n", NULL },
		{ DNAT | WITH_IPV6, EPSV, "229 EPSV=|||3001|\n", NULL },
		{ NO_NAT, EPSV, "229 Mode !!!3001!\r\n", NULL },
		{ DNAT | WITH_IPV6, EPSV, "229 Hello! Mode ###03001#\r\n", NULL },
	};
	static const struct row shut[] = {
		{ NO_NAT, EPSV, "229 Mode ||||3001|\r\n", NULL },
		{ NO_NAT | WITH_IPV6, EPSV, "229 Mode |3001|\r\n", NULL },
	};
	static const struct row prose[] = {
		{ NO_NAT, EPSV, "229 Mode ///3001/\r\n", NULL },
		{ NO_NAT, EPSV, "229 Mode 3001\r\n", NULL },
		{ NO_NAT | WITH_IPV6, EPSV, "229 Mode [---3001-]\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
	STAYS_SHUT(prose, REFUSED_NOT); /* not even the beginning of an argument is in it */
}

static void a_bar_too_few(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, EPSV, "229 Entering Extended Passive Mode (||3001|)\r\n", NULL },
		{ NO_NAT, EPSV, "229 Entering Extended Passive Mode (|||3001)\r\n", NULL },
		{ DNAT, EPSV, "229 Mode |||3001\r\n", NULL },
		{ DNAT, EPSV, "229 Mode (!!!3001)\r\n", NULL },
		{ MASQUERADE | WITH_IPV6, EPSV, "229 ||3001|\r\n", NULL },
		{ DNAT | WITH_IPV6, EPSV, "229 Mode (|||03001).\r\n", NULL },
	};
	static const struct row shut[] = {
		{ NO_NAT, EPSV, "229 Mode (||3001)\r\n", NULL },
		{ NO_NAT, EPSV, "229 Mode (|3001|)\r\n", NULL },
		{ DNAT, EPSV, "229 Mode ||3001\r\n", NULL },
		{ DNAT | WITH_IPV6, EPSV, "229 Mode (|||)\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
}

static void without_the_last_delimiter(void **state)
{
	static const struct row rows[] = {
		{ NO_NAT, COMMAND, "EPRT |1|10.0.0.2|3001\r\n", NULL },
		{ MASQUERADE, COMMAND, "EPRT |1|10.0.0.2|3001\r\n", "EPRT |1|198.51.100.254|3001|\r\n" },
		{ MASQUERADE, COMMAND, "EPRT !1!198.51.100.254!3001\r\n", NULL },
		{ MASQUERADE | DNAT, COMMAND, "eprt #1#10.0.0.2#03001 \n", "eprt #1#198.51.100.254#3001# \n" },
		{ NO_NAT | WITH_IPV6, COMMAND, "EPRT |2|2001:db8::1|3001\r\n", NULL },
		{ MASQUERADE | WITH_IPV6, COMMAND, "EPRT |2|2001:db8:0:0:0:0:0:1|3001\r\n",
		  "EPRT |2|2001:db8::3|3001|\r\n" },
	};
	static const struct row shut[] = {
		{ NO_NAT, COMMAND, "EPRT |1|10.0.0.2|\r\n", NULL },
		{ MASQUERADE, COMMAND, "EPRT |1|10.0.0.2|3001!\r\n", NULL },
		{ MASQUERADE, COMMAND, "EPRT |1|10.0.0.258|3001\r\n", NULL },
		{ MASQUERADE | WITH_IPV6, COMMAND, "EPRT 2|2001:db8::1|3001|\r\n", NULL },
	};

	(void)state;
	OPENS(rows);
	STAYS_SHUT(shut, REFUSED_MALFORMED);
}

/* As much as there is room for, with the line feed; and a byte more. */
static void as_long_as_can_be(void **state)
{
	char line[LINE_MAX_HERE];
	const struct row row = { DNAT, PASV, line, NULL };

	(void)state;
	for (int more = 0; more < 2; more++) {
		struct dialogue d;
		struct left left;

		snprintf(line, sizeof(line), "227 (192,168,7,3,%*s11,185)    \r\n", HELD_MAX - 25 + more, "");
		assert_int_equal(strlen(strchr(line, '1')), HELD_MAX + more);
		begin(&d, &row);
		says_cut(&d, &row, 60, &left);
		assert_int_equal(d.expectations, !more);
		assert_string_equal(left.text, more ? line : "227 (203,0,113,80,11,185)    \r\n");
		dialogue_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_after_commas),	  cmocka_unit_test(leading_zeros),
		cmocka_unit_test(comma_behind),		  cmocka_unit_test(octets_of_many_digits),
		cmocka_unit_test(blanks_around_the_port), cmocka_unit_test(without_parentheses),
		cmocka_unit_test(a_bar_too_few),	  cmocka_unit_test(without_the_last_delimiter),
		cmocka_unit_test(as_long_as_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
