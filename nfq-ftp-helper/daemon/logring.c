// SPDX-License-Identifier: GPL-2.0-or-later
#include "logring.h"

#include <string.h>

void logring_put(struct logring *ring, const char *text, size_t length)
{
	struct logring_line *line;

	if (ring->count == LOGRING_LINES) {
		ring->lost++;
		return;
	}
	line = &ring->lines[(ring->first + ring->count) % LOGRING_LINES];
	line->lost = ring->lost;
	line->length = length < LOGRING_LINE_MAX ? (uint32_t)length : LOGRING_LINE_MAX;
	memcpy(line->text, text, line->length);
	ring->lost = 0;
	ring->count++;
}

bool logring_take(struct logring *ring, struct logring_line *line)
{
	const struct logring_line *oldest = &ring->lines[ring->first];

	line->length = 0;
	if (!ring->count) {
		line->lost = ring->lost;
		ring->lost = 0;
		return line->lost;
	}
	line->lost = oldest->lost;
	line->length = oldest->length;
	memcpy(line->text, oldest->text, oldest->length);
	ring->first = (ring->first + 1) % LOGRING_LINES;
	ring->count--;
	return true;
}
