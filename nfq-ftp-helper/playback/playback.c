// SPDX-License-Identifier: GPL-2.0-or-later
/*
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
 * A capture is read twice: first for what can only be said of all of it (survey.h: whose checksums are of no use, and between which hosts
 * there are control connections), then for its events.
 *
 * Some packets need a hand before the engine may look at them. One that was captured on its way to a network card which computes checksums
 * has none yet, and where a capture's are of no use they are not either: it gets the right one here. One that was cut off by the snapshot
 * length is tracked by its headers; its text cannot be read, so that a control packet of this kind is named and left alone.
 */
#include "playback.h"

#include "core/session/upkeep.h"
#include "output/say.h"
#include "survey.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define OUTPUT_MAX	(65535 + 128) /* struct output's buffer */
#define TICK_SLOTS	64	      /* to look at after each packet */
#define STEP		10000	      /* milliseconds of a silence between two looks at what is expected */
#define TRUNCATED_NAMED 10	      /* control packets named one by one */

static const struct table_size table_size = { .sessions = 65536, .works = 8192, .budgets = 16384 };

struct playback {
	const char *path;
	const struct playback_settings *settings;
	const struct playback_listener *listener;
	struct playback_counts counts;
	struct capture *capture;
	struct survey *survey;
	struct model *model;
	struct engine engine;
	void *table_memory;
	uint64_t now; /* milliseconds */
	uint8_t buffer[OUTPUT_MAX];
};

/* What the engine reports, to whoever wants to know. */
static void report(void *context, const struct report *report)
{
	struct playback *playback = context;

	survey_announced(playback->survey, report);
	if (playback->listener->report)
		playback->listener->report(playback->listener->context, report);
}

static bool is_control_port(const struct playback *playback, uint16_t port)
{
	return playback->settings->control_ports[port / 8] & 1 << port % 8;
}

/* Seen in the middle, a connection's direction is known by its control port. */
static int pick_up(struct playback *playback, struct playback_packet *looked)
{
	const struct segment *segment = &looked->view.segment;
	const struct tuple original = { .src = segment->dst, .dst = segment->src };

	if ((segment->flags & TCP_SYN) || !is_control_port(playback, segment->src.port) ||
	    is_control_port(playback, segment->dst.port))
		return 0;
	return model_pick_up(playback->model, &original, MODEL_INSIDE, &looked->connection);
}

static int track(struct playback *playback, struct playback_packet *looked)
{
	struct model_connection *connection = &looked->connection;
	int error = pick_up(playback, looked);
	const bool picked_up = connection->is_new;

	if (!error)
		error = model_track(playback->model, &looked->view.segment, MODEL_INSIDE, connection);
	if (error)
		return error;
	connection->is_new |= picked_up;
	looked->control =
		!connection->expected && is_control_port(playback, connection->binding.tuple[DIRECTION_REPLY].src.port);
	return 0;
}

static void count_new(struct playback *playback, struct playback_packet *looked)
{
	const struct tuple inside = playback_inside(looked);

	if (!looked->connection.is_new)
		return;
	looked->related =
		!looked->control && (looked->connection.expected || survey_related(playback->survey, &inside));
	playback->counts.controls += looked->control;
	playback->counts.others += !looked->control && !looked->related;
}

/*
 * What maps acknowledgements of this packet as the inside has them to what the outside has: seqadj_back() with an
 * adjustment turned round is seqadj_forward() with the adjustment of the direction that is acknowledged.
 */
