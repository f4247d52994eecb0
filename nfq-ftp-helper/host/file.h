/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file - an open file, by its number; a negative one: there is none.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include <unistd.h>

/* Where there is one: from then on there is none. */
static inline void file_close(int *file)
{
	if (*file >= 0)
		close(*file);
	*file = -1;
}

#endif
