/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file - an input as a file, for what is read by its name.
 */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_PATH_MAX 32

/* Nothing on disk: one file in memory, made once and filled anew. */
static inline const char *file_of(const uint8_t *data, size_t size)
{
	static char path[FILE_PATH_MAX];
	static int file = -1;

	if (file < 0) {
		file = memfd_create("input", 0);
		MUST(file >= 0 && fchmod(file, 0600) == 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	MUST(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
	return path;
}

#endif
