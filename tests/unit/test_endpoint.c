// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every notation: what is legal, what is malformed and how, round trips, limits; IPv6 texts against inet_pton() and
 * inet_ntop(). Each text is parsed from memory of exactly its length, so that the sanitizers see a byte read too far.
 */
#include "unit.h"

#include "core/wire/endpoint.h"

#include <arpa/inet.h>

static int parse(enum notation notation, const char *text, struct endpoint *endpoint, char *delimiter)
{
	size_t length = strlen(text);
	char *copy = unit_alloc(length);
	int result;

	/* Without its NUL, so that reading behind it is found out. */
	memcpy(copy, text, length); /* NOLINT(bugprone-not-null-terminated-result) */
	result = endpoint_parse(notation, copy, length, endpoint, delimiter);
	free(copy);
	return result;
}

static void legal(enum notation notation, const char *text, int length, const char *printed)
{
	struct endpoint endpoint;
	char delimiter, buffer[ENDPOINT_PRINT_MAX];

	assert_int_equal(parse(notation, text, &endpoint, &delimiter), length);
	assert_string_equal(endpoint_print(&endpoint, buffer), printed);
}

static void malformed(enum notation notation, const char *text)
{
	struct endpoint endpoint;
	char delimiter;

	if (parse(notation, text, &endpoint, &delimiter) != -EINVAL)
		fail_msg("\"%s\" was taken for an address", text);
}

/* Every proper prefix of a legal text that its end makes incomplete. */
static void prefixes_malformed(enum notation notation, const char *text, size_t from)
{
	char prefix[128];

	for (size_t length = 0; length < from; length++) {
		memcpy(prefix, text, length);
		prefix[length] = 0;
		malformed(notation, prefix);
	}
}

static void host_port(void **state)
{
	(void)state;
	legal(NOTATION_HOST_PORT, "192,168,1,1,11,185", 18, "192.168.1.1:3001");
	legal(NOTATION_HOST_PORT, "192,168,1,1,11,185\r\n", 18, "192.168.1.1:3001");
	legal(NOTATION_HOST_PORT, "192,168,1,1,11,185)", 18, "192.168.1.1:3001");
	legal(NOTATION_HOST_PORT, "0,0,0,0,0,0", 11, "0.0.0.0:0");
	legal(NOTATION_HOST_PORT, "255,255,255,255,255,255", 23, "255.255.255.255:65535");
	legal(NOTATION_HOST_PORT, "010,001,000,009,004,001", 23, "10.1.0.9:1025");
	legal(NOTATION_HOST_PORT, "192, 168, 1, 1, 11, 185)", 23, "192.168.1.1:3001");
	legal(NOTATION_HOST_PORT, "192,168,1,1, 11,185", 19, "192.168.1.1:3001");
	legal(NOTATION_HOST_PORT, "192,   168,\t1,1,011, 185 \r", 24, "192.168.1.1:3001");
	prefixes_malformed(NOTATION_HOST_PORT, "1,2,3,4,5,6", 11);
	prefixes_malformed(NOTATION_HOST_PORT, "1, 2, 3, 4, 5, 6", 16);
	malformed(NOTATION_HOST_PORT, "256,0,0,1,4,1");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,256,1");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,256");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,999");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,6,7");
	malformed(NOTATION_HOST_PORT, "1,,3,4,5,6");
	malformed(NOTATION_HOST_PORT, ",1,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, "1.2.3.4,5,6");
	malformed(NOTATION_HOST_PORT, "-1,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, "+1,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, " 1,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, "1 ,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, "1,2, ,4,5,6");
	malformed(NOTATION_HOST_PORT, "1, 2, 3, 4, 5, 256");
	malformed(NOTATION_HOST_PORT, "1, 256, 3, 4, 5, 6");
	malformed(NOTATION_HOST_PORT, "1, 2, 3, 4, 5, 6, 7");
	malformed(NOTATION_HOST_PORT, "1, 2, 3, 4, 5,");
	malformed(NOTATION_HOST_PORT, "1, 2, 3, 4, 5, ");
	malformed(NOTATION_HOST_PORT, "a,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, "");
}

static void comma_at_the_end(void **state)
{
	(void)state;
	legal(NOTATION_HOST_PORT, "1,2,3,4,5,6,", 12, "1.2.3.4:1286");
	legal(NOTATION_HOST_PORT, "1,2,3,4,5,6,\r\n", 12, "1.2.3.4:1286");
	legal(NOTATION_HOST_PORT, "1,2,3,4,5,6, ", 12, "1.2.3.4:1286");
	legal(NOTATION_HOST_PORT, "1, 2, 3, 4, 5, 6,)", 17, "1.2.3.4:1286");
	legal(NOTATION_HOST_PORT, "001,002,003,004,005,006, ready", 24, "1.2.3.4:1286");
	legal(NOTATION_HOST_PORT, "1,2,3,4,5,6 7", 11, "1.2.3.4:1286"); /* no comma */
	legal(NOTATION_LONG, "4,4,192,0,2,1,2,11,185,", 23, "192.0.2.1:3001");
	legal(NOTATION_LONG, "4, 4, 192, 0, 2, 1, 2, 11, 185,\r", 31, "192.0.2.1:3001");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,6,,");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,6, ,");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,6,\t7");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,256,");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,");
	malformed(NOTATION_LONG, "4,4,192,0,2,1,2,11,185, 1");
	malformed(NOTATION_LONG, "4,4,192,0,2,1,2,11,");
}

