// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The invariants. wire[side] knows what side's stream must read behind the router: the script's text, with each
 * argument that the engine says it has rewritten replaced once. Every packet that leaves the router is held against it,
 * every byte a receiver takes, every acknowledgement and SACK block a sender sees. Whatever the engine keeps back needs
 * one of the reasons that the design gives.
 */
#include "sim.h"

#include <stdio.h>

static uint32_t rewrite_end(const struct rewrite *rewrite)
{
	return rewrite->start + rewrite->old_length;
}

#define WHO(side) ((side) == CLIENT ? "client" : "server")

/* Sender space to receiver space; what is inside of a replaced argument goes to its end. */
uint32_t check_forward(const struct wire *wire, uint32_t offset)
{
	uint32_t shift = 0;

	for (unsigned int i = 0; i < wire->rewrites; i++) {
		const struct rewrite *rewrite = &wire->rewrite[i];

		if (offset <= rewrite->start)
			break;
		if (offset < rewrite->start + rewrite->old_length)
			return rewrite->start + shift + rewrite->new_length;
		shift += rewrite->new_length - rewrite->old_length;
	}
	return offset + shift;
}

/* The same while a part of an argument is swallowed: what follows it moves up. */
uint32_t check_displayed(const struct wire *wire, uint32_t offset)
{
	if (!wire->swallowed || offset <= wire->swallow_start)
		return check_forward(wire, offset);
	if (offset < wire->swallow_start + wire->swallowed)
		return check_forward(wire, wire->swallow_start);
	return check_forward(wire, offset) - wire->swallowed;
}

static const struct promise *promise_around(const struct sim *sim, enum side by, uint32_t offset)
{
	for (unsigned int i = 0; i < sim->script.promises; i++) {
		const struct promise *promise = &sim->script.promise[i];

		if (promise->by == by && offset >= promise->line && offset < promise->end)
			return promise;
	}
	return NULL;
}

/*
 * A part of an argument may be acknowledged to a sender that would not go on otherwise, by an adjustment that makes
 * nothing of it. It shows as the difference between what was adjusted and what was rewritten.
 */
void check_swallowed(struct sim *sim)
{
	for (unsigned int side = 0; side < 2; side++) {
		const struct seqadj *adj = &sim->around.binding.seqadj[side];
		struct wire *wire = &sim->wire[side];
		uint32_t growth = wire->expected_length - sim->script.length[side];
		int32_t missing = (int32_t)growth - adj->after;
		const struct promise *promise;

		wire->swallowed = missing > 0 ? (uint32_t)missing : 0;
		if (!wire->swallowed)
			continue;
		wire->swallow_start = adj->pos + 1 - (sim->schedule.habit[side].iss + 1);
		if (wire->swallow_start > STREAM_MAX) { /* it is of an invented connection */
			wire->swallowed = 0;
			continue;
		}
		wire->lent = max_u32(wire->lent, wire->swallow_start + wire->swallowed);
		promise = promise_around(sim, (enum side)side, wire->swallow_start);
		wire->lent_end = promise ? promise->end : wire->lent;
	}
}

/* Receiver space to sender space. Returns false inside of a replacement, which nothing may cut. */
static bool backward(const struct wire *wire, uint32_t offset, uint32_t *sender)
{
	uint32_t shift = 0;

	for (unsigned int i = 0; i < wire->rewrites; i++) {
		const struct rewrite *rewrite = &wire->rewrite[i];
		uint32_t start = rewrite->start + shift;

		if (offset <= start)
			break;
		if (offset < start + rewrite->new_length)
			return false;
		shift += rewrite->new_length - rewrite->old_length;
	}
	*sender = offset - shift;
	return true;
}

/* May something of sender's offset have been before the last acknowledgement the engine saw? */
static bool inside_rewrite(const struct wire *wire, uint32_t offset)
{
	for (unsigned int i = 0; i < wire->rewrites; i++)
		if (offset > wire->rewrite[i].start && offset < wire->rewrite[i].start + wire->rewrite[i].old_length)
			return true;
	return false;
}

