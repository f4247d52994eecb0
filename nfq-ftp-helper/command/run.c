// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon: a worker a queue, and the main thread, which only waits for signals.
 */
#include "asking/asking.h"
#include "command.h"
#include "daemon/attachment.h"
#include "daemon/confinement.h"
#include "daemon/log.h"
#include "daemon/state.h"
#include "daemon/worker.h"
#include "host/clock.h"
#include "host/module.h"
#include "host/notify.h"
#include "kept_rules.h"
#include "reload.h"
#include "settle/settle.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often files of queues that are no longer used are looked for, and after how many times one goes that may be somebody else's: an hour. */
#define TIDY_MILLISECONDS 300000
#define TIDY_PATIENCE	  12

/* How often the guard is looked after, besides at once when it ends. */
#define KEEP_NANOSECONDS 100000000

/* For the last lines, where standard error is not read. */
#define LAST_LINES_MILLISECONDS 500

struct daemon {
	struct reload reload;
	struct options options; /* of these, and what has been settled since */
	bool mode_chosen;	/* by us, for want of a --mode */
	struct confinement confinement;
	char confined[ISOLATION_TEXT_MAX]; /* what is in force of it */
	struct attachment attachment;
	struct control control;
	struct notify notify;
	struct worker *workers;
	unsigned int count;
	unsigned int opened;
	struct kept_rules rules;
	struct state_tidy tidy;
	uint64_t tidied;       /* when, milliseconds */
	struct asking *asking; /* NULL: it cannot be asked */
};

