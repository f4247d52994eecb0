/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network - a range of addresses: those that begin with the same bits.
 */
#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include "endpoint.h"

struct network {
	uint8_t address[16]; /* as struct endpoint's; zero behind its bits */
	uint8_t family;	     /* FAMILY_IPV4 or FAMILY_IPV6 */
	uint8_t bits;	     /* at most 32, or 128 */
};

/* Is the endpoint's address one of this network's? */
bool network_has(const struct network *network, const struct endpoint *endpoint);

/* Set all bits of the address behind the network's own to zero. Return: whether one of them was set. */
bool network_trim(struct network *network);

/* Bits of a whole address of this family. */
static inline unsigned int network_whole(uint8_t family)
{
	return 8 * (unsigned int)endpoint_address_length(family);
}

/* Room for network_print(). */
#define NETWORK_PRINT_MAX (ENDPOINT_PRINT_MAX + 4)

/* "192.0.2.0/24", or its address alone where that is all of it. Return: @text, NUL-terminated. */
const char *network_print(const struct network *network, char text[NETWORK_PRINT_MAX]);

#endif
