// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon: a worker a queue, and the main thread, which only waits for signals.
 */
#include "asking/asking.h"
#include "command.h"
#include "daemon/attachment.h"
#include "daemon/confinement.h"
#include "daemon/log.h"
#include "daemon/tally.h"
#include "daemon/worker.h"
#include "host/notify.h"
#include "isolation/rulekeeper.h"
#include "reload.h"
#include "rules_place.h"
#include "ruleset/marks.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the guard is looked after, besides at once when it ends. */
#define KEEP_NANOSECONDS 100000000

/* For the last lines, where standard error is not read. */
#define LAST_LINES_MILLISECONDS 500

struct daemon {
	struct reload reload;
	struct options options; /* of these, and what has been settled since */
	struct confinement confinement;
	char confined[ISOLATION_TEXT_MAX]; /* what is in force of it */
	struct attachment attachment;
	struct control control;
	struct notify notify;
	struct worker *workers;
	unsigned int count;
	unsigned int opened;
	struct request request;	       /* the rules that are ours to make ... */
	const struct backend *backend; /* ... and by whom; NULL: none are */
	struct rulekeeper keeper;      /* who does it */
	bool placed;
	struct asking *asking; /* NULL: it cannot be asked */
};

static int open_workers(struct daemon *daemon)
{
	int error = 0;

	daemon->count = queue_range_count(&daemon->options.attach.queues);
	daemon->workers = daemon->count ? calloc(daemon->count, sizeof(*daemon->workers)) : NULL;
	if (!daemon->workers) {
		log_why(LOG_LEVEL_ERROR, "no-memory", "no memory for %u workers", daemon->count);
		return -ENOMEM;
	}
	for (; daemon->opened < daemon->count && !error; daemon->opened++)
		error = worker_open(&daemon->workers[daemon->opened], &daemon->options, &daemon->control,
				    daemon->opened);
	return error;
}

/* That it cannot be asked is no reason to end. */
static void open_asking(struct daemon *daemon)
{
	struct asking_config config = {
		.options = &daemon->options,
		.mode_chosen = daemon->attachment.chosen,
		.sandbox = daemon->confined,
		.rules = daemon->backend ? "put in place and taken away by the daemon" :
					   "not kept by the daemon; `nfq-ftp-helper rules --apply' puts them in place",
		.sources = daemon->count,
	};

	for (unsigned int i = 0; i < daemon->count; i++) {
		struct worker *worker = &daemon->workers[i];

		config.source[i] = (struct asking_source){ .table = worker->engine.table,
							   .published = &worker->published,
							   .events = &worker->events,
							   .queue = worker->queue_config.queue,
							   .sure_queue = worker->queue_config.sure_queue };
	}
	(void)asking_open(&daemon->asking, &config);
}

static int start_workers(struct daemon *daemon)
{
	int error = 0;

	for (unsigned int i = 0; i < daemon->count && !error; i++)
		error = worker_start(&daemon->workers[i]);
	return error;
}

/* Stop all threads. Return: the first failure of one. */
static int stop_workers(struct daemon *daemon)
{
	int failure = 0;

	atomic_store_explicit(&daemon->control.stop, true, memory_order_relaxed);
	for (unsigned int i = 0; i < daemon->opened; i++) {
		int error = worker_join(&daemon->workers[i]);

		if (!failure)
			failure = error;
	}
	return failure;
}

static void close_workers(struct daemon *daemon)
{
	for (unsigned int i = 0; i < daemon->opened; i++)
		worker_close(&daemon->workers[i]);
	free(daemon->workers);
}

