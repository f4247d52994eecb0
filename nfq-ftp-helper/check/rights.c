// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPABILITY_NET_ADMIN 12
#define CAPABILITY_SYS_ADMIN 21

/* The effective capabilities, a bit each; 0 where they cannot be read. */
static unsigned long long capabilities(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long set = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "CapEff:", 7) == 0)
			set = strtoull(line + 7, NULL, 16);
	}
	fclose(file);
	return set;
}

bool check_has_rights(void)
{
	return capabilities() >> CAPABILITY_NET_ADMIN & 1;
}

void check_rights(struct check_report *report)
{
	const unsigned long long set = capabilities();

	if (set >> CAPABILITY_NET_ADMIN & 1)
		check_add(report, "this process", "CAP_NET_ADMIN", CHECK_YES,
			  "rules, queues and conntrack can be reached");
	else
		check_mend(
			check_add(report, "this process", "CAP_NET_ADMIN", CHECK_NO,
				  "without the capability CAP_NET_ADMIN neither rules nor queues nor conntrack can be "
				  "reached, so nothing else can be known"),
			CAUSE_RIGHTS, "sudo nfq-ftp-helper check");
	if (!(set >> CAPABILITY_SYS_ADMIN & 1))
		check_mend(check_add(report, "this process", "CAP_SYS_ADMIN", CHECK_NO,
				     "without it there is no network namespace to try the kernel in"),
			   CAUSE_NONE, "sudo nfq-ftp-helper check");
}
