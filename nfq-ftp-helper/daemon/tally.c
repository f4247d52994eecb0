// SPDX-License-Identifier: GPL-2.0-or-later
#include "tally.h"

#include "figures/figures.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *text; /* NULL: it is not logged */
	size_t offset;
} rows[] = {
#define ROW(member, text) { text, offsetof(struct counters, member) },
	COUNTERS(ROW)
#undef ROW
};

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
