/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * option_lines - a configuration file's lines, one by one, as libinih's ini_parse_stream() asks for them.
 *
 * Left to itself the library takes what cannot be read for an empty file, what does not fit its buffer for a line of its own, what stands
 * behind a NUL or a section's name for nothing, a line that begins with a blank for one more value of the name before it, and of several faults only the first
 * is told. Here each line that is wrong is told of, and skipped; a blank at a line's beginning means nothing; and what follows a `#' or `;' at
 * a line's beginning or behind a blank is a comment, of any length.
 */
#ifndef COMMAND_OPTION_LINES_H
#define COMMAND_OPTION_LINES_H

#include <stdbool.h>
#include <stdio.h>

/* More than the library has room for. */
#define OPTION_LINES_TEXT_MAX 256

/* A longer file is none of ours. Not each says how long it is: one of /proc may have no end. */
#define OPTION_LINES_BYTES (1 << 20)

struct option_lines {
	FILE *file; /* at its beginning, and can be read again from there */
	void (*fault)(void *context, const char *text,
		      const char *what); /* the line `number' is wrong: as it reads, and why */
	void *context;
	int number; /* of the line last read */
	int bytes;  /* read so far */
	int error;  /* a negative errno: it cannot be read */
	bool waits; /* the library has it, and must say a name and a value, whose reader takes this back */
	char text[OPTION_LINES_TEXT_MAX];
};

/* The next line with its end, as an ini_reader: an empty one for one that is wrong. Return: NULL at the end. */
char *option_lines_next(char *line, int size, void *lines);

#endif
