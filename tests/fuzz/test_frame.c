// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A frame of any bytes, of each link type: what is read of it lies within it; the packet that is found does, too; one that is put in its
 * place is found again there, with all lengths right, unless the headers before it cannot say its length. Where numbers
 * have another byte order, they alone are exchanged.
 */
#include "capture/frame.h"
#include "fuzz.h"

static uint8_t *copy_of(const uint8_t *bytes, size_t length, size_t room)
{
	uint8_t *copy = malloc(room ? room : 1);

	MUST(copy && length <= room);
	memcpy(copy, bytes, length);
	return copy;
}

static void check_place(const struct frame_place *place, uint32_t captured)
{
	MUST(place->ip <= place->end && place->end <= captured);
	MUST(place->alignment == 1 || place->alignment == 4);
	MUST(place->length_count <= FRAME_LENGTHS_MAX);
	for (uint32_t i = 0; i < place->length_count; i++)
		MUST(place->lengths[i].at + 2 <= place->ip && place->lengths[i].from <= place->ip);
}

/* IPv4's first nibble, so that MPLS goes on to it; where the frame goes on behind the packet, that is cut off. */
static void put_another(const struct link_type *type, const uint8_t *frame, const struct frame_place *place,
			uint32_t length)
{
	uint8_t *other = copy_of(frame, place->ip, place->ip + length);
	struct frame_place again;

	memset(other + place->ip, 0x45, length);
	if (frame_set_length(other, place, length) && frame_find_ip(type, other, place->ip + length, &again) &&
	    again.length_count == place->length_count)
		MUST(again.ip == place->ip && again.end == place->ip + length);
	free(other);
}

static void look(const struct link_type *type, const uint8_t *data, size_t size, uint32_t length)
{
	uint8_t *frame = copy_of(data, size, size);
	struct frame_place place;

	if (frame_find_ip(type, frame, (uint32_t)size, &place)) {
		check_place(&place, (uint32_t)size);
		put_another(type, frame, &place, length);
	}
	MUST(memcmp(frame, data, size) == 0);
	free(frame);
}

/* The header's own four bytes have one byte order everywhere; and no byte is lost. */
static void exchange(const struct link_type *type, const uint8_t *data, size_t size)
{
	uint8_t *frame = copy_of(data, size, size);
	uint32_t before = 0, after = 0;

	type->exchange(frame, (uint32_t)size);
	MUST(memcmp(frame, data, size < 4 ? size : 4) == 0);
	for (size_t i = 0; i < size; i++) {
		before += data[i];
		after += frame[i];
	}
	MUST(before == after);
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct link_type *type;
	uint32_t length;

	if (size < 2)
		return 0;
	type = link_type_find(data[0] == 255 ? 276 : data[0]);
	length = data[1] + 1u;
	if (!type)
		return 0;
	look(type, data + 2, size - 2, length);
	if (type->exchange)
		exchange(type, data + 2, size - 2);
	return 0;
}
