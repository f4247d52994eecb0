// SPDX-License-Identifier: GPL-2.0-or-later
#include "tell.h"

#include <string.h>
#include <time.h>

static void tell_clock(FILE *out, double at)
{
	const time_t seconds = (time_t)at;
	char text[16] = "?";
	struct tm when;

	if (localtime_r(&seconds, &when))
		strftime(text, sizeof(text), "%H:%M:%S", &when);
	fprintf(out, "%s.%03d ", text, (int)((at - (double)seconds) * 1000));
}

static void tell_what(FILE *out, const json_t *line)
{
	char from[TELL_TEXT_MAX], to[TELL_TEXT_MAX], command[TELL_TEXT_MAX];

	if (json_object_get(line, "command"))
		fprintf(out, " %s", tell_text(line, "command", command));
	if (json_object_get(line, "data_to"))
		fprintf(out, " %s -> %s", tell_text(line, "data_from", from), tell_text(line, "data_to", to));
	else if (json_object_get(line, "to"))
		fprintf(out, " %s -> %s, shift %+.0f", tell_text(line, "from", from), tell_text(line, "to", to),
			tell_number(line, "shift"));
	else if (json_object_get(line, "from"))
		fprintf(out, " %s", tell_text(line, "from", from));
	if (json_object_get(line, "reason"))
		fprintf(out, ": %s", tell_text(line, "text", to));
}

bool tell_event(struct telling *telling, const json_t *line)
{
	char event[TELL_TEXT_MAX], client[TELL_TEXT_MAX], server[TELL_TEXT_MAX];
	FILE *out = telling->out;

	if (!telling->lines) /* the first says nothing else */
		return true;
	if (json_object_get(line, "count")) {
		fprintf(out, "%.0f events are lost here: they were not read fast enough\n", tell_number(line, "count"));
		return fflush(out) == 0;
	}
	tell_clock(out, tell_number(line, "ts"));
	if (strncmp(tell_text(line, "event", event), "rules-", strlen("rules-")) == 0) {
		fprintf(out, "%s", event);
		if (json_object_get(line, "missing"))
			fprintf(out, " %s", tell_text(line, "missing", client));
		fputc('\n', out);
		return fflush(out) == 0;
	}
	fprintf(out, "%-8s %s > %s", tell_text(line, "event", event), tell_text(line, "client", client),
		tell_text(line, "server", server));
	tell_what(out, line);
	fputc('\n', out);
	return fflush(out) == 0;
}
