/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child - how a process begins that is forked off the daemon to do one thing for it, and speaks with it over one socket.
 */
#ifndef ISOLATION_CHILD_H
#define ISOLATION_CHILD_H

#include <sys/types.h>

/**
 * child_start - fork it off
 * @process: filled in
 * @channel: likewise: a socket for datagrams to it
 * @run: what the process does, with its end of that
 * @context: for @run
 *
 * Return: 0, or a negative errno: there is no process, and nothing is filled in.
 */
int child_start(pid_t *process, int *channel, void (*run)(const void *context, int channel), const void *context);

/* Say over its channel that it is to end. Others may have that open, too: guards are forked off later. */
void child_dismiss(int channel);

/*
 * A signal to the daemon's group, such as a terminal's, is for the daemon, who has something to ask for first: none ends this process but
 * SIGKILL. It has another name, and no files but the standard ones, where what is wrong is said, and @channel.
 */
void child_begin(const char *name, int channel);

#endif
