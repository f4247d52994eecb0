// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

int sysctl_number(const char *name)
{
	char path[128], text[16] = "", *end = text;
	long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/%.100s", name);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof(text), file))
		number = strtol(text, &end, 10);
	if (file)
		fclose(file);
	return end == text || number < 0 || number > INT_MAX ? -1 : (int)number;
}
