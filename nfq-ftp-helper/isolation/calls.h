/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls - the system calls that the daemon makes once it runs; any other ends the process.
 */
#ifndef ISOLATION_CALLS_H
#define ISOLATION_CALLS_H

/**
 * calls_enter - from here on, for good, for this process and its children
 * @count: filled in: so many are on the list
 *
 * Return: 0; -ENOTSUP: this kernel, or this build, has no such thing; or another negative errno.
 */
int calls_enter(unsigned int *count);

/* Why this build has no such list; NULL: it has. */
const char *calls_missing(void);

#endif
