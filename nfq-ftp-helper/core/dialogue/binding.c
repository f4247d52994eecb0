// SPDX-License-Identifier: GPL-2.0-or-later
#include "binding.h"

#include "core/engine/share.h"

#include <errno.h>

static bool same(const struct seqadj *a, const struct seqadj *b)
{
	return a->pos == b->pos && a->before == b->before && a->after == b->after;
}

/* Does conntrack adjust as we would have it? Once nothing is in flight only the later shift counts. */
static bool agrees(const struct session *session, const struct seqadj *conntracks, const struct seqadj *told)
{
	const struct seqadj settled = seqadj_settled(told);

	if (!seqadj_active(conntracks) && !seqadj_active(told))
		return true;
	return same(conntracks, told) || (!session_in_flight(session) && same(conntracks, &settled));
}

int binding_align(struct engine *engine, struct session *session, struct binding *binding)
{
	struct conntrack *conntrack = engine->conntrack;
	int result = 0;

	for (int d = 0; d < 2 && !session->self; d++) {
		const struct seqadj told = conntrack_told(conntrack, &session->stream[d].adj);
		int by;

		if (agrees(session, &binding->seqadj[d], &told))
			continue;
		by = conntrack->ops->adjust_seq(conntrack, binding, (enum direction)d, &told);
		if (by == SEQADJ_KERNEL)
			binding->seqadj[d] = told;
		else if (by == SEQADJ_SELF) /* it is our part by now */
			session->self = true;
		result = by < 0 || result < 0 ? -EIO : 1;
	}
	return result;
}

void binding_settle(struct engine *engine, const struct session *session, const struct binding *binding)
{
	if (!session->self && !session_in_flight(session) && engine->conntrack->ops->settle)
		engine->conntrack->ops->settle(engine->conntrack, binding);
}

void binding_tell(struct engine *engine, struct session *session, struct binding *binding)
{
	const int aligned = binding_align(engine, session, binding);

	session->misplaced = aligned < 0;
	if (aligned > 0)
		binding_settle(engine, session, binding);
}

bool binding_clear(struct engine *engine, struct binding *binding)
{
	struct session fresh = { .misplaced = false };

	binding_tell(engine, &fresh, binding);
	return !fresh.misplaced;
}

bool binding_stands(struct engine *engine, struct session *session)
{
	struct conntrack *conntrack = engine->conntrack;
	struct binding binding;
	enum direction direction;
	struct tuple seen;
	int error;

	if (!session->misplaced)
		return true;
	flow_ends(&session->key, &seen.src, &seen.dst);
	error = conntrack->ops->find(conntrack, &seen, session->key.zone, &binding, &direction);
	if (!error)
		binding_tell(engine, session, &binding);
	else if (error == -ENOENT) /* then nothing adjusts it */
		session->misplaced = false;
	return !session->misplaced;
}

struct work *binding_get(struct turn *turn, enum refusal *refusal)
{
	struct engine *engine = turn->engine;
	struct work *work = table_work_change(engine->table, turn->session);
	enum direction direction;
	struct tuple seen;
	int aligned;

	if (work && work->bound)
		return work;
	*refusal = REFUSED_LIMIT;
	if (work && !share_spend(engine, turn->session, RATE_ANNOUNCEMENTS, turn->now))
		return NULL;
	if (!work)
		work = share_work(engine, turn->session, turn->now, refusal);
	if (!work)
		return NULL;
	flow_ends(&turn->session->key, &seen.src, &seen.dst);
	*refusal = REFUSED_UNKNOWN;
	if (engine->conntrack->ops->find(engine->conntrack, &seen, turn->session->key.zone, &work->binding,
					 &direction) ||
	    direction != DIRECTION_ORIGINAL)
		return NULL;
	*refusal = REFUSED_CONNTRACK;
	aligned = binding_align(engine, turn->session, &work->binding);
	if (aligned < 0)
		return NULL;
	if (aligned)
		binding_settle(engine, turn->session, &work->binding);
	work->bound = 1;
	return work;
}

bool binding_speaker_translated(const struct turn *turn, const struct binding *binding)
{
	return !endpoint_address_equal(&binding->tuple[turn->direction].src,
				       &binding->tuple[direction_other(turn->direction)].dst);
}
