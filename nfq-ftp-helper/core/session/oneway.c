// SPDX-License-Identifier: GPL-2.0-or-later
#include "oneway.h"

#include "embryo.h"
#include "lifecycle.h"

#define SILENCE 5 /* seconds without a packet of the other direction: more than one takes that comes late */

static bool is_silent_since(uint32_t since, uint64_t now)
{
	return (uint32_t)(now / 1000) - since >= SILENCE;
}

/* What shows it has come another time, or not yet. It is said once, where it has come twice and the other direction is silent. */
static void note(const struct turn *turn, const struct segment *segment, bool another)
{
	struct session *session = turn->session;

	if (another && session->one_way < ONE_WAY_TWICE)
		session->one_way++;
	if (session->one_way != ONE_WAY_TWICE || !segment->payload_length ||
	    !is_silent_since(session->last_seen, turn->now))
		return;
	session->one_way = ONE_WAY_SAID;
	turn->engine->counters.one_way++;
	turn_report_plain(turn, REPORT_ONE_WAY);
}

void oneway_ahead(const struct turn *turn, const struct segment *segment)
{
	struct session *session = turn->session;
	const struct stream *mine = turn->mine, *theirs = turn->theirs;
	const bool unseen = seq_after(theirs->claim, theirs->next) && !seq_after(theirs->beyond, theirs->next);
	const bool first = !seq_after(mine->beyond, mine->next);

	if (session->one_way == ONE_WAY_SAID || !segment->payload_length)
		return;
	if (first ||
	    !unseen) /* a packet of the other direction would have been believed, or have stood beyond a hole */
		session->one_way = ONE_WAY_NOT;
	if (unseen)
		note(turn, segment, first || !seq_before(segment->seq, mine->beyond));
}

void oneway_unsure(const struct turn *turn, const struct segment *segment)
{
	/* Each of them acknowledges more than the last, of which nothing came in between. */
	note(turn, segment, seq_after(turn->ack, turn->theirs->next));
}

/* The client goes on behind its first bytes, and there was no answer to its SYN, though we were there all the while. */
void oneway_stranger(struct engine *engine, const struct arrival *arrival, uint64_t now)
{
	struct embryo *embryo = embryo_unanswered(engine, arrival, now);
	const struct tuple ends = arrival_ends(arrival);
	const struct report told = {
		.kind = REPORT_ONE_WAY,
		.client = ends.src,
		.server = ends.dst,
		.direction = DIRECTION_ORIGINAL,
		.command = "",
	};

	if (!embryo || embryo->one_way || !is_silent_since(embryo->since, now) ||
	    lifecycle_was_absent(engine, embryo->since))
		return;
	embryo->one_way = 1;
	engine->counters.one_way++;
	if (engine->report)
		engine->report(engine->report_context, &told);
}
