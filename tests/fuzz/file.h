/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file - an input as a file, for what is read by its name, and files that are written of it. None is on disk, and of a thousand inputs one is a
 * file at all, in the kernel's memory: to be opened, asked about and closed there would take longer than most that is done with it. Of the
 * others fopen(), fstat() and the like know what a file of this kind would say. What is opened must be closed again: at an input's end nothing is open.
 *
 * The linker puts these in the place of the C library's (Makefile, IN_MEMORY); what libraries open is none of theirs.
 */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_PATH_MAX	32
#define FILE_REAL_OF	1000 /* inputs: of so many, one is a file */
#define FILE_WRITTEN	2
#define FILE_FILES	(1 + FILE_WRITTEN)
#define FILE_OPEN_MAX	8	   /* at a time */
#define FILE_ROOM	(1u << 20) /* bytes of what is written */
#define FILE_BUFFER	4096	   /* as the kernel has it of its files */
#define FILE_DESCRIPTOR 1000000000 /* and up: nobody's */

static struct file {
	char path[FILE_PATH_MAX];
	int real;
	const uint8_t *bytes;
	size_t size;
	uint8_t *room; /* NULL: it is only read */
} file_files[FILE_FILES];

static struct file_open {
	struct file *file; /* NULL: it is not open */
	FILE *stream;
	size_t at;
	char buffer[FILE_BUFFER];
} file_opened[FILE_OPEN_MAX];

static bool file_is_real;

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__real_fdopen(int descriptor, const char *mode);
FILE *__wrap_fdopen(int descriptor, const char *mode);
int __real_fileno(FILE *stream);
int __wrap_fileno(FILE *stream);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __real_dup(int descriptor);
int __wrap_dup(int descriptor);
int __real_fstat(int descriptor, struct stat *status);
int __wrap_fstat(int descriptor, struct stat *status);
int __real_stat(const char *path, struct stat *status);
int __wrap_stat(const char *path, struct stat *status);
off_t __real_lseek(int descriptor, off_t offset, int whence);
off_t __wrap_lseek(int descriptor, off_t offset, int whence);
ssize_t __real_pread(int descriptor, void *to, size_t length, off_t offset);
ssize_t __wrap_pread(int descriptor, void *to, size_t length, off_t offset);

/* ---- descriptors ---- */

/* NULL: it is the kernel's. */
ONLY_CHECKS static inline struct file_open *file_open_of(int descriptor)
{
	const int number = descriptor - FILE_DESCRIPTOR;

	if (descriptor < FILE_DESCRIPTOR)
		return NULL;
	MUST(number < FILE_OPEN_MAX && file_opened[number].file);
	return &file_opened[number];
}

static inline int file_descriptor(const struct file_open *open)
{
	return FILE_DESCRIPTOR + (int)(open - file_opened);
}

/* NULL: it is the kernel's, as all are of an input that is a file, and libFuzzer's own. */
ONLY_CHECKS static inline struct file *file_find(const char *path)
{
	for (struct file *file = file_files; !file_is_real && file < file_files + FILE_FILES; file++)
		if (strcmp(file->path, path) == 0)
			return file;
	return NULL;
}

ONLY_CHECKS static inline struct file_open *file_open_new(struct file *file)
{
	struct file_open *open = file_opened;

	while (open->file) {
		open++;
		MUST(open < file_opened + FILE_OPEN_MAX);
	}
	open->file = file;
	open->stream = NULL;
	open->at = 0;
	return open;
}

ONLY_CHECKS int __wrap_open(const char *path, int flags, ...)
{
	struct file *const file = file_find(path);
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (!file)
		return __real_open(path, flags, mode);
	MUST((flags & O_ACCMODE) == O_RDONLY);
	return file_descriptor(file_open_new(file));
}

/* What a stream was made of is the stream's to close. */
ONLY_CHECKS int __wrap_close(int descriptor)
{
	struct file_open *open = file_open_of(descriptor);

	if (!open)
		return __real_close(descriptor);
	MUST(!open->stream);
	open->file = NULL;
	return 0;
}

ONLY_CHECKS int __wrap_dup(int descriptor)
{
	const struct file_open *open = file_open_of(descriptor);

	return open ? file_descriptor(file_open_new(open->file)) : __real_dup(descriptor);
}

ONLY_CHECKS static inline int file_status(const struct file *file, struct stat *status)
{
	*status = (struct stat){
		.st_mode = S_IFREG | 0600,
		.st_ino = 1 + (ino_t)(file - file_files),
		.st_size = (off_t)file->size,
	};
	return 0;
}

ONLY_CHECKS int __wrap_fstat(int descriptor, struct stat *status)
{
	const struct file_open *open = file_open_of(descriptor);

	return open ? file_status(open->file, status) : __real_fstat(descriptor, status);
}

ONLY_CHECKS int __wrap_stat(const char *path, struct stat *status)
{
	const struct file *file = file_find(path);

	return file ? file_status(file, status) : __real_stat(path, status);
}

