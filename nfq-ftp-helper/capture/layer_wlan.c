// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IEEE 802.11: data frames that are not encrypted, and what drivers write before them.
 */
#include "core/wire/bytes.h"
#include "layer.h"

/* Of the frame control field: its first byte, */
#define TYPE_MASK    0x0c
#define TYPE_DATA    0x08
#define SUBTYPE_NULL 0x40 /* without data */
#define SUBTYPE_QOS  0x80

/* and its second. */
#define TO_DS	  0x01
#define FROM_DS	  0x02
#define PROTECTED 0x40
#define ORDER	  0x80 /* with QoS: an HT control field */

#define HEADER	     24u
#define FRAGMENT     0x0f
#define QOS_A_MSDU   0x80 /* several packets in one frame */
#define PRISM_HEADER 144u

static bool skip(struct layer_walk *walk, uint32_t bytes)
{
	return bytes == 0 || layer_take(walk, bytes);
}

enum layer layer_wlan(struct layer_walk *walk)
{
	const uint32_t begin = walk->at;
	const uint8_t *header = layer_take(walk, HEADER);
	const uint8_t *qos;

	if (!header || (header[0] & (TYPE_MASK | SUBTYPE_NULL)) != TYPE_DATA || (header[1] & PROTECTED) ||
	    (header[22] & FRAGMENT))
		return LAYER_NONE;
	if ((header[1] & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS) && !layer_take(walk, 6))
		return LAYER_NONE;
	if (header[0] & SUBTYPE_QOS) {
		qos = layer_take(walk, 2);
		if (!qos || (qos[0] & QOS_A_MSDU) || !skip(walk, header[1] & ORDER ? 4 : 0))
			return LAYER_NONE;
	}
	return skip(walk, walk->padded ? -(walk->at - begin) & 3 : 0) ? LAYER_LLC : LAYER_NONE;
}

/*
 * radiotap.org: version 0, pad, length; then words that say which fields there are, each with a bit for yet another word. The flags come
 * first, or behind a clock of eight bytes, aligned to eight.
 */
enum layer layer_radiotap(struct layer_walk *walk)
{
	enum { CLOCK = 1, FLAGS = 2, MORE = 0x80, PADDED = 0x20 };
	const uint8_t *header = walk->frame + walk->at;
	uint32_t length, at = 4;

	if (walk->end - walk->at < 8 || header[0] != 0)
		return LAYER_NONE;
	length = (uint32_t)(header[2] | header[3] << 8);
	if (length < 8 || !layer_take(walk, length))
		return LAYER_NONE;
	while (at + 4 <= length && (header[at + 3] & MORE))
		at += 4;
	at += 4;
	if (header[4] & CLOCK)
		at = ((at + 7) & ~7u) + 8;
	walk->padded = (header[4] & FLAGS) && at < length && (header[at] & PADDED);
	return LAYER_WLAN;
}

enum layer layer_prism(struct layer_walk *walk)
{
	return layer_take(walk, PRISM_HEADER) ? LAYER_WLAN : LAYER_NONE;
}

/* A cookie, then its own length; both big-endian. */
enum layer layer_avs(struct layer_walk *walk)
{
	const uint8_t *header = layer_take(walk, 8);
	uint32_t length;

	if (!header)
		return LAYER_NONE;
	length = bytes_get32(header + 4);
	return length >= 8 && skip(walk, length - 8) ? LAYER_WLAN : LAYER_NONE;
}
