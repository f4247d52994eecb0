// SPDX-License-Identifier: GPL-2.0-or-later
#include "waiting.h"

#define WAITING_APART (TCP_TIMEOUT_LEAST + 50) /* milliseconds: what comes later was sent again */

const struct waiting *waiting_at(const struct passage *passage, uint32_t start)
{
	const struct work *work = passage_work(passage);
	const struct waiting *waiting = work ? &work->waiting[passage->turn->direction] : NULL;

	return waiting && waiting->since && waiting->start == start ? waiting : NULL;
}

void waiting_note(struct passage *passage, uint32_t start)
{
	struct work *work = passage_work_change(passage);
	struct waiting *waiting = work ? &work->waiting[passage->turn->direction] : NULL;

	if (!waiting)
		return;
	if (!waiting->since || waiting->start != start) {
		*waiting = (struct waiting){ .since = passage->turn->now, .last = passage->turn->now, .start = start };
	} else if (passage->turn->now - waiting->last >= WAITING_APART) {
		waiting->last = passage->turn->now;
		waiting->repeats += waiting->repeats < UINT8_MAX;
		waiting->sightings += passage->start == start && waiting->sightings < UINT8_MAX;
	}
	if (seq_before(passage->start, start))
		waiting->sightings = 0;
}

uint64_t waiting_for(const struct passage *passage, uint32_t start)
{
	const struct waiting *waiting = waiting_at(passage, start);

	return waiting ? passage->turn->now - waiting->since : 0;
}

bool waiting_repeated(const struct passage *passage, uint32_t start, uint8_t most)
{
	const struct waiting *waiting = waiting_at(passage, start);

	return waiting && waiting->repeats + (passage->turn->now - waiting->last >= WAITING_APART) > most;
}

bool waiting_turn(struct passage *passage, uint32_t start)
{
	const struct waiting *waiting;

	waiting_note(passage, start);
	waiting = waiting_at(passage, start);
	return waiting && waiting->repeats & 1;
}

void waiting_note_repeated(struct passage *passage)
{
	const struct work *work = passage_work(passage);
	const enum direction direction = passage->turn->direction;

	if (!work || !work->waiting[direction].since || seq_after(passage->end, work->waiting[direction].start))
		return;
	passage_work_change(passage)->waiting[direction].last = passage->turn->now;
	passage_work_change(passage)->waiting[direction].sightings = 0;
}

bool waiting_asks_for(const struct passage *passage, uint32_t start)
{
	const struct waiting *waiting = waiting_at(passage, start);

	return waiting && passage->start == start && passage->turn->now - waiting->last >= WAITING_APART &&
	       waiting->sightings;
}
