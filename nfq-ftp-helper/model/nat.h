/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nat - a list of translated addresses: what an inside address looks like outside. These are the two places from which connections are seen.
 */
#ifndef MODEL_NAT_H
#define MODEL_NAT_H

#include "core/wire/endpoint.h"

enum model_view {
	MODEL_INSIDE,  /* as the engine sees addresses: before source and after destination NAT */
	MODEL_OUTSIDE, /* as the other side of the NAT sees them */
	MODEL_VIEWS,
};

static inline enum model_view model_view_other(enum model_view view)
{
	return view == MODEL_INSIDE ? MODEL_OUTSIDE : MODEL_INSIDE;
}

struct mapping {
	struct endpoint address[MODEL_VIEWS];
};

#define NAT_MAX 256

/* All zero at first. */
struct nat {
	unsigned int count;
	struct mapping mappings[NAT_MAX];
};

/* Return: 0; -ENOMEM: there are NAT_MAX already; -EINVAL: families differ; -EEXIST: @inside has been added already. */
int nat_add(struct nat *nat, const struct endpoint *inside, const struct endpoint *outside);

/* An endpoint of one view, in the other: the first mapping that fits decides. */
struct endpoint nat_map(const struct nat *nat, const struct endpoint *endpoint, enum model_view to);

#endif
