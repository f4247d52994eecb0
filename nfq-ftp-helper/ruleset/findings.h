/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings - what the rules of this machine, ours and others', mean for FTP control connections.
 */
#ifndef RULESET_FINDINGS_H
#define RULESET_FINDINGS_H

#include "found.h"

/* What stands in FTP's way, most important first. */
enum finding_kind {
	FINDING_FTP_ASSIGNED,  /* a rule assigns the kernel's own ftp helper */
	FINDING_FTP_AUTOMATIC, /* nf_conntrack_helper=1: the kernel assigns it by itself */
	FINDING_INVALID,       /* a rule drops INVALID before we see the packet */
	FINDING_MARK,	       /* others use our bit of the connmark */
	FINDING_RELATED,       /* a chain that drops what is not accepted, and does not accept RELATED */
	FINDING_KINDS,
};

#define FINDING_TEXT_MAX 400

struct finding {
	bool seen;
	char text[FINDING_TEXT_MAX]; /* the sentence that says so, without a full stop */
	char remedy[FOUND_TEXT_MAX]; /* the command that mends it */
};

struct findings {
	bool readable; /* otherwise nothing is known */
	struct finding wrong[FINDING_KINDS];
	bool assigned;			/* a rule assigns a helper that is not the kernel's ftp */
	char helper[FOUND_HELPER_MAX];	/* that one */
	char assigning[FOUND_TEXT_MAX]; /* that rule */
	bool queued;			/* a rule queues these connections' packets */
	struct queue_range queues;
	struct queue_range sure_queues; /* of marked connections */
	bool some_only;			/* not all packets are queued: those without payload are not */
};

/* Look at all rules. @mark_mask: our bits of the connmark; 0: those of our rules. Return: 0 or -ENOMEM. */
int findings_look(struct findings *findings, const struct ports *ports, uint32_t mark_mask);

#endif
