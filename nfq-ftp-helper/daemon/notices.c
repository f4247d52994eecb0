// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"
#include "worker_state.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *text; /* NULL: it is not logged */
	size_t offset;
} tally_rows[] = {
#define ROW(member, key, metric, help) { key, offsetof(struct counters, member) },
	COUNTERS(ROW)
#undef ROW
};

void worker_notices_tally(const char *event, const struct counters *counters)
{
	char line[1024];
	size_t length = 0;

	for (size_t i = 0; i < sizeof(tally_rows) / sizeof(tally_rows[0]); i++)
		if (tally_rows[i].text)
			length +=
				(size_t)snprintf(line + length, sizeof(line) - length, " %s=%" PRIu64,
						 tally_rows[i].text, figures_number_at(counters, tally_rows[i].offset));
	log_line(LOG_LEVEL_NOTICE, "%s%s refused=%" PRIu64, event, line, figures_refusals(counters));
	for (unsigned int i = 0; i < REFUSALS; i++) {
		if (counters->refusals[i])
			log_line(LOG_LEVEL_NOTICE, "%s refused=%" PRIu64 " reason=%s why=\"%s\"", event,
				 counters->refusals[i], refusal_name(i), refusal_text(i));
	}
}

void worker_notices_counters(const struct worker *worker)
{
	const struct nfqueue_counters queue = nfqueue_counters(worker->queue);
	const struct ctnetlink_counters *ct = &worker->ctnetlink.counters;
	char event[40];

	snprintf(event, sizeof(event), "event=counters queue=%u", worker->queue_config.queue);
	worker_notices_tally(event, &worker->engine.counters);
	log_line(LOG_LEVEL_NOTICE,
		 "%s sessions_now=%" PRIu32 " busy=%" PRIu32 " receives=%" PRIu64 " sends=%" PRIu64 " large=%" PRIu64
		 " strange=%" PRIu64 " late=%" PRIu64 " unsent=%" PRIu64 " dropped_full=%" PRIu64 " unread=%" PRIu64
		 " conntrack_exchanges=%" PRIu64 " walks=%" PRIu64 " adjusted_by_kernel=%" PRIu64
		 " adjusted_by_daemon=%" PRIu64 " data_packets=%" PRIu64,
		 event, table_sessions(worker->engine.table), table_works(worker->engine.table), queue.receives,
		 queue.sends, queue.large, queue.strange, queue.late, queue.unsent,
		 worker->overflow[0].lost + worker->overflow[1].lost, worker->figures.unread,
		 worker->ctnetlink.exchange.runs, ct->walks, ct->kernel_adjusted, ct->self_adjusted,
		 worker->figures.data_packets);
}

/* The table being full is a limit that people must hear of, but not for every packet. */
static void tell_full(struct worker *worker)
{
	const struct counters *counters = &worker->engine.counters;
	const uint64_t full = counters->full + counters->displaced;

	if (full == worker->full_told)
		return;
	log_line(LOG_LEVEL_WARNING,
		 "event=table-full queue=%u connections=%" PRIu64
		 " why=\"there was no room for these connections (in all %" PRIu64 " not followed, %" PRIu64
		 " of them since their client had its share, and %" PRIu64
		 " forgotten for newer ones)\" advice=\"--sessions, now %" PRIu32 ", sets the table's size\"",
		 worker->queue_config.queue, full - worker->full_told, counters->full, counters->limited,
		 counters->displaced, worker->options->sessions);
	worker->full_told = full;
}

