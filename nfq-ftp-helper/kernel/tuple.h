/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tuple - what netlink's messages and core's tuples have in common: families, addresses' lengths, the two ways to look.
 */
#ifndef KERNEL_TUPLE_H
#define KERNEL_TUPLE_H

#include "core/conntrack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Bytes of an address, which come first in struct endpoint. */
static inline size_t family_address_length(uint8_t family)
{
	return family == FAMILY_IPV4 ? 4 : 16;
}

/* AF_INET or AF_INET6. */
static inline uint8_t family_number(uint8_t family)
{
	return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

static inline struct tuple tuple_inverse(const struct tuple *tuple)
{
	return (struct tuple){ .src = tuple->dst, .dst = tuple->src };
}

static inline bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	return endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst);
}

#endif
