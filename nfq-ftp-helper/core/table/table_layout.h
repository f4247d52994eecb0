/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table_layout - how a table lies in its memory, for the table_*.c, which use it or take up what an earlier one left. Internal to these.
 */
#ifndef CORE_TABLE_LAYOUT_H
#define CORE_TABLE_LAYOUT_H

#include "table_description.h"

/* Another number whenever a value in a slot gets another meaning; that a field has another place, the description shows. */
#define TABLE_LAYOUT 6 /* of 2 and 3 there was never a release */

#define TABLE_BUDGET_WAYS 8 /* budgets in a set; the last is the others' */

/* What a packet was about to change when the daemon died. */
struct undo {
	uint32_t slot; /* 0: nothing saved */
	uint32_t work;
	struct session session;
	struct work work_copy;
};

struct table {
	struct table_description description; /* for other versions */
	struct table_size size;
	uint32_t budget_mask;
	uint32_t slot_mask;
	uint32_t works_used; /* work slots 1..works_used have been used at some time */
	uint32_t work_free;  /* first of the list of free ones */
	uint32_t session_count;
	uint32_t work_count;
	uint32_t undone;	/* slot of the session whose change was not finished when it was taken up */
	uint32_t reclaim;	/* where the last search for a work slot ended */
	uint32_t taken[SHARES]; /* the sum of all budgets' */
	uint32_t embryos;
	uint32_t
		lost_note; /* seconds: the latest that is lost of the notes on connections that are left alone; 0: none */
	uint64_t seed[2];
	uint64_t slot_offset, work_offset, budget_offset, embryo_offset;
	struct undo undo;
};

/* This size, as the table of it has it. */
struct table_size table_rounded(const struct table_size *size);

/* The description of this program's own layout; offsets and counts of its slots are the caller's to fill in. */
void table_layout_describe(struct table_description *description);

/* Is it the layout of this program, whatever the size? */
bool table_layout_is_own(const struct table_description *description);

/* As table_insert(), but a free slot is found wherever it is. */
struct session *table_insert_anywhere(struct table *table, const struct flow_key *key, uint32_t hash);

/* The number after @at on a walk round @count slots. */
static inline uint32_t table_next(uint32_t at, uint32_t count)
{
	return at < count ? at + 1 : 1;
}

/* What is written before this point is in memory before what follows: only a kill can interrupt, not another processor. */
static inline void table_barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* The parts: slots and work slots are numbered from 1, budgets from 0. */
static inline struct session *table_slot_at(const struct table *table, uint32_t index)
{
	return (struct session *)((char *)(uintptr_t)table + table->slot_offset) + (index - 1);
}

static inline uint32_t table_slot_index(const struct table *table, const struct session *session)
{
	return (uint32_t)(session - table_slot_at(table, 1)) + 1;
}

static inline struct work *table_work_at(const struct table *table, uint32_t index)
{
	return (struct work *)((char *)(uintptr_t)table + table->work_offset) + (index - 1);
}

static inline struct client_budget *table_budget_at(const struct table *table, uint32_t index)
{
	return (struct client_budget *)((char *)(uintptr_t)table + table->budget_offset) + index;
}

/* A free work slot, not taken from anybody, for a session that has none; counted for its client. NULL when there is none. */
struct work *table_work_new(struct table *table, struct session *session, struct client_budget *budget);

/* A place for a handshake of this flow, as embryo.c would look for it; NULL when all are taken. */
struct embryo *table_embryo_free(struct table *table, const struct flow_key *key);

#endif
