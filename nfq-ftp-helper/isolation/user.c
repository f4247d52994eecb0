// SPDX-License-Identifier: GPL-2.0-or-later
#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The largest stands for "no user". */
#define NUMBER_MAX 0xfffffffeul

static bool read_number(const char *name, uid_t *number)
{
	char *end;
	unsigned long value;

	if (name[0] < '0' || name[0] > '9')
		return false;
	errno = 0;
	value = strtoul(name, &end, 10);
	*number = (uid_t)value;
	return !*end && !errno && value <= NUMBER_MAX;
}

int user_find(struct user *user, const char *name)
{
	const struct passwd *entry;
	uid_t number;

	*user = (struct user){ 0 };
	errno = 0;
	entry = read_number(name, &number) ? getpwuid(number) : getpwnam(name);
	if (entry) {
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
		snprintf(user->name, sizeof(user->name), "%.32s", entry->pw_name);
	} else if (read_number(name, &number)) {
		user->uid = number;
		user->gid = number;
	} else {
		return errno && errno != ESRCH && errno != EPERM ? -errno : -ENOENT;
	}
	user->known = user->uid != 0;
	return user->known ? 0 : -EPERM;
}

int user_become(const struct user *user)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(user->gid, user->gid, user->gid) < 0 || setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? -errno : 0;
}
