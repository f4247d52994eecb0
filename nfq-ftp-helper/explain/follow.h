/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow - what is played back, made into a ladder.
 *
 * Its functions are a playback_listener's, with the follower for their context. The bytes shown are put together here, the engine's own
 * findings are what it reports: so a line is shown also where the engine does not read it, and what is said of it is the engine's.
 */
#ifndef EXPLAIN_FOLLOW_H
#define EXPLAIN_FOLLOW_H

#include "ladder.h"
#include "playback/playback.h"

struct follower;

/* Of a ladder, which is borrowed. NULL: no memory. */
struct follower *follow_new(struct ladder *ladder);
void follow_free(struct follower *follower);

/* As a playback_listener's. */
void follow_time(void *follower, const struct timeval *time);
void follow_arrival(void *follower, const struct playback_packet *packet);
void follow_report(void *follower, const struct report *report);
void follow_decision(void *follower, const struct playback_packet *packet, enum playback_fate fate);

/* The capture is at its end: what can be said of all of it is said. */
void follow_end(struct follower *follower);

#endif
