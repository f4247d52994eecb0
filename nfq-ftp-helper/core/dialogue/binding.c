// SPDX-License-Identifier: GPL-2.0-or-later
#include "binding.h"

#include "core/engine/share.h"

struct work *binding_get(struct turn *turn, enum refusal *refusal)
{
	struct engine *engine = turn->engine;
	struct work *work = share_work(engine, turn->session, refusal);
	enum direction direction;
	struct tuple seen;

	if (!work || work->bound)
		return work;
	*refusal = REFUSED_LIMIT;
	if (!share_spend(engine, turn->session, RATE_ANNOUNCEMENTS, turn->now))
		return NULL;
	flow_ends(&turn->session->key, &seen.src, &seen.dst);
	*refusal = REFUSED_UNKNOWN;
	if (engine->conntrack->ops->find(engine->conntrack, &seen, turn->session->key.zone, &work->binding,
					 &direction) ||
	    direction != DIRECTION_ORIGINAL)
		return NULL;
	work->bound = 1;
	return work;
}

bool binding_speaker_translated(const struct turn *turn, const struct binding *binding)
{
	return !endpoint_address_equal(&binding->tuple[turn->direction].src,
				       &binding->tuple[direction_other(turn->direction)].dst);
}
