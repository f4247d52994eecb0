/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logring - lines on their way from those who say something to the one who writes it down. When it is full lines are lost,
 * and counted: what was lost stands where it would have stood. No locks here.
 */
#ifndef DAEMON_LOGRING_H
#define DAEMON_LOGRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGRING_LINES	 512
#define LOGRING_LINE_MAX 1536

struct logring_line {
	uint64_t lost;	 /* lines before this one */
	uint32_t length; /* 0: only the loss is to be told */
	char text[LOGRING_LINE_MAX];
};

/* All zeroes: it is empty. */
struct logring {
	uint32_t first; /* the oldest */
	uint32_t count;
	uint64_t lost; /* since the newest */
	struct logring_line lines[LOGRING_LINES];
};

/* Put a line in. @length: at least 1; what is beyond LOGRING_LINE_MAX is cut off. */
void logring_put(struct logring *ring, const char *text, size_t length);

/* Take the oldest line out. Return: false: there is none, and no loss to be told. */
bool logring_take(struct logring *ring, struct logring_line *line);

#endif
