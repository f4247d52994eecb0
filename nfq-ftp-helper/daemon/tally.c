// SPDX-License-Identifier: GPL-2.0-or-later
#include "tally.h"

#include "log.h"

#include <inttypes.h>
#include <stdio.h>

#define COUNTERS (sizeof(struct counters) / sizeof(uint64_t))

_Static_assert(sizeof(struct counters) % sizeof(uint64_t) == 0, "counters are nothing but 64 bit numbers");

void tally_add(struct counters *sum, const struct counters *counters)
{
	uint64_t numbers[COUNTERS], total[COUNTERS];

	memcpy(numbers, counters, sizeof(numbers));
	memcpy(total, sum, sizeof(total));
	for (size_t i = 0; i < COUNTERS; i++)
		total[i] += numbers[i];
	memcpy(sum, total, sizeof(total));
}

static uint64_t all_refusals(const struct counters *counters)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < REFUSALS; i++)
		sum += counters->refusals[i];
	return sum;
}

void tally_log(const char *whose, const struct counters *counters)
{
	const struct {
		const char *name;
		uint64_t number;
	} rows[] = {
		{ "packets", counters->packets },	{ "untracked", counters->untracked },
		{ "malformed", counters->malformed },	{ "rewritten", counters->rewritten },
		{ "renumbered", counters->renumbered }, { "held", counters->held },
		{ "dropped", counters->dropped },	{ "resynced", counters->resynced },
		{ "sessions", counters->sessions },	{ "picked up", counters->picked_up },
		{ "not followed", counters->full },	{ "of them for their client's share", counters->limited },
		{ "displaced", counters->displaced },	{ "given up waiting", counters->overdue },
		{ "edits", counters->edits },
		{ "expected", counters->expectations }, { "no longer expected", counters->unexpectations },
		{ "refused", all_refusals(counters) },
	};
	char line[1024];
	size_t length = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length, "%s%s %" PRIu64, i ? ", " : "",
					   rows[i].name, rows[i].number);
	log_line(LOG_LEVEL_NOTICE, "%s: %s", whose, line);
	for (unsigned int i = 0; i < REFUSALS; i++) {
		if (counters->refusals[i])
			log_line(LOG_LEVEL_NOTICE, "%s: refused %" PRIu64 ": %s", whose, counters->refusals[i],
				 refusal_text(i));
	}
}
