/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attachment - who queues packets for this program: rules, its own conntrack helper, or its kernel module.
 */
#ifndef DAEMON_ATTACHMENT_H
#define DAEMON_ATTACHMENT_H

#include "guard.h"
#include "kernel/exchange.h"
#include "options.h"

/* Of the module's parameters, those that change while it runs. */
#define ATTACHMENT_PARAMETERS 6

struct attachment {
	const struct options *options;
	bool registered;    /* our helper queues packets */
	struct guard guard; /* mode cthelper: disables the helper */
	int users;	    /* a file: who uses the helper holds a lock on it */
	struct attachment_module {
		int parameters[ATTACHMENT_PARAMETERS]; /* module_open_parameter()'s */
		uint64_t asked; /* milliseconds: when it was last asked to leave all to user space; 0: it need not */
		bool complained;
	} module; /* mode kmod: what the module deals with by itself, and when not */
	struct exchange exchange;
};

/**
 * attachment_open - can it be of this mode?
 * @attachment: filled in
 * @options: with a mode; the queues are filled in where the module has them; must stay
 *
 * What is wrong is said on standard error, in one sentence; so it is below.
 *
 * Return: 0, or a negative errno; attachment_close() is due in any case.
 */
int attachment_open(struct attachment *attachment, struct options *options);

/**
 * attachment_join - agree with the daemons of other network namespaces, whose helper it is, too
 * @attachment: as opened
 *
 * Call it when the queues are bound: that is how long a guard of the last daemon is waited for. It opens a file of the daemon's user.
 *
 * Return: 0, or a negative errno.
 */
int attachment_join(struct attachment *attachment);

/**
 * attachment_begin - let packets come
 * @attachment: as joined
 *
 * Call it before there are workers.
 *
 * Return: 0, or a negative errno.
 */
int attachment_begin(struct attachment *attachment);

/* As guard_keep(). */
void attachment_keep(struct attachment *attachment);

/* Settings have changed: mode kmod's module goes by them, too. */
void attachment_tell(const struct attachment *attachment);

/**
 * attachment_see - who is to see what?
 * @attachment: as opened
 * @now: milliseconds
 * @followed: somebody follows what the daemon does; or its log is to tell it
 *
 * What the module deals with by itself is seen by nobody. So it leaves all to user space as long as this is called, every second or more
 * often, while somebody wants to see it.
 */
void attachment_see(struct attachment *attachment, uint64_t now, bool followed);

/* No more packets, but what waits: the kernel goes on without us. Call it while the queues are still served. */
void attachment_end(struct attachment *attachment);

void attachment_close(struct attachment *attachment);

#endif
