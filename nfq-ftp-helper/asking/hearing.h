/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hearing - the lines of the daemon's answer, as they come.
 *
 * Whoever asks is root, perhaps, and who answers may be somebody who has taken the daemon over: a line that has no end takes no memory without end,
 * nor do lines that have none, and an answer that comes byte by byte is not waited for longer than one that does not come.
 */
#ifndef ASKING_HEARING_H
#define ASKING_HEARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than the longest has: a status with all queues and all refusals. */
#define HEARING_LINE_MAX ((size_t)1 << 20)

struct hearing {
	int file;
	int64_t until; /* milliseconds of CLOCK_MONOTONIC; 0: for ever */
	char *text;
	size_t length; /* of what has come */
	size_t taken;  /* of it has been handed out */
	size_t left;   /* bytes that may come still */
	bool too_much; /* more than those did */
};

/**
 * hearing_begin - listen
 * @file: a stream socket; the caller's
 * @patience: milliseconds for all of the answer; 0: no bound
 * @most: bytes of all of the answer; 0: no bound
 *
 * Return: whether there is memory for it.
 */
bool hearing_begin(struct hearing *hearing, int file, unsigned int patience, size_t most);

/**
 * hearing_line - the next line
 * @length: of it, with its LF
 *
 * Return: valid until the next call; NULL: no whole line comes any more, or a signal did, or it is too long, or they are
 * too many.
 */
const char *hearing_line(struct hearing *hearing, size_t *length);

void hearing_end(struct hearing *hearing);

#endif
