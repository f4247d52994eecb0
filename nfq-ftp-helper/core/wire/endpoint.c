// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The four notations are rows of one table; each row parses and writes one. A cursor that cannot run past the end of
 * the text is the only thing that touches it.
 */
#include "endpoint.h"

struct cursor {
	const char *at;
	const char *end;
};

struct writer {
	char *at;
	char *end;
	bool overflow;
};

static bool take(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number of at most @digits digits and at most @max. */
static bool take_number(struct cursor *cursor, unsigned int digits, uint32_t max, uint32_t *number)
{
	const char *start = cursor->at;
	uint32_t value = 0;

	while (cursor->at != cursor->end && is_digit(*cursor->at)) {
		if (cursor->at - start == (ptrdiff_t)digits)
			return false;
		value = value * 10 + (uint32_t)(*cursor->at++ - '0');
	}
	*number = value;
	return cursor->at != start && value <= max;
}

/* Numbers of one octet each, all but the first behind a comma. */
static bool take_octets(struct cursor *cursor, uint8_t *octets, size_t count, bool first)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t value;

		if (!(first && i == 0) && !take(cursor, ','))
			return false;
		if (!take_number(cursor, 3, 255, &value))
			return false;
		octets[i] = (uint8_t)value;
	}
	return true;
}

static void put(struct writer *writer, char c)
{
	if (writer->at == writer->end)
		writer->overflow = true;
	else
		*writer->at++ = c;
}

/* At most 65535. */
static void put_number(struct writer *writer, uint32_t number)
{
	const ptrdiff_t digits = number < 10 ? 1 : number < 100 ? 2 : number < 1000 ? 3 : number < 10000 ? 4 : 5;
	char *at;

	if (writer->end - writer->at < digits) {
		writer->overflow = true;
		return;
	}
	writer->at += digits;
	at = writer->at;
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
}

static void put_octets(struct writer *writer, const uint8_t *octets, size_t count, bool first)
{
	for (size_t i = 0; i < count; i++) {
		if (!(first && i == 0))
			put(writer, ',');
		put_number(writer, octets[i]);
	}
}

/* h1,h2,h3,h4,p1,p2 */
static bool parse_host_port(struct cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	uint8_t port[2];

	if (!take_octets(cursor, endpoint->address, 4, true) || !take_octets(cursor, port, 2, false))
		return false;
	endpoint->family = FAMILY_IPV4;
	endpoint->port = (uint16_t)(port[0] << 8 | port[1]);
	*delimiter = ',';
	return true;
}

static bool write_host_port(struct writer *writer, const struct endpoint *endpoint, char delimiter)
{
	const uint8_t port[2] = { (uint8_t)(endpoint->port >> 8), (uint8_t)endpoint->port };

	(void)delimiter;
	if (endpoint->family != FAMILY_IPV4)
		return false;
	put_octets(writer, endpoint->address, 4, true);
	put_octets(writer, port, 2, false);
	return true;
}

/* af,hal,h1..hn,pal,p1,p2: the address family is the IP version, the lengths are in octets (RFC 1639 section 2). */
static bool parse_long(struct cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	uint8_t head[2], pal, port[2];
	size_t address_length;

	if (!take_octets(cursor, head, 2, true))
		return false;
	address_length = endpoint_address_length(head[0]);
	if ((head[0] != FAMILY_IPV4 && head[0] != FAMILY_IPV6) || head[1] != address_length)
		return false;
	if (!take_octets(cursor, endpoint->address, address_length, false) || !take_octets(cursor, &pal, 1, false) ||
	    pal != 2 || !take_octets(cursor, port, 2, false))
		return false;
	endpoint->family = head[0];
	endpoint->port = (uint16_t)(port[0] << 8 | port[1]);
	*delimiter = ',';
	return true;
}

static bool write_long(struct writer *writer, const struct endpoint *endpoint, char delimiter)
{
	const uint8_t address_length = (uint8_t)endpoint_address_length(endpoint->family);
	const uint8_t head[2] = { endpoint->family, address_length };
	const uint8_t tail[3] = { 2, (uint8_t)(endpoint->port >> 8), (uint8_t)endpoint->port };

	(void)delimiter;
	put_octets(writer, head, 2, true);
	put_octets(writer, endpoint->address, address_length, false);
	put_octets(writer, tail, 3, false);
	return true;
}

