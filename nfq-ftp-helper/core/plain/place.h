/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place - where the module keeps its edits. Connections that hash to the same bucket share its places. An edit that has not been acknowledged
 * needs its place, and keeps it for long where its connection has just gone; so a client gets another one while it needs fewer than are free, as
 * everywhere (part.h): else one that announces and resets, again and again, would have all of them. Freestanding.
 */
#ifndef CORE_PLAIN_PLACE_H
#define CORE_PLAIN_PLACE_H

#include "part.h"

#define PLACES	      4	    /* in a bucket */
#define PLACE_SECONDS 1200u /* nobody sends an edit again after that */

/* One edit's: the last of its connection. It stays when it has been acknowledged, until its place is needed. */
struct plain_place {
	const void *owner; /* the connection, never looked into; NULL: free */
	uint32_t client;   /* whose connection it is */
	uint32_t since;	   /* seconds */
	bool acknowledged;
};

static inline struct plain_place *plain_place_of(struct plain_place places[PLACES], const void *owner)
{
	for (unsigned int i = 0; i < PLACES; i++)
		if (places[i].owner == owner)
			return &places[i];
	return NULL;
}

static inline bool plain_place_is_needed(const struct plain_place *place, uint32_t now)
{
	return place->owner && !place->acknowledged && now - place->since <= PLACE_SECONDS;
}

/* What is needed of a bucket's places: by this client, and by all. */
static inline struct part plain_place_part(const struct plain_place places[PLACES], uint32_t client, uint32_t now)
{
	struct part part = { 0, 0 };

	for (unsigned int i = 0; i < PLACES; i++) {
		if (!plain_place_is_needed(&places[i], now))
			continue;
		part.all++;
		part.mine += places[i].client == client;
	}
	return part;
}

/* The connection's own, a free one, or one that nobody needs, in this order. NULL: there is none for this client. */
static inline struct plain_place *plain_place_for(struct plain_place places[PLACES], const void *owner, uint32_t client,
						  uint32_t now)
{
	const struct part part = plain_place_part(places, client, now);
	struct plain_place *found = plain_place_of(places, owner);

	if (found || !part_fits(&part, PLACES))
		return found;
	found = plain_place_of(places, NULL);
	for (unsigned int i = 0; !found && i < PLACES; i++)
		if (!plain_place_is_needed(&places[i], now))
			found = &places[i];
	return found;
}

#endif
