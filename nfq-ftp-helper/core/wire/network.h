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

#endif
