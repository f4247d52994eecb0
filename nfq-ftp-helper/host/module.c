// SPDX-License-Identifier: GPL-2.0-or-later
#include "module.h"

#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

bool module_is_loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), MODULE_DIRECTORY "%.80s", name);
	return access(path, F_OK) == 0;
}

/* Is there such a module for the running kernel, which could be loaded? */
static bool is_built(const char *name)
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

/* The oldest that its source is for: dkms.conf says it, too. */
#define OLDEST_MAJOR 6u
#define OLDEST_MINOR 1u

static bool is_supported(const char *release)
{
	char *end;
	const unsigned long major = strtoul(release, &end, 10), minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= OLDEST_MINOR);
}

/* What makes a container leaves one of these in it. */
static bool in_container(void)
{
	static const char *const signs[] = { "/run/systemd/container", "/run/.containerenv", "/.dockerenv",
					     "/run/host/container-manager" };

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (access(signs[i], F_OK) == 0)
			return true;
	}
	return !namespace_user_is_first();
}

static struct module_means look_at_means(const char *name)
{
	struct module_means means = { 0 };
	struct utsname kernel = { 0 };
	char path[160];

	(void)uname(&kernel);
	snprintf(means.release, sizeof(means.release), "%.64s", kernel.release);
	snprintf(path, sizeof(path), "/lib/modules/%.64s/build/Makefile", kernel.release);
	means.kernel_takes = access("/proc/modules", F_OK) == 0;
	means.container = in_container();
	means.exists = is_built(name);
	means.ours = strcmp(name, MODULE_NAME) == 0;
	means.supported = is_supported(kernel.release);
	means.headers = access(path, R_OK) == 0;
	return means;
}

const char *module_way_of(const char *name, const struct module_means *means, char text[MODULE_WAY_MAX])
{
	if (!means->kernel_takes)
		snprintf(text, MODULE_WAY_MAX, "this kernel takes no modules (CONFIG_MODULES)");
	else if (means->ours && !means->exists && !means->supported)
		snprintf(text, MODULE_WAY_MAX, "it cannot be built for Linux %s: from %u.%u on it can", means->release,
			 OLDEST_MAJOR, OLDEST_MINOR);
	else if (means->container)
		snprintf(text, MODULE_WAY_MAX, "modprobe %s, on the host of this container", name);
	else if (means->exists)
		snprintf(text, MODULE_WAY_MAX, "modprobe %s", name);
	else if (!means->ours)
		snprintf(text, MODULE_WAY_MAX, "there is no module %s for Linux %s", name, means->release);
	else if (means->headers)
		snprintf(text, MODULE_WAY_MAX, "make kmod KDIR=/lib/modules/%s/build, and load it", means->release);
	else
		snprintf(text, MODULE_WAY_MAX, "install linux-headers-%s, then make kmod, and load it", means->release);
	return text;
}

const char *module_way(const char *name, char text[MODULE_WAY_MAX])
{
	const struct module_means means = look_at_means(name);

	return module_way_of(name, &means, text);
}

bool module_could_be_loaded(const char *name)
{
	const struct module_means means = look_at_means(name);

	return means.kernel_takes && (means.exists || means.container) && !module_is_loaded(name);
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

/* Half: it shares its part out by the rule of all shares, as this program the rest, and so together they never give away all of it. */
uint32_t module_expectations(uint32_t allowed)
{
	long long most;

	return module_parameter("most", &most) == 0 ? allowed / 2 : 0;
}

int module_open_parameter(const char *parameter)
{
	char path[128];
	int file;

	snprintf(path, sizeof(path), MODULE_PARAMETERS "/%.40s", parameter);
	file = open(path, O_WRONLY | O_CLOEXEC);
	return file < 0 ? -errno : file;
}

/* What is written is taken as a whole, wherever in the file. */
int module_write_parameter(int file, long long value)
{
	char text[24];
	const int length = snprintf(text, sizeof(text), "%lld\n", value);

	if (file < 0)
		return file;
	return write(file, text, (size_t)length) < 0 ? -errno : 0;
}

int module_counters_open(void)
{
	const int file = open(MODULE_PARAMETERS "/counters", O_RDONLY | O_CLOEXEC);

	return file < 0 ? -errno : file;
}

int module_counters_read(int file, char text[MODULE_COUNTERS_MAX])
{
	const ssize_t length = file < 0 ? file : pread(file, text, MODULE_COUNTERS_MAX - 1, 0);

	if (length < 0)
		return file < 0 ? file : -errno;
	text[length] = '\0';
	return 0;
}

bool module_counter(const char *text, const char *name, uint64_t *value)
{
	const size_t length = strlen(name);

	while (text) {
		char *end;

		if (strncmp(text, name, length) == 0 && text[length] == ' ') {
			*value = strtoull(text + length + 1, &end, 10);
			return end > text + length + 1 && *end == '\n';
		}
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return false;
}
