// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metrics: a line a family, in terms of OpenMetrics. How they are written is the asker's (tell_metrics.c).
 */
#include "answer.h"
#include "host/module.h"

#define AT(member) offsetof(struct figures, member)

// clang-format off
static const struct row {
	const char *name;
	bool gauge; /* else a counter */
	size_t at;  /* in struct figures */
	const char *help;
} rows[] = {
#define ROW(member, key, metric, help) { metric, false, AT(counters.member), help },
	COUNTERS(ROW)
#undef ROW
	{ "packets_of_data",	    false, AT(data_packets),		"Packets of data connections that the kernel queued, passed at once." },
	{ "packets_unread",	    false, AT(unread),			"Packets dropped since they were too long to be read." },
	{ "queue_receives",	    false, AT(queue.receives),		"System calls that brought packets." },
	{ "queue_sends",	    false, AT(queue.sends),		"System calls that took verdicts." },
	{ "packets_large",	    false, AT(queue.large),		"Packets beyond the MTU of the path, to be cut up later." },
	{ "queue_strange",	    false, AT(queue.strange),		"Messages of a queue that could not be read." },
	{ "verdicts_late",	    false, AT(queue.late),		"Verdicts for packets that were gone already." },
	{ "verdicts_retried",	    false, AT(queue.retries),		"Sends of verdicts that the kernel did not take at first." },
	{ "verdicts_unsent",	    false, AT(queue.unsent),		"Verdicts that the kernel never took: their packets were dropped." },
	{ "queue_unreceived",	    false, AT(queue.unreceived),	"Receives that failed for want of memory." },
	{ "conntrack_exchanges",    false, AT(exchanges),		"Questions to conntrack." },
	{ "adjustments_by_kernel",  false, AT(kernel_adjusted),		"Sequence adjustments that the kernel does." },
	{ "adjustments_by_daemon",  false, AT(self_adjusted),		"Sequence adjustments that this program does." },
	{ "sessions_recovered",	    true,  AT(recovered),		"Sessions that an earlier daemon left." },
	{ "sessions",		    true,  AT(sessions),		"Control connections followed now." },
	{ "sessions_busy",	    true,  AT(busy),			"Of these, with something announced, held or in flight." },
	{ "expectations",	    true,  AT(expected),		"Data connections expected now." },
};
// clang-format on

// clang-format off
/* Of the kernel module. What it deals with by itself is counted there alone. */
static const struct module_row {
	const char *name;
	const char *counter; /* as it calls it */
	const char *help;
} module_rows[] = {
	{ "module_packets",	  "packets",	"Packets of control connections that the kernel module has seen." },
	{ "module_packets_queued", "queued",	"Of these, packets that it has queued." },
	{ "module_expectations_made", "announced", "Data connections that the kernel module expects by itself." },
	{ "module_rewrites",	  "edited",	"Arguments that the kernel module has rewritten by itself." },
	{ "module_rewrites_again", "again",	"Segments with such an argument that came again." },
	{ "module_declined",	  "declined",	"Announcements that the kernel module has left to this program." },
	{ "module_expectations_withdrawn", "withdrawn", "Expectations of its own that the kernel module has taken back." },
};
// clang-format on

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static json_t *family(const char *name, const char *type, const char *help)
{
	return json_pack("{s:s, s:s, s:s, s:[]}", "name", name, "type", type, "help", help, "samples");
}

/* One with at most one label. */
static void add_sample(json_t *object, const char *label, const char *value, json_t *number)
{
	json_t *sample = json_pack("{s:o}", "value", number);

	if (label)
		json_object_set_new(sample, "labels", json_pack("{s:s}", label, value));
	json_array_append_new(json_object_get(object, "samples"), sample);
}

/* A family of one number. */
static void add_number(struct response *answer, const char *name, const char *type, const char *help, uint64_t number)
{
	json_t *object = family(name, type, help);

	add_sample(object, NULL, NULL, json_integer((json_int_t)number));
	answer_line(answer, object);
}

static void add_rows(struct response *answer, const struct figures *sum)
{
	for (size_t i = 0; i < ROWS; i++)
		add_number(answer, rows[i].name, rows[i].gauge ? "gauge" : "counter", rows[i].help,
			   figures_number_at(sum, rows[i].at));
}

static void add_reasons(struct response *answer, const struct figures *sum)
{
	json_t *refusals = family("refusals", "counter", "Announcements that opened nothing.");
	json_t *disbelieved = family("packets_disbelieved", "counter", "Packets that their receiver would not take.");

	for (unsigned int i = REFUSED_NOT + 1; i < REFUSALS; i++)
		add_sample(refusals, "reason", refusal_name((enum refusal)i),
			   json_integer((json_int_t)sum->counters.refusals[i]));
	for (unsigned int i = BELIEVED + 1; i < BELIEFS; i++)
		add_sample(disbelieved, "reason", belief_name((enum belief)i),
			   json_integer((json_int_t)sum->counters.disbelieved[i]));
	answer_line(answer, refusals);
	answer_line(answer, disbelieved);
}

