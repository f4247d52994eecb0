/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place - where the socket is: for who answers, and for who asks. Its path may be longer than an address of a socket has room for, so
 * it is reached through its directory. Internal to asking.
 */
#ifndef ASKING_PLACE_H
#define ASKING_PLACE_H

#include <sys/types.h>

struct place {
	int directory;
	int socket;
	dev_t device; /* of its file: another's is not taken away */
	ino_t inode;
};

/**
 * place_open - a socket that listens
 * @place: filled in; release it with place_close()
 * @directory: which is there; its mode and group are changed where a group is named and others may not pass through it, so that the
 *	group's members get at the socket
 * @group: who may ask besides root and whoever it was begun as; "": the group of that one
 *
 * What is wrong is said on standard error, in one sentence. Return: 0, or a negative errno; then nothing is to be released.
 */
int place_open(struct place *place, const char *directory, const char *group);

/* The socket goes. */
void place_close(struct place *place);

/* Return: a socket that is connected, or a negative errno: -ECONNREFUSED: nobody listens; -EAGAIN: somebody does, and takes nobody. */
int place_connect(const char *directory);

#endif
