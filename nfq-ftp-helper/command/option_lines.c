// SPDX-License-Identifier: GPL-2.0-or-later
#include "option_lines.h"

#include <errno.h>
#include <string.h>

/* A line as it comes in: without blanks at its beginning, and without its comment. */
struct coming {
	char *line;
	int length, room;
	bool comment, nul, cut;
};

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static void take_byte(struct coming *coming, int byte)
{
	const bool behind_blank = !coming->length || is_blank(coming->line[coming->length - 1]);

	if (!byte)
		coming->nul = true;
	else if ((byte == '#' || byte == ';') && behind_blank)
		coming->comment = true;
	else if (coming->comment || (!coming->length && is_blank(byte)))
		return;
	else if (coming->length == coming->room)
		coming->cut = true;
	else
		coming->line[coming->length++] = (char)byte;
}

/* Return: false: there is no further line, or it cannot be read. */
static bool read_line(struct option_lines *lines, struct coming *coming)
{
	int byte;
	bool some = false;

	while ((byte = getc(lines->file)) != EOF && byte != '\n') {
		some = true;
		take_byte(coming, byte);
	}
	if (byte == EOF && ferror(lines->file))
		lines->error = -errno;
	while (coming->length && is_blank(coming->line[coming->length - 1]))
		coming->length--;
	return !lines->error && (byte == '\n' || some);
}

/* The library says nothing of a section's name. */
static bool is_section(const char *line)
{
	return line[0] == '[' && strchr(line, ']');
}

/* What the library has made nothing of is told before the next line is counted. */
static void settle(struct option_lines *lines)
{
	if (lines->waits)
		lines->fault(lines->context, lines->text, "this is no `NAME = VALUE', such as `queue = 0'");
	lines->waits = false;
}

char *option_lines_next(char *line, int size, void *context)
{
	struct option_lines *lines = context;
	struct coming coming = { .line = line, .room = size - 2 };
	char what[80];

	settle(lines);
	lines->number++;
	if (!read_line(lines, &coming))
		return NULL;
	line[coming.length] = '\0';
	snprintf(lines->text, sizeof(lines->text), "%s", line);
	if (coming.nul)
		lines->fault(lines->context, lines->text, "this line has a NUL in it; a file of text has none");
	snprintf(what, sizeof(what), "this line is too long; it takes %d bytes, but for its comment", coming.room);
	if (coming.cut && !coming.nul)
		lines->fault(lines->context, lines->text, what);
	if (coming.nul || coming.cut)
		coming.length = 0;
	memcpy(line + coming.length, "\n", 2);
	lines->waits = coming.length && !is_section(line);
	return line;
}
