// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A function a field of the header, a row in the table of them. The grammar is exact, so no header is longer than a legal one; but what may
 * be anything (behind UNKNOWN, in version 2) is counted.
 */
#include "proxy.h"

#include "bytes.h"

enum field {
	FIELD_BEGIN,  /* nothing has come */
	FIELD_TEXT,   /* in "PROXY " */
	FIELD_FAMILY, /* in "TCP4 ", "TCP6 " or "UNKNOWN" */
	FIELD_IPV4,
	FIELD_IPV4_SECOND,
	FIELD_IPV6,
	FIELD_IPV6_SECOND,
	FIELD_PORT,
	FIELD_PORT_SECOND,
	FIELD_UNKNOWN, /* behind UNKNOWN, anything */
	FIELD_END,     /* behind CR: LF is due */
	FIELD_SIGNATURE,
	FIELD_COMMAND, /* its version and command, its family, and the two bytes of its length */
	FIELD_BINARY,
	FIELDS,
};

static const uint8_t text[] = { 'P', 'R', 'O', 'X', 'Y', ' ' };
static const uint8_t signature[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };
static const uint8_t unknown[] = { 'U', 'N', 'K', 'N', 'O', 'W', 'N' };

static enum proxy_step go_on(struct proxy *proxy, enum field field)
{
	*proxy = (struct proxy){ .field = (uint16_t)field & 15 };
	return PROXY_MORE;
}

/* The next byte of @expected, which is @length long; behind it @field. */
static enum proxy_step literal(struct proxy *proxy, uint8_t byte, const uint8_t *expected, size_t length,
			       enum field field, enum proxy_step otherwise)
{
	if (proxy->value >= length || byte != expected[proxy->value])
		return otherwise;
	if (++proxy->value == length)
		return go_on(proxy, field);
	return PROXY_MORE;
}

static enum proxy_step begin(struct proxy *proxy, uint8_t byte)
{
	if (byte == text[0])
		proxy->field = FIELD_TEXT;
	else if (byte == signature[0])
		proxy->field = FIELD_SIGNATURE;
	else
		return PROXY_NOT;
	proxy->value = 1;
	return PROXY_MORE;
}

static enum proxy_step in_text(struct proxy *proxy, uint8_t byte)
{
	return literal(proxy, byte, text, sizeof(text), FIELD_FAMILY, PROXY_NOT);
}

/* value: bytes of it so far; numbers: the family, once it is known, 1 where that is UNKNOWN. */
static enum proxy_step in_family(struct proxy *proxy, uint8_t byte)
{
	static const uint8_t tcp[] = { 'T', 'C', 'P' };

	if (proxy->value == 0)
		proxy->numbers = byte == unknown[0];
	if (proxy->numbers == 1) {
		const enum proxy_step step = literal(proxy, byte, unknown, sizeof(unknown), FIELD_UNKNOWN, PROXY_WRONG);

		if (proxy->field == FIELD_UNKNOWN)
			proxy->value = sizeof(text) + sizeof(unknown);
		return step;
	}
	if (proxy->value < sizeof(tcp))
		return literal(proxy, byte, tcp, sizeof(tcp) + 1, FIELD_END, PROXY_WRONG);
	if (proxy->value == sizeof(tcp) && (byte == '4' || byte == '6')) {
		proxy->numbers = byte == '4' ? 4 : 6;
		proxy->value++;
		return PROXY_MORE;
	}
	if (proxy->value != sizeof(tcp) + 1 || byte != ' ')
		return PROXY_WRONG;
	return go_on(proxy, proxy->numbers == 4 ? FIELD_IPV4 : FIELD_IPV6);
}

/* A decimal number has no leading zero, and is at most @most. Return false where this byte is none of its digits. */
static bool decimal(struct proxy *proxy, uint8_t byte, uint32_t most)
{
	const uint32_t value = proxy->value * 10u + byte - '0';

	if (byte < '0' || byte > '9' || (proxy->digits && proxy->value == 0) || value > most || proxy->digits == 7)
		return false;
	proxy->value = (uint16_t)value;
	proxy->digits++;
	return true;
}

