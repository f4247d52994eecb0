/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isolation - what the daemon gives up before it sees a packet.
 *
 * Theory of operation. It reads what strangers write, so whoever finds a fault in that reading is to find a process that can do
 * nothing else than its work. It begins as root and gets there by stages:
 *
 *   1. Another process is forked off that may start programs, where the daemon keeps its rules itself (rulekeeper.h). What is written to
 *      the kernel's files, such as its module's parameters, is written.
 *      Another one is that looks whether these, or whoever keeps them, are in place (watch/watcher.h), once it is known where: it has sockets
 *      that this process is not to have.
 *   2. All that takes root's rights is opened: queues, conntrack, tables of sessions, the lock between daemons, what the kernel counts. The
 *      log is standard error.
 * isolation_enter(), while there is one thread still, goes on:
 *   3. A user of its own (user.h): this user's files are the tables, and nothing else on the machine.
 *   4. CAP_NET_ADMIN alone (capabilities.h): permitted and effective; nothing is inheritable, ambient or within bounds.
 *   5. no_new_privs: no program that it might start has more.
 *   6. Landlock (landlock.h), where the kernel has it: nothing is written but below the state directory, nothing is started, no
 *      device is controlled, no TCP connection is made, no other process gets a signal, or is reached by a socket whose name no file has.
 *   7. A list of the system calls that the rest takes (calls.h): any other is the process' end. None sends to whom it names: what is sent goes to the
 *      kernel, to whoever asks, or to whom a socket was connected to in stage 2, such as the one who started the daemon (host/notify.h).
 * Then come the threads, and the guard (daemon/guard.h): they inherit all of it, and so do later guards.
 *
 * Whoever starts it as a user of its own and with CAP_NET_ADMIN alone, as a unit of systemd does, has done stages 3 and 4 already. A
 * stage that cannot be carried out is an error, but for what the machine does not have: a user, Landlock, or seccomp. That is said.
 */
#ifndef ISOLATION_ISOLATION_H
#define ISOLATION_ISOLATION_H

#include "user.h"

#include <stdbool.h>

#define ISOLATION_TEXT_MAX 256

/* What is in force, after isolation_enter(); before, nothing is. */
struct isolation {
	bool entered;
	bool user;	       /* it is not root (any more) */
	unsigned int landlock; /* its version here; 0: this kernel has none, or it is switched off */
	unsigned int calls;    /* so many are on the list; 0: none is, since this kernel or this build cannot */
	const char *missing;   /* why there is no list of calls; NULL: there is one */
};

/**
 * isolation_enter - stages 3 to 7
 * @isolation: filled in, also where it fails: so far it came
 * @user: that it is to be; user.known is false: it stays who it is
 * @directory: where it may write
 * @failed: filled in where it fails: what did, "become user `x'"
 *
 * Return: 0, or a negative errno; -EBUSY: there is more than one thread, which would have kept its rights.
 */
int isolation_enter(struct isolation *isolation, const struct user *user, const char *directory, const char **failed);

/* What is in force, for a line of the log or a status: "user 998 (nfq-ftp), CAP_NET_ADMIN alone, ...". Return: @text. */
const char *isolation_text(const struct isolation *isolation, const struct user *user, char text[ISOLATION_TEXT_MAX]);

#endif
