// SPDX-License-Identifier: GPL-2.0-or-later
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int child_start(struct child *child, void (*run)(const void *context, int channel), const void *context)
{
	int ends[2], error;
	pid_t forked;

	*child = CHILD_NONE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	forked = fork();
	error = -errno;
	close(ends[forked != 0]);
	if (forked == 0) {
		run(context, ends[1]);
		_exit(0);
	}
	if (forked < 0) {
		close(ends[0]);
		return error;
	}
	*child = (struct child){ .process = forked, .channel = ends[0] };
	return 0;
}

void child_end(struct child *child)
{
	if (child->channel >= 0) {
		(void)shutdown(child->channel, SHUT_RDWR);
		close(child->channel);
		waitpid(child->process, NULL, 0);
	}
	*child = CHILD_NONE;
}

static void close_others(int channel)
{
	if (channel > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)channel - 1, 0);
	close_range((unsigned int)channel + 1, ~0u, 0);
}

void child_begin(const char *name, int channel)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, name);
	close_others(channel);
}
