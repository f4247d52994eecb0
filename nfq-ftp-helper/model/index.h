/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index - a hash table of links that are embedded in what they find; it grows with its content.
 *
 * The caller compares: the table knows hashes only. Links of equal hash come in the order in which they were
 * inserted.
 */
#ifndef MODEL_INDEX_H
#define MODEL_INDEX_H

#include "core/wire/tuple.h"

struct index_link {
	struct index_link *next;
	uint64_t hash;
};

struct index {
	struct index_link **buckets;
	size_t size; /* of buckets: a power of two, 0 while nothing has been inserted */
	size_t count;
};

/* What a link is embedded in; member is the link's name in it. */
// clang-format off
#define index_entry(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))
// clang-format on

/**
 * index_insert - add a link
 * @index: where to; all zero at first
 * @link: not in any index; the caller's
 * @hash: of its key
 *
 * Return: 0, or -ENOMEM.
 */
int index_insert(struct index *index, struct index_link *link, uint64_t hash);

/* Take out a link that is in @index. */
void index_remove(struct index *index, struct index_link *link);

/* The first link of this hash, and the one after @link; NULL when there is none. */
struct index_link *index_first(const struct index *index, uint64_t hash);
struct index_link *index_next(const struct index_link *link);

/* Each link; @act may take it out, and no other. */
void index_each(const struct index *index, void (*act)(void *context, struct index_link *link), void *context);

/* Forget all links; what they are embedded in is the caller's. */
void index_free(struct index *index);

/*
 * The hashes of two ends, and of two addresses whatever the ports: the same one way and the other. They have a seed, another one each time
 * the program runs: captures come from anybody, and nobody is to choose what collides.
 */
uint64_t index_hash_ends(const struct endpoint *one, const struct endpoint *other);
uint64_t index_hash_hosts(const struct tuple *tuple);

#endif
