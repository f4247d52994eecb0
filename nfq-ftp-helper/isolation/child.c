// SPDX-License-Identifier: GPL-2.0-or-later
#include "child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

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
