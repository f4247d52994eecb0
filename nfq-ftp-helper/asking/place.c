// SPDX-License-Identifier: GPL-2.0-or-later
#include "place.h"

#include "asking.h"
#include "daemon/log.h"
#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_MODE    0660
#define DIRECTORY_MODE 0710 /* where a group is named: through to the socket, and nothing else */

/* So long somebody who listens is waited for that has no room: it is stopped, perhaps. */
#define CONNECT_SECONDS 2

/* So long another daemon is waited for that makes its socket in the same directory. */
#define TURN_TRIES 100
#define TURN_WAIT  10000000 /* nanoseconds */

static struct sockaddr_un address_of(int directory)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" ASKING_SOCKET, directory);
	return address;
}

/* Return: a socket that is connected, or a negative errno; -EAGAIN: somebody listens, and does not answer. */
static int connect_at(int directory)
{
	const struct sockaddr_un address = address_of(directory);
	const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (file < 0)
		return -errno;
	if (setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(file, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return file;
	error = -errno;
	close(file);
	return error;
}

/* What has the socket's name is one that a killed daemon has left, or no socket at all. Another daemon's, of other queues, stays. */
static int clear(int directory, const char *path, bool *others)
{
	struct stat status;
	int other;

	if (fstatat(directory, ASKING_SOCKET, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	other = S_ISSOCK(status.st_mode) ? connect_at(directory) : -ECONNREFUSED;
	if (other == -ECONNREFUSED)
		return unlinkat(directory, ASKING_SOCKET, 0) < 0 ? -errno : 0;
	if (other < 0 && other != -EAGAIN)
		return other;
	if (other >= 0)
		close(other);
	*others = true;
	log_why(LOG_LEVEL_WARNING, "asking",
		"another daemon answers questions at `%s/" ASKING_SOCKET "', so this one cannot be asked: give it a "
		"--state-dir of its own",
		path);
	return -EADDRINUSE;
}

/* A directory that anybody may pass through stays as it is: it is another's, /run perhaps, and all the machine's programs need it. */
static int let_through(int directory, gid_t group)
{
	struct stat status;

	if (fstat(directory, &status) < 0)
		return -errno;
	if (status.st_mode & S_IXOTH || (status.st_gid == group && status.st_mode & S_IXGRP))
		return 0;
	return fchown(directory, (uid_t)-1, group) < 0 || fchmod(directory, DIRECTORY_MODE) < 0 ? -errno : 0;
}

/* The socket is somebody's in any case: that it is not this group's is said, and no more. */
static void give_to(const struct place *place, const char *group)
{
	const struct group *found = *group ? getgrnam(group) : NULL;
	int error = 0;

	if (!*group)
		return;
	if (!found) {
		log_why(LOG_LEVEL_WARNING, "asking",
			"there is no group `%s', so nobody but root and the user that this was begun as can "
			"ask: `groupadd --system %s' makes it",
			group, group);
		return;
	}
	if (fchownat(place->directory, ASKING_SOCKET, (uid_t)-1, found->gr_gid, AT_SYMLINK_NOFOLLOW) < 0)
		error = -errno;
	if (!error)
		error = let_through(place->directory, found->gr_gid);
	if (error)
		log_why(LOG_LEVEL_WARNING, "asking",
			"the group `%s' cannot be given the socket, so its members cannot ask: %s; only root, or a user "
			"that is in it, can: in a unit of systemd, SupplementaryGroups=%s",
			group, strerror(-error), group);
}

/* Others that make theirs in the same directory wait meanwhile; but nobody who may read it can keep us from ours for long. */
static void take_turn(int directory)
{
	for (unsigned int tries = 0; tries < TURN_TRIES; tries++) {
		if (flock(directory, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return;
		nanosleep(&(struct timespec){ .tv_nsec = TURN_WAIT }, NULL);
	}
}

/* It listens when others may see it: what does not is taken for one that is left. */
static int listen_at(struct place *place)
{
	const struct sockaddr_un address = address_of(place->directory);
	struct stat status;
	mode_t before;
	int error;

	place->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (place->socket < 0)
		return -errno;
	before = umask(0777 & ~SOCKET_MODE);
	error = bind(place->socket, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(before);
	if (error)
		return error;
	if (listen(place->socket, ASKING_READERS) < 0 ||
	    fstatat(place->directory, ASKING_SOCKET, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	place->device = status.st_dev;
	place->inode = status.st_ino;
	return 0;
}

int place_open(struct place *place, const char *directory, const char *group)
{
	bool others = false;
	int error = 0;

	*place = (struct place){ .directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .socket = -1 };
	if (place->directory < 0)
		error = -errno;
	if (!error) {
		take_turn(place->directory);
		error = clear(place->directory, directory, &others);
	}
	if (!error)
		error = listen_at(place);
	if (!error) {
		give_to(place, group);
		(void)flock(place->directory, LOCK_UN);
		return 0;
	}
	if (!others)
		log_why(LOG_LEVEL_WARNING, "asking",
			"no socket can be made at `%s/" ASKING_SOCKET "', so this program cannot be asked: %s",
			directory, strerror(-error));
	file_close(&place->socket);
	file_close(&place->directory);
	return error;
}

/* What has its name by now may be another's. A guard may have the directory open, too: its lock is not left to the close. */
void place_close(struct place *place)
{
	struct stat status;

	take_turn(place->directory);
	if (fstatat(place->directory, ASKING_SOCKET, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    status.st_dev == place->device && status.st_ino == place->inode)
		(void)unlinkat(place->directory, ASKING_SOCKET, 0);
	(void)flock(place->directory, LOCK_UN);
	file_close(&place->socket);
	file_close(&place->directory);
}

int place_connect(const char *directory)
{
	const int opened = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int file;

	if (opened < 0)
		return -errno;
	file = connect_at(opened);
	close(opened);
	return file;
}
