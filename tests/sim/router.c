// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The router: the engine with its table, what conntrack answers it, and the kernel's own part after the verdict. The
 * daemon may be restarted, killed inside of any callback, or be away for a while; its table is the only thing it finds
 * again.
 */
#include "sim.h"

#include <stdlib.h>

#define TABLE_ROOM  65536
#define CLOCK_START 1000000u /* milliseconds: clocks do not start at zero */

static const struct table_size table_size = { .sessions = 2, .works = 2, .budgets = 2 };
static _Alignas(64) uint8_t table_memory[TABLE_ROOM], table_before[TABLE_ROOM];
static uint8_t output_buffer[65536 + 256];

static uint64_t milliseconds(const struct sim *sim)
{
	return CLOCK_START + sim->now / 1000;
}

static struct sim *sim_of(struct conntrack *conntrack)
{
	return (struct sim *)(void *)((uint8_t *)conntrack - offsetof(struct sim, around.conntrack));
}

static void may_die(struct sim *sim)
{
	if (sim->kill_countdown <= 0)
		return;
	sim->kill_countdown--;
	if (!sim->kill_countdown)
		longjmp(sim->killed, 1);
}

static bool fails(struct sim *sim)
{
	if (sim->resuming || !sim_chance(sim, sim->schedule.errors))
		return false;
	sim->around.errors_given++;
	return true;
}

static int conntrack_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
			  enum direction *direction)
{
	struct sim *sim = sim_of(conntrack);
	const struct endpoint *inside = sim->around.inside;

	(void)zone;
	may_die(sim);
	if (!sim->around.known)
		return -ENOENT;
	if (endpoint_equal(&seen->src, &inside[CLIENT]) && endpoint_equal(&seen->dst, &inside[SERVER]))
		*direction = DIRECTION_ORIGINAL;
	else if (endpoint_equal(&seen->src, &inside[SERVER]) && endpoint_equal(&seen->dst, &inside[CLIENT]))
		*direction = DIRECTION_REPLY;
	else
		return -ENOENT;
	*binding = sim->around.binding;
	binding->progress = sim->around.shaken ? PROGRESS_BEYOND : PROGRESS_HANDSHAKE;
	binding->renumbered = sim->schedule.self && sim->around.renumbering;
	if (sim->schedule.self)
		memset(binding->seqadj, 0, sizeof(binding->seqadj));
	return 0;
}

static bool same_expectation(const struct expectation *a, const struct expectation *b)
{
	return endpoint_address_equal(&a->tuple.src, &b->tuple.src) && endpoint_equal(&a->tuple.dst, &b->tuple.dst);
}

static unsigned int find_open(const struct surroundings *around, const struct expectation *expectation)
{
	unsigned int i = 0;

	while (i < around->count && !same_expectation(&around->open[i], expectation))
		i++;
	return i;
}

static int conntrack_expect(struct conntrack *conntrack, const struct binding *master,
			    const struct expectation *expectation)
{
	struct sim *sim = sim_of(conntrack);
	struct surroundings *around = &sim->around;
	uint32_t port = expectation->tuple.dst.port;
	unsigned int at = find_open(around, expectation);

	(void)master;
	may_die(sim);
	if ((port * 2654435761u ^ (uint32_t)sim->seed * 40503u) % 1000 < sim->schedule.busy) {
		around->busy_answers++;
		return -EBUSY;
	}
	if (fails(sim))
		return -EOPNOTSUPP;
	check_expectation(sim, !expectation->nat_direction, expectation);
	if (at == EXPECTATIONS)
		sim_fail(sim, "%u expectations open at once", EXPECTATIONS);
	around->open[at] = *expectation;
	around->count += at == around->count;
	may_die(sim);
	return 0;
}

/* Who knows the numbers has made it take up a stream again: before the packet at hand, or by it. */
static bool is_misled(const struct sim *sim)
{
	return sim->misled ||
	       ((sim->at_hand == NEAR || sim->at_hand == EXACT) && sim->engine.counters.resynced != sim->resynced);
}

static void conntrack_unexpect(struct conntrack *conntrack, const struct binding *master,
			       const struct expectation *expectation)
{
	struct sim *sim = sim_of(conntrack);
	struct surroundings *around = &sim->around;
	unsigned int at = find_open(around, expectation);

	(void)master;
	may_die(sim);
	if (at < around->count && !adversary_invented(expectation->nat_src.port) && !is_misled(sim) &&
	    (sim->at_hand == BLIND || sim->at_hand == NEAR || sim->at_hand == EXACT))
		sim_fail(sim, "a forged packet takes an expectation back");
	if (at < around->count)
		around->open[at] = around->open[--around->count];
}

