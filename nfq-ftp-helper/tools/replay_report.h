/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay_report - what replay says about a capture, as JSON (one object a line) or for people.
 */
#ifndef TOOLS_REPLAY_REPORT_H
#define TOOLS_REPLAY_REPORT_H

#include "core/session/session.h"

#include <sys/time.h>

/* What the engine does not count itself. */
struct replay_summary {
	const char *path;
	uint64_t packets;
	uint64_t controls;		  /* control connections, followed or not */
	uint64_t reports[REPORT_END + 1]; /* of the engine, by enum report_kind */
	uint64_t data_expected;
	uint64_t data_unexpected;
	uint64_t others;	    /* connections that have nothing to do with a control connection */
	uint64_t truncated;	    /* control packets cut off by the snapshot length */
	uint64_t malformed;	    /* packets whose lengths contradict one another, or of a wrong checksum */
	uint64_t checksums_ignored; /* packets that were read although theirs was wrong */
	uint64_t dropped;	    /* packets that would not have gone out when they came */
	uint64_t still_expected;    /* when the capture ended */
};

struct replay_reporter {
	bool json;
	bool begun;
	struct timeval first; /* time of the capture's first packet */
	struct timeval now;   /* and of the current one */
	struct replay_summary summary;
};

/* The next packet is being processed. */
void replay_report_time(struct replay_reporter *reporter, const struct timeval *time);

/* Count and print what the engine reports: struct engine's report(), with the reporter for its context. */
void replay_report_engine(void *context, const struct report *report);

/* Count and print a connection that is no control connection: original is its client's direction. */
void replay_report_data(struct replay_reporter *reporter, const struct tuple *original, bool expected);

void replay_report_summary(struct replay_reporter *reporter, const struct counters *counters);

#endif
