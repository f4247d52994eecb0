// SPDX-License-Identifier: GPL-2.0-or-later
#include "tell.h"

#include <stdarg.h>

/* Columns are as wide as the widest of what came; so lines are kept until all are there. */
bool tell_kept_all(struct telling *telling, const json_t *line)
{
	if (!telling->kept)
		telling->kept = json_array();
	return json_array_append_new(telling->kept, json_deep_copy(line)) == 0;
}

bool tell_kept(struct telling *telling, const json_t *line)
{
	return !telling->lines /* the first says nothing else */ || tell_kept_all(telling, line);
}

static int width_of(const json_t *lines, const char *name, int least)
{
	const json_t *line;
	size_t index;
	int width = least;

	json_array_foreach (lines, index, line) {
		const size_t length = json_string_length(json_object_get(line, name));

		if ((int)length > width)
			width = (int)length;
	}
	return width;
}

/* A part of a row: a text or a number, at least so wide; to the left where the width is negative. */
static void __attribute__((format(printf, 3, 4))) put(char part[TELL_PART_MAX], int width, const char *format, ...)
{
	char text[TELL_PART_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(part, TELL_PART_MAX, "%*s", width, text);
}

static void put_text(char part[TELL_PART_MAX], int width, const json_t *line, const char *name)
{
	char text[TELL_TEXT_MAX];

	put(part, width, "%s", tell_text(line, name, text));
}

static void put_span(char part[TELL_PART_MAX], int width, const json_t *line, const char *name)
{
	char text[TELL_SPAN_MAX];

	put(part, width, "%s", tell_span_of(line, name, text));
}

/* The client's and the server's. */
static void put_shift(char part[TELL_PART_MAX], int width, const json_t *line, const char *name)
{
	const json_t *shift = json_object_get(line, name);

	put(part, width, "%+.0f/%+.0f", tell_number(shift, "client"), tell_number(shift, "server"));
}

static void put_count(char part[TELL_PART_MAX], int width, const json_t *line, const char *name)
{
	if (json_is_number(json_object_get(line, name)))
		put(part, width, "%.0f", tell_number(line, name));
	else
		put(part, width, "-");
}

static void put_flag(char part[TELL_PART_MAX], int width, const json_t *line, const char *name)
{
	put(part, width, "%s", json_is_true(json_object_get(line, name)) ? "yes" : "no");
}

#define COLUMNS_MAX 10

struct column {
	const char *head;
	const char *name; /* of the line's member */
	void (*put)(char part[TELL_PART_MAX], int width, const json_t *line, const char *name);
	int width;  /* as put()'s */
	bool grows; /* ... but as wide as the widest */
};

static const struct column session_columns[] = {
	{ "CLIENT", "client", put_text, -6, true },	{ "SERVER", "server", put_text, -6, true },
	{ "STATE", "state", put_text, -9, false },	{ "LAST", "command", put_text, -4, false },
	{ "AGE", "age", put_span, 7, false },		{ "IDLE", "idle", put_span, 7, false },
	{ "SEQADJ", "seqadj", put_text, -6, false },	{ "SHIFT", "shift", put_shift, 11, false },
	{ "EXP", "expectations", put_count, 3, false }, { "FAST", "fast", put_flag, 0, false },
};

static const struct column expectation_columns[] = {
	{ "CLIENT", "client", put_text, -6, true },
	{ "BY", "command", put_text, -4, false },
	{ "FROM", "from", put_text, -4, true },
	{ "TO", "to", put_text, -2, true },
	{ "AGE", "age", put_span, 7, false },
	{ "LEFT", "left", put_span, 7, false },
	{ "BEHIND NAT", "behind_nat", put_text, -10, true },
};

/* The lines that were kept, under a head of names, and how many of @what they are. */
static void tell_table(const struct telling *telling, const struct column *columns, size_t count, const char *what)
{
	char parts[COLUMNS_MAX][TELL_PART_MAX];
	int widths[COLUMNS_MAX];
	const json_t *line;
	size_t index;

	for (size_t i = 0; i < count; i++) {
		widths[i] = columns[i].grows ? -width_of(telling->kept, columns[i].name, -columns[i].width) :
					       columns[i].width;
		put(parts[i], widths[i], "%s", columns[i].head);
	}
	tell_row(telling->out, parts, count);
	json_array_foreach (telling->kept, index, line) {
		for (size_t i = 0; i < count; i++)
			columns[i].put(parts[i], widths[i], line, columns[i].name);
		tell_row(telling->out, parts, count);
	}
	fprintf(telling->out, "%zu %s\n", json_array_size(telling->kept), what);
}

void tell_sessions_end(struct telling *telling)
{
	tell_table(telling, session_columns, sizeof(session_columns) / sizeof(session_columns[0]), "sessions");
}

void tell_expectations_end(struct telling *telling)
{
	tell_table(telling, expectation_columns, sizeof(expectation_columns) / sizeof(expectation_columns[0]),
		   "expectations");
}