static int conntrack_adjust(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			    const struct seqadj *adjustment)
{
	struct sim *sim = sim_of(conntrack);

	(void)master;
	may_die(sim);
	if (!sim->wire[direction].swallowed && fails(sim))
		return -EIO;
	sim->around.binding.seqadj[direction] = *adjustment;
	sim->around.renumbering = true;
	sim->around.marked = sim->schedule.self || conntrack->guarded;
	if (sim->at_hand == BLIND && !sim->invented && !adversary_alone(sim))
		sim_fail(sim, "a forged packet makes conntrack adjust the connection");
	sim->around.misplaced = sim->at_hand == BLIND;
	may_die(sim);
	return sim->schedule.self ? SEQADJ_SELF : SEQADJ_KERNEL;
}

/* No edit is in flight any more: packets may pass unseen again. */
static void conntrack_settle(struct conntrack *conntrack, const struct binding *master)
{
	struct sim *sim = sim_of(conntrack);

	may_die(sim);
	if (sim->schedule.self)
		return;
	sim->around.marked = false;
	for (unsigned int side = 0; side < 2; side++)
		sim->around.binding.seqadj[side] = seqadj_settled(&master->seqadj[side]);
}

static const struct conntrack_ops conntrack_ops = {
	.find = conntrack_find,
	.expect = conntrack_expect,
	.unexpect = conntrack_unexpect,
	.adjust_seq = conntrack_adjust,
	.settle = conntrack_settle,
};

static void copy_text(char *to, const char *from, uint32_t length)
{
	if (from)
		memcpy(to, from, min_u32(length, 128));
}

static void take_report(void *context, const struct report *report)
{
	struct sim *sim = context;
	struct note *note = &sim->note[sim->notes];

	may_die(sim);
	if (sim->notes == NOTES)
		sim_fail(sim, "more than %u reports of one packet", NOTES);
	sim->notes++;
	note->kind = report->kind;
	note->direction = report->direction;
	note->seq = report->seq;
	note->port = report->port;
	note->refusal = report->refusal;
	note->from_length = min_u32(report->from_length, sizeof(note->from));
	note->to_length = min_u32(report->to_length, sizeof(note->to));
	copy_text(note->from, report->from, report->from_length);
	copy_text(note->to, report->to, report->to_length);
	if (report->expectation)
		note->expectation = *report->expectation;
}

/* From here on, and for some exchanges after it is over, an announcement may be missed. */
static void exempt(struct sim *sim, unsigned int until_more)
{
	unsigned int now = sim->tcp[CLIENT].at;

	if (sim->exempt_from == UINT32_MAX)
		sim->exempt_from = now > 8 ? now - 8 : 0;
	sim->exempt_until = until_more == UINT32_MAX ? UINT32_MAX : now + until_more;
}

/* What has been read is not known any more; what has been acknowledged stands in the table, unless that is new. */
static void forget(struct sim *sim, bool fresh)
{
	for (unsigned int side = 0; side < 2; side++) {
		sim->wire[side].engine_next = UINT32_MAX;
		sim->wire[side].told = 0;
		if (fresh)
			sim->wire[side].engine_acked = 0;
	}
}

/* A new daemon on the memory as it is. */
static void open_engine(struct sim *sim)
{
	uint64_t seed[2] = { sim->seed, 42 };
	struct engine *engine = &sim->engine;
	uint32_t recovered;

	if (table_bytes(&table_size) > TABLE_ROOM)
		sim_fail(sim, "the table does not fit");
	memset(engine, 0, sizeof(*engine));
	engine->table = table_open(table_memory, &table_size, seed, &recovered);
	if (!engine->table)
		sim_fail(sim, "the table cannot be opened again");
	engine->conntrack = &sim->around.conntrack;
	engine->policy = policy_default;
	engine->policy.client_rate = 1000000;
	engine->report = take_report;
	engine->report_context = sim;
	engine->random = sim->seed + sim->kills + 1;
}

void router_start(struct sim *sim)
{
	memset(table_memory, 0, table_bytes(&table_size) < TABLE_ROOM ? table_bytes(&table_size) : TABLE_ROOM);
	sim->around.conntrack.ops = &conntrack_ops;
	/* Without a queue for marked connections, as every second one is, they pass while nobody is there. */
	sim->around.conntrack.guarded = !sim->schedule.payload_only && sim->schedule.habit[CLIENT].iss / 8 % 2;
	sim->back_at = NEVER;
	sim->kill_countdown = -1;
	sim->exempt_from = UINT32_MAX;
	open_engine(sim);
	sim->engine.syns_queued = true; /* it has been there for long, and SYNs are queued */
}

static bool rewritten_at_all(const struct sim *sim)
{
	return sim->wire[CLIENT].rewrites || sim->wire[SERVER].rewrites;
}

/* Has every rewrite been acknowledged, and does its writer know? Only then can a router forget about it. */
static bool quiet(const struct sim *sim)
{
	for (unsigned int side = 0; side < 2; side++) {
		const struct wire *wire = &sim->wire[side];
		const struct rewrite *last = wire->rewrites ? &wire->rewrite[wire->rewrites - 1] : NULL;

		if (last && sim->tcp[side].una < last->start + last->old_length)
			return false;
		if (wire->swallowed || check_forward(wire, sim->tcp[side].una) > sim->tcp[!side].in_next)
			return false;
	}
	return true;
}

