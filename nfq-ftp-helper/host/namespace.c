// SPDX-License-Identifier: GPL-2.0-or-later
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first user namespace's, on every machine (the kernel's PROC_USER_INIT_INO). */
#define FIRST_USER_INODE 0xeffffffdu

bool namespace_user_is_first(void)
{
	struct stat status;

	/* A kernel without such namespaces has no such file. */
	return stat("/proc/self/ns/user", &status) < 0 || status.st_ino == FIRST_USER_INODE;
}

/* The user namespace that the network namespace belongs to. Return: a file; -1: it cannot be told, or is above ours. */
static int open_owner(void)
{
	const int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int owner;

	if (net < 0)
		return -1;
	owner = ioctl(net, NS_GET_USERNS);
	close(net);
	return owner;
}

bool namespace_net_is_first_users(void)
{
	const int owner = open_owner();
	struct stat status;
	bool is_first;

	if (owner < 0)
		return true;
	is_first = fstat(owner, &status) < 0 || status.st_ino == FIRST_USER_INODE;
	close(owner);
	return is_first;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return;
	fputs(text, file);
	(void)fclose(file);
}

/* With a user namespace of its own, in which this user is root: nobody's leave is needed for that. */
static int enter_both(void)
{
	const unsigned int user = geteuid(), group = getegid();
	char map[32];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1\n", user);
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1\n", group);
	write_file("/proc/self/gid_map", map);
	return 0;
}

int namespace_enter_net(bool *alike)
{
	const int owner = open_owner();
	const bool of_first = namespace_net_is_first_users();
	int error;

	/* Who looks from outside at a container's network, and is not root there unless he becomes it. */
	if (owner >= 0 && setns(owner, CLONE_NEWUSER) == 0 && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)) {
		error = -errno;
		close(owner);
		return error;
	}
	if (owner >= 0)
		close(owner);
	*alike = true;
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	*alike = !of_first;
	return enter_both();
}
