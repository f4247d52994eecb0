/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * part - how many data connections the module may expect at a time, and a client of these, without user space's being asked: another one
 * while the client has fewer than are free, as everywhere (core/engine/share.h). Freestanding.
 *
 * Nobody tells the module of an expectation's end. So both numbers are the most that there can be, what was counted once and all that came since, and
 * are counted anew where they do not fit.
 */
#ifndef CORE_PLAIN_PART_H
#define CORE_PLAIN_PART_H

#include "core/wire/types.h"

struct part {
	uint32_t mine; /* the client's, at most */
	uint32_t all;  /* the module's, at most */
};

/* May the client have another one, of so many? */
static inline bool part_fits(const struct part *part, uint32_t most)
{
	return part->all < most && part->mine < most - part->all;
}

#endif