static void octets_of_many_digits(void **state)
{
	(void)state;
	legal(NOTATION_HOST_PORT, "0001,2,3,4,5,6", 14, "1.2.3.4:1286");
	legal(NOTATION_HOST_PORT, "0010,0000,0000,0002,0012,0234", 29, "10.0.0.2:3306");
	legal(NOTATION_HOST_PORT, "000000255,2,3,0000,00005,000006", 31, "255.2.3.0:1286");
	legal(NOTATION_HOST_PORT, "1,2,3,4,0005,006", 16, "1.2.3.4:1286");
	legal(NOTATION_HOST_PORT, "1,2,3,4,5,006", 13, "1.2.3.4:1286");
	legal(NOTATION_LONG, "0004,0004,0192,0000,0002,0001,0002,0011,0185", 44, "192.0.2.1:3001");
	/* of a last number Java's clients read three digits, where the one before it has no more */
	malformed(NOTATION_HOST_PORT, "1,2,3,4,5,0006");
	malformed(NOTATION_HOST_PORT, "0001,0002,0003,0004,005,0006");
	malformed(NOTATION_LONG, "4,4,192,0,2,1,2,11,0185");
	malformed(NOTATION_HOST_PORT, "0256,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, "1000,2,3,4,5,6");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,0005,0256");
	malformed(NOTATION_HOST_PORT, "1,2,3,4,00,");
}

