/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table_description - what a table says about itself, so that another version of this program can take up its connections.
 *
 * Theory of operation. Sessions and work slots change from version to version, and a daemon that is replaced by a newer one leaves
 * connections behind that must go on: those whose sequence numbers are moved, above all. So a table begins with this description,
 * which says where in a slot the few things stand without which a connection cannot go on: whose it is, what it has been moved by,
 * what is in flight, how far its bytes have been read. All else (how far the dialogue has got) may be lost.
 *
 * This is fixed for ever. Nothing here may change its place or its meaning; what is added is added at the end, and is zero (not
 * there) in tables of versions that did not know it. Numbers are in the machine's own byte order: a table never leaves it. Tables of
 * layout 1 had no description; for them there is one in table_description.c.
 *
 * Internal to core.
 */
#ifndef CORE_TABLE_DESCRIPTION_H
#define CORE_TABLE_DESCRIPTION_H

#include "table.h"

#define TABLE_MAGIC 0x4e465146 /* "NFQF" */

/*
 * Where in a slot something stands. A number: 1, 2 or 4 bytes of which the mask's bits are its own, the lowest being the number's
 * lowest. A text: so many bytes, and no mask. No bytes: it is not there, and reads as 0.
 */
struct field {
	uint16_t offset;
	uint16_t bytes;
	uint32_t mask;
};

struct described_stream {
	struct field next; /* as in struct stream, and so on below */
	struct field acked;
	struct field pos; /* the sequence adjustment */
	struct field before;
	struct field after;
	struct field mss;
	struct field line;     /* 0: next is the first byte of a line */
	struct field unsynced; /* flags: not 0 where they are set */
	struct field fin;
	struct field edited;
	struct field held;
	struct field in_flight;
	struct field scale; /* not there: it is not known, and may be any */
};

struct described_session {
	struct field low_address; /* texts of 16 bytes */
	struct field high_address;
	struct field low_port;
	struct field high_port;
	struct field zone;
	struct field family; /* 4 or 6 */
	struct field swapped;
	struct field state; /* its meaning: fate[] */
	struct field self;  /* not 0: we renumber it */
	struct field last_seen;
	struct field work; /* index of its work slot, 0: none */
	struct field conntrack_id;
	struct field logged_in;
	struct described_stream stream[2];
};

struct described_edit {
	struct field start;
	struct field old_length;
	struct field new_length;
	struct field kind; /* 0 replaced, 1 swallowed, 2 owed */
	struct field text;
};

struct described_held {
	struct field start;
	struct field length;
	struct field copied;
	struct field bytes;
};

struct described_work {
	struct field owner;	       /* index of its session */
	struct described_edit edit[2]; /* in use where in_flight */
	struct described_held held[2]; /* in use where held */
};

/* Slots are numbered from 1; the first begins at offset. */
struct described_slots {
	uint64_t offset;
	uint32_t count;
	uint32_t stride; /* bytes from one to the next */
};

/* What becomes of a session in this state. */
enum fate {
	FATE_NOTHING, /* there is none, or none that has to go on */
	FATE_READ,    /* its lines are read: it is picked up in the middle */
	FATE_OPAQUE,  /* they are not read any more */
	FATE_CLOSED,  /* it has ended */
};

#define FATES 32

struct table_description {
	uint32_t magic;
	uint32_t version; /* of the layout */
	uint32_t bytes;	  /* of this description */
	uint32_t reserved;
	struct described_slots sessions;
	struct described_slots works;
	uint32_t undo_slot;    /* offsets in the table: number of the session that a packet was changing, 0: none */
	uint32_t undo_work;    /* and of its work slot, 0: none */
	uint32_t undo_session; /* as they were before that */
	uint32_t undo_work_copy;
	uint8_t fate[FATES]; /* enum fate, by state */
	struct described_session session;
	struct described_work work;
};

/**
 * table_description_read - what is this?
 * @left: a table that somebody left
 * @bytes: its size
 * @description: filled in; when this returns TABLE_TAKEN_UP, every slot and every field that it describes lies inside
 */
enum table_left table_description_read(const uint8_t *left, size_t bytes, struct table_description *description);

/* The field's number, of the slot that begins at @slot. */
uint32_t field_number(const struct field *field, const uint8_t *slot);

/* Copy the field's text, at most @length bytes. Return false where the field is shorter. */
bool field_text(const struct field *field, const uint8_t *slot, void *text, size_t length);

#endif
