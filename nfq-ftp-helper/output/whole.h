/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * whole - a file that a user has named for what comes out: what it held stays until the new content is there, whole.
 *
 * It is written beside, without a name where the file system can, and takes the name at the end; a symbolic link stays one, and so do owner
 * and rights. What is no regular file (a device, a pipe) is written as it is, as it comes, and never replaced. A file that could not be replaced by its like (of several names, mounted there, of another user, with a list of rights, in a
 * folder where no other can be made) is filled at the end, once there is room for all of it. What is open in this process already (/dev/stdout) is gone
 * on with where that is. Whoever is ended, by whatever, leaves nothing beside it where it has no name; else whoever is by a
 * signal that he has not taken, but SIGQUIT and SIGKILL. One at a time.
 */
#ifndef OUTPUT_WHOLE_H
#define OUTPUT_WHOLE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

struct whole {
	FILE *file;		       /* to be written; whoever has closed it makes it NULL */
	char place[PATH_MAX];	       /* which name it takes; "": it has its name */
	char temporary[PATH_MAX + 32]; /* what it is called until then; "": nothing yet */
	int unnamed; /* that file, or what fills the other; -1: it has had a name from the beginning */
	bool fills;  /* none can take the place of the file that is there: it is filled with that in the end */
	int target;  /* that one */
};

/* Return: 0, or a negative errno: it cannot be written. */
int whole_begin(struct whole *whole, const char *path);

/* Likewise; but whatever has the name then, another user's file or a link perhaps, is never opened, and gives way to a new file. */
int whole_begin_anew(struct whole *whole, const char *path);

/* It takes its name before its end: of what is of use line by line. Return: 0, or a negative errno: then it has it not, and goes with whole_end(). */
int whole_take_place(struct whole *whole);

/**
 * whole_end - it is closed
 * @whole: from whole_begin()
 * @keep: is it whole? Else it is removed, and the one that was there stays
 *
 * Return: 0, or a negative errno: it could not be written to its end, and the one that was there stays.
 */
int whole_end(struct whole *whole, bool keep);

#endif
