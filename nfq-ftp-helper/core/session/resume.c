// SPDX-License-Identifier: GPL-2.0-or-later
#include "resume.h"

#include "core/dialogue/binding.h"

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
	session->misplaced = binding_align(engine, session, &binding) < 0;
	binding_settle(engine, session, &binding);
	if (work) {
		work->binding = binding;
		work->bound = 1;
	}
}

/*
 * Is an edit in flight of which conntrack has been told otherwise than we would, since the daemon before was another version, or had no queue
 * for marked connections where we have one? Then what it was told is made good before the first packet.
 */
static bool must_be_aligned(const struct engine *engine, const struct session *session)
{
	const struct work *work = table_work(engine->table, session);
	bool differs = false;

	if (!session_in_flight(session))
		return false;
	if (!work->bound)
		return true;
	for (int d = 0; d < 2 && !session->self; d++) {
		const struct seqadj told = conntrack_told(engine->conntrack, &session->stream[d].adj);

		differs |= memcmp(&told, &work->binding.seqadj[d], sizeof(told)) != 0;
	}
	return differs;
}

static void align(struct engine *engine, struct session *session)
{
	table_begin(engine->table, session);
	align_conntrack(engine, session);
	table_commit(engine->table);
}

/*
 * The daemon died between two things it did for one packet. The table has forgotten the first; conntrack may not have. The packet
 * itself never left: so the older adjustment is the right one.
 */
void resume_sessions(struct engine *engine)
{
	struct table *table = engine->table;
	struct session *undone = table_undone(table);

	if (undone && !undone->self)
		align(engine, undone);
	for (uint32_t i = 1; i <= table_slots(table); i++) {
		struct session *session = table_slot(table, i);

		if (!session || !must_be_aligned(engine, session))
			continue;
		align(engine, session);
	}
}
