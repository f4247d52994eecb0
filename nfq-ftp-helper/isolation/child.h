/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child - how a process begins that is forked off the daemon to do one thing for it, and speaks with it over one socket.
 */
#ifndef ISOLATION_CHILD_H
#define ISOLATION_CHILD_H

#include <sys/types.h>

/* Return: in the daemon the process, in the process 0, with a socket for datagrams to the other in @channel; or -errno, and neither is there. */
pid_t child_fork(int *channel);

/*
 * A signal to the daemon's group, such as a terminal's, is for the daemon, who has something to ask for first: none ends this process but
 * SIGKILL. It has another name, and no files but the standard ones, where what is wrong is said, and @channel.
 */
void child_begin(const char *name, int channel);

#endif