/* An IPv4 address, or where colon is set the last 32 bits of an IPv6 one. */
static enum proxy_step in_ipv4(struct proxy *proxy, uint8_t byte)
{
	if (decimal(proxy, byte, 255))
		return PROXY_MORE;
	if (!proxy->digits)
		return PROXY_WRONG;
	if (byte == '.' && proxy->numbers < 3) {
		proxy->numbers++;
		proxy->digits = 0;
		proxy->value = 0;
		return PROXY_MORE;
	}
	if (byte != ' ' || proxy->numbers != 3)
		return PROXY_WRONG;
	if (proxy->field == FIELD_IPV4_SECOND)
		return go_on(proxy, FIELD_PORT);
	return go_on(proxy, proxy->colon ? FIELD_IPV6_SECOND : FIELD_IPV4_SECOND);
}

static bool is_hexadecimal(uint8_t byte)
{
	return bytes_is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/* Of a group's value: none, but a colon; and one that is no decimal number. */
#define LONE_COLON 0xffff
#define NO_DECIMAL 0xfffe

/* So many groups, and zeros left out, before an IPv4 address are no longer than an IPv6 address may be. */
#define GROUPS_BEFORE_MAX 4

/* A group has ended, or a colon stands behind a colon: once, and nowhere but in the beginning before a group. */
static enum proxy_step ipv6_colon(struct proxy *proxy)
{
	const bool second = proxy->colon, first = !proxy->digits && !proxy->colon && !proxy->gap;

	if ((second && proxy->gap) || (!second && !proxy->digits && !first) || proxy->numbers >= 8)
		return PROXY_WRONG;
	if (second)
		proxy->gap = 1;
	if (proxy->digits)
		proxy->numbers++;
	proxy->colon = !second;
	proxy->digits = 0;
	/* One alone in the beginning needs its second. */
	proxy->value = first && proxy->numbers == 0 ? LONE_COLON : 0;
	return PROXY_MORE;
}

/*
 * The digits so far are an octet: an IPv4 address stands in the place of the last two groups (RFC 4291 section 2.2), as HAProxy writes mapped
 * ones; or of the whole second address, as nginx writes that.
 */
static enum proxy_step ipv6_dot(struct proxy *proxy)
{
	const bool alone = proxy->field == FIELD_IPV6_SECOND && proxy->numbers == 0 && !proxy->gap;

	if (!proxy->digits || proxy->value > 255 || !(alone || (proxy->gap && proxy->numbers <= GROUPS_BEFORE_MAX)))
		return PROXY_WRONG;
	go_on(proxy, proxy->field == FIELD_IPV6 ? FIELD_IPV4 : FIELD_IPV4_SECOND);
	proxy->colon = 1;
	proxy->numbers = 1;
	return PROXY_MORE;
}

/* value: the group read as a decimal number, which it may be. */
static void ipv6_digit(struct proxy *proxy, uint8_t byte)
{
	const bool fits = byte <= '9' && proxy->value != NO_DECIMAL && (!proxy->digits || proxy->value);

	proxy->value = fits ? (uint16_t)(proxy->value * 10 + byte - '0') : NO_DECIMAL;
	proxy->digits++;
	proxy->colon = 0;
}

static enum proxy_step in_ipv6(struct proxy *proxy, uint8_t byte)
{
	unsigned int groups;

	if (byte == ':')
		return ipv6_colon(proxy);
	if (proxy->value == LONE_COLON) /* ":1" */
		return PROXY_WRONG;
	if (is_hexadecimal(byte)) {
		if (proxy->digits == 4)
			return PROXY_WRONG;
		ipv6_digit(proxy, byte);
		return PROXY_MORE;
	}
	if (byte == '.')
		return ipv6_dot(proxy);
	groups = proxy->numbers + (proxy->digits ? 1u : 0u);
	if (byte != ' ' || proxy->colon || groups > 8 || (proxy->gap ? groups == 8 : groups != 8))
		return PROXY_WRONG;
	return go_on(proxy, proxy->field == FIELD_IPV6 ? FIELD_IPV6_SECOND : FIELD_PORT);
}

static enum proxy_step in_port(struct proxy *proxy, uint8_t byte)
{
	if (decimal(proxy, byte, 0xffff))
		return PROXY_MORE;
	if (!proxy->digits || byte != (proxy->field == FIELD_PORT ? ' ' : '\r'))
		return PROXY_WRONG;
	return go_on(proxy, proxy->field == FIELD_PORT ? FIELD_PORT_SECOND : FIELD_END);
}

static enum proxy_step in_unknown(struct proxy *proxy, uint8_t byte)
{
	if (byte == '\r')
		return go_on(proxy, FIELD_END);
	if (byte == '\n' || (proxy->value == sizeof(text) + sizeof(unknown) && byte != ' '))
		return PROXY_WRONG;
	return ++proxy->value > PROXY_TEXT_MAX - 2 ? PROXY_WRONG : PROXY_MORE;
}

static enum proxy_step at_end(struct proxy *proxy, uint8_t byte)
{
	(void)proxy;
	return byte == '\n' ? PROXY_OVER : PROXY_WRONG;
}

static enum proxy_step in_signature(struct proxy *proxy, uint8_t byte)
{
	return literal(proxy, byte, signature, sizeof(signature), FIELD_COMMAND, PROXY_NOT);
}

/* The fewest bytes that a family's addresses take: LOCAL and unspecified ones may be none, TCP over IPv4 or IPv6, a stream of local sockets. */
static bool is_family(uint8_t byte, uint16_t *fewest)
{
	static const uint8_t families[][2] = { { 0x00, 0 }, { 0x11, 12 }, { 0x21, 36 }, { 0x31, 216 } };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i][0] == byte) {
			*fewest = families[i][1];
			return true;
		}
	return false;
}

