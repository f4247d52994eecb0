// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Work slots are handed out from a list of free ones, and then in order. A session that is not busy any more keeps its slot until
 * somebody else needs it (table_work_reclaim()) or it has been quiet for a while. The undo record keeps what of a slot is in use.
 */
#include "table_layout.h"

#define RECLAIM_STEPS 64 /* work slots looked at when none is free */

const struct work *table_work(const struct table *table, const struct session *session)
{
	return session->work ? table_work_at(table, session->work) : NULL;
}

/* Copy what is in use of a work slot: @session says of which edits and held bytes that is so. */
static void copy_work(struct work *to, const struct work *from, const struct session *session)
{
	memcpy(to, from, offsetof(struct work, edit));
	for (int d = 0; d < 2; d++) {
		if (session->stream[d].in_flight)
			to->edit[d] = from->edit[d];
		if (session->stream[d].held)
			to->held[d] = from->held[d];
	}
	for (uint32_t i = 0; i < from->announcements && i < ANNOUNCEMENTS_MAX; i++)
		to->announcement[i] = from->announcement[i];
}

/* Keep the work slot's content for undoing; once a packet. */
static void save_work(struct table *table, uint32_t index)
{
	if (table->undo.work || !table->undo.slot)
		return;
	copy_work(&table->undo.work_copy, table_work_at(table, index), &table->undo.session);
	table_barrier();
	table->undo.work = index;
	table_barrier();
}

struct work *table_work_change(struct table *table, const struct session *session)
{
	if (!session->work)
		return NULL;
	save_work(table, session->work);
	return table_work_at(table, session->work);
}

/* Can the session that owns this work slot do without it? Then it is only there because it may be needed again soon. */
static bool work_spare(const struct table *table, const struct work *work)
{
	const struct session *owner = table_slot_at(table, work->owner);

	return work->announcements == 0 && !session_in_flight(owner) && !session_held(owner);
}

/* The session's client has one work slot more, or one less. */
static void count_work(struct table *table, struct client_budget *budget, int32_t change)
{
	table_count(table, budget, SHARE_WORKS, change);
	table->work_count += (uint32_t)change;
}

static void give_back(struct table *table, struct session *session, struct work *work)
{
	count_work(table, table_budget_of(table, session), -1);
	work->owner = 0;
	work->free_next = table->work_free;
	table->work_free = session->work;
	session->work = 0;
}

void table_work_reclaim(struct table *table, uint32_t steps)
{
	for (uint32_t i = 0; i < steps && i < table->works_used; i++) {
		struct work *work;

		table->reclaim = table_next(table->reclaim, table->works_used);
		work = table_work_at(table, table->reclaim);
		if (work->owner && work_spare(table, work))
			give_back(table, table_slot_at(table, work->owner), work);
	}
}

/* A work slot that is nobody's; 0 when there is none. */
static uint32_t free_work(struct table *table)
{
	const uint32_t index = table->work_free;

	if (index) {
		table->work_free = table_work_at(table, index)->free_next;
		return index;
	}
	return table->works_used < table->size.works ? ++table->works_used : 0;
}

struct work *table_work_new(struct table *table, struct session *session, struct client_budget *budget)
{
	const uint32_t index = free_work(table);
	struct work *work;

	if (!index)
		return NULL;
	work = table_work_at(table, index);
	work->free_next = 0;
	work->budget = (uint32_t)(budget - table_budget_at(table, 0));
	work->bound = 0;
	work->announcements = 0;
	memset(work->waiting, 0, sizeof(work->waiting));
	work->owner = table_slot_index(table, session);
	table_barrier();
	session->work = index;
	count_work(table, budget, 1);
	return work;
}

struct work *table_work_take(struct table *table, struct session *session, struct client_budget *budget)
{
	if (!table->work_free && table->works_used == table->size.works)
		table_work_reclaim(table, RECLAIM_STEPS);
	return table_work_new(table, session, budget);
}

void table_work_put(struct table *table, struct session *session)
{
	struct work *work = table_work_change(table, session);

	if (work)
		give_back(table, session, work);
}

struct work *table_walk_work(struct table *table, uint32_t *at, struct session **owner)
{
	struct work *work;

	*at = table_next(*at, table->size.works);
	work = table_work_at(table, *at);
	if (*at > table->works_used || !work->owner)
		return NULL;
	*owner = table_slot_at(table, work->owner);
	return work;
}

uint32_t table_works(const struct table *table)
{
	return table->work_count;
}

uint32_t table_work_slots(const struct table *table)
{
	return table->size.works;
}
