// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Who owns the table writes to a slot whenever it likes, with plain stores. Whoever else looks copies the slot, sees that it is not
 * being changed at that moment, copies it again, and believes what was the same both times: each word is then what it was at that moment,
 * when the slot was whole. It is being changed while the undo record names it, which is filled in before the first byte of the slot changes, and
 * cleared behind the last (table_begin(), table_commit()). The moment must lie between the two copies: a change that is interrupted, by a
 * scheduler, for as long as both take would else go unnoticed. Where the record names the slot, it is the record that is whole, and copied instead.
 *
 * A slot that is being made or is on its move has no record, but is free until it is whole (table_place.c). Tries are bounded; nobody waits.
 */
#include "table_layout.h"

#define TRIES 16

/* These reads race with the owner's stores, by design: what is torn is found by comparing. */
#define RACES __attribute__((no_sanitize("thread"), noinline))

RACES static uint32_t look(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Whole words of something that is so aligned. */
RACES static void copy(void *to, const void *from, size_t bytes)
{
	const uint32_t *words = from;

	for (size_t i = 0; i < bytes / sizeof(uint32_t); i++) {
		const uint32_t word = __atomic_load_n(&words[i], __ATOMIC_RELAXED);

		memcpy((char *)to + i * sizeof(uint32_t), &word, sizeof(word));
	}
}

/* The undo record's word for a slot, and the slot: is it named there, as it was when the place to copy from was chosen? */
struct moment {
	const uint32_t *named;
	uint32_t index;
	bool undone;
};

static bool copy_around(const struct moment *moment, void *to, void *again, const void *from, size_t bytes)
{
	bool still;

	copy(to, from, bytes);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	still = (look(moment->named) == moment->index) == moment->undone;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	copy(again, from, bytes);
	return still && memcmp(to, again, bytes) == 0;
}

_Static_assert(sizeof(struct session) % sizeof(uint32_t) == 0, "it is copied by words");

static bool view_session(const struct table *table, uint32_t index, struct session *session)
{
	struct moment moment = { &table->undo.slot, index, false };
	struct session again;

	for (unsigned int tries = 0; tries < TRIES; tries++) {
		moment.undone = look(moment.named) == index;
		if (copy_around(&moment, session, &again,
				moment.undone ? &table->undo.session : table_slot_at(table, index), sizeof(*session)))
			return true;
	}
	return false;
}

_Static_assert(sizeof(struct work) % sizeof(uint32_t) == 0, "it is copied by words");

/* The work slot of session @index; false: it has another owner by now, or none. */
static bool view_work(const struct table *table, uint32_t index, uint32_t number, struct work *work)
{
	struct moment moment = { &table->undo.work, number, false };
	struct work again;

	for (unsigned int tries = 0; tries < TRIES; tries++) {
		moment.undone = look(moment.named) == number;
		if (copy_around(&moment, work, &again,
				moment.undone ? &table->undo.work_copy : table_work_at(table, number), sizeof(*work)))
			return work->owner == index;
	}
	return false;
}

RACES bool table_view(const struct table *table, uint32_t index, struct table_view *view)
{
	const uint8_t *state = &table_slot_at(table, index)->state;
	struct work work;

	view->bound = false;
	view->announcements = 0;
	if (__atomic_load_n(state, __ATOMIC_RELAXED) == SESSION_FREE || !view_session(table, index, &view->session) ||
	    view->session.state == SESSION_FREE || view->session.state == SESSION_HANDSHAKE)
		return false;
	if (!view->session.work || view->session.work > table->size.works ||
	    !view_work(table, index, view->session.work, &work))
		return true;
	view->bound = work.bound;
	view->binding = work.binding;
	view->announcements = work.announcements < ANNOUNCEMENTS_MAX ? work.announcements : ANNOUNCEMENTS_MAX;
	memcpy(view->announcement, work.announcement, sizeof(view->announcement));
	return true;
}
