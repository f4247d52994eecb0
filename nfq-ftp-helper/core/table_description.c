// SPDX-License-Identifier: GPL-2.0-or-later
#include "table_layout.h"

/* ---- this program's own layout ---- */

/* The bits in which something differs from zeroes: at most four bytes, and the first and last of them are among these. */
static struct field differing(const void *probe, size_t size)
{
	const uint8_t *bytes = probe;
	struct field field = { 0 };
	size_t first = 0, last = size;
	uint32_t four = 0;
	uint16_t two = 0;

	while (first < size && !bytes[first])
		first++;
	while (last > first && !bytes[last - 1])
		last--;
	field.offset = (uint16_t)first;
	field.bytes = last - first > 2 ? 4 : (uint16_t)(last - first);
	if (field.bytes == 4) {
		memcpy(&four, bytes + first, 4);
		field.mask = four;
	} else if (field.bytes == 2) {
		memcpy(&two, bytes + first, 2);
		field.mask = two;
	} else {
		field.mask = bytes[first];
	}
	return field;
}

#define NUMBER(to, type, member) \
	((to) = (struct field){ offsetof(type, member), sizeof(((type *)0)->member), all_bits(sizeof(((type *)0)->member)) })

#define FLAG(to, type, member, flag) \
	((to) = (struct field){ offsetof(type, member), sizeof(((type *)0)->member), flag })

#define TEXT(to, type, member) \
	((to) = (struct field){ offsetof(type, member), sizeof(((type *)0)->member), 0 })

/* A bit-field has no address: it is found by what it changes. One less than 0 are all of its bits. */
#define BIT_FIELD(to, type, member)				\
	do {							\
		type probe;					\
								\
		memset(&probe, 0, sizeof(probe));		\
		probe.member--;					\
		(to) = differing(&probe, sizeof(probe));	\
	} while (0)

static uint32_t all_bits(size_t bytes)
{
	return bytes == 4 ? UINT32_MAX : (1u << 8 * bytes) - 1;
}

static void describe_stream(struct described_stream *stream, int d)
{
	NUMBER(stream->next, struct session, stream[d].next);
	NUMBER(stream->acked, struct session, stream[d].acked);
	NUMBER(stream->pos, struct session, stream[d].adj.pos);
	NUMBER(stream->before, struct session, stream[d].adj.before);
	NUMBER(stream->after, struct session, stream[d].adj.after);
	NUMBER(stream->mss, struct session, stream[d].mss);
	BIT_FIELD(stream->line, struct session, stream[d].line.phase);
	FLAG(stream->unsynced, struct session, stream[d].flags, STREAM_UNSYNCED);
	FLAG(stream->fin, struct session, stream[d].flags, STREAM_FIN);
	FLAG(stream->edited, struct session, stream[d].flags, STREAM_EDITED);
	FLAG(stream->held, struct session, stream[d].flags, STREAM_HELD);
	FLAG(stream->in_flight, struct session, stream[d].flags, STREAM_IN_FLIGHT);
	NUMBER(stream->scale, struct session, stream[d].scale);
}

static void describe_session(struct described_session *session)
{
	TEXT(session->low_address, struct session, key.low_address);
	TEXT(session->high_address, struct session, key.high_address);
	NUMBER(session->low_port, struct session, key.low_port);
	NUMBER(session->high_port, struct session, key.high_port);
	NUMBER(session->zone, struct session, key.zone);
	NUMBER(session->family, struct session, key.family);
	NUMBER(session->swapped, struct session, key.swapped);
	NUMBER(session->state, struct session, state);
	FLAG(session->self, struct session, flags, SESSION_SELF);
	NUMBER(session->last_seen, struct session, last_seen);
	NUMBER(session->work, struct session, work);
	NUMBER(session->conntrack_id, struct session, conntrack_id);
	NUMBER(session->logged_in, struct session, logged_in);
	for (int d = 0; d < 2; d++)
		describe_stream(&session->stream[d], d);
}

static void describe_edit(struct described_edit *edit, struct described_held *held, int d)
{
	NUMBER(edit->start, struct work, edit[d].start);
	NUMBER(edit->old_length, struct work, edit[d].old_length);
	NUMBER(edit->new_length, struct work, edit[d].new_length);
	NUMBER(edit->kind, struct work, edit[d].kind);
	TEXT(edit->text, struct work, edit[d].text);
	NUMBER(held->start, struct work, held[d].start);
	NUMBER(held->length, struct work, held[d].length);
	NUMBER(held->copied, struct work, held[d].copied);
	TEXT(held->bytes, struct work, held[d].bytes);
}

void table_description_own(struct table_description *description)
{
	memset(description, 0, sizeof(*description));
	description->magic = TABLE_MAGIC;
	description->version = TABLE_LAYOUT;
	description->bytes = sizeof(*description);
	description->sessions.stride = sizeof(struct session);
	description->works.stride = sizeof(struct work);
	description->undo_slot = offsetof(struct table, undo.slot);
	description->undo_work = offsetof(struct table, undo.work);
	description->undo_session = offsetof(struct table, undo.session);
	description->undo_work_copy = offsetof(struct table, undo.work_copy);
	description->fate[SESSION_GREETING] = FATE_READ;
	description->fate[SESSION_MIDDLE] = FATE_READ;
	description->fate[SESSION_EXCHANGE] = FATE_READ;
	description->fate[SESSION_READY] = FATE_READ;
	description->fate[SESSION_OPAQUE] = FATE_OPAQUE;
	description->fate[SESSION_CLOSED] = FATE_CLOSED;
	describe_session(&description->session);
	NUMBER(description->work.owner, struct work, owner);
	for (int d = 0; d < 2; d++)
		describe_edit(&description->work.edit[d], &description->work.held[d], d);
}

bool table_description_is_own(const struct table_description *description)
{
	struct table_description own;

	table_description_own(&own);
	own.sessions.offset = description->sessions.offset;
	own.sessions.count = description->sessions.count;
	own.works.offset = description->works.offset;
	own.works.count = description->works.count;
	return memcmp(description, &own, sizeof(own)) == 0;
}

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
#define BYTES_1_WORK 1176
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
	    !fields_fit(&d->work, sizeof(d->work), d->works.stride) ||
	    !fits(d->undo_slot, 4, bytes) || !fits(d->undo_work, 4, bytes) ||
	    !fits(d->undo_session, d->sessions.stride, bytes) || !fits(d->undo_work_copy, d->works.stride, bytes))
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
	if (words[1] == 2 || words[1] == 3)	/* not every one of these had a description, and none was released */
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