/* What a segment of this direction may carry, whatever came in. */
static uint32_t segment_limit(const struct sim *sim, enum side from, const struct view *view)
{
	uint32_t mss = sim->wire[from].mss;

	if (!mss) /* RFC 9293 section 3.7.1 */
		mss = sim->schedule.family == FAMILY_IPV4 ? 536 : 1220;
	return mss > view->options ? mss - view->options : 0;
}

void check_bytes(struct sim *sim, enum side from, uint32_t offset, const uint8_t *data, uint32_t length,
		 const char *where)
{
	const struct wire *wire = &sim->wire[from];

	if (offset + length > wire->expected_length || offset > wire->expected_length)
		sim_fail(sim, "I1: %s: bytes %u to %u of %u from the %s", where, offset, offset + length,
			 wire->expected_length, WHO(from));
	if (memcmp(wire->expected + offset, data, length) != 0)
		sim_fail(sim, "I1: %s: bytes %u to %u from the %s read \"%s\"", where, offset, offset + length,
			 WHO(from), sim_text(data, length));
}

/* Is an earlier announcement of the client's not answered yet? A helper with room for one expectation would lose it. */
static bool answer_is_due(const struct sim *sim, const struct promise *promise)
{
	for (unsigned int i = 0; i < sim->script.promises; i++) {
		const struct promise *earlier = &sim->script.promise[i];

		if (earlier->by == CLIENT && earlier->opened && earlier->line < promise->line &&
		    sim->wire[SERVER].engine_next < earlier->answered)
			return promise->by == CLIENT;
	}
	return false;
}

/* Has the engine not heard yet that the last edit of a side has arrived, be it a swallowed part that is owed? */
bool check_edit_unheard(const struct sim *sim, enum side by)
{
	const struct wire *wire = &sim->wire[by];
	const uint32_t edited = wire->rewrites ? rewrite_end(&wire->rewrite[wire->rewrites - 1]) : 0;

	return wire->engine_heard < check_forward(wire, max_u32(wire->lent_end, edited));
}

/* The engine let go of [.., kept) only of what reaches up to end: why? Updates what it has consumed. */
static void explain(struct sim *sim, enum side from, const struct view *in, uint32_t start, uint32_t kept, uint32_t end,
		    uint32_t out_length)
{
	struct wire *wire = &sim->wire[from];
	const struct promise *promise = promise_around(sim, from, kept);
	uint32_t limit = max_u32(in->length, segment_limit(sim, from, in));

	if (wire->engine_next == UINT32_MAX) /* not known since the daemon was away */
		return;
	if (start > wire->engine_next) {
		sim->cuts_hole++;
	} else if (end <= wire->engine_next || end <= wire->engine_acked) {
		/* Absorbed: it was consumed before, or has arrived before. */
		sim->cuts_held++;
	} else if (out_length &&
		   out_length == limit) { /* NOLINT(bugprone-branch-clone): what else would be a reason comes between */
		sim->cuts_space++;
		wire->engine_next = max_u32(wire->engine_next, kept);
	} else if (promise && end > promise->line && end < promise->end && (kept <= promise->argument || !out_length)) {
		/* An argument that is not all there. */
		sim->cuts_held++;
		wire->engine_next = end;
	} else if (promise &&
		   (check_edit_unheard(sim, from) || answer_is_due(sim, promise) || sim->restarts || sim->misled)) {
		/* After a restart also: it may have passed while nobody was there. Who knows the numbers may have it believed that bytes did. */
		sim->cuts_waiting++;
		wire->engine_next = kept > promise->argument ? promise->argument : kept;
	} else if (out_length + 2 * ENDPOINT_TEXT_MAX > limit) {
		sim->cuts_space++;
		wire->engine_next = max_u32(wire->engine_next, kept);
	} else {
		sim_fail(sim, "bytes %u to %u from the %s are kept back without a reason", kept, end, WHO(from));
	}
}

