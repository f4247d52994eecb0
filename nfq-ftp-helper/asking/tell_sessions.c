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

	put(part, -width, "%s", tell_text(line, name, text));
}

static void put_span(char part[TELL_PART_MAX], const json_t *line, const char *name)
{
	char text[TELL_SPAN_MAX];

	put(part, 7, "%s", tell_span_of(line, name, text));
}

#define SESSION_PARTS 10

static void tell_session(FILE *out, const json_t *line, int client, int server)
{
	const json_t *shift = json_object_get(line, "shift");
	char parts[SESSION_PARTS][TELL_PART_MAX];

	put_text(parts[0], client, line, "client");
	put_text(parts[1], server, line, "server");
	put_text(parts[2], 9, line, "state");
	put_text(parts[3], 4, line, "command");
	put_span(parts[4], line, "age");
	put_span(parts[5], line, "idle");
	put_text(parts[6], 6, line, "seqadj");
	put(parts[7], 11, "%+.0f/%+.0f", tell_number(shift, "client"), tell_number(shift, "server"));
	if (json_is_number(json_object_get(line, "expectations")))
		put(parts[8], 3, "%.0f", tell_number(line, "expectations"));
	else
		put(parts[8], 3, "-");
	put(parts[9], 0, "%s", json_is_true(json_object_get(line, "fast")) ? "yes" : "no");
	tell_row(out, parts, SESSION_PARTS);
}

/* The head of a table: its names, as wide as the columns. */
static void tell_head(FILE *out, const char *const names[], const int widths[], size_t count)
{
	char parts[SESSION_PARTS][TELL_PART_MAX];

	for (size_t i = 0; i < count; i++)
		put(parts[i], widths[i], "%s", names[i]);
	tell_row(out, parts, count);
}

void tell_sessions_end(struct telling *telling)
{
	static const char *const names[SESSION_PARTS] = { "CLIENT", "SERVER", "STATE", "LAST", "AGE",
							  "IDLE",   "SEQADJ", "SHIFT", "EXP",  "FAST" };
	const int client = width_of(telling->kept, "client", 6), server = width_of(telling->kept, "server", 6);
	const int widths[SESSION_PARTS] = { -client, -server, -9, -4, 7, 7, -6, 11, 3, 0 };
	const json_t *line;
	size_t index;

	tell_head(telling->out, names, widths, SESSION_PARTS);
	json_array_foreach (telling->kept, index, line) {
		tell_session(telling->out, line, client, server);
	}
	fprintf(telling->out, "%zu sessions\n", json_array_size(telling->kept));
}

#define EXPECTATION_PARTS 7

static void tell_expectation(FILE *out, const json_t *line, const int widths[EXPECTATION_PARTS])
{
	char parts[EXPECTATION_PARTS][TELL_PART_MAX];

	put_text(parts[0], -widths[0], line, "client");
	put_text(parts[1], 4, line, "command");
	put_text(parts[2], -widths[2], line, "from");
	put_text(parts[3], -widths[3], line, "to");
	put_span(parts[4], line, "age");
	put_span(parts[5], line, "left");
	put_text(parts[6], -widths[6], line, "behind_nat");
	tell_row(out, parts, EXPECTATION_PARTS);
}

void tell_expectations_end(struct telling *telling)
{
	static const char *const names[EXPECTATION_PARTS] = {
		"CLIENT", "BY", "FROM", "TO", "AGE", "LEFT", "BEHIND NAT"
	};
	const int widths[EXPECTATION_PARTS] = {
		-width_of(telling->kept, "client", 6),	   -4, -width_of(telling->kept, "from", 4),
		-width_of(telling->kept, "to", 2),	   7,  7,
		-width_of(telling->kept, "behind_nat", 10)
	};
	const json_t *line;
	size_t index;

	tell_head(telling->out, names, widths, EXPECTATION_PARTS);
	json_array_foreach (telling->kept, index, line) {
		tell_expectation(telling->out, line, widths);
	}
	fprintf(telling->out, "%zu expectations\n", json_array_size(telling->kept));
}