static void lose_under_way(struct sim *sim)
{
	network_flush(sim);
	for (unsigned int side = 0; side < 2; side++)
		sim->wire[side].emitted = sim->tcp[!side].in_top;
}

static void restart(struct sim *sim)
{
	int countdown = sim->kill_countdown;

	sim_trace(sim, "     (the daemon restarts)");
	exempt(sim, sim->schedule.pipelined ? 9 : 3);
	sim->restarts++;
	sim->kill_countdown = -1;
	sim->resuming = true;
	open_engine(sim);
	session_absent(&sim->engine, milliseconds(sim));
	resume_sessions(&sim->engine);
	sim->resuming = false;
	sim->kill_countdown = countdown;
}

/* Of a handshake that was not seen to its end the engine knows nothing: anybody may have begun it. */
static void forget_handshake(struct sim *sim)
{
	if (!sim->wire[CLIENT].mss || !sim->wire[SERVER].mss)
		sim->wire[CLIENT].mss = sim->wire[SERVER].mss = 0;
}

/* A daemon that knows nothing has not read what came before it, also what stands behind a gap. Every edit of that has been acknowledged. */
static void arrived_before(struct sim *sim)
{
	for (unsigned int side = 0; side < 2; side++) {
		const struct tcp *reader = &sim->tcp[!side];
		struct wire *wire = &sim->wire[side];
		const uint32_t top =
			max_u32(reader->in_top, reader->in_fin == UINT32_MAX ? reader->in_next : reader->in_fin + 1);

		wire->unread = max_u32(wire->unread, top - (wire->expected_length - sim->script.length[side]));
	}
}

/* Returns true when the packet at hand is lost in it. */
static bool upset(struct sim *sim)
{
	const struct schedule *schedule = &sim->schedule;

	if (sim->upset_done || schedule->upset == UPSET_NONE || sim->routed < schedule->upset_at)
		return false;
	if (schedule->upset == UPSET_RESTART) {
		sim->upset_done = true;
		restart(sim);
	} else if (schedule->upset == UPSET_KILL && sim->kill_countdown < 0) {
		sim->kill_countdown = 1 + (int)sim_pick(sim, 8);
	} else if (
		schedule->upset == UPSET_FRESH && quiet(sim) && !(schedule->self && rewritten_at_all(sim)) &&
		!sim->around
			 .misplaced) { /* else the real one's packets are INVALID to conntrack, and nobody follows it */
		sim->upset_done = true;
		sim_trace(sim, "     (the daemon starts anew)");
		lose_under_way(sim);
		arrived_before(sim);
		sim->shown = false;
		sim->left_alone = schedule->self && sim->around.renumbering; /* what moved its numbers is lost */
		memset(table_memory, 0, sizeof(table_memory));
		forget(sim, true);
		sim->wire[CLIENT].mss = sim->wire[SERVER].mss = 0;
		restart(sim);
		return true;
	} else if (schedule->upset == UPSET_BYPASS) {
		sim->upset_done = sim->away = true;
		sim_trace(sim, "     (the daemon is away)");
		forget_handshake(sim);
		exempt(sim, UINT32_MAX);
		sim->back_at = sim->now + schedule->away;
		return true;
	}
	return false;
}

static bool dead(const struct sim *sim)
{
	return sim->tcp[CLIENT].state == TCP_DEAD || sim->tcp[SERVER].state == TCP_DEAD;
}

/*
 * The daemon comes back. Bytes that have passed unseen behind a gap would be pushed aside by a rewrite in the gap,
 * which nobody on the router can know; so it comes back when there are none.
 */
void router_timer(struct sim *sim)
{
	bool gap = sim->tcp[CLIENT].in_next < sim->tcp[CLIENT].in_top ||
		   sim->tcp[SERVER].in_next < sim->tcp[SERVER].in_top;

	/* Where nothing passes, no gap is filled; nor by somebody who has gone. */
	if (gap && !sim->around.marked && quiet(sim) && !dead(sim)) {
		sim->back_at = sim->now + 10000;
		return;
	}
	lose_under_way(sim);
	sim->back_at = NEVER;
	sim->away = false;
	forget(sim, false);
	restart(sim);
}

/* Where the daemon renumbers, only its table knows by how much. */
static void learn_adjustment(struct sim *sim)
{
	for (uint32_t index = 1; sim->schedule.self && index <= table_slots(sim->engine.table); index++) {
		const struct session *session = table_slot(sim->engine.table, index);

		for (unsigned int side = 0; session && side < 2; side++)
			sim->around.binding.seqadj[side] = session->stream[side].adj;
	}
}

