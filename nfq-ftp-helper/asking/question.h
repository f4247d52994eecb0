/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * question - a line that somebody asks with: {"version":1,"ask":"sessions","address":"10.0.0.0/8","port":21,"state":"ready"}.
 * Only the first two have to be there.
 */
#ifndef ASKING_QUESTION_H
#define ASKING_QUESTION_H

#include "core/engine/report.h"
#include "core/table/record.h"
#include "core/wire/network.h"

#include <jansson.h>

#define QUESTION_MAX 1024 /* bytes of the line */

enum question_kind {
	QUESTION_STATUS,
	QUESTION_SESSIONS,
	QUESTION_EXPECTATIONS,
	QUESTION_METRICS,
	QUESTION_FOLLOW,
	QUESTIONS,
};

/* "sessions"; behind the last NULL, as of those below. */
extern const char *const question_names[QUESTIONS + 1];

/* Which sessions; all zero: all of them. */
struct filter {
	struct network network; /* of client or server; family 0: any */
	uint16_t port;		/* likewise; 0: any */
	unsigned int state;	/* enum session_state; 0: any */
};

struct question {
	enum question_kind kind;
	struct filter filter; /* of FOLLOW its network and port */
	bool lines;	      /* FOLLOW: lines that announce nothing, too: a command's word, a reply's code */
};

/* By enum report_kind: an event's name, "rewrite". */
extern const char *const question_events[REPORT_END + 1];

/* By enum session_state, "ready"; and the one; NULL: none. */
extern const char *const question_states[];
const char *question_state_name(unsigned int state);

/* The index of @text in a list, whose end is NULL; false where it is not there, or is NULL itself. */
bool question_find_name(const char *const names[], const char *text, unsigned int *index);

/* ADDRESS or ADDRESS/BITS. Return: whether it is one, without bits behind these. */
bool question_network(const char *text, struct network *network);

/* Return: NULL, or what is wrong with it, a sentence's end. */
const char *question_read(const char *line, size_t length, struct question *question);

/* As an object for the daemon; NULL: no memory. The caller's. */
json_t *question_write(const struct question *question);

/* Is it one of those that were asked for? */
bool filter_takes(const struct filter *filter, const struct session *session);

/* Whatever its state is. */
bool filter_takes_ends(const struct filter *filter, const struct endpoint *client, const struct endpoint *server);

#endif
