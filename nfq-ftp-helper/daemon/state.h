/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - a worker's table of sessions, taken up from where the last daemon left it.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include "core/table/table.h"
#include "host/queue_range.h"
#include "statefile.h"

/* That of a queue with so many sessions. */
struct table_size state_size(uint32_t sessions);

#define STATE_COMPLAINT_MAX 512

/**
 * state_has_room - is there room for all of a daemon's tables, before the first is made?
 * @directory: where they are to be; it need not be there
 * @queues: a table each; what an earlier daemon has left of a queue gives its room back when the new one is there
 * @sessions: of each queue
 * @complaint: filled in where there is too little: a sentence, with how much it takes and what to do
 *
 * Return: whether there is, as far as the file system tells.
 */
bool state_has_room(const char *directory, const struct queue_range *queues, uint32_t sessions,
		    char complaint[STATE_COMPLAINT_MAX]);

/**
 * state_open - the table of a queue, in its file
 * @file: filled in; statefile_close() is due in any case
 * @directory: where the file is
 * @queue: number of the queue
 * @queues: all of this daemon's, which is noted beside the file
 * @size: of the table
 * @recovered: filled in: sessions that an earlier daemon left
 *
 * What is wrong, and what could not be taken up, is said on standard error, in one sentence each.
 *
 * Return: the table; or NULL, and errno says why.
 */
struct table *state_open(struct statefile *file, const char *directory, unsigned int queue,
			 const struct queue_range *queues, const struct table_size *size, uint32_t *recovered);

/* How often each queue's file was found unused, one behind the other. Zeroed at first. */
struct state_tidy {
	uint8_t unused[UINT16_MAX + 1];
};

/**
 * state_tidy - remove the files of queues that are no longer used
 * @tidy: what is known of before
 * @directory: where they are
 * @queues: this daemon's, whose files are open
 * @patience: so often a file must have been found unused before this time
 *
 * Those of a daemon that had one of our queues go at once: it was here before us, and it was the last one. What somebody else may only have left for a
 * moment goes when he has not come back. What is removed is said.
 */
void state_tidy(struct state_tidy *tidy, const char *directory, const struct queue_range *queues,
		unsigned int patience);

#endif
