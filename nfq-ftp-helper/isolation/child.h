/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child - how a process begins that is forked off the daemon to do one thing for it, and speaks with it over one socket.
 */
#ifndef ISOLATION_CHILD_H
#define ISOLATION_CHILD_H

#include <sys/types.h>

/* There is none: the process is 0. Of one thread. */
struct child {
	pid_t process;
	int channel; /* a socket for datagrams to it; -1: none */
};

#define CHILD_NONE ((struct child){ .channel = -1 })

/**
 * child_start - fork it off
 * @child: filled in
 * @run: what the process does, with its end of the channel
 * @context: for @run
 *
 * Return: 0, or a negative errno: there is no process.
 */
int child_start(struct child *child, void (*run)(const void *context, int channel), const void *context);

/*
 * It is told over its channel to end, which others may have open, too: guards are forked off later; and is waited for, but where it has no channel any
 * more: then it may be stuck for ever.
 */
void child_end(struct child *child);

/*
 * A signal to the daemon's group, such as a terminal's, is for the daemon, who has something to ask for first: none ends this process but
 * SIGKILL. It has another name, and no files but the standard ones, where what is wrong is said, and @channel.
 */
void child_begin(const char *name, int channel);

#endif
