// SPDX-License-Identifier: GPL-2.0-or-later
#include "answer.h"
#include "daemon/reporter.h"

#define PIECE 32

void answer_follow_add(struct answer_follow *follow, const struct event *event)
{
	if (follow->count == FOLLOW_EVENTS) {
		follow->lost++;
		return;
	}
	follow->ring[(follow->first + follow->count++) % FOLLOW_EVENTS] = *event;
}

static void add_text(json_t *line, const char *name, const char *bytes, size_t length)
{
	char text[ANSWER_TEXT_MAX];

	if (length)
		json_object_set_new(line, name, json_string(answer_text(bytes, length, text)));
}

static void add_event(struct response *answer, const struct event *event)
{
	json_t *line =
		json_pack("{s:s, s:f, s:o, s:o}", "event", question_events[event->kind], "ts", view_time(event->at),
			  "client", answer_endpoint(&event->client), "server", answer_endpoint(&event->server));
	char address[ENDPOINT_PRINT_MAX];

	add_text(line, "command", event->command, strnlen(event->command, sizeof(event->command)));
	if (event->command[0] || event->kind == REPORT_LINE)
		json_object_set_new(line, "by",
				    json_string(event->direction == DIRECTION_ORIGINAL ? "client" : "server"));
	add_text(line, "from", event->from, event->from_length);
	add_text(line, "to", event->to, event->to_length);
	if (event->port)
		json_object_set_new(line, "port", json_integer(event->port));
	if (event->kind == REPORT_REWRITE)
		json_object_set_new(line, "shift", json_integer(event->shift));
	if (event->kind == REPORT_EXPECT || event->kind == REPORT_UNEXPECT)
		json_object_update_new(line, json_pack("{s:s, s:o, s:o*}", "data_from",
						       endpoint_print_address(&event->data.src, address), "data_to",
						       answer_endpoint(&event->data.dst), "behind_nat",
						       event->behind.family ? answer_endpoint(&event->behind) : NULL));
	if (event->kind == REPORT_REFUSE)
		json_object_update_new(line, json_pack("{s:s, s:s, s:s*}", "reason", refusal_name(event->refusal),
						       "text", refusal_text(event->refusal), "advice",
						       reporter_advice(event->refusal, event->error)));
	answer_line(answer, line);
}

void answer_follow_rules_begin(struct answer_follow *follow, const struct watched *watched)
{
	if (!watched)
		return;
	follow->rules_gone = watched_number(&watched->gone);
	follow->rules_back = watched_number(&watched->back);
}

bool answer_follow_rules_news(const struct answer_follow *follow, const struct watched *watched)
{
	return watched && (follow->rules_gone != watched_number(&watched->gone) ||
			   follow->rules_back != watched_number(&watched->back));
}

static void add_rules_event(struct response *answer, const char *event, const struct watched *watched)
{
	json_t *line = json_pack("{s:s, s:f}", "event", event, "ts", view_time(clock_of_sessions()));

	answer_missing(line, watched);
	answer_line(answer, line);
}

/* What has become of the rules. */
static void follow_gone_rules(struct response *answer)
{
	const struct watched *watched = answer->view->config.watched;
	const struct answer_follow *follow = answer->follow;
	const uint64_t gone = follow->rules_gone, back = follow->rules_back;

	answer_follow_rules_begin(answer->follow, watched);
	if (follow->rules_gone != gone)
		add_rules_event(answer, "rules-gone", watched);
	if (follow->rules_back != back)
		add_rules_event(answer, "rules-back", watched);
}

/* Never over. What waits comes first, and what was lost behind it. */
bool answer_follow(struct response *answer)
{
	struct answer_follow *follow = answer->follow;

	if (!answer->begun)
		answer_line(answer, answer_begin(answer));
	answer->begun = true;
	follow_gone_rules(answer);
	for (unsigned int i = 0; i < PIECE && follow->count; i++) {
		add_event(answer, &follow->ring[follow->first]);
		follow->first = (follow->first + 1) % FOLLOW_EVENTS;
		follow->count--;
	}
	if (!follow->count && follow->lost) {
		answer_line(answer, json_pack("{s:s, s:I}", "event", "lost", "count", (json_int_t)follow->lost));
		follow->lost = 0;
	}
	return false;
}
