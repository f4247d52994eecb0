/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * statefile - memory that outlives the program: a file in a tmpfs, mapped, for one user at a time.
 *
 * Theory of operation. What the last user left is read into memory of our own, and a new file takes its place in one step, when
 * it has been filled from there: a kill at any moment leaves one of the two, whole. So what was left may be of any size and have
 * holes; and since it is not mapped, nobody can change it under our eyes. The new file has all its memory from the beginning: a
 * full tmpfs is an error then, not a SIGBUS later.
 *
 * Neither is believed who may not be: the directory and all files in it must belong to root or to this program's user, and nobody else
 * may be able to write to them; a symbolic link is not followed. Who holds NAME.lock is the one user. (Versions that had no such
 * file locked the file itself; so do we, for them.)
 */
#ifndef DAEMON_STATEFILE_H
#define DAEMON_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>

#define STATEFILE_NAME_MAX 32
#define STATEFILE_WHY_MAX  128

struct statefile {
	char name[STATEFILE_NAME_MAX];
	int directory;
	int lock;
	int fd;	      /* the new one */
	int left_fd;  /* what was there before; holds its lock */
	void *memory; /* the new one's, zeroed */
	size_t size;
	void *left; /* a copy of what was there before; NULL: nothing, or nothing to be believed */
	size_t left_bytes;
	char why[STATEFILE_WHY_MAX]; /* "is a symbolic link": why it is not to be believed, or what is wrong at all; else "" */
};

/**
 * statefile_open - take a file, and read what is in it
 * @file: filled in; @file->why says what is wrong with the file itself, or, when this fails for that, with @directory
 * @directory: made if it is missing
 * @name: the file's
 * @size: of the new one
 *
 * The new file has no name until statefile_replace().
 *
 * Return: 0; -EWOULDBLOCK: another program uses it; -EPERM: @directory is not to be trusted; or another negative errno.
 */
int statefile_open(struct statefile *file, const char *directory, const char *name, size_t size);

/**
 * statefile_replace - the new file takes the old one's place
 * @file: from statefile_open()
 * @set_aside: keep the old one under NAME.bad
 *
 * Return: 0, or a negative errno.
 */
int statefile_replace(struct statefile *file, bool set_aside);

/* The file stays. */
void statefile_close(struct statefile *file);

#endif
