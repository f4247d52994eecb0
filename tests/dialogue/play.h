/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * play - a script's two ends speak over TCP, through the engine and the model of conntrack and NAT, and open their data connections.
 *
 * Nothing is lost or reordered between them (tests/sim does that); what the engine holds back or cuts is sent again, as TCP does. Whoever dials
 * reads where to from the text that has arrived.
 */
#ifndef DIALOGUE_PLAY_H
#define DIALOGUE_PLAY_H

#include "script.h"

#define PLAY_WHY 256

struct played {
	unsigned int carried; /* data connections let in */
	char why[PLAY_WHY];   /* what was wrong; empty: nothing */
};

void play(const struct script *script, struct played *played);

#endif