static void extended(void **state)
{
	struct endpoint endpoint;
	char delimiter;

	(void)state;
	legal(NOTATION_EXTENDED, "|1|192.0.2.1|3001|", 18, "192.0.2.1:3001");
	legal(NOTATION_EXTENDED, "|2|2001:db8::1|3001|\r\n", 20, "[2001:db8::1]:3001");
	legal(NOTATION_EXTENDED, "|2|::|1|", 8, "[::]:1");
	legal(NOTATION_EXTENDED, "|2|2001:DB8:0:0:0:0:0:00AB|65535|", 33, "[2001:db8::ab]:65535");
	legal(NOTATION_EXTENDED, "|2|::ffff:192.0.2.1|00021|", 26, "[::ffff:c000:201]:21");
	legal(NOTATION_EXTENDED, "!1!192.0.2.1!3001!", 18, "192.0.2.1:3001");
	assert_int_equal(parse(NOTATION_EXTENDED, "$1$10.0.0.1$99$", &endpoint, &delimiter), 15);
	assert_int_equal(delimiter, '$');
	legal(NOTATION_EXTENDED, "|1|192.0.2.1|3001", 17, "192.0.2.1:3001"); /* without the last delimiter */
	legal(NOTATION_EXTENDED, "|2|2001:db8::1|3001\r\n", 19, "[2001:db8::1]:3001");
	legal(NOTATION_EXTENDED, "!1!192.0.2.1!03001 ", 18, "192.0.2.1:3001");
	legal(NOTATION_EXTENDED, "|1|192.0.2.1|1!", 14, "192.0.2.1:1"); /* what follows is the caller's to judge */
	prefixes_malformed(NOTATION_EXTENDED, "|1|192.0.2.1|3001", 14);
	prefixes_malformed(NOTATION_EXTENDED, "|2|2001:db8::1|3001", 16);
	malformed(NOTATION_EXTENDED, "|1|192.0.2.1|65536|");
	malformed(NOTATION_EXTENDED, "|1|192.0.2.1|123456|");
	malformed(NOTATION_EXTENDED, "|1|192.0.2.256|1|");
	malformed(NOTATION_EXTENDED, "|1|192.0.2|1|");
	malformed(NOTATION_EXTENDED, "|1|192.0.2.1.5|1|");
	malformed(NOTATION_EXTENDED, "|1|2001:db8::1|1|");
	malformed(NOTATION_EXTENDED, "|2|192.0.2.1|1|");
	malformed(NOTATION_EXTENDED, "|3|192.0.2.1|1|");
	malformed(NOTATION_EXTENDED, "|0|192.0.2.1|1|");
	malformed(NOTATION_EXTENDED, "||192.0.2.1|1|");
	malformed(NOTATION_EXTENDED, "|1||1|");
	malformed(NOTATION_EXTENDED, "|1|192.0.2.1||");
	malformed(NOTATION_EXTENDED, "|1!192.0.2.1!1!");
	malformed(NOTATION_EXTENDED, "|1|192.0.2.1|-1|");
	malformed(NOTATION_EXTENDED, "a1a192.0.2.1a1a");
	malformed(NOTATION_EXTENDED, ".1.192.0.2.1.1.");
	malformed(NOTATION_EXTENDED, "\x07"
				     "1\x07"
				     "192.0.2.1\x07"
				     "1\x07");
}

static void extended_port(void **state)
{
	struct endpoint endpoint;
	char delimiter;

	(void)state;
	assert_int_equal(parse(NOTATION_EXTENDED_PORT, "(|||3001|)", &endpoint, &delimiter), 10);
	assert_int_equal(endpoint.port, 3001);
	assert_int_equal(endpoint.family, 0);
	assert_int_equal(delimiter, '|');
	assert_int_equal(parse(NOTATION_EXTENDED_PORT, "(###65535#)x", &endpoint, &delimiter), 11);
	assert_int_equal(delimiter, '#');
	prefixes_malformed(NOTATION_EXTENDED_PORT, "(|||3001|)", 10);
	malformed(NOTATION_EXTENDED_PORT, "(|||65536|)");
	malformed(NOTATION_EXTENDED_PORT, "(|||3001!)");
	malformed(NOTATION_EXTENDED_PORT, "(|||3001|]");
	malformed(NOTATION_EXTENDED_PORT, "(11130011)");
}

/* 229 as the field writes it: what it names, and its delimiter. */
static void port_alone(const char *text, int length, const char *address, char expected)
{
	struct endpoint endpoint;
	char delimiter, buffer[ENDPOINT_PRINT_MAX];

	if (parse(NOTATION_EXTENDED_PORT, text, &endpoint, &delimiter) != length)
		fail_msg("\"%s\" was not understood", text);
	assert_int_equal(endpoint.port, 3001);
	assert_int_equal(delimiter, expected);
	if (address)
		assert_string_equal(endpoint_print_address(&endpoint, buffer), address);
	else
		assert_int_equal(endpoint.family, 0);
}

