// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify.h"

#include "file.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A sign of life is due when a quarter of the time is over; whoever has not worked for half of it gets none. */
#define DUE_PART  4
#define DEAD_PART 2

/* A path, or a name that no file has, behind an @. Return: the address' length; 0: it is none. */
static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
	const size_t length = strlen(name);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, name, length);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
}

static int open_socket(const char *name)
{
	struct sockaddr_un address;
	const socklen_t length = name ? address_of(name, &address) : 0;
	const int file = length ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	if (file < 0 || connect(file, (const struct sockaddr *)&address, length) == 0)
		return file;
	close(file);
	return -1;
}

/* All digits, or 0. */
static unsigned long long number_of(const char *text)
{
	char *end;
	unsigned long long number;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return *end || errno ? 0 : number;
}

void notify_open(struct notify *notify)
{
	const char *whose = getenv("WATCHDOG_PID");

	*notify = (struct notify){ .socket = open_socket(getenv("NOTIFY_SOCKET")) };
	/* What was set for another program, which started this one, is not this one's. */
	if (!whose || number_of(whose) == (unsigned long long)getpid())
		notify->watchdog = number_of(getenv("WATCHDOG_USEC")) / 1000;
}

static void say(const struct notify *notify, const char *text)
{
	if (notify->socket >= 0)
		(void)send(notify->socket, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Whether @status is news. */
static bool keep_status(struct notify *notify, const char *status)
{
	char before[NOTIFY_STATUS_MAX];

	memcpy(before, notify->status, sizeof(before));
	snprintf(notify->status, sizeof(notify->status), "%.*s", (int)strcspn(status, "\n"), status);
	return strcmp(before, notify->status) != 0;
}

void notify_ready(struct notify *notify, const char *status)
{
	char text[NOTIFY_STATUS_MAX + 32];

	(void)keep_status(notify, status);
	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s\n", notify->status);
	say(notify, text);
}

void notify_status(struct notify *notify, uint64_t now, const char *status)
{
	char text[NOTIFY_STATUS_MAX + 32];

	if (now - notify->status_said < NOTIFY_STATUS_PAUSE || !keep_status(notify, status))
		return;
	notify->status_said = now;
	snprintf(text, sizeof(text), "STATUS=%s\n", notify->status);
	say(notify, text);
}

void notify_alive(struct notify *notify, uint64_t now, uint64_t idle)
{
	if (!notify->watchdog || idle > notify->watchdog / DEAD_PART ||
	    now - notify->alive_said < notify->watchdog / DUE_PART)
		return;
	notify->alive_said = now;
	say(notify, "WATCHDOG=1\n");
}

void notify_stopping(struct notify *notify)
{
	say(notify, "STOPPING=1\n");
}

void notify_close(struct notify *notify)
{
	file_close(&notify->socket);
}

bool notify_unit_is_active(const char *directory, const char *unit)
{
	char path[PATH_MAX];
	struct stat status;

	snprintf(path, sizeof(path), "%s/invocation:%s", directory, unit);
	return lstat(path, &status) == 0;
}