/*
 * What a segment acknowledges counts only where its receiver takes the segment (RFC 9293 section 3.10.7.4, first): a keepalive's, or a late
 * copy's, which lies before what was acknowledged, does not, nor does an RST's.
 */
static bool is_old(const struct sim *sim, enum side from, const struct view *in)
{
	const uint32_t end = in->seq - (sim->schedule.habit[from].iss + 1) + in->length + !!(in->flags & TCP_FIN);

	return (int32_t)(end - sim->wire[from].engine_acked) < 0;
}

/*
 * A SYN/ACK that is sent again, its SYN not having been seen by this daemon, when conntrack is beyond the handshake: a server can send one at any
 * time, so nothing begins by it, and what it says is nobody's word. The connection is one that is met in its middle (I2: RFC 9293's default).
 */
static bool is_late_answer(const struct sim *sim, enum side from)
{
	return sim->around.shaken && !sim->wire[from].mss;
}

/* RFC 5961: only this one ends it. */
void check_reset(struct sim *sim, enum side from, const struct view *in)
{
	if ((in->flags & TCP_RST) &&
	    in->seq - (sim->schedule.habit[from].iss + 1) == min_u32(sim->wire[from].engine_next, sim->tcp[from].top))
		sim->reset_seen = true;
}

static void seen_by_engine(struct sim *sim, enum side from, const struct view *in, const struct view *out)
{
	struct wire *other = &sim->wire[!from];
	uint32_t heard, ack;

	if ((in->flags & TCP_SYN) && !(in->flags & TCP_ACK && is_late_answer(sim, from)))
		other->mss = in->mss ? in->mss : 536;
	check_reset(sim, from, in);
	if (!(in->flags & TCP_ACK) || (in->flags & (TCP_SYN | TCP_RST)) || is_old(sim, from, in))
		return;
	heard = in->ack - (sim->schedule.habit[!from].iss + 1);
	if (heard > STREAM_MAX)
		return;
	other->engine_heard = max_u32(other->engine_heard, heard);
	if (out)
		ack = out->ack - (sim->schedule.habit[!from].iss + 1);
	else if (!backward(other, heard, &ack))
		return;
	if (ack <= STREAM_MAX)
		other->engine_acked = max_u32(other->engine_acked, ack);
}

void check_dropped(struct sim *sim, enum side from, const struct view *in)
{
	uint32_t start = in->seq - (sim->schedule.habit[from].iss + 1);

	sim_trace(sim, "     (dropped by the engine)");
	if (!in->checksum_ok)
		sim_fail(sim, "I3: a broken packet is dropped");
	if (router_misplaces(sim)) {
		sim->lost++;
		return;
	}
	if (in->flags & (TCP_SYN | TCP_RST))
		sim_fail(sim, "a SYN or RST is dropped");
	if (in->length == 0 && !(in->flags & TCP_FIN))
		sim_fail(sim, "a packet without payload is dropped");
	seen_by_engine(sim, from, in, NULL);
	if (sim->claimed)
		sim->cuts_waiting++;
	else
		explain(sim, from, in, start, start, start + in->length, 0);
}

static void check_headers(struct sim *sim, const struct view *in, const struct view *out, const uint8_t *in_bytes,
			  const uint8_t *out_bytes)
{
	uint8_t gone = in->flags & (uint8_t)~out->flags;
	uint32_t addresses = in->tcp == 20 ? 12 : 7;

	if (out->tcp != in->tcp || out->options != in->options)
		sim_fail(sim, "the header's length changed");
	if (memcmp(in_bytes + addresses, out_bytes + addresses, in->tcp + 4 - addresses) != 0)
		sim_fail(sim, "addresses or ports changed");
	if (in->window != out->window)
		sim_fail(sim, "the window changed");
	if ((out->flags & ~in->flags) || (gone & ~(TCP_FIN | TCP_PSH | TCP_URG)))
		sim_fail(sim, "flags %02x became %02x", in->flags, out->flags);
	if (in->sacks != out->sacks ||
	    memcmp(in_bytes + in->tcp + 20, out_bytes + in->tcp + 20, in->sacks ? 0 : in->options) != 0)
		sim_fail(sim, "options changed");
}

