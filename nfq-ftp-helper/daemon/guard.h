/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard - a process that does one thing should the daemon end without a word (kill -9), and then ends as well.
 *
 * It keeps the daemon's netlink sockets open until then, and none of those at which somebody asks the daemon, who would wait. Should it be killed itself, another one takes its place.
 */
#ifndef DAEMON_GUARD_H
#define DAEMON_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct guard {
	/*
	 * What it does; -EUSERS: nothing is to be done. Another negative errno: it is tried again. It runs in a copy of
	 * a process with threads: no memory may be taken in it.
	 */
	int (*act)(void *context);
	void *context;
	int file;	 /* a regular file that is needed for that, and kept open; -1: none */
	pid_t process;	 /* 0: there is none */
	int pipe;	 /* it acts when this closes; -1: it is closed */
	int64_t started; /* milliseconds */
	bool missing_told;
};

/* Begin; @guard's first three members are filled in, the pipe is -1. Return: 0, or a negative errno. */
int guard_start(struct guard *guard);

/*
 * Replace one that is gone. Call it when a SIGCHLD has come, and some times a second besides: one that has only just
 * been started is not replaced at once.
 */
void guard_keep(struct guard *guard);

/* An orderly end: it does nothing. */
void guard_end(struct guard *guard);

#endif
