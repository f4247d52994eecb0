// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat.h"

#include <errno.h>
#include <stdlib.h>

int nat_add(struct nat *nat, const struct endpoint *inside, const struct endpoint *outside)
{
	struct mapping *mappings;

	if (inside->family != outside->family)
		return -EINVAL;
	for (size_t i = 0; i < nat->count; i++)
		if (endpoint_address_equal(&nat->mappings[i].address[MODEL_INSIDE], inside))
			return -EEXIST;
	mappings = realloc(nat->mappings, (nat->count + 1) * sizeof(*mappings));
	if (!mappings)
		return -ENOMEM;
	nat->mappings = mappings;
	mappings[nat->count++] = (struct mapping){
		.address = { [MODEL_INSIDE] = *inside, [MODEL_OUTSIDE] = *outside },
	};
	return 0;
}

struct endpoint nat_map(const struct nat *nat, const struct endpoint *endpoint, enum model_view to)
{
	struct endpoint mapped = *endpoint;

	for (size_t i = 0; i < nat->count; i++) {
		const struct mapping *mapping = &nat->mappings[i];

		if (!endpoint_address_equal(&mapping->address[model_view_other(to)], endpoint))
			continue;
		memcpy(mapped.address, mapping->address[to].address, sizeof(mapped.address));
		break;
	}
	return mapped;
}

void nat_free(struct nat *nat)
{
	free(nat->mappings);
}
