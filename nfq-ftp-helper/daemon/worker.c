// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A batch of packets goes through four steps: take what waits in the queue; look at each packet
 * and fetch its home slot of the table; fetch its session; handle each. So by the time a session is looked at, its memory has
 * had the time of a batch to come into the cache. Then all verdicts go back at once.
 *
 * What a packet makes the engine ask of conntrack has happened before the batch's verdicts are sent: a data
 * connection is expected before its announcement travels on, and adjusted sequence numbers are known before the first
 * byte that they are about.
 *
 * A thread blocks in nfqueue_receive() only, and there no longer than a tenth of a second; so it can be asked to stop
 * by a flag, and comes by its clock.
 */
#include "worker.h"

#include "host/clock.h"
#include "host/file.h"
#include "host/module.h"
#include "host/sysctl.h"
#include "kernel/cthelper.h"
#include "kernel/ctmessage.h"
#include "log.h"
#include "state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TICK_MILLISECONDS 100
/* So many ticks go once around the table: about a minute. */
#define SWEEP_TICKS 600
/* And so many around the work slots. */
#define WORKS_TICKS 50

#define MASTER_TIMEOUT	     432000 /* seconds: conntrack's default */
#define MASTER_TIMEOUT_LEAST 180

#define TAKEOVER_TRIES 100
#define TAKEOVER_WAIT  10000000 /* nanoseconds */

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* For engine.report. */
static void report_all(void *context, const struct report *report)
{
	struct worker *worker = context;

	events_put(&worker->events, report, worker->reporter.now);
	if (report->kind != REPORT_LINE) /* the log has nothing of dialogues that go as they should */
		reporter_report(&worker->reporter, report);
}

/* Nothing of what has been handled waits for the rest of its batch any more. A failure is met again at its end. */
static void send_packets(void *context)
{
	struct worker *worker = context;

	if (worker->queue)
		(void)nfqueue_send(worker->queue);
}

/* What the module let pass since it queued a packet of this connection the last time. */
static void take_note(struct worker *worker, unsigned int index, uint64_t now)
{
	const struct nfqueue_packet *packet = &worker->packets[index];
	struct connection connection;
	struct scan_note note;
	const void *scan;
	size_t size;

	if (worker->options->attach.mode != MODE_KMOD || !packet->conntrack)
		return;
	scan = ctmessage_read_private(packet->conntrack, packet->conntrack_length, CTHELPER_NAME, &size);
	if (!scan || !scan_note(scan, size, &note))
		return;
	if (ctmessage_read_connection(packet->conntrack, packet->conntrack_length, &connection) == 0)
		memcpy(note.adj, connection.binding.seqadj, sizeof(note.adj));
	passed_input(&worker->engine, &worker->arrivals[index], now, &note);
}

static void handle_packet(struct worker *worker, unsigned int index, uint64_t now)
{
	const struct nfqueue_packet *packet = &worker->packets[index];
	struct output output = { .buffer = worker->output, .capacity = sizeof(worker->output) };
	enum verdict verdict;

	worker->reporter.packet = packet;
	ctnetlink_hint(&worker->ctnetlink, packet->conntrack, packet->conntrack_length);
	take_note(worker, index, now);
	verdict = session_input(&worker->engine, &worker->arrivals[index], now, &output);
	worker->figures.verdicts[verdict]++;
	switch (verdict) {
	case VERDICT_ACCEPT:
		nfqueue_accept(worker->queue, packet);
		break;
	case VERDICT_REPLACE:
		nfqueue_replace(worker->queue, packet, output.packet, output.length);
		break;
	case VERDICT_DROP:
		nfqueue_drop(worker->queue, packet);
		break;
	}
	worker->reporter.packet = NULL;
}

/* May no packet of its connection pass unseen? */
static bool is_sure(const struct worker *worker, const struct nfqueue_packet *packet)
{
	const struct attach *attach = &worker->options->attach;

	return packet->queue == worker->queue_config.sure_queue ||
	       (attach->mark_mask && (packet->mark & attach->mark_mask) == attach->mark);
}

/* One that is longer than what the kernel hands over (64 KiB) is dropped where it might be unadjusted: TCP sends smaller ones then. */
static void pass_unread(struct worker *worker, unsigned int index)
{
	const struct nfqueue_packet *packet = &worker->packets[index];

	if (worker->arrived[index] != -EMSGSIZE || !is_sure(worker, packet)) {
		nfqueue_accept(worker->queue, packet);
		worker->figures.verdicts[VERDICT_ACCEPT]++;
		return;
	}
	nfqueue_drop(worker->queue, packet);
	worker->figures.verdicts[VERDICT_DROP]++;
	worker->figures.unread++;
}

