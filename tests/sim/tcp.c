// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An endpoint: TCP as RFC 9293 has it, with what matters here done in as many ways as the schedule asks for: where
 * segments begin and end, first time and again; timeouts that send the first segment alone and what follows when that
 * is acknowledged (RFC 6298 section 5.4, RFC 5681 section 3.1), or everything; fast retransmission; SACK and duplicate
 * SACK; delayed acknowledgements; Nagle; keepalives; urgent data. No other congestion control: it only ever sends less.
 *
 * una, next, top and in_next are stream offsets; a FIN is the byte behind the last.
 */
#include "sim.h"

#define TIMEOUT_FIRST SECOND
#define TIMEOUT_MAX   (20 * SECOND)
#define NO_FIN	      UINT32_MAX
#define MSS_LEAST     48 /* as Linux has it (tcp_min_snd_mss): options leave room for something, whatever a liar says */

static struct tcp *peer_of(struct sim *sim, const struct tcp *tcp)
{
	return &sim->tcp[!tcp->side];
}

static uint32_t total(const struct sim *sim, const struct tcp *tcp)
{
	return sim->script.length[tcp->side];
}

/* Blocks for the SACK option: up to three runs behind the first hole, and before them the duplicate just seen. */
static unsigned int fill_sacks(const struct sim *sim, const struct tcp *tcp, uint32_t sack[4][2])
{
	uint32_t base = tcp->peer_iss + 1;
	unsigned int count = 0;

	if (!sim->schedule.sack)
		return 0;
	if (tcp->have_dsack) {
		sack[count][0] = base + tcp->dsack[0];
		sack[count++][1] = base + tcp->dsack[1];
	}
	for (uint32_t at = tcp->in_next; at < tcp->in_top && count < 3;) {
		uint32_t left;

		while (at < tcp->in_top && !tcp->have[at])
			at++;
		left = at;
		while (at < tcp->in_top && tcp->have[at])
			at++;
		if (at == left)
			break;
		sack[count][0] = base + left;
		sack[count++][1] = base + at;
	}
	return count;
}

static void emit(struct sim *sim, struct tcp *tcp, uint32_t seq, uint8_t flags, const uint8_t *data, uint32_t length,
		 uint16_t urgent)
{
	struct packet *packet = network_packet(sim);
	struct header header = {
		.seq = seq,
		.ack = tcp->peer_iss + 1 + tcp->in_next,
		.window = (uint16_t)(tcp->habit->window >> tcp->habit->scale),
		.urgent = urgent,
		.flags = flags,
		.timestamps = sim->schedule.timestamps,
		.stamp = (uint32_t)(sim->now / 1000),
	};
	const struct endpoint *inside = sim->around.inside;

	if (!(flags & TCP_ACK))
		header.ack = 0;
	if (flags & TCP_SYN) {
		header.window = (uint16_t)min_u32(tcp->habit->window, 65535); /* never scaled here */
		header.scaled = sim->schedule.scaled;
		header.scale = tcp->habit->scale;
		header.mss = tcp->habit->mss;
		header.sack_permitted = sim->schedule.sack;
		if (flags & TCP_ACK)
			header.ack = tcp->peer_iss + 1 + tcp->in_next;
	} else if (flags & TCP_ACK) {
		header.sacks = fill_sacks(sim, tcp, header.sack);
	}
	packet->to = !tcp->side;
	packet->at_router = true;
	packet->length =
		(uint16_t)packet_write(packet->bytes, &inside[tcp->side], &inside[!tcp->side], &header, data, length);
	tcp->unacked_segments = 0;
	tcp->ack_at = NEVER;
	tcp->acked_in = tcp->in_next;
	tcp->have_dsack = false;
	network_send(sim, packet, tcp->side);
}

static void send_ack(struct sim *sim, struct tcp *tcp)
{
	if (tcp->state == TCP_OPEN || tcp->state == TCP_SYN_RECEIVED)
		emit(sim, tcp, tcp->habit->iss + 1 + tcp->top, TCP_ACK, NULL, 0, 0);
}

