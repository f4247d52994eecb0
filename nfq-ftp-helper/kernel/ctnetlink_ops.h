/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctnetlink_ops - what struct conntrack asks for, a file each: ctnetlink_find (find, look), ctnetlink_expect (expect, renew),
 * ctnetlink_defer (unexpect, settle), ctnetlink_adjust. Only these and ctnetlink.c include this.
 */
#ifndef KERNEL_CTNETLINK_OPS_H
#define KERNEL_CTNETLINK_OPS_H

#include "ctmessage.h"
#include "ctnetlink_state.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

/* As struct conntrack_ops has them. */
int ctnetlink_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		   enum direction *direction);
int ctnetlink_expect(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation);
int ctnetlink_renew(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation,
		    uint32_t seconds);
void ctnetlink_unexpect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation);
int ctnetlink_adjust_seq(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			 const struct seqadj *adjustment);
int ctnetlink_look(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct sight *sight);
void ctnetlink_settle(struct conntrack *conntrack, const struct binding *master);

static inline struct ctnetlink *ctnetlink_of(struct conntrack *conntrack)
{
	return (struct ctnetlink *)(void *)conntrack; /* it is embedded first */
}

/* The attribute of this direction's adjustment. */
static inline uint16_t ctnetlink_seqadj_type(enum direction direction)
{
	return direction == DIRECTION_ORIGINAL ? CTA_SEQ_ADJ_ORIG : CTA_SEQ_ADJ_REPLY;
}

/* The connection that came with the packet, once its translations are certain. Return: false: it did not come. */
bool ctnetlink_hinted(const struct ctnetlink *ct, struct connection *connection);

/* Put the mark on, into an update; or take mark and label off again. */
void ctnetlink_put_mark(const struct ctnetlink *ct, struct nlmsghdr *message);
void ctnetlink_put_unmarked(const struct ctnetlink *ct, struct nlmsghdr *message);

/*
 * Does a session move its numbers, or has one? Conntrack is liberal about what it has met in its middle, too; but that is not marked. Where
 * nothing is ever marked, nobody knows.
 */
bool ctnetlink_is_renumbered(const struct ctnetlink *ct, const struct connection *connection);

/* Where labels are used: no packet of @master is to pass unseen. Return: 0; -EOPNOTSUPP: there is no way; another negative errno. */
int ctnetlink_guard(struct ctnetlink *ct, const struct binding *master);

/* What was deferred for @master is not to be done after all: a taking back of @expectation; where NULL, the settling.
 */
void ctnetlink_undefer(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation);

#endif