static int arrive(struct worker *worker, unsigned int index)
{
	const struct nfqueue_packet *packet = &worker->packets[index];
	struct arrival *arrival = &worker->arrivals[index];
	int error;

	if (packet->expected) {
		worker->figures.data_packets++;
		return -EALREADY;
	}
	if (packet->truncated)
		return -EMSGSIZE;
	error = session_arrive_as(&worker->engine, arrival, packet->data, packet->length, packet->checksum_pending,
				  packet->zone, packet->tracked ? &packet->ends : NULL);
	arrival->conntrack_id = packet->conntrack_id;
	/* A kernel that sends connections along and has none for this packet calls it invalid, or was told not to track it. */
	arrival->invalid = nfqueue_tells_conntrack(worker->queue) && !packet->tracked;
	return error;
}

static int handle_batch(struct worker *worker, unsigned int count, uint64_t now)
{
	int error;

	for (unsigned int i = 0; i < count; i++)
		worker->arrived[i] = arrive(worker, i);
	session_prefetch(&worker->engine, worker->arrivals, count);
	for (unsigned int i = 0; i < count; i++) {
		if (worker->arrived[i] == 0)
			handle_packet(worker, i, now);
		else
			pass_unread(worker, i);
	}
	error = nfqueue_send(worker->queue);
	ctnetlink_flush(&worker->ctnetlink);
	return error;
}

/* Those of others are fetched: each is counted in one place. */
static void publish(struct worker *worker)
{
	struct table *table = worker->engine.table;
	const struct ctnetlink_counters *ct = &worker->ctnetlink.counters;
	struct figures *figures = &worker->figures;

	figures->counters = worker->engine.counters;
	figures->queue = nfqueue_counters(worker->queue);
	figures->sessions = table_sessions(table);
	figures->busy = table_works(table);
	figures->expected = table_taken(table, SHARE_EXPECTATIONS);
	figures->recovered = worker->recovered;
	figures->exchanges = worker->ctnetlink.exchange.runs;
	figures->kernel_adjusted = ct->kernel_adjusted;
	figures->self_adjusted = ct->self_adjusted;
	figures_publish(&worker->published, figures);
}

static void tick(struct worker *worker, uint64_t now)
{
	struct table *table = worker->engine.table;
	unsigned int wanted = atomic_load_explicit(&worker->control->counters_wanted, memory_order_relaxed);

	if (now - worker->ticked < TICK_MILLISECONDS)
		return;
	if (now / 1000 != worker->ticked / 1000)
		worker_notices_each_second(worker);
	worker_notices_once(worker);
	worker->ticked = now;
	worker_take_orders(worker, now);
	atomic_store_explicit(&worker->beat, now, memory_order_relaxed);
	atomic_store_explicit(&worker->followed, table_sessions(table), memory_order_relaxed);
	ctnetlink_hint(&worker->ctnetlink, NULL, 0);
	session_tick(&worker->engine, now, table_slots(table) / SWEEP_TICKS + 1);
	upkeep_tick(&worker->engine, now, table_slots(table) / SWEEP_TICKS + 1,
		    table_work_slots(table) / WORKS_TICKS + 1);
	ctnetlink_flush(&worker->ctnetlink);
	reporter_tick(&worker->reporter, now);
	if (wanted != worker->counters_given)
		worker_notices_counters(worker);
	worker->counters_given = wanted;
	publish(worker);
}

static int loop(struct worker *worker)
{
	while (!atomic_load_explicit(&worker->control->stop, memory_order_relaxed)) {
		int count = nfqueue_receive(worker->queue, worker->packets);
		const uint64_t now = clock_of_sessions(), begun = count > 0 ? nanoseconds() : 0;
		int error;

		if (count < 0)
			return count;
		worker->reporter.now = now;
		worker->engine.lines = events_want_lines(&worker->events);
		error = handle_batch(worker, (unsigned int)count, now);
		if (error)
			return error;
		if (count > 0)
			figures_latency(&worker->figures, (unsigned int)count, nanoseconds() - begun);
		tick(worker, now);
	}
	return 0;
}

static void *run_thread(void *context)
{
	struct worker *worker = context;

	worker->failure = loop(worker);
	if (!worker->failure)
		return NULL;
	log_why(LOG_LEVEL_ERROR, "queue-failed", "queue %u: the kernel's queue socket failed: %s",
		worker->queue_config.queue, strerror(-worker->failure));
	kill(getpid(), SIGTERM);
	return NULL;
}

