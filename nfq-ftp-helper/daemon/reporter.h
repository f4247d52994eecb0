/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reporter - what the engine reports, as log lines: "event=WHAT key=value ...", one an event. What may hold a blank stands in quotes.
 */
#ifndef DAEMON_REPORTER_H
#define DAEMON_REPORTER_H

#include "core/session/session.h"
#include "interfaces.h"
#include "kernel/nfqueue.h"
#include "log.h"
#include "throttle.h"

/* So many hosts are remembered of which something is said once; of others it is not said. */
#define REPORTER_HOSTS 64

/* Owned by one thread. */
struct reporter {
	struct interfaces interfaces;
	struct log_limit told;			 /* -v's lines */
	struct log_limit refused;		 /* warnings */
	struct throttle throttle;		 /* and those of them that a client can bring about */
	struct endpoint one_way[REPORTER_HOSTS]; /* of which no packet comes here: said */
	unsigned int one_way_count;
	uint64_t now;			     /* milliseconds */
	const struct nfqueue_packet *packet; /* that is being handled; NULL: none, it is a time-out */
};

void reporter_open(struct reporter *reporter);
void reporter_close(struct reporter *reporter);

/* For engine.report; the context is a struct reporter. */
void reporter_report(void *context, const struct report *report);

/* What a person can do about a refusal; NULL: nothing, it is the dialogue's fault. @error: that of REFUSED_CONNTRACK. */
const char *reporter_advice(enum refusal refusal, int error);

/* Time passes: hear of interfaces, say how many lines were not written. */
void reporter_tick(struct reporter *reporter, uint64_t now);

#endif