static void extended_port_in_the_field(void **state)
{
	(void)state;
	/* leading zeros */
	port_alone("(|||03001|)", 11, NULL, '|');
	port_alone("(|||003001|)", 12, NULL, '|');
	port_alone("(!!!0000003001!)", 16, NULL, '!');
	/* the address filled in */
	port_alone("(|1|192.0.2.1|3001|)", 20, "192.0.2.1", '|');
	port_alone("(|2|2001:db8::1|3001|)", 22, "2001:db8::1", '|');
	port_alone("(|2|::ffff:192.0.2.1|3001|)", 27, "::ffff:c000:201", '|');
	port_alone("(||192.0.2.1|3001|)", 19, "192.0.2.1", '|');
	port_alone("(|1||3001|)", 11, NULL, '|');
	port_alone("(#1#192.0.2.1#3001#)", 20, "192.0.2.1", '#');
	/* without parentheses */
	port_alone("|||3001|", 8, NULL, '|');
	port_alone("|||03001| (ok)", 9, NULL, '|');
	port_alone("|1|192.0.2.1|3001|.", 18, "192.0.2.1", '|');
	/* with a bar too few at one end */
	port_alone("(||3001|)", 9, NULL, '|');
	port_alone("(|||3001)", 9, NULL, '|');
	port_alone("(!!3001!)", 9, NULL, '!');
	port_alone("||3001|", 7, NULL, '|');
	port_alone("|||3001", 7, NULL, '|');
	port_alone("(|1|192.0.2.1|3001)", 19, "192.0.2.1", '|');
	port_alone("(1|192.0.2.1|3001|)", 19, "192.0.2.1", '|');
	port_alone("(|2|2001:db8::1|3001)", 21, "2001:db8::1", '|');
	/* with blanks around the port */
	port_alone("(||| 3001|)", 11, NULL, '|');
	port_alone("(|||  03001 |)", 14, NULL, '|');
	port_alone("(!!!\t3001!)", 11, NULL, '!');
	port_alone("(|||3001 )", 10, NULL, '|');
	port_alone("(|| 3001|)", 10, NULL, '|');
	port_alone("(|1|192.0.2.1| 3001|)", 21, "192.0.2.1", '|');
}

static void extended_port_malformed(void **state)
{
	(void)state;
	malformed(NOTATION_EXTENDED_PORT, "(||3001)"); /* too few at both ends: any number in prose */
	malformed(NOTATION_EXTENDED_PORT, "(|3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(||| |)");
	malformed(NOTATION_EXTENDED_PORT, "(|||30 01|)");
	malformed(NOTATION_EXTENDED_PORT, "( |||3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(| ||3001|)");
	malformed(NOTATION_EXTENDED_PORT, "||| 3001|"); /* without parentheses it is prose */
	malformed(NOTATION_EXTENDED_PORT, "|| 3001|");
	malformed(NOTATION_EXTENDED_PORT, "(3001)");
	malformed(NOTATION_EXTENDED_PORT, "||3001");
	malformed(NOTATION_EXTENDED_PORT, "///3001/"); /* without parentheses not every sign */
	malformed(NOTATION_EXTENDED_PORT, "(||||3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|1|3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|3|192.0.2.1|3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|0||3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|1|256.0.2.1|3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|1|192.0.2.999|3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|1|192.0.2|3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|2|2001:db8|3001|)");
	malformed(NOTATION_EXTENDED_PORT, "(|||065536|)");
	malformed(NOTATION_EXTENDED_PORT, "(|||-1|)");
	malformed(NOTATION_EXTENDED_PORT, "(||||)");
	malformed(NOTATION_EXTENDED_PORT, "|||");
	malformed(NOTATION_EXTENDED_PORT, "(");
	malformed(NOTATION_EXTENDED_PORT, "");
}

