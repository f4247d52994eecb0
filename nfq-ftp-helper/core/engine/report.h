/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report - what a person or a log may want to know of what the engine does, and the reasons why an announcement opens nothing.
 */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "core/conntrack.h"

/* Why an announcement opened nothing (invariant I4). The texts are refusal_text()'s. */
enum refusal {
	REFUSED_NOT,
	REFUSED_NO_GREETING, /* no 2xx yet */
	REFUSED_NO_EXCHANGE, /* picked up in the middle, no command and reply seen yet */
	REFUSED_NOT_FTP,     /* the connection speaks something else */
	REFUSED_MALFORMED,   /* the argument is not legal */
	REFUSED_TOO_LONG,    /* the line is longer than a legal one */
	REFUSED_STALLED,     /* a part of the argument, sent again and again with nothing behind it */
	REFUSED_STALE,	     /* it may have passed unchanged while no daemon was there */
	REFUSED_ADDRESS,     /* a third party's address */
	REFUSED_FOREIGN,     /* one that would stand for the speaker, but for policy.foreign */
	REFUSED_PORT,	     /* port below policy.min_port */
	REFUSED_UNASKED,     /* a 227, 229 or 228 that answers no PASV, EPSV or LPSV */
	REFUSED_PIPELINE,    /* more commands of interest outstanding than are followed */
	REFUSED_UNKNOWN,     /* conntrack does not know the control connection */
	REFUSED_NO_PORT,     /* no port of the range is free */
	REFUSED_LIMIT,	     /* too many expectations of this session, or announcements of this client a second */
	REFUSED_SHARE,	     /* this client has its share of work slots or expectations */
	REFUSED_MEMORY,	     /* no work slot is free */
	REFUSED_SPACE,	     /* the longer text does not fit the path's segment size */
	REFUSED_CONNTRACK,   /* conntrack answered with an error: report.error */
	REFUSALS,
};

const char *refusal_text(enum refusal refusal); /* "a third party's address": for people */
const char *refusal_name(enum refusal refusal); /* "address": for JSON and metrics */

/* What who runs this can do about it; NULL: nothing here, it is the dialogue's fault, or conntrack's. */
const char *refusal_advice(enum refusal refusal);

enum report_kind {
	REPORT_REWRITE,	 /* text and sequence numbers changed */
	REPORT_EXPECT,	 /* a data connection is expected */
	REPORT_UNEXPECT, /* and no longer */
	REPORT_REFUSE,	 /* an announcement was left alone */
	REPORT_OPAQUE,	 /* TLS from here on */
	REPORT_LIMIT,	 /* a connection is not followed: there is no room for it */
	REPORT_ONE_WAY,	 /* packets of one direction only: report.direction */
	REPORT_LINE,	 /* a command or a final reply that announces nothing; only where engine.lines asks for these */
	REPORT_BEGIN,	 /* a session was made */
	REPORT_END,	 /* and ended */
};

/* Something a person or a log may want to know. Borrowed: valid during the call only. */
struct report {
	enum report_kind kind;
	struct endpoint client; /* as seen where the packets are queued */
	struct endpoint server;
	enum direction direction; /* of the announcement */
	const char *command; /* "PORT", "227"; "" where none is concerned, and of LINE where it is no known command */
	const char *from;    /* REWRITE, EXPECT, REFUSE: the argument as it came; not terminated */
	uint32_t from_length;
	const char *to; /* REWRITE: the argument as it left */
	uint32_t to_length;
	const struct expectation *expectation; /* EXPECT, UNEXPECT; NULL otherwise */
	struct seqadj adj;		       /* REWRITE: after it */
	uint32_t seq;			       /* REWRITE: the argument's first byte, sender space */
	uint16_t port;			       /* announced */
	enum refusal refusal;		       /* REFUSE */
	int error;			       /* REFUSED_CONNTRACK: a negative errno */
	uint32_t taken;			       /* LIMIT: the sessions that the client has; 0: the table is full */
};

#endif