static void tell_ready(const struct daemon *daemon)
{
	const struct attach *attach = &daemon->options.attach;
	const char *file = daemon->reload.values.file;
	char queues[QUEUE_RANGE_TEXT_MAX], sure[QUEUE_RANGE_TEXT_MAX] = "none", label[24] = "";
	uint32_t recovered = 0;

	for (unsigned int i = 0; i < daemon->count; i++)
		recovered += daemon->workers[i].recovered;
	if (attach->sure_queues.given)
		queue_range_text(&attach->sure_queues, sure);
	if (attach->labels)
		snprintf(label, sizeof(label), " label=%u", attach->label);
	log_line(
		LOG_LEVEL_NOTICE,
		"event=ready mode=%s%s queue=%s sure-queue=%s seqadj=%s mark=%#x/%#x%s sessions=%u recovered=%u rules=%s "
		"file=%s",
		mode_names[attach->mode], daemon->attachment.chosen ? " mode-chosen=yes" : "",
		queue_range_text(&attach->queues, queues), sure, attach_seqadj_names[attach->seqadj], attach->mark,
		attach->mark_mask, label, daemon->options.sessions, recovered,
		daemon->backend ? daemon->backend->name : "none", file[0] ? file : "none");
}

/* ---- whoever started it as a service ---- */

/* A line of how it is. */
static void put_status(const struct daemon *daemon, char text[NOTIFY_STATUS_MAX])
{
	char queues[QUEUE_RANGE_TEXT_MAX];
	uint64_t followed = 0;

	for (unsigned int i = 0; i < daemon->count; i++)
		followed += atomic_load_explicit(&daemon->workers[i].followed, memory_order_relaxed);
	snprintf(text, NOTIFY_STATUS_MAX, "mode %s, queue %s: %" PRIu64 " control connections followed",
		 mode_names[daemon->options.attach.mode], queue_range_text(&daemon->options.attach.queues, queues),
		 followed);
}

/* It is alive as long as each of its workers is, not only the thread that says so. */
static void tell_alive(struct daemon *daemon)
{
	const uint64_t now = worker_clock();
	char status[NOTIFY_STATUS_MAX];
	uint64_t idle = 0;

	for (unsigned int i = 0; i < daemon->count; i++) {
		const uint64_t beat = atomic_load_explicit(&daemon->workers[i].beat, memory_order_relaxed);

		if (now > beat && now - beat > idle)
			idle = now - beat;
	}
	put_status(daemon, status);
	notify_status(&daemon->notify, now, status);
	notify_alive(&daemon->notify, now, idle);
}

static void tell_service_ready(struct daemon *daemon)
{
	char status[NOTIFY_STATUS_MAX];

	put_status(daemon, status);
	notify_ready(&daemon->notify, status);
}

static void tell_summary(const struct daemon *daemon)
{
	struct counters sum = { 0 };

	for (unsigned int i = 0; i < daemon->count; i++)
		tally_add(&sum, &daemon->workers[i].engine.counters);
	tally_log("event=ended", &sum);
}

/* ---- rules ---- */

static int apply(void *context)
{
	const struct daemon *daemon = context;

	return rules_place(&daemon->request, daemon->backend);
}

static int take_away(void *context)
{
	const struct daemon *daemon = context;

	return rules_take_away(daemon->backend, NULL);
}

/* Nothing else of the daemon starts a program, once it is confined. */
static int start_keeper(struct daemon *daemon)
{
	const struct rulekeeper_acts acts = { .apply = apply, .remove = take_away, .context = daemon };
	int error;

	if (!daemon->backend)
		return 0;
	error = rulekeeper_start(&daemon->keeper, &acts);
	if (error)
		log_why(LOG_LEVEL_ERROR, "rules", "no process can be made to keep the rules: %s", strerror(-error));
	return error;
}

/* When packets are served. */
static int place_rules(struct daemon *daemon)
{
	const int error = daemon->backend ? rulekeeper_apply(&daemon->keeper) : 0;

	if (error)
		log_why(LOG_LEVEL_ERROR, "rules", "the rules of mode %s could not be put in place, with backend %s: %s",
			mode_names[daemon->request.attach.mode], daemon->backend->name, strerror(-error));
	daemon->placed = daemon->backend && !error;
	return error;
}

/* While packets are still served. Who has not come so far may not take away another daemon's. */
static void take_rules_away(struct daemon *daemon)
{
	if (daemon->placed && rulekeeper_remove(&daemon->keeper))
		log_why(LOG_LEVEL_WARNING, "rules",
			"the rules could not be taken away: `nfq-ftp-helper rules --remove' does that");
	rulekeeper_end(&daemon->keeper);
}

