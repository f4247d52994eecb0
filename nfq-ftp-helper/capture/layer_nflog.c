// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NFLOG: a header of four bytes that begins with the address family, then attributes as in netlink, in any order: length and type of two bytes
 * each in the byte order of whoever captured, the length without what pads it to four bytes. One is the packet; it begins with IP
 * where the family is IP's, else with what the Ethertype in another attribute says. Of each the first counts.
 */
#include "core/wire/bytes.h"
#include "layer.h"

#define FAMILY_INET	  2
#define FAMILY_INET6	  10
#define ATTRIBUTE_HEADER  4u
#define ATTRIBUTE_FLAGS	  0xc000u /* nested, byte order */
#define ATTRIBUTE_PACKET  1	  /* NFULA_PACKET_HDR: the Ethertype comes first in it */
#define ATTRIBUTE_PAYLOAD 9	  /* NFULA_PAYLOAD */

static uint16_t native16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/*
 * The next attribute: its length with the header, or 0 at the end of all, or where one claims less than a header or more than there is.
 * @step: the same with its padding, which may be missing behind the last.
 */
static uint32_t attribute(const struct layer_walk *walk, uint32_t at, uint16_t *type, uint32_t *step)
{
	const uint32_t left = walk->end - at;
	uint32_t length;

	if (left < ATTRIBUTE_HEADER)
		return 0;
	length = native16(walk->frame + at);
	*type = native16(walk->frame + at + 2) & (uint16_t)~ATTRIBUTE_FLAGS;
	*step = (length + 3) & ~3u;
	if (*step > left)
		*step = left;
	return length < ATTRIBUTE_HEADER ? 0 : length;
}

/* Its packet is the walk's from now on: nothing behind it is looked at, and where it has been cut off it ends with the frame. */
static bool enter_payload(struct layer_walk *walk, uint32_t at, uint32_t length)
{
	if (!layer_note_length(walk, at, at, true))
		return false;
	if (length < walk->end - at)
		walk->end = at + length;
	walk->at = at + ATTRIBUTE_HEADER;
	walk->place->alignment = 4;
	return true;
}

enum layer layer_nflog(struct layer_walk *walk)
{
	const uint8_t *header = layer_take(walk, 4);
	uint32_t step, length, payload = 0, payload_length = 0;
	uint16_t type;

	if (!header)
		return LAYER_NONE;
	for (uint32_t at = walk->at; (length = attribute(walk, at, &type, &step)); at += step) {
		if (type == ATTRIBUTE_PACKET && !walk->protocol && length >= ATTRIBUTE_HEADER + 2 &&
		    step >= ATTRIBUTE_HEADER + 2)
			walk->protocol = bytes_get16(walk->frame + at + ATTRIBUTE_HEADER);
		if (type != ATTRIBUTE_PAYLOAD || payload)
			continue;
		payload = at;
		payload_length = length;
	}
	if (!payload || !enter_payload(walk, payload, payload_length))
		return LAYER_NONE;
	return header[0] == FAMILY_INET || header[0] == FAMILY_INET6 ? LAYER_RAW : LAYER_ETHERTYPE;
}

/* Every length and type; what cannot be told apart stays. @frame is of a machine of the other byte order. */
void layer_nflog_exchange(uint8_t *frame, uint32_t captured)
{
	uint32_t at = 4;

	while (at < captured && captured - at >= ATTRIBUTE_HEADER) {
		uint8_t *header = frame + at;
		uint32_t length;

		for (unsigned int field = 0; field < ATTRIBUTE_HEADER; field += 2) {
			const uint8_t first = header[field];

			header[field] = header[field + 1];
			header[field + 1] = first;
		}
		length = native16(header);
		if (length < ATTRIBUTE_HEADER || length > captured - at)
			return;
		at += (length + 3) & ~3u;
	}
}
