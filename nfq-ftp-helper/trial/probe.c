// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include "host/program.h"

#include <stdio.h>
#include <string.h>

void probe_set(struct probes *probes, enum probe probe, bool yes, const char *why)
{
	struct probe_result *result = &probes->result[probe];

	result->outcome = yes ? PROBE_YES : PROBE_NO;
	snprintf(result->why, sizeof(result->why), "%s", yes ? "" : why);
}

void probe_skip(struct probes *probes, unsigned int skipped, const char *why)
{
	for (unsigned int i = 0; i < PROBES; i++) {
		if (skipped >> i & 1)
			snprintf(probes->result[i].why, sizeof(probes->result[i].why), "%s", why);
	}
}

bool probe_can(const struct probes *probes, enum probe probe)
{
	return probes->result[probe].outcome == PROBE_YES;
}

int probe_rules(const char *program, const char *rules, const char *carrier, char *complaint)
{
	const char *const nft[] = { "nft", "-f", "-", NULL }, *const restore[] = { program, "--noflush", NULL };
	const char *percent = strstr(rules, "%s");
	char text[640];

	if (percent)
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(percent - rules), rules, carrier, percent + 2);
	else
		snprintf(text, sizeof(text), "%s", rules);
	return program_run(strcmp(program, "nft") == 0 ? nft : restore, text, NULL, complaint);
}
