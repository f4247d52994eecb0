// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay - run a capture through the engine, with a model of conntrack and NAT around it.
 *
 * Theory of operation. The capture was taken at the router's inside. Every TCP packet is tracked by the model; those
 * of control connections go through the engine, as NFQUEUE would hand them to it at the mangle FORWARD hook; what
 * comes out is translated by the model to what the outside sees, and written where that is asked for. So the
 * announcements, rewrites and expectations are the daemon's own, and a connection of the capture that the model sees
 * is admitted by an expectation or it is not.
 *
 * A control connection is one whose SYN goes to a control port, or, when the capture holds no SYN of it, one with a
 * control port at either end. Time is the capture's, but never steps back.
 *
 * What the inside receives has been through the router that was there: its acknowledgements speak of the bytes that
 * the inside sent, not of those that went out. So an acknowledgement is first mapped to what the outside wrote, or
 * the engine, which stands between the two, would map it back once too often; and again afterwards, for the outside
 * to see.
 *
 * A capture is read twice: first for what can only be said of all of it (replay_survey.h: whose checksums are of no use, and between which hosts
 * there are control connections), then for its events.
 *
 * Some packets need a hand before the engine may look at them. One that was captured on its way to a network card which computes checksums
 * has none yet, and where a capture's are of no use they are not either: it gets the right one here. One that was cut off by the snapshot
 * length is tracked by its headers; its text cannot be read, so that a control packet of this kind is named and left alone.
 */
#include "capture/segment.h"
#include "capture/writer.h"
#include "command/command.h"
#include "command/option.h"
#include "core/session/upkeep.h"
#include "model/model.h"
#include "replay_report.h"
#include "replay_survey.h"
#include "tools.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define OUTPUT_MAX	(65535 + 128) /* struct output's buffer */
#define TICK_SLOTS	64	      /* to look at after each packet */
#define STEP		10000	      /* milliseconds of a silence between two looks at what is expected */
#define TRUNCATED_NAMED 10	      /* control packets named one by one */

static const struct table_size table_size = { .sessions = 65536, .works = 8192, .budgets = 16384 };

struct replay {
	struct option_values options;
	struct capture *capture;
	struct capture_writer *writer; /* NULL: nothing is written */
	struct replay_survey *survey;
	struct model *model;
	struct engine engine;
	struct replay_reporter reporter;
	void *table_memory;
	uint64_t now; /* milliseconds */
	uint8_t buffer[OUTPUT_MAX];
};

/* What the engine reports, to whoever wants to know. */
static void report(void *context, const struct report *report)
{
	struct replay *replay = context;

	replay_survey_announced(replay->survey, report);
	replay_report_engine(&replay->reporter, report);
}

/* A packet, looked at. */
struct looked {
	struct capture_packet *packet;
	struct capture_segment view;
	struct model_connection connection;
	bool control;
};

static bool is_control_port(const struct option_values *options, uint16_t port)
{
	return options->control_ports[port / 8] & 1 << port % 8;
}

/* Seen in the middle, a connection's direction is known by its control port. */
static int pick_up(struct replay *replay, struct looked *looked)
{
	const struct segment *segment = &looked->view.segment;
	const struct tuple original = { .src = segment->dst, .dst = segment->src };

	if ((segment->flags & TCP_SYN) || !is_control_port(&replay->options, segment->src.port) ||
	    is_control_port(&replay->options, segment->dst.port))
		return 0;
	return model_pick_up(replay->model, &original, MODEL_INSIDE, &looked->connection);
}

static int track(struct replay *replay, struct looked *looked)
{
	struct model_connection *connection = &looked->connection;
	int error = pick_up(replay, looked);
	const bool picked_up = connection->is_new;

	if (!error)
		error = model_track(replay->model, &looked->view.segment, MODEL_INSIDE, connection);
	if (error)
		return error;
	connection->is_new |= picked_up;
	looked->control = !connection->expected &&
			  is_control_port(&replay->options, connection->binding.tuple[DIRECTION_REPLY].src.port);
	return 0;
}

static void count_new(struct replay *replay, const struct looked *looked)
{
	const struct binding *binding = &looked->connection.binding;
	const struct tuple inside = { .src = binding->tuple[DIRECTION_ORIGINAL].src,
				      .dst = binding->tuple[DIRECTION_REPLY].src };

	if (!looked->connection.is_new)
		return;
	if (looked->control)
		replay->reporter.summary.controls++;
	else if (looked->connection.expected || replay_survey_related(replay->survey, &inside))
		replay_report_data(&replay->reporter, &inside, looked->connection.expected);
	else
		replay->reporter.summary.others++;
}