static struct seqadj outward(const struct playback *playback, const struct arrival *arrival)
{
	const struct session *session = table_find(playback->engine.table, &arrival->key, arrival->hash);
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

static void decided(struct playback *playback, const struct playback_packet *looked, enum playback_fate fate)
{
	playback->counts.dropped += fate == PLAYBACK_HELD;
	if (playback->listener->decided)
		playback->listener->decided(playback->listener->context, looked, fate);
}

/* To the outside, as the view has it now: in its frame, or elsewhere. */
static void emit(struct playback *playback, struct playback_packet *looked)
{
	struct segment *segment = &looked->view.segment;
	const bool in_frame = segment->packet == looked->packet->ip;

	model_translate(playback->model, segment, MODEL_INSIDE);
	capture_segment_close(&looked->view);
	if (playback->listener->leaves)
		playback->listener->leaves(playback->listener->context, looked->packet,
					   in_frame ? NULL : segment->packet, segment->length);
}

static void name_truncated(struct playback *playback, const struct playback_packet *looked)
{
	const struct capture_packet *packet = looked->packet;

	if (++playback->counts.truncated > TRUNCATED_NAMED)
		return;
	say_sentence("%s: packet %" PRIu64 " of a control connection was cut off at %" PRIu32 " of %" PRIu32
		     " bytes when it was captured: not read",
		     playback->path, packet->number, packet->captured, packet->length);
}

/* Through the engine, and the packet is what comes out of it: in the engine's own buffer, or in the frame. */
static enum playback_fate run_engine(struct playback *playback, struct playback_packet *looked, struct arrival *arrival,
				     const struct seqadj *adj)
{
	struct output output = { .buffer = playback->buffer, .capacity = sizeof(playback->buffer) };
	const enum verdict verdict = session_input(&playback->engine, arrival, playback->now, &output);
	struct segment *segment = &looked->view.segment;
	uint8_t *packet = looked->packet->ip;

	if (verdict != VERDICT_REPLACE)
		return verdict == VERDICT_ACCEPT ? PLAYBACK_PASSED : PLAYBACK_HELD;
	if (output.packet == playback->buffer)
		packet = playback->buffer;
	if (segment_parse(segment, packet, output.length, false))
		return PLAYBACK_HELD;
	if (playback->settings->seqadj_by == SEQADJ_SELF)
		acknowledge_outward(segment, adj);
	return PLAYBACK_REPLACED;
}

static enum playback_fate read_control(struct playback *playback, struct playback_packet *looked,
				       struct arrival *arrival)
{
	const struct seqadj adj = outward(playback, arrival);

