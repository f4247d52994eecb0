/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rulekeeper - the one process of a running daemon that may start programs (nft, iptables), and so the one that puts its rules in
 * place and takes them away. It is forked off before the daemon gives up its rights, and whoever takes the daemon over can make it do
 * two things only: a request is one byte, which says which of the two. It stays root, where it began so, with what nft and iptables take.
 *
 * What they are is given when it starts, by somebody who knows the rules; it is done in that process, which says itself, on standard
 * error, what went wrong. It ends when the daemon does, however that ends, and then does nothing of its own accord: what a killed
 * daemon's rules queue passes until the next daemon is there.
 */
#ifndef ISOLATION_RULEKEEPER_H
#define ISOLATION_RULEKEEPER_H

#include "child.h"

#include <stdbool.h>
#include <stdint.h>

/* Each returns 0, or a negative errno. */
struct rulekeeper_acts {
	int (*apply)(void *context);
	int (*remove)(void *context);
	void *context;
};

/* Of one thread. */
struct rulekeeper {
	struct child child;
	bool asked;    /* its answer has not come yet ... */
	int64_t until; /* ... and is waited for until then, milliseconds */
};

#define RULEKEEPER_NONE ((struct rulekeeper){ .child = CHILD_NONE })

/*
 * Start it. Call it while there is one thread, and as few files as possible are open: it keeps none but the standard ones.
 *
 * Return: 0, or a negative errno.
 */
int rulekeeper_start(struct rulekeeper *keeper, const struct rulekeeper_acts *acts);

/*
 * Have it done, and wait for that.
 *
 * Return: what the act returned; -EPIPE: the process is gone; -ETIMEDOUT: it has not answered for half a minute, and is not asked any more.
 */
int rulekeeper_apply(struct rulekeeper *keeper);
int rulekeeper_remove(struct rulekeeper *keeper);

/*
 * The same without waiting: begin, and ask for the answer now and then.
 *
 * Return: of the first: 0; -EBUSY: it is still at something; -EPIPE. Of the second: -EINPROGRESS: it is still at it; -EINVAL: nothing was begun;
 * else as above.
 */
int rulekeeper_begin_to_apply(struct rulekeeper *keeper);
int rulekeeper_answer(struct rulekeeper *keeper);

/* Has it ended, while it was at nothing? Then nobody can be asked any more. Return: true: once. */
bool rulekeeper_has_ended(struct rulekeeper *keeper);

/* It ends, and is waited for; rules stay as they are. */
void rulekeeper_end(struct rulekeeper *keeper);

#endif
