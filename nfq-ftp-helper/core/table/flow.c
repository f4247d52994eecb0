// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow.h"

#include "siphash.h"

/* Any order will do, as long as it is one. */
static int address_order(const uint8_t a[16], const uint8_t b[16])
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return x[1] < y[1] ? -1 : x[1] > y[1];
}

void flow_key_of(struct flow_key *key, const struct tuple *ends, uint16_t zone)
{
	const int order = address_order(ends->src.address, ends->dst.address);
	const bool swapped = order > 0 || (order == 0 && ends->src.port > ends->dst.port);
	const struct endpoint *low = swapped ? &ends->dst : &ends->src;
	const struct endpoint *high = swapped ? &ends->src : &ends->dst;

	memcpy(key->low_address, low->address, 16);
	memcpy(key->high_address, high->address, 16);
	key->low_port = low->port;
	key->high_port = high->port;
	key->zone = zone;
	key->family = low->family;
	key->swapped = swapped;
}

uint32_t flow_hash(const struct flow_key *key, const uint64_t seed[2])
{
	uint64_t words[5];

	words[0] = (uint64_t)key->low_port << 48 | (uint64_t)key->high_port << 32 | (uint64_t)key->zone << 16 |
		   key->family;
	if (key->family == FAMILY_IPV4) {
		memcpy(words + 1, key->low_address, 4);
		memcpy((char *)(words + 1) + 4, key->high_address, 4);
		return siphash(seed, words, 2);
	}
	memcpy(words + 1, key->low_address, 16);
	memcpy(words + 3, key->high_address, 16);
	return siphash(seed, words, 5);
}

void flow_ends(const struct flow_key *key, struct endpoint *client, struct endpoint *server)
{
	struct endpoint *low = key->swapped ? server : client;
	struct endpoint *high = key->swapped ? client : server;

	memcpy(low->address, key->low_address, sizeof(low->address));
	memcpy(high->address, key->high_address, sizeof(high->address));
	low->port = key->low_port;
	high->port = key->high_port;
	low->family = high->family = key->family;
}
