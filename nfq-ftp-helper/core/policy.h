/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy - may this announcement open a port, and which one? The whole of invariant I4 can be read in policy.c. Internal to core.
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "turn.h"

/* The argument of an announcing line, whole. */
struct announced {
	const char *text;	/* from the first byte that can begin an argument to the end of the line, without its LF */
	uint32_t length;
	uint32_t seq;		/* sender space number of its first byte */
	uint32_t space;		/* bytes that still fit the segment from there on */
	uint32_t space_alone;	/* bytes that would fit a segment that begins with it */
	uint64_t waited;	/* milliseconds since it was first told to wait; 0: it has not been */
	bool stale;		/* it may have passed already, while no daemon was there: a sender that knows so goes on */
	bool hopeless;		/* and it has been waited for that long enough */
	bool fixed;		/* a part of it has been passed on: it cannot be changed any more */
};

/**
 * policy_judge - judge an announcement; expect its data connection if it may
 * @turn: whose
 * @line: the line it stands in; its phase is FTP_PHASE_ARGUMENT
 * @announced: the argument
 *
 * Return: true when the line has been dealt with (an edit may be in flight now); false when it must wait: the segment is full,
 * or an earlier announcement or edit is not settled yet. Nothing has changed then.
 */
bool policy_judge(struct turn *turn, const struct ftp_line *line, const struct announced *announced);

/* An announcement that never became a whole legal line. */
void policy_refuse(struct turn *turn, const struct ftp_line *line, enum refusal refusal);

/* The session's work slot, with the binding of its connection; NULL and @refusal where there is none. */
struct work *policy_bind(struct turn *turn, enum refusal *refusal);

/* May this line's announcement, if it is a good one, have to be edited? The session is bound. */
bool policy_may_edit(const struct turn *turn, const struct ftp_line *line, const struct work *work);

#endif