ONLY_CHECKS off_t __wrap_lseek(int descriptor, off_t offset, int whence)
{
	struct file_open *open = file_open_of(descriptor);

	if (!open)
		return __real_lseek(descriptor, offset, whence);
	MUST(whence == SEEK_SET && offset >= 0);
	open->at = (size_t)offset;
	return offset;
}

ONLY_CHECKS static inline size_t file_read_at(const struct file *file, void *to, size_t length, size_t at)
{
	const size_t left = at < file->size ? file->size - at : 0;

	if (length > left)
		length = left;
	memcpy(to, file->bytes + at, length);
	return length;
}

ONLY_CHECKS ssize_t __wrap_pread(int descriptor, void *to, size_t length, off_t offset)
{
	const struct file_open *open = file_open_of(descriptor);

	return open ? (ssize_t)file_read_at(open->file, to, length, (size_t)offset) :
		      __real_pread(descriptor, to, length, offset);
}

/* ---- streams ---- */

ONLY_CHECKS static inline ssize_t file_read(void *context, char *to, size_t length)
{
	struct file_open *open = context;

	length = file_read_at(open->file, to, length, open->at);
	open->at += length;
	return (ssize_t)length;
}

ONLY_CHECKS static inline ssize_t file_write(void *context, const char *bytes, size_t length)
{
	struct file_open *open = context;
	struct file *file = open->file;

	MUST(file->room && open->at <= FILE_ROOM && length <= FILE_ROOM - open->at);
	memcpy(file->room + open->at, bytes, length);
	open->at += length;
	file->size = open->at > file->size ? open->at : file->size;
	return (ssize_t)length;
}

ONLY_CHECKS static inline int file_seek(void *context, off64_t *offset, int whence)
{
	struct file_open *open = context;
	const off64_t from = whence == SEEK_SET ? 0 : (off64_t)(whence == SEEK_CUR ? open->at : open->file->size);

	if (from + *offset < 0) {
		errno = EINVAL;
		return -1;
	}
	*offset += from;
	open->at = (size_t)*offset;
	return 0;
}

ONLY_CHECKS static inline int file_close(void *context)
{
	struct file_open *open = context;

	open->stream = NULL;
	return __wrap_close(file_descriptor(open));
}

ONLY_CHECKS FILE *__wrap_fdopen(int descriptor, const char *mode)
{
	static const cookie_io_functions_t ours = { file_read, file_write, file_seek, file_close };
	struct file_open *open = file_open_of(descriptor);

	if (!open)
		return __real_fdopen(descriptor, mode);
	MUST(!open->stream);
	open->stream = fopencookie(open, mode, ours);
	MUST(open->stream && setvbuf(open->stream, open->buffer, _IOFBF, sizeof(open->buffer)) == 0);
	return open->stream;
}

ONLY_CHECKS FILE *__wrap_fopen(const char *path, const char *mode)
{
	struct file *file = file_find(path);

	if (!file)
		return __real_fopen(path, mode);
	if (mode[0] == 'w')
		file->size = 0;
	return __wrap_fdopen(file_descriptor(file_open_new(file)), mode);
}

ONLY_CHECKS int __wrap_fileno(FILE *stream)
{
	for (struct file_open *open = file_opened; open < file_opened + FILE_OPEN_MAX; open++)
		if (open->file && open->stream == stream)
			return file_descriptor(open);
	return __real_fileno(stream);
}

/* ---- inputs ---- */

ONLY_CHECKS static inline struct file *file_new(unsigned int number)
{
	struct file *file = &file_files[number];

	if (!file->path[0]) {
		file->real = memfd_create("fuzz", 0);
		MUST(file->real >= 0 && fchmod(file->real, 0600) == 0);
		snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->real);
	}
	return file;
}

/* A libc whose fstat() has another name asks the kernel, which knows nothing of our descriptors. */
ONLY_CHECKS static inline bool file_can_be_ours(void)
{
	struct file_open *open = file_open_new(&file_files[0]);
	struct stat status;
	bool can;

	file_is_real = false;
	can = fstat(file_descriptor(open), &status) == 0 && stat(open->file->path, &status) == 0 && status.st_ino == 1;
	open->file = NULL;
	return can;
}

/* Return: its name. */
ONLY_CHECKS static inline const char *file_of(const uint8_t *data, size_t size)
{
	static unsigned int number;
	struct file *file = file_new(0);

	file->bytes = data;
	file->size = size;
	file_is_real = !file_can_be_ours() || number++ % FILE_REAL_OF == 0;
	if (file_is_real)
		MUST(ftruncate(file->real, 0) == 0 && pwrite(file->real, data, size, 0) == (ssize_t)size);
	return file->path;
}

/* One to be written, and then read. Return: its name. */
static inline const char *file_to_write(unsigned int number)
{
	static uint8_t rooms[FILE_WRITTEN][FILE_ROOM];
	struct file *file = file_new(1 + number);

	file->bytes = file->room = rooms[number];
	return file->path;
}

ONLY_CHECKS static inline void file_check(void)
{
	for (const struct file_open *open = file_opened; open < file_opened + FILE_OPEN_MAX; open++)
		MUST(!open->file);
}

#endif
