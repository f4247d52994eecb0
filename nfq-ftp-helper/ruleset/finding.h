/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding - what the rules of this machine can mean for FTP: each kind with its one sentence.
 */
#ifndef RULESET_FINDING_H
#define RULESET_FINDING_H

#include "found.h"
#include "keepers.h"
#include "request.h"

/* What stands in FTP's way, most important first. */
enum finding_kind {
	FINDING_FTP_ASSIGNED,	/* a rule assigns the kernel's own ftp helper */
	FINDING_FTP_AUTOMATIC,	/* nf_conntrack_helper=1: the kernel assigns it by itself */
	FINDING_NOTRACK,	/* the connections are not tracked */
	FINDING_ASSIGNED_EARLY, /* a helper is assigned before conntrack, which has no effect */
	FINDING_HELPER_DEAD,	/* the helper that a rule names has been taken away */
	FINDING_DNAT_PORT,	/* the port behind destination NAT is another, which rules do not know */
	FINDING_SYNPROXY,	/* packets are renumbered before we see them */
	FINDING_ASSIGNED_LATE,	/* behind destination NAT */
	FINDING_INVALID,	/* a rule drops INVALID before we see the packet */
	FINDING_MARK,		/* others use our bit of the connmark */
	FINDING_RELATED,	/* a chain that drops what is not accepted, and does not accept RELATED */
	FINDING_ZONES,		/* conntrack zones of others */
	FINDING_OFFLOAD,	/* connections go through hardware */
	FINDING_LEGACY,		/* iptables-legacy beside nf_tables */
	FINDING_KINDS,
};

#define FINDING_TEXT_MAX   400
#define FINDING_REMEDY_MAX (FOUND_TEXT_MAX + REQUEST_COMMAND_MAX + 2) /* "; " between */

struct finding {
	bool seen;
	bool harmless;			 /* only worth knowing; then there may be no remedy */
	char text[FINDING_TEXT_MAX];	 /* the sentence that says so, without a full stop */
	char remedy[FINDING_REMEDY_MAX]; /* the command that mends it */
};

struct findings {
	bool readable;	    /* otherwise nothing is known */
	struct ports ports; /* in question: those that were asked for, else those of the present rules */
	struct request
		request; /* what was asked, and of the rest what the present rules have: remedies say that again */
	struct finding wrong[FINDING_KINDS];
	enum mode mode;			/* that the present rules are of; MODE_AUTO: of none */
	bool well_assigned;		/* a rule assigns one between conntrack and destination NAT */
	char helper[FOUND_HELPER_MAX];	/* that a rule assigns, and is not the kernel's ftp; "": there is none */
	char assigning[FOUND_TEXT_MAX]; /* that rule */
	uint16_t unserved;		/* a port in question that rules leave out; 0: none */
	struct queue_range queues;	/* that a rule queues these connections' packets to */
	struct queue_range sure_queues; /* of marked connections */
	bool kept[KEEPERS];		/* by this program, as in keepers[] */
	bool some_only;			/* not all packets are queued: those without payload are not */
};

/* Note a finding; the first of its kind is the one. @what: the rule, chain or setting that it is about. */
void finding_see(struct findings *findings, enum finding_kind kind, const char *what, const char *remedy);

#endif
