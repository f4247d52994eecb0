// SPDX-License-Identifier: GPL-2.0-or-later
#include "network.h"

#include "text.h"

/* Of the octet at @index, the bits that are the network's. */
static uint8_t mask_of(const struct network *network, unsigned int index)
{
	const unsigned int before = 8 * index;

	if (network->bits <= before)
		return 0;
	return network->bits >= before + 8 ? 0xff : (uint8_t)(0xff00u >> (network->bits - before));
}

bool network_has(const struct network *network, const struct endpoint *endpoint)
{
	if (network->family != endpoint->family)
		return false;
	for (unsigned int i = 0; i < sizeof(network->address) && 8 * i < network->bits; i++)
		if ((network->address[i] ^ endpoint->address[i]) & mask_of(network, i))
			return false;
	return true;
}

bool network_trim(struct network *network)
{
	bool trimmed = false;

	for (unsigned int i = 0; i < sizeof(network->address); i++) {
		const uint8_t kept = network->address[i] & mask_of(network, i);

		trimmed |= kept != network->address[i];
		network->address[i] = kept;
	}
	return trimmed;
}

const char *network_print(const struct network *network, char text[NETWORK_PRINT_MAX])
{
	struct endpoint address = { .family = network->family };
	struct text_writer bits;

	memcpy(address.address, network->address, sizeof(address.address));
	endpoint_print_address(&address, text);
	if (network->bits == network_whole(network->family))
		return text;
	bits = (struct text_writer){ text + strlen(text), text + NETWORK_PRINT_MAX - 1, false };
	text_put(&bits, '/');
	text_put_number(&bits, network->bits);
	*bits.at = '\0';
	return text;
}
