// SPDX-License-Identifier: GPL-2.0-or-later
#include "option_lines.h"

#include <errno.h>
#include <string.h>

/* What an editor may put before a text in UTF-8. The library knows it, but takes what follows for a comment or a section where we do not. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

#define MARK_BYTES (sizeof(byte_order_mark) - 1)

/* A line as it comes in: without blanks at its beginning, and without its comment. */
struct coming {
	char *line;
	int length, room;
	bool comment, nul, cut;
};

/* All that the library skips: what it alone took for a blank at a line's beginning would make the line one more value of the name before it. */
static bool is_blank(int byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
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

/* Return: whether what is read next is the text. */
static bool skip_mark(FILE *file)
{
	char bytes[MARK_BYTES];

	return (fread(bytes, 1, MARK_BYTES, file) == MARK_BYTES && memcmp(bytes, byte_order_mark, MARK_BYTES) == 0) ||
	       fseek(file, 0, SEEK_SET) == 0;
}

/* Return: false: there is no further line, or it cannot be read. */
static bool read_file_line(struct option_lines *lines, struct coming *coming)
{
	int byte;
	bool some = false;

	while ((byte = getc(lines->file)) != EOF && byte != '\n' && lines->bytes <= OPTION_LINES_BYTES) {
		some = true;
		lines->bytes++;
		take_byte(coming, byte);
	}
	lines->bytes += byte == '\n';
	if (byte == EOF && ferror(lines->file))
		lines->error = -errno;
	else if (lines->bytes > OPTION_LINES_BYTES)
		lines->error = -EFBIG;
	while (coming->length && is_blank(coming->line[coming->length - 1]))
		coming->length--;
	return !lines->error && (byte == '\n' || some);
}

/* The library says nothing of a section's name, nor of what stands behind it, where some expect a key. */
static bool is_section(const char *line)
{
	const char *end = strchr(line, ']');

	return line[0] == '[' && end && strcmp(end, "]\n") == 0;
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
	if ((lines->number++ == 0 && !skip_mark(lines->file)) || !read_file_line(lines, &coming))
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
