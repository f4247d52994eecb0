// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat.h"

#include <errno.h>

int nat_add(struct nat *nat, const struct endpoint *inside, const struct endpoint *outside)
{
	if (inside->family != outside->family)
		return -EINVAL;
	for (unsigned int i = 0; i < nat->count; i++)
		if (endpoint_address_equal(&nat->mappings[i].address[MODEL_INSIDE], inside))
			return -EEXIST;
	if (nat->count == NAT_MAX)
		return -ENOMEM;
	nat->mappings[nat->count++] = (struct mapping){
		.address = { [MODEL_INSIDE] = *inside, [MODEL_OUTSIDE] = *outside },
	};
	return 0;
}

struct endpoint nat_map(const struct nat *nat, const struct endpoint *endpoint, enum model_view to)
{
	struct endpoint mapped = *endpoint;

	for (unsigned int i = 0; i < nat->count; i++) {
		const struct mapping *mapping = &nat->mappings[i];

		if (!endpoint_address_equal(&mapping->address[model_view_other(to)], endpoint))
			continue;
		memcpy(mapped.address, mapping->address[to].address, sizeof(mapped.address));
		break;
	}
	return mapped;
}
