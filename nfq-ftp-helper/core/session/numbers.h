/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers - of a connection picked up in the middle: where its two streams are; of any: whether a packet's are its own. Internal to core.
 */
#ifndef CORE_NUMBERS_H
#define CORE_NUMBERS_H

#include "core/engine/turn.h"

/*
 * Anybody's packet can be the first that is seen of it. So numbers are taken up only where a packet of one direction and the next
 * of the other agree on them; until then packets pass unread. Return: true when the numbers are known.
 */
bool numbers_agree(const struct turn *turn, const struct segment *segment);

/*
 * Is a packet of this connection at all, or of another with the same ports? The session may be of a handshake that somebody has played, and with it
 * he chose the windows, so that all numbers lie in one. Far: a control connection's own numbers are near what is due, but for late copies. Of another:
 * both of its numbers are far also from all that has not been acknowledged. Where bytes have passed unseen, that may be so of the connection's own.
 */
bool numbers_far(const struct turn *turn, const struct segment *segment);
bool numbers_of_another(const struct turn *turn, const struct segment *segment);

#endif