/* The session that the engine has, whosever it is. */
static const struct session *session_of(const struct sim *sim)
{
	const struct session *session = table_slot(sim->engine.table, 1);

	return session ? session : table_slot(sim->engine.table, 2);
}

/* What the engine takes for the number of a side's byte that is acknowledged like this; of an old one it may still know another shift. */
uint32_t router_maps_back(const struct sim *sim, enum side side, uint32_t ack)
{
	const struct session *session = session_of(sim);

	return session ? seqadj_back(&session->stream[side].adj, ack) : ack;
}

static void engine_notes(struct sim *sim)
{
	learn_adjustment(sim);
	for (unsigned int i = 0; i < sim->notes; i++)
		check_note(sim, &sim->note[i]);
	sim->notes = 0;
	check_swallowed(sim);
}

/*
 * Bytes pass without being read: nobody is there, or it is not known yet where the two ends are. What acknowledges them is a claim like any
 * other, until their sender goes on behind them; its packet passes unread.
 */
static void note_unread(struct sim *sim, enum side from, const struct view *in)
{
	const uint32_t end = in->seq - (sim->schedule.habit[from].iss + 1) + in->length + !!(in->flags & TCP_FIN);

	if (in->checksum_ok && end <= STREAM_MAX)
		sim->wire[from].unread = max_u32(sim->wire[from].unread, end);
}

static bool is_claim(const struct sim *sim, enum side from, const struct view *in)
{
	const struct wire *other = &sim->wire[!from];

	return in->ack - (sim->schedule.habit[!from].iss + 1) - 1 < check_forward(other, other->unread);
}

/* Packets that the engine has not believed, and why. */
static bool disbelieved(struct sim *sim, const struct packet *packet, const struct view *in,
			const struct counters *before)
{
	bool any = false;

	for (unsigned int i = 0; i < BELIEFS; i++)
		if (sim->engine.counters.disbelieved[i] != before->disbelieved[i]) {
			sim_trace(sim, "     (not believed: %s)", belief_name((enum belief)i));
			any |= i != BELIEF_ACK_AHEAD || !is_claim(sim, (enum side) !packet->to, in);
		}
	return any;
}

/* Does the engine not follow the connection yet, or not know where its two ends are? */
static bool is_unsure(const struct sim *sim)
{
	bool unsure = true;

	for (uint32_t index = 1; index <= table_slots(sim->engine.table); index++) {
		const struct session *session = table_slot(sim->engine.table, index);

		unsure &= !session || session->unsure;
	}
	return unsure;
}

/* Has the packet passed without being read? */
static bool is_unread(const struct sim *sim, const struct counters *before)
{
	return is_unsure(sim) ||
	       sim->engine.counters.disbelieved[BELIEF_ACK_AHEAD] != before->disbelieved[BELIEF_ACK_AHEAD];
}

/* So has the FIN of one that acknowledges what was not read: the other end may not take it. */
static bool ends_unread(const struct sim *sim, enum side from, const struct view *in)
{
	return in->flags & TCP_FIN && is_claim(sim, from, in);
}

/*
 * A handshake that is not believed shows in what follows it; a copy of a SYN or SYN/ACK tells the engine nothing. And where
 * bytes are under way only an RST's receiver knows whether it stands right; a second one is nothing new.
 */
static bool need_not_be_believed(struct sim *sim, const struct packet *packet)
{
	const enum side from = (enum side) !packet->to;
	struct view view;
	uint32_t offset;

	packet_view(packet->bytes, packet->length, &view);
	offset = view.seq - (sim->schedule.habit[from].iss + 1);
	/* A daemon that came late may have begun with a bare segment behind what is sent again. */
	if (view.flags & TCP_RST)
		return offset != sim->wire[from].engine_next || (sim->restarts && offset != sim->tcp[from].top) ||
		       sim->resets++;
	return (view.flags & TCP_SYN) || (!view.length && sim->tcp[SERVER].state != TCP_OPEN);
}

/*
 * Where the daemon renumbers, who repeats a FIN depends on it yet: for half a minute, as conntrack's LAST_ACK. Where no length has changed,
 * and every edit has been heard of, nobody does.
 */
static bool is_ending(const struct sim *sim)
{
	bool heard = true, moved = false;

	for (unsigned int side = 0; side < 2; side++) {
		heard &= sim->wire[side].engine_heard > sim->wire[side].expected_length;
		moved |= seqadj_active(&sim->around.binding.seqadj[side]) || check_edit_unheard(sim, (enum side)side);
	}
	return !heard && moved && sim->schedule.self && sim->around.renumbering && !sim->reset_seen && !sim->restarts &&
	       !sim->misled && sim->now - sim->honest_at < 25 * (uint64_t)SECOND;
}