static bool parse_ipv4(struct cursor *cursor, uint8_t address[4])
{
	for (size_t i = 0; i < 4; i++) {
		uint32_t value;

		if ((i && !take(cursor, '.')) || !take_number(cursor, 3, 255, &value))
			return false;
		address[i] = (uint8_t)value;
	}
	return true;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex_group(struct cursor *cursor, uint8_t group[2])
{
	const char *start = cursor->at;
	unsigned int value = 0;

	while (cursor->at != cursor->end && cursor->at - start < 4 && hex_value(*cursor->at) >= 0)
		value = value << 4 | (unsigned int)hex_value(*cursor->at++);
	if (cursor->at == start || (cursor->at != cursor->end && hex_value(*cursor->at) >= 0))
		return false;
	group[0] = (uint8_t)(value >> 8);
	group[1] = (uint8_t)value;
	return true;
}

/* Does an IPv4 address, the last 32 bits of some IPv6 texts, stand here? */
static bool dotted_here(const struct cursor *cursor)
{
	const char *at = cursor->at;

	while (at != cursor->end && is_digit(*at))
		at++;
	return at != cursor->at && at != cursor->end && *at == '.';
}

/* RFC 4291 section 2.2: eight groups, one run of zeros as "::", the last two groups possibly dotted. */
static bool parse_ipv6(struct cursor *cursor, uint8_t address[16])
{
	uint8_t bytes[16];
	size_t filled = 0, gap = 0;
	bool has_gap = false;

	if (take(cursor, ':')) {
		if (!take(cursor, ':'))
			return false;
		has_gap = true;
	}
	while (filled < 16 && cursor->at != cursor->end && hex_value(*cursor->at) >= 0) {
		if (dotted_here(cursor)) {
			if (filled > 12 || !parse_ipv4(cursor, bytes + filled))
				return false;
			filled += 4;
			break;
		}
		if (!take_hex_group(cursor, bytes + filled))
			return false;
		filled += 2;
		if (filled == 16 || !take(cursor, ':'))
			break;
		if (take(cursor, ':')) {
			if (has_gap)
				return false;
			has_gap = true;
			gap = filled;
		} else if (cursor->at == cursor->end || hex_value(*cursor->at) < 0) {
			return false; /* a single colon at the end */
		}
	}
	if (has_gap ? filled == 16 : filled != 16)
		return false;
	memset(address, 0, 16);
	memcpy(address, bytes, gap);
	memcpy(address + 16 - (filled - gap), bytes + gap, filled - gap);
	return true;
}

/* RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
static void write_ipv6(struct writer *writer, const uint8_t address[16])
{
	static const char hex[] = "0123456789abcdef";
	size_t best = 8, best_length = 1, run = 0;

	for (size_t i = 0; i < 8; i++) {
		run = address[2 * i] || address[2 * i + 1] ? 0 : run + 1;
		if (run > best_length) {
			best_length = run;
			best = i + 1 - run;
		}
	}
	for (size_t i = 0; i < 8; i++) {
		unsigned int group = (unsigned int)(address[2 * i] << 8 | address[2 * i + 1]);
		int shift = 12;

		if (i == best) {
			put(writer, ':');
			put(writer, ':');
			i += best_length - 1;
			continue;
		}
		if (i && i != best + best_length)
			put(writer, ':');
		while (shift && !(group >> shift))
			shift -= 4;
		for (; shift >= 0; shift -= 4)
			put(writer, hex[group >> shift & 15]);
	}
}

static void write_ipv4(struct writer *writer, const uint8_t address[4])
{
	for (unsigned int i = 0; i < 4; i++) {
		if (i)
			put(writer, '.');
		put_number(writer, address[i]);
	}
}

/*
 * RFC 2428 allows any printable delimiter; a letter, a digit or a sign that an address contains would make the text
 * ambiguous.
 */
static bool take_delimiter(struct cursor *cursor, char *delimiter)
{
	char c;

	if (cursor->at == cursor->end)
		return false;
	c = *cursor->at;
	if (c < 33 || c > 126 || is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == ':')
		return false;
	*delimiter = c;
	cursor->at++;
	return true;
}

/* |1|192.0.2.1|3001| or |2|2001:db8::1|3001| */
static bool parse_extended(struct cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	uint32_t protocol, port;

	if (!take_delimiter(cursor, delimiter) || !take_number(cursor, 1, 2, &protocol) || protocol == 0 ||
	    !take(cursor, *delimiter))
		return false;
	if (protocol == 1 ? !parse_ipv4(cursor, endpoint->address) : !parse_ipv6(cursor, endpoint->address))
		return false;
	if (!take(cursor, *delimiter) || !take_number(cursor, 5, 65535, &port) || !take(cursor, *delimiter))
		return false;
	endpoint->family = protocol == 1 ? FAMILY_IPV4 : FAMILY_IPV6;
	endpoint->port = (uint16_t)port;
	return true;
}

static bool write_extended(struct writer *writer, const struct endpoint *endpoint, char delimiter)
{
	put(writer, delimiter);
	put(writer, endpoint->family == FAMILY_IPV4 ? '1' : '2');
	put(writer, delimiter);
	if (endpoint->family == FAMILY_IPV4)
		write_ipv4(writer, endpoint->address);
	else
		write_ipv6(writer, endpoint->address);
	put(writer, delimiter);
	put_number(writer, endpoint->port);
	put(writer, delimiter);
	return true;
}

/* (|||3001|) */
static bool parse_extended_port(struct cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	uint32_t port;

	if (!take(cursor, '(') || !take_delimiter(cursor, delimiter) || !take(cursor, *delimiter) ||
	    !take(cursor, *delimiter) || !take_number(cursor, 5, 65535, &port) || !take(cursor, *delimiter) ||
	    !take(cursor, ')'))
		return false;
	endpoint->port = (uint16_t)port;
	return true;
}

static bool write_extended_port(struct writer *writer, const struct endpoint *endpoint, char delimiter)
{
	put(writer, '(');
	for (unsigned int i = 0; i < 3; i++)
		put(writer, delimiter);
	put_number(writer, endpoint->port);
	put(writer, delimiter);
	put(writer, ')');
	return true;
}

static const struct {
	bool (*parse)(struct cursor *cursor, struct endpoint *endpoint, char *delimiter);
	bool (*write)(struct writer *writer, const struct endpoint *endpoint, char delimiter);
	bool list; /* of numbers and commas; otherwise it begins with a parenthesis or delimiter */
} notations[] = {
	[NOTATION_HOST_PORT] = { parse_host_port, write_host_port, true },
	[NOTATION_EXTENDED] = { parse_extended, write_extended, false },
	[NOTATION_EXTENDED_PORT] = { parse_extended_port, write_extended_port, false },
	[NOTATION_LONG] = { parse_long, write_long, true },
};

static bool in_list(char c)
{
	return is_digit(c) || c == ',';
}

int endpoint_parse(enum notation notation, const char *text, size_t length, struct endpoint *endpoint, char *delimiter)
{
	struct cursor cursor = { text, text + length };
	struct endpoint parsed = { .port = 0 };

	if (notation == NOTATION_NONE || !notations[notation].parse(&cursor, &parsed, delimiter))
		return -EINVAL;
	if (notations[notation].list && cursor.at != cursor.end && in_list(*cursor.at))
		return -EINVAL;
	*endpoint = parsed;
	return (int)(cursor.at - text);
}

int endpoint_find(enum notation notation, const char *text, size_t length, struct endpoint *endpoint, char *delimiter,
		  size_t *argument_length)
{
	size_t at = 0;

	while (at < length) {
		int parsed;

		if (notations[notation].list ? !is_digit(text[at]) : text[at] != '(') {
			at++;
			continue;
		}
		parsed = endpoint_parse(notation, text + at, length - at, endpoint, delimiter);
		if (parsed > 0) {
			*argument_length = (size_t)parsed;
			return (int)at;
		}
		at++;
		while (notations[notation].list && at < length && in_list(text[at]))
			at++;
	}
	return -EINVAL;
}

int endpoint_write(enum notation notation, const struct endpoint *endpoint, char delimiter, char *text, size_t capacity)
{
	struct writer writer = { text, text + capacity, false };

	if (notation == NOTATION_NONE || !notations[notation].write(&writer, endpoint, delimiter) || writer.overflow)
		return -EINVAL;
	return (int)(writer.at - text);
}

const char *endpoint_print(const struct endpoint *endpoint, char text[ENDPOINT_PRINT_MAX])
{
	struct writer writer = { text, text + ENDPOINT_PRINT_MAX - 1, false };

	if (endpoint->family == FAMILY_IPV4) {
		write_ipv4(&writer, endpoint->address);
	} else {
		put(&writer, '[');
		write_ipv6(&writer, endpoint->address);
		put(&writer, ']');
	}
	put(&writer, ':');
	put_number(&writer, endpoint->port);
	*writer.at = '\0';
	return text;
}

const char *endpoint_print_address(const struct endpoint *endpoint, char text[ENDPOINT_PRINT_MAX])
{
	struct writer writer = { text, text + ENDPOINT_PRINT_MAX - 1, false };

	if (endpoint->family == FAMILY_IPV4)
		write_ipv4(&writer, endpoint->address);
	else
		write_ipv6(&writer, endpoint->address);
	*writer.at = '\0';
	return text;
}
