/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user - who the daemon is once it has what it needs root for.
 */
#ifndef ISOLATION_USER_H
#define ISOLATION_USER_H

#include <stdbool.h>
#include <sys/types.h>

#define USER_NAME_MAX 33

/* Who it is to be where nothing is said: the packages make it. */
#define USER_DEFAULT "nfq-ftp"

struct user {
	char name[USER_NAME_MAX]; /* "": it has none */
	bool known;		  /* who it is to be; else it stays who it is */
	uid_t uid;
	gid_t gid;
};

/**
 * user_find - who that is
 * @user: filled in
 * @name: a name, or a number, for a user that has none, whose group then has the same
 *
 * Return: 0; -ENOENT: there is none; -EPERM: @name is root's; or another negative errno.
 */
int user_find(struct user *user, const char *name);

/* Become @user, for good, and with no other group than its own. Capabilities stay, permitted ones. Return: 0, or a negative errno. */
int user_become(const struct user *user);

#endif
