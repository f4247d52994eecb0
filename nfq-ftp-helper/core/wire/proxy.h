/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proxy - the header that a load balancer puts before what the client says (the PROXY protocol, versions 1 and 2). It is told from a line,
 * byte by byte, and skipped: the addresses in it are whoever's who wrote them, and are never used.
 *
 *	PROXY TCP4 192.0.2.9 203.0.113.5 56079 21		version 1, in one line that ends in CR LF; TCP6, and UNKNOWN, too
 *	CR LF CR LF NUL CR LF "QUIT" LF 0x21 0x11 length ...	version 2: so many bytes follow
 */
#ifndef CORE_WIRE_PROXY_H
#define CORE_WIRE_PROXY_H

#include "types.h"

#define PROXY_TEXT_MAX	 107 /* bytes of version 1 */
#define PROXY_BINARY_MAX 536 /* and of version 2 */

/* All that is remembered between two bytes; all zero before the first. */
struct proxy {
	uint16_t value; /* how many bytes there have been, or are still to come; a number as far as it has been read */
	uint16_t field : 4;   /* where in the header: proxy.c */
	uint16_t digits : 3;  /* of the number */
	uint16_t numbers : 4; /* before it: octets of an IPv4 address, groups of an IPv6 one */
	uint16_t gap : 1;     /* the IPv6 address has its "::" */
	uint16_t colon : 1;   /* and the last byte was a colon; of an IPv4 address: it is a part of that */
};

enum proxy_step {
	PROXY_MORE,  /* go on */
	PROXY_OVER,  /* that was its last byte */
	PROXY_NOT,   /* this byte shows that it is no header: it, and what proxy_prefix() says came before, is a line */
	PROXY_WRONG, /* a header that is not as it has to be */
};

enum proxy_step proxy_read(struct proxy *proxy, uint8_t byte);

/* Has a byte been read? */
static inline bool proxy_begun(const struct proxy *proxy)
{
	return proxy->field != 0;
}

/* At PROXY_NOT: the bytes before this one, which might have begun a header. */
const uint8_t *proxy_prefix(const struct proxy *proxy, size_t *length);

/* May it stand in a state file? */
bool proxy_check(const struct proxy *proxy);

#endif