static void long_form(void **state)
{
	const char *longest = "006,016,255,255,255,255,255,255,255,255,255,255,255,255,255,255,255,255,002,255,255";

	(void)state;
	legal(NOTATION_LONG, "4,4,192,0,2,1,2,11,185", 22, "192.0.2.1:3001");
	legal(NOTATION_LONG, "6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1,2,11,185", 49, "[2001:db8::1]:3001");
	legal(NOTATION_LONG, longest, (int)strlen(longest), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	legal(NOTATION_LONG, "4, 4, 192, 0, 2, 1, 2, 11, 185", 30, "192.0.2.1:3001");
	legal(NOTATION_LONG, "4,4, 192,0,2,1, 2, 11,185", 25, "192.0.2.1:3001");
	prefixes_malformed(NOTATION_LONG, "4,4,192,0,2,1,2,11,5", 20);
	malformed(NOTATION_LONG, "4,16,192,0,2,1,2,11,185");
	malformed(NOTATION_LONG, "6,4,192,0,2,1,2,11,185");
	malformed(NOTATION_LONG, "5,4,192,0,2,1,2,11,185");
	malformed(NOTATION_LONG, "0,0,2,11,185");
	malformed(NOTATION_LONG, "4,4,192,0,2,1,1,11");
	malformed(NOTATION_LONG, "4,4,192,0,2,1,3,11,185,1");
	malformed(NOTATION_LONG, "4,4,192,0,2,1,2,11,185,1");
	malformed(NOTATION_LONG, "4,4,192,0,2,256,2,11,185");
	malformed(NOTATION_NONE, "1,2,3,4,5,6");
}

static void found(enum notation notation, const char *text, int at, size_t length)
{
	struct endpoint endpoint;
	char delimiter;
	size_t argument = 0;

	assert_int_equal(endpoint_find(notation, text, strlen(text), &endpoint, &delimiter, &argument), at);
	if (at >= 0)
		assert_int_equal(argument, length);
}

static void prose(void **state)
{
	(void)state;
	found(NOTATION_HOST_PORT, "Entering Passive Mode (192,168,1,1,11,185).", 23, 18);
	found(NOTATION_HOST_PORT, "=192,168,1,1,11,185", 1, 18);
	found(NOTATION_HOST_PORT, "Entering Passive Mode (10,0,0,2,12,234,)", 23, 15); /* its comma stays */
	found(NOTATION_HOST_PORT, "Passive 10,0,0,2,12,234, go", 8, 15);
	found(NOTATION_HOST_PORT, "10,0,0,2,12,234, 7 x", -EINVAL, 0);
	found(NOTATION_HOST_PORT, "Mode (0010,0000,0000,0002,0012,0234)", 6, 29);
	found(NOTATION_HOST_PORT, "(2, 10,0,0,2,12,234)", -EINVAL, 0); /* 2.10.0.0 to some */
	found(NOTATION_HOST_PORT, "2 , 10,0,0,2,12,234", 4, 15);
	found(NOTATION_HOST_PORT, "192,168,1,1,11,185", 0, 18);
	found(NOTATION_HOST_PORT, "Mode 2 (10,0,0,1,4,1)", 8, 12);
	found(NOTATION_HOST_PORT, "1,2,3 then 10,0,0,1,4,1", 11, 12);
	found(NOTATION_HOST_PORT, "(1,2,3,4,5,6,7)", -EINVAL, 0);
	found(NOTATION_HOST_PORT, "1,2,3,4,5,6,7 and 10,0,0,1,4,1", 18, 12);
	found(NOTATION_HOST_PORT, "(1,2,3,4,5)", -EINVAL, 0);
	found(NOTATION_HOST_PORT, "(256,2,3,4,5,6)", -EINVAL, 0);
	found(NOTATION_HOST_PORT, "nothing", -EINVAL, 0);
	found(NOTATION_HOST_PORT, "", -EINVAL, 0);
	found(NOTATION_EXTENDED_PORT, "Entering Extended Passive Mode (|||3001|)", 31, 10);
	found(NOTATION_EXTENDED_PORT, "Extended (yes) Mode (|||3001|).", 20, 10);
	found(NOTATION_HOST_PORT, "Mode (10, 0, 0, 1, 4, 1)", 6, 17);
	found(NOTATION_HOST_PORT, "(1, 2, 3, 4, 5, 6, 7)", -EINVAL, 0);
	found(NOTATION_HOST_PORT, "(256, 2, 3, 4, 5, 6)", -EINVAL, 0);
	found(NOTATION_HOST_PORT, "1, 2, 3 then 10, 0,0,1,4,1", 13, 13);
	found(NOTATION_EXTENDED_PORT, "Mode |||3001|", 5, 8);
	found(NOTATION_EXTENDED_PORT, "Mode (ok) |||3001", 10, 7);
	found(NOTATION_EXTENDED_PORT, "Mode:||3001|", 5, 7);
	found(NOTATION_EXTENDED_PORT, "(|||3001|", 1, 8);
	found(NOTATION_EXTENDED_PORT, "||||3001|", -EINVAL, 0);
	found(NOTATION_EXTENDED_PORT, "(|3|192.0.2.1|3001|)", -EINVAL, 0);
	found(NOTATION_EXTENDED_PORT, "(|1|256.0.2.1|3001|)", -EINVAL, 0);
	found(NOTATION_EXTENDED_PORT, "(|||65536|)", -EINVAL, 0);
	found(NOTATION_EXTENDED_PORT, "3001 a|b", -EINVAL, 0);
	found(NOTATION_LONG, "Entering Long Passive Mode (4,4,10,0,0,1,2,4,1)", 28, 18);
	found(NOTATION_LONG, "(4,4,10,0,0,1,2,4,1,0)", -EINVAL, 0);
	found(NOTATION_LONG, "(4,4,10,0,0,1,2,4,1,)", 1, 18);
	found(NOTATION_EXTENDED_PORT, "Extended Passive Mode (||| 3001|)", 22, 11);
}

static void random_endpoint(struct endpoint *endpoint)
{
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->family = unit_pick(2) ? FAMILY_IPV4 : FAMILY_IPV6;
	unit_fill(endpoint->address, endpoint->family == FAMILY_IPV4 ? 4 : 16);
	for (unsigned int i = 0; endpoint->family == FAMILY_IPV6 && i < 8; i++)
		if (unit_pick(2))
			memset(endpoint->address + (size_t)2 * i, 0, 2);
	endpoint->port = (uint16_t)unit_random();
}

static void round_trips(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		enum notation notation = (enum notation)(NOTATION_HOST_PORT + unit_pick(4));
		struct endpoint before, after;
		char text[ENDPOINT_TEXT_MAX], delimiter;
		int length;

		random_endpoint(&before);
		length = endpoint_write(notation, &before, '|', text, sizeof(text));
		if (notation == NOTATION_HOST_PORT && before.family == FAMILY_IPV6) {
			assert_int_equal(length, -EINVAL);
			continue;
		}
		assert_true(length > 0);
		assert_int_equal(endpoint_parse(notation, text, (size_t)length, &after, &delimiter), length);
		if (notation == NOTATION_EXTENDED_PORT)
			assert_int_equal(after.port, before.port);
		else
			assert_true(endpoint_equal(&before, &after));
		for (size_t room = 0; room < (size_t)length; room++)
			assert_int_equal(endpoint_write(notation, &before, '|', text, room), -EINVAL);
	}
}

