/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack - what a session asks of its surroundings, and nothing else: struct conntrack_ops.
 *
 * Two implementations: the kernel's, by ctnetlink (kernel/ctnetlink.h), and one in memory (model/). Calls are
 * synchronous; when expect() has returned 0 the data connection is admitted from that moment on.
 */
#ifndef CORE_CONNTRACK_H
#define CORE_CONNTRACK_H

#include "core/wire/scan.h"
#include "core/wire/seqadj.h"
#include "core/wire/tuple.h"

/* How far conntrack has seen the handshake. */
enum progress {
	PROGRESS_UNKNOWN,   /* not told */
	PROGRESS_HANDSHAKE, /* under way */
	PROGRESS_BEYOND,    /* through, or never seen */
};

/*
 * A connection and its NAT binding: both tuples. Where no NAT takes place they mirror each other; a source translation
 * shows as tuple[REPLY].dst != tuple[ORIGINAL].src, a destination translation as tuple[REPLY].src !=
 * tuple[ORIGINAL].dst.
 */
struct binding {
	struct tuple tuple[2];	 /* by enum direction */
	struct seqadj seqadj[2]; /* what the kernel already adjusts; zero where it does not */
	uint32_t id;	  /* CTA_ID; 0: not told. Another one proves another connection, the same proves nothing */
	uint16_t zone;	  /* conntrack zone, 0 where none */
	uint8_t progress; /* enum progress; of the moment: looked at where it has just been found only */
	bool renumbered;  /* likewise: a session moves its numbers, or has: SEQADJ_SELF */
};

/* The data connection that is expected: tuple.src, from any port, to tuple.dst. */
struct expectation {
	struct tuple tuple;	      /* src.port is ignored */
	bool translated;	      /* the master is: the data connection must follow its NAT */
	enum direction nat_direction; /* CTA_EXPECT_NAT_DIR */
	struct endpoint nat_src;      /* CTA_EXPECT_NAT_TUPLE's source: where the announcing party really listens */
};

enum seqadj_by {
	SEQADJ_KERNEL = 0, /* conntrack renumbers this connection from now on */
	SEQADJ_SELF = 1,   /* the session must renumber every packet; conntrack has been told to be liberal */
};

/* A look at a connection. */
struct sight {
	const struct binding *bound; /* asked: its binding, NULL where that is not known */
	bool keep;		     /* asked: it is to get its whole time again, as if a packet of it had come */
	uint32_t id;		     /* answered: as binding.id */
	bool noted;		     /* answered: the module has a note of it: */
	struct scan_note note;
};

struct conntrack;

struct conntrack_ops {
	/*
	 * The connection a packet with this tuple (as seen where it is queued: half translated under NAT) belongs to.
	 * *direction says in which of its directions the packet goes.
	 * -ENOENT: there is none.
	 */
	int (*find)(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		    enum direction *direction);

	/*
	 * Expect a connection on behalf of master.
	 * -EBUSY: another master expects this tuple; try another port. An equal expectation of the same master is
	 * replaced. -EOPNOTSUPP: the master has no helper assigned. Other errors: as the kernel says.
	 */
	int (*expect)(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation);

	/*
	 * An expectation of master's is there for so many seconds from now, without a gap in which it would not be.
	 * -ENOENT: it is gone, used or timed out. NULL: none is ever renewed.
	 */
	int (*renew)(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation,
		     uint32_t seconds);

	/* Take it back. That it is gone already (used, or timed out) is no error. */
	void (*unexpect)(struct conntrack *conntrack, const struct binding *master,
			 const struct expectation *expectation);

	/*
	 * From now on this direction of master is adjusted so; absolute values, so repeating it is harmless. It is what
	 * conntrack_told() makes of the session's own.
	 * Once it has answered SEQADJ_SELF for a connection it is not asked again: the session keeps the adjustment itself.
	 * Return: enum seqadj_by, or a negative errno (then nothing must be edited).
	 */
	int (*adjust_seq)(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			  const struct seqadj *adjustment);

	/*
	 * Every edit of master has been acknowledged: from now on its packets may pass without us, and only the later shift of
	 * master->seqadj counts (seqadj_settled()). Called after adjust_seq() has answered SEQADJ_KERNEL. NULL: nobody wants to know.
	 */
	void (*settle)(struct conntrack *conntrack, const struct binding *master);

	/*
	 * Is the connection with this tuple, as for find(), still there? -ENOENT: it is gone for certain; other errors say nothing.
	 * NULL: nobody can be asked.
	 */
	int (*look)(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct sight *sight);
};

/* Implementations embed this first. */
struct conntrack {
	const struct conntrack_ops *ops;
	/*
	 * While an edit is in flight all of the connection's packets come to us, bare acknowledgements too, and none passes while
	 * nobody is here: they are marked, and have a queue that does not bypass.
	 */
	bool guarded;
	bool noted; /* the module lets packets pass: look() says which */
	uint32_t
		expected_seconds; /* each expectation is there for so long, unless renewed; 0: for FTP_EXPECTED_SECONDS */
};

static inline uint32_t conntrack_expected_seconds(const struct conntrack *conntrack)
{
	return conntrack->expected_seconds ? conntrack->expected_seconds : FTP_EXPECTED_SECONDS;
}

/* What conntrack is to know of an adjustment. Where that is not all, the rest is left to us (seqadj_untold()). */
static inline struct seqadj conntrack_told(const struct conntrack *conntrack, const struct seqadj *adjustment)
{
	return conntrack->guarded ? seqadj_told(adjustment) : *adjustment;
}

/* Does NAT take place on this connection at all? */
static inline bool binding_translated(const struct binding *binding)
{
	const struct tuple *original = &binding->tuple[DIRECTION_ORIGINAL];
	const struct tuple *reply = &binding->tuple[DIRECTION_REPLY];

	return !endpoint_equal(&original->src, &reply->dst) || !endpoint_equal(&original->dst, &reply->src);
}

#endif