static void check_numbers(struct sim *sim, enum side from, const struct view *in, const struct view *out,
			  uint32_t start, uint32_t shown)
{
	const struct wire *wire = &sim->wire[from];

	/* One of which nothing is left but an old number asks its receiver what it has. */
	if ((in->length || in->flags & TCP_FIN) && !out->length && !(out->flags & TCP_FIN) &&
	    (int32_t)(shown - sim->tcp[!from].in_next) < 0)
		return;
	/* A keepalive's, or an old packet's number may be off: it is only answered. So may one's amid a kill. */
	if (in->length || start < wire->engine_acked || start == UINT32_MAX || inside_rewrite(wire, start) ||
	    sim->kills)
		return;
	if (wire->swallowed && start - wire->swallow_start < wire->swallowed)
		return;
	if (shown != check_displayed(wire, start) && start >= sim->tcp[from].una)
		sim_fail(sim, "byte %u of the %s is shown as %u, not %u", start, WHO(from), shown,
			 check_displayed(wire, start));
}

/* A rewritten argument leaves whole, even where its sender now sends a part of it. */
static bool ends_rewrite(const struct wire *wire, uint32_t offset)
{
	const struct rewrite *last = wire->rewrites ? &wire->rewrite[wire->rewrites - 1] : NULL;

	return last && offset == last->start + last->old_length && offset > wire->engine_acked;
}

/* Which urgent data ends at this position, receiver space: its number, -1 for none. */
static int urgent_ending(const struct sim *sim, enum side from, uint32_t position)
{
	for (unsigned int i = 0; i < sim->script.urgents[from]; i++)
		if (check_forward(&sim->wire[from], sim->script.urgent[from][i]) == position ||
		    check_displayed(&sim->wire[from], sim->script.urgent[from][i]) == position)
			return (int)i;
	return -1;
}

static void check_payload(struct sim *sim, enum side from, const struct view *in, const struct view *out, bool unseen)
{
	struct wire *wire = &sim->wire[from];
	uint32_t base = sim->schedule.habit[from].iss + 1;
	uint32_t start = in->seq - base, shown = out->seq - base;
	uint32_t end = start + in->length, kept = 0;
	bool old = unseen && end <= sim->tcp[from].una;

	check_numbers(sim, from, in, out, start, shown);
	if (out->length && !old)
		check_bytes(sim, from, shown, out->data, out->length, "leaving the router");
	if (out->length)
		wire->emitted = max_u32(wire->emitted, shown + out->length);
	if ((out->flags & TCP_URG) && !old && urgent_ending(sim, from, shown + out->urgent) < 0)
		sim_fail(sim, "I1: urgent data from the %s ends at %u", WHO(from), shown + out->urgent);
	if ((out->flags & TCP_FIN) && shown + out->length != wire->expected_length)
		sim_fail(sim, "I1: FIN at byte %u of %u", shown + out->length, wire->expected_length);
	if (old || start == UINT32_MAX)
		return;
	if (unseen) {
		if (in->length || (in->flags & TCP_FIN))
			wire->engine_next = UINT32_MAX;
		return;
	}
	if (!backward(wire, shown, &kept) && out->length)
		sim_fail(sim, "a packet begins inside of a rewritten argument");
	if (!backward(wire, shown + out->length, &kept) && out->length)
		sim_fail(sim, "a packet ends inside of a rewritten argument");
	if (out->length && (int32_t)(kept - end) > 0 && !ends_rewrite(wire, kept) && kept > wire->lent)
		sim_fail(sim, "more leaves than came in: up to %u, not %u", kept, end);
	if (!out->length) /* what is known to have arrived is not sent again */
		kept = wire->engine_acked > start && wire->engine_acked < end ? wire->engine_acked : start;
	if (kept < end)
		explain(sim, from, in, start, kept, end, out->length);
	else if (in->length && !sim->passed_by && (wire->engine_next == UINT32_MAX || end > wire->engine_next))
		wire->engine_next = end;
	if ((in->flags & TCP_FIN) && !(out->flags & TCP_FIN) && kept == end && out->length)
		sim_fail(sim, "FIN is missing");
}

