// SPDX-License-Identifier: GPL-2.0-or-later
#include "queue_range.h"

#include <stdio.h>

bool queue_range_set(struct queue_range *range, long long first, long long count)
{
	if (count < 1 || count > QUEUE_RANGE_MAX || first < 0 || first > UINT16_MAX - (count - 1))
		return false;
	*range = (struct queue_range){ true, (uint16_t)first, (uint16_t)(first + count - 1) };
	return true;
}

unsigned int queue_range_count(const struct queue_range *range)
{
	return range->given ? range->last - range->first + 1u : 0;
}

bool queue_range_next(const struct queue_range *range, struct queue_range *next)
{
	return queue_range_set(next, range->last + 1LL, queue_range_count(range));
}

const char *queue_range_text(const struct queue_range *range, char text[QUEUE_RANGE_TEXT_MAX])
{
	if (range->first == range->last)
		snprintf(text, QUEUE_RANGE_TEXT_MAX, "%u", range->first);
	else
		snprintf(text, QUEUE_RANGE_TEXT_MAX, "%u:%u", range->first, range->last);
	return text;
}
