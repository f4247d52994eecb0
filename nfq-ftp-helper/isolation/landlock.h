/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * landlock - the kernel keeps this process from writing to files but below one directory, and from starting programs.
 */
#ifndef ISOLATION_LANDLOCK_H
#define ISOLATION_LANDLOCK_H

/* The version that this kernel has. Return: 0: it has none, or it is switched off. */
unsigned int landlock_version(void);

/**
 * landlock_enter - for good, for this thread and what comes of it
 * @version: as this kernel has it
 * @directory: an open one; below it files may be made, written, renamed and removed. What is open already stays so
 *
 * no_new_privs must be set.
 *
 * Return: 0, or a negative errno.
 */
int landlock_enter(unsigned int version, int directory);

#endif
