/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings - what the rules of this machine, ours and others', mean for FTP control connections.
 */
#ifndef RULESET_FINDINGS_H
#define RULESET_FINDINGS_H

#include "found.h"

/* A rule that matters, if there is one. */
struct finding {
	bool seen;
	char text[FOUND_TEXT_MAX];	/* the rule, or the chain */
	char remedy[FOUND_TEXT_MAX];	/* the command that mends it */
};

struct findings {
	bool readable;			/* otherwise nothing is known */
	struct finding carrier;		/* assigns a helper that is not the kernel's ftp */
	char helper[FOUND_HELPER_MAX];	/* that one */
	struct finding ftp;		/* assigns the kernel's ftp helper */
	struct finding automatic;	/* nf_conntrack_helper=1: the kernel assigns it by itself */
	struct finding queue;		/* queues these connections' packets */
	struct queue_range queues;
	struct queue_range sure_queues;	/* of marked connections */
	bool some_only;			/* not all packets are queued: those without payload are not */
	struct finding invalid;		/* drops INVALID before we see the packet */
	struct finding unrelated;	/* a chain that drops what is not accepted, and does not accept RELATED */
};

/* Look at all rules. Return: 0 or -ENOMEM. */
int findings_look(struct findings *findings, const struct ports *ports);

/* Say what stands in the way of what was just printed or applied: a sentence each, on standard error. */
void findings_warn(const struct ports *ports);

#endif
