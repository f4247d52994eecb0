/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * option_lines - a configuration file's lines, one by one, as libinih's ini_parse_stream() asks for them.
 *
 * Left to itself the library takes what cannot be read for an empty file, what does not fit its buffer for a line of its own, what stands
 * behind a NUL for nothing, and a line that begins with a blank for one more value of the name before it. Here the first three end the
 * file with a complaint, and a blank at a line's beginning means nothing.
 */
#ifndef COMMAND_OPTION_LINES_H
#define COMMAND_OPTION_LINES_H

#include <stdio.h>

#define OPTION_LINES_COMPLAINT_MAX 64

struct option_lines {
	FILE *file;
	int number;				    /* of the line last read */
	int error;				    /* a negative errno: it cannot be read */
	char complaint[OPTION_LINES_COMPLAINT_MAX]; /* of that line; "": none */
};

/* The next line with its end, as an ini_reader. Return: NULL at the end, or where something is wrong. */
char *option_lines_next(char *line, int size, void *lines);

#endif
