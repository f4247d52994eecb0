// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow.h"

#include "siphash.h"

/* An address in two words: so it is in registers from here on. */
struct address {
	uint64_t word[2];
};

static struct address address_of(const struct endpoint *endpoint)
{
	struct address address;

	memcpy(address.word, endpoint->address, sizeof(address.word));
	return address;
}

/* Any order will do, as long as it is one. */
static int address_order(const struct address *a, const struct address *b)
{
	if (a->word[0] != b->word[0])
		return a->word[0] < b->word[0] ? -1 : 1;
	return a->word[1] < b->word[1] ? -1 : a->word[1] > b->word[1];
}

void flow_key_of(struct flow_key *key, const struct endpoint *src, const struct endpoint *dst, uint16_t zone)
{
	const struct address from = address_of(src), to = address_of(dst);
	const int order = address_order(&from, &to);
	const bool swapped = order > 0 || (order == 0 && src->port > dst->port);

	memcpy(key->low_address, swapped ? to.word : from.word, sizeof(key->low_address));
	memcpy(key->high_address, swapped ? from.word : to.word, sizeof(key->high_address));
	key->low_port = swapped ? dst->port : src->port;
	key->high_port = swapped ? src->port : dst->port;
	key->zone = zone;
	key->family = src->family;
	key->swapped = swapped;
}

uint32_t flow_hash(const struct flow_key *key, const uint64_t seed[2])
{
	uint64_t words[5];

	words[0] = flow_key_rest(key);
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
