/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program - nft, iptables-restore and their like, run directly and not through a shell.
 */
#ifndef HOST_PROGRAM_H
#define HOST_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define PROGRAM_COMPLAINT_MAX 256

/**
 * program_run - run a program to its end
 * @argv: name and arguments, ended by NULL. The name is looked for in the system's
 *	own directories, whatever PATH says
 * @input: its standard input; NULL: nothing
 * @output: NULL, or filled in on success with what it wrote, ended by NUL: free() it
 * @complaint: NULL, or PROGRAM_COMPLAINT_MAX bytes, filled in on failure with what it said, as one line
 *
 * Return: 0; -ENOENT: there is no such program; -EREMOTEIO: it failed; another negative errno.
 */
int program_run(const char *const argv[], const char *input, char **output, char *complaint);

/* Is there such a program, which can tell its version? */
bool program_exists(const char *name);

#endif