/* A packet as its sender wrote it: offsets in both sides' own spaces. */
void check_trace_in(struct sim *sim, enum side from, const struct view *in)
{
	const uint32_t base = sim->schedule.habit[from].iss + 1, other = sim->schedule.habit[!from].iss + 1;

	if (!sim->verbose)
		return;
	sim_trace(sim, "%s %s%s%s%s%s in  seq %d len %u ack %d \"%s\"", from == CLIENT ? "C>S" : "S>C",
		  in->flags & TCP_SYN ? "S" : "", in->flags & TCP_FIN ? "F" : "", in->flags & TCP_RST ? "R" : "",
		  in->flags & TCP_URG ? "U" : "", in->checksum_ok ? "" : " BROKEN", (int)(in->seq - base), in->length,
		  (int)(in->ack - other), sim_text(in->data, in->length));
	for (unsigned int i = 0; i < in->sacks; i++)
		sim_trace(sim, "        SACK %d-%d", (int)(in->sack[i][0] - other), (int)(in->sack[i][1] - other));
}

static void trace_out(struct sim *sim, enum side from, const struct view *in, const struct view *out, bool unseen)
{
	const uint32_t base = sim->schedule.habit[from].iss + 1, other = sim->schedule.habit[!from].iss + 1;

	if (!sim->verbose)
		return;
	sim_trace(sim, "    %s%s out seq %d len %u ack %d \"%s\"", unseen ? "unseen" : "",
		  (in->flags & TCP_FIN) && !(out->flags & TCP_FIN) ? " -FIN" : "", (int)(out->seq - base), out->length,
		  (int)(out->ack - other), sim_text(out->data, out->length));
	for (unsigned int i = 0; i < out->sacks; i++)
		sim_trace(sim, "        SACK %d-%d", (int)(out->sack[i][0] - other), (int)(out->sack[i][1] - other));
}

/* Whatever a packet says and whoever sends it: broken stays broken, and nothing grows past the path. */
void check_forged(struct sim *sim, enum side from, const struct view *in, const struct view *out, bool unseen)
{
	trace_out(sim, from, in, out, unseen);
	if (in->checksum_ok != out->checksum_ok)
		sim_fail(sim, "I3: the checksum of a forged packet came in %s and left %s",
			 in->checksum_ok ? "right" : "wrong", out->checksum_ok ? "right" : "wrong");
	if (!sim_hostile(sim) && out->length > max_u32(in->length, segment_limit(sim, from, out)))
		sim_fail(sim, "I2: a forged packet of %u bytes leaves with %u", in->length, out->length);
}

void check_emission(struct sim *sim, enum side from, const struct view *in, const struct view *out,
		    const uint8_t *in_bytes, const uint8_t *out_bytes, bool unseen)
{
	uint32_t limit = segment_limit(sim, from, out);

	trace_out(sim, from, in, out, unseen);
	if (in->checksum_ok != out->checksum_ok)
		sim_fail(sim, "I3: the checksum came in %s and left %s", in->checksum_ok ? "right" : "wrong",
			 out->checksum_ok ? "right" : "wrong");
	if (!in->checksum_ok)
		return;
	if (out->length > max_u32(in->length, limit))
		sim_fail(sim, "I2: %u bytes came in, the segment size leaves %u, %u left", in->length, limit,
			 out->length);
	check_headers(sim, in, out, in_bytes, out_bytes);
	if (!unseen)
		seen_by_engine(sim, from, in, out);
	if (in->flags & (TCP_SYN | TCP_RST))
		return;
	check_payload(sim, from, in, out, unseen);
	if ((in->flags & TCP_FIN) && (out->flags & TCP_FIN) && !unseen)
		sim->wire[from].fin_seen = true;
}

