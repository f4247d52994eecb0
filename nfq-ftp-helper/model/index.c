// SPDX-License-Identifier: GPL-2.0-or-later
#include "index.h"

#include "core/table/flow.h"

#include <stdlib.h>
#include <sys/random.h>

#define SIZE_MIN 64

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

/* One for all indices of this program. Where the kernel gives none, finding things may take long, and that is all. */
static const uint64_t *seed(void)
{
	static uint64_t words[2];
	static bool drawn;

	if (!drawn && getrandom(words, sizeof(words), 0) < 0)
		memset(words, 0, sizeof(words));
	drawn = true;
	return words;
}

uint64_t index_hash_ends(const struct endpoint *one, const struct endpoint *other)
{
	struct flow_key key;

	flow_key_of(&key, one, other, 0);
	return flow_hash(&key, seed());
}

uint64_t index_hash_hosts(const struct tuple *tuple)
{
	struct tuple hosts = *tuple;

	hosts.src.port = hosts.dst.port = 0;
	return index_hash_ends(&hosts.src, &hosts.dst);
}