/* digits: bytes so far; numbers: the command, 0 LOCAL, 1 PROXY; value: the fewest bytes that have to follow, and at last how many do. */
static enum proxy_step in_command(struct proxy *proxy, uint8_t byte)
{
	uint16_t fewest = 0;

	switch (proxy->digits++) {
	case 0:
		proxy->numbers = byte & 1;
		return byte == 0x20 || byte == 0x21 ? PROXY_MORE : PROXY_WRONG;
	case 1:
		if (!is_family(byte, &fewest))
			return PROXY_WRONG;
		proxy->value = proxy->numbers ? fewest : 0;
		return PROXY_MORE;
	case 2:
		/* The command is not needed any more: its place is the length's upper byte's. */
		proxy->numbers = (uint16_t)byte & 15;
		return byte > (PROXY_BINARY_MAX - 16) >> 8 ? PROXY_WRONG : PROXY_MORE;
	default: {
		const uint32_t length = (uint32_t)proxy->numbers << 8 | byte;

		if (length < proxy->value || length > PROXY_BINARY_MAX - 16)
			return PROXY_WRONG;
		go_on(proxy, FIELD_BINARY);
		proxy->value = (uint16_t)length;
		return length ? PROXY_MORE : PROXY_OVER;
	}
	}
}

static enum proxy_step in_binary(struct proxy *proxy, uint8_t byte)
{
	(void)byte;
	if (proxy->value <= 1)
		return PROXY_OVER;
	proxy->value--;
	return PROXY_MORE;
}

static enum proxy_step (*const fields[FIELDS])(struct proxy *proxy, uint8_t byte) = {
	[FIELD_BEGIN] = begin,	       [FIELD_TEXT] = in_text,	      [FIELD_FAMILY] = in_family,
	[FIELD_IPV4] = in_ipv4,	       [FIELD_IPV4_SECOND] = in_ipv4, [FIELD_IPV6] = in_ipv6,
	[FIELD_IPV6_SECOND] = in_ipv6, [FIELD_PORT] = in_port,	      [FIELD_PORT_SECOND] = in_port,
	[FIELD_UNKNOWN] = in_unknown,  [FIELD_END] = at_end,	      [FIELD_SIGNATURE] = in_signature,
	[FIELD_COMMAND] = in_command,  [FIELD_BINARY] = in_binary,
};

enum proxy_step proxy_read(struct proxy *proxy, uint8_t byte)
{
	return proxy->field < FIELDS ? fields[proxy->field](proxy, byte) : PROXY_WRONG;
}

const uint8_t *proxy_prefix(const struct proxy *proxy, size_t *length)
{
	const bool in_text_or_begin = proxy->field == FIELD_BEGIN || proxy->field == FIELD_TEXT;
	const size_t most = in_text_or_begin ? sizeof(text) : sizeof(signature);

	*length = proxy->value < most ? proxy->value : most - 1;
	return in_text_or_begin ? text : signature;
}

bool proxy_check(const struct proxy *proxy)
{
	return proxy->field < FIELDS;
}