/* Has the session that the engine has other numbers than the connection of the two ends? */
static bool follows_invented(const struct sim *sim)
{
	const struct session *session = session_of(sim);

	for (unsigned int side = 0; session && side < 2; side++)
		if (!session->stream[side].unsynced &&
		    session->stream[side].next - (sim->schedule.habit[side].iss + 1) > STREAM_MAX)
			return true;
	return false;
}

/* Does an end disown, where the engine would believe it, the invented connection that the engine follows? */
static bool is_disowned(const struct sim *sim, const struct packet *packet, const struct view *in)
{
	const struct stream *stream;

	if (packet->origin != STRAY || !(in->flags & TCP_RST) || !follows_invented(sim))
		return false;
	stream = &session_of(sim)->stream[!packet->to];
	return in->seq == stream->next || in->seq == stream->acked;
}

/*
 * Does an end disown it in a number behind which somebody has gone on by then, in both ends' names? To its receiver's TCP that is an old one, which takes
 * no notice (RFC 5961 section 3.2), and so it is to the engine: else who has seen a connection's beginning could have another one put in its place, and its
 * ends would not know. An end that has its own connection by now answers the rest with acknowledgements of that, and no more resets come.
 */
static bool is_overtaken(const struct sim *sim, const struct packet *packet, const struct view *in)
{
	const struct session *session = session_of(sim);
	uint32_t acked;

	if (!session || session_over(session) || packet->origin != STRAY || !(in->flags & TCP_RST) ||
	    !follows_invented(sim))
		return false;
	acked = session->stream[!packet->to].acked;
	return in->seq != acked && acked - in->seq <= UINT16_MAX;
}

/* A reset of the ends comes to the engine, or passes it. */
static void note_disowned(struct sim *sim, const struct packet *packet, const struct view *in)
{
	if (is_disowned(sim, packet, in)) {
		sim->reset_missed |= sim->away;
		sim->reset_overtaken &= sim->away; /* this one it has to believe */
	} else if (!sim->away) {
		sim->reset_overtaken |= is_overtaken(sim, packet, in);
	}
}

/* The end knows nothing of it any more, and the engine believes that: RFC 5961's exact number may be what the other end was heard to have. */
static bool has_reset(const struct sim *sim, enum side from, const struct view *in)
{
	const struct session *session = session_of(sim);

	return in->flags & TCP_RST && in->checksum_ok && sim->tcp[from].state == TCP_DEAD && session &&
	       session_over(session) && !follows_invented(sim);
}

static bool is_over(const struct sim *sim)
{
	return sim->reset_seen || (sim->wire[CLIENT].fin_seen && sim->wire[SERVER].fin_seen);
}

static void supersede(struct sim *sim, bool ending)
{
	if (ending)
		sim_fail(sim, "an invented connection takes the place of one whose end has not been acknowledged");
	sim->superseded = true;
}

/*
 * Both FINs have passed, or the RST, and then a third party has played a handshake, or before: a client that uses its port again looks the
 * same, and who knows the numbers may choose some that are near. Conntrack itself forgets the old connection for the SYN, and with it what it
 * adjusted; what its ends still say, a FIN once more or its acknowledgement, is nobody's from then on. All their bytes have passed the router.
 */
static void check_superseded(struct sim *sim, enum side from, const struct view *in, const struct counters *before)
{
	/* One that has reset the connection answers forged packets as well with an RST, and that may come first. */
	const bool again = sim->at_hand == STRAY && sim->tcp[from].state == TCP_DEAD;
	const bool own = sim->at_hand == HONEST || again;
	const bool reset = sim->reset_seen || (own && in->flags & TCP_RST);
	const bool played = sim->at_hand == BLIND && !session_of(sim) &&
			    sim->engine.counters.disbelieved[BELIEF_HANDSHAKE] != before->disbelieved[BELIEF_HANDSHAKE];

	if (again)
		check_reset(sim, from, in);
	sim->reset_seen |= own && has_reset(sim, from, in);
	sim->invented = follows_invented(sim);
	/* The real one's handshake this daemon has not seen: nothing tells it which of the two is right, or who is to be left alone. */
	sim->left_alone |=
		(sim->invented || played) && sim->around.shaken && !(sim->wire[CLIENT].mss && sim->wire[SERVER].mss);
	sim->reset_missed &= sim->engine.counters.sessions == before->sessions;
	sim->reset_overtaken &= sim->engine.counters.sessions == before->sessions;
	if (sim->engine.counters.sessions == before->sessions || sim_hostile(sim) || !(reset || is_over(sim)))
		return;
	supersede(sim, !reset && is_ending(sim));
}

/*
 * The session of what is over had made room for an invented one when the daemon was killed, and that one was not filled in yet: the handshake's
 * packet, or the RST that ended the old one, is lost, and neither session is there.
 */
