/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * statefile - memory that outlives the program: a file in a tmpfs, mapped, for one user at a time.
 *
 * Theory of operation. What the last user left is read into memory of our own, and a new file takes its place in one step, when
 * it has been filled from there: a kill at any moment leaves one of the two, whole. So what was left may be of any size and have
 * holes; and since it is not mapped, nobody can change it under our eyes. The new file has all its memory from the beginning: a
 * full tmpfs is an error then, not a SIGBUS later.
 *
 * Neither is believed who may not be: the directory and all files in it must belong to root, to this program's user or to the one that the
 * daemon becomes, and nobody else may be able to write to them; a symbolic link is not followed. Files that root makes are given to that
 * user, as is a directory that is made: the next daemon may not begin as root. Who holds NAME.lock is the one user. (Versions that had no such
 * file locked the file itself; so do we, for them.)
 *
 * In NAME.lock is what its user notes. A file that nobody uses any more may be removed, under its lock, and that with it: who gets a lock that has no
 * name any more takes another.
 *
 * What stands in the way, a directory where a file is to be, is set aside as well. Only the lock's place is not cleared: who
 * moved another's lock away would be a second user.
 */
#ifndef DAEMON_STATEFILE_H
#define DAEMON_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STATEFILE_NAME_MAX  32
#define STATEFILE_ASIDE_MAX (STATEFILE_NAME_MAX + 8)
#define STATEFILE_WHY_MAX   128
#define STATEFILE_NOTE_MAX  32

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
	char aside[STATEFILE_ASIDE_MAX]; /* what the old one was set aside as */
	/* What stood in the new one's place, NAME.new, was set aside as this; "": nothing did. */
	char obstacle[STATEFILE_ASIDE_MAX];
	char mend[24];		     /* the command that makes it so, but for its path; "": there is none */
	char why[STATEFILE_WHY_MAX]; /* "is a symbolic link": why it is not to be believed, or what is wrong at all; else "" */
};

/* Whose files they are, for a program that begins as root and goes on as this user. To be called before there are any. */
void statefile_set_owner(uid_t user, gid_t group);

/**
 * statefile_open_lock - a file for flock(), in common with other daemons
 * @directory: made if it is missing
 * @name: the file's
 * @why: filled in where this fails: what is wrong with @directory, or ""
 *
 * Return: the file, or a negative errno.
 */
int statefile_open_lock(const char *directory, const char *name, char why[STATEFILE_WHY_MAX]);

/**
 * statefile_open - take a file, and read what is in it
 * @file: filled in; @file->why says what is wrong with the file itself, or, when this fails for that, with @directory
 * @directory: made if it is missing
 * @name: the file's
 * @size: of the new one
 *
 * The new file has no name until statefile_replace().
 *
 * A user that is about to end is waited for, a second long.
 *
 * Return: 0; -EWOULDBLOCK: another program uses it; -EPERM: @directory, or what is in it, is not as it must be; or another negative
 * errno.
 */
int statefile_open(struct statefile *file, const char *directory, const char *name, size_t size);

/**
 * statefile_replace - the new file takes the old one's place
 * @file: from statefile_open()
 * @keep: set the old one aside, as NAME.bad, instead of an earlier one; where that cannot be replaced, as NAME.bad2 and so on to NAME.bad9
 *
 * Return: 0, or a negative errno.
 */
int statefile_replace(struct statefile *file, bool keep);

/* The file stays. */
void statefile_close(struct statefile *file);

/* Leave a note beside it, for whoever finds it when nobody uses it any more; shorter than STATEFILE_NOTE_MAX. */
void statefile_note(const struct statefile *file, const char *note);

/**
 * statefile_find_unused - is there such a file, and nobody uses it?
 * @file: filled in; statefile_close() is due in any case. Until then nobody else takes it
 * @directory: that must be there
 * @name: the file's
 * @note: filled in with what its last user has left, or ""
 *
 * Return: whether it is so.
 */
bool statefile_find_unused(struct statefile *file, const char *directory, const char *name,
			   char note[STATEFILE_NOTE_MAX]);

/* Remove it, and its lock. What was set aside stays. Return: 0, or a negative errno. */
int statefile_remove(const struct statefile *file);

#endif
