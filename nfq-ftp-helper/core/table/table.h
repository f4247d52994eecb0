/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table - all sessions of one worker, in one block of memory without a pointer in it.
 *
 * Theory of operation. The block is a file in a tmpfs (or plain memory), mapped shared, so that a daemon which is
 * killed at any instruction leaves it behind for the next one (invariant I7). It holds, in this order: a header, which
 * begins with a description for other versions of this program (table_description.h); the session slots, and a smaller number of
 * work slots, which a session owns only while it has an argument held back, an edit in flight or an expectation open (or had lately);
 * the clients' budgets; last, the handshakes under way (embryo.h). Sizes are fixed when the file is made. References are indices; 0
 * means none.
 *
 * A slot is three cache lines, and the table needs nothing besides: a flow's hash names its home slot, and a session whose
 * home is free, or taken by one that is not at home there, stands at home (the other moves). So a home slot that is
 * taken by one of its own begins the chain of all of its own, and most look-ups end at the first slot.
 *
 * A packet changes at most one session. Before it does, table_begin() copies the slot into the undo record of the header
 * (and table_work_change() the work slot); table_commit() clears the record. Whoever takes up a table with a filled-in undo record
 * finds the old content there: the packet's verdict was never sent, so its sender will retransmit it. What is taken up is
 * checked and put into a new table (table_take_up.c); "in use" marks are the truth, places and lists are not looked at.
 *
 * The hash is SipHash-1-3 over the key with a random seed: its input comes from the network.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "record.h"

struct table_size {
	uint32_t sessions; /* rounded up to a power of two, at least 2 */
	uint32_t works;
	uint32_t budgets; /* rounded up to a power of two, at least 8 */
};

struct table;

/* Bytes of memory a table of this size takes. */
size_t table_bytes(const struct table_size *size);

/* A new, empty table in @memory: table_bytes() bytes, all zero, aligned to 64. @seed is the hash's. */
struct table *table_new(void *memory, const struct table_size *size, const uint64_t seed[2]);

/* What something that was left turned out to be. */
enum table_left {
	TABLE_TAKEN_UP,
	TABLE_STRANGE,	 /* no table, or one of which nothing can be made */
	TABLE_CUT_SHORT, /* it says that it goes on behind its end */
};

struct table_taken {
	uint32_t sessions;  /* taken up */
	uint32_t forgotten; /* found, but not what a session can be */
	uint32_t crowded;   /* good, but there was no room for them */
	bool own;	    /* the layout was this program's; else dialogues are picked up in their middle */
};

/**
 * table_take_up - fill a new table with what an earlier one left
 * @table: from table_new(), nothing in it yet
 * @left: what was left, of any version and any size; nobody else writes to it
 * @bytes: its size
 * @taken: filled in
 *
 * Return: TABLE_TAKEN_UP, or why @left is of no use; @table is empty then.
 */
enum table_left table_take_up(struct table *table, const void *left, size_t bytes, struct table_taken *taken);

/* Bytes of @session may have passed unseen, unless we renumber all of its packets. @work: its work slot; where it has none, not looked at. */
void table_mistrust(struct session *session, struct work *work);

/**
 * table_open - the two at once and in one place: a new table where @memory is all zero, else what is in it is taken up
 * @recovered: filled in: sessions found in it; may be NULL
 *
 * For memory that ends with this program: a kill in the middle of this loses everything.
 *
 * Return: the table (which is @memory), or NULL when the memory holds something else than such a table of this size (errno EINVAL).
 */
struct table *table_open(void *memory, const struct table_size *size, const uint64_t seed[2], uint32_t *recovered);

/* The flow of a sender and a receiver, and its hash. */
uint32_t table_hash(const struct table *table, const struct endpoint *src, const struct endpoint *dst, uint16_t zone,
		    struct flow_key *key);

/*
 * Bring a flow's home slot into the cache; later, if the flow is not there, the next of its chain. Each for all packets of a batch in a
 * loop of nothing else: only then do the page walks of a large table overlap.
 */
void table_prefetch(const struct table *table, uint32_t hash);
void table_prefetch_chain(const struct table *table, const struct flow_key *key, uint32_t hash);

