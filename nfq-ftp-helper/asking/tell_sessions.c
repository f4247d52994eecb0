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

	json_array_foreach(lines, index, line)
	{
		const size_t length = json_string_length(json_object_get(line, name));

		if ((int)length > width)
			width = (int)length;
	}
	return width;
}

static const char *span_of(const json_t *line, const char *name, char text[TELL_SPAN_MAX])
{
	if (!json_is_number(json_object_get(line, name)))
		return "-";
	return tell_span(tell_number(line, name), text);
}

void tell_sessions_end(struct telling *telling)
{
	const int client = width_of(telling->kept, "client", 6), server = width_of(telling->kept, "server", 6);
	char text[4][TELL_TEXT_MAX], command[TELL_TEXT_MAX], age[TELL_SPAN_MAX], idle[TELL_SPAN_MAX];
	const json_t *line;
	size_t index;

	fprintf(telling->out, "%-*s %-*s %-9s %-4s %7s %7s %-6s %5s %5s %s\n", client, "CLIENT", server, "SERVER",
		"STATE", "LAST", "AGE", "IDLE", "SEQADJ", "SHIFT", "", "EXP");
	json_array_foreach(telling->kept, index, line)
	{
		const json_t *shift = json_object_get(line, "shift");

		fprintf(telling->out, "%-*s %-*s %-9s %-4s %7s %7s %-6s %+5.0f %+5.0f %.0f\n", client,
			tell_text(line, "client", text[0]), server, tell_text(line, "server", text[1]),
			tell_text(line, "state", text[2]), tell_text(line, "command", command),
			span_of(line, "age", age), span_of(line, "idle", idle), tell_text(line, "seqadj", text[3]),
			tell_number(shift, "client"), tell_number(shift, "server"), tell_number(line, "expectations"));
	}
	fprintf(telling->out, "%zu sessions\n", json_array_size(telling->kept));
}

void tell_expectations_end(struct telling *telling)
{
	const int client = width_of(telling->kept, "client", 6), from = width_of(telling->kept, "from", 4);
	const int to = width_of(telling->kept, "to", 2);
	char text[5][TELL_TEXT_MAX], age[TELL_SPAN_MAX], left[TELL_SPAN_MAX];
	const json_t *line;
	size_t index;

	fprintf(telling->out, "%-*s %-4s %-*s %-*s %7s %7s %s\n", client, "CLIENT", "BY", from, "FROM", to, "TO", "AGE",
		"LEFT", "BEHIND NAT");
	json_array_foreach(telling->kept, index, line)
		fprintf(telling->out, "%-*s %-4s %-*s %-*s %7s %7s %s\n", client, tell_text(line, "client", text[0]),
			tell_text(line, "command", text[1]), from, tell_text(line, "from", text[2]), to,
			tell_text(line, "to", text[3]), span_of(line, "age", age), span_of(line, "left", left),
			tell_text(line, "behind_nat", text[4]));
	fprintf(telling->out, "%zu expectations\n", json_array_size(telling->kept));
}
