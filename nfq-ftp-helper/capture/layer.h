/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layer - the headers that may stand before IP in a frame, a function each.
 *
 * A walk goes through the frame from layer to layer. layer_take() is the only way forward, and looks whether the bytes have been captured;
 * no layer comes to itself again, over whichever others, without taking some, so a walk ends with the frame at the latest.
 */
#ifndef CAPTURE_LAYER_H
#define CAPTURE_LAYER_H

#include "place.h"

enum layer {
	LAYER_NONE,	 /* no IP in here */
	LAYER_IP,	 /* here it is */
	LAYER_RAW,	 /* and nothing before it */
	LAYER_ETHERTYPE, /* walk->protocol says what follows */
	LAYER_ETHERNET,
	LAYER_VLAN,
	LAYER_LLC,
	LAYER_PPPOE,
	LAYER_PPP,
	LAYER_PPP_DIRECTION,
	LAYER_HDLC,
	LAYER_CISCO_HDLC,
	LAYER_MPLS,
	LAYER_COOKED,
	LAYER_COOKED2,
	LAYER_NFLOG,
	LAYER_LOOPBACK,
	LAYER_WLAN,
	LAYER_RADIOTAP,
	LAYER_PRISM,
	LAYER_AVS,
	LAYERS,
};

struct layer_walk {
	const uint8_t *frame;
	uint32_t at, end;
	uint16_t protocol; /* an Ethertype */
	bool padded;	   /* 802.11: the header has been padded to four bytes */
	struct frame_place *place;
};

/* The next bytes, and go on behind them; NULL where they have not been captured. */
static inline const uint8_t *layer_take(struct layer_walk *walk, uint32_t bytes)
{
	const uint8_t *taken = walk->frame + walk->at;

	if (walk->end - walk->at < bytes)
		return NULL;
	walk->at += bytes;
	return taken;
}

/* The next byte, without going on; -1 where it has not been captured. */
static inline int layer_peek(const struct layer_walk *walk)
{
	return walk->at < walk->end ? walk->frame[walk->at] : -1;
}

/* Return: false: there are too many, of which no frame that is none has any. */
static inline bool layer_note_length(struct layer_walk *walk, uint32_t at, uint32_t from, bool native)
{
	struct frame_place *place = walk->place;

	if (place->length_count == FRAME_LENGTHS_MAX)
		return false;
	place->lengths[place->length_count++] = (struct frame_length){ .at = at, .from = from, .native = native };
	return true;
}

/* Each takes its header and names what follows; LAYER_NONE: nothing in which there may be IP. By enum layer; NULL where a walk ends. */
extern enum layer (*const layers[LAYERS])(struct layer_walk *walk);

/* Files of their own have these. */
enum layer layer_nflog(struct layer_walk *walk);
void layer_nflog_exchange(uint8_t *frame, uint32_t captured);
enum layer layer_wlan(struct layer_walk *walk);
enum layer layer_radiotap(struct layer_walk *walk);
enum layer layer_prism(struct layer_walk *walk);
enum layer layer_avs(struct layer_walk *walk);

#endif
