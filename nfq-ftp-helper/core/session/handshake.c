// SPDX-License-Identifier: GPL-2.0-or-later
#include "handshake.h"

#include "beginning.h"
#include "core/dialogue/binding.h"
#include "embryo.h"
#include "lifecycle.h"

#include <errno.h>

#define LAST_ACK_SECONDS 30 /* as conntrack's */

/*
 * Both have announced the end, and one has not been told that it was heard: it will say so again, in numbers that only we can move. No
 * TCP begins anew before it has been told. Where conntrack moves them we may not be given what tells it.
 */
static bool is_ending(const struct session *session, uint64_t now)
{
	const struct stream *stream = session->stream;

	return session->self && (uint32_t)(now / 1000) - session->last_seen <= LAST_ACK_SECONDS && stream[0].fin &&
	       stream[1].fin &&
	       (!seq_after(stream[0].acked, stream[0].next) || !seq_after(stream[1].acked, stream[1].next));
}

/* Does conntrack adjust another connection by now? A new one with the same addresses is not adjusted as we have told it. */
static bool is_adjusted_otherwise(const struct session *session, const struct binding *binding)
{
	bool adjusted = false, otherwise = false;

	for (int d = 0; d < 2; d++) {
		const struct seqadj *told = &binding->seqadj[d], *ours = &session->stream[d].adj;

		if (!seqadj_active(told) && !seqadj_active(ours))
			continue; /* whatever stood there was as long as what replaced it */
		adjusted |= seqadj_active(ours);
		otherwise |= told->pos != ours->pos || told->after != ours->after;
	}
	return adjusted && otherwise;
}

/*
 * Does it say again what this session's ends have said, within the largest window without scaling? A copy of their own handshake, of which
 * a daemon that met it halfway has seen the rest only, looks like another's. A new connection begins beyond (RFC 6528 section 3).
 */
static bool is_repeated(const struct session *session, const struct arrival *arrival)
{
	const struct segment *segment = &arrival->segment;
	const struct stream *stream = &session->stream[arrival->key.swapped != session->key.swapped];
	const uint32_t end = segment_start(segment) + segment->payload_length;

	return !stream->unsynced && stream->next - end <= UINT16_MAX;
}

bool handshake_is_followed(struct engine *engine, const struct session *session, const struct arrival *arrival,
			   uint64_t now)
{
	struct binding binding;
	enum direction direction;

	return !is_ending(session, now) && arrival->segment.payload_length &&
	       !(arrival->segment.flags & (TCP_SYN | TCP_RST)) && !is_repeated(session, arrival) &&
	       embryo_find(engine, arrival, now) && beginning_known(engine, arrival, &binding, &direction);
}

