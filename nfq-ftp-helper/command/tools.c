// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What only reads captures needs libpcap, and that brings in dbus, systemd and more. So it is a program of its own, and the daemon's
 * process has none of these. It stands beside this program, as in the tree where it was built, or else where `make install' puts it;
 * whoever can write to the one place can write to the other.
 */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makefile says where: TOOLS_PROGRAM, all of its path. */
#define TOOLS_NAME "nfq-ftp-helper-tools"

/* The path of the tools in this program's own directory. Return: whether there is room for it. */
static bool beside(char path[PATH_MAX])
{
	const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;
	size_t room;

	if (length <= 0)
		return false;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return false;
	room = (size_t)(path + PATH_MAX - (slash + 1));
	return snprintf(slash + 1, room, "%s", TOOLS_NAME) < (int)room;
}

int command_tools(int argc, char **argv)
{
	char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));
	char name[] = TOOLS_NAME, path[PATH_MAX];

	if (!arguments) {
		fprintf(stderr, "nfq-ftp-helper: no memory to start %s\n", TOOLS_NAME);
		return EXIT_FAILED;
	}
	arguments[0] = name;
	memcpy(arguments + 1, argv, (size_t)argc * sizeof(*argv));
	if (beside(path))
		execv(path, arguments);
	execv(TOOLS_PROGRAM, arguments);
	if (errno == ENOENT)
		fprintf(stderr,
			"nfq-ftp-helper: `%s' is one of the tools, which are not installed: there is no `%s'; install "
			"the package %s\n",
			argv[0], TOOLS_PROGRAM, TOOLS_NAME);
	else
		fprintf(stderr, "nfq-ftp-helper: `%s' cannot be started: %s\n", TOOLS_PROGRAM, strerror(errno));
	free(arguments);
	return EXIT_FAILED;
}
