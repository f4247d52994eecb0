/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce - what a ladder says of announcements: their arithmetic, what the engine made of them, and what came of it.
 */
#ifndef EXPLAIN_ANNOUNCE_H
#define EXPLAIN_ANNOUNCE_H

#include "core/engine/report.h"
#include "core/wire/ftp_word.h"
#include "ladder.h"

#define ANNOUNCE_TEXT_MAX 128

/* What a report says, kept as long as that takes. */
struct announce_report {
	struct report report; /* its pointers stand for what is below */
	struct expectation expectation;
	bool expects;
	char command[FTP_WORD_MAX + 1];
	char from[ANNOUNCE_TEXT_MAX], to[ANNOUNCE_TEXT_MAX];
};

void announce_keep(struct announce_report *kept, const struct report *report);

struct announcement_row {
	struct ladder_dialogue *dialogue;
	struct ladder_row *row;
	const struct ftp_word *word;
	bool reported[REPORT_END + 1]; /* by enum report_kind */
	uint16_t port;		       /* announced; 0: none that can be read */
	struct endpoint expected;      /* where a data connection may go to; its family is 0 where none may */
	bool came;
	struct announcement_row *older; /* the one before, where they are kept */
};

/**
 * announce_line - is this row's line an announcement?
 * @announcement: filled in where it is: its arithmetic is noted then
 *
 * Return: whether it is.
 */
bool announce_line(struct ladder *ladder, struct ladder_dialogue *dialogue, struct ladder_row *row,
		   struct announcement_row *announcement);

/* Is this report about this announcement, and the first of its kind? */
bool announce_is_about(const struct announcement_row *announcement, const struct announce_report *kept);

/* Note it. @announcement: NULL where it is not known of which: then the row is @row. */
void announce_tell(struct ladder *ladder, struct announcement_row *announcement, struct ladder_row *row,
		   const struct announce_report *kept);

/* TLS begins behind this row; the connection of this row is not followed. */
void announce_tell_opaque(struct ladder *ladder, struct ladder_row *row);
void announce_tell_limit(struct ladder *ladder, struct ladder_row *row);

/* A data connection goes to @dst: is it this one's? */
bool announce_leads_to(const struct announcement_row *announcement, const struct endpoint *dst);

#endif
