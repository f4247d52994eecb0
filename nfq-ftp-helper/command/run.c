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
#include "option.h"
#include "ruleset/marks.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the guard is looked after, besides at once when it ends. */
#define KEEP_NANOSECONDS 100000000

/* For the last lines, where standard error is not read. */
#define LAST_LINES_MILLISECONDS 500

struct daemon {
	struct options options;
	struct confinement confinement;
	struct attachment attachment;
	struct control control;
	struct notify notify;
	struct worker *workers;
	unsigned int count;
	unsigned int opened;
	struct asking *asking; /* NULL: it cannot be asked */
};

static int open_workers(struct daemon *daemon)
{
	int error = 0;

	daemon->count = queue_range_count(&daemon->options.attach.queues);
	daemon->workers = daemon->count ? calloc(daemon->count, sizeof(*daemon->workers)) : NULL;
	if (!daemon->workers) {
		log_line(LOG_LEVEL_ERROR, "no memory for %u workers", daemon->count);
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
		.sandbox = "none",
		.rules = "not kept by the daemon; `nfq-ftp-helper rules --apply' puts them in place",
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
	static const char *const adjusters[] = {
		[SEQADJ_MODE_AUTO] = "by the kernel where it can",
		[SEQADJ_MODE_KERNEL] = "by the kernel",
		[SEQADJ_MODE_SELF] = "by this program",
	};
	const struct attach *attach = &daemon->options.attach;
	char queues[QUEUE_RANGE_TEXT_MAX], sure[QUEUE_RANGE_TEXT_MAX] = "none", label[24] = "";
	uint32_t recovered = 0;

	for (unsigned int i = 0; i < daemon->count; i++)
		recovered += daemon->workers[i].recovered;
	if (attach->sure_queues.given)
		queue_range_text(&attach->sure_queues, sure);
	if (attach->labels)
		snprintf(label, sizeof(label), " or label %u", attach->label);
	log_line(LOG_LEVEL_NOTICE,
		 "ready: mode %s%s, queue %s, sure queue %s, sequence numbers adjusted %s, mark "
		 "%#x/%#x%s, %u sessions per queue, %u recovered",
		 mode_names[attach->mode], daemon->attachment.chosen ? " (by default)" : "",
		 queue_range_text(&attach->queues, queues), sure, adjusters[attach->seqadj], attach->mark,
		 attach->mark_mask, label, daemon->options.sessions, recovered);
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
	tally_log("ended", &sum);
}

static void wait_for_end(struct daemon *daemon, const sigset_t *signals)
{
	const struct timespec patience = { .tv_nsec = KEEP_NANOSECONDS };

	for (;;) {
		int number = sigtimedwait(signals, NULL, &patience);

		attachment_keep(&daemon->attachment);
		tell_alive(daemon);
		if (number == SIGUSR1)
			atomic_fetch_add_explicit(&daemon->control.counters_wanted, 1, memory_order_relaxed);
		else if (number > 0 && number != SIGCHLD)
			return;
	}
}

/* A signal that is ignored, as nohup has it, would be taken all the same once it is blocked. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/*
 * Threads inherit the mask: signals are for the main thread only. A terminal that goes away (SIGHUP) is an end like any
 * other.
 */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	if (!is_ignored(SIGHUP))
		sigaddset(signals, SIGHUP);
	signal(SIGCHLD, SIG_DFL);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* From here on the log holds nothing up. It has a thread for that. */
static void start_log(void)
{
	const int error = log_start();

	if (error)
		log_line(LOG_LEVEL_WARNING,
			 "no thread can be made to write these lines, so they may hold everything up: %s",
			 strerror(-error));
}

/* All that takes root's rights, and then these are given up: isolation.h. */
static int open_daemon(struct daemon *daemon)
{
	int error;

	notify_open(&daemon->notify);
	error = attachment_open(&daemon->attachment, &daemon->options);
	if (!error)
		error = open_workers(daemon);
	if (!error)
		error = attachment_join(&daemon->attachment);
	if (!error)
		open_asking(daemon);
	return error ? error : confinement_enter(&daemon->confinement, &daemon->options);
}

static int start_daemon(struct daemon *daemon)
{
	const int error = attachment_begin(&daemon->attachment);

	return error ? error : start_workers(daemon);
}

static int run_daemon(struct daemon *daemon, const sigset_t *signals)
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
		wait_for_end(daemon, signals);
	}
	notify_stopping(&daemon->notify);
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

static const struct option_page page = {
	.command = OPTION_OF_RUN,
	.about = "Follows FTP control connections that NFQUEUE rules hand over, rewrites the addresses in them where\n"
		 "NAT takes place, and tells conntrack which data connections to expect. Runs in the foreground.\n",
	.end = "Signals: SIGTERM and SIGINT end it, SIGUSR1 logs its counters.\n"
	       "Exit codes: 0 ended by a signal, 1 failed, 2 wrong usage.\n",
};

/* Return: OPTION_GO_ON, or an exit code. */
static int read_options(struct options *options, int argc, char **argv)
{
	static const enum log_level levels[] = { LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
	struct option_values values;
	char text[ATTACH_COMPLAINT_MAX];
	const char *complaint;
	int code = option_parse(&page, &values, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	*options = values.run;
	log_set_level(levels[values.verbose]);
	complaint = attach_complaint(&options->attach, text);
	if (!complaint) {
		marks_settle(&options->attach, &values.request.ports, false);
		return OPTION_GO_ON;
	}
	fprintf(stderr, "nfq-ftp-helper: %s\n", complaint);
	return EXIT_USAGE;
}

int command_run(int argc, char **argv)
{
	struct daemon daemon = { 0 };
	sigset_t signals;
	int status = read_options(&daemon.options, argc, argv);

	if (status != OPTION_GO_ON)
		return status;
	if (confinement_prepare(&daemon.confinement, &daemon.options) < 0)
		return EXIT_FAILED;
	block_signals(&signals);
	log_hold();
	status = run_daemon(&daemon, &signals);
	log_stop(LAST_LINES_MILLISECONDS);
	return status;
}
