/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passed - the second door: what the kernel module let pass without queueing it, as its notes tell (scan.h).
 */
#ifndef CORE_PASSED_H
#define CORE_PASSED_H

#include "core/engine/turn.h"
#include "core/wire/scan.h"

/**
 * passed_input - take up the kernel module's note of what passed without being queued
 * @engine: the engine
 * @arrival: a packet that carries a note, from session_arrive()
 * @now: as for session_input()
 * @note: the note
 *
 * Call it before session_input() of the same packet.
 */
void passed_input(struct engine *engine, struct arrival *arrival, uint64_t now, const struct scan_note *note);

/* The same where no packet has brought it: conntrack was asked. The session has been begun to change. */
void passed_note(struct turn *turn, const struct scan_note *note);

#endif