static void check_superseded_amid(struct sim *sim, const struct packet *packet, bool ending)
{
	const bool dead = sim->tcp[!packet->to].state == TCP_DEAD;
	struct view view;
	bool resets;

	packet_view(packet->bytes, packet->length, &view);
	resets = dead && view.flags & TCP_RST && (packet->origin == HONEST || packet->origin == STRAY);
	if (sim_hostile(sim) || !sim->followed || session_of(sim) ||
	    !(resets || (packet->origin != HONEST && is_over(sim))))
		return;
	supersede(sim, ending && !resets);
	sim_over(sim, "an invented connection was about to take the place of one that has ended");
}

static void killed(struct sim *sim, struct packet *packet)
{
	const bool ending = is_ending(sim);

	sim_trace(sim, "     (the daemon is killed; its packet is lost)");
	sim->kills++;
	sim->notes = 0;
	sim->at_hand = HONEST;
	sim->lost++;
	sim->kill_countdown = sim->kills < 3 && sim_chance(sim, 500) ? 1 + (int)sim_pick(sim, 12) : -1;
	sim->upset_done = sim->kill_countdown < 0;
	restart(sim);
	check_superseded_amid(sim, packet, ending);
	network_release(sim, packet);
	learn_adjustment(sim);
	check_swallowed(sim);
}

/* Has it read what makes it FTP? */
static void note_shown(struct sim *sim)
{
	bool shown = true;

	for (unsigned int side = 0; side < 2; side++)
		shown &= sim->wire[side].engine_next != UINT32_MAX &&
			 sim->wire[side].engine_next >= sim->script.gate[side][0].end;
	sim->shown |= shown;
}

/*
 * Of a connection that is not read any more, or is over, only the numbers are followed, without a look at holes: who knows them nearly may
 * move them within a window, as he may fill its receiver's with bytes of his own. Then an RST is not believed any more, and nothing else.
 */
static bool moves_numbers(const struct sim *sim, const struct packet *packet)
{
	const struct session *session = session_of(sim);

	return session && session->state >= SESSION_OPAQUE && (packet->origin == NEAR || packet->origin == EXACT);
}

/*
 * To a daemon that came late a segment, be it a bare one, says how far its sender has got. What its receiver has of that, and what it still lacks,
 * the daemon has not seen.
 */
static void note_told(struct sim *sim, const struct packet *packet, const struct view *in)
{
	const enum side from = (enum side) !packet->to;
	const uint32_t end = in->seq - (sim->schedule.habit[from].iss + 1) + in->length;

	if (packet->origin == HONEST && sim->restarts && in->checksum_ok && end <= STREAM_MAX && is_unsure(sim))
		sim->wire[from].told = max_u32(sim->wire[from].told, end);
}

static enum verdict ask_engine(struct sim *sim, struct packet *packet, const struct view *in, struct output *output)
{
	struct arrival arrival;
	enum verdict verdict = VERDICT_ACCEPT;
	const struct counters before = sim->engine.counters;
	bool doubted, indifferent;

	note_shown(sim);
	note_told(sim, packet, in);
	sim->at_hand = packet->origin;
	sim->resynced = before.resynced;
	sim->followed = session_of(sim) != NULL;
	indifferent = packet->origin != HONEST || packet->corrupt || need_not_be_believed(sim, packet);
	if (session_arrive(&sim->engine, &arrival, packet->bytes, packet->length, false, 0) == 0) {
		arrival.invalid = adversary_is_invalid(sim, packet);
		verdict = session_input(&sim->engine, &arrival, milliseconds(sim), output);
	}
	check_superseded(sim, (enum side) !packet->to, in, &before);
	sim->misled |= moves_numbers(sim, packet);
	sim->at_hand = HONEST;
	doubted = disbelieved(sim, packet, in, &before);
	sim->passed_by = is_unread(sim, &before);
	if (sim->passed_by || ends_unread(sim, (enum side) !packet->to, in))
		note_unread(sim, (enum side) !packet->to, in);
	/* Its sender has gone; its receiver may have more than was seen here, and take no notice. What still reaches him is of no use. */
	sim->left_alone |= packet->origin == HONEST && !packet->corrupt && in->flags & TCP_RST && !doubted;
	sim->picked_up |= sim->engine.counters.picked_up != before.picked_up;
	sim->claimed = sim->restarts &&
		       sim->engine.counters.disbelieved[BELIEF_ACK_AHEAD] != before.disbelieved[BELIEF_ACK_AHEAD];
	/*
	 * While it follows an invented one, until the ends reset that, the real one is another to it: what comes of that shows in what is
	 * opened and arrives.
	 */
	packet->disbelieved = doubted && !indifferent && !sim->misled && !sim->invented;
	if (sim->engine.counters.resynced != before.resynced && packet->origin == BLIND && !sim->restarts &&
	    !adversary_alone(sim))
		sim_fail(sim, "a forged packet makes the engine take up a stream again");
	sim->took_up = sim->engine.counters.resynced != before.resynced;
	if (sim->took_up) {
		sim_trace(sim, "     (the engine takes up a stream again)");
		sim->resyncs++;
		forget(sim, false);
		sim->misled |= sim->adversary.origins & (1u << NEAR | 1u << EXACT);
		exempt(sim, sim->misled ? UINT32_MAX : sim->schedule.pipelined ? 9 : 3);
	}
	return verdict;
}

