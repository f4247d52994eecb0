/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint - an IP address and a TCP port, and the four notations in which FTP writes one.
 *
 *   NOTATION_HOST_PORT      h1,h2,h3,h4,p1,p2             PORT, 227   RFC 959 section 5.3.2, RFC 1123 4.1.2.6
 *   NOTATION_EXTENDED       |1|192.0.2.1|3001|            EPRT        RFC 2428 section 2
 *   NOTATION_EXTENDED_PORT  (|||3001|)                    229         RFC 2428 section 3
 *   NOTATION_LONG           4,4,h1,h2,h3,h4,2,p1,p2       LPRT, 228   RFC 1639 section 2
 *
 * What the field writes besides, and the two ends understand: blanks after commas; a comma behind the last number; leading zeros; EPRT without
 * its last delimiter; 229 with its address filled in, (|1|192.0.2.1|3001|), without parentheses, |||3001|, with a bar too few at one end,
 * (||3001|) and (|||3001), or with blanks around the port, (||| 3001|). What is written is always as above.
 *
 * Text comes from the network: it is not terminated by NUL, and nothing beyond its length is read.
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include "types.h"

/* The IP version is the family: what the first nibble of a packet says. */
#define FAMILY_IPV4 4
#define FAMILY_IPV6 6

struct endpoint {
	uint8_t address[16]; /* network order; IPv4 in the first four bytes, the other twelve zero */
	uint16_t port;	     /* host order */
	uint8_t family;	     /* FAMILY_IPV4 or FAMILY_IPV6 */
};

enum notation {
	NOTATION_NONE,
	NOTATION_HOST_PORT,
	NOTATION_EXTENDED,
	NOTATION_EXTENDED_PORT,
	NOTATION_LONG,
};

/* Bytes of the longest argument that is written: LPRT with IPv6, every octet of three digits. */
#define ENDPOINT_TEXT_MAX (5 + 16 * 4 + 9)

/* And of one that is read: the same as the field writes it, all numbers of three digits, a blank after each comma. */
#define ENDPOINT_READ_MAX (21 * 3 + 20 * 2)

static inline bool endpoint_address_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && endpoint_address_equal(a, b);
}

/* Bytes of an address of this family, which stand first in struct endpoint.address. */
static inline size_t endpoint_address_length(uint8_t family)
{
	return family == FAMILY_IPV4 ? 4 : 16;
}

/* Who is one client, wherever something is shared out: an IPv4 address, or an IPv6 /64, since whoever has one address of it has them all. Bytes
 * of struct endpoint.address that tell. */
static inline size_t endpoint_client_length(uint8_t family)
{
	return family == FAMILY_IPV4 ? 4 : 8;
}

/* A delimiter of 229 that is one without parentheses, too: those that are in use. Prose has other signs. */
static inline bool endpoint_is_bar(char c)
{
	return c == '|' || c == '!' || c == '#' || c == '$';
}

/* Can a reply's argument begin with this byte? */
static inline bool endpoint_may_begin(enum notation notation, char c)
{
	return notation == NOTATION_EXTENDED_PORT ? c == '(' || endpoint_is_bar(c) : c >= '0' && c <= '9';
}

/**
 * endpoint_parse - read the argument that begins at @text
 * @notation: how it is written
 * @text: its first byte
 * @length: bytes that may be read
 * @endpoint: filled in on success. Where NOTATION_EXTENDED_PORT names no address family is 0
 * @delimiter: filled in on success: the delimiter of the extended notations, ',' otherwise
 *
 * Every number is checked against its octet or port; leading zeros are read as decimal, as servers do.
 *
 * Return: the argument's length in bytes, with a comma at its end, or -EINVAL when @text does not begin with a legal argument.
 */
int endpoint_parse(enum notation notation, const char *text, size_t length, struct endpoint *endpoint, char *delimiter);

/**
 * endpoint_find - the first argument inside a reply's prose, "Entering Passive Mode (192,168,1,1,11,185)."
 * @notation: how it is written
 * @text: the reply's text
 * @length: its length in bytes
 * @endpoint: as for endpoint_parse()
 * @delimiter: as for endpoint_parse()
 * @argument_length: filled in on success: the argument's length in bytes
 *
 * A list of seven numbers holds no list of six: such a run is skipped whole. A comma behind a list is not counted.
 *
 * Return: the offset of the argument in @text, or -EINVAL when there is none.
 */
int endpoint_find(enum notation notation, const char *text, size_t length, struct endpoint *endpoint, char *delimiter,
		  size_t *argument_length);

/**
 * endpoint_write - write @endpoint as an argument
 * @notation: how to write it
 * @endpoint: what to write; NOTATION_HOST_PORT needs an IPv4 endpoint
 * @delimiter: for the extended notations
 * @text: where to; not terminated by NUL
 * @capacity: bytes there; ENDPOINT_TEXT_MAX always suffices
 *
 * Return: the length written, or -EINVAL when the notation cannot express the endpoint or it does not fit.
 */
int endpoint_write(enum notation notation, const struct endpoint *endpoint, char delimiter, char *text,
		   size_t capacity);

/* Room for endpoint_print(): "[" + 39 + "]:65535" + NUL. */
#define ENDPOINT_PRINT_MAX 48

/**
 * endpoint_print - "192.0.2.1:3001" or "[2001:db8::1]:3001", for people
 * @endpoint: what to print
 * @text: where to, NUL-terminated
 *
 * Return: @text
 */
const char *endpoint_print(const struct endpoint *endpoint, char text[ENDPOINT_PRINT_MAX]);

/* Its address alone, "192.0.2.1" or "2001:db8::1". Return: @text. */
const char *endpoint_print_address(const struct endpoint *endpoint, char text[ENDPOINT_PRINT_MAX]);

#endif