static int open_workers(struct daemon *daemon)
{
	const struct options *options = &daemon->options;
	char complaint[STATE_COMPLAINT_MAX];
	int error = 0;

	if (!state_has_room(options->state_directory, &options->attach.queues, options->sessions, complaint)) {
		log_why(LOG_LEVEL_ERROR, "state", "%s", complaint);
		return -ENOSPC;
	}
	daemon->count = queue_range_count(&options->attach.queues);
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

/* Files of queues that are no longer used take memory, which a tmpfs is. */
static void tidy_state(struct daemon *daemon)
{
	const uint64_t now = clock_of_sessions();

	if (daemon->tidied && now - daemon->tidied < TIDY_MILLISECONDS)
		return;
	daemon->tidied = now;
	state_tidy(&daemon->tidy, daemon->options.state_directory, &daemon->options.attach.queues, TIDY_PATIENCE);
}

/* That it cannot be asked is no reason to end. */
static void open_asking(struct daemon *daemon)
{
	struct asking_config config = {
		.options = &daemon->options,
		.mode_chosen = daemon->mode_chosen,
		.sandbox = daemon->confined,
		.rules = daemon->rules.backend ?
				 "put in place and taken away by the daemon" :
				 "not kept by the daemon; `nfq-ftp-helper check' says what puts them in place",
		.watched = &daemon->rules.watched,
		.module = daemon->options.attach.mode == MODE_KMOD ? module_counters_open() : -ENODEV,
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
	char queues[QUEUE_RANGE_TEXT_MAX], sure[QUEUE_RANGE_TEXT_MAX] = "none", label[24] = "", path[LOG_VALUE_MAX];
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
		mode_names[attach->mode], daemon->mode_chosen ? " mode-chosen=yes" : "",
		queue_range_text(&attach->queues, queues), sure, attach_seqadj_names[attach->seqadj], attach->mark,
		attach->mark_mask, label, daemon->options.sessions, recovered,
		daemon->rules.backend ? daemon->rules.backend->name : "none", file[0] ? log_value(file, path) : "none");
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
	const uint64_t now = clock_of_sessions();
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
	struct figures sum = { 0 }, figures = { 0 };

	for (unsigned int i = 0; i < daemon->count; i++) {
		figures.counters = daemon->workers[i].engine.counters;
		figures_add(&sum, &figures);
	}
	worker_notices_tally("event=ended", &sum.counters);
}

/* ---- rules ---- */

static bool all_know(const struct daemon *daemon)
{
	const unsigned int unwatched = atomic_load_explicit(&daemon->control.unwatched, memory_order_relaxed);

	for (unsigned int i = 0; i < daemon->count; i++)
		if (atomic_load_explicit(&daemon->workers[i].doubted, memory_order_acquire) != unwatched)
			return false;
	return true;
}

static void attend_rules(struct daemon *daemon)
{
	const struct kept_rules_news news = kept_rules_attend(&daemon->rules, clock_of_sessions(), all_know(daemon));

	if (news.begun)
		atomic_fetch_add_explicit(&daemon->control.begun, 1, memory_order_release);
	if (news.unseen)
		atomic_fetch_add_explicit(&daemon->control.unwatched, 1, memory_order_release);
}

/* ---- settings that change ---- */

static void set_log_level(const struct daemon *daemon)
{
	static const enum log_level levels[] = { LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

	log_set_level(levels[daemon->reload.values.verbose]);
}

static void take_settings(struct daemon *daemon)
{
	const struct options *said = &daemon->reload.values.run;

	daemon->options.policy = said->policy;
	daemon->options.expect_timeout = said->expect_timeout;
	daemon->options.unregister = said->unregister;
	set_log_level(daemon);
	attachment_tell(&daemon->attachment);
	settings_publish(&daemon->control.settings, &daemon->options);
}

/* Whoever asks for that has mended something. */
static void reload(struct daemon *daemon)
{
	if (reload_again(&daemon->reload, &daemon->options.attach))
		take_settings(daemon);
	kept_rules_again(&daemon->rules, &daemon->reload.values.request);
}

/* ---- signals ---- */

/* A terminal that goes away is an end like any other, unless that is ignored, as by nohup. From anybody else, SIGHUP is a request. */
static bool terminal_gone(int number, const siginfo_t *info)
{
	return number == SIGHUP && info->si_code == SI_KERNEL;
}

/*
 * Of several the lowest number comes first. So behind a request only the others are heard for a while: whoever makes them without end keeps this
 * neither from ending nor, by what is said of each, the log from what else it has.
 */
static void wait_for_end(struct daemon *daemon, const sigset_t *signals, bool hangs_up)
{
	const struct timespec patience = { .tv_nsec = KEEP_NANOSECONDS };
	const sigset_t *heard = signals;
	sigset_t others = *signals;

	sigdelset(&others, SIGHUP);
	sigdelset(&others, SIGUSR1);
	for (;;) {
		siginfo_t info = { 0 };
		const int number = sigtimedwait(heard, &info, &patience);
		const bool gone = terminal_gone(number, &info);

		attachment_keep(&daemon->attachment);
		attachment_see(&daemon->attachment, clock_of_sessions(), asking_is_followed(daemon->asking));
		attend_rules(daemon);
		tidy_state(daemon);
		tell_alive(daemon);
		heard = number == SIGHUP || number == SIGUSR1 ? &others : signals;
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
	int error = kept_rules_start(&daemon->rules);

	notify_open(&daemon->notify);
	if (!error)
		error = attachment_open(&daemon->attachment, &daemon->options);
	if (!error)
		error = open_workers(daemon);
	if (!error)
		error = attachment_join(&daemon->attachment);
	if (!error) {
		open_asking(daemon);
		kept_rules_watch(&daemon->rules, daemon->reload.values.request.carrier, &daemon->options,
				 &daemon->confinement.user);
	}
	if (!error)
		error = confinement_enter(&daemon->confinement, &daemon->options);
	confinement_text(&daemon->confinement, daemon->confined);
	return error;
}

static int start_daemon(struct daemon *daemon)
{
	int error = attachment_begin(&daemon->attachment);

	attachment_see(&daemon->attachment, clock_of_sessions(), false);
	if (!error)
		error = start_workers(daemon);
	return error ? error : kept_rules_place(&daemon->rules);
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
	kept_rules_take_away(&daemon->rules);
	asking_close(daemon->asking);
	attachment_end(&daemon->attachment);
	failure = stop_workers(daemon);
	if (!error)
		tell_summary(daemon);
	close_workers(daemon);
	attachment_close(&daemon->attachment);
	notify_close(&daemon->notify);
	return error || failure ? EXIT_FAILED : EXIT_DONE;
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
	.reads_file = true,
	.complain = complain,
};

static void doubt(const char *sentence)
{
	log_why(LOG_LEVEL_WARNING, "rules-doubt", "%s", sentence);
}

/* What was not said. Return: OPTION_GO_ON, or an exit code. */
static int settle_options(struct daemon *daemon)
{
	const struct option_values *values = &daemon->reload.values;
	struct request *request = &daemon->rules.request;
	char complaint[SETTLE_COMPLAINT_MAX];

	daemon->options = values->run;
	daemon->mode_chosen = values->run.attach.mode == MODE_AUTO;
	*request = values->request;
	settle_doubts(request, doubt);
	if (values->rules)
		return kept_rules_settle(&daemon->rules, values->backend, &daemon->options);
	if (!settle_run(&daemon->options.attach, request, complaint))
		doubt(complaint);
	request->attach = daemon->options.attach;
	return OPTION_GO_ON;
}

int command_run(int argc, char **argv)
{
	static struct daemon daemon; /* all zero: nothing of it stands in the program's file */
	const bool hangs_up = !is_ignored(SIGHUP);
	char said[OPTION_SAID_MAX];
	sigset_t signals;
	int status;

	daemon.reload.page = &page;
	daemon.rules = KEPT_RULES_NONE;
	daemon.reload.argc = argc;
	daemon.reload.argv = argv;
	status = reload_begin(&daemon.reload);
	if (status == OPTION_GO_ON && daemon.reload.values.test_config)
		return command_run_test(&daemon.reload.values);
	if (status == OPTION_GO_ON)
		status = settle_options(&daemon);
	if (status != OPTION_GO_ON)
		return status;
	/*
	 * What its starter has left open is none of its business: a lock would be held for as long as it runs, and what can be written to could be
	 * by whoever takes it over.
	 */
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	set_log_level(&daemon);
	option_said(&daemon.reload.values, "user", daemon.options.user, said);
	if (confinement_prepare(&daemon.confinement, &daemon.options, said) < 0)
		return EXIT_FAILED;
	block_signals(&signals);
	log_hold();
	status = run_daemon(&daemon, &signals, hangs_up);
	log_stop(LAST_LINES_MILLISECONDS);
	return status;
}
