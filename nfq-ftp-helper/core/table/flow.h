/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow - which connection a packet is of: its two ends and its zone, the same for both of its directions.
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "core/wire/tuple.h"

/* A flow, the same for both of its directions: the lower of the two endpoints first. */
struct flow_key {
	uint8_t low_address[16];
	uint8_t high_address[16];
	uint16_t low_port;
	uint16_t high_port;
	uint16_t zone;
	uint8_t family;
	uint8_t swapped; /* 1: the client (of a packet: the sender) is the high one. Not compared */
};

_Static_assert(offsetof(struct flow_key, low_port) == 32 && sizeof(struct flow_key) == 40, "flow_key_rest() is a word");

/* What is behind the addresses, in one word, but for the mark at the end. */
static inline uint64_t flow_key_rest(const struct flow_key *key)
{
	const uint64_t mark = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (uint64_t)0xff << 56 : 0xff;
	uint64_t rest;

	memcpy(&rest, (const char *)key + offsetof(struct flow_key, low_port), sizeof(rest));
	return rest & ~mark;
}

/* Everything but the mark at the end, which says who is the client. */
static inline bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[4], y[4];

	memcpy(x, a->low_address, 16);
	memcpy(x + 2, a->high_address, 16);
	memcpy(y, b->low_address, 16);
	memcpy(y + 2, b->high_address, 16);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0 &&
	       flow_key_rest(a) == flow_key_rest(b);
}

/* The key of a sender and a receiver; swapped says which is which. */
void flow_key_of(struct flow_key *key, const struct endpoint *src, const struct endpoint *dst, uint16_t zone);

/* The key's hash. It does not depend on who is the client. */
uint32_t flow_hash(const struct flow_key *key, const uint64_t seed[2]);

/* The two ends: client and server of a session's key, sender and receiver of a packet's. */
void flow_ends(const struct flow_key *key, struct endpoint *client, struct endpoint *server);

#endif
