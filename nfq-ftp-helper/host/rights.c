// SPDX-License-Identifier: GPL-2.0-or-later
#include "rights.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool rights_net_admin(void)
{
	return capabilities() >> CAP_NET_ADMIN & 1;
}

bool rights_sys_admin(void)
{
	return capabilities() >> CAP_SYS_ADMIN & 1;
}
