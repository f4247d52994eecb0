// SPDX-License-Identifier: GPL-2.0-or-later
#include "resume.h"

/* Conntrack is to adjust as the table says. Where the session has a work slot, it is bound again. */
static void align_conntrack(struct engine *engine, struct session *session)
{
	struct work *work = table_work_change(engine->table, session);
	const struct conntrack_ops *ops = engine->conntrack->ops;
	struct binding binding;
	enum direction direction;
	struct tuple seen;

	flow_ends(&session->key, &seen.src, &seen.dst);
	if (ops->find(engine->conntrack, &seen, session->key.zone, &binding, &direction))
		return;
	for (int d = 0; d < 2 && !(session->flags & SESSION_SELF); d++) {
		const struct seqadj *kernel = &binding.seqadj[d],
				    told = conntrack_told(engine->conntrack, &session->stream[d].adj);

		if (memcmp(kernel, &told, sizeof(told)) == 0 || (!seqadj_active(kernel) && !seqadj_active(&told)))
			continue;
		if (ops->adjust_seq(engine->conntrack, &binding, (enum direction)d, &told) == SEQADJ_KERNEL)
			binding.seqadj[d] = told;
	}
	if (!(session->flags & SESSION_SELF) && !session_in_flight(session) && ops->settle)
		ops->settle(engine->conntrack, &binding);
	if (work && !work->bound) {
		work->binding = binding;
		work->bound = 1;
	}
}

/* An edit is in flight, and whose is not known: another version began it. */
static bool is_unbound(const struct table *table, const struct session *session)
{
	return session_in_flight(session) && !table_work(table, session)->bound;
}

/*
 * The daemon died between two things it did for one packet. The table has forgotten the first; conntrack may not have. The packet
 * itself never left: so the older adjustment is the right one.
 */
void resume_sessions(struct engine *engine)
{
	struct table *table = engine->table;
	struct session *undone = table_undone(table);

	if (undone && !(undone->flags & SESSION_SELF))
		align_conntrack(engine, undone);
	for (uint32_t i = 1; i <= table_slots(table); i++) {
		struct session *session = table_slot(table, i);

		if (!session || !is_unbound(table, session))
			continue;
		table_begin(table, session);
		align_conntrack(engine, session);
		table_commit(table);
	}
}
