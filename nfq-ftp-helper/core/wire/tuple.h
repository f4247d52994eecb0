/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tuple - one direction of a connection, by its two ends.
 */
#ifndef CORE_TUPLE_H
#define CORE_TUPLE_H

#include "direction.h"
#include "endpoint.h"

/* One direction of a connection, as conntrack has it. */
struct tuple {
	struct endpoint src;
	struct endpoint dst;
};

/* The same, seen from the other end. */
static inline struct tuple tuple_inverse(const struct tuple *tuple)
{
	return (struct tuple){ .src = tuple->dst, .dst = tuple->src };
}

/* Addresses, families and ports of both ends. */
static inline bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	return endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst);
}

#endif