/*
 * The engine's own account of what it has read and forwarded, where nothing has passed without it: it never falls
 * behind what has left, and no byte of a part that it holds back has left as it came.
 */
void check_engine(struct sim *sim)
{
	const struct session *session = table_slot(sim->engine.table, 1);
	const struct work *work;

	session = session ? session : table_slot(sim->engine.table, 2);
	if (sim_hostile(sim) || sim->adversary.beforehand) /* it may be another one's */
		return;
	if (!session || session->state < SESSION_GREETING || sim->schedule.upset != UPSET_NONE || sim->resyncs)
		return;
	if (sim->misled &&
	    session->state >= SESSION_OPAQUE) /* moves_numbers() in router.c: nothing rests on them any more */
		return;
	work = table_work(sim->engine.table, session);
	for (unsigned int side = 0; side < 2; side++) {
		const struct stream *stream = &session->stream[side];
		const struct wire *wire = &sim->wire[side];
		const uint32_t base = sim->schedule.habit[side].iss + 1;

		if (stream->unsynced)
			continue;
		if (check_displayed(wire, stream->next - base) < wire->emitted)
			sim_fail(sim, "the engine goes back to byte %u of the %s, which has left", stream->next - base,
				 WHO(side));
		if (stream->held && !work->held[side].copied &&
		    check_displayed(wire, work->held[side].start - base) < wire->emitted)
			sim_fail(sim, "byte %u of the %s is held back and has left", work->held[side].start - base,
				 WHO(side));
	}
}

void check_ack(struct sim *sim, const struct tcp *tcp, uint32_t ack)
{
	const struct tcp *peer = &sim->tcp[!tcp->side];

	if (sim_hostile(sim))
		return;
	if (ack > tcp->top)
		sim_fail(sim, "I1: the %s sees %u acknowledged and has sent %u", WHO(tcp->side), ack, tcp->top);
	if (check_forward(&sim->wire[tcp->side], ack) > peer->in_next && ack > sim->wire[tcp->side].lent)
		sim_fail(sim, "I1: the %s sees %u acknowledged, that is %u, and %u have arrived", WHO(tcp->side), ack,
			 check_forward(&sim->wire[tcp->side], ack), peer->in_next);
}

/* A duplicate from before the last rewrite, where conntrack adjusts and has been told that all of it has arrived. */
static bool is_settled_duplicate(const struct sim *sim, const struct tcp *tcp, uint32_t left, uint32_t right)
{
	const struct wire *wire = &sim->wire[tcp->side];

	return wire->rewrites && !sim->schedule.self && !sim->around.marked && (int32_t)(left - right) < 0 &&
	       (int32_t)(right - tcp->una) <= 0 && (int32_t)(left - wire->rewrite[wire->rewrites - 1].start) < 0;
}

void check_sack(struct sim *sim, const struct tcp *tcp, uint32_t left, uint32_t right)
{
	const struct tcp *peer = &sim->tcp[!tcp->side];
	const struct wire *wire = &sim->wire[tcp->side];

	if (sim_hostile(sim))
		return;
	if (wire->lent && (right <= wire->lent || left < wire->lent || left > INT32_MAX))
		return;
	/* A duplicate (RFC 2883) from before the rewrite before last: an adjustment remembers two shifts. It says
	 * nothing new. */
	if (wire->rewrites > 1 && (int32_t)(right - tcp->una) <= 0 &&
	    (int32_t)(left - rewrite_end(&wire->rewrite[wire->rewrites - 2])) <= 0)
		return;
	/* Once settled it remembers one: what begins before the last rewrite may seem to begin even earlier, and to end before the stream. */
	if (is_settled_duplicate(sim, tcp, left, right))
		return;
	if (wire->rewrites && (int32_t)(left - wire->rewrite[wire->rewrites - 1].start) < 0)
		left = min_u32(wire->rewrite[wire->rewrites - 1].start, right - 1);
	if (left >= right || right > tcp->top)
		sim_fail(sim, "I1: the %s sees SACK %u to %u and has sent %u", WHO(tcp->side), left, right, tcp->top);
	for (uint32_t at = check_forward(wire, left); at < check_forward(wire, right); at++)
		if (at >= peer->in_next && !peer->have[at])
			sim_fail(sim, "I1: the %s sees SACK %u to %u; byte %u has not arrived", WHO(tcp->side), left,
				 right, at);
}

