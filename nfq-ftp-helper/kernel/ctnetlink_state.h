/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctnetlink_state - how the kernel's conntrack is asked, and what is kept of that.
 */
#ifndef KERNEL_CTNETLINK_STATE_H
#define KERNEL_CTNETLINK_STATE_H

#include "core/conntrack.h"
#include "exchange.h"

#include <errno.h>

enum seqadj_mode {
	SEQADJ_MODE_AUTO, /* the kernel where it can, else the session itself */
	SEQADJ_MODE_KERNEL,
	SEQADJ_MODE_SELF,
};

struct ctnetlink_config {
	/* Sends the packets that have a verdict on their way; NULL where none wait. */
	void (*send_packets)(void *context);
	void *send_context;
	enum seqadj_mode seqadj;
	uint32_t mark;		     /* put on the connmark of a connection that must not pass unseen ... */
	uint32_t mark_mask;	     /* ... in these bits; 0: in none */
	bool labels;		     /* rather than that, where the connection has room for labels ... */
	uint8_t label;		     /* ... put this one on */
	bool mark_edits;	     /* also where the kernel adjusts, while an edit is in flight */
	bool guarded;		     /* see struct conntrack */
	const char *queueing_helper; /* it queues its connections' packets itself; NULL: NFQUEUE rules do */
	uint32_t expect_timeout;     /* seconds */
	uint32_t policy_timeout;     /* what the helper gives each anyway; 0: not known */
	uint32_t master_timeout;     /* seconds: what a connection that is kept has before it, at least */
	bool noted;		     /* see struct conntrack */
};

/*
 * What adjust_seq() answers in mode kernel where the kernel would adjust twice: packets come from rules, and the connection's
 * helper is one of user space.
 */
#define CTNETLINK_TWICE EREMOTE

struct ctnetlink_counters {
	uint64_t walks;		  /* through all connections, for want of a better way to find one */
	uint64_t kernel_adjusted; /* adjustments that the kernel took */
	uint64_t self_adjusted;	  /* adjustments that are left to the session */
	uint64_t kept;		  /* connections that were given their whole time while silent */
};

/* What an earlier session or edit has left behind, to be done when the packets at hand have their verdicts. */
struct deferred {
	struct tuple master; /* original direction */
	uint16_t zone;
	bool again;  /* it has been asked for, and no answer came */
	bool settle; /* see struct conntrack; otherwise take back: */
	union {
		struct expectation expectation;
		struct seqadj seqadj[2]; /* by enum direction */
	};
};

#define CTNETLINK_DEFERRED 16

struct ctnetlink {
	struct conntrack conntrack; /* first: what the engine is given */
	struct ctnetlink_config config;
	struct ctnetlink_counters counters;
	const void *hint; /* NFQA_CT's inside */
	size_t hint_length;
	bool told;	       /* it has come with a packet before: the kernel sends it */
	bool cthelpers;	       /* the kernel may have helpers of user space */
	uint64_t walked;       /* nanoseconds: when the last walk began */
	uint64_t walk_debt;    /* nanoseconds spent walking that are not paid for yet, ... */
	uint64_t walk_settled; /* ... as of then */
	unsigned int deferred_count;
	struct deferred deferred[CTNETLINK_DEFERRED];
	struct exchange exchange;
};

#endif
