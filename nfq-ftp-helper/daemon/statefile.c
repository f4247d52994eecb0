// SPDX-License-Identifier: GPL-2.0-or-later
#include "statefile.h"

#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* More than the largest table: 2^24 sessions. */
#define LEFT_MAX ((off_t)8 << 30)

/* NAME.bad, and up to NAME.bad9. */
#define ASIDE_MAX 9

/* So long a lock is waited for: a user that has just been killed holds it until it has ended. */
#define LOCK_TRIES 100
#define LOCK_WAIT  10000000 /* nanoseconds */

#define FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

#define NO_USER UINT32_MAX /* what chown() takes for nobody, a uid_t of -1 */

static struct {
	uid_t user; /* NO_USER: whoever makes a file has it */
	gid_t group;
} owner = { .user = NO_USER };

void statefile_set_owner(uid_t user, gid_t group)
{
	owner.user = user;
	owner.group = group;
}

/*
 * What is root's becomes the daemon's user's; but not a file that has another name besides: who has the directory may have linked one of
 * root's here.
 */
static int give(int fd)
{
	struct stat status;

	if (owner.user == NO_USER || geteuid() != 0)
		return 0;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (S_ISREG(status.st_mode) && status.st_nlink > 1)
		return -EMLINK;
	return status.st_uid == 0 && fchown(fd, owner.user, owner.group) < 0 ? -errno : 0;
}

/* The file's name with an ending. */
static const char *with(const struct statefile *file, const char *ending, char name[STATEFILE_NAME_MAX + 8])
{
	snprintf(name, STATEFILE_NAME_MAX + 8, "%s%s", file->name, ending);
	return name;
}

/* May its content be believed? If not, file->why says why, and file->mend what would make it so. */
static bool trusted(struct statefile *file, const struct stat *status)
{
	if (status->st_uid != 0 && status->st_uid != geteuid() && status->st_uid != owner.user) {
		snprintf(file->why, sizeof(file->why),
			 "belongs to user %u, who is neither root nor this program's user", status->st_uid);
		snprintf(file->mend, sizeof(file->mend), "chown %u",
			 (unsigned int)(owner.user == NO_USER ? geteuid() : owner.user));
		return false;
	}
	if (status->st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(file->why, sizeof(file->why), "can be written to by others, by its mode %04o",
			 status->st_mode & 07777);
		snprintf(file->mend, sizeof(file->mend), "chmod go-w");
		return false;
	}
	return true;
}

/* @made: it has just been made, by us. */
static int open_directory(struct statefile *file, const char *path, bool made)
{
	struct stat status;

	file->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (file->directory >= 0 && made && give(file->directory) < 0)
		return -errno;
	if (file->directory >= 0)
		return fstat(file->directory, &status) < 0 ? -errno : trusted(file, &status) ? 0 : -EPERM;
	if (errno != ENOTDIR && errno != ELOOP)
		return -errno;
	snprintf(file->why, sizeof(file->why), "%s",
		 lstat(path, &status) == 0 && S_ISLNK(status.st_mode) ? "is a symbolic link" : "is no directory");
	return -EPERM;
}

static int make_directory(struct statefile *file, const char *path)
{
	const bool made = mkdir(path, 0700) == 0;

	return made || errno == EEXIST ? open_directory(file, path, made) : -errno;
}

static const char *kind(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *name;
	} kinds[] = {
		{ S_IFREG, "a file" },	     { S_IFDIR, "a directory" }, { S_IFLNK, "a symbolic link" },
		{ S_IFIFO, "a named pipe" }, { S_IFSOCK, "a socket" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((mode & S_IFMT) == kinds[i].type)
			return kinds[i].name;
	return "a device";
}

static int lock(int fd)
{
	int error = 0;

	for (unsigned int tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		error = -errno;
		if (error != -EWOULDBLOCK)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_WAIT }, NULL);
	}
	return error;
}

/* Whoever tidies up may have removed it between. */
static bool is_removed(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_nlink == 0;
}