/*
 * What maps acknowledgements of this packet as the inside has them to what the outside has: seqadj_back() with an
 * adjustment turned round is seqadj_forward() with the adjustment of the direction that is acknowledged.
 */
static struct seqadj outward(const struct replay *replay, const struct arrival *arrival)
{
	const struct session *session = table_find(replay->engine.table, &arrival->key, arrival->hash);
	const struct seqadj *adj;
	bool from_client;

	if (!session)
		return (struct seqadj){ 0 };
	from_client = arrival->key.swapped == session->key.swapped;
	adj = &session->stream[from_client ? DIRECTION_REPLY : DIRECTION_ORIGINAL].adj;
	return (struct seqadj){ .pos = adj->pos + (uint32_t)adj->before, .before = -adj->before, .after = -adj->after };
}

static void acknowledge_outward(struct segment *segment, const struct seqadj *adj)
{
	if (!(segment->flags & TCP_ACK))
		return;
	segment_renumber(segment, segment->seq, seqadj_back(adj, segment->ack));
	segment_map_sack(segment, adj);
}

/* To the outside, as the view has it now: in its frame, or elsewhere. */
static void emit(struct replay *replay, struct looked *looked)
{
	struct segment *segment = &looked->view.segment;
	const bool in_frame = segment->packet == looked->packet->ip;

	model_translate(replay->model, segment, MODEL_INSIDE);
	capture_segment_close(&looked->view);
	if (replay->writer && in_frame)
		capture_write(replay->writer, looked->packet);
	else if (replay->writer)
		capture_write_ip(replay->writer, looked->packet, segment->packet, segment->length);
}

static void name_truncated(struct replay *replay, const struct looked *looked)
{
	const struct capture_packet *packet = looked->packet;

	if (++replay->reporter.summary.truncated > TRUNCATED_NAMED)
		return;
	fprintf(stderr,
		"nfq-ftp-helper: %s: packet %" PRIu64 " of a control connection was cut off at %" PRIu32 " of %" PRIu32
		" bytes when it was captured: not read\n",
		replay->options.operand, packet->number, packet->captured, packet->length);
}

/*
 * Through the engine, and the packet is what comes out of it: in the engine's own buffer, or in the frame. Return
 * whether anything does.
 */
static bool run_engine(struct replay *replay, struct looked *looked, struct arrival *arrival, const struct seqadj *adj)
{
	struct output output = { .buffer = replay->buffer, .capacity = sizeof(replay->buffer) };
	const enum verdict verdict = session_input(&replay->engine, arrival, replay->now, &output);
	struct segment *segment = &looked->view.segment;
	uint8_t *packet = looked->packet->ip;

	if (verdict != VERDICT_REPLACE)
		return verdict == VERDICT_ACCEPT;
	if (output.packet == replay->buffer)
		packet = replay->buffer;
	if (segment_parse(segment, packet, output.length, false))
		return false;
	if (replay->options.seqadj_by == SEQADJ_SELF)
		acknowledge_outward(segment, adj);
	return true;
}

static void replay_control(struct replay *replay, struct looked *looked)
{
	const struct segment *segment = &looked->view.segment;
	const bool truncated = looked->view.truncated; /* the checksum is of more than there is */
	struct arrival arrival;
	struct seqadj adj;

	if (session_arrive(&replay->engine, &arrival, segment->packet, segment->length, truncated, 0))
		return;
	adj = outward(replay, &arrival);
	acknowledge_outward(&arrival.segment, &adj);
	if (truncated && looked->view.payload_length > 0) {
		name_truncated(replay, looked);
		session_unread(&replay->engine, &arrival, looked->view.payload_length, replay->now);
	} else if (!run_engine(replay, looked, &arrival, &adj)) {
		replay->reporter.summary.dropped++;
		return;
	}
	emit(replay, looked);
}

static void replay_tcp(struct replay *replay, struct looked *looked)
{
	if (track(replay, looked)) {
		replay->reporter.summary.dropped++; /* NAT has no port for it, nor has the kernel's */
		return;
	}
	count_new(replay, looked);
	if (looked->control)
		replay_control(replay, looked);
	else
		emit(replay, looked);
}

