// SPDX-License-Identifier: GPL-2.0-or-later
#include "tell.h"

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

/* The client's and the server's. */
static const char *shift_of(const json_t *line, const char *name, char text[CLIENT_TEXT_MAX])
{
	const json_t *shift = json_object_get(line, name);

	snprintf(text, CLIENT_TEXT_MAX, "%+.0f/%+.0f", tell_number(shift, "client"), tell_number(shift, "server"));
	return text;
}

static const char *count_of(const json_t *line, const char *name, char text[CLIENT_TEXT_MAX])
{
	if (!json_is_number(json_object_get(line, name)))
		return "-";
	snprintf(text, CLIENT_TEXT_MAX, "%.0f", tell_number(line, name));
	return text;
}

static const char *flag_of(const json_t *line, const char *name, char text[CLIENT_TEXT_MAX])
{
	(void)text;
	return json_is_true(json_object_get(line, name)) ? "yes" : "no";
}

#define COLUMNS_MAX 10

struct column {
	const char *head;
	const char *name; /* of the line's member */
	const char *(*text)(const json_t *line, const char *name, char text[CLIENT_TEXT_MAX]);
	int width;  /* at least so wide; to the left where it is negative */
	bool grows; /* ... but as wide as the widest */
};

static const struct column session_columns[] = {
	{ "CLIENT", "client", client_text, -6, true },	{ "SERVER", "server", client_text, -6, true },
	{ "STATE", "state", client_text, -9, false },	{ "LAST", "command", client_text, -4, false },
	{ "AGE", "age", tell_span_of, 7, false },	{ "IDLE", "idle", tell_span_of, 7, false },
	{ "SEQADJ", "seqadj", client_text, -6, false }, { "SHIFT", "shift", shift_of, 11, false },
	{ "EXP", "expectations", count_of, 3, false },	{ "FAST", "fast", flag_of, 0, false },
};

static const struct column expectation_columns[] = {
	{ "CLIENT", "client", client_text, -6, true },
	{ "BY", "command", client_text, -4, false },
	{ "FROM", "from", client_text, -4, true },
	{ "TO", "to", client_text, -2, true },
	{ "AGE", "age", tell_span_of, 7, false },
	{ "LEFT", "left", tell_span_of, 7, false },
	{ "BEHIND NAT", "behind_nat", client_text, -10, true },
};

/* The lines that were kept, under a head of names, and how many of @what they are. */
static void tell_table(const struct telling *telling, const struct column *columns, size_t count, const char *what)
{
	char parts[COLUMNS_MAX][TELL_PART_MAX], text[CLIENT_TEXT_MAX];
	int widths[COLUMNS_MAX];
	const json_t *line;
	size_t index;

	for (size_t i = 0; i < count; i++) {
		widths[i] = columns[i].grows ? -width_of(telling->kept, columns[i].name, -columns[i].width) :
					       columns[i].width;
		snprintf(parts[i], TELL_PART_MAX, "%*s", widths[i], columns[i].head);
	}
	tell_row(telling->out, parts, count);
	json_array_foreach (telling->kept, index, line) {
		for (size_t i = 0; i < count; i++)
			snprintf(parts[i], TELL_PART_MAX, "%*s", widths[i],
				 columns[i].text(line, columns[i].name, text));
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