/* ---- settings that change ---- */

static void set_log_level(const struct daemon *daemon)
{
	static const enum log_level levels[] = { LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

	log_set_level(levels[daemon->reload.values.verbose]);
}

static void reload(struct daemon *daemon)
{
	const struct options *said = &daemon->reload.values.run;

	if (!reload_again(&daemon->reload))
		return;
	daemon->options.policy = said->policy;
	daemon->options.expect_timeout = said->expect_timeout;
	daemon->options.unregister = said->unregister;
	set_log_level(daemon);
	if (!settings_publish(&daemon->control.settings, &daemon->options))
		log_why(LOG_LEVEL_ERROR, "no-memory", "no memory for the new settings: the old ones stay in force");
}

static void prune_settings(struct daemon *daemon)
{
	unsigned int oldest = UINT_MAX;

	for (unsigned int i = 0; i < daemon->count; i++) {
		const unsigned int has = atomic_load_explicit(&daemon->workers[i].generation, memory_order_acquire);

		oldest = has < oldest ? has : oldest;
	}
	settings_prune(&daemon->control.settings, oldest);
}

/* ---- signals ---- */

/* A terminal that goes away is an end like any other, unless that is ignored, as by nohup. From anybody else, SIGHUP is a request. */
static bool terminal_gone(int number, const siginfo_t *info)
{
	return number == SIGHUP && info->si_code == SI_KERNEL;
}

static void wait_for_end(struct daemon *daemon, const sigset_t *signals, bool hangs_up)
{
	const struct timespec patience = { .tv_nsec = KEEP_NANOSECONDS };

	for (;;) {
		siginfo_t info = { 0 };
		const int number = sigtimedwait(signals, &info, &patience);
		const bool gone = terminal_gone(number, &info);

		attachment_keep(&daemon->attachment);
		prune_settings(daemon);
		tell_alive(daemon);
		if (number == SIGUSR1)
			atomic_fetch_add_explicit(&daemon->control.counters_wanted, 1, memory_order_relaxed);
		else if (number == SIGHUP && !gone)
			reload(daemon);
		else if (number > 0 && number != SIGCHLD && (!gone || hangs_up))
			return;
	}
}

/* Threads inherit the mask: signals are for the main thread only. One that was ignored is taken all the same once it is blocked. */
static void block_signals(sigset_t *signals)
{
	static const int ours[] = { SIGHUP, SIGCHLD, SIGTERM, SIGINT, SIGUSR1 };

	sigemptyset(signals);
	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(signals, ours[i]);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* From here on the log holds nothing up. It has a thread for that. */
static void start_log(void)
{
	const int error = log_start();

	if (error)
		log_why(LOG_LEVEL_WARNING, "log",
			"no thread can be made to write these lines, so they may hold everything up: %s",
			strerror(-error));
}

/* All that takes root's rights, and then these are given up: isolation.h. */
static int open_daemon(struct daemon *daemon)
{
	int error = start_keeper(daemon);

	notify_open(&daemon->notify);
	if (!error)
		error = attachment_open(&daemon->attachment, &daemon->options);
	if (!error)
		error = open_workers(daemon);
	if (!error)
		error = attachment_join(&daemon->attachment);
	if (!error)
		open_asking(daemon);
	if (!error)
		error = confinement_enter(&daemon->confinement, &daemon->options);
	confinement_text(&daemon->confinement, daemon->confined);
	return error;
}

static int start_daemon(struct daemon *daemon)
{
	int error = attachment_begin(&daemon->attachment);

	if (!error)
		error = start_workers(daemon);
	return error ? error : place_rules(daemon);
}

static int run_daemon(struct daemon *daemon, const sigset_t *signals, bool hangs_up)
{
	int failure, error = open_daemon(daemon);

	start_log();
	if (!error)
		error = start_daemon(daemon);
	if (!error) {
		if (daemon->asking)
			(void)asking_start(daemon->asking);
		tell_ready(daemon);
		tell_service_ready(daemon);
		wait_for_end(daemon, signals, hangs_up);
	}
	notify_stopping(&daemon->notify);
	take_rules_away(daemon);
	asking_close(daemon->asking);
	attachment_end(&daemon->attachment);
	failure = stop_workers(daemon);
	if (!error)
		tell_summary(daemon);
	close_workers(daemon);
	settings_free(&daemon->control.settings);
	attachment_close(&daemon->attachment);
	notify_close(&daemon->notify);
	return error || failure ? EXIT_FAILED : EXIT_DONE;
}

static bool reads_file(const struct option_values *values)
{
	(void)values;
	return true;
}

/* With the priority that whoever collects the lines may want. */
static void complain(const char *sentence)
{
	log_why(LOG_LEVEL_ERROR, "configuration", "%s", sentence);
}

static const struct option_page page = {
	.command = OPTION_OF_RUN,
	.about = "Follows FTP control connections that NFQUEUE rules hand over, rewrites the addresses in them where\n"
		 "NAT takes place, and tells conntrack which data connections to expect. Runs in the foreground.\n",
	.end = "Signals: SIGTERM and SIGINT end it, SIGHUP reads the configuration again, SIGUSR1 logs its counters.\n"
	       "Exit codes: 0 ended by a signal, 1 failed, 2 wrong usage.\n",
	.reads_file = reads_file,
	.complain = complain,
};

static int tell_tested(const struct option_values *values)
{
	if (values->file[0])
		printf("the configuration in `%s' is good\n", values->file);
	else
		printf("there is no file, and the command line is good\n");
	return EXIT_DONE;
}

/* What the rules are is known before anything else is opened: whoever makes them may be another process. Return: as below. */
static int settle_rules(struct daemon *daemon)
{
	const struct option_values *values = &daemon->reload.values;
	struct request *request = &daemon->request;
	char complaint[OPTION_COMPLAINT_MAX];

	*request = values->request;
	request->attach = daemon->options.attach;
	if (!rules_settle(request, complaint)) {
		log_why(LOG_LEVEL_ERROR, "rules", "%s", complaint);
		return EXIT_USAGE;
	}
	daemon->options.attach = request->attach;
	daemon->backend = values->backend < BACKENDS ? backends[values->backend] : backends_choose(request);
	return OPTION_GO_ON;
}

/* What was not said. Return: OPTION_GO_ON, or an exit code. */
static int settle_options(struct daemon *daemon)
{
	const struct option_values *values = &daemon->reload.values;

	daemon->options = values->run;
	if (values->rules)
		return settle_rules(daemon);
	marks_settle(&daemon->options.attach, &values->request.ports, false);
	return OPTION_GO_ON;
}

/* Each would take away what the other has put in place. */
static void tell_rules_twice(const struct daemon *daemon)
{
	if (daemon->reload.values.rules && notify_unit_is_active(NOTIFY_UNITS, RULES_UNIT))
		log_why(LOG_LEVEL_WARNING, "rules-twice",
			"the unit " RULES_UNIT
			" has the rules, and `rules = yes' says that the daemon has: at its end it takes away "
			"what the unit has put in place; `systemctl mask --now " RULES_UNIT
			"', or leave `rules' at no");
}

int command_run(int argc, char **argv)
{
	static struct daemon daemon; /* all zero: nothing of it stands in the program's file */
	const bool hangs_up = !is_ignored(SIGHUP);
	sigset_t signals;
	int status;

	daemon.reload.page = &page;
	daemon.keeper = (struct rulekeeper)RULEKEEPER_NONE;
	daemon.reload.argc = argc;
	daemon.reload.argv = argv;
	status = reload_begin(&daemon.reload);
	if (status == OPTION_GO_ON && daemon.reload.values.test_config)
		return tell_tested(&daemon.reload.values);
	if (status == OPTION_GO_ON)
		status = settle_options(&daemon);
	if (status != OPTION_GO_ON)
		return status;
	set_log_level(&daemon);
	tell_rules_twice(&daemon);
	if (confinement_prepare(&daemon.confinement, &daemon.options) < 0)
		return EXIT_FAILED;
	block_signals(&signals);
	log_hold();
	status = run_daemon(&daemon, &signals, hangs_up);
	log_stop(LAST_LINES_MILLISECONDS);
	return status;
}
