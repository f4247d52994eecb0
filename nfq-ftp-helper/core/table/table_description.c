// SPDX-License-Identifier: GPL-2.0-or-later
#include "table_description.h"

/* ---- layout 1, which had no description ---- */

struct header_1 {
	uint32_t magic, version;
	uint32_t session_bytes, work_bytes;
	uint32_t sessions, works, budgets;
	uint32_t budget_mask, slot_mask;
	uint64_t seed[2];
	uint32_t works_used, work_free, session_count, work_count, undone, reclaim;
	uint64_t slot_offset, work_offset, budget_offset;
	uint32_t undo_slot, undo_work;
};

#define BYTES_1_SESSION 128
#define BYTES_1_WORK	1176
// clang-format off
#define BITS8(at, bits) { at, 1, bits }
#define BITS16(at) { at, 2, UINT16_MAX }
#define BITS32(at) { at, 4, UINT32_MAX }
#define STREAM_1(at) { \
	.next = BITS32(at), .acked = BITS32((at) + 4), .pos = BITS32((at) + 8), .before = BITS32((at) + 12), \
	.after = BITS32((at) + 16), .mss = BITS16((at) + 26), .line = BITS8((at) + 20, 0x07), .unsynced = BITS8((at) + 31, 0x01), \
	.fin = BITS8((at) + 31, 0x02), .edited = BITS8((at) + 31, 0x04), .held = BITS8((at) + 31, 0x08), \
	.in_flight = BITS8((at) + 31, 0x10) }
#define EDIT_1(at) { \
	.start = BITS32(at), .old_length = BITS16((at) + 4), .new_length = BITS16((at) + 6), .kind = BITS8((at) + 8, 0xff), \
	.text = { (at) + 9, 207, 0 } }
#define HELD_1(at) { \
	.start = BITS32(at), .length = BITS16((at) + 4), .copied = BITS8((at) + 7, 0xff), .bytes = { (at) + 9, 128, 0 } }
// clang-format on

static const struct table_description layout_1 = {
	.magic = TABLE_MAGIC,
	.version = 1,
	.bytes = sizeof(struct table_description),
	.sessions.stride = BYTES_1_SESSION,
	.works.stride = BYTES_1_WORK,
	.undo_slot = 104,
	.undo_work = 108,
	.undo_session = 112,
	.undo_work_copy = 240,
	/* free, handshake, greeting, middle, exchange, ready, opaque, closed */
	.fate = { FATE_NOTHING, FATE_NOTHING, FATE_READ, FATE_READ, FATE_READ, FATE_READ, FATE_OPAQUE, FATE_CLOSED },
	.session = {
		.low_address = { 0, 16, 0 }, .high_address = { 16, 16, 0 },
		.low_port = BITS16(32), .high_port = BITS16(34), .zone = BITS16(36),
		.family = BITS8(38, 0xff), .swapped = BITS8(39, 0xff),
		.state = BITS8(125, 0x0f), .self = BITS8(125, 0x10),
		.last_seen = BITS32(52), .work = BITS32(48),
		.stream = { STREAM_1(56), STREAM_1(88) },
	},
	.work = {
		.owner = BITS32(0),
		.edit = { EDIT_1(172), EDIT_1(388) },
		.held = { HELD_1(604), HELD_1(744) },
	},
};

/* Its bit-fields and its alignment are those of little-endian machines of 64 bits; of others, nothing is known here. */
static enum table_left read_1(const uint8_t *left, size_t bytes, struct table_description *description)
{
	struct header_1 header;

	if (bytes < sizeof(header))
		return TABLE_CUT_SHORT;
	memcpy(&header, left, sizeof(header));
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || header.session_bytes != BYTES_1_SESSION ||
	    header.work_bytes != BYTES_1_WORK)
		return TABLE_STRANGE;
	*description = layout_1;
	description->sessions.offset = header.slot_offset;
	description->sessions.count = header.sessions;
	description->works.offset = header.work_offset;
	description->works.count = header.works_used < header.works ? header.works_used : header.works;
	return TABLE_TAKEN_UP;
}

/* ---- any ---- */