static int try_lock(struct statefile *file)
{
	char name[STATEFILE_NAME_MAX + 8];
	struct stat status;
	int error = 0;

	file->lock = openat(file->directory, with(file, ".lock", name), FLAGS | O_RDWR | O_CREAT, 0600);
	if (file->lock < 0)
		error = -errno;
	if (fstatat(file->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(status.st_mode)) {
		snprintf(file->why, sizeof(file->why), "has %s in the place of the lock `%s': remove it",
			 kind(status.st_mode), name);
		return -EPERM;
	}
	if (!error)
		error = give(file->lock);
	if (error == -EMLINK) {
		snprintf(file->why, sizeof(file->why),
			 "has in the place of the lock `%s' a file that has another name, too: remove it", name);
		return -EPERM;
	}
	return error ? error : lock(file->lock);
}

static int take_lock(struct statefile *file)
{
	int error = try_lock(file);

	for (unsigned int tries = 0; !error && is_removed(file->lock) && tries < LOCK_TRIES; tries++) {
		file_close(&file->lock);
		error = try_lock(file);
	}
	return error;
}

/* What has this name gets another one: @as is filled in. */
static int set_aside(const struct statefile *file, const char *name, char as[STATEFILE_ASIDE_MAX])
{
	int error = 0;

	snprintf(as, STATEFILE_ASIDE_MAX, "%s.bad", file->name);
	for (unsigned int i = 2; i <= ASIDE_MAX + 1; i++) {
		if (renameat(file->directory, name, file->directory, as) == 0)
			return 0;
		error = -errno;
		/* Of two directories the one below must be empty, and only one of its kind takes a file's place. */
		if (error != -EISDIR && error != -ENOTDIR && error != -ENOTEMPTY && error != -EEXIST)
			break;
		snprintf(as, STATEFILE_ASIDE_MAX, "%s.bad%u", file->name, i);
	}
	as[0] = '\0';
	return error;
}

/* ---- what is there ---- */

static int read_piece(const struct statefile *file, off_t at, off_t end)
{
	while (at < end) {
		const ssize_t length = pread(file->left_fd, (char *)file->left + at, (size_t)(end - at), at);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return length < 0 ? -errno : -EIO;
		at += length;
	}
	return 0;
}

/* Holes are zeroes, and take no memory: there may be more of them than this machine has. */
static int read_all(struct statefile *file, off_t size)
{
	char *memory =
		mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	off_t hole = 0;
	int error = 0;

	if (memory == MAP_FAILED)
		return -errno;
	file->left = memory;
	file->left_bytes = (size_t)size;
	while (hole < size && !error) {
		const off_t data = lseek(file->left_fd, hole, SEEK_DATA);

		if (data < 0)
			return errno == ENXIO ? 0 : -errno; /* ENXIO: there are only holes any more */
		hole = lseek(file->left_fd, data, SEEK_HOLE);
		error = hole < 0 ? -errno : read_piece(file, data, hole < size ? hole : size);
	}
	return error;
}

static int read_left(struct statefile *file)
{
	struct stat status;
	int error;

	if (fstat(file->left_fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		snprintf(file->why, sizeof(file->why), "is no regular file");
		return 0;
	}
	error = lock(file->left_fd);
	if (error)
		return error;
	if (!trusted(file, &status) || status.st_size == 0)
		return 0;
	if (status.st_size > LEFT_MAX) {
		snprintf(file->why, sizeof(file->why), "is larger than any table of sessions");
		return 0;
	}
	error = read_all(file, status.st_size);
	if (error)
		snprintf(file->why, sizeof(file->why), "cannot be read: %s", strerror(-error));
	return 0;
}

/* Return an error only where it is another program's. */
static int look(struct statefile *file)
{
	file->left_fd = openat(file->directory, file->name, FLAGS | O_RDONLY);
	if (file->left_fd >= 0)
		return read_left(file);
	if (errno == ELOOP)
		snprintf(file->why, sizeof(file->why), "is a symbolic link");
	else if (errno != ENOENT)
		snprintf(file->why, sizeof(file->why), "cannot be opened: %s", strerror(errno));
	return 0;
}

/* ---- what will be there ---- */

/* One that is there already was being made when its maker was killed: nobody else has our lock. */
static int clear_place(struct statefile *file, const char *name)
{
	int error;

	if (unlinkat(file->directory, name, 0) == 0 || errno == ENOENT)
		return 0;
	error = errno == EISDIR ? set_aside(file, name, file->obstacle) : -errno;
	if (!error)
		return 0;
	snprintf(file->why, sizeof(file->why),
		 "has something in the place of the new table `%s', which cannot be moved away (%s): remove it", name,
		 strerror(-error));
	file->mend[0] = '\0'; /* of what was to be replaced */
	return -EPERM;
}

static int make(struct statefile *file)
{
	char name[STATEFILE_NAME_MAX + 8];
	int error = clear_place(file, with(file, ".new", name));

	if (error)
		return error;
	file->fd = openat(file->directory, name, FLAGS | O_RDWR | O_CREAT | O_EXCL, 0600);
	if (file->fd < 0 || flock(file->fd, LOCK_EX | LOCK_NB) < 0 || ftruncate(file->fd, (off_t)file->size) < 0)
		return -errno;
	error = give(file->fd);
	if (error)
		return error;
	error = posix_fallocate(file->fd, 0, (off_t)file->size);
	if (error)
		return -error;
	file->memory = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (file->memory == MAP_FAILED) {
		file->memory = NULL;
		return -errno;
	}
	/* A mapping keeps the file's lock: the guard, which outlives us for a moment, is to have none. */
	return madvise(file->memory, file->size, MADV_DONTFORK) < 0 ? -errno : 0;
}

int statefile_open(struct statefile *file, const char *directory, const char *name, size_t size)
{
	int error;

	*file = (struct statefile){ .directory = -1, .lock = -1, .fd = -1, .left_fd = -1, .size = size };
	snprintf(file->name, sizeof(file->name), "%s", name);
	error = make_directory(file, directory);
	if (!error)
		error = take_lock(file);
	if (!error)
		error = look(file);
	return error ? error : make(file);
}

int statefile_open_lock(const char *directory, const char *name, char why[STATEFILE_WHY_MAX])
{
	struct statefile file = { .directory = -1 };
	int fd = -1, error = make_directory(&file, directory);

	if (!error)
		fd = openat(file.directory, name, FLAGS | O_RDWR | O_CREAT, 0600);
	if (!error && fd < 0)
		error = -errno;
	if (fd >= 0)
		error = give(fd);
	file_close(&file.directory);
	if (error)
		file_close(&fd);
	snprintf(why, STATEFILE_WHY_MAX, "%s", file.why);
	return error ? error : fd;
}

static void forget_left(struct statefile *file)
{
	if (file->left)
		munmap(file->left, file->left_bytes);
	file->left = NULL;
	file_close(&file->left_fd);
}

int statefile_replace(struct statefile *file, bool keep)
{
	char name[STATEFILE_NAME_MAX + 8];
	const int error = keep ? set_aside(file, file->name, file->aside) : 0;

	if (error)
		return error;
	if (renameat(file->directory, with(file, ".new", name), file->directory, file->name) < 0)
		return -errno;
	forget_left(file);
	return 0;
}

void statefile_close(struct statefile *file)
{
	if (file->memory)
		munmap(file->memory, file->size);
	file->memory = NULL;
	forget_left(file);
	file_close(&file->fd);
	file_close(&file->lock);
	file_close(&file->directory);
}

/* ---- those that nobody uses any more ---- */

void statefile_note(const struct statefile *file, const char *note)
{
	const size_t length = strlen(note);

	if (ftruncate(file->lock, 0) < 0 || pwrite(file->lock, note, length, 0) != (ssize_t)length)
		(void)ftruncate(file->lock, 0);
}

/* One of these that cannot be opened is not there, or nobody's whom we know. Return: false: somebody has it. */
static bool is_free(int fd)
{
	return fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
}

bool statefile_find_unused(struct statefile *file, const char *directory, const char *name,
			   char note[STATEFILE_NOTE_MAX])
{
	char lock_name[STATEFILE_NAME_MAX + 8];
	ssize_t length = 0;

	*file = (struct statefile){ .directory = -1, .lock = -1, .fd = -1, .left_fd = -1 };
	snprintf(file->name, sizeof(file->name), "%s", name);
	if (open_directory(file, directory, false) < 0)
		return false;
	/* Versions without that lock have the file itself. */
	file->lock = openat(file->directory, with(file, ".lock", lock_name), FLAGS | O_RDWR);
	file->left_fd = openat(file->directory, file->name, FLAGS | O_RDONLY);
	if (!is_free(file->lock) || !is_free(file->left_fd) || file->left_fd < 0)
		return false;
	if (file->lock >= 0)
		length = pread(file->lock, note, STATEFILE_NOTE_MAX - 1, 0);
	note[length > 0 ? length : 0] = '\0';
	return true;
}

int statefile_remove(const struct statefile *file)
{
	char name[STATEFILE_NAME_MAX + 8];
	const int error = unlinkat(file->directory, file->name, 0) < 0 ? -errno : 0;

	(void)unlinkat(file->directory, with(file, ".new", name), 0);
	if (!error)
		(void)unlinkat(file->directory, with(file, ".lock", name), 0);
	return error;
}
