// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What reads captures needs libpcap, and that brings in dbus, systemd and more; what draws on a terminal needs ncurses. So these are a
 * program of their own, and the daemon's process has none of that. It stands beside this program, as in the tree where it was built, or where `make install' puts it: for
 * /usr/sbin/nfq-ftp-helper that is /usr/libexec. Whoever can write to the one place can write to the other.
 */
#include "command.h"
#include "output/say.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOOLS_NAME "nfq-ftp-helper-tools"

/* Take the last component of a path away. */
static void leave(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/* This program's directory; "" where that cannot be told. */
static void find_directory(char path[PATH_MAX])
{
	const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[length < 0 ? 0 : length] = '\0';
	leave(path);
}

/* Comes back only where neither can be started; errno is the second's then, and @installed its path. */
static void become_tools(char **arguments, char installed[PATH_MAX])
{
	char directory[PATH_MAX], beside[PATH_MAX];

	find_directory(directory);
	if (snprintf(beside, sizeof(beside), "%s/%s", directory, TOOLS_NAME) < (int)sizeof(beside))
		execv(beside, arguments);
	leave(directory);
	if (snprintf(installed, PATH_MAX, "%s/libexec/%s", directory, TOOLS_NAME) < PATH_MAX)
		execv(installed, arguments);
	else
		errno = ENAMETOOLONG;
}

int command_tools(int argc, char **argv)
{
	char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));
	char name[] = TOOLS_NAME, installed[PATH_MAX];

	if (!arguments) {
		say_sentence("no memory to start %s", TOOLS_NAME);
		return EXIT_FAILED;
	}
	arguments[0] = name;
	memcpy(arguments + 1, argv, (size_t)argc * sizeof(*argv));
	become_tools(arguments, installed);
	if (errno == ENOENT)
		say_sentence("`%s' is one of the tools, which are not installed: there is no `%s'; install "
			     "the package %s",
			     argv[0], installed, TOOLS_NAME);
	else
		say_sentence("`%s' cannot be started: %s", installed, strerror(errno));
	free(arguments);
	return EXIT_FAILED;
}
