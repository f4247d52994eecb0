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

static void add_refusal(json_t *line, const struct event *event)
{
	const char *advice = reporter_advice(event->refusal, event->error);

	json_object_set_new(line, "reason", json_string(refusal_name(event->refusal)));
	json_object_set_new(line, "text", json_string(refusal_text(event->refusal)));
	if (advice)
		json_object_set_new(line, "advice", json_string(advice));
}

static void add_event(struct response *answer, const struct event *event)
{
	json_t *line = json_pack("{s:s, s:f}", "event", question_events[event->kind], "ts",
				 (double)(event->at + view_epoch()) / 1000);
	char address[ENDPOINT_PRINT_MAX];

	json_object_set_new(line, "client", answer_endpoint(&event->client));
	json_object_set_new(line, "server", answer_endpoint(&event->server));
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
	if (event->kind == REPORT_EXPECT || event->kind == REPORT_UNEXPECT) {
		json_object_set_new(line, "data_from", json_string(endpoint_print_address(&event->data.src, address)));
		json_object_set_new(line, "data_to", answer_endpoint(&event->data.dst));
		if (event->behind.family)
			json_object_set_new(line, "behind_nat", answer_endpoint(&event->behind));
	}
	if (event->kind == REPORT_REFUSE)
		add_refusal(line, event);
	answer_line(answer, line);
}

void answer_follow_rules_begin(struct answer_follow *follow, const struct watched *watched)
{
	if (!watched)
		return;
	follow->rules_gone = atomic_load_explicit(&watched->gone, memory_order_relaxed);
	follow->rules_back = atomic_load_explicit(&watched->back, memory_order_relaxed);
}

bool answer_follow_rules_news(const struct answer_follow *follow, const struct watched *watched)
{
	return watched && (follow->rules_gone != atomic_load_explicit(&watched->gone, memory_order_relaxed) ||
			   follow->rules_back != atomic_load_explicit(&watched->back, memory_order_relaxed));
}

static void add_rules_event(struct response *answer, const char *event, const struct watched *watched)
{
	json_t *line =
		json_pack("{s:s, s:f}", "event", event, "ts", (double)(clock_of_sessions() + view_epoch()) / 1000);

	answer_missing(line, watched);
	answer_line(answer, line);
}

/* What has become of the rules. */
static void follow_gone_rules(struct response *answer)
{
	const struct watched *watched = answer->view->config.watched;
	const struct answer_follow before = { .rules_gone = answer->follow->rules_gone,
					      .rules_back = answer->follow->rules_back };

	if (!answer_follow_rules_news(answer->follow, watched))
		return;
	answer_follow_rules_begin(answer->follow, watched);
	if (answer->follow->rules_gone != before.rules_gone)
		add_rules_event(answer, "rules-gone", watched);
	if (answer->follow->rules_back != before.rules_back)
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
