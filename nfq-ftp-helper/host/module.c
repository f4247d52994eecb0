// SPDX-License-Identifier: GPL-2.0-or-later
#include "module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

bool module_is_loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%.80s", name);
	return access(path, F_OK) == 0;
}

bool module_exists(const char *name)
{
	struct utsname kernel;
	char path[256], line[512], file_name[96];
	bool found = false;
	FILE *file;

	if (uname(&kernel) < 0)
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%.100s/modules.dep", kernel.release);
	snprintf(file_name, sizeof(file_name), "/%.80s.ko", name);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, file_name);

		found = at && at < strchrnul(line, ':');
	}
	if (file)
		fclose(file);
	return found;
}

int module_parameter(const char *parameter, long long *value)
{
	char path[128], text[24], *end = text;
	FILE *file;

	snprintf(path, sizeof(path), MODULE_PARAMETERS "/%.40s", parameter);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fgets(text, sizeof(text), file))
		*value = strtoll(text, &end, 10);
	fclose(file);
	return end == text ? -EIO : 0;
}
