// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is there is opened, and not looked up by name: so the kernel says whether it may be written, and whether a link in a folder of everybody's
 * may be followed (fs.protected_symlinks).
 */
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INHERITED 256 /* so many files are looked at, those that a shell may have opened among them */

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

/* Who has it open goes on to see the file that it was. */
static bool is_open_elsewhere(int file, const struct stat *status)
{
	struct stat other;

	for (int i = 0; i < INHERITED; i++) {
		if (i != file && fstat(i, &other) == 0 && same_file(status, &other))
			return true;
	}
	return false;
}

/* Where the file is that @file is. Return: whether it has a name. */
static bool find_place(int file, const struct stat *status, char place[PATH_MAX])
{
	char link[32];
	struct stat named;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	length = readlink(link, place, PATH_MAX - 1);
	place[length > 0 ? length : 0] = '\0';
	return length > 0 && lstat(place, &named) == 0 && same_file(status, &named);
}

/* A new file beside @whole->place. @like: what it is to be like; NULL: like any new one. Return: it, or a negative errno. */
static int make_beside(struct whole *whole, const struct stat *like)
{
	mode_t mode = umask(0);
	int file;

	umask(mode);
	snprintf(whole->temporary, sizeof(whole->temporary), "%s.XXXXXX", whole->place);
	file = mkostemp(whole->temporary, O_CLOEXEC);
	if (file < 0)
		return -errno;
	clean_up_when_ended(whole->temporary);
	/* The owner first: he who gives a file away takes some rights off it by that. */
	if (like && (like->st_uid != geteuid() || like->st_gid != getegid()) &&
	    fchown(file, like->st_uid, like->st_gid) < 0 && fchown(file, (uid_t)-1, like->st_gid) < 0)
		mode |= like->st_mode & 077 ? 0 : 077;
	(void)fchmod(file, like ? like->st_mode & 0777 : 0666 & ~mode);
	return file;
}

/* Return: the file to be written: @file, or another that takes its place. */
static int open_beside(struct whole *whole, int file)
{
	struct stat status;
	int other = -1;

	if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))
		return file;
	if (!is_open_elsewhere(file, &status) && find_place(file, &status, whole->place))
		other = make_beside(whole, &status);
	if (other < 0) {
		whole->place[0] = '\0';
		(void)ftruncate(file, 0);
		return file;
	}
	close(file);
	return other;
}

/* There is no such file; a link to nowhere may be there. */
static int open_new(struct whole *whole, const char *path)
{
	struct stat status;
	int file;

	if (lstat(path, &status) == 0) {
		file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		return file < 0 ? -errno : file;
	}
	snprintf(whole->place, sizeof(whole->place), "%s", path);
	return make_beside(whole, NULL);
}

int whole_begin(struct whole *whole, const char *path)
{
	int file = -ENAMETOOLONG;

	*whole = (struct whole){ 0 };
	if (strlen(path) < sizeof(whole->place))
		file = open(path, O_WRONLY | O_CLOEXEC);
	if (file >= 0)
		file = open_beside(whole, file);
	else if (file == -1 && errno == ENOENT)
		file = open_new(whole, path);
	else if (file == -1)
		file = -errno;
	if (file < 0)
		return file;
	whole->file = fdopen(file, "w");
	if (whole->file)
		return 0;
	close(file);
	(void)whole_end(whole, false);
	return -ENOMEM;
}

int whole_take_place(struct whole *whole)
{
	if (whole->place[0] && rename(whole->temporary, whole->place) < 0)
		return -errno;
	if (whole->place[0])
		unfinished = NULL;
	whole->place[0] = '\0';
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
	if (whole->place[0]) {
		(void)unlink(whole->temporary);
		unfinished = NULL;
	}
	return error;
}