/* A full queue drops packets. Nothing is lost for good, but connections are slow where it happens often. */
static void tell_overflow(struct worker *worker, struct overflow *overflow)
{
	const struct options *options = worker->options;
	struct nfqueue_stat stat;
	uint32_t full, unsent;

	if (worker->stat_file < 0 || overflow->queue == NFQUEUE_NONE ||
	    nfqueue_stat_read(worker->stat_file, (uint16_t)overflow->queue, &stat) < 0)
		return;
	full = stat.full - overflow->told.full;
	unsent = stat.unsent - overflow->told.unsent;
	if (full)
		log_line(LOG_LEVEL_WARNING,
			 "event=queue-full queue=%" PRId32 " dropped=%" PRIu32
			 " why=\"it was full: packets were dropped, for their "
			 "senders to send again\" advice=\"--queue-length, now %" PRIu32 ", sets how many may wait\"",
			 overflow->queue, full, options->queue_length);
	if (unsent)
		log_line(LOG_LEVEL_WARNING,
			 "event=socket-full queue=%" PRId32 " dropped=%" PRIu32
			 " why=\"its socket was full: packets were dropped, "
			 "for their senders to send again\" advice=\"--receive-buffer, now %" PRIu32
			 " bytes, sets its size\"",
			 overflow->queue, unsent, options->receive_buffer);
	overflow->lost += (uint64_t)full + unsent;
	overflow->told = stat;
}

/* The kernel lacked memory: it goes on, but people must hear why connections are slow. */
static void tell_memory(struct worker *worker)
{
	const struct nfqueue_counters queue = nfqueue_counters(worker->queue);
	const uint64_t unsent = queue.unsent - worker->memory_told.unsent;
	const uint64_t unreceived = queue.unreceived - worker->memory_told.unreceived;

	if (unsent)
		log_line(LOG_LEVEL_WARNING,
			 "event=no-memory queue=%u verdicts=%" PRIu64
			 " why=\"the kernel has no memory for verdicts: their packets "
			 "were dropped, for their senders to send again\"",
			 worker->queue_config.queue, unsent);
	if (unreceived)
		log_line(LOG_LEVEL_WARNING,
			 "event=no-memory queue=%u receives=%" PRIu64
			 " why=\"the kernel has no memory to hand packets over\"",
			 worker->queue_config.queue, unreceived);
	worker->memory_told = queue;
}

/* Where this program adjusts sequence numbers, a packet that passes unseen breaks its connection. */
static void tell_unsure(struct worker *worker)
{
	const struct options *options = worker->options;

	if (worker->unsure_told || options->attach.mode == MODE_KMOD || options->attach.seqadj == SEQADJ_MODE_SELF ||
	    options->attach.sure_queues.given || !worker->ctnetlink.counters.self_adjusted)
		return;
	if (options->attach.mode == MODE_QUEUE)
		log_line(
			LOG_LEVEL_WARNING,
			"event=unsure queue=%u why=\"the kernel cannot adjust the sequence numbers of some "
			"connections, so this program does\" advice=\"give it a --sure-queue, and a rule that sends connections "
			"with mark %#x/%#x there\"",
			worker->queue_config.queue, options->attach.mark, options->attach.mark_mask);
	else
		log_line(
			LOG_LEVEL_WARNING,
			"event=unsure queue=%u why=\"the kernel cannot adjust the sequence numbers of some "
			"connections, so this program does, and they break when it ends\" advice=\"assign the helper in a "
			"prerouting chain of priority mangle\"",
			worker->queue_config.queue);
	worker->unsure_told = true;
}

static void tell_data(struct worker *worker)
{
	if (worker->data_told || !worker->figures.data_packets)
		return;
	log_line(
		LOG_LEVEL_WARNING,
		"event=data-queued queue=%u why=\"this kernel gives data connections the helper, too, so their packets "
		"come here: they pass at once, but slower\" advice=\"a kernel of another version, or --mode kmod, spares that\"",
		worker->queue_config.queue);
	worker->data_told = true;
}

void worker_notices_each_second(struct worker *worker)
{
	tell_full(worker);
	tell_memory(worker);
	tell_overflow(worker, &worker->overflow[0]);
	tell_overflow(worker, &worker->overflow[1]);
}

void worker_notices_once(struct worker *worker)
{
	tell_unsure(worker);
	tell_data(worker);
}
