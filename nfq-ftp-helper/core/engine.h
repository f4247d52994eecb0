/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - what one worker's engine is made of: its table, its conntrack, its policy, its counters, and whoever listens to what it
 * has to report. Filled in by the caller; session.h says how packets go through it.
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "belief.h"
#include "network.h"
#include "segment.h"
#include "table.h"

/* Why an announcement opened nothing (invariant I4). The texts are refusal_text()'s. */
enum refusal {
	REFUSED_NOT,
	REFUSED_NO_GREETING,	/* no 220 yet */
	REFUSED_NO_EXCHANGE,	/* picked up in the middle, no command and reply seen yet */
	REFUSED_NOT_FTP,	/* the connection speaks something else */
	REFUSED_MALFORMED,	/* the argument is not legal */
	REFUSED_TOO_LONG,	/* the line is longer than a legal one */
	REFUSED_STALLED,	/* a part of the argument, sent again and again with nothing behind it */
	REFUSED_STALE,		/* it may have passed unchanged while no daemon was there */
	REFUSED_ADDRESS,	/* a third party's address */
	REFUSED_PORT,		/* port below policy.min_port */
	REFUSED_UNASKED,	/* a 227, 229 or 228 that answers no PASV, EPSV or LPSV */
	REFUSED_PIPELINE,	/* more commands outstanding than are followed */
	REFUSED_UNKNOWN,	/* conntrack does not know the control connection */
	REFUSED_NO_PORT,	/* no port of the range is free */
	REFUSED_LIMIT,		/* too many expectations of this session, or announcements of this client a second */
	REFUSED_SHARE,		/* this client has its share of work slots or expectations */
	REFUSED_MEMORY,		/* no work slot is free */
	REFUSED_SPACE,		/* the longer text does not fit the path's segment size */
	REFUSED_CONNTRACK,	/* conntrack answered with an error: report.error */
	REFUSALS,
};

const char *refusal_text(enum refusal refusal);	/* "a third party's address": for people */
const char *refusal_name(enum refusal refusal);	/* "address": for JSON and metrics */

enum report_kind {
	REPORT_REWRITE,		/* text and sequence numbers changed */
	REPORT_EXPECT,		/* a data connection is expected */
	REPORT_UNEXPECT,	/* and no longer */
	REPORT_REFUSE,		/* an announcement was left alone */
	REPORT_OPAQUE,		/* TLS from here on */
	REPORT_LIMIT,		/* a connection is not followed: there is no room for it */
	REPORT_BEGIN,		/* a session was made */
	REPORT_END,		/* and ended */
};

/* Something a person or a log may want to know. Borrowed: valid during the call only. */
struct report {
	enum report_kind kind;
	struct endpoint client;		/* as seen where the packets are queued */
	struct endpoint server;
	enum direction direction;	/* of the announcement */
	const char *command;		/* "PORT", "227"; "" where none is concerned */
	const char *from;		/* REWRITE, EXPECT, REFUSE: the argument as it came; not terminated */
	uint32_t from_length;
	const char *to;			/* REWRITE: the argument as it left */
	uint32_t to_length;
	const struct expectation *expectation;	/* EXPECT, UNEXPECT; NULL otherwise */
	struct seqadj adj;		/* REWRITE: after it */
	uint32_t seq;			/* REWRITE: the argument's first byte, sender space */
	uint16_t port;			/* announced */
	enum refusal refusal;		/* REFUSE */
	int error;			/* REFUSED_CONNTRACK: a negative errno */
	uint32_t taken;			/* LIMIT: the sessions that the client has; 0: the table is full */
};

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
	uint64_t random;		/* state of the port chooser; seed it */
	uint32_t sweep;			/* engine_tick()'s position */
	uint32_t sample;		/* where the last search for a session to displace ended */
	uint32_t sample_work;		/* and that for an announcement */
	uint64_t picks_up_until;	/* milliseconds: session_absent() */
};

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
