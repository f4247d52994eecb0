// SPDX-License-Identifier: GPL-2.0-or-later
#include "play.h"

#include "common/packet_bytes.h"
#include "core/session/session.h"
#include "core/session/upkeep.h"
#include "far_end.h"
#include "model/model.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_ROOM 65536
#define PACKET	   (65536 + 256)
#define RESENDS	   12
#define TICK	   10 /* seconds of silence between looks at the table */

struct end {
	uint32_t next;		/* number of the next byte to be sent */
	uint32_t acked;		/* up to here */
	uint32_t awaited;	/* from the other */
	const uint8_t *unacked; /* the bytes from acked on; they lie in the script one behind the other */
	uint8_t said[SCRIPT_TEXT];
	uint32_t said_length;
	uint8_t heard[2 * SCRIPT_TEXT];
	uint32_t heard_length;
};

struct play {
	struct conntrack watch; /* first: the engine's, which looks at what it asks the model's for */
	struct conntrack *inner;
	struct model *model;
	struct engine engine;
	const struct script *script;
	struct played *played;
	struct end end[2];
	uint64_t now;
	uint16_t source; /* of the last data connection */
	uint8_t in[PACKET], out[PACKET];
};

static _Alignas(64) uint8_t table_memory[TABLE_ROOM];
static struct play the_play;

__attribute__((format(printf, 2, 3))) static void wrong(struct play *play, const char *format, ...)
{
	va_list arguments;

	if (play->played->why[0])
		return;
	va_start(arguments, format);
	vsnprintf(play->played->why, PLAY_WHY, format, arguments);
	va_end(arguments);
}

/* --- what the engine asks of conntrack, looked at */

static int watch_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		      enum direction *direction)
{
	struct conntrack *inner = ((struct play *)conntrack)->inner;

	return inner->ops->find(inner, seen, zone, binding, direction);
}

static const char *text_of(const struct endpoint *endpoint)
{
	static char text[4][INET6_ADDRSTRLEN + 8];
	static unsigned int which;
	char *to = text[which++ % 4];

	inet_ntop(endpoint->family == FAMILY_IPV6 ? AF_INET6 : AF_INET, endpoint->address, to, INET6_ADDRSTRLEN);
	sprintf(to + strlen(to), " port %u", endpoint->port);
	return to;
}

static bool is_of(const struct script *script, enum side side, const struct endpoint *endpoint)
{
	return endpoint_address_equal(endpoint, &script->inside[side]) ||
	       endpoint_address_equal(endpoint, &script->seen[side]);
}

/* Only what one of the two has announced; of a hostile server nothing but ports of its own, and where nothing is FTP, nothing. */
static bool may_open(const struct script *script, const struct endpoint *dst)
{
	if (script->allowed == ALLOWED_NOTHING || dst->port < 1024)
		return false;
	if (script->allowed == ALLOWED_SERVERS)
		return is_of(script, SERVER, dst);
	return (is_of(script, CLIENT, dst) && script_promised(script, CLIENT, dst->port)) ||
	       (is_of(script, SERVER, dst) && script_promised(script, SERVER, dst->port));
}

static int watch_expect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation)
{
	struct play *play = (struct play *)conntrack;

	if (!may_open(play->script, &expectation->tuple.dst))
		wrong(play, "opens %s, which nobody has announced", text_of(&expectation->tuple.dst));
	return play->inner->ops->expect(play->inner, master, expectation);
}

static int watch_renew(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation,
		       uint32_t seconds)
{
	struct conntrack *inner = ((struct play *)conntrack)->inner;

	return inner->ops->renew(inner, master, expectation, seconds);
}

static int watch_look(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct sight *sight)
{
	struct conntrack *inner = ((struct play *)conntrack)->inner;

	return inner->ops->look(inner, seen, zone, sight);
}

static void watch_unexpect(struct conntrack *conntrack, const struct binding *master,
			   const struct expectation *expectation)
{
	struct conntrack *inner = ((struct play *)conntrack)->inner;

	inner->ops->unexpect(inner, master, expectation);
}

static int watch_adjust(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			const struct seqadj *adjustment)
{
	struct conntrack *inner = ((struct play *)conntrack)->inner;

	return inner->ops->adjust_seq(inner, master, direction, adjustment);
}

static const struct conntrack_ops watch_ops = {
	.find = watch_find,
	.expect = watch_expect,
	.renew = watch_renew,
	.look = watch_look,
	.unexpect = watch_unexpect,
	.adjust_seq = watch_adjust,
};

/* --- packets */