static int open_state(struct worker *worker)
{
	const struct options *options = worker->options;
	const struct table_size size = state_size(options->sessions);

	if (getrandom(&worker->engine.random, sizeof(worker->engine.random), 0) < 0)
		return -errno;
	worker->engine.table = state_open(&worker->file, options->state_directory, worker->queue_config.queue,
					  &options->attach.queues, &size, &worker->recovered);
	return worker->engine.table ? 0 : -errno;
}

/* What each expectation is given by a helper of ours; 0: it is another. */
static uint32_t policy_timeout(const struct options *options)
{
	switch (options->attach.mode) {
	case MODE_CTHELPER:
		return options->expect_timeout; /* it is registered so: attachment.c */
	case MODE_KMOD:
		return FTP_EXPECTED_SECONDS;
	default:
		return 0;
	}
}

/* What conntrack gives an established connection when a packet of it comes. It is given so much once a minute: so not less than some. */
static uint32_t master_timeout(void)
{
	const int established = sysctl_number("net/netfilter/nf_conntrack_tcp_timeout_established");

	if (established < 0)
		return MASTER_TIMEOUT;
	return established > MASTER_TIMEOUT_LEAST ? (uint32_t)established : MASTER_TIMEOUT_LEAST;
}

static int open_conntrack(struct worker *worker)
{
	const struct attach *attach = &worker->options->attach;
	/* The module does not let marked connections pass, whichever queue they have. */
	const bool mark_edits = (attach->sure_queues.given && attach->mode == MODE_QUEUE) || attach->mode == MODE_KMOD;
	const struct ctnetlink_config config = {
		.send_packets = send_packets,
		.send_context = worker,
		.seqadj = attach->seqadj,
		.mark = attach->mark,
		.mark_mask = attach->mark_mask,
		.labels = attach->labels,
		.label = attach->label,
		.mark_edits = mark_edits,
		.guarded = mark_edits && (attach->mark_mask || attach->labels),
		.queueing_helper = attach->mode == MODE_QUEUE ? NULL : CTHELPER_NAME,
		.expect_timeout = worker->options->expect_timeout,
		.policy_timeout = policy_timeout(worker->options),
		.master_timeout = master_timeout(),
		.noted = attach->mode == MODE_KMOD,
	};
	int error = ctnetlink_open(&worker->ctnetlink, &config);
	char way[MODULE_WAY_MAX];

	if (error == -EPERM)
		log_why(LOG_LEVEL_ERROR, "conntrack",
			"the kernel does not let us at its connections: start this as root, or with "
			"CAP_NET_ADMIN");
	else if (error == -EPROTONOSUPPORT)
		log_why(LOG_LEVEL_ERROR, "conntrack", "the kernel has no ctnetlink (CONFIG_NF_CT_NETLINK): %s",
			module_way("nf_conntrack_netlink", way));
	else if (error)
		log_why(LOG_LEVEL_ERROR, "conntrack", "the kernel's connections cannot be reached: %s",
			strerror(-error));
	return error;
}

static void complain_queue(const struct worker *worker, enum nfqueue_step step, int error)
{
	const struct nfqueue_config *config = &worker->queue_config;
	const bool sure = step == NFQUEUE_BIND_SURE;
	char way[MODULE_WAY_MAX];

	if (step == NFQUEUE_SUBSYSTEM && error == -EPERM)
		log_why(LOG_LEVEL_ERROR, "queue",
			"the kernel does not let us at its queues: start this as root, or with "
			"CAP_NET_ADMIN");
	else if (step == NFQUEUE_SUBSYSTEM || step == NFQUEUE_SOCKET)
		log_why(LOG_LEVEL_ERROR, "queue", "the kernel has no NFQUEUE (CONFIG_NETFILTER_NETLINK_QUEUE; %s): %s",
			strerror(-error), module_way("nfnetlink_queue", way));
	else if (error == -EPERM || error == -EBUSY)
		log_why(LOG_LEVEL_ERROR, "queue",
			"queue %d is taken by another program: end that one, or choose another "
			"number with --%squeue",
			sure ? config->sure_queue : config->queue, sure ? "sure-" : "");
	else
		log_why(LOG_LEVEL_ERROR, "queue", "queue %u cannot be used: %s", config->queue, strerror(-error));
}

/* Has another socket the queue? The kernel says EPERM then, or EBUSY. */
static bool is_taken(int error, enum nfqueue_step step)
{
	return (error == -EPERM || error == -EBUSY) && (step == NFQUEUE_BIND || step == NFQUEUE_BIND_SURE);
}