/* Returns false when the packet ends here. */
static bool through_engine(struct sim *sim, struct packet *packet, const struct view *in)
{
	struct output output = { .buffer = output_buffer, .capacity = sizeof(output_buffer) };
	size_t bytes = table_bytes(&table_size);
	enum verdict verdict;

	if (sim->kill_countdown > 0 && setjmp(sim->killed)) {
		killed(sim, packet);
		return false;
	}
	if (packet->corrupt)
		memcpy(table_before, table_memory, bytes);
	verdict = ask_engine(sim, packet, in, &output);
	if (sim->superseded)
		sim_over(sim, "an invented connection has taken the place of one that has ended");
	if (packet->corrupt && memcmp(table_before, table_memory, bytes) != 0)
		sim_fail(sim, "a corrupted packet changed the session");
	sim->judged = packet->origin;
	engine_notes(sim);
	sim->judged = HONEST;
	if (sim->routed % 64 == 0 &&
	    !packet->corrupt) { /* not before: it may let go of what the packet has made be held */
		session_tick(&sim->engine, milliseconds(sim), 2);
		engine_notes(sim);
	}
	if (verdict == VERDICT_DROP) {
		if (packet->origin == HONEST && !sim_hostile(sim))
			check_dropped(sim, (enum side) !packet->to, in);
		else
			sim_trace(sim, "     (dropped by the engine)");
		network_release(sim, packet);
		return false;
	}
	if (verdict == VERDICT_REPLACE && output.packet != packet->bytes) {
		if (output.length > PACKET_MAX)
			sim_fail(sim, "a packet of %zu bytes leaves", output.length);
		memcpy(packet->bytes, output.packet, output.length);
		packet->length = (uint16_t)output.length;
	}
	return true;
}

