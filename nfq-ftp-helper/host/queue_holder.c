// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/net/netfilter/nfnetlink_queue names a queue's netlink port, /proc/net/netlink the socket that has this port,
 * and some process' /proc/PID/fd has a link to that socket.
 */
#include "queue_holder.h"

#include "kernel/nfqueue_stat.h"

#include <ctype.h>
#include <dirent.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Columns of netlink. */
enum { SOCKET_PROTOCOL = 1, SOCKET_PORT = 2, SOCKET_INODE = 9 };

/* A number in a table of such, the first column being 0. Return: it, 0 where there is none. */
static unsigned long column(const char *line, unsigned int index)
{
	line += strspn(line, " ");
	while (index-- > 0) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return strtoul(line, NULL, 10);
}

/* Return: the netlink port that has this queue; 0: nobody has. */
static unsigned long queue_port(uint16_t number, struct queue_holder *holder)
{
	struct nfqueue_stat stat = { 0 };
	const int file = nfqueue_stat_open();

	if (file < 0)
		return 0;
	if (nfqueue_stat_read(file, number, &stat) == 0)
		holder->dropped = (unsigned long)stat.full + stat.unsent;
	close(file);
	return stat.port;
}

/* Return: the inode of the netfilter socket with this port; 0: there is none. */
static unsigned long socket_inode(unsigned long port)
{
	FILE *file = fopen("/proc/net/netlink", "re");
	unsigned long found = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (column(line, SOCKET_PROTOCOL) == NETLINK_NETFILTER && column(line, SOCKET_PORT) == port)
			found = column(line, SOCKET_INODE);
	}
	if (file)
		fclose(file);
	return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
	char path[64], link[64], wanted[64];
	const struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	directory = opendir(path);
	while (directory && !found && (entry = readdir(directory))) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);

		if (length > 0) {
			link[length] = '\0';
			found = strcmp(link, wanted) == 0;
		}
	}
	if (directory)
		closedir(directory);
	return found;
}

static void name_holder(const char *pid, struct queue_holder *holder)
{
	char path[64], name[QUEUE_HOLDER_MAX] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
	snprintf(holder->program, sizeof(holder->program), "%s", name);
	holder->pid = (int)strtol(pid, NULL, 10);
	holder->ours = strcmp(name, QUEUE_HOLDER_DAEMON) == 0 || strcmp(name, QUEUE_HOLDER_GUARD) == 0;
}

void queue_holder_look(uint16_t number, struct queue_holder *holder)
{
	const struct dirent *entry;
	unsigned long port, inode;
	DIR *processes;

	*holder = (struct queue_holder){ 0 };
	port = queue_port(number, holder);
	holder->bound = port != 0;
	inode = port ? socket_inode(port) : 0;
	processes = inode ? opendir("/proc") : NULL;
	while (processes && !holder->program[0] && (entry = readdir(processes))) {
		if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, inode))
			name_holder(entry->d_name, holder);
	}
	if (processes)
		closedir(processes);
}
