// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * text - for a terminal or a letter: ASCII, and no line of more than 100 columns.
 *
 *	        time client     content                                                    server
 *	    0.000412 40000 --> PORT 10,0,0,2,195,81            *  PORT 198,51,100,254,195,81    -->    21
 *	                       port       195*256+81 = 50001: port 50001 of 10.0.0.2
 *
 * With a router, what it changes stands on both of its sides, and it has a line of its own where no text takes the place.
 */
#include "printable.h"
#include "writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT	   67 /* columns */
#define LEFT	   31 /* of these, this side of the router */
#define RIGHT	   (CONTENT - LEFT - 4)
#define INDENT	   23 /* before the content */
#define NOTE_NAME  11
#define NOTE_TEXT  (100 - INDENT - NOTE_NAME)
#define TIME_WIDTH 12

#define LINE_MAX_BYTES 256 /* more than a line of ASCII has */

struct pen {
	FILE *out;
	char line[LINE_MAX_BYTES];
	size_t length;
	bool router;
	bool no_memory;
};

static const char *arrow_of(const struct ladder_row *row)
{
	static const char *const arrows[][3] = {
		[LADDER_TO_SERVER] = { "-->", "==>", "- -" },
		[LADDER_TO_CLIENT] = { "<--", "<==", "- -" },
		[LADDER_BOTH_WAYS] = { "<->", "<=>", "- -" },
	};
	const unsigned int kind = row->kind == LADDER_DATA ? 1 : row->kind == LADDER_MISSING ? 2 : 0;

	return arrows[row->way][kind];
}

/* On with the line. */
__attribute__((format(printf, 2, 3))) static void put(struct pen *pen, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(pen->line + pen->length, LINE_MAX_BYTES - pen->length, format, arguments);
	va_end(arguments);
	pen->length += (size_t)length;
	if (pen->length > LINE_MAX_BYTES - 1)
		pen->length = LINE_MAX_BYTES - 1;
}

/* Without blanks at its end. */
static void end_line(struct pen *pen)
{
	while (pen->length > 0 && pen->line[pen->length - 1] == ' ')
		pen->length--;
	fprintf(pen->out, "%.*s\n", (int)pen->length, pen->line);
	pen->length = 0;
}

/* Up to a day with microseconds, then without. */
static void put_time(struct pen *pen, int64_t time)
{
	if (time < INT64_C(86400000000))
		put(pen, "%5" PRId64 ".%06" PRId64, time / 1000000, time % 1000000);
	else
		put(pen, "%*" PRId64, TIME_WIDTH, time / 1000000);
}

/* The rest of a text, of which a line is put, padded. Return: what is left of it, without the blanks it is broken at. */
static const char *put_line(struct pen *pen, const char *text, size_t columns)
{
	const size_t length = printable_line(text, columns);

	put(pen, "%-*.*s", (int)columns, (int)length, text);
	text += length;
	while (*text == ' ')
		text++;
	return text;
}

/* The content of one line of a row, from what is left of both texts. */
static void put_content(struct pen *pen, const char **sent, const char **received)
{
	const size_t length = strlen(*sent);

	if (*received) {
		*sent = put_line(pen, *sent, LEFT);
		put(pen, " *  ");
		*received = put_line(pen, *received, RIGHT);
	} else if (pen->router && length <= LEFT) {
		*sent = put_line(pen, *sent, LEFT);
		put(pen, " |  %*s", RIGHT, "");
	} else {
		*sent = put_line(pen, *sent, CONTENT);
	}
}

/* In the order in which they stand from left to right. */
static void put_row_lines(struct pen *pen, const struct ladder_row *row, const char *left, const char *right)
{
	const char *arrow = arrow_of(row);

	put_time(pen, row->time);
	put(pen, " %5u %s ", row->port[LADDER_CLIENT], arrow);
	put_content(pen, &left, &right);
	put(pen, " %s %5u", arrow, row->port[LADDER_SERVER]);
	end_line(pen);
	while (*left || (right && *right)) {
		put(pen, "%*s", INDENT, "");
		put_content(pen, &left, &right);
		end_line(pen);
	}
}

