/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_range - consecutive queue numbers: a thread of the daemon for each.
 */
#ifndef HOST_QUEUE_RANGE_H
#define HOST_QUEUE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* At most so many queues together. */
#define QUEUE_RANGE_MAX 64

#define QUEUE_RANGE_TEXT_MAX 16

struct queue_range {
	bool given;
	uint16_t first;
	uint16_t last;
};

/* @count queues from @first on. Return: false: there are no such numbers, or they are too many; @range is left alone. */
bool queue_range_set(struct queue_range *range, long long first, long long count);

/* How many; 0 where none are given. */
unsigned int queue_range_count(const struct queue_range *range);

/* As many queues right behind @range. Return: false: there are no such numbers. */
bool queue_range_next(const struct queue_range *range, struct queue_range *next);

/* "3", or "3:6": as options have it. Return: @text. */
const char *queue_range_text(const struct queue_range *range, char text[QUEUE_RANGE_TEXT_MAX]);

#endif