	acknowledge_outward(&arrival->segment, &adj);
	if (!looked->view.truncated || looked->view.payload_length == 0)
		return run_engine(playback, looked, arrival, &adj);
	name_truncated(playback, looked);
	session_unread(&playback->engine, arrival, looked->view.payload_length, playback->now);
	return PLAYBACK_UNREAD;
}

static void play_control(struct playback *playback, struct playback_packet *looked)
{
	const struct segment *segment = &looked->view.segment;
	const bool truncated = looked->view.truncated; /* the checksum is of more than there is */
	struct arrival arrival;
	enum playback_fate fate;

	if (session_arrive(&playback->engine, &arrival, segment->packet, segment->length, truncated, 0))
		return;
	fate = read_control(playback, looked, &arrival);
	decided(playback, looked, fate);
	if (fate != PLAYBACK_HELD)
		emit(playback, looked);
}

static void play_tcp(struct playback *playback, struct playback_packet *looked)
{
	if (track(playback, looked)) {
		playback->counts.dropped++; /* NAT has no port for it, nor has the kernel's */
		return;
	}
	count_new(playback, looked);
	if (playback->listener->arrives)
		playback->listener->arrives(playback->listener->context, looked);
	if (looked->control) {
		play_control(playback, looked);
		return;
	}
	decided(playback, looked, PLAYBACK_PASSED);
	emit(playback, looked);
}

/* The capture's time in milliseconds, never less than before; a damaged record's may be any number. */
static void advance(struct playback *playback, const struct timeval *time)
{
	uint64_t now = 0;

	if (time->tv_sec >= 0 && time->tv_sec <= UINT32_MAX)
		now = (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
	/* What the daemon would have done in a silence matters as long as something is expected. */
	while (now > playback->now + STEP && model_expectations(playback->model)) {
		playback->now += STEP;
		model_set_time(playback->model, playback->now);
		upkeep_tick(&playback->engine, playback->now, 0, table_work_slots(playback->engine.table));
	}
	if (now > playback->now)
		playback->now = now;
	model_set_time(playback->model, playback->now);
	session_tick(&playback->engine, playback->now, TICK_SLOTS);
	if (playback->listener->time)
		playback->listener->time(playback->listener->context, time);
}

/* The right checksum for a packet that has none, or one that nothing can be told by. */
static void complete_checksum(struct playback *playback, struct capture_segment *view)
{
	const enum playback_checksums checksums = playback->settings->checksums;
	const enum capture_checksum found = capture_segment_checksum(view);
	bool useless = false;

	if (found == CHECKSUM_WRONG && checksums != PLAYBACK_CHECKSUMS_CHECK)
		useless =
			checksums == PLAYBACK_CHECKSUMS_IGNORE || survey_no_checksums(playback->survey, &view->segment);
	if (useless || found == CHECKSUM_LEFT_OUT)
		capture_segment_complete(view);
	playback->counts.checksums_ignored += useless;
}

static void play_packet(struct playback *playback, struct capture_packet *packet)
{
	struct playback_packet looked = { .packet = packet };
	int error = capture_segment_open(&looked.view, packet);

	playback->counts.packets++;
	advance(playback, &packet->time);
	if (!error) {
		complete_checksum(playback, &looked.view);
		play_tcp(playback, &looked);
		return;
	}
	playback->counts.malformed += error == -EBADMSG;
	capture_segment_close(&looked.view);
	if (playback->listener->leaves)
		playback->listener->leaves(playback->listener->context, packet, NULL, 0);
}

/* Return: 0; -EIO when the capture is damaged, which has been said. */
static int play_packets(struct playback *playback)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet packet;
	int result;

	while ((result = capture_next(playback->capture, &packet, error)) > 0)
		play_packet(playback, &packet);
	if (result < 0)
		say_sentence("%s", error);
	return result;
}

/* By its ports alone. A connection that begins is one of control where it goes to; of one in its middle that is not known. */
static bool survey_control(const struct playback *playback, const struct segment *segment)
{
	const bool begins = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	return is_control_port(playback, segment->dst.port) ||
	       (!begins && is_control_port(playback, segment->src.port));
}

/* The first reading: it ends where the second will say that the capture is damaged. */
static int survey_packets(struct playback *playback)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_packet packet;
	struct capture_segment view;
	int failed = 0;

	while (!failed && capture_next(playback->capture, &packet, error) > 0) {
		if (capture_segment_open(&view, &packet) == 0)
			failed = survey_take(playback->survey, &view, survey_control(playback, &view.segment));
		capture_segment_close(&view);
	}
	return failed;
}

static void say_checksums(const struct playback *playback)
{
	uint64_t right;
	const uint64_t useless = survey_useless(playback->survey, &right);

	if (playback->settings->checksums != PLAYBACK_CHECKSUMS_AUTO || useless == 0)
		return;
	say_sentence("%s: the TCP checksums of %" PRIu64 " packets are wrong, %s: anonymised, or taken before the "
		     "network card filled them in; read all the same (with --checksums check they are not)",
		     playback->path, useless, right ? "like most between their hosts" : "and none is right");
}

static int open_capture(struct playback *playback, char error[CAPTURE_ERROR_MAX])
{
	char sentence[CAPTURE_ERROR_MAX];

	playback->capture = capture_open(playback->path, error);
	if (!playback->capture)
		return -EIO;
	if (survey_packets(playback)) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s: no memory for what is to be known of all of it",
			 playback->path);
		return -ENOMEM;
	}
	if (capture_foreign(playback->capture, sentence))
		say_sentence("%s", sentence);
	say_checksums(playback);
	return capture_rewind(playback->capture, error);
}

