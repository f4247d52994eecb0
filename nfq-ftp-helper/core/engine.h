/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - what one worker's engine is made of: its table, its conntrack, its policy, its counters, and whoever listens to what it
 * has to report. Filled in by the caller; session.h says how packets go through it.
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "belief.h"
#include "network.h"
#include "report.h"
#include "segment.h"
#include "table.h"

#define POLICY_EXEMPT_MAX 16

struct policy {
	bool loose;			/* expect connections to third parties too */
	uint16_t min_port;		/* refuse announced ports below; 1024 */
	uint16_t port_low;		/* where the announced port is taken: try these */
	uint16_t port_high;
	uint16_t port_tries;
	uint32_t idle_timeout;		/* seconds until a silent session is forgotten */
	uint32_t client_sessions;	/* sessions per client */
	uint32_t client_rate;		/* announcements per client and second */
	uint32_t client_tries;		/* and tries of another port than the announced one */
	uint32_t expectations;		/* open at once; 0: as many as there is room for */
	struct network exempt[POLICY_EXEMPT_MAX];	/* each stands for many clients: no shares for these */
	unsigned int exempt_count;
};

extern const struct policy policy_default;

struct counters {
	uint64_t packets;
	uint64_t untracked;		/* no session: passed */
	uint64_t malformed;		/* segment_parse() or the checksum said no: passed */
	uint64_t rewritten;		/* packets that left changed */
	uint64_t renumbered;		/* of self-adjusted sessions, otherwise unchanged */
	uint64_t held;			/* packets of which an argument's part was kept back */
	uint64_t dropped;
	uint64_t resynced;		/* streams picked up again behind bytes that passed unseen */
	uint64_t sessions;
	uint64_t picked_up;		/* of them in the middle */
	uint64_t edits;
	uint64_t expectations;
	uint64_t unexpectations;
	uint64_t full;			/* connections not followed: there was no room for them */
	uint64_t limited;		/* of them: for their client, which had its share */
	uint64_t displaced;		/* connections not followed any more: another one needed the room */
	uint64_t overdue;		/* held bytes and edits given up: they had waited too long */
	uint64_t syns;			/* handshakes begun */
	uint64_t strangers;		/* packets with payload of connections that nobody has seen the beginning of: passed */
	uint64_t disbelieved[BELIEFS];	/* packets that change nothing, by reason */
	uint64_t refusals[REFUSALS];
};

struct engine {
	struct table *table;
	struct conntrack *conntrack;
	struct policy policy;
	struct counters counters;
	void (*report)(void *context, const struct report *report);	/* NULL: nobody listens */
	void *report_context;
	uint64_t random;		/* engine_random()'s state; seed it */
	uint32_t sweep;			/* session_tick()'s position */
	uint32_t sample;		/* where the last search for a session to displace ended */
	uint32_t sample_work;		/* and that for an announcement */
	uint64_t picks_up_until;	/* milliseconds: session_absent() */
};

/* The next of a series of numbers without a pattern. Nothing rests on nobody guessing them. */
uint64_t engine_random(struct engine *engine);

/* A packet on its way in. */
struct arrival {
	struct segment segment;
	struct tuple ends;		/* sender and receiver, by which the flow is known */
	struct flow_key key;
	uint32_t hash;
	uint16_t zone;
	bool invalid;			/* conntrack calls it so: filled in by the caller, behind session_arrive() */
	uint32_t conntrack_id;		/* likewise: CTA_ID; 0: not told */
};

#endif