static void arm_timer(struct sim *sim, struct tcp *tcp)
{
	bool waiting = tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECEIVED || tcp->una < tcp->top;

	tcp->timer = waiting && tcp->state != TCP_DEAD ? sim->now + tcp->interval : NEVER;
}

/* Bytes of the segment's options, and so how much less than the MSS it carries. */
static uint32_t room(const struct sim *sim, const struct tcp *tcp)
{
	uint32_t sack[4][2];
	unsigned int sacks = fill_sacks(sim, tcp, sack);
	uint32_t options = (sim->schedule.timestamps ? 12 : 0) + (sacks ? 4 + 8 * sacks : 0);

	return (tcp->peer_mss ? tcp->peer_mss : 536u) - options;
}

/* The urgent pointer of a segment from offset; 0: nothing is urgent. */
static uint16_t urgent_at(const struct sim *sim, const struct tcp *tcp, uint32_t from)
{
	const struct script *script = &sim->script;

	for (unsigned int i = script->urgents[tcp->side]; i-- > 0;) {
		uint32_t end = script->urgent[tcp->side][i];

		if (tcp->written >= end && end > from && end > tcp->una)
			return (uint16_t)(end - from);
	}
	return 0;
}

static void send_data(struct sim *sim, struct tcp *tcp, uint32_t from, uint32_t length)
{
	uint32_t end = total(sim, tcp);
	uint16_t urgent = urgent_at(sim, tcp, from);
	uint8_t flags = TCP_ACK;
	bool fin = from + length == end && tcp->closed && (length == 0 || sim_chance(sim, 500));

	if (length)
		flags |= TCP_PSH;
	if (urgent)
		flags |= TCP_URG;
	if (fin)
		flags |= TCP_FIN;
	emit(sim, tcp, tcp->habit->iss + 1 + from, flags, tcp->out + from, length, urgent);
	if (length && from >= tcp->next)
		tcp->cut[from + length - 1] = 1;
	tcp->next = max_u32(tcp->next, from + length + fin);
	tcp->top = max_u32(tcp->top, tcp->next);
}

static uint32_t cut_inside_argument(struct sim *sim, const struct tcp *tcp, uint32_t from, uint32_t most)
{
	for (unsigned int i = 0; i < sim->script.promises; i++) {
		const struct promise *promise = &sim->script.promise[i];

		if (promise->by != tcp->side || from >= promise->end)
			continue;
		if (from + most <= promise->line)
			return most;
		if (from < promise->line && sim_chance(sim, 500))
			return promise->line - from;
		return min_u32(most, promise->line + 1 + sim_pick(sim, promise->end - promise->line) - from > most ?
					     1 + sim_pick(sim, 4) :
					     promise->line + 1 + sim_pick(sim, promise->end - promise->line) - from);
	}
	return most;
}

static uint32_t segment_size(struct sim *sim, const struct tcp *tcp, uint32_t from, uint32_t most)
{
	uint32_t size = most;

	switch (tcp->habit->cutting) {
	case CUT_BYTE:
		size = 1;
		break;
	case CUT_SMALL:
		size = 1 + sim_pick(sim, 8);
		break;
	case CUT_ANY:
		size = 1 + sim_pick(sim, most);
		break;
	case CUT_ARGUMENT:
		size = cut_inside_argument(sim, tcp, from, most);
		break;
	default:
		break;
	}
	if (size == 0 || size > most)
		size = most;
	/* Long texts byte by byte would only cost time. */
	return most > 200 && size < 20 && tcp->habit->cutting != CUT_ARGUMENT ? min_u32(most, size * 20) : size;
}

/* Sent again, a segment ends where it did the first time, or wherever its sender likes. */
static uint32_t first_segment(struct sim *sim, const struct tcp *tcp, uint32_t from, uint32_t most)
{
	if (!tcp->habit->original_cuts)
		return segment_size(sim, tcp, from, most);
	for (uint32_t size = 1; size < most; size++)
		if (tcp->cut[from + size - 1])
			return size;
	return most;
}

