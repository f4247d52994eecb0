/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * siphash - SipHash-1-3 (Aumasson and Bernstein, 2012) of a fixed number of words: where what is hashed comes from the network, nobody who
 * does not know the seed can choose what collides.
 */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include "core/wire/types.h"

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

static inline void siphash_round(struct siphash *h)
{
	h->v0 += h->v1;
	h->v1 = siphash_rotate(h->v1, 13) ^ h->v0;
	h->v0 = siphash_rotate(h->v0, 32);
	h->v2 += h->v3;
	h->v3 = siphash_rotate(h->v3, 16) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = siphash_rotate(h->v3, 21) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = siphash_rotate(h->v1, 17) ^ h->v2;
	h->v2 = siphash_rotate(h->v2, 32);
}

/* SipHash-1-3 of a fixed number of words. */
static inline uint32_t siphash(const uint64_t seed[2], const uint64_t *words, size_t count)
{
	struct siphash h = { seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
			     seed[1] ^ 0x7465646279746573 };

	for (size_t i = 0; i < count; i++) {
		h.v3 ^= words[i];
		siphash_round(&h);
		h.v0 ^= words[i];
	}
	h.v2 ^= 0xff;
	siphash_round(&h);
	siphash_round(&h);
	siphash_round(&h);
	return (uint32_t)(h.v0 ^ h.v1 ^ h.v2 ^ h.v3);
}

#endif
