// SPDX-License-Identifier: GPL-2.0-or-later
#include "rights.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILTERED 2 /* what Seccomp: says where there is a filter */

static bool read_number(const char *line, const char *key, int base, unsigned long long *value)
{
	const size_t length = strlen(key);

	if (strncmp(line, key, length) != 0)
		return false;
	*value = strtoull(line + length, NULL, base);
	return true;
}

/* The real user stands before the effective one. */
static uid_t effective_user(const char *numbers)
{
	char *end;

	(void)strtoul(numbers, &end, 10);
	return (uid_t)strtoul(end, NULL, 10);
}

static void read_line(const char *line, struct rights *rights)
{
	unsigned long long value;

	if (strncmp(line, "Uid:", 4) == 0)
		rights->user = effective_user(line + 4);
	else if (read_number(line, "CapEff:", 16, &value))
		rights->capabilities = value;
	else if (read_number(line, "NoNewPrivs:", 10, &value))
		rights->no_new_privs = value == 1;
	else if (read_number(line, "Seccomp:", 10, &value))
		rights->filtered = value == FILTERED;
	else if (read_number(line, "Threads:", 10, &value))
		rights->threads = (unsigned int)value;
}

int rights_of(pid_t process, struct rights *rights)
{
	char path[64], line[256];
	FILE *file;

	*rights = (struct rights){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/status", (int)process);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		read_line(line, rights);
	fclose(file);
	return 0;
}

bool rights_have(unsigned int capability)
{
	struct rights rights;

	return rights_of(getpid(), &rights) == 0 && (rights.capabilities >> capability & 1);
}
