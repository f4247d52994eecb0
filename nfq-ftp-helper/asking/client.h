/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client - asks the daemon, for a subcommand.
 */
#ifndef ASKING_CLIENT_H
#define ASKING_CLIENT_H

#include "question.h"

#include <stdio.h>

/* What becomes of an answer's lines. */
struct telling {
	/* The first line, then all others but the end. Return: false: stop. */
	bool (*line)(struct telling *telling, const json_t *line);
	void (*end)(struct telling *telling); /* it is complete; NULL: nothing is to be done */
	FILE *out;
	FILE *err;	    /* where it is said what is wrong; NULL: on standard error */
	json_t *kept;	    /* what a teller keeps until the end; the caller's to release */
	unsigned int lines; /* told so far */
};

/* What could move a terminal's cursor is a `?' in @text: who knows who has the daemon by now. */
#define CLIENT_TEXT_MAX 256
const char *client_printable(const char *from, char text[CLIENT_TEXT_MAX]);

/* A member's text, printable; "-" where there is none. */
const char *client_text(const json_t *object, const char *name, char text[CLIENT_TEXT_MAX]);

/**
 * client_ask - ask, and tell what is answered
 * @state_directory: the daemon's
 * @question: what
 * @json: its lines as they come, without the end, instead
 * @telling: line, end and out are filled in
 *
 * What is wrong is said on standard error, in one sentence. Return: whether the answer was told, whole.
 */
bool client_ask(const char *state_directory, const struct question *question, bool json, struct telling *telling);

#endif