/* A receiver may have heard an older number, of before a rewrite between it and the urgent data. */
void check_urgent(struct sim *sim, struct tcp *tcp, uint32_t position)
{
	int which = sim_hostile(sim) ? -1 : urgent_ending(sim, (enum side) !tcp->side, position);

	if (which >= 0)
		tcp->urgent_seen[which] = true;
}

static void check_streams(struct sim *sim)
{
	for (unsigned int side = 0; side < 2; side++) {
		const struct tcp *reader = &sim->tcp[!side];
		unsigned int urgents = sim->script.urgents[side];

		if (reader->in_next != sim->wire[side].expected_length + 1)
			sim_fail(sim, "I1: %u bytes of %u arrived from the %s", reader->in_next,
				 sim->wire[side].expected_length + 1, WHO(side));
		check_bytes(sim, (enum side)side, 0, reader->in, reader->in_next - 1, "arrived");
		/* Of several, the last is what counts (RFC 6093). */
		if (urgents && !reader->urgent_seen[urgents - 1] && !sim->lost)
			sim_fail(sim, "the %s never hears of urgent data", WHO(!side));
	}
}

/* A timeout needs a loss, or one of the cuts that the design allows. */
static void check_progress(struct sim *sim)
{
	unsigned int timeouts = sim->tcp[CLIENT].timeouts + sim->tcp[SERVER].timeouts;
	unsigned int cuts = sim->cuts_waiting + sim->cuts_space + sim->cuts_hole;
	bool nagle = sim->schedule.habit[CLIENT].nagle || sim->schedule.habit[SERVER].nagle;
	bool narrow = sim->small; /* an argument need not fit a window, nor a part of it one segment */
	unsigned int excuses = sim->lost + sim->unacceptable + cuts;

	for (unsigned int side = 0; side < 2; side++)
		narrow |= sim->schedule.habit[side].window < 200 || sim->schedule.habit[side].mss < 200;
	excuses += nagle || narrow ? sim->cuts_held : 0;
	/* What has passed unseen is a gap to a daemon that comes back. */
	if (sim->schedule.upset != UPSET_NONE)
		excuses += 3;
	if (timeouts > 3 * excuses)
		sim_fail(sim, "%u timeouts; %u losses, %u cuts and %u held arguments do not explain them", timeouts,
			 sim->lost, cuts, sim->cuts_held);
}

void check_end(struct sim *sim)
{
	bool seen = sim->reset_seen || (sim->wire[CLIENT].fin_seen && sim->wire[SERVER].fin_seen);
	bool lost_count = sim->kills || sim->schedule.upset == UPSET_FRESH;

	if (sim_hostile(sim) || sim->superseded)
		seen = false;
	else if (sim->schedule.ending != END_RESET) {
		check_streams(sim);
		check_promises(sim);
		check_progress(sim);
	}
	if (sim->resyncs && !sim->adversary.present && sim->schedule.clean && sim->schedule.upset == UPSET_NONE)
		sim_fail(sim, "the engine lost a stream of which it has seen every byte");
	if (sim->around.count && seen && !lost_count && !sim->restarts && !sim->misled &&
	    !check_unknowable(sim)) /* a FIN may have passed unseen */
		sim_fail(sim, "%u expectations outlive the connection", sim->around.count);
	router_finish(sim);
	if (sim->around.count && !lost_count)
		sim_fail(sim, "%u expectations outlive the session", sim->around.count);
}
