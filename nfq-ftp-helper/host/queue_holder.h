/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_holder - who holds an NFQUEUE.
 */
#ifndef HOST_QUEUE_HOLDER_H
#define HOST_QUEUE_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_HOLDER_MAX 32

/* Our processes' names: the daemon's, its guard's (daemon/guard.h), the one's that keeps its rules (isolation/rulekeeper.h), or watches them (watch/watcher.h). */
#define QUEUE_HOLDER_DAEMON "nfq-ftp-helper"
#define QUEUE_HOLDER_GUARD  "nfq-ftp-guard"
#define QUEUE_HOLDER_RULES  "nfq-ftp-rules"
#define QUEUE_HOLDER_WATCH  "nfq-ftp-watch"

struct queue_holder {
	bool bound;			/* by anybody */
	bool ours;			/* by an nfq-ftp-helper */
	char program[QUEUE_HOLDER_MAX]; /* its name; "": it cannot be seen from here */
	int pid;
	unsigned long dropped; /* packets, for want of room, so far */
};

/* Look at queue @number of this network namespace. */
void queue_holder_look(uint16_t number, struct queue_holder *holder);

#endif
