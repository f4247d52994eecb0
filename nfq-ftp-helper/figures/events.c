// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <stdio.h>

_Static_assert(sizeof(struct last_refusal) % sizeof(unsigned long) == 0, "it is written by words");
_Static_assert((EVENTS_MAX & (EVENTS_MAX - 1)) == 0, "places go on behind a number's end");

static void note_refusal(struct events *events, const struct report *report, uint64_t now)
{
	struct last_refusal last;

	memset(&last, 0, sizeof(last));
	last.at = now;
	last.client = report->client;
	last.server = report->server;
	last.error = report->error;
	snprintf(last.command, sizeof(last.command), "%s", report->command);
	snapshot_write(&events->last[report->refusal].version, events->last[report->refusal].words, &last,
		       SNAPSHOT_WORDS(struct last_refusal));
}

static uint8_t keep_text(char to[EVENTS_TEXT_MAX], const char *from, uint32_t length)
{
	const uint32_t kept = !from ? 0 : length < EVENTS_TEXT_MAX ? length : EVENTS_TEXT_MAX;

	if (kept)
		memcpy(to, from, kept);
	return (uint8_t)kept;
}

static void fill(struct event *event, const struct report *report, uint64_t now)
{
	/* Is the argument an address and a port? */
	const bool read = report->kind != REPORT_REFUSE || (report->port && report->refusal != REFUSED_MALFORMED);

	memset(event, 0, sizeof(*event));
	event->at = now;
	event->kind = report->kind;
	event->direction = report->direction;
	event->refusal = report->refusal;
	event->error = report->error;
	event->shift = report->adj.after;
	event->client = report->client;
	event->server = report->server;
	event->port = report->port;
	if (report->expectation)
		event->data = report->expectation->tuple;
	if (report->expectation && report->expectation->translated)
		event->behind = report->expectation->nat_src;
	snprintf(event->command, sizeof(event->command), "%s", report->command);
	event->from_length = keep_text(event->from, read ? report->from : NULL, report->from_length);
	event->to_length = keep_text(event->to, report->to, report->to_length);
}

void events_put(struct events *events, const struct report *report, uint64_t now)
{
	const unsigned int put = atomic_load_explicit(&events->put, memory_order_relaxed);

	if (report->kind == REPORT_REFUSE)
		note_refusal(events, report, now);
	if (atomic_load_explicit(&events->wanted, memory_order_relaxed) == EVENTS_NONE)
		return;
	if (put - atomic_load_explicit(&events->taken, memory_order_acquire) == EVENTS_MAX) {
		atomic_fetch_add_explicit(&events->lost, 1, memory_order_relaxed);
		return;
	}
	fill(&events->ring[put % EVENTS_MAX], report, now);
	atomic_store_explicit(&events->put, put + 1, memory_order_release);
}

bool events_take(struct events *events, struct event *event)
{
	const unsigned int taken = atomic_load_explicit(&events->taken, memory_order_relaxed);

	if (atomic_load_explicit(&events->put, memory_order_acquire) == taken)
		return false;
	*event = events->ring[taken % EVENTS_MAX];
	atomic_store_explicit(&events->taken, taken + 1, memory_order_release);
	return true;
}

void events_want(struct events *events, enum events_wanted wanted)
{
	struct event left;

	if (wanted != EVENTS_NONE && atomic_load(&events->wanted) == EVENTS_NONE)
		while (events_take(events, &left))
			;
	atomic_store(&events->wanted, (int)wanted);
}

bool events_last(const struct events *events, enum refusal refusal, struct last_refusal *last)
{
	return snapshot_read(&events->last[refusal].version, events->last[refusal].words, last,
			     SNAPSHOT_WORDS(struct last_refusal)) &&
	       last->at;
}
