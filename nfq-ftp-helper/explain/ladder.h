/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ladder - what is shown of a capture: dialogues, each a list of rows from above to below, as between two posts. Writers (writer.h) know
 * this and nothing else; follow.h makes it of packets.
 *
 * Theory of operation. A row is what one side says to the other: a line of the control connection, or a step of a data connection. It has
 * the ports of both ends, as tables in books have them, and notes, which say what is to be known about it: the arithmetic of an
 * announcement, what the router made of it and why, what was refused. Its packets are those it came in.
 *
 * All texts are untrusted, but never passwords: those are not stored (lines.h). Where memory runs out it is remembered, and what could not
 * be stored is missing; whoever made the ladder asks at the end.
 */
#ifndef EXPLAIN_LADDER_H
#define EXPLAIN_LADDER_H

#include "core/wire/endpoint.h"

#include <stdio.h>

enum ladder_kind {
	LADDER_CONTROL, /* the control connection begins or ends */
	LADDER_LINE,	/* a line of it */
	LADDER_MISSING, /* what cannot be shown of it */
	LADDER_STEP,	/* of a data connection: its handshake */
	LADDER_DATA,	/* what came through it */
};

enum ladder_way { LADDER_TO_SERVER, LADDER_TO_CLIENT, LADDER_BOTH_WAYS };

enum ladder_side { LADDER_CLIENT, LADDER_SERVER, LADDER_SIDES };

/* In the order in which they stand. */
enum ladder_note_kind {
	LADDER_NOTE_SUM,     /* 11*256+185 = 3001 */
	LADDER_NOTE_REWRITE, /* what another text was put in its place for */
	LADDER_NOTE_SHIFT,   /* and what that does to sequence numbers */
	LADDER_NOTE_REFUSED,
	LADDER_NOTE_EXPECT, /* what may come because of it */
	LADDER_NOTE_FACT,   /* anything else */
	LADDER_NOTE_ADVICE, /* what to do */
	LADDER_NOTE_LED_TO, /* what came */
	LADDER_NOTES,
};

/* A text that need not be terminated, though it always is. */
struct ladder_text {
	char *bytes;
	size_t length;
};

struct ladder_note {
	enum ladder_note_kind kind;
	struct ladder_text text;
};

#define LADDER_FATE_MAX 64

struct ladder_packet {
	uint64_t number; /* in the capture, from 1 */
	int64_t time;	 /* microseconds since the capture's first */
	enum ladder_way way;
	uint8_t flags; /* TCP_* */
	uint32_t seq, ack;
	uint32_t length;	    /* of its payload */
	char fate[LADDER_FATE_MAX]; /* what became of it */
};

/* So many are listed of a row; of the others it is said that there are. */
#define LADDER_PACKETS_MAX 64

struct ladder_row {
	int64_t time; /* microseconds since the capture's first packet */
	enum ladder_kind kind;
	enum ladder_way way;
	uint16_t port[LADDER_SIDES];
	struct ladder_text text;     /* as its sender wrote it */
	struct ladder_text received; /* as its receiver gets it, where the router changes it; else bytes is NULL */
	struct ladder_note *notes;
	size_t note_count;
	struct ladder_packet *packets;
	size_t packet_count;
	uint64_t packets_left_out;
};

struct ladder_dialogue {
	struct endpoint end[LADDER_SIDES];  /* as they are */
	struct endpoint seen[LADDER_SIDES]; /* as the other end sees it */
	struct ladder_row **rows;
	size_t row_count;
};

struct ladder {
	const char *path; /* the capture. Borrowed */
	bool router;	  /* it has a column: something is translated */
	struct ladder_dialogue **dialogues;
	size_t dialogue_count;
	size_t row_room, dialogue_room; /* so many more are drawn */
	bool full;			/* there were more: the last row says so */
	bool no_memory;			/* something is missing */
};

/* A capture is anybody's, and each byte of it may be a line of its own: nobody looks at so many, nor has memory for all that there may be. */
#define LADDER_ROWS_MAX	     1000000
#define LADDER_DIALOGUES_MAX 100000

/* NULL: no memory. */
struct ladder *ladder_new(const char *path, bool router);
void ladder_free(struct ladder *ladder);

/* Each returns NULL where memory is short, or there is no more room; what takes a row takes NULL for one, and does nothing. */
struct ladder_dialogue *ladder_add_dialogue(struct ladder *ladder);
struct ladder_row *ladder_add_row(struct ladder *ladder, struct ladder_dialogue *dialogue, const struct ladder_row *row,
				  const char *text, size_t length);

/* A copy of @bytes, in place of what is there; without memory that stays, and ladder->no_memory says so. */
void ladder_set_text(struct ladder *ladder, struct ladder_text *text, const char *bytes, size_t length);

/* As printf(). They are put in the order of their kinds. */
__attribute__((format(printf, 4, 5))) void ladder_note(struct ladder *ladder, struct ladder_row *row,
						       enum ladder_note_kind kind, const char *format, ...);

/* Which packets a row is of: a copy of this one is put behind the others, at most LADDER_PACKETS_MAX. @row may be NULL. */
void ladder_add_packet(struct ladder *ladder, struct ladder_row *row, const struct ladder_packet *packet);

/* For writers that mark such rows. */
bool ladder_has_note(const struct ladder_row *row, enum ladder_note_kind kind);

/* Of which kind a note is, in a word: for people, and as a class. */
const char *ladder_note_name(enum ladder_note_kind kind);

#endif
