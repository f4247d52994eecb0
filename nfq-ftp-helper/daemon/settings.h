/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings - the table of everything `run' can be told: one row an option, for the command line, the file and the help.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "options.h"

struct setting {
	const char *name;	/* of the long option, and the key in a file */
	char letter;		/* of the short option; 0: there is none */
	const char *argument;	/* its name in the help; NULL: it takes none on the command line */
	/* Return: whether @value is allowed. A setting without an argument is given "yes". */
	bool (*set)(struct options *options, const char *value);
	const char *allowed;	/* the sentence's end: "N or A:B, ..." */
	const char *help;
};

#define SETTINGS_MAX 24

/* Return: the table; *count is filled in. */
const struct setting *settings_table(unsigned int *count);

/* The row of this name; NULL when there is none. */
const struct setting *settings_find(const char *name);

/* Which of @words @value is: *index is filled in. Return: false: none. */
bool settings_word(const char *value, const char *const *words, unsigned int count, unsigned int *index);

/* What holds where nothing is said. */
void settings_default(struct options *options);

#endif
