// SPDX-License-Identifier: GPL-2.0-or-later
#include "place.h"

#include "asking.h"
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_MODE    0660
#define DIRECTORY_MODE 0710 /* where a group is named: through to the socket, and nothing else */

static struct sockaddr_un address_of(int directory)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" ASKING_SOCKET, directory);
	return address;
}

static int connect_at(int directory)
{
	const struct sockaddr_un address = address_of(directory);
	const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (file < 0)
		return -errno;
	if (connect(file, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return file;
	error = -errno;
	close(file);
	return error;
}

/* One that a killed daemon has left. Another daemon's, of other queues in the same directory, stays. */
static int clear(int directory, const char *path)
{
	const int other = connect_at(directory);

	if (other < 0)
		return other == -ECONNREFUSED && unlinkat(directory, ASKING_SOCKET, 0) < 0 ? -errno : 0;
	close(other);
	log_why(LOG_LEVEL_WARNING, "asking",
		"another daemon answers questions at `%s/" ASKING_SOCKET "', so this one cannot be asked: give it a "
		"--state-dir of its own",
		path);
	return -EADDRINUSE;
}

static int give_to(const struct place *place, const char *group)
{
	const struct group *found = *group ? getgrnam(group) : NULL;

	if (!*group)
		return 0;
	if (!found) {
		log_why(LOG_LEVEL_WARNING, "asking",
			"there is no group `%s', so nobody but root and this program's user can "
			"ask: `groupadd --system %s' makes it",
			group, group);
		return 0;
	}
	if (fchownat(place->directory, ASKING_SOCKET, (uid_t)-1, found->gr_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchownat(place->directory, ".", (uid_t)-1, found->gr_gid, 0) < 0 ||
	    fchmodat(place->directory, ".", DIRECTORY_MODE, 0) < 0)
		return -errno;
	return 0;
}

static int listen_at(struct place *place, const char *group)
{
	const struct sockaddr_un address = address_of(place->directory);
	mode_t before;
	int error;

	place->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (place->socket < 0)
		return -errno;
	before = umask(0777 & ~SOCKET_MODE);
	error = bind(place->socket, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(before);
	if (!error)
		error = give_to(place, group);
	return !error && listen(place->socket, ASKING_READERS) < 0 ? -errno : error;
}

static void close_both(struct place *place)
{
	if (place->socket >= 0)
		close(place->socket);
	if (place->directory >= 0)
		close(place->directory);
}

int place_open(struct place *place, const char *directory, const char *group)
{
	int error = 0;

	*place = (struct place){ .directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), .socket = -1 };
	if (place->directory < 0)
		error = -errno;
	if (!error)
		error = clear(place->directory, directory);
	if (!error)
		error = listen_at(place, group);
	if (error && error != -EADDRINUSE)
		log_why(LOG_LEVEL_WARNING, "asking",
			"no socket can be made at `%s/" ASKING_SOCKET "', so this program cannot be asked: %s",
			directory, strerror(-error));
	if (error)
		close_both(place);
	return error;
}

void place_close(struct place *place)
{
	(void)unlinkat(place->directory, ASKING_SOCKET, 0);
	close_both(place);
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
