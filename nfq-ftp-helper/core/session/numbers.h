/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers - of a connection picked up in the middle: where its two streams are. Internal to core.
 */
#ifndef CORE_NUMBERS_H
#define CORE_NUMBERS_H

#include "core/engine/turn.h"

/*
 * Anybody's packet can be the first that is seen of it. So numbers are taken up only where a packet of one direction and the next
 * of the other agree on them; until then packets pass unread. Return: true when the numbers are known.
 */
bool numbers_agree(const struct turn *turn, const struct segment *segment);

#endif