void handshake_succeed(struct engine *engine, struct session *session, const struct arrival *arrival, uint64_t now)
{
	/* Only the client begins anew; a server can send a SYN at any time. */
	const bool begins = (arrival->segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
			    arrival->key.swapped == session->key.swapped;

	if (begins || embryo_find(engine, arrival, now))
		lifecycle_end(engine, session, now);
	else
		lifecycle_forget(engine, session, now);
}

/* Does anything of it still have to be moved, or edited when it comes again? */
static bool is_needed(const struct session *session)
{
	return seqadj_active(&session->stream[0].adj) || seqadj_active(&session->stream[1].adj) ||
	       session_in_flight(session);
}

/* Is it what one packet says, on which both ends have not agreed? Anybody may have sent that. */
static bool is_hearsay(const struct session *session)
{
	return session->unsure && session->state == SESSION_MIDDLE && !is_needed(session);
}

/*
 * May a handshake begin a connection in the place of this one? Anybody can play one, both ends of it. So it may where this one has
 * ended, or none is known yet, or where conntrack shows that it is another's. One that ended unseen and was made anew at once, in the same place of
 * conntrack's memory, stays unseen: nothing tells it from a forged one.
 */
static bool may_begin_anew(const struct session *session, const struct binding *binding, uint64_t now)
{
	if (handshake_is_anothers(session, binding->id) || is_hearsay(session) ||
	    (session_over(session) && !is_ending(session, now)))
		return true;
	return !session->self && is_adjusted_otherwise(session, binding);
}

/*
 * Where nobody queues SYNs, as rules for a cthelper stub do not, all there is is the answer. A server can send one at any time; only
 * conntrack can tell that its client has asked for it. The kernel always does (CTA_PROTOINFO_TCP); a capture that begins with the answer
 * cannot, and is read all the same: nothing opens by it.
 */
static bool answers_alone(const struct engine *engine, const struct binding *binding)
{
	return !engine->syns_queued && binding->progress != PROGRESS_BEYOND;
}

/*
 * Such rules queue what conntrack calls ESTABLISHED, and that is every SYN of a connection that it knows already: one that is sent again,
 * and a forged one. Only one of a connection that is new to conntrack, and so not yet in its table, shows that the rules queue SYNs.
 */
static bool begins_connection(struct engine *engine, const struct arrival *arrival)
{
	struct conntrack *conntrack = engine->conntrack;
	struct binding binding = { 0 };
	const struct tuple ends = arrival_ends(arrival);
	enum direction direction;
	const int error = conntrack->ops->find(conntrack, &ends, arrival->zone, &binding, &direction);

	return error == -ENOENT || (!error && binding.progress == PROGRESS_UNKNOWN);
}

/*
 * Is conntrack beyond a handshake of which nobody here has heard? Then somebody has played this one amid a connection, or that ended unseen
 * (may_begin_anew()): in the place of none either nothing tells one from the other. What has been answered before, conntrack was not beyond.
 */
static bool is_played(const struct embryo *embryo, const struct binding *binding)
{
	return embryo->state == EMBRYO_OPEN && binding->progress == PROGRESS_BEYOND;
}

/* The connection is left alone, since who plays can go on; but where nobody was there since the SYN, the answer may have passed unseen before. */
static void leave_played(struct engine *engine, struct embryo *embryo)
{
	engine->counters.disbelieved[BELIEF_HANDSHAKE]++;
	if (!lifecycle_was_absent(engine, embryo->since))
		embryo_leave(embryo);
}

/* May the SYN that it answers have been put out? Not that of the session that there is: the answer is its own, again. */
static bool answers_lost_one(struct engine *engine, const struct session *session, const struct arrival *arrival,
			     uint64_t now)
{
	return engine->syns_queued && !(session && is_repeated(session, arrival)) &&
	       embryo_is_crowded(engine, arrival, now);
}

/* What a SYN/ACK answers. */
struct handshake_answer {
	struct embryo *embryo; /* NULL: nothing that is known */
	bool first;	       /* the embryo had no answer before */
	struct binding binding;
};

/*
 * The embryo that is answered. The SYN of the right one may have been put out by forged ones of its flow; then, too, only conntrack can tell that
 * its client has asked for this answer. Return false where the answer begins nothing; with no embryo it may alone.
 */
static bool find_answered(struct engine *engine, const struct session *session, const struct arrival *arrival,
			  struct handshake_answer *answer, uint64_t now)
{
	struct embryo *embryo = embryo_answered_by(engine, arrival, now);
	const bool lost = !embryo && answers_lost_one(engine, session, arrival, now);
	enum direction direction;
	bool known;

	if (!embryo && engine->syns_queued && !lost)
		return false;
	known = beginning_known(engine, arrival, &answer->binding, &direction) && direction == DIRECTION_REPLY;
	if (embryo && known && !session && is_played(embryo, &answer->binding)) {
		leave_played(engine, embryo);
		return false;
	}
	answer->embryo = embryo;
	if (embryo)
		answer->first = embryo_answer(engine, embryo, arrival);
	if (!known)
		return false;
	if (lost && answer->binding.progress == PROGRESS_HANDSHAKE)
		answer->embryo = embryo_of_answer(engine, arrival, now);
	answer->first |= lost && answer->embryo;
	return answer->embryo || answers_alone(engine, &answer->binding);
}

/*
 * The answer is lost, or would be, were the daemon killed now. So nobody has heard it who could reset what is forged; who has sent it in earnest
 * sends it again.
 */
static void not_answered(const struct handshake_answer *answer)
{
	if (answer->first)
		embryo_await(answer->embryo);
}

/* The packet passes, unless conntrack would move it as another connection's. */
static bool passes(struct engine *engine, struct session *session)
{
	return !session || binding_stands(engine, session);
}

/* It begins nothing: it passes, so that its client hears it, or is lost. Return as handshake_input(). */
static bool stands_back(struct engine *engine, const struct arrival *arrival, struct session *session,
			const struct handshake_answer *answer)
{
	not_answered(answer);
	if (!passes(engine, session))
		return false;
	if (answer->first)
		embryo_answer(engine, answer->embryo, arrival);
	return true;
}

/*
 * Not a session's own handshake, come again: the session may go on though an RST has closed it, whose receiver never had that, and with it what
 * adjusts it.
 */
static bool may_begin(struct engine *engine, const struct session *session, const struct arrival *arrival,
		      struct handshake_answer *answer, uint64_t now)
{
	if (session && embryo_answered_again(engine, arrival))
		return false;
	return find_answered(engine, session, arrival, answer, now) &&
	       (!session || may_begin_anew(session, &answer->binding, now));
}

/* A new session; @session, the flow's, makes room for it. Return as handshake_input(). */
static bool begin(struct engine *engine, const struct arrival *arrival, struct session **session,
		  struct handshake_answer *answer, uint64_t now)
{
	struct embryo *embryo, *earlier;

	not_answered(answer);
	if (!binding_clear(engine, &answer->binding)) {
		if (*session)
			binding_tell(engine, *session, &answer->binding);
		return false;
	}
	/*
	 * One that was answered before, and had to stand back behind what is over now, comes first: else who plays handshakes could go on and on. What
	 * is over may be gone already, where a daemon was killed when it had made room.
	 */
	earlier = embryo_left(engine, arrival, now);
	embryo = earlier ? earlier : answer->embryo;
	if (*session)
		lifecycle_end(engine, *session, now);
	*session = embryo ? beginning_of_embryo(engine, arrival, embryo, &answer->binding, now) :
			    beginning_of_answer(engine, arrival, &answer->binding, now);
	if (earlier && answer->first)
		embryo_answer(engine, answer->embryo, arrival);
	return passes(engine, *session);
}

bool handshake_input(struct engine *engine, const struct arrival *arrival, struct session **session, uint64_t now)
{
	struct handshake_answer answer = { .embryo = NULL };

	if (arrival->segment.flags & (TCP_RST | TCP_FIN)) {
		engine->counters.disbelieved[BELIEF_FLAGS]++;
		return passes(engine, *session);
	}
	if (!(arrival->segment.flags & TCP_ACK)) {
		engine->counters.syns++;
		engine->syns_queued = engine->syns_queued || begins_connection(engine, arrival);
		embryo_open(engine, arrival, now);
		return passes(engine, *session);
	}
	if (may_begin(engine, *session, arrival, &answer, now))
		return begin(engine, arrival, session, &answer, now);
	if (*session)
		engine->counters.disbelieved[BELIEF_HANDSHAKE]++;
	return stands_back(engine, arrival, *session, &answer);
}

struct session *handshake_after_reset(struct engine *engine, const struct arrival *arrival, struct session *session,
				      uint64_t now)
{
	struct embryo *embryo;
	struct binding binding;
	enum direction direction;

	embryo_reset(engine, arrival, now);
	if (!session || session->state != SESSION_CLOSED || is_needed(session))
		return session;
	embryo = embryo_left(engine, arrival, now);
	if (!embryo || !beginning_known(engine, arrival, &binding, &direction))
		return session;
	lifecycle_end(engine, session, now);
	return beginning_of_embryo(engine, arrival, embryo, &binding, now);
}
