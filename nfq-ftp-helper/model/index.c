// SPDX-License-Identifier: GPL-2.0-or-later
#include "index.h"

#include <stdlib.h>

#define SIZE_MIN 64

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93u;
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93u;
	return value ^ value >> 32;
}

static void append(void *context, struct index_link *link)
{
	const struct index *index = context;
	struct index_link **at = &index->buckets[link->hash & (index->size - 1)];

	while (*at)
		at = &(*at)->next;
	link->next = NULL;
	*at = link;
}

static int grow(struct index *index)
{
	struct index larger = { .size = index->size ? index->size * 2 : SIZE_MIN, .count = index->count };

	larger.buckets = calloc(larger.size, sizeof(struct index_link *));
	if (!larger.buckets)
		return -ENOMEM;
	index_each(index, append, &larger);
	free(index->buckets);
	*index = larger;
	return 0;
}

int index_insert(struct index *index, struct index_link *link, uint64_t hash)
{
	if (index->count >= index->size) {
		int error = grow(index);

		if (error)
			return error;
	}
	link->hash = hash;
	append(index, link);
	index->count++;
	return 0;
}

void index_remove(struct index *index, struct index_link *link)
{
	struct index_link **at = &index->buckets[link->hash & (index->size - 1)];

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	index->count--;
}

static struct index_link *skip_others(struct index_link *link, uint64_t hash)
{
	while (link && link->hash != hash)
		link = link->next;
	return link;
}

struct index_link *index_first(const struct index *index, uint64_t hash)
{
	if (index->size == 0)
		return NULL;
	return skip_others(index->buckets[hash & (index->size - 1)], hash);
}

struct index_link *index_next(const struct index_link *link)
{
	return skip_others(link->next, link->hash);
}

void index_each(const struct index *index, void (*act)(void *context, struct index_link *link), void *context)
{
	for (size_t i = 0; i < index->size; i++) {
		struct index_link *link = index->buckets[i];

		while (link) {
			struct index_link *next = link->next;

			act(context, link);
			link = next;
		}
	}
}

void index_free(struct index *index)
{
	free(index->buckets);
	*index = (struct index){ 0 };
}

uint64_t index_hash_address(const struct endpoint *endpoint)
{
	uint64_t words[2];

	memcpy(words, endpoint->address, sizeof(words));
	return mix(words[0] + mix(words[1] + endpoint->family));
}

uint64_t index_hash_endpoint(const struct endpoint *endpoint)
{
	return mix(index_hash_address(endpoint) + endpoint->port);
}
