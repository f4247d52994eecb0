/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * statefile - memory that outlives the program: a file in a tmpfs, mapped, for one user at a time.
 */
#ifndef COMMAND_STATEFILE_H
#define COMMAND_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>

struct statefile {
	int fd;			/* holds the lock */
	void *memory;
	size_t size;
	bool old;		/* it was there before, with this size */
	bool resized;		/* it was there before, with another size, and has been emptied */
};

/**
 * statefile_open - map a file, made if it is missing
 * @file: filled in
 * @path: its name; its directory must exist
 * @size: bytes. A file of another size is emptied first
 *
 * All its memory is taken at once: a full tmpfs is an error here, not a SIGBUS later.
 *
 * Return: 0; -EWOULDBLOCK: another program uses it; or another negative errno.
 */
int statefile_open(struct statefile *file, const char *path, size_t size);

/* Fill it with zeroes. Return: 0, or a negative errno. */
int statefile_clear(struct statefile *file);

/* The file stays. */
void statefile_close(struct statefile *file);

#endif
