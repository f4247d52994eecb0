// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwatched.h"

#include "core/wire/seqadj.h"
#include "lifecycle.h"

/* What guards an edit in flight from passing without us is of use where rules hand it over, and they did not. */
static void unguard(struct work *work)
{
	for (int d = 0; work && d < 2; d++)
		work->edit[d].guarded = 0;
}

/* How far a sender has been seen to go on, while it was in doubt already, is not forgotten. */
static void doubt(struct table *table, struct session *session)
{
	const uint32_t beyond[] = { session->stream[0].beyond, session->stream[1].beyond };
	const bool stale[] = { session->stream[0].stale, session->stream[1].stale };

	struct work *work;

	table_begin(table, session);
	work = table_work_change(table, session);
	table_mistrust(session, work);
	unguard(work);
	for (int d = 0; d < 2; d++)
		if (stale[d])
			session->stream[d].beyond = seq_max(beyond[d], session->stream[d].next);
	table_commit(table);
}

void unwatched_sessions(struct engine *engine, uint64_t now)
{
	lifecycle_absent(engine, now);
	for (uint32_t i = 1; i <= table_slots(engine->table); i++) {
		struct session *session = table_slot(engine->table, i);

		if (session)
			doubt(engine->table, session);
	}
}