/* The flow's session; NULL: there is none. */
struct session *table_find(struct table *table, const struct flow_key *key, uint32_t hash);

/*
 * A new, zeroed session in the table; NULL when it is full, or no free slot is found in a bounded search. Another session may
 * move: no pointer to one is valid any more.
 */
struct session *table_insert(struct table *table, const struct flow_key *key, uint32_t hash);
void table_remove(struct table *table, struct session *session);

/* The session's work slot, to look at; NULL when it has none. */
const struct work *table_work(const struct table *table, const struct session *session);
/* The same, to change. */
struct work *table_work_change(struct table *table, const struct session *session);
/* One for a session that has none, of its client's @budget; NULL when none is left. */
struct work *table_work_take(struct table *table, struct session *session, struct client_budget *budget);
void table_work_put(struct table *table, struct session *session);
/* Look at the next so many work slots, and take back those whose session can do without. */
void table_work_reclaim(struct table *table, uint32_t steps);
/* The next of the work slots on a walk round all of them, and its session; NULL for a free one. @at: how far the walk has come. */
struct work *table_walk_work(struct table *table, uint32_t *at, struct session **owner);

/*
 * One packet's changes: from table_begin() to table_commit(), a kill undoes them. To begin anew, or to remove the session, commits
 * what was begun before.
 */
void table_begin(struct table *table, const struct session *session);
void table_commit(struct table *table);

/* The session whose last change was undone when the table was opened; NULL when there is none. Asked once. */
struct session *table_undone(struct table *table);

/* The EMBRYO_WAYS in which a handshake of a flow with this hash can stand: embryo.c's. */
struct embryo *table_embryo_ways(struct table *table, uint32_t hash);

/* The hash of a flow that is known by its key. */
uint32_t table_key_hash(const struct table *table, const struct flow_key *key);

/*
 * A note that a connection is left alone (embryo.h) is lost, with all that it said of the time until @since, in seconds. That outlives the
 * daemon, as the notes do.
 */
void table_lose_note(struct table *table, uint32_t since);

/* Is one lost that would still count now? */
bool table_lost_note(const struct table *table, uint32_t seconds);

/* Are these the same client: the same IPv4 address, or in the same IPv6 /64? */
bool table_same_client(const struct endpoint *a, const struct endpoint *b);

/* The client's budget: core/engine/share.h. It is valid until the next call. */
struct client_budget *table_budget(struct table *table, const struct endpoint *client);

/* The same of a session's client: without a search where it has a work slot. */
struct client_budget *table_budget_of(struct table *table, const struct session *session);

/* A client takes some of what is shared, or gives it back. Work slots are counted by the table itself. */
void table_count(struct table *table, struct client_budget *budget, enum share what, int32_t change);

/* What all clients together have. */
uint32_t table_taken(const struct table *table, enum share what);

/* Slots are numbered from 1 to table_slots(); table_slot() is NULL for a free one. */
uint32_t table_slots(const struct table *table);
struct session *table_slot(struct table *table, uint32_t index);
/* The next on a walk round all of them. @at: how far the walk has come. */
struct session *table_walk(struct table *table, uint32_t *at);

/* What another thread than the table's own sees of a session: copies, as of one moment between two packets. */
struct table_view {
	struct session session;
	struct binding binding; /* where bound */
	bool bound;
	uint8_t announcements;
	struct announcement announcement[ANNOUNCEMENTS_MAX];
};

/**
 * table_view - look at a slot from another thread
 * @index: from 1 to table_slots()
 * @view: filled in
 *
 * Nothing is locked, and the table's owner notices nothing. A session that moves to another slot while somebody walks may be seen twice, or
 * not at all. Return: false: the slot is free, or was in the midst of a change each time it was looked at.
 */
bool table_view(const struct table *table, uint32_t index, struct table_view *view);

/* How many are in use; and how many work slots there are. */
uint32_t table_sessions(const struct table *table);
uint32_t table_works(const struct table *table);
uint32_t table_work_slots(const struct table *table);

#endif
