/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xt_table - a table of iptables-legacy or ip6tables-legacy, as the kernel hands it over: one piece of memory, entry behind entry, each with
 * the place of its target and of the next one; chains are where jumps lead to.
 */
#ifndef WATCH_XT_TABLE_H
#define WATCH_XT_TABLE_H

#include "standing.h"

struct xt_table {
	enum standing_family family;
	unsigned int valid_hooks; /* which of these begin here, a bit each */
	unsigned int hook_entry[STANDING_HOOKS];
	unsigned int underflow[STANDING_HOOKS]; /* their policies */
	const uint8_t *entries;
	size_t size;
};

/**
 * xt_table_judge - what is seen of it, added to @standing
 * @table: of any content; what leads out of it is not followed
 *
 * Return: 0, or -ENOMEM.
 */
int xt_table_judge(const struct xt_table *table, const struct sought *sought, struct standing *standing);

#endif