/* The capture's time in milliseconds, never less than before; a damaged record's may be any number. */
static void advance(struct replay *replay, const struct timeval *time)
{
	uint64_t now = 0;

	if (time->tv_sec >= 0 && time->tv_sec <= UINT32_MAX)
		now = (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
	/* What the daemon would have done in a silence matters as long as something is expected. */
	while (now > replay->now + STEP && model_expectations(replay->model)) {
		replay->now += STEP;
		model_set_time(replay->model, replay->now);
		upkeep_tick(&replay->engine, replay->now, 0, table_work_slots(replay->engine.table));
	}
	if (now > replay->now)
		replay->now = now;
	model_set_time(replay->model, replay->now);
	session_tick(&replay->engine, replay->now, TICK_SLOTS);
	replay_report_time(&replay->reporter, time);
}

/* The right checksum for a packet that has none, or one that nothing can be told by. */
static void complete_checksum(struct replay *replay, struct capture_segment *view)
{
	const enum replay_checksums checksums = replay->options.checksums;
	const enum capture_checksum found = capture_segment_checksum(view);
	bool useless = false;

	if (found == CHECKSUM_WRONG && checksums != REPLAY_CHECKSUMS_CHECK)
		useless = checksums == REPLAY_CHECKSUMS_IGNORE ||
			  replay_survey_no_checksums(replay->survey, &view->segment);
	if (useless || found == CHECKSUM_LEFT_OUT)
		capture_segment_complete(view);
	replay->reporter.summary.checksums_ignored += useless;
}

static void replay_packet(struct replay *replay, struct capture_packet *packet)
{
	struct looked looked = { .packet = packet };
	int error = capture_segment_open(&looked.view, packet);

	replay->reporter.summary.packets++;
	advance(replay, &packet->time);
	if (!error) {
		complete_checksum(replay, &looked.view);
		replay_tcp(replay, &looked);
		return;
	}
	if (error == -EBADMSG)
		replay->reporter.summary.malformed++;
	capture_segment_close(&looked.view);
	if (replay->writer)
		capture_write(replay->writer, packet);
}

/* Return: 0; -EIO when the capture is damaged, which has been said. */
static int replay_packets(struct replay *replay)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet packet;
	int result;

	while ((result = capture_next(replay->capture, &packet, error)) > 0)
		replay_packet(replay, &packet);
	if (result < 0)
		fprintf(stderr, "nfq-ftp-helper: %s\n", error);
	return result;
}

/* By its ports alone. A connection that begins is one of control where it goes to; of one in its middle that is not known. */
static bool survey_control(const struct replay *replay, const struct segment *segment)
{
	const bool begins = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	return is_control_port(&replay->options, segment->dst.port) ||
	       (!begins && is_control_port(&replay->options, segment->src.port));
}

/* The first reading: it ends where the second will say that the capture is damaged. */
static int survey_packets(struct replay *replay)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet packet;
	struct capture_segment view;
	int failed = 0;

	while (!failed && capture_next(replay->capture, &packet, error) > 0) {
		if (capture_segment_open(&view, &packet) == 0)
			failed = replay_survey_take(replay->survey, &view, survey_control(replay, &view.segment));
		capture_segment_close(&view);
	}
	return failed;
}

static void say_checksums(const struct replay *replay)
{
	uint64_t right;
	const uint64_t useless = replay_survey_useless(replay->survey, &right);

	if (replay->options.checksums != REPLAY_CHECKSUMS_AUTO || useless == 0)
		return;
	fprintf(stderr,
		"nfq-ftp-helper: %s: the TCP checksums of %" PRIu64
		" packets are wrong, %s: anonymised, or taken before the "
		"network card filled them in; read all the same (with --checksums check they are not)\n",
		replay->options.operand, useless, right ? "like most between their hosts" : "and none is right");
}

static int open_capture(struct replay *replay, char error[CAPTURE_ERROR_MAX])
{
	char sentence[CAPTURE_ERROR_MAX];

	replay->capture = capture_open(replay->options.operand, error);
	if (!replay->capture)
		return -EIO;
	if (survey_packets(replay)) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: no memory for what is to be known of all of it",
			 replay->options.operand);
		return -ENOMEM;
	}
	if (capture_foreign(replay->capture, sentence))
		fprintf(stderr, "nfq-ftp-helper: %s\n", sentence);
	say_checksums(replay);
	return capture_rewind(replay->capture, error);
}