static bool is_queued(const struct sim *sim, const struct view *in)
{
	/* Where the daemon renumbers, every packet of the connection comes to it from then on. */
	if (sim->schedule.self && sim->around.renumbering)
		return true;
	return !sim->schedule.payload_only || in->length || (in->flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

/* The last hook, in which conntrack confirms what is new to it. */
static void leaves(struct sim *sim, const struct view *out)
{
	sim->around.known |= (out->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && out->checksum_ok;
}

/*
 * Who adjusts for an invented connection tracks that one's numbers: the real one's packets are INVALID to it, of no connection, and left as
 * they are; and so are another invented one's.
 */
bool router_adjusts(const struct sim *sim, enum side from, const struct view *in)
{
	const struct seqadj *adj = sim->around.binding.seqadj;

	for (unsigned int side = 0; side < 2 && sim->around.misplaced; side++) {
		const uint32_t number = side == from ? in->seq : in->ack;

		if (seqadj_active(&adj[side]) && number - adj[side].pos + UINT16_MAX <= 2 * UINT16_MAX)
			return true;
	}
	return !sim->around.misplaced;
}

/*
 * Would conntrack move the connection's packets as another's, an invented one's, since it could not be told otherwise? Then none may pass: it would
 * arrive with numbers that its sender has not given it.
 */
bool router_misplaces(const struct sim *sim)
{
	const struct seqadj *adj = sim->around.binding.seqadj;
	bool misplaced = false;

	for (unsigned int side = 0; side < 2; side++)
		misplaced |=
			seqadj_active(&adj[side]) && adj[side].pos - (sim->schedule.habit[side].iss + 1) > STREAM_MAX;
	return misplaced && !sim->schedule.self && sim->around.errors_given;
}

/*
 * Who knows the numbers says in an end's name what that has said: what it has, which it may have done in a bare acknowledgement that was not queued.
 * That is believed, and right.
 */
static void note_vouched(struct sim *sim, const struct packet *packet, const struct view *in)
{
	const enum side from = (enum side) !packet->to, other = (enum side)packet->to;
	const uint32_t end = in->seq - (sim->schedule.habit[from].iss + 1) + in->length + !!(in->flags & TCP_FIN);
	const uint32_t ack = router_maps_back(sim, other, in->ack) - (sim->schedule.habit[other].iss + 1);

	if ((packet->origin != NEAR && packet->origin != EXACT) ||
	    (in->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK ||
	    (int32_t)(end - sim->wire[from].engine_acked) < 0 || ack > sim->tcp[other].una || sim->kill_countdown > 0)
		return;
	sim->wire[other].vouched = max_u32(sim->wire[other].vouched, ack);
}

/* A packet that is not of the connection goes the same way, and nobody misses it. */
static void foreign_packet(struct sim *sim, struct packet *packet)
{
	static const char *const names[] = { "", "blind", "near", "exact", "stray", "lie" };
	const struct seqadj *adj = sim->around.binding.seqadj;
	uint8_t before[PACKET_MAX];
	enum side from = (enum side) !packet->to;
	struct view in, out;

	memcpy(before, packet->bytes, packet->length);
	packet_view(before, packet->length, &in);
	if (adversary_goes_too_far(sim, packet)) {
		sim->adversary.lost++;
		network_release(sim, packet);
		return;
	}
	sim_trace(sim, "     (the next one is forged: %s)", names[packet->origin]);
	check_trace_in(sim, from, &in);
	packet->unseen = sim->away || !is_queued(sim, &in);
	note_disowned(sim, packet, &in);
	if (sim->away && (sim->around.marked || !quiet(sim))) {
		network_release(sim, packet);
		return;
	}
	if (!packet->unseen) {
		note_vouched(sim, packet, &in);
		if (!through_engine(sim, packet, &in))
			return;
	}
	if (!sim->schedule.self && sim->around.renumbering && router_adjusts(sim, from, &in))
		packet_kernel_adjust(packet->bytes, packet->length, &adj[from], &adj[!from]);
	packet_view(packet->bytes, packet->length, &out);
	check_forged(sim, from, &in, &out, packet->unseen);
	leaves(sim, &out);
	packet->at_router = false;
	network_inject(sim, packet, sim->schedule.leg[packet->to].delay);
}

/* The daemon's going and coming, and a peer that has had enough. */
static bool happenings(struct sim *sim)
{
	bool lost = upset(sim);

	sim->routed++;
	sim->lost += lost;
	if (sim->schedule.ending == END_RESET && sim->routed == sim->schedule.reset_at)
		tcp_reset(sim, &sim->tcp[sim_pick(sim, 2)]);
	return lost;
}

/* Bytes of an argument as they were before, sent again before their sender heard that the new ones had arrived. */
static bool is_old_text(const struct sim *sim, enum side from, const struct view *in)
{
	const struct wire *wire = &sim->wire[from];
	const struct rewrite *last = wire->rewrites ? &wire->rewrite[wire->rewrites - 1] : NULL;
	const uint32_t start = in->seq - (sim->schedule.habit[from].iss + 1);

	return last && in->length && (int32_t)(start - (last->start + last->old_length)) < 0;
}

void router_packet(struct sim *sim, struct packet *packet)
{
	uint8_t before[PACKET_MAX];
	const struct seqadj *adj = sim->around.binding.seqadj;
	enum side from = (enum side) !packet->to;
	struct view in, out;

	if (packet->origin != HONEST) {
		foreign_packet(sim, packet);
		return;
	}
	adversary_turn(sim);
	sim->honest_at = sim->now;
	sim->around.shaken |= from == CLIENT && sim->tcp[CLIENT].state == TCP_OPEN;
	if (happenings(sim)) {
		network_release(sim, packet);
		return;
	}
	memcpy(before, packet->bytes, packet->length);
	packet_view(before, packet->length, &in);
	check_trace_in(sim, from, &in);
	check_coming(sim, from, &in);
	packet->unseen = sim->away || !is_queued(sim, &in);
	/* Marked connections are queued without a bypass. One with an edit of equal length in flight is not, but should
	 * be. So should, for a moment, one whose edit has been acknowledged just now. */
	if (sim->away && (sim->around.marked || !quiet(sim) || is_old_text(sim, from, &in)) && is_queued(sim, &in)) {
		sim_trace(sim, "     (nobody takes it from the queue)");
		sim->lost++;
		network_release(sim, packet);
		return;
	}
	if (sim->away)
		note_unread(sim, from, &in);
	if (!packet->unseen && !through_engine(sim, packet, &in))
		return;
	if (!sim->schedule.self && sim->around.renumbering && router_adjusts(sim, from, &in))
		packet_kernel_adjust(packet->bytes, packet->length, &adj[from], &adj[!from]);
	packet_view(packet->bytes, packet->length, &out);
	if (sim_hostile(sim))
		check_forged(sim, from, &in, &out, packet->unseen);
	else
		check_emission(sim, from, &in, &out, before, packet->bytes, packet->unseen);
	check_engine(sim);
	leaves(sim, &out);
	packet->at_router = false;
	network_send(sim, packet, packet->to);
}

/* The connection is over: nothing of it may remain. */
void router_finish(struct sim *sim)
{
	uint64_t later = milliseconds(sim) + 1000ull * (sim->engine.policy.idle_timeout + 3600);

	sim->kill_countdown = -1;
	for (unsigned int i = 0; i < 4; i++)
		session_tick(&sim->engine, later + 1000ull * i, 2);
	sim->notes = 0;
	if (table_sessions(sim->engine.table))
		sim_fail(sim, "the session is never forgotten");
	if (table_works(sim->engine.table))
		sim_fail(sim, "a work slot is never given back");
}
