/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * opening - an announcement is carried out: where policy.h has nothing against it, its data connection is expected, and the text changed
 * where the other side has to be told another address or port. Internal to core.
 */
#ifndef CORE_OPENING_H
#define CORE_OPENING_H

#include "core/engine/turn.h"

/* The argument of an announcing line, whole, and how it stands in the stream. */
struct announced {
	const char *text; /* from the first byte that can begin an argument to the end of the line, without its LF */
	uint32_t length;
	uint32_t seq;	      /* sender space number of its first byte */
	uint32_t space;	      /* bytes that still fit the segment from there on */
	uint32_t space_alone; /* bytes that would fit a segment that begins with it */
	uint64_t waited;      /* milliseconds since it was first told to wait; 0: it has not been */
	bool stale;    /* it may have passed already, while no daemon was there: a sender that knows so goes on */
	bool hopeless; /* and it has been waited for that long enough */
	bool fixed;    /* a part of it has been passed on: it cannot be changed any more */
};

/**
 * opening_try - judge an announcement; expect its data connection if it may come
 * @turn: whose
 * @line: the line it stands in; its phase is FTP_PHASE_ARGUMENT
 * @announced: the argument
 *
 * Return: true when the line has been dealt with (an edit may be in flight now); false when it must wait: the segment is full,
 * or an earlier announcement or edit is not settled yet. Nothing has changed then.
 */
bool opening_try(struct turn *turn, const struct ftp_line *line, const struct announced *announced);

/* An announcement that never became a whole legal line. */
void opening_refuse(struct turn *turn, const struct ftp_line *line, enum refusal refusal);

#endif