static void longest_fits(void **state)
{
	struct endpoint endpoint = { .family = FAMILY_IPV6, .port = 65535 };
	char text[ENDPOINT_TEXT_MAX];

	(void)state;
	memset(endpoint.address, 255, 16);
	for (enum notation notation = NOTATION_EXTENDED; notation <= NOTATION_LONG; notation++)
		assert_true(endpoint_write(notation, &endpoint, '|', text, sizeof(text)) > 0);
	endpoint.family = FAMILY_IPV4;
	memset(endpoint.address + 4, 0, 12);
	for (enum notation notation = NOTATION_HOST_PORT; notation <= NOTATION_LONG; notation++)
		assert_true(endpoint_write(notation, &endpoint, '|', text, sizeof(text)) > 0);
}

static void ipv6_written_as_ntop(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		struct endpoint endpoint;
		char text[ENDPOINT_PRINT_MAX], expected[INET6_ADDRSTRLEN + 16], name[INET6_ADDRSTRLEN];

		random_endpoint(&endpoint);
		if (endpoint.family != FAMILY_IPV6)
			continue;
		inet_ntop(AF_INET6, endpoint.address, name, sizeof(name));
		if (strchr(name, '.')) /* glibc writes these in part as IPv4; RFC 5952 does not ask for it here */
			continue;
		snprintf(expected, sizeof(expected), "[%s]:%u", name, endpoint.port);
		assert_string_equal(endpoint_print(&endpoint, text), expected);
	}
}

