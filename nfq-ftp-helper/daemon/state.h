/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - a worker's table of sessions, taken up from where the last daemon left it.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include "core/table/table.h"
#include "statefile.h"

/**
 * state_open - the table of a queue, in its file
 * @file: filled in; statefile_close() is due in any case
 * @directory: where the file is
 * @queue: number of the queue
 * @size: of the table
 * @recovered: filled in: sessions that an earlier daemon left
 *
 * What is wrong, and what could not be taken up, is said on standard error, in one sentence each.
 *
 * Return: the table; or NULL, and errno says why.
 */
struct table *state_open(struct statefile *file, const char *directory, unsigned int queue,
			 const struct table_size *size, uint32_t *recovered);

#endif