static void output(struct sim *sim, struct tcp *tcp)
{
	uint32_t limit = min_u32(tcp->written, tcp->una + tcp->peer_window);
	uint32_t most = room(sim, tcp);

	if (tcp->state != TCP_OPEN)
		return;
	while (tcp->next < limit && !(tcp->restrained && tcp->next > tcp->una)) {
		uint32_t available = min_u32(limit - tcp->next, most);
		uint32_t size = segment_size(sim, tcp, tcp->next, available);

		if (tcp->habit->nagle && available < most && tcp->una < tcp->next)
			break;
		if (tcp->habit->nagle)
			size = available;
		if (tcp->restrained)
			size = first_segment(sim, tcp, tcp->next, size);
		send_data(sim, tcp, tcp->next, size);
	}
	if (tcp->closed && tcp->next == total(sim, tcp) && !(tcp->restrained && tcp->next > tcp->una))
		send_data(sim, tcp, tcp->next, 0);
	if (tcp->timer == NEVER)
		arm_timer(sim, tcp);
}

/* One segment from una on. */
static void retransmit(struct sim *sim, struct tcp *tcp)
{
	uint32_t from = tcp->una, end = min_u32(tcp->top, total(sim, tcp)), size;
	uint32_t most = room(sim, tcp);

	while (from < end && tcp->sacked[from])
		from++;
	size = min_u32(end - from, most);
	for (uint32_t i = 0; i < size; i++)
		if (tcp->sacked[from + i])
			size = i;
	if (size && (tcp->habit->original_cuts || sim_chance(sim, 600)))
		size = first_segment(sim, tcp, from, size);
	if (size || tcp->top > total(sim, tcp))
		send_data(sim, tcp, from, size);
}

/* What the other one says of himself in his SYN. */
static void meet(struct tcp *tcp, const struct view *view)
{
	tcp->peer_iss = view->seq;
	tcp->peer_mss = (uint16_t)(view->mss ? max_u32(view->mss, MSS_LEAST) : 0);
	tcp->peer_scale = view->scale;
	tcp->peer_window = tcp->peer_window_max = view->window;
}

/* Bytes that the client sends with its SYN (RFC 7413): what it need not wait for. */
static uint32_t early_bytes(const struct sim *sim, const struct tcp *tcp)
{
	return sim->script.fast_open ? min_u32(sim->script.gate[tcp->side][0].end, 400) : 0;
}

static void send_syn(struct sim *sim, struct tcp *tcp)
{
	emit(sim, tcp, tcp->habit->iss, TCP_SYN, tcp->out, early_bytes(sim, tcp), 0);
}

static void timeout(struct sim *sim, struct tcp *tcp)
{
	const struct habit *habit = tcp->habit;

	tcp->timeouts++;
	if (!tcp->timeouts_row++)
		tcp->losses_then = sim->lost;
	sim_trace(sim, "     (%s: retransmission timeout)", tcp->side ? "server" : "client");
	tcp->interval = tcp->interval * 2ull > TIMEOUT_MAX ? TIMEOUT_MAX : tcp->interval * 2ull;
	if (tcp->timeouts_row > 40)
		sim_stuck(sim, "%s stalls: 40 timeouts in a row at byte %u", tcp->side ? "server" : "client", tcp->una);
	if (tcp->state == TCP_SYN_SENT) {
		send_syn(sim, tcp);
	} else if (tcp->state == TCP_SYN_RECEIVED) {
		emit(sim, tcp, habit->iss, TCP_SYN | TCP_ACK, NULL, 0, 0);
	} else if (habit->go_back) {
		memset(tcp->sacked, 0, sizeof(tcp->sacked));
		tcp->next = tcp->una;
		tcp->restrained = !habit->bursts;
		output(sim, tcp);
	} else {
		memset(tcp->sacked, 0, sizeof(tcp->sacked));
		tcp->recover = tcp->top;
		retransmit(sim, tcp);
	}
	arm_timer(sim, tcp);
}

