/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nat - a list of translated addresses: what an inside address looks like outside.
 */
#ifndef MODEL_NAT_H
#define MODEL_NAT_H

#include "core/wire/endpoint.h"
#include "view.h"

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
