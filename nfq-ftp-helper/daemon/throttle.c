// SPDX-License-Identifier: GPL-2.0-or-later
#include "throttle.h"

#include <string.h>

static struct endpoint client_of(const struct endpoint *endpoint)
{
	struct endpoint client = { .family = endpoint->family };

	memcpy(client.address, endpoint->address, endpoint_client_length(endpoint->family));
	return client;
}

/* Who finds clients that meet in one set finds that fewer lines are written. */
static unsigned int set_of(const struct endpoint *client, unsigned int reason)
{
	uint32_t hash = 2166136261u ^ reason;

	for (size_t i = 0; i < sizeof(client->address); i++)
		hash = (hash ^ client->address[i]) * 16777619u;
	return (hash ^ hash >> 16) % THROTTLE_SETS;
}

static bool is_of(const struct throttle_place *place, const struct endpoint *client, unsigned int reason)
{
	return place->client.family && place->reason == reason && endpoint_address_equal(&place->client, client);
}

/* The client's place, or a free one, or that of whoever came first. */
static struct throttle_place *place_of(struct throttle *throttle, const struct endpoint *client, unsigned int reason)
{
	struct throttle_place *set = throttle->places[set_of(client, reason)], *best = set;

	for (unsigned int i = 0; i < THROTTLE_WAYS; i++) {
		if (is_of(&set[i], client, reason))
			return &set[i];
		if (best->client.family && (!set[i].client.family || set[i].began < best->began))
			best = &set[i];
	}
	throttle->others += best->left_out;
	memset(best, 0, sizeof(*best));
	return best;
}

bool throttle_allows(struct throttle *throttle, const struct endpoint *endpoint, unsigned int reason, uint64_t now)
{
	const struct endpoint client = client_of(endpoint);
	struct throttle_place *place = place_of(throttle, &client, reason);

	if (!place->client.family) {
		place->client = client;
		place->reason = reason;
		place->began = now;
	}
	if (place->written == THROTTLE_LINES) {
		place->left_out++;
		return false;
	}
	place->written++;
	return true;
}

void throttle_tick(struct throttle *throttle, uint64_t now, void (*tell)(const struct throttle_place *place))
{
	struct throttle_place *places = throttle->places[0];
	const struct throttle_place others = { .left_out = throttle->others };

	for (unsigned int i = 0; i < THROTTLE_SETS * THROTTLE_WAYS; i++) {
		if (!places[i].client.family || now - places[i].began < THROTTLE_MILLISECONDS)
			continue;
		if (places[i].left_out)
			tell(&places[i]);
		memset(&places[i], 0, sizeof(places[i]));
	}
	if (now - throttle->settled < THROTTLE_MILLISECONDS)
		return;
	if (others.left_out)
		tell(&others);
	throttle->others = 0;
	throttle->settled = now;
}