/* Eight at a time: of most of these there is none. */
static void list_control_ports(const struct playback *playback, FILE *list)
{
	const uint8_t *eights = playback->settings->control_ports;
	const char *between = "";

	for (uint32_t i = 0; i <= UINT16_MAX / 8; i++) {
		for (uint32_t bit = 0; eights[i] >> bit; bit++) {
			if (!(eights[i] >> bit & 1))
				continue;
			fprintf(list, "%s%" PRIu32, between, 8 * i + bit);
			between = ", ";
		}
	}
}

int playback_say_no_ftp(const struct playback *playback)
{
	char *ports = NULL;
	size_t length;
	FILE *list;

	if (playback->counts.controls)
		return 0;
	list = open_memstream(&ports, &length);
	if (list) {
		list_control_ports(playback, list);
		fclose(list);
	}
	say_sentence("%s: holds no FTP control connection (TCP port %s) in %" PRIu64 " packets", playback->path,
		     ports ? ports : "?", playback->counts.packets);
	free(ports);
	return -ENOENT;
}

int playback_run(struct playback *playback)
{
	const int result = play_packets(playback);

	playback->counts.still_expected = model_expectations(playback->model);
	playback->counts.malformed += playback->engine.counters.malformed;
	return result;
}

/* The same seeds each time: what a capture shows shall not differ from one run to the next. */
static const uint64_t seed[2] = { 0x6e66712d66747021u, 0x7265706c61792121u };

static int open_engine(struct playback *playback, const struct policy *policy)
{
	const struct nat *nat = &playback->settings->nat;
	void *memory = mmap(NULL, table_bytes(&table_size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	playback->model = model_new(playback->settings->seqadj_by);
	playback->table_memory = memory == MAP_FAILED ? NULL : memory;
	playback->survey = survey_new(nat);
	if (!playback->model || !playback->table_memory || !playback->survey)
		return -ENOMEM;
	for (unsigned int i = 0; i < nat->count; i++)
		(void)model_add_nat(playback->model, &nat->mappings[i].address[MODEL_INSIDE],
				    &nat->mappings[i].address[MODEL_OUTSIDE]);
	playback->engine = (struct engine){
		.table = table_open(memory, &table_size, seed, NULL),
		.conntrack = model_conntrack(playback->model),
		.policy = policy_default,
		.report = report,
		.report_context = playback,
		.random = seed[0],
	};
	playback->engine.policy.loose = policy->loose;
	playback->engine.policy.foreign = policy->foreign;
	playback->engine.picks_up_until = UINT64_MAX; /* a capture may begin anywhere */
	return 0;
}

struct playback *playback_open(const char *path, const struct playback_settings *settings, const struct policy *policy,
			       const struct playback_listener *listener)
{
	struct playback *playback = calloc(1, sizeof(*playback));
	char error[CAPTURE_ERROR_MAX];

	if (playback) {
		playback->path = path;
		playback->settings = settings;
		playback->listener = listener;
	}
	if (!playback || open_engine(playback, policy))
		say_sentence("no memory for %" PRIu32 " sessions", table_size.sessions);
	else if (open_capture(playback, error))
		say_sentence("%s", error);
	else
		return playback;
	playback_close(playback);
	return NULL;
}

void playback_close(struct playback *playback)
{
	if (!playback)
		return;
	if (playback->table_memory)
		munmap(playback->table_memory, table_bytes(&table_size));
	model_free(playback->model);
	survey_free(playback->survey);
	if (playback->capture)
		capture_close(playback->capture);
	free(playback);
}

struct capture *playback_capture(const struct playback *playback)
{
	return playback->capture;
}

const struct playback_counts *playback_counts(const struct playback *playback)
{
	return &playback->counts;
}

const struct counters *playback_counters(const struct playback *playback)
{
	return &playback->engine.counters;
}