/* Where a side stands: who is translated is inside. Without NAT both sides are the same. */
static enum model_view view_of(const struct script *script, enum side side)
{
	if (script->world == PLAIN)
		return MODEL_INSIDE;
	return (script->world == DNATED) == (side == SERVER) ? MODEL_INSIDE : MODEL_OUTSIDE;
}

static void acknowledge(struct play *play, enum side side);

/* It arrives at the other end. */
static void arrive(struct play *play, enum side from, struct segment *segment)
{
	struct end *end = &play->end[!from];
	uint32_t skip;

	if (!segment_checksum_ok(segment))
		wrong(play, "a packet with a wrong checksum arrives");
	if ((segment->flags & TCP_ACK) && (int32_t)(segment->ack - end->acked) > 0) {
		end->unacked += segment->ack - end->acked;
		end->acked = segment->ack;
	}
	if (segment->flags & TCP_SYN)
		end->awaited = segment->seq + 1;
	skip = end->awaited - segment_start(segment);
	if (segment->payload_length == 0 || (int32_t)skip < 0 || skip >= segment->payload_length)
		return;
	if (end->heard_length + segment->payload_length - skip > sizeof(end->heard))
		abort();
	memcpy(end->heard + end->heard_length, segment_payload(segment) + skip, segment->payload_length - skip);
	end->heard_length += segment->payload_length - skip;
	end->awaited += segment->payload_length - skip;
	acknowledge(play, !from);
}

/* Through the router: tracked, translated, handed to the engine at the place where addresses are the inside's. */
static void forward(struct play *play, enum side from, uint32_t length)
{
	struct output output = { .buffer = play->out, .capacity = sizeof(play->out) };
	const enum model_view view = view_of(play->script, from), other = view_of(play->script, !from);
	struct model_connection connection;
	struct arrival arrival;
	struct segment segment;
	enum verdict verdict;

	play->now += 5;
	model_set_time(play->model, play->now);
	if (segment_parse(&segment, play->in, length, false) || model_track(play->model, &segment, view, &connection))
		abort();
	if (view == MODEL_OUTSIDE && model_translate(play->model, &segment, view))
		abort();
	if (session_arrive(&play->engine, &arrival, play->in, length, false, 0))
		abort();
	verdict = session_input(&play->engine, &arrival, play->now, &output);
	if (verdict == VERDICT_DROP)
		return;
	if (segment_parse(&segment, verdict == VERDICT_REPLACE ? (uint8_t *)(uintptr_t)output.packet : play->in,
			  verdict == VERDICT_REPLACE ? output.length : length, false)) {
		wrong(play, "a packet leaves that is none");
		return;
	}
	if (view == MODEL_INSIDE && other == MODEL_OUTSIDE)
		model_translate(play->model, &segment, view);
	arrive(play, from, &segment);
}

static void send_packet(struct play *play, enum side from, uint32_t seq, uint8_t flags, const void *bytes,
			uint32_t length)
{
	const struct packet_header header = {
		.seq = seq,
		.ack = flags & TCP_ACK ? play->end[from].awaited : 0,
		.flags = flags,
		.window = 65535,
		.tcp = (const uint8_t *)"\2\4\5\264",
		.tcp_length = flags & TCP_SYN ? 4 : 0,
	};

	forward(play, from,
		packet_put(play->in, &play->script->inside[from], &play->script->seen[!from], &header, bytes, length));
}

static void acknowledge(struct play *play, enum side side)
{
	send_packet(play, side, play->end[side].next, TCP_ACK, NULL, 0);
}

static void handshake(struct play *play)
{
	for (unsigned int i = 0; i < 2; i++)
		play->end[i].acked = play->end[i].next + 1;
	send_packet(play, CLIENT, play->end[CLIENT].next++, TCP_SYN, NULL, 0);
	send_packet(play, SERVER, play->end[SERVER].next++, TCP_SYN | TCP_ACK, NULL, 0);
	acknowledge(play, CLIENT);
}

/* --- what the script says */

static void say(struct play *play, const struct step *step, bool more)
{
	struct end *end = &play->end[step->side];

	memcpy(end->said + end->said_length, play->script->text + step->at, step->length);
	end->said_length += step->length;
	send_packet(play, step->side, end->next, TCP_ACK | TCP_PSH, play->script->text + step->at, step->length);
	end->next += step->length;
	for (unsigned int i = 0; i < RESENDS && !more && end->acked != end->next; i++) {
		play->now += 300u << (i < 6 ? i : 6);
		send_packet(play, step->side, end->acked, TCP_ACK | TCP_PSH, end->unacked, end->next - end->acked);
	}
	if (!more && end->acked != end->next)
		wrong(play, "\"%.*s\" does not get through", (int)step->length, play->script->text + step->at);
}