static void put_row(struct pen *pen, const struct ladder_row *row)
{
	char *sent = printable(row->text.bytes ? row->text.bytes : "", row->text.length, false);
	char *received = row->received.bytes ? printable(row->received.bytes, row->received.length, false) : NULL;

	if (!sent || (row->received.bytes && !received))
		pen->no_memory = true;
	else if (received && row->way == LADDER_TO_CLIENT)
		put_row_lines(pen, row, received, sent);
	else
		put_row_lines(pen, row, sent, received);
	free(received);
	free(sent);
}

static void put_note(struct pen *pen, const struct ladder_note *note)
{
	char *text = printable(note->text.bytes, note->text.length, false);
	const char *left = text, *name = ladder_note_name(note->kind);

	pen->no_memory |= !text;
	while (left && *left) {
		put(pen, "%*s%-*s", INDENT, "", NOTE_NAME, name);
		left = put_line(pen, left, NOTE_TEXT);
		end_line(pen);
		name = "";
	}
	free(text);
}

static void put_end(struct pen *pen, const struct ladder_dialogue *dialogue, enum ladder_side side, const char *name,
		    const char *other)
{
	char end[ENDPOINT_PRINT_MAX], seen[ENDPOINT_PRINT_MAX];

	endpoint_print(&dialogue->end[side], end);
	endpoint_print(&dialogue->seen[side], seen);
	put(pen, "  %s %s", name, end);
	end_line(pen);
	if (endpoint_equal(&dialogue->end[side], &dialogue->seen[side]))
		return;
	put(pen, "         as the %s knows it: %s", other, seen);
	end_line(pen);
}

static void put_heading(struct pen *pen, const struct ladder_dialogue *dialogue, size_t number)
{
	end_line(pen);
	put(pen, "Control connection %zu", number);
	end_line(pen);
	put_end(pen, dialogue, LADDER_CLIENT, "client", "server");
	put_end(pen, dialogue, LADDER_SERVER, "server", "client");
	end_line(pen);
	if (pen->router)
		put(pen, "%*s client    %-*srouter%*s server", TIME_WIDTH, "time", LEFT - 2, "content", RIGHT, "");
	else
		put(pen, "%*s client    %-*s server", TIME_WIDTH, "time", CONTENT + 3, "content");
	end_line(pen);
}

static void put_row_and_notes(struct pen *pen, const struct ladder_row *row)
{
	put_row(pen, row);
	for (size_t i = 0; i < row->note_count; i++)
		put_note(pen, &row->notes[i]);
}

int writer_text_title(const struct ladder *ladder, FILE *out)
{
	char *path = printable(ladder->path, strlen(ladder->path), false);
	const char *left = path;

	while (left && *left) {
		const size_t length = printable_line(left, 100);

		fprintf(out, "%.*s\n", (int)length, left);
		left += length;
	}
	free(path);
	return path ? 0 : -ENOMEM;
}

int writer_text_heading(const struct ladder *ladder, size_t number, FILE *out)
{
	struct pen pen = { .out = out, .router = ladder->router };

	put_heading(&pen, ladder->dialogues[number], number + 1);
	return 0;
}

int writer_text_row(const struct ladder *ladder, const struct ladder_row *row, FILE *out)
{
	struct pen pen = { .out = out, .router = ladder->router };

	put_row_and_notes(&pen, row);
	return pen.no_memory ? -ENOMEM : 0;
}

int writer_text(const struct ladder *ladder, FILE *out)
{
	struct pen pen = { .out = out, .router = ladder->router };
	const int error = writer_text_title(ladder, out);

	for (size_t i = 0; i < ladder->dialogue_count; i++) {
		put_heading(&pen, ladder->dialogues[i], i + 1);
		for (size_t j = 0; j < ladder->dialogues[i]->row_count; j++)
			put_row_and_notes(&pen, ladder->dialogues[i]->rows[j]);
	}
	return pen.no_memory ? -ENOMEM : error;
}