/* The application: write what its script says, once it has read enough. */
static void application(struct sim *sim, struct tcp *tcp)
{
	const struct script *script = &sim->script;

	while (tcp->at < script->gates[tcp->side] && tcp->state == TCP_OPEN) {
		const struct gate *gate = &script->gate[tcp->side][tcp->at];

		if (tcp->lines < gate->lines)
			break;
		if (gate->delay && tcp->app_at == NEVER) {
			tcp->app_at = sim->now + gate->delay;
			break;
		}
		if (tcp->app_at != NEVER && tcp->app_at > sim->now)
			break;
		tcp->app_at = NEVER;
		if (tcp->habit->dribble && sim_chance(sim, 700)) {
			tcp->written = min_u32(gate->end, tcp->written + 1 + sim_pick(sim, 12));
			output(sim, tcp);
			if (tcp->written < gate->end) {
				tcp->app_at = sim->now + 1 + sim_pick(sim, 3000);
				return;
			}
		}
		tcp->written = gate->end;
		tcp->at++;
		/* What comes at once goes out together. */
		if (tcp->at < script->gates[tcp->side] && script->gate[tcp->side][tcp->at].lines <= tcp->lines &&
		    script->gate[tcp->side][tcp->at].delay == 0)
			continue;
		output(sim, tcp);
	}
	if (tcp->at == script->gates[tcp->side] && !tcp->closed && tcp->state == TCP_OPEN &&
	    (tcp->lines >= script->close_lines[tcp->side] || tcp->in_fin < tcp->in_next)) {
		tcp->closed = true;
		output(sim, tcp);
	}
}

void tcp_start(struct sim *sim, enum side side)
{
	struct tcp *tcp = &sim->tcp[side];

	tcp->side = (uint8_t)side;
	tcp->habit = &sim->schedule.habit[side];
	tcp->out = sim->script.stream[side];
	tcp->timer = tcp->ack_at = tcp->app_at = tcp->keepalive_at = NEVER;
	tcp->interval = TIMEOUT_FIRST;
	tcp->in_fin = NO_FIN;
	tcp->state = side == CLIENT ? TCP_SYN_SENT : TCP_LISTEN;
	if (side == CLIENT) {
		send_syn(sim, tcp);
		arm_timer(sim, tcp);
	}
}

static void opened(struct sim *sim, struct tcp *tcp)
{
	tcp->state = TCP_OPEN;
	tcp->interval = TIMEOUT_FIRST;
	tcp->timer = NEVER;
	tcp->timeouts_row = 0;
	if (tcp->habit->keepalive)
		tcp->keepalive_at = sim->now + tcp->habit->keepalive * 1000ull;
}

static void receive_data(struct sim *sim, struct tcp *tcp, const struct view *view, uint32_t offset);

/* As much of the data in the SYN as this server likes. */
static void receive_early(struct sim *sim, struct tcp *tcp, const struct view *view)
{
	struct view part = *view;

	part.length = adversary_pick(sim, view->length + 1);
	part.flags = 0;
	receive_data(sim, tcp, &part, 0);
	tcp->ack_at = NEVER; /* the SYN/ACK says so */
}

static void receive_syn(struct sim *sim, struct tcp *tcp, const struct view *view)
{
	if (tcp->state == TCP_SYN_SENT && (view->flags & TCP_ACK) &&
	    view->ack - (tcp->habit->iss + 1) <= early_bytes(sim, tcp)) {
		meet(tcp, view);
		tcp->una = tcp->next = tcp->top = view->ack - (tcp->habit->iss + 1);
		opened(sim, tcp);
		send_ack(sim, tcp);
		application(sim, tcp);
	} else if (tcp->state == TCP_LISTEN && !(view->flags & TCP_ACK)) {
		meet(tcp, view);
		tcp->state = TCP_SYN_RECEIVED;
		if (view->length)
			receive_early(sim, tcp, view);
		emit(sim, tcp, tcp->habit->iss, TCP_SYN | TCP_ACK, NULL, 0, 0);
		arm_timer(sim, tcp);
	} else if (tcp->state == TCP_SYN_RECEIVED) {
		emit(sim, tcp, tcp->habit->iss, TCP_SYN | TCP_ACK, NULL, 0, 0);
	} else if (tcp->state == TCP_OPEN) {
		send_ack(sim, tcp);
	}
}

