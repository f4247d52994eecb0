/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * work - a session is made busy, without what an engine would ask first.
 */
#ifndef UNIT_WORK_H
#define UNIT_WORK_H

#include "core/table/table.h"

/* Its work slot, given one when it has none; NULL when none is left. */
static inline struct work *work_of(struct table *table, struct session *session)
{
	return session->work ? table_work_change(table, session) :
			       table_work_take(table, session, table_budget_of(table, session));
}

#endif
