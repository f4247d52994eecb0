// SPDX-License-Identifier: GPL-2.0-or-later
#include "option_lines.h"

#include <errno.h>
#include <string.h>

/* Behind the blanks at its beginning. */
static int first_byte(FILE *file)
{
	int byte;

	do {
		byte = getc(file);
	} while (byte == ' ' || byte == '\t');
	return byte;
}

static char *complain(struct option_lines *lines, const char *what)
{
	snprintf(lines->complaint, sizeof(lines->complaint), "%s", what);
	return NULL;
}

char *option_lines_next(char *line, int size, void *context)
{
	struct option_lines *lines = context;
	int length = 0, byte;

	lines->number++;
	for (byte = first_byte(lines->file); byte != EOF && byte != '\n'; byte = getc(lines->file)) {
		if (!byte)
			return complain(lines, "this line has a NUL in it");
		if (length + 2 == size) {
			snprintf(lines->complaint, sizeof(lines->complaint), "this line is longer than %d bytes",
				 length);
			return NULL;
		}
		line[length++] = (char)byte;
	}
	if (byte == EOF && ferror(lines->file)) {
		lines->error = -errno;
		return NULL;
	}
	if (byte == EOF && !length)
		return NULL;
	memcpy(line + length, "\n", 2);
	return line;
}
