/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay_report - what replay says about a capture, as JSON (one object a line) or for people.
 */
#ifndef TOOLS_REPLAY_REPORT_H
#define TOOLS_REPLAY_REPORT_H

#include "playback/playback.h"

#include <sys/time.h>

/* What neither the engine nor playback counts. */
struct replay_summary {
	const char *path;
	uint64_t reports[REPORT_END + 1]; /* of the engine, by enum report_kind */
	uint64_t data_expected;
	uint64_t data_unexpected;
};

struct replay_reporter {
	bool json;
	bool begun;
	struct timeval first; /* time of the capture's first packet */
	struct timeval now;   /* and of the current one */
	struct replay_summary summary;
};

/* The next packet is being processed: struct playback_listener's time(), with the reporter for its context. */
void replay_report_time(void *context, const struct timeval *time);

/* Count and print what the engine reports: its report(), likewise. */
void replay_report_engine(void *context, const struct report *report);

/* Count and print a connection that is no control connection: original is its client's direction. */
void replay_report_data(struct replay_reporter *reporter, const struct tuple *original, bool expected);

void replay_report_summary(struct replay_reporter *reporter, const struct playback_counts *played,
			   const struct counters *counters);

#endif
