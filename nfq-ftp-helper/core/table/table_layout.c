// SPDX-License-Identifier: GPL-2.0-or-later
#include "table_layout.h"

/* The bits in which something differs from zeroes: at most four bytes, and the first and last of them are among these. */
static struct field differing(const void *probe, size_t size)
{
	const uint8_t *bytes = probe;
	struct field field = { 0 };
	size_t first = 0, last;
	uint64_t eight = 0;
	uint32_t four = 0;
	uint16_t two = 0;

	/* Most of it are zeroes: they are passed over eight at a time. */
	for (; first + sizeof(eight) <= size; first += sizeof(eight)) {
		memcpy(&eight, bytes + first, sizeof(eight));
		if (eight)
			break;
	}
	while (first < size && !bytes[first])
		first++;
	last = first + 4 < size ? first + 4 : size;
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

#define NUMBER(to, type, member)                                                                                       \
	((to) = (struct field){ offsetof(type, member), sizeof(((type *)0)->member),                                   \
				all_bits(sizeof(((type *)0)->member)) })

#define TEXT(to, type, member) ((to) = (struct field){ offsetof(type, member), sizeof(((type *)0)->member), 0 })

/* A bit-field has no address: it is found by what it changes. One less than 0 are all of its bits. */
#define BIT_FIELD(to, type, member)                                                                                    \
	do {                                                                                                           \
		type probe;                                                                                            \
                                                                                                                       \
		memset(&probe, 0, sizeof(probe));                                                                      \
		probe.member -= 1;                                                                                     \
		(to) = differing(&probe, sizeof(probe));                                                               \
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
	BIT_FIELD(stream->unsynced, struct session, stream[d].unsynced);
	BIT_FIELD(stream->fin, struct session, stream[d].fin);
	BIT_FIELD(stream->edited, struct session, stream[d].edited);
	BIT_FIELD(stream->held, struct session, stream[d].held);
	BIT_FIELD(stream->in_flight, struct session, stream[d].in_flight);
	BIT_FIELD(stream->scale, struct session, stream[d].scale);
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
	BIT_FIELD(session->self, struct session, self);
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

void table_layout_describe(struct table_description *description)
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
	description->fate[SESSION_TLS] = FATE_OPAQUE;
	description->fate[SESSION_OPAQUE] = FATE_OPAQUE;
	description->fate[SESSION_CLOSED] = FATE_CLOSED;
	describe_session(&description->session);
	NUMBER(description->work.owner, struct work, owner);
	for (int d = 0; d < 2; d++)
		describe_edit(&description->work.edit[d], &description->work.held[d], d);
}

bool table_layout_is_own(const struct table_description *description)
{
	struct table_description own;

	table_layout_describe(&own);
	own.sessions.offset = description->sessions.offset;
	own.sessions.count = description->sessions.count;
	own.works.offset = description->works.offset;
	own.works.count = description->works.count;
	return memcmp(description, &own, sizeof(own)) == 0;
}