static void receive_ack(struct sim *sim, struct tcp *tcp, const struct view *view)
{
	uint32_t ack = view->ack - (tcp->habit->iss + 1);

	if ((int32_t)(ack - tcp->una) < 0) /* an old one */
		return;
	check_ack(sim, tcp, ack);
	if (sim->schedule.sack)
		for (unsigned int i = 0; i < view->sacks; i++) {
			uint32_t left = view->sack[i][0] - (tcp->habit->iss + 1);
			uint32_t right = view->sack[i][1] - (tcp->habit->iss + 1);

			check_sack(sim, tcp, left, right);
			if (left >= right || right > tcp->top) /* RFC 2018 section 4 */
				continue;
			for (uint32_t at = max_u32(left, tcp->una); at < right && at < STREAM_MAX; at++)
				tcp->sacked[at] = 1;
		}
	if (ack > tcp->una) {
		tcp->una = ack;
		tcp->next = max_u32(tcp->next, ack);
		tcp->dupacks = tcp->timeouts_row = 0;
		tcp->restrained = false;
		tcp->interval = TIMEOUT_FIRST;
		arm_timer(sim, tcp);
		if (ack < tcp->recover)
			retransmit(sim, tcp);
	} else if (ack == tcp->una && view->length == 0 && tcp->una < tcp->top && ++tcp->dupacks == 3) {
		sim_trace(sim, "     (%s: fast retransmission)", tcp->side ? "server" : "client");
		tcp->recover = tcp->top;
		retransmit(sim, tcp);
	}
}

static void advance(struct sim *sim, struct tcp *tcp)
{
	uint32_t before = tcp->in_next;

	while (tcp->in_next < tcp->in_top && tcp->have[tcp->in_next])
		tcp->in_next++;
	for (uint32_t at = before; at < tcp->in_next; at++)
		if (tcp->in[at] == '\n') {
			tcp->lines++;
			check_line(sim, (enum side)tcp->side, at);
		}
	if (tcp->in_fin == tcp->in_next)
		tcp->in_next++;
}

static void receive_data(struct sim *sim, struct tcp *tcp, const struct view *view, uint32_t offset)
{
	uint32_t expected = tcp->in_next;
	uint32_t end = offset + view->length;

	if (offset + view->length > STREAM_MAX && offset < INT32_MAX)
		sim_stuck(sim, "%s receives data at offset %u", tcp->side ? "server" : "client", offset);
	if (view->length && end <= tcp->in_next && tcp->habit->duplicate_sack && offset < end) {
		tcp->dsack[0] = offset;
		tcp->dsack[1] = end;
		tcp->have_dsack = true;
	}
	for (uint32_t i = 0; i < view->length; i++)
		if (offset + i < STREAM_MAX && offset + i >= tcp->in_next) {
			tcp->in[offset + i] = view->data[i];
			tcp->have[offset + i] = 1;
			tcp->in_top = max_u32(tcp->in_top, offset + i + 1);
		}
	if (view->flags & TCP_FIN)
		tcp->in_fin = end;
	advance(sim, tcp);
	if (tcp->in_next == expected || tcp->in_next <= tcp->in_top || (view->flags & TCP_FIN) ||
	    tcp->habit->quick_ack || ++tcp->unacked_segments >= 2)
		tcp->ack_at = tcp->in_next == expected || tcp->habit->quick_ack || (view->flags & TCP_FIN) ?
				      sim->now :
				      sim->now + 500;
	else if (tcp->ack_at == NEVER)
		tcp->ack_at = sim->now + 40000;
}

