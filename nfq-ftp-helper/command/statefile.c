/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new, empty file of the right size. */
static int make(const struct statefile *file)
{
	if (ftruncate(file->fd, 0) < 0 || ftruncate(file->fd, (off_t)file->size) < 0)
		return -errno;
	return -posix_fallocate(file->fd, 0, (off_t)file->size);
}

static int prepare(struct statefile *file)
{
	struct stat status;

	if (flock(file->fd, LOCK_EX | LOCK_NB) < 0 || fchmod(file->fd, 0600) < 0 || fstat(file->fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	file->old = status.st_size == (off_t)file->size;
	file->resized = status.st_size != 0 && !file->old;
	return file->old ? 0 : make(file);
}

int statefile_open(struct statefile *file, const char *path, size_t size)
{
	int error;

	*file = (struct statefile){ .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), .size = size };
	if (file->fd < 0)
		return -errno;
	error = prepare(file);
	if (!error) {
		file->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
		if (file->memory != MAP_FAILED)
			return 0;
		error = -errno;
		file->memory = NULL;
	}
	statefile_close(file);
	return error;
}

/* What is mapped past the end of the file is mapped again once the file has that length again. */
int statefile_clear(struct statefile *file)
{
	return make(file);
}

void statefile_close(struct statefile *file)
{
	if (file->memory)
		munmap(file->memory, file->size);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct statefile){ .fd = -1 };
}