static void add_verdicts(struct response *answer, const struct figures *sum)
{
	static const char *const names[FIGURES_VERDICTS] = { "accept", "replace", "drop" };
	json_t *object = family("verdicts", "counter", "What became of packets.");

	for (unsigned int i = 0; i < FIGURES_VERDICTS; i++)
		add_sample(object, "verdict", names[i], json_integer((json_int_t)sum->verdicts[i]));
	answer_line(answer, object);
}

/* How long packets are here: from the system call that brought them to that which took their verdicts. */
static void add_latency(struct response *answer, const struct figures *sum)
{
	json_t *object = family("packet_seconds", "histogram", "Time of a packet in user space, at most.");
	json_t *buckets = json_array();
	uint64_t count = 0;

	for (unsigned int i = 0; i < FIGURES_BUCKETS; i++) {
		json_t *bound = i < FIGURES_BUCKETS - 1 ? json_real((double)figures_bounds[i] / 1e9) : NULL;

		count += sum->latency[i];
		json_array_append_new(buckets, json_pack("{s:I, s:o*}", "count", (json_int_t)count, "le", bound));
	}
	json_object_update_new(object, json_pack("{s:s, s:o, s:f, s:I}", "unit", "seconds", "buckets", buckets, "sum",
						 (double)sum->latency_nanoseconds / 1e9, "count", (json_int_t)count));
	answer_line(answer, object);
}

/* Of each queue; the last three where they can be read. */
static const struct {
	const char *name, *type, *help;
} queue_rows[] = {
	{ "queue_seen", "gauge", "1: what the kernel counts of the queue can be read; 0: it cannot, and is not told." },
	{ "queue_waiting", "gauge", "Packets that wait in the kernel." },
	{ "queue_dropped_full", "counter", "Packets the kernel dropped as a queue was full." },
	{ "queue_dropped_unsent", "counter", "Packets the kernel dropped as a socket was full." },
};

#define QUEUE_ROWS (sizeof(queue_rows) / sizeof(queue_rows[0]))

static void add_queue_samples(const struct view *view, int32_t number, json_t *const families[QUEUE_ROWS])
{
	struct nfqueue_stat stat = { 0 };
	const bool seen = number != NFQUEUE_NONE && !view_queue(view, number, &stat);
	const json_int_t values[QUEUE_ROWS] = { seen, stat.waiting, stat.full, stat.unsent };
	char name[16];

	snprintf(name, sizeof(name), "%d", number);
	for (size_t i = 0; number != NFQUEUE_NONE && i < (seen ? QUEUE_ROWS : 1); i++)
		add_sample(families[i], "queue", name, json_integer(values[i]));
}

static void add_queues(struct response *answer)
{
	const struct asking_config *config = &answer->view->config;
	json_t *families[QUEUE_ROWS];

	for (size_t i = 0; i < QUEUE_ROWS; i++)
		families[i] = family(queue_rows[i].name, queue_rows[i].type, queue_rows[i].help);
	for (unsigned int i = 0; i < config->sources; i++) {
		add_queue_samples(answer->view, config->source[i].queue, families);
		add_queue_samples(answer->view, config->source[i].sure_queue, families);
	}
	for (size_t i = 0; i < QUEUE_ROWS; i++)
		answer_line(answer, families[i]);
}

/* One that is built without what deals with plain sessions has fewer. */
static void add_module(struct response *answer)
{
	char text[MODULE_COUNTERS_MAX];

	if (module_counters_read(answer->view->config.module, text) < 0)
		return;
	for (size_t i = 0; i < sizeof(module_rows) / sizeof(module_rows[0]); i++) {
		const struct module_row *row = &module_rows[i];
		uint64_t value;

		if (module_counter(text, row->counter, &value))
			add_number(answer, row->name, "counter", row->help, value);
	}
}

/* How the rules stand. Where nobody looks nothing is said. */
static void add_rules_found(struct response *answer)
{
	const struct watched *watched = answer->view->config.watched;
	const enum watched_state state = answer_rules_state(watched);

	if (state == WATCHED_NOT)
		return;
	add_number(answer, "rules_in_place", "gauge", "Whether the rules that were seen in place are there now.",
		   state == WATCHED_THERE);
	add_number(answer, "rules_gone", "counter", "How often rules have gone.", watched_number(&watched->gone));
	add_number(answer, "rules_put_back", "counter", "How often this program has put them back.",
		   watched_number(&watched->put_back));
}

static void add_program(struct response *answer)
{
	const struct view *view = answer->view;
	json_t *build = family("build_info", "gauge", "The program's version.");
	json_t *start = family("start_time_seconds", "gauge", "When the daemon began, since 1970.");

	add_sample(build, "version", VERSION, json_integer(1));
	add_sample(start, NULL, NULL, json_real(view_time(view->since)));
	json_object_set_new(start, "unit", json_string("seconds"));
	answer_line(answer, build);
	answer_line(answer, start);
	add_number(answer, "askers_turned_away", "counter", "Questions that were not answered, since too many asked.",
		   view->turned_away);
}

bool answer_metrics(struct response *answer)
{
	struct figures sum;

	view_sum(answer->view, &sum);
	answer_line(answer, answer_begin(answer));
	add_rows(answer, &sum);
	add_verdicts(answer, &sum);
	add_reasons(answer, &sum);
	add_latency(answer, &sum);
	add_queues(answer);
	add_module(answer);
	add_rules_found(answer);
	add_program(answer);
	return true;
}