static int open_queue(struct worker *worker)
{
	enum nfqueue_step step = NFQUEUE_SOCKET;
	int error = nfqueue_open(&worker->queue_config, &worker->queue, &step);

	/* The guard of a daemon that has just died keeps the queue until it is through (attachment.c). */
	for (unsigned int tries = 0; is_taken(error, step) && tries < TAKEOVER_TRIES; tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = TAKEOVER_WAIT }, NULL);
		error = nfqueue_open(&worker->queue_config, &worker->queue, &step);
	}
	if (error)
		complain_queue(worker, step, error);
	else if (worker->options->attach.mode != MODE_QUEUE && !nfqueue_tells_conntrack(worker->queue)) {
		log_why(LOG_LEVEL_ERROR, "queue",
			"the kernel does not send a packet's connection along with it, which --mode "
			"%s needs: a kernel with CONFIG_NETFILTER_NETLINK_GLUE_CT does; --mode queue does without",
			mode_names[worker->options->attach.mode]);
		error = -EOPNOTSUPP;
	}
	return error;
}

/* Of the expectations that the kernel allows for at once, without those that its module makes by itself, a queue's part; 0: not known. */
static uint32_t kernel_expectations(const struct options *options)
{
	const unsigned int queues = queue_range_count(&options->attach.queues);
	const int allowed = sysctl_number("net/netfilter/nf_conntrack_expect_max");
	uint32_t most;

	if (allowed < 0)
		return 0;
	most = (uint32_t)allowed;
	if (options->attach.mode == MODE_KMOD)
		most -= module_expectations(most);
	return queues > 1 && most >= queues ? most / queues : most;
}

/* When the kernel has the queue, and so its module, which makes the file; while this process may still be root, whose file it is. */
static void open_stat(struct worker *worker, unsigned int queue)
{
	worker->stat_file = nfqueue_stat_open();
	if (worker->stat_file < 0)
		log_line(LOG_LEVEL_WARNING, "event=queue-unseen queue=%u why=\"%s\"", queue,
			 nfqueue_stat_complaint(worker->stat_file));
}

int worker_open(struct worker *worker, const struct options *options, struct control *control, unsigned int index)
{
	int error;

	memset(worker, 0, sizeof(*worker));
	worker->file = (struct statefile){ .directory = -1, .lock = -1, .fd = -1, .left_fd = -1 };
	worker->stat_file = -1;
	worker->options = options;
	worker->control = control;
	worker->queue_config = (struct nfqueue_config){
		.queue = (uint16_t)(options->attach.queues.first + index),
		.sure_queue = options->attach.sure_queues.given ? (int32_t)(options->attach.sure_queues.first + index) :
								  NFQUEUE_NONE,
		.length = options->queue_length,
		.receive_buffer = options->receive_buffer,
	};
	worker->overflow[0].queue = worker->queue_config.queue;
	worker->overflow[1].queue = worker->queue_config.sure_queue;
	error = open_conntrack(worker);
	if (!error)
		error = open_state(worker);
	if (error)
		return error;
	reporter_open(&worker->reporter);
	worker->engine.conntrack = &worker->ctnetlink.conntrack;
	worker->engine.policy = options->policy;
	worker->engine.policy.expectations = kernel_expectations(options);
	worker->engine.report = report_all;
	worker->engine.report_context = worker;
	resume_sessions(&worker->engine);
	session_absent(&worker->engine, clock_of_sessions());
	error = open_queue(worker);
	if (!error)
		open_stat(worker, worker->queue_config.queue);
	return error;
}

int worker_start(struct worker *worker)
{
	int error;

	atomic_store_explicit(&worker->beat, clock_of_sessions(), memory_order_relaxed);
	error = pthread_create(&worker->thread, NULL, run_thread, worker);

	if (error)
		log_why(LOG_LEVEL_ERROR, "thread", "queue %u: no thread can be made: %s", worker->queue_config.queue,
			strerror(error));
	worker->running = error == 0;
	return -error;
}

int worker_join(struct worker *worker)
{
	if (worker->running)
		pthread_join(worker->thread, NULL);
	worker->running = false;
	return worker->failure;
}

void worker_close(struct worker *worker)
{
	nfqueue_close(worker->queue);
	file_close(&worker->stat_file);
	reporter_close(&worker->reporter);
	statefile_close(&worker->file);
	ctnetlink_close(&worker->ctnetlink);
}
