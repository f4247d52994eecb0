// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is there is opened, as if it were to be made: so the kernel says whether it may be written, and whether in a folder of everybody's a link may be
 * followed, or what others have put there be written to (fs.protected_symlinks, _regular, _fifos).
 */
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BESIDE	    ".nfq-ftp-helper." /* and what is nobody's: so the new content is called until it is whole */
#define NAME_TRIES  16
#define ACCESS_LIST "system.posix_acl_access"
#define INHERITED   256 /* so many files are looked at, those that a shell may have opened among them */

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000 /* since Linux 5.8: older headers do not have it */
#endif

/* What would be left behind by whoever is ended; one at a time. NULL: nothing. */
static const char *volatile unfinished;

static void on_end(int number)
{
	if (unfinished)
		(void)unlink(unfinished);
	raise(number); /* as it would have ended */
}

/* Where the caller has made up its mind about a signal, or its starter has, that stays. */
static void clean_up_when_ended(const char *name)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGXFSZ };
	const struct sigaction ours = { .sa_handler = on_end, .sa_flags = SA_RESETHAND | SA_NODEFER };
	struct sigaction before;

	unfinished = name;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			(void)sigaction(ends[i], &ours, NULL);
	}
}

static bool same_file(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Who has it open goes on to see the file that it was. Return: his number of it, or -1. */
static int open_elsewhere(int file, const struct stat *status)
{
	struct stat other;

	for (int i = 0; i < INHERITED; i++) {
		if (i != file && fstat(i, &other) == 0 && same_file(status, &other))
			return i;
	}
	return -1;
}

/* A file that @file is, and @other, too: /dev/stdout perhaps. Return: what goes on where that one is, behind what others wrote; or @file, emptied. */
static int go_on(int file, int other)
{
	const int flags = fcntl(other, F_GETFL);
	int again = -1;

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && (other <= STDERR_FILENO || (flags & O_APPEND)))
		again = fcntl(other, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (again < 0) {
		(void)ftruncate(file, 0);
		return file;
	}
	close(file);
	return again;
}

/* Nothing is lost of a file by another that takes its place: no second name, no mount on it, no rights of its own list. */
static bool may_be_replaced(int file, const struct stat *status)
{
	struct statx more;

	if (status->st_nlink > 1 || fgetxattr(file, ACCESS_LIST, NULL, 0) > 0)
		return false;
	return statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &more) < 0 ||
	       !(more.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

#define OPEN_NAME_MAX 32

static void link_of(int file, char link[OPEN_NAME_MAX])
{
	snprintf(link, OPEN_NAME_MAX, "/proc/self/fd/%d", file);
}

/* Where the file is that @file is. Return: whether it has a name. */
static bool find_place(int file, const struct stat *status, char place[PATH_MAX])
{
	char link[OPEN_NAME_MAX];
	struct stat named;
	ssize_t length;

	link_of(file, link);
	length = readlink(link, place, PATH_MAX - 1);
	place[length > 0 ? length : 0] = '\0';
	return length > 0 && lstat(place, &named) == 0 && same_file(status, &named);
}

/* The owner first: he who gives a file away takes some rights off it by that. Return: false: it cannot be another's. */
static bool make_like(int file, const struct stat *like)
{
	struct stat made;

	if (fstat(file, &made) < 0)
		return false;
	if ((made.st_uid != like->st_uid || made.st_gid != like->st_gid) &&
	    fchown(file, like->st_uid, like->st_gid) < 0)
		return false;
	(void)fremovexattr(file, ACCESS_LIST); /* its folder's, which is of new files */
	return fchmod(file, like->st_mode & 0777) == 0;
}

static bool make_new(int file)
{
	const mode_t mode = umask(0);

	umask(mode);
	(void)fchmod(file, 0666 & ~mode);
	return true;
}

/* The folder of @whole->place, with its slash; "": this one. Return: its length. */
static int folder_of(const struct whole *whole)
{
	const char *slash = strrchr(whole->place, '/');

	return slash ? (int)(slash + 1 - whole->place) : 0;
}

static void forget(struct whole *whole)
{
	if (whole->temporary[0])
		(void)unlink(whole->temporary);
	unfinished = NULL;
	if (whole->unnamed >= 0)
		close(whole->unnamed);
	if (whole->fills)
		close(whole->target);
	whole->unnamed = -1;
	whole->fills = false;
	whole->temporary[0] = '\0';
	whole->place[0] = '\0';
}

/* One that nobody sees, and that is gone when we are, however we end. Return: -1: this file system, or a system without /proc, has none. */
static int make_unnamed(struct whole *whole)
{
	char folder[PATH_MAX + 2], link[OPEN_NAME_MAX];
	const int length = folder_of(whole);
	int file;

	snprintf(folder, sizeof(folder), "%.*s.", length, whole->place);
	file = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0)
		return -1;
	link_of(file, link);
	whole->unnamed = access(link, F_OK) == 0 ? fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;
	if (whole->unnamed >= 0)
		return file;
	close(file);
	return -1;
}

static int make_named(struct whole *whole)
{
	int file;

	snprintf(whole->temporary, sizeof(whole->temporary), "%.*s" BESIDE "XXXXXX", folder_of(whole), whole->place);
	file = mkostemp(whole->temporary, O_CLOEXEC);
	if (file >= 0)
		clean_up_when_ended(whole->temporary);
	else
		whole->temporary[0] = '\0';
	return file;
}

/*
 * A new file beside @whole->place; its name is short, whatever the other's length is. @like: what it is to be like; NULL: like any new one.
 * Return: it, or -1.
 */
static int make_beside(struct whole *whole, const struct stat *like)
{
	int file = make_unnamed(whole);

	if (file < 0)
		file = make_named(whole);
	if (file >= 0 && (like ? make_like(file, like) : make_new(file)))
		return file;
	if (file >= 0)
		close(file);
	forget(whole);
	return -1;
}

/* A name takes another's place, and a file without one none. Return: 0, or a negative errno. */
static int give_name(struct whole *whole)
{
	char link[OPEN_NAME_MAX];
	uint64_t number;

	link_of(whole->unnamed, link);
	for (unsigned int tries = 0; tries < NAME_TRIES; tries++) {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			break;
		snprintf(whole->temporary, sizeof(whole->temporary), "%.*s" BESIDE "%08" PRIx32, folder_of(whole),
			 whole->place, (uint32_t)number);
		if (linkat(AT_FDCWD, link, AT_FDCWD, whole->temporary, AT_SYMLINK_FOLLOW) == 0) {
			clean_up_when_ended(whole->temporary);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	whole->temporary[0] = '\0';
	return -errno;
}

/* ---- a file that is filled where it is ---- */

/* Where its content is until then. Return: it, or -1. */
static int make_spool(struct whole *whole, int file)
{
	FILE *spool = tmpfile();
	int again = -1;

	if (!spool)
		return -1;
	whole->unnamed = fcntl(fileno(spool), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (whole->unnamed >= 0)
		again = fcntl(whole->unnamed, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	whole->target = file;
	whole->fills = again >= 0;
	if (again < 0)
		forget(whole);
	fclose(spool);
	return again;
}

/* Room for all of it, before anything of what is there is lost. Return: 0, or a negative errno. */
static int make_room(int file, off_t size)
{
	struct stat before;
	int error;

	if (!size || fstat(file, &before) < 0 || fallocate(file, FALLOC_FL_KEEP_SIZE, 0, size) == 0 ||
	    errno == EOPNOTSUPP || errno == ENOSYS)
		return 0;
	error = -errno;
	(void)ftruncate(file, before.st_size); /* what of it there was room for */
	return error;
}

static int fill_target(struct whole *whole)
{
	const off_t size = lseek(whole->unnamed, 0, SEEK_END);
	int error = size < 0 ? -errno : make_room(whole->target, size);

	for (off_t at = 0; at < size && !error;) {
		const ssize_t sent = sendfile(whole->target, whole->unnamed, &at, (size_t)(size - at));

		if (sent <= 0)
			error = sent < 0 ? -errno : -EIO;
	}
	if (!error && ftruncate(whole->target, size) < 0)
		error = -errno;
	if (!error && whole->file && dup3(whole->target, fileno(whole->file), O_CLOEXEC) < 0) /* it goes on there */
		error = -errno;
	return error;
}

/* Return: the file to be written: @file, or another that takes its place, or whose content is @file's in the end. */
static int open_beside(struct whole *whole, int file)
{
	struct stat status;
	int other;

	if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))
		return file;
	other = open_elsewhere(file, &status);
	if (other >= 0)
		return go_on(file, other);
	if (may_be_replaced(file, &status) && find_place(file, &status, whole->place))
		other = make_beside(whole, &status);
	if (other >= 0) {
		close(file);
		return other;
	}
	whole->place[0] = '\0';
	other = make_spool(whole, file);
	if (other < 0)
		(void)ftruncate(file, 0);
	return other < 0 ? file : other;
}

/* Whatever is there. Return: the file to be written, or a negative errno. */
static int open_anew(struct whole *whole, const char *path)
{
	int file;

	snprintf(whole->place, sizeof(whole->place), "%s", path);
	file = make_beside(whole, NULL);
	return file < 0 ? -errno : file;
}

/* A link to nowhere may be there, too. Return: the file to be written, or a negative errno. */
static int open_whole(struct whole *whole, const char *path)
{
	struct stat status;
	int file;

	if (lstat(path, &status) < 0 && errno == ENOENT) {
		file = open_anew(whole, path);
		if (file < 0)
			file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	} else {
		file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (file >= 0)
			file = open_beside(whole, file);
	}
	return file < 0 ? -errno : file;
}

static int begin(struct whole *whole, const char *path, int (*open_file)(struct whole *whole, const char *path))
{
	int file;

	*whole = (struct whole){ .unnamed = -1 };
	file = strlen(path) < sizeof(whole->place) ? open_file(whole, path) : -ENAMETOOLONG;
	if (file < 0)
		return file;
	whole->file = fdopen(file, "w");
	if (whole->file)
		return 0;
	close(file);
	(void)whole_end(whole, false);
	return -ENOMEM;
}

int whole_begin(struct whole *whole, const char *path)
{
	return begin(whole, path, open_whole);
}

int whole_begin_anew(struct whole *whole, const char *path)
{
	return begin(whole, path, open_anew);
}

/* Has what is to be there another place yet? */
static bool is_elsewhere(const struct whole *whole)
{
	return whole->place[0] || whole->fills;
}

int whole_take_place(struct whole *whole)
{
	int error = 0;

	if (!is_elsewhere(whole))
		return 0;
	if (whole->file && fflush(whole->file) != 0)
		return -errno;
	if (whole->fills)
		error = fill_target(whole);
	else if (whole->unnamed >= 0)
		error = give_name(whole);
	if (!error && whole->place[0] && rename(whole->temporary, whole->place) < 0)
		error = -errno;
	if (error)
		return error;
	whole->temporary[0] = '\0';
	forget(whole);
	return 0;
}

int whole_end(struct whole *whole, bool keep)
{
	int error = 0;

	if (whole->file && (fflush(whole->file) != 0 || ferror(whole->file)))
		error = errno ? -errno : -EIO;
	if (whole->file && fclose(whole->file) != 0 && !error)
		error = -errno;
	whole->file = NULL;
	if (keep && !error)
		error = whole_take_place(whole);
	if (is_elsewhere(whole))
		forget(whole);
	return error;
}
