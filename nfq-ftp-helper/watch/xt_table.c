// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hook's rules begin at its hook_entry and go on, entry by entry, to its policy, behind which the next hook's begin. A jump's target has a number, the place of the chain's first
 * rule; what is below zero is a verdict. A chain ends with an entry that returns, and the next one begins with a target called ERROR, as
 * does the end of all. An entry that has been looked at for a hook is not looked at again.
 */
#include "xt_table.h"

#include <errno.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>

/* Entries lie at multiples of this. */
#define STEP 8

/* A walk from one hook. */
struct chain_walk {
	const struct xt_table *table;
	const struct sought *sought;
	uint8_t *seen;	    /* by place, in steps */
	unsigned int *todo; /* where chains begin that are still to be looked at: an entry adds one at most */
	unsigned int count;
	unsigned int kinds;
};

/* An entry, by what both families have in common. */
struct entry {
	const uint8_t *target;
	size_t room; /* from there to the next one */
	unsigned int next;
};

/* Return: false: what is there is none. */
static bool read_entry(const struct xt_table *table, unsigned int at, struct entry *entry)
{
	const bool six = table->family == STANDING_IPV6;
	const size_t least = six ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	const size_t place =
		six ? offsetof(struct ip6t_entry, target_offset) : offsetof(struct ipt_entry, target_offset);
	uint16_t offsets[2]; /* the target's, the next entry's */

	_Static_assert(offsetof(struct ipt_entry, next_offset) == offsetof(struct ipt_entry, target_offset) + 2, "");
	_Static_assert(offsetof(struct ip6t_entry, next_offset) == offsetof(struct ip6t_entry, target_offset) + 2, "");
	if (at % STEP || at > table->size || table->size - at < least)
		return false;
	memcpy(offsets, table->entries + at + place, sizeof(offsets));
	if (offsets[0] < least || offsets[1] > table->size - at || offsets[1] % STEP ||
	    offsets[1] < offsets[0] + sizeof(struct xt_entry_target))
		return false;
	entry->target = table->entries + at + offsets[0];
	entry->room = offsets[1] - offsets[0];
	entry->next = at + offsets[1];
	return true;
}

static void plan_chain(struct chain_walk *walk, unsigned int at)
{
	if (at < walk->table->size && at % STEP == 0 && !walk->seen[at / STEP])
		walk->todo[walk->count++] = at;
}

/* Return: false: the chain ends here. */
static bool look_at_entry(struct chain_walk *walk, const struct entry *entry)
{
	struct xt_entry_target target;
	char name[sizeof(target.u.user.name) + 1] = "";
	int verdict;

	memcpy(&target, entry->target, sizeof(target));
	memcpy(name, target.u.user.name, sizeof(target.u.user.name));
	if (strcmp(name, XT_ERROR_TARGET) == 0)
		return false;
	if (strcmp(name, XT_STANDARD_TARGET) != 0) {
		walk->kinds |= standing_of_target(walk->sought, name, target.u.user.revision,
						  entry->target + sizeof(target), entry->room - sizeof(target));
		return true;
	}
	if (entry->room < sizeof(target) + sizeof(verdict))
		return false;
	memcpy(&verdict, entry->target + offsetof(struct xt_standard_target, verdict), sizeof(verdict));
	if (verdict >= 0 && (unsigned int)verdict != entry->next)
		plan_chain(walk, (unsigned int)verdict);
	return true;
}

/* @last: the policy of a hook's rules; those of other chains have an end of their own. */
static void walk_chain(struct chain_walk *walk, unsigned int at, unsigned int last)
{
	struct entry entry;

	while (at < walk->table->size && read_entry(walk->table, at, &entry) && !walk->seen[at / STEP]) {
		walk->seen[at / STEP] = 1;
		if (!look_at_entry(walk, &entry) || at == last)
			return;
		at = entry.next;
	}
}

int xt_table_judge(const struct xt_table *table, const struct sought *sought, struct standing *standing)
{
	const size_t places = table->size / STEP + 1;
	struct chain_walk walk = {
		.table = table,
		.sought = sought,
		.seen = malloc(places),
		.todo = calloc(places, sizeof(*walk.todo)),
	};
	const int error = walk.seen && walk.todo ? 0 : -ENOMEM;

	for (unsigned int hook = 0; hook < STANDING_HOOKS && !error; hook++) {
		if (!(table->valid_hooks & (1u << hook)))
			continue;
		memset(walk.seen, 0, places);
		walk.kinds = walk.count = 0;
		plan_chain(&walk, table->hook_entry[hook]);
		while (walk.count)
			walk_chain(&walk, walk.todo[--walk.count], table->underflow[hook]);
		standing->places |= standing_places(walk.kinds, 1u << table->family, 1u << hook);
	}
	free(walk.seen);
	free(walk.todo);
	return error;
}
