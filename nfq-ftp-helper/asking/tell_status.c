// SPDX-License-Identifier: GPL-2.0-or-later
#include "output/say.h"
#include "tell.h"

#include <string.h>
#include <time.h>

#define COLUMN 16

static void tell_time(FILE *out, const json_t *line)
{
	const time_t since = (time_t)tell_number(line, "since");
	char span[TELL_SPAN_MAX], text[64] = "?";
	struct tm when;

	if (localtime_r(&since, &when))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &when);
	fprintf(out, "%-*s%s, for %s\n", COLUMN, "running since", text, tell_span(tell_number(line, "uptime"), span));
}

static void tell_queue(FILE *out, const json_t *queue)
{
	char label[32], text[CLIENT_TEXT_MAX];

	snprintf(label, sizeof(label), "%s %.0f", json_is_true(json_object_get(queue, "sure")) ? "sure queue" : "queue",
		 tell_number(queue, "queue"));
	if (!json_object_get(queue, "waiting"))
		say_wrapped(out, label, COLUMN, client_text(queue, "unseen", text));
	else
		fprintf(out, "%-*s%.0f waiting; dropped by the kernel: %.0f as it was full, %.0f as the socket was\n",
			COLUMN, label, tell_number(queue, "waiting"), tell_number(queue, "dropped_full"),
			tell_number(queue, "dropped_unsent"));
}

static void tell_counts(FILE *out, const json_t *line)
{
	const json_t *sessions = json_object_get(line, "sessions"), *packets = json_object_get(line, "packets");
	const json_t *expectations = json_object_get(line, "expectations"), *rates = json_object_get(line, "rates");

	fprintf(out, "%-*s%.0f now, %.0f of them busy, room for %.0f; %.0f begun, %.0f not followed\n", COLUMN,
		"sessions", tell_number(sessions, "now"), tell_number(sessions, "busy"), tell_number(sessions, "room"),
		tell_number(sessions, "begun"), tell_number(sessions, "not_followed"));
	fprintf(out, "%-*s%.0f now; %.0f made\n", COLUMN, "expectations", tell_number(expectations, "now"),
		tell_number(expectations, "made"));
	fprintf(out, "%-*s%.0f seen, %.0f rewritten, %.0f held in part, %.0f dropped\n", COLUMN, "packets",
		tell_number(packets, "seen"), tell_number(packets, "rewritten"), tell_number(packets, "held"),
		tell_number(packets, "dropped"));
	if (json_is_object(rates))
		fprintf(out, "%-*s%.1f packets, %.1f sessions, %.1f rewrites, %.1f expectations, %.1f refusals\n",
			COLUMN, "a second", tell_number(rates, "packets"), tell_number(rates, "sessions"),
			tell_number(rates, "rewrites"), tell_number(rates, "expectations"),
			tell_number(rates, "refusals"));
}

static void tell_refusal(FILE *out, const json_t *refusal, double now)
{
	char label[32], text[CLIENT_TEXT_MAX], command[CLIENT_TEXT_MAX], client[CLIENT_TEXT_MAX],
		server[CLIENT_TEXT_MAX];
	char line[5 * CLIENT_TEXT_MAX], span[TELL_SPAN_MAX];

	snprintf(label, sizeof(label), "%8.0f", tell_number(refusal, "count"));
	say_wrapped(out, label, COLUMN, client_text(refusal, "text", text));
	if (json_object_get(refusal, "last")) {
		snprintf(line, sizeof(line), "last %s ago: %s, client %s, server %s",
			 tell_span(now - tell_number(refusal, "last"), span), client_text(refusal, "command", command),
			 client_text(refusal, "client", client), client_text(refusal, "server", server));
		say_wrapped(out, "", COLUMN, line);
	}
	if (json_object_get(refusal, "advice")) {
		snprintf(line, sizeof(line), "-> %s", client_text(refusal, "advice", text));
		say_wrapped(out, "", COLUMN, line);
	}
}

/* How they stand: what is there, or since when it is not. */
static void tell_rules(FILE *out, const json_t *line, double now)
{
	const json_t *found = json_object_get(line, "rules_found");
	char text[CLIENT_TEXT_MAX], missing[CLIENT_TEXT_MAX], span[TELL_SPAN_MAX];
	char sentence[3 * CLIENT_TEXT_MAX];

	fprintf(out, "%-*s%s\n", COLUMN, "rules", client_text(line, "rules", text));
	client_text(found, "state", text);
	tell_span(now - tell_number(found, "since"), span);
	if (strcmp(text, "gone") == 0)
		snprintf(sentence, sizeof(sentence), "GONE for %s, missing: %s", span,
			 client_text(found, "missing", missing));
	else if (strcmp(text, "in-place") == 0)
		snprintf(sentence, sizeof(sentence), "in place for %s; they had gone %.0f times, put back %.0f times",
			 span, tell_number(found, "gone"), tell_number(found, "put_back"));
	else if (strcmp(text, "never-seen") == 0)
		snprintf(sentence, sizeof(sentence),
			 "none has been seen that queues to these queues, or gives the helper");
	else
		snprintf(sentence, sizeof(sentence), "nobody looks whether they are in place");
	say_wrapped(out, "", COLUMN, sentence);
}

bool tell_status(struct telling *telling, const json_t *line)
{
	const double now = tell_number(line, "since") + tell_number(line, "uptime");
	const json_t *refusals = json_object_get(line, "refusals"), *item;
	char mode[CLIENT_TEXT_MAX], seqadj[CLIENT_TEXT_MAX], text[CLIENT_TEXT_MAX];
	FILE *out = telling->out;
	size_t index;

	fprintf(out, "%-*s%s%s, sequence numbers adjusted by: %s\n", COLUMN, "mode", client_text(line, "mode", mode),
		json_is_true(json_object_get(line, "mode_chosen")) ? " (by default)" : "",
		client_text(line, "seqadj", seqadj));
	tell_time(out, line);
	tell_rules(out, line, now);
	fprintf(out, "%-*s%s\n", COLUMN, "sandbox", client_text(line, "sandbox", text));
	json_array_foreach (json_object_get(line, "queues"), index, item) {
		tell_queue(out, item);
	}
	tell_counts(out, line);
	fprintf(out, "%-*s%s\n", COLUMN, "refused", json_array_size(refusals) ? "by reason:" : "nothing");
	json_array_foreach (refusals, index, item) {
		tell_refusal(out, item, now);
	}
	return true;
}