static int open_files(struct replay *replay)
{
	char error[CAPTURE_ERROR_MAX];
	int failed = open_capture(replay, error);

	if (!failed && replay->options.out[0]) {
		replay->writer = capture_write_open(replay->options.out, replay->capture, error);
		failed = replay->writer ? 0 : -EIO;
	}
	if (failed)
		fprintf(stderr, "nfq-ftp-helper: %s\n", error);
	return failed;
}

static int say_no_ftp(const struct replay *replay)
{
	const char *between = "";

	fprintf(stderr, "nfq-ftp-helper: %s: holds no FTP control connection (TCP port ", replay->options.operand);
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		if (!is_control_port(&replay->options, (uint16_t)port))
			continue;
		fprintf(stderr, "%s%" PRIu32, between, port);
		between = ", ";
	}
	fprintf(stderr, ") in %" PRIu64 " packets\n", replay->reporter.summary.packets);
	return -ENOENT;
}

static int finish(struct replay *replay, int result)
{
	struct replay_summary *summary = &replay->reporter.summary;
	char error[CAPTURE_ERROR_MAX];

	summary->still_expected = model_expectations(replay->model);
	summary->malformed += replay->engine.counters.malformed;
	replay_report_summary(&replay->reporter, &replay->engine.counters);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "nfq-ftp-helper: the output cannot be written: %s\n", strerror(errno));
		result = -EIO;
	}
	if (!result && summary->controls == 0)
		result = say_no_ftp(replay);
	if (!replay->writer)
		return result;
	if (capture_write_close(replay->writer, error)) {
		fprintf(stderr, "nfq-ftp-helper: %s\n", error);
		result = -EIO;
	}
	replay->writer = NULL;
	return result;
}

/* The same seeds each time: a capture's replay shall not differ from one run to the next. */
static const uint64_t seed[2] = { 0x6e66712d66747021u, 0x7265706c61792121u };

static int open_engine(struct replay *replay)
{
	const struct option_values *options = &replay->options;
	void *memory = mmap(NULL, table_bytes(&table_size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	replay->model = model_new(options->seqadj_by);
	replay->table_memory = memory == MAP_FAILED ? NULL : memory;
	replay->survey = replay_survey_new(&options->nats);
	if (!replay->model || !replay->table_memory || !replay->survey)
		return -ENOMEM;
	for (unsigned int i = 0; i < options->nats.count; i++)
		if (model_add_nat(replay->model, &options->nats.nat[i].inside, &options->nats.nat[i].outside))
			return -ENOMEM;
	replay->engine = (struct engine){
		.table = table_open(memory, &table_size, seed, NULL),
		.conntrack = model_conntrack(replay->model),
		.policy = policy_default,
		.report = report,
		.report_context = replay,
		.random = seed[0],
	};
	replay->engine.policy.loose = options->run.policy.loose;
	replay->engine.policy.foreign = options->run.policy.foreign;
	replay->engine.picks_up_until = UINT64_MAX; /* a capture may begin anywhere */
	replay->reporter.json = options->json;
	replay->reporter.summary.path = options->operand;
	return 0;
}

static void close_all(struct replay *replay)
{
	if (replay->table_memory)
		munmap(replay->table_memory, table_bytes(&table_size));
	model_free(replay->model);
	replay_survey_free(replay->survey);
	capture_close(replay->capture);
}

static int replay_capture(struct replay *replay)
{
	int error = open_engine(replay);

	if (error)
		fprintf(stderr, "nfq-ftp-helper: no memory for %" PRIu32 " sessions\n", table_size.sessions);
	else
		error = open_files(replay);
	if (!error)
		error = finish(replay, replay_packets(replay));
	close_all(replay);
	return error;
}

static const struct option_page page = {
	.command = OPTION_OF_REPLAY,
	.operand = "IN.pcap",
	.about = "Runs the FTP control connections of a capture, taken at a router's inside, through the helper.\n",
	.end = "Exit codes: 0 done, 1 failed, or no control connection in the capture, 2 wrong usage.\n",
};

int tools_replay(int argc, char **argv)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	int code;

	if (!replay) {
		fprintf(stderr, "nfq-ftp-helper: no memory\n");
		return EXIT_FAILED;
	}
	code = option_parse(&page, &replay->options, argc, argv);
	if (code == OPTION_GO_ON)
		code = replay_capture(replay) ? EXIT_FAILED : EXIT_DONE;
	free(replay);
	return code;
}