/* RFC 9293 section 3.10.7.4, as Linux has it. */
static bool acceptable(const struct tcp *tcp, const struct view *view, uint32_t offset)
{
	uint32_t end = offset + view->length + !!(view->flags & TCP_FIN);

	return (int32_t)(end - tcp->acked_in) >= 0 && (int32_t)(offset - (tcp->in_next + tcp->habit->window)) <= 0;
}

static void open_or_answer(struct sim *sim, struct tcp *tcp, const struct view *view)
{
	uint32_t offset = view->seq - (tcp->peer_iss + 1);
	bool bare = view->length == 0 && !(view->flags & TCP_FIN);

	if (tcp->state == TCP_SYN_RECEIVED && (view->flags & TCP_ACK) && view->ack == tcp->habit->iss + 1) {
		opened(sim, tcp);
		application(sim, tcp);
	}
	if (tcp->state != TCP_OPEN)
		return;
	if (!acceptable(tcp, view, offset)) {
		sim->unacceptable++;
		tcp->ack_at = sim->now;
		return;
	}
	tcp->peer_window = (uint32_t)view->window << tcp->peer_scale;
	tcp->peer_window_max = max_u32(tcp->peer_window_max, tcp->peer_window);
	tcp->probes = 0;
	if (tcp->habit->keepalive && tcp->keepalive_at != NEVER)
		tcp->keepalive_at = sim->now + tcp->habit->keepalive * 1000ull;
	receive_ack(sim, tcp, view);
	if (view->flags & TCP_URG)
		check_urgent(sim, tcp, offset + view->urgent);
	if (!bare)
		receive_data(sim, tcp, view, offset);
	else if (offset != tcp->in_next && (int32_t)(offset - tcp->in_next) < 0)
		tcp->ack_at = sim->now; /* a keepalive */
	application(sim, tcp);
	output(sim, tcp);
}

static void die(struct tcp *tcp)
{
	tcp->state = TCP_DEAD;
	tcp->timer = tcp->ack_at = tcp->app_at = tcp->keepalive_at = NEVER;
}

void tcp_receive(struct sim *sim, struct tcp *tcp, const struct packet *packet)
{
	struct view view;

	packet_view(packet->bytes, packet->length, &view);
	if (tcp->state != TCP_DEAD && (view.flags & TCP_RST)) {
		/* RFC 5961 section 3.2 */
		if (tcp->state != TCP_OPEN || view.seq - (tcp->peer_iss + 1) == tcp->in_next)
			die(tcp);
		else
			send_ack(sim, tcp);
		return;
	}
	if (tcp->state == TCP_DEAD) {
		if (!(view.flags & TCP_RST) && (view.flags & TCP_ACK))
			emit(sim, tcp, view.ack, TCP_RST, NULL, 0, 0);
		return;
	}
	if (view.flags & TCP_SYN) {
		receive_syn(sim, tcp, &view);
		return;
	}
	open_or_answer(sim, tcp, &view);
}

/*
 * What a segment that is refused is answered with: RFC 9293 section 3.10.7, RFC 5961. The answer to who has invented his
 * numbers has them too: whose stream they belong to can be seen from them only.
 */
