// SPDX-License-Identifier: GPL-2.0-or-later
#include "answer.h"
#include "daemon/reporter.h"

static json_int_t whole(uint64_t number)
{
	return (json_int_t)number;
}

static void add_queue(json_t *queues, const struct view *view, int32_t number, bool sure)
{
	struct nfqueue_stat stat;
	const char *unseen;
	json_t *queue;

	if (number == NFQUEUE_NONE)
		return;
	unseen = view_queue(view, number, &stat);
	queue = json_pack("{s:i, s:b, s:s*}", "queue", (int)number, "sure", sure, "unseen", unseen);
	if (!unseen)
		json_object_update_new(queue,
				       json_pack("{s:I, s:I, s:I}", "waiting", whole(stat.waiting), "dropped_full",
						 whole(stat.full), "dropped_unsent", whole(stat.unsent)));
	json_array_append_new(queues, queue);
}

static json_t *queues_of(const struct view *view)
{
	json_t *queues = json_array();

	for (unsigned int i = 0; i < view->config.sources; i++) {
		add_queue(queues, view, view->config.source[i].queue, false);
		add_queue(queues, view, view->config.source[i].sure_queue, true);
	}
	return queues;
}

/* A second, over the last ten. */
static json_t *rates_of(const struct view *view)
{
	const unsigned int back = view->taken < VIEW_SAMPLES ? view->taken : VIEW_SAMPLES;
	const struct view_sample *last = &view->samples[(view->taken + VIEW_SAMPLES - 1) % VIEW_SAMPLES];
	const struct view_sample *first = &view->samples[(view->taken + VIEW_SAMPLES - back) % VIEW_SAMPLES];
	const double seconds = back > 1 ? (double)(last->at - first->at) / 1000 : 0;

	if (seconds <= 0)
		return json_null();
	return json_pack(
		"{s:f, s:f, s:f, s:f, s:f, s:f}", "seconds", seconds, "packets",
		(double)(last->sum.counters.packets - first->sum.counters.packets) / seconds, "sessions",
		(double)(last->sum.counters.sessions - first->sum.counters.sessions) / seconds, "rewrites",
		(double)(last->sum.counters.edits - first->sum.counters.edits) / seconds, "expectations",
		(double)(last->sum.counters.expectations - first->sum.counters.expectations) / seconds, "refusals",
		(double)(figures_refusals(&last->sum.counters) - figures_refusals(&first->sum.counters)) / seconds);
}

/* The latest of all workers. */
static bool last_of(const struct view *view, enum refusal refusal, struct last_refusal *latest)
{
	struct last_refusal last;
	bool found = false;

	for (unsigned int i = 0; i < view->config.sources; i++) {
		if (!events_last(view->config.source[i].events, refusal, &last) || (found && last.at < latest->at))
			continue;
		*latest = last;
		found = true;
	}
	return found;
}

static json_t *refusal_of(const struct view *view, enum refusal refusal, uint64_t count)
{
	json_t *object = json_pack("{s:s, s:I, s:s}", "reason", refusal_name(refusal), "count", whole(count), "text",
				   refusal_text(refusal));
	struct last_refusal last;
	char text[4 * EVENTS_COMMAND_MAX + 1];

	if (!last_of(view, refusal, &last))
		return object;
	answer_text(last.command, strnlen(last.command, sizeof(last.command)), text);
	json_object_update_new(object,
			       json_pack("{s:s*, s:f, s:o, s:o, s:s}", "advice", reporter_advice(refusal, last.error),
					 "last", view_time(last.at), "client", answer_endpoint(&last.client), "server",
					 answer_endpoint(&last.server), "command", text));
	return object;
}

static json_t *refusals_of(const struct view *view, const struct figures *sum)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < REFUSALS; i++)
		if (sum->counters.refusals[i])
			json_array_append_new(array, refusal_of(view, (enum refusal)i, sum->counters.refusals[i]));
	return array;
}

static uint32_t slots_of(const struct view *view)
{
	uint32_t slots = 0;

	for (unsigned int i = 0; i < view->config.sources; i++)
		slots += table_slots(view->config.source[i].table);
	return slots;
}

static void add_sessions(json_t *object, const struct view *view, const struct figures *sum)
{
	json_object_set_new(object, "sessions",
			    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "now", whole(sum->sessions), "busy",
				      whole(sum->busy), "room", whole(slots_of(view)), "recovered",
				      whole(sum->recovered), "begun", whole(sum->counters.sessions), "not_followed",
				      whole(sum->counters.full)));
	json_object_set_new(
		object, "expectations",
		json_pack("{s:I, s:I}", "now", whole(sum->expected), "made", whole(sum->counters.expectations)));
	json_object_set_new(object, "packets",
			    json_pack("{s:I, s:I, s:I, s:I}", "seen", whole(sum->counters.packets), "rewritten",
				      whole(sum->counters.rewritten), "held", whole(sum->counters.held), "dropped",
				      whole(sum->counters.dropped)));
}

static const char *const states[] = {
	[WATCHED_NOT] = "unwatched",
	[WATCHED_NEVER] = "never-seen",
	[WATCHED_THERE] = "in-place",
	[WATCHED_GONE] = "gone",
};

static json_t *rules_of(const struct view *view)
{
	const struct watched *watched = view->config.watched;
	const enum watched_state state = answer_rules_state(watched);
	json_t *object = json_pack("{s:s}", "state", states[state]);

	if (state == WATCHED_NOT)
		return object;
	if (state != WATCHED_NEVER)
		json_object_set_new(object, "since", json_real(view_time(watched_number(&watched->changed))));
	json_object_set_new(object, "gone", json_integer(whole(watched_number(&watched->gone))));
	json_object_set_new(object, "put_back", json_integer(whole(watched_number(&watched->put_back))));
	answer_missing(object, watched);
	return object;
}

bool answer_status(struct response *answer)
{
	const struct view *view = answer->view;
	const struct asking_config *config = &view->config;
	json_t *object = answer_begin(answer);
	struct figures sum;

	view_sum(view, &sum);
	json_object_set_new(object, "program", json_string(VERSION));
	json_object_set_new(object, "mode", json_string(mode_names[config->options->attach.mode]));
	json_object_set_new(object, "mode_chosen", json_boolean(config->mode_chosen));
	json_object_set_new(object, "seqadj", json_string(attach_seqadj_names[config->options->attach.seqadj]));
	json_object_set_new(object, "sandbox", json_string(config->sandbox));
	json_object_set_new(object, "rules", json_string(config->rules));
	json_object_set_new(object, "rules_found", rules_of(view));
	json_object_set_new(object, "since", json_real(view_time(view->since)));
	json_object_set_new(object, "uptime", json_real((double)(clock_of_sessions() - view->since) / 1000));
	json_object_set_new(object, "queues", queues_of(view));
	add_sessions(object, view, &sum);
	json_object_set_new(object, "rates", rates_of(view));
	json_object_set_new(object, "refusals", refusals_of(view, &sum));
	json_object_set_new(
		object, "readers",
		json_pack("{s:i, s:I}", "now", (int)view->readers, "turned_away", whole(view->turned_away)));
	answer_line(answer, object);
	return true;
}
