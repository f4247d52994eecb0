// SPDX-License-Identifier: GPL-2.0-or-later
#include "tally.h"

#include "figures/figures.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>

#define NUMBERS (sizeof(struct counters) / sizeof(uint64_t))

_Static_assert(sizeof(struct counters) % sizeof(uint64_t) == 0, "counters are nothing but 64 bit numbers");

static const struct {
	const char *text; /* NULL: it is not logged */
	size_t offset;
} rows[] = {
#define ROW(member, text) { text, offsetof(struct counters, member) },
	COUNTERS(ROW)
#undef ROW
};

void tally_add(struct counters *sum, const struct counters *counters)
{
	figures_add_numbers(sum, counters, NUMBERS);
}

void tally_log(const char *event, const struct counters *counters)
{
	char line[1024];
	size_t length = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].text)
			length += (size_t)snprintf(line + length, sizeof(line) - length, " %s=%" PRIu64, rows[i].text,
						   figures_number_at(counters, rows[i].offset));
	log_line(LOG_LEVEL_NOTICE, "%s%s refused=%" PRIu64, event, line, figures_refusals(counters));
	for (unsigned int i = 0; i < REFUSALS; i++) {
		if (counters->refusals[i])
			log_line(LOG_LEVEL_NOTICE, "%s refused=%" PRIu64 " reason=%s why=\"%s\"", event,
				 counters->refusals[i], refusal_name(i), refusal_text(i));
	}
}
