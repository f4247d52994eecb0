// SPDX-License-Identifier: GPL-2.0-or-later
#include "hearing.h"

#include "host/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool hearing_begin(struct hearing *hearing, int file, unsigned int patience, size_t most)
{
	*hearing = (struct hearing){ .file = file, .text = malloc(HEARING_LINE_MAX), .left = most ? most : SIZE_MAX };
	if (patience)
		hearing->until = clock_milliseconds(CLOCK_MONOTONIC) + patience;
	return hearing->text != NULL;
}

/* Return: false: nothing comes in time. */
static bool wait_for_more(const struct hearing *hearing)
{
	struct pollfd polled = { .fd = hearing->file, .events = POLLIN };
	int64_t left = -1;

	if (hearing->until) {
		left = hearing->until - clock_milliseconds(CLOCK_MONOTONIC);
		if (left <= 0)
			return false;
	}
	return poll(&polled, 1, (int)left) > 0;
}

/* Return: false: there is no more, or no room for it. */
static bool take_more(struct hearing *hearing)
{
	ssize_t length;

	if (hearing->taken) {
		hearing->length -= hearing->taken;
		memmove(hearing->text, hearing->text + hearing->taken, hearing->length);
		hearing->taken = 0;
	}
	if (hearing->length == HEARING_LINE_MAX || !wait_for_more(hearing))
		return false;
	length = recv(hearing->file, hearing->text + hearing->length, HEARING_LINE_MAX - hearing->length, 0);
	if (length <= 0)
		return false;
	if ((size_t)length > hearing->left) {
		hearing->too_much = true;
		return false;
	}
	if (hearing->left != SIZE_MAX)
		hearing->left -= (size_t)length;
	hearing->length += (size_t)length;
	return true;
}

const char *hearing_line(struct hearing *hearing, size_t *length)
{
	size_t looked = 0;

	do {
		char *line = hearing->text + hearing->taken;
		const size_t there = hearing->length - hearing->taken;
		const char *end = memchr(line + looked, '\n', there - looked);

		if (end) {
			*length = (size_t)(end - line) + 1;
			hearing->taken += *length;
			return line;
		}
		looked = there;
	} while (take_more(hearing));
	return NULL;
}

void hearing_end(struct hearing *hearing)
{
	free(hearing->text);
}
