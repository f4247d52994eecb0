/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiting - an argument that has to wait: since when, and how often it has come again. One a direction, in the session's work slot.
 * Internal to core.
 */
#ifndef CORE_WAITING_H
#define CORE_WAITING_H

#include "passage.h"

/* What is known of how the argument at @start has waited; NULL: it has not had to. */
const struct waiting *waiting_at(const struct passage *passage, uint32_t start);

/* An argument waits; count how often it has come again, well apart, and how often with nothing before it. */
void waiting_note(struct passage *passage, uint32_t start);

/* For how long has the argument at @start had to wait? 0: for the first time now. */
uint64_t waiting_for(const struct passage *passage, uint32_t start);

/* Has it come again more often than @most times, well apart, this one counted? */
bool waiting_repeated(const struct passage *passage, uint32_t start, uint8_t most);

/* Where one of two things helps, and it cannot be told which: what is at @start comes again; is it the other one's turn? */
bool waiting_turn(struct passage *passage, uint32_t start);

/* What comes before an argument that waits, or may do so, is sent again: its sender has not heard that it has arrived. */
void waiting_note_repeated(struct passage *passage);

/* The same of any segment: an argument waits for an edit, or where something may have passed unseen. */
static inline void waiting_note_earlier(struct passage *passage)
{
	if (passage->stream->in_flight || passage->stream->stale)
		waiting_note_repeated(passage);
}

/*
 * Where packets without payload stay in the kernel, acknowledgements may never be seen. But a sender repeats the first byte that has
 * not been acknowledged (RFC 6298 section 5.4): one that begins with the argument has been told that all before it has arrived, and
 * that nothing from there on has. Once that may be a tail loss probe (RFC 8985), or what was before it lost on its way: so twice.
 */
bool waiting_asks_for(const struct passage *passage, uint32_t start);

#endif
