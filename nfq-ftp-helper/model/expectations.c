// SPDX-License-Identifier: GPL-2.0-or-later
#include "expectations.h"

#include <stdlib.h>

/* From whatever port it comes. */
static uint64_t hash_expected(const struct tuple *tuple)
{
	struct endpoint src = tuple->src;

	src.port = 0;
	return index_hash_ends(&src, &tuple->dst);
}

static bool matches(const struct tuple *expected, const struct tuple *tuple)
{
	return endpoint_equal(&expected->dst, &tuple->dst) && endpoint_address_equal(&expected->src, &tuple->src);
}

static struct model_expected *find(const struct expectations *expectations, enum model_expected_as as,
				   const struct tuple *tuple, uint64_t hash)
{
	struct index_link *link = index_first(&expectations->index[as], hash);

	for (; link; link = index_next(link)) {
		/* The link is number "as" of an array. */
		struct model_expected *expected = index_entry(link - as, struct model_expected, link[0]);

		if (matches(&expected->as[as], tuple))
			return expected;
	}
	return NULL;
}

struct model_expected *expectations_find(const struct expectations *expectations, enum model_expected_as as,
					 const struct tuple *tuple)
{
	return find(expectations, as, tuple, hash_expected(tuple));
}

/* Nearly always it is the newest: only what is renewed for less than its whole time goes before others. */
static void line_up(struct expectations *expectations, struct model_expected *expected)
{
	struct model_expected *older = expectations->newest, *newer = NULL;

	for (; older && older->expires > expected->expires; older = older->older)
		newer = older;
	expected->newer = newer;
	expected->older = older;
	*(older ? &older->newer : &expectations->oldest) = expected;
	*(newer ? &newer->older : &expectations->newest) = expected;
}

static void step_out(struct expectations *expectations, const struct model_expected *expected)
{
	*(expected->older ? &expected->older->newer : &expectations->oldest) = expected->newer;
	*(expected->newer ? &expected->newer->older : &expectations->newest) = expected->older;
}

/* @hash: that of its first name, which another one may be again. */
static int insert(struct expectations *expectations, struct model_expected *expected, uint64_t hash)
{
	for (unsigned int as = 0; as < EXPECTED_AS; as++) {
		const bool same = matches(&expected->as[as], &expected->as[EXPECTED_CONNTRACK]);
		int error = index_insert(&expectations->index[as], &expected->link[as],
					 same ? hash : hash_expected(&expected->as[as]));

		if (!error)
			continue;
		while (as--)
			index_remove(&expectations->index[as], &expected->link[as]);
		return error;
	}
	line_up(expectations, expected);
	expectations->count++;
	return 0;
}

/* Memory for one: they come and go with every transfer. */
static struct model_expected *take(struct expectations *expectations)
{
	struct model_expected *expected = expectations->spare;

	if (!expected)
		return malloc(sizeof(*expected));
	expectations->spare = expected->newer;
	return expected;
}

static void put(struct expectations *expectations, struct model_expected *expected)
{
	expected->newer = expectations->spare;
	expectations->spare = expected;
}

int expectations_add(struct expectations *expectations, const void *master, const struct tuple as[EXPECTED_AS],
		     uint64_t expires)
{
	const uint64_t hash = hash_expected(&as[EXPECTED_CONNTRACK]);
	struct model_expected *expected = find(expectations, EXPECTED_CONNTRACK, &as[EXPECTED_CONNTRACK], hash);
	int error;

	if (expected && expected->master != master)
		return -EBUSY;
	if (expected)
		expectations_remove(expectations, expected);
	expected = take(expectations);
	if (!expected)
		return -ENOMEM;
	expected->master = master;
	expected->expires = expires;
	memcpy(expected->as, as, sizeof(expected->as));
	error = insert(expectations, expected, hash);
	if (error)
		put(expectations, expected);
	return error;
}

void expectations_renew(struct expectations *expectations, struct model_expected *expected, uint64_t expires)
{
	step_out(expectations, expected);
	expected->expires = expires;
	line_up(expectations, expected);
}

void expectations_remove(struct expectations *expectations, struct model_expected *expected)
{
	for (unsigned int as = 0; as < EXPECTED_AS; as++)
		index_remove(&expectations->index[as], &expected->link[as]);
	step_out(expectations, expected);
	expectations->count--;
	put(expectations, expected);
}

void expectations_remove_master(struct expectations *expectations, const void *master)
{
	struct model_expected *expected = expectations->oldest;

	while (expected) {
		struct model_expected *newer = expected->newer;

		if (expected->master == master)
			expectations_remove(expectations, expected);
		expected = newer;
	}
}

void expectations_expire(struct expectations *expectations, uint64_t now)
{
	while (expectations->oldest && expectations->oldest->expires <= now)
		expectations_remove(expectations, expectations->oldest);
}

void expectations_free(struct expectations *expectations)
{
	while (expectations->oldest)
		expectations_remove(expectations, expectations->oldest);
	while (expectations->spare)
		free(take(expectations));
	for (unsigned int as = 0; as < EXPECTED_AS; as++)
		index_free(&expectations->index[as]);
}