static void silence(struct play *play, uint32_t seconds)
{
	for (uint32_t gone = 0; gone < seconds; gone += TICK) {
		play->now += 1000u * (seconds - gone < TICK ? seconds - gone : TICK);
		model_set_time(play->model, play->now);
		session_tick(&play->engine, play->now, 8);
		upkeep_tick(&play->engine, play->now, 8, 4);
	}
}

/* Where to, as whoever dials has read it. Where the text says something else than must be dialled, that is wrong. */
static bool read_announcement(struct play *play, const struct step *step)
{
	const struct end *dials = &play->end[!step->side];
	struct endpoint must = play->script->seen[step->side], read;

	must.port = step->port;
	if (!far_end_read(dials->heard, dials->heard_length, step->side, &read)) {
		wrong(play, "no announcement of %s has arrived", text_of(&must));
		return false;
	}
	if (read.port != must.port || (step->named && !endpoint_address_equal(&read, &must))) {
		wrong(play, "the text names %s where %s has to be dialled", text_of(&read), text_of(&must));
		return false;
	}
	return true;
}

static void connect_data(struct play *play, const struct step *step)
{
	const enum side dials = !step->side;
	struct endpoint from = play->script->inside[dials], to = play->script->seen[step->side];
	const struct packet_header header = { .flags = TCP_SYN, .seq = 1, .window = 65535 };
	struct model_connection connection;
	struct segment segment;
	uint32_t length;

	if (step->must && !read_announcement(play, step))
		return;
	from.port = ++play->source;
	to.port = step->port;
	length = packet_put(play->in, &from, &to, &header, NULL, 0);
	if (segment_parse(&segment, play->in, length, false) ||
	    model_track(play->model, &segment, view_of(play->script, dials), &connection))
		abort();
	play->played->carried += connection.expected;
	if (step->must && !connection.expected)
		wrong(play, "a data connection to %s is not let in", text_of(&to));
	if (!step->must && connection.expected)
		wrong(play, "a data connection to %s is let in", text_of(&to));
}

/* When both have hung up nothing stays open. */
static void hang_up(struct play *play)
{
	for (unsigned int side = 0; side < 2; side++) {
		send_packet(play, side, play->end[side].next, TCP_ACK | TCP_FIN, NULL, 0);
		play->end[side].next++;
		play->end[!side].awaited++;
		acknowledge(play, !side);
	}
	if (model_expectations(play->model))
		wrong(play, "%zu expectations are left when the control connection has ended",
		      model_expectations(play->model));
}

static void begin(struct play *play, const struct script *script, struct played *played)
{
	static const struct table_size size = { .sessions = 8, .works = 4, .budgets = 4 };
	static const uint64_t seed[2] = { 1, 2 };
	const enum side translated = script->world == DNATED ? SERVER : CLIENT;

	if (table_bytes(&size) > sizeof(table_memory))
		abort();
	memset(table_memory, 0, table_bytes(&size)); /* or it would be the last dialogue's, taken up */
	memset(played, 0, sizeof(*played));
	play->script = script;
	play->played = played;
	play->now = 1000000;
	play->source = 50000;
	play->model = model_new(SEQADJ_SELF);
	if (!play->model || (script->world != PLAIN &&
			     model_add_nat(play->model, &script->inside[translated], &script->seen[translated])))
		abort();
	play->inner = model_conntrack(play->model);
	play->watch = (struct conntrack){ .ops = &watch_ops, .guarded = play->inner->guarded };
	play->engine = (struct engine){ .table = table_open(table_memory, &size, seed, NULL),
					.conntrack = &play->watch,
					.policy = policy_default };
	for (unsigned int side = 0; side < 2; side++) {
		play->end[side].next = (uint32_t)(script->seed * 2654435761u) + side * 0x40000000u;
		play->end[side].awaited = 0;
		play->end[side].said_length = play->end[side].heard_length = 0;
		play->end[side].unacked = play->end[side].said;
	}
}

void play(const struct script *script, struct played *played)
{
	struct play *play = &the_play;

	begin(play, script, played);
	handshake(play);
	for (unsigned int i = 0; i < script->steps && !played->why[0]; i++) {
		const struct step *step = &script->step[i];
		const struct step *next = i + 1 < script->steps ? step + 1 : NULL;

		if (step->kind == STEP_SAY)
			say(play, step, next && next->kind == STEP_SAY && next->side == step->side);
		else if (step->kind == STEP_DATA)
			connect_data(play, step);
		else
			silence(play, step->seconds);
	}
	if (!played->why[0])
		hang_up(play);
	model_free(play->model);
}