/* The longest argument that is read, as long as it is said to be. */
static void longest_read(void **state)
{
	char text[ENDPOINT_READ_MAX + 1] = "006, 016", *at = text + 8;

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		at += sprintf(at, ", 255");
	at += sprintf(at, ", 002, 255, 255");
	assert_int_equal(at - text, ENDPOINT_READ_MAX);
	legal(NOTATION_LONG, text, ENDPOINT_READ_MAX, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

/* Random strings of an IPv6 text's letters, and true texts with a letter changed. */
static void ipv6_read_as_pton(void **state)
{
	static const char letters[] = "0123456789abcdefABCDEF::::::";
	unsigned int legal_texts = 0;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		char name[64], text[80];
		uint8_t expected[16];
		struct endpoint endpoint;
		char delimiter;
		int length, is_legal;

		if (unit_pick(2)) {
			unsigned int n = unit_pick(24);

			for (unsigned int j = 0; j < n; j++)
				name[j] = letters[unit_pick(sizeof(letters) - 1)];
			name[n] = 0;
		} else {
			random_endpoint(&endpoint);
			inet_ntop(AF_INET6, endpoint.address, name, sizeof(name));
			if (unit_pick(2))
				name[unit_pick((uint32_t)strlen(name))] = letters[unit_pick(sizeof(letters) - 1)];
		}
		if (strchr(name, '.'))
			continue;
		is_legal = inet_pton(AF_INET6, name, expected) == 1;
		legal_texts += (unsigned int)is_legal;
		length = snprintf(text, sizeof(text), "|2|%s|77|", name);
		if (!is_legal) {
			malformed(NOTATION_EXTENDED, text);
			continue;
		}
		if (parse(NOTATION_EXTENDED, text, &endpoint, &delimiter) != length)
			fail_msg("\"%s\" was not understood", text);
		assert_memory_equal(endpoint.address, expected, 16);
	}
	assert_true(legal_texts > 10000);
}

static void random_bytes(void **state)
{
	static const char letters[] = "0123456789,,,,||||()..::abcdef \r\n";

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		size_t length = unit_pick(40), argument = 0;
		char *text = unit_alloc(length + 1), delimiter;
		struct endpoint endpoint;
		enum notation notation = (enum notation)(NOTATION_HOST_PORT + unit_pick(4));
		int at;

		for (size_t j = 0; j < length; j++)
			text[j] = letters[unit_pick(sizeof(letters) - 1)];
		assert_true(endpoint_parse(notation, text, length, &endpoint, &delimiter) <= (int)length);
		at = endpoint_find(notation, text, length, &endpoint, &delimiter, &argument);
		if (at >= 0)
			assert_true((size_t)at + argument <= length);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_port),
		cmocka_unit_test(comma_at_the_end),
		cmocka_unit_test(octets_of_many_digits),
		cmocka_unit_test(extended),
		cmocka_unit_test(extended_port),
		cmocka_unit_test(extended_port_in_the_field),
		cmocka_unit_test(extended_port_malformed),
		cmocka_unit_test(long_form),
		cmocka_unit_test(prose),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(longest_fits),
		cmocka_unit_test(longest_read),
		cmocka_unit_test(ipv6_written_as_ntop),
		cmocka_unit_test(ipv6_read_as_pton),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
