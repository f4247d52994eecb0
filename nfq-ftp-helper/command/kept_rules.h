/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept_rules - the rules that a running daemon lives by: put in place and taken away by it, where it is told `rules = yes', and watched in any
 * case.
 */
#ifndef COMMAND_KEPT_RULES_H
#define COMMAND_KEPT_RULES_H

#include "daemon/options.h"
#include "isolation/rulekeeper.h"
#include "option.h"
#include "ruleset/backends.h"
#include "watch/course.h"
#include "watch/watched.h"
#include "watch/watcher.h"

struct kept_rules {
	struct request request;	       /* what was asked of rules, and how we are attached; they are ours to make ... */
	const struct backend *backend; /* ... and by whom; NULL: none are */
	struct rulekeeper keeper;      /* who does it */
	bool placed;
	struct child watcher;
	struct watched watched; /* what comes of it, for other threads */
	struct course course;	/* and what is done about it */
};

struct kept_rules_news {
	bool unseen; /* packets of connections that they see have passed unseen, or may have */
	bool begun;  /* rules hand packets over that none did before: of connections in their middle, too */
};

#define KEPT_RULES_NONE ((struct kept_rules){ .keeper = RULEKEEPER_NONE, .watcher = CHILD_NONE })

/*
 * What the rules are, where they are ours: known before anything else is opened, since whoever makes them may be another process. @backend:
 * which was asked for, BACKENDS: none was. @options: how we are attached is filled in. Return: OPTION_GO_ON, or an exit code.
 */
int kept_rules_settle(struct kept_rules *rules, unsigned int backend, struct options *options);

/* Nothing else of the daemon starts a program, once it is confined. Return: 0, or a negative errno, which has been said. */
int kept_rules_start(struct kept_rules *rules);

/* Look after them from here on. Call it while there is one thread. That nobody does is no reason to end: it is said. */
void kept_rules_watch(struct kept_rules *rules, const char *carrier, const struct options *options,
		      const struct user *user);

/* When packets are served. Return: 0, or a negative errno, which has been said. */
int kept_rules_place(struct kept_rules *rules);

/**
 * kept_rules_attend - hear how they stand, and do what there is to be done
 * @now: the workers' clock
 * @known: every worker has taken note of what the last call has returned
 *
 * Call it some times a second. Return: what workers are to know.
 */
struct kept_rules_news kept_rules_attend(struct kept_rules *rules, uint64_t now, bool known);

/*
 * Somebody has asked for a reload: what is missing is put back at once; where it is not ours, what is there now is what is meant, and @asked is
 * what is asked of them.
 */
void kept_rules_again(struct kept_rules *rules, const struct request *asked);

/* While packets are still served. Who has not come so far may not take away another daemon's. */
void kept_rules_take_away(struct kept_rules *rules);

#endif
