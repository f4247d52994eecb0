/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - what one worker's engine is made of: its table, its conntrack, its policy, its counters, and whoever listens to what it
 * has to report. Filled in by the caller; session.h says how packets go through it.
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "core/table/table.h"
#include "core/wire/network.h"
#include "core/wire/segment.h"
#include "counters.h"

#define POLICY_EXEMPT_MAX 16
#define POLICY_LOOSE_MAX  16

/* Third parties whose addresses may be announced, and stand for themselves. */
struct policy_loose {
	bool any; /* all, in replies */
	unsigned int count;
	struct network network[POLICY_LOOSE_MAX];
};

/* A foreign address in a reply, which common clients take for the server's. */
enum policy_foreign {
	POLICY_FOREIGN_MEND, /* so does this program */
	POLICY_FOREIGN_REFUSE,
	POLICY_FOREIGNS,
};

struct policy {
	struct policy_loose loose;
	enum policy_foreign foreign;
	uint16_t min_port; /* refuse announced ports below; 1024 */
	uint16_t port_low; /* where the announced port is taken: try these */
	uint16_t port_high;
	uint16_t port_tries;
	uint32_t idle_timeout;	  /* seconds until a silent session is forgotten */
	uint32_t client_sessions; /* sessions per client */
	uint32_t client_rate;	  /* announcements per client and second */
	uint32_t client_tries;	  /* and tries of another port than the announced one */
	uint32_t expect_longest;  /* seconds after its announcement until an expectation is renewed no more */
	uint32_t expectations;	  /* open at once; 0: as many as there is room for */
	struct network exempt[POLICY_EXEMPT_MAX]; /* each stands for many clients: no shares for these */
	unsigned int exempt_count;
};

extern const struct policy policy_default;

struct engine {
	struct table *table;
	struct conntrack *conntrack;
	struct policy policy;
	struct counters counters;
	void (*report)(void *context, const struct report *report); /* NULL: nobody listens */
	void *report_context;
	bool lines;		 /* lines are reported, too: who watches a dialogue wants them */
	uint64_t random;	 /* engine_random()'s state; seed it */
	uint32_t sweep;		 /* session_tick()'s position */
	uint32_t attended;	 /* upkeep_tick()'s positions: sessions, ... */
	uint32_t renewed;	 /* ... and work slots */
	uint32_t sample;	 /* where the last search for a session to displace ended */
	uint32_t sample_work;	 /* and that for an announcement */
	uint64_t picks_up_until; /* milliseconds: session_absent() */
	bool syns_queued;	 /* the rules queue what begins a connection: one has come */
};

/* The next of a series of numbers without a pattern. Nothing rests on nobody guessing them. */
uint64_t engine_random(struct engine *engine);

/* A packet on its way in. */
struct arrival {
	struct segment segment;
	struct flow_key key; /* arrival_ends(): sender and receiver, by which the flow is known */
	uint32_t hash;
	uint16_t zone;
	bool invalid;	       /* conntrack calls it so: filled in by the caller, behind session_arrive() */
	uint32_t conntrack_id; /* likewise: CTA_ID; 0: not told */
	bool busy[2];	       /* by enum direction, from a note: as turn.busy */
};

/* Its sender and its receiver, as the flow has them. */
static inline struct tuple arrival_ends(const struct arrival *arrival)
{
	struct tuple ends;

	flow_ends(&arrival->key, &ends.src, &ends.dst);
	return ends;
}

#endif
