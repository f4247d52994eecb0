// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The four notations are rows of one table; each row parses and writes one.
 */
#include "endpoint.h"

#include "text.h"

/* Zeros before a number, as many as there are. */
static void skip_zeros(struct text_cursor *cursor)
{
	while (cursor->end - cursor->at > 1 && cursor->at[0] == '0' && bytes_is_digit((uint8_t)cursor->at[1]))
		cursor->at++;
}

static void skip_blanks(struct text_cursor *cursor)
{
	while (cursor->at != cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
		cursor->at++;
}

/* A port as such, with any number of leading zeros. */
static bool take_port(struct text_cursor *cursor, uint16_t *port)
{
	uint32_t number;

	skip_zeros(cursor);
	if (!text_take_number(cursor, 5, 65535, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* A comma, and blanks behind it. */
static bool take_comma(struct text_cursor *cursor)
{
	if (!text_take(cursor, ','))
		return false;
	skip_blanks(cursor);
	return true;
}

/* A number of one octet, with any number of leading zeros. Return: its digits, with these; 0: there is none. */
static size_t take_octet(struct text_cursor *cursor, uint8_t *octet)
{
	const char *at = cursor->at, *const start = at;
	uint32_t value = 0;

	for (; at != cursor->end && bytes_is_digit((uint8_t)*at) && value <= 255; at++)
		value = value * 10 + (uint32_t)(*at - '0');
	cursor->at = at;
	*octet = (uint8_t)value;
	return value <= 255 ? (size_t)(at - start) : 0;
}

/* Numbers of one octet each, all but the first behind a comma. */
static bool take_octets(struct text_cursor *cursor, uint8_t *octets, size_t count, bool first)
{
	for (size_t i = 0; i < count; i++) {
		if (!(first && i == 0) && !take_comma(cursor))
			return false;
		if (!take_octet(cursor, &octets[i]))
			return false;
	}
	return true;
}

/*
 * A port in two octets, which end a list. Clients that look for numbers of one to three digits (Java's) take the first three of a last number that has
 * more; where the number before it has more, too, they find no list at all, and nobody reads another port than this.
 */
static bool take_port_octets(struct text_cursor *cursor, uint16_t *port)
{
	uint8_t high, low;
	size_t digits, last;

	if (!take_comma(cursor))
		return false;
	digits = take_octet(cursor, &high);
	if (!digits || !take_comma(cursor))
		return false;
	last = take_octet(cursor, &low);
	if (!last || (last > 3 && digits <= 3))
		return false;
	*port = (uint16_t)(high << 8 | low);
	return true;
}

static void put_octets(struct text_writer *writer, const uint8_t *octets, size_t count, bool first)
{
	for (size_t i = 0; i < count; i++) {
		if (!(first && i == 0))
			text_put(writer, ',');
		text_put_number(writer, octets[i]);
	}
}

/* h1,h2,h3,h4,p1,p2 */
static bool parse_host_port(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	if (!take_octets(cursor, endpoint->address, 4, true) || !take_port_octets(cursor, &endpoint->port))
		return false;
	endpoint->family = FAMILY_IPV4;
	*delimiter = ',';
	return true;
}

static bool write_host_port(struct text_writer *writer, const struct endpoint *endpoint, char delimiter)
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
static bool parse_long(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	uint8_t head[2], pal;
	size_t address_length;

	if (!take_octets(cursor, head, 2, true))
		return false;
	address_length = endpoint_address_length(head[0]);
	if ((head[0] != FAMILY_IPV4 && head[0] != FAMILY_IPV6) || head[1] != address_length)
		return false;
	if (!take_octets(cursor, endpoint->address, address_length, false) || !take_octets(cursor, &pal, 1, false) ||
	    pal != 2 || !take_port_octets(cursor, &endpoint->port))
		return false;
	endpoint->family = head[0];
	*delimiter = ',';
	return true;
}

static bool write_long(struct text_writer *writer, const struct endpoint *endpoint, char delimiter)
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

/*
 * RFC 2428 allows any printable delimiter; a letter, a digit or a sign that an address contains would make the text
 * ambiguous.
 */
static bool take_delimiter(struct text_cursor *cursor, char *delimiter)
{
	char c;

	if (cursor->at == cursor->end)
		return false;
	c = *cursor->at;
	if (c < 33 || c > 126 || bytes_is_digit((uint8_t)c) || bytes_is_letter((uint8_t)c) || c == '.' || c == ':')
		return false;
	*delimiter = c;
	cursor->at++;
	return true;
}

/* |1|192.0.2.1|3001| or |2|2001:db8::1|3001|; the last delimiter may be missing: the number ends all the same. */
static bool parse_extended(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	uint32_t protocol;

	if (!take_delimiter(cursor, delimiter) || !text_take_number(cursor, 1, 2, &protocol) || protocol == 0 ||
	    !text_take(cursor, *delimiter))
		return false;
	if (protocol == 1 ? !text_take_ipv4(cursor, endpoint->address) : !text_take_ipv6(cursor, endpoint->address))
		return false;
	if (!text_take(cursor, *delimiter) || !take_port(cursor, &endpoint->port))
		return false;
	text_take(cursor, *delimiter);
	endpoint->family = protocol == 1 ? FAMILY_IPV4 : FAMILY_IPV6;
	return true;
}

static bool write_extended(struct text_writer *writer, const struct endpoint *endpoint, char delimiter)
{
	text_put(writer, delimiter);
	text_put(writer, endpoint->family == FAMILY_IPV4 ? '1' : '2');
	text_put(writer, delimiter);
	if (endpoint->family == FAMILY_IPV4)
		text_put_ipv4(writer, endpoint->address);
	else
		text_put_ipv6(writer, endpoint->address);
	text_put(writer, delimiter);
	text_put_number(writer, endpoint->port);
	text_put(writer, delimiter);
	return true;
}

/* An address of either family. */
static bool take_address(struct text_cursor *cursor, struct endpoint *endpoint)
{
	struct text_cursor as_ipv4 = *cursor;

	endpoint->family = text_take_ipv4(&as_ipv4, endpoint->address) ? FAMILY_IPV4 : FAMILY_IPV6;
	if (endpoint->family == FAMILY_IPV4)
		*cursor = as_ipv4;
	return endpoint->family == FAMILY_IPV4 || text_take_ipv6(cursor, endpoint->address);
}

/*
 * What stands before the port, but for the first delimiter: "||" as it should be, or "1|192.0.2.1|". Where the first delimiter is
 * missing (*delimiter is 0) the first one here says which it is.
 */
static bool take_name(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	uint32_t protocol = 1;

	if (cursor->at != cursor->end && bytes_is_digit((uint8_t)*cursor->at) &&
	    !text_take_number(cursor, 1, 2, &protocol))
		return false;
	if (protocol == 0 || !(*delimiter ? text_take(cursor, *delimiter) : take_delimiter(cursor, delimiter)))
		return false;
	if (text_take(cursor, *delimiter))
		return true;
	return take_address(cursor, endpoint) && text_take(cursor, *delimiter);
}

/* 229's, in parentheses perhaps: there, blanks may be around it. */
static bool take_its_port(struct text_cursor *cursor, struct endpoint *endpoint, bool enclosed)
{
	if (enclosed)
		skip_blanks(cursor);
	if (!take_port(cursor, &endpoint->port))
		return false;
	if (enclosed)
		skip_blanks(cursor);
	return true;
}

/* With the first delimiter, and with or without the last one. */
static bool parse_begun(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter, bool enclosed)
{
	if (!take_delimiter(cursor, delimiter) || !take_name(cursor, endpoint, delimiter) ||
	    !take_its_port(cursor, endpoint, enclosed))
		return false;
	text_take(cursor, *delimiter);
	return true;
}

/* Without the first one: then the last one is there. */
static bool parse_ended(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter, bool enclosed)
{
	*endpoint = (struct endpoint){ .family = 0 };
	*delimiter = '\0';
	return take_name(cursor, endpoint, delimiter) && take_its_port(cursor, endpoint, enclosed) &&
	       text_take(cursor, *delimiter);
}

/* (|||3001|). Without parentheses not every sign is a delimiter. */
static bool parse_extended_port(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter)
{
	const bool enclosed = text_take(cursor, '(');
	struct text_cursor begun = *cursor;

	if (parse_begun(&begun, endpoint, delimiter, enclosed))
		*cursor = begun;
	else if (!parse_ended(cursor, endpoint, delimiter, enclosed))
		return false;
	return enclosed ? text_take(cursor, ')') : endpoint_is_bar(*delimiter);
}

static bool write_extended_port(struct text_writer *writer, const struct endpoint *endpoint, char delimiter)
{
	text_put(writer, '(');
	for (unsigned int i = 0; i < 3; i++)
		text_put(writer, delimiter);
	text_put_number(writer, endpoint->port);
	text_put(writer, delimiter);
	text_put(writer, ')');
	return true;
}

static const struct {
	bool (*parse)(struct text_cursor *cursor, struct endpoint *endpoint, char *delimiter);
	bool (*write)(struct text_writer *writer, const struct endpoint *endpoint, char delimiter);
	bool list; /* of numbers and commas; otherwise it begins with a parenthesis or delimiter */
} notations[] = {
	[NOTATION_HOST_PORT] = { parse_host_port, write_host_port, true },
	[NOTATION_EXTENDED] = { parse_extended, write_extended, false },
	[NOTATION_EXTENDED_PORT] = { parse_extended_port, write_extended_port, false },
	[NOTATION_LONG] = { parse_long, write_long, true },
};

static bool in_list(char c)
{
	return bytes_is_digit((uint8_t)c) || c == ',';
}

/* Is this its end? A comma may be the last of it; where another number follows that, or another comma, it is a list of another length. */
static bool ends_list(struct text_cursor *cursor)
{
	const bool comma = text_take(cursor, ',');
	struct text_cursor behind = *cursor;

	if (comma)
		skip_blanks(&behind);
	return behind.at == behind.end || !in_list(*behind.at);
}

int endpoint_parse(enum notation notation, const char *text, size_t length, struct endpoint *endpoint, char *delimiter)
{
	struct text_cursor cursor = { text, text + length };
	struct endpoint parsed = { .port = 0 };

	if (notation == NOTATION_NONE || !notations[notation].parse(&cursor, &parsed, delimiter))
		return -EINVAL;
	if (notations[notation].list && !ends_list(&cursor))
		return -EINVAL;
	*endpoint = parsed;
	return (int)(cursor.at - text);
}

/* Can the argument begin at @at? Bars that follow another sign of an argument are in the middle of one. */
static bool begins_at(enum notation notation, const char *text, size_t at)
{
	if (!endpoint_may_begin(notation, text[at]))
		return false;
	return !endpoint_is_bar(text[at]) || at == 0 ||
	       (text[at - 1] != text[at] && !bytes_is_digit((uint8_t)text[at - 1]));
}

/* A comma behind a list may as well belong to the prose, which stays as it is. */
static size_t without_comma(enum notation notation, const char *argument, size_t length)
{
	return notations[notation].list && argument[length - 1] == ',' ? length - 1 : length;
}

/* Behind the list that stands at @at, which holds no other. */
static size_t behind_list(const char *text, size_t length, size_t at)
{
	struct text_cursor cursor = { text + at, text + length };

	while (cursor.at != cursor.end && in_list(*cursor.at))
		if (!take_comma(&cursor))
			cursor.at++;
	return (size_t)(cursor.at - text);
}

int endpoint_find(enum notation notation, const char *text, size_t length, struct endpoint *endpoint, char *delimiter,
		  size_t *argument_length)
{
	size_t at = 0;

	while (at < length) {
		int parsed;

		if (!begins_at(notation, text, at)) {
			at++;
			continue;
		}
		parsed = endpoint_parse(notation, text + at, length - at, endpoint, delimiter);
		if (parsed > 0) {
			*argument_length = without_comma(notation, text + at, (size_t)parsed);
			return (int)at;
		}
		at = notations[notation].list ? behind_list(text, length, at) : at + 1;
	}
	return -EINVAL;
}

int endpoint_write(enum notation notation, const struct endpoint *endpoint, char delimiter, char *text, size_t capacity)
{
	struct text_writer writer = { text, text + capacity, false };

	if (notation == NOTATION_NONE || !notations[notation].write(&writer, endpoint, delimiter) || writer.overflow)
		return -EINVAL;
	return (int)(writer.at - text);
}

const char *endpoint_print(const struct endpoint *endpoint, char text[ENDPOINT_PRINT_MAX])
{
	struct text_writer writer = { text, text + ENDPOINT_PRINT_MAX - 1, false };

	if (endpoint->family == FAMILY_IPV4) {
		text_put_ipv4(&writer, endpoint->address);
	} else {
		text_put(&writer, '[');
		text_put_ipv6(&writer, endpoint->address);
		text_put(&writer, ']');
	}
	text_put(&writer, ':');
	text_put_number(&writer, endpoint->port);
	*writer.at = '\0';
	return text;
}

const char *endpoint_print_address(const struct endpoint *endpoint, char text[ENDPOINT_PRINT_MAX])
{
	struct text_writer writer = { text, text + ENDPOINT_PRINT_MAX - 1, false };

	if (endpoint->family == FAMILY_IPV4)
		text_put_ipv4(&writer, endpoint->address);
	else
		text_put_ipv6(&writer, endpoint->address);
	*writer.at = '\0';
	return text;
}