/* Its own size says how much of it there is; more than is known here is not looked at. */
static enum table_left read_later(const uint8_t *left, size_t bytes, struct table_description *description)
{
	const size_t fixed = offsetof(struct table_description, sessions);
	size_t length;

	memset(description, 0, sizeof(*description));
	memcpy(description, left, fixed);
	length = description->bytes < sizeof(*description) ? description->bytes : sizeof(*description);
	if (length < fixed)
		return TABLE_STRANGE;
	if (length > bytes)
		return TABLE_CUT_SHORT;
	memcpy(description, left, length);
	return TABLE_TAKEN_UP;
}

static bool fits(uint64_t offset, uint64_t length, size_t bytes)
{
	return offset <= bytes && length <= bytes - offset;
}

static enum table_left slots_fit(const struct described_slots *slots, size_t bytes)
{
	if (slots->count && !slots->stride)
		return TABLE_STRANGE;
	return fits(slots->offset, (uint64_t)slots->count * slots->stride, bytes) ? TABLE_TAKEN_UP : TABLE_CUT_SHORT;
}

/* A number's bytes are 1, 2 or 4, and its mask's bits among them. */
static bool field_fits(const struct field *field, uint32_t stride)
{
	if (!fits(field->offset, field->bytes, stride))
		return false;
	if (!field->mask || !field->bytes)
		return true;
	return field->bytes == 4 || (field->bytes <= 2 && field->mask >> 8 * field->bytes == 0);
}

/* Descriptions consist of fields and nothing else. */
static bool fields_fit(const void *fields, size_t size, uint32_t stride)
{
	for (size_t at = 0; at < size; at += sizeof(struct field)) {
		struct field field;

		memcpy(&field, (const uint8_t *)fields + at, sizeof(field));
		if (!field_fits(&field, stride))
			return false;
	}
	return true;
}

static enum table_left description_fits(const struct table_description *d, size_t bytes)
{
	enum table_left left = slots_fit(&d->sessions, bytes);

	if (left == TABLE_TAKEN_UP)
		left = slots_fit(&d->works, bytes);
	if (left != TABLE_TAKEN_UP)
		return left;
	if (!fields_fit(&d->session, sizeof(d->session), d->sessions.stride) ||
	    !fields_fit(&d->work, sizeof(d->work), d->works.stride) || !fits(d->undo_slot, 4, bytes) ||
	    !fits(d->undo_work, 4, bytes) || !fits(d->undo_session, d->sessions.stride, bytes) ||
	    !fits(d->undo_work_copy, d->works.stride, bytes))
		return TABLE_STRANGE;
	return TABLE_TAKEN_UP;
}

enum table_left table_description_read(const uint8_t *left, size_t bytes, struct table_description *description)
{
	uint32_t words[2] = { 0 };
	enum table_left result;

	memcpy(words, left, bytes < sizeof(words) ? bytes : sizeof(words));
	if (words[0] != TABLE_MAGIC)
		return bytes < sizeof(words) ? TABLE_CUT_SHORT : TABLE_STRANGE;
	if (bytes < offsetof(struct table_description, sessions))
		return TABLE_CUT_SHORT;
	if (words[1] == 2 || words[1] == 3) /* not every one of these had a description, and none was released */
		return TABLE_STRANGE;
	result = words[1] == 1 ? read_1(left, bytes, description) : read_later(left, bytes, description);
	return result == TABLE_TAKEN_UP ? description_fits(description, bytes) : result;
}

uint32_t field_number(const struct field *field, const uint8_t *slot)
{
	uint32_t value = 0;
	uint16_t two;

	if (!field->bytes || !field->mask)
		return 0;
	if (field->bytes == 4) {
		memcpy(&value, slot + field->offset, 4);
	} else if (field->bytes == 2) {
		memcpy(&two, slot + field->offset, 2);
		value = two;
	} else {
		value = slot[field->offset];
	}
	return (value & field->mask) >> __builtin_ctz(field->mask);
}

bool field_text(const struct field *field, const uint8_t *slot, void *text, size_t length)
{
	if (length > field->bytes)
		return false;
	memcpy(text, slot + field->offset, length);
	return true;
}
