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
	char from[CLIENT_TEXT_MAX], to[CLIENT_TEXT_MAX], command[CLIENT_TEXT_MAX];

	if (json_object_get(line, "command"))
		fprintf(out, " %s", client_text(line, "command", command));
	if (json_object_get(line, "data_to"))
		fprintf(out, " %s -> %s", client_text(line, "data_from", from), client_text(line, "data_to", to));
	else if (json_object_get(line, "to"))
		fprintf(out, " %s -> %s, shift %+.0f", client_text(line, "from", from), client_text(line, "to", to),
			tell_number(line, "shift"));
	else if (json_object_get(line, "from"))
		fprintf(out, " %s", client_text(line, "from", from));
	if (json_object_get(line, "reason"))
		fprintf(out, ": %s", client_text(line, "text", to));
}

bool tell_event(struct telling *telling, const json_t *line)
{
	char event[CLIENT_TEXT_MAX], client[CLIENT_TEXT_MAX], server[CLIENT_TEXT_MAX];
	FILE *out = telling->out;

	if (!telling->lines) /* the first says nothing else */
		return true;
	if (json_object_get(line, "count")) {
		fprintf(out, "%.0f events are lost here: they were not read fast enough\n", tell_number(line, "count"));
		return fflush(out) == 0;
	}
	tell_clock(out, tell_number(line, "ts"));
	if (strncmp(client_text(line, "event", event), "rules-", strlen("rules-")) == 0) {
		fprintf(out, "%s", event);
		if (json_object_get(line, "missing"))
			fprintf(out, " %s", client_text(line, "missing", client));
		fputc('\n', out);
		return fflush(out) == 0;
	}
	fprintf(out, "%-8s %s > %s", client_text(line, "event", event), client_text(line, "client", client),
		client_text(line, "server", server));
	tell_what(out, line);
	fputc('\n', out);
	return fflush(out) == 0;
}