void tcp_refuse(struct sim *sim, struct tcp *tcp, const struct packet *packet)
{
	bool closed = tcp->side == SERVER && tcp_finished(sim, tcp);
	bool synchronised = !closed && (tcp->state == TCP_OPEN || tcp->state == TCP_SYN_RECEIVED);
	struct view view;

	packet_view(packet->bytes, packet->length, &view);
	/* Acceptable, but no SYN, or nothing that it could accept: dropped (sections 3.10.7.2 and 3.10.7.3). */
	if (tcp->state == TCP_SYN_SENT && (!(view.flags & TCP_ACK) || view.ack == tcp->habit->iss + 1))
		return;
	if (tcp->state == TCP_LISTEN && !(view.flags & (TCP_ACK | TCP_SYN)))
		return;
	if (synchronised && (!(view.flags & TCP_RST) || tcp->state == TCP_OPEN)) {
		send_ack(sim, tcp);
	} else if (!(view.flags & TCP_RST) && (view.flags & TCP_ACK)) {
		adversary_stray(sim, tcp, view.ack, 0, TCP_RST);
	} else if (tcp->state == TCP_LISTEN && (view.flags & (TCP_SYN | TCP_RST)) == TCP_SYN) {
		/* What makes a server answer is as good as any. It keeps nothing of it (SYN cookies). */
		adversary_stray(sim, tcp, adversary_pick(sim, UINT32_MAX), view.seq + 1, TCP_SYN | TCP_ACK);
	} else if (!(view.flags & (TCP_RST | TCP_ACK))) {
		adversary_stray(sim, tcp, 0, view.seq + view.length + 1, TCP_RST | TCP_ACK);
	}
}

static void keepalive(struct sim *sim, struct tcp *tcp)
{
	bool idle = tcp->una == tcp->top && tcp->una == tcp->next && !tcp->closed && tcp->written == tcp->next;

	tcp->keepalive_at = NEVER;
	if (tcp->state != TCP_OPEN || tcp->closed || tcp_finished(sim, peer_of(sim, tcp)))
		return;
	tcp->keepalive_at = sim->now + tcp->habit->keepalive * 1000ull + 150000;
	if (!idle)
		return;
	/*
	 * What the other one has been told to have arrived, because its end was waited for, is on this side of what he sends next: while it is
	 * owed his answers may lie beyond a small window. He sends it again when his timer runs out.
	 */
	if (++tcp->probes > 5 && peer_of(sim, tcp)->timer == NEVER && sim->schedule.clean &&
	    sim->schedule.upset == UPSET_NONE)
		sim_stuck(sim, "%s: keepalives are not answered", tcp->side ? "server" : "client");
	if (tcp->next && sim_chance(sim, 500))
		emit(sim, tcp, tcp->habit->iss + tcp->next, TCP_ACK, tcp->out + tcp->next - 1, 1, 0);
	else
		emit(sim, tcp, tcp->habit->iss + tcp->next, TCP_ACK, NULL, 0, 0);
}

uint64_t tcp_deadline(const struct tcp *tcp)
{
	uint64_t first = tcp->timer < tcp->ack_at ? tcp->timer : tcp->ack_at;

	first = tcp->app_at < first ? tcp->app_at : first;
	return tcp->keepalive_at < first ? tcp->keepalive_at : first;
}

void tcp_timers(struct sim *sim, struct tcp *tcp)
{
	if (tcp->ack_at <= sim->now)
		send_ack(sim, tcp);
	tcp->ack_at = tcp->ack_at <= sim->now ? NEVER : tcp->ack_at;
	if (tcp->app_at <= sim->now) {
		application(sim, tcp);
		if (tcp->app_at <= sim->now)
			tcp->app_at = NEVER;
	}
	if (tcp->timer <= sim->now)
		timeout(sim, tcp);
	if (tcp->keepalive_at <= sim->now)
		keepalive(sim, tcp);
}

/* Something is wrong: give up. */
void tcp_reset(struct sim *sim, struct tcp *tcp)
{
	if (tcp->state != TCP_OPEN)
		return;
	emit(sim, tcp, tcp->habit->iss + 1 + tcp->next, TCP_RST | TCP_ACK, NULL, 0, 0);
	die(tcp);
}

bool tcp_finished(const struct sim *sim, const struct tcp *tcp)
{
	if (tcp->state == TCP_DEAD)
		return true;
	return tcp->closed && tcp->una == total(sim, tcp) + 1 && tcp->in_fin < tcp->in_next && tcp->ack_at == NEVER;
}
