/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nat - the model's list of translated addresses: what an inside address looks like outside.
 */
#ifndef MODEL_NAT_H
#define MODEL_NAT_H

#include "core/wire/endpoint.h"
#include "view.h"

struct mapping {
	struct endpoint address[MODEL_VIEWS];
};

/* All zero at first. */
struct nat {
	struct mapping *mappings;
	size_t count;
};

/* As model_add_nat(). */
int nat_add(struct nat *nat, const struct endpoint *inside, const struct endpoint *outside);

/* An endpoint of one view, in the other: the first mapping that fits decides. */
struct endpoint nat_map(const struct nat *nat, const struct endpoint *endpoint, enum model_view to);

void nat_free(struct nat *nat);

#endif
