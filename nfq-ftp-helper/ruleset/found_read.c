// SPDX-License-Identifier: GPL-2.0-or-later
#include "found_read.h"

#include <errno.h>

#define ROOTS_MAX 64

/* What a jump hands on. Return: whether that changed anything. */
static bool follow_jump(const struct found *found, const struct found_rule *rule)
{
	const struct found_chain *from = rule->chain;
	struct found_chain *to = found_chain(found, from->family, from->table, rule->target), before;

	if (!to)
		return false;
	before = *to;
	to->roots |= from->roots;
	to->has_ports |= from->has_ports || rule->ports == FOUND_PORTS_OURS;
	return to->roots != before.roots || to->has_ports != before.has_ports;
}

/* Which base chains lead to which chain. */
static void find_roots(const struct found *found)
{
	unsigned int roots = 0;
	bool changed = true;

	for (struct found_chain *chain = found->chains; chain; chain = chain->next) {
		if (chain->hook == FOUND_HOOK_NONE || roots == ROOTS_MAX)
			continue;
		chain->root = roots;
		chain->roots = 1ull << roots++;
	}
	while (changed) {
		changed = false;
		for (const struct found_rule *rule = found->rules; rule; rule = rule->next)
			changed |= rule->verdict == FOUND_JUMP && follow_jump(found, rule);
	}
}

void found_read_ports(struct found *found, const struct ports *ports)
{
	found->ports = ports;
	for (struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (rule->asked_count)
			rule->ports = FOUND_PORTS_OTHER;
		for (unsigned int i = 0; i < rule->asked_count; i++) {
			if (found_has_port(found, rule->asked[i].low, rule->asked[i].high))
				rule->ports = FOUND_PORTS_OURS;
		}
	}
	for (struct found_chain *chain = found->chains; chain; chain = chain->next)
		chain->has_ports = false;
	find_roots(found);
}

int found_read(struct found *found)
{
	bool over_nft = false;
	int errors[3];

	errors[0] = found_iptables_read(found, false, &over_nft, NULL);
	errors[1] = found_iptables_read(found, true, &over_nft, NULL);
	errors[2] = found_nft_read(found, over_nft);

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i] == -ENOMEM)
			return -ENOMEM;
		found->readable |= errors[i] == 0;
	}
	find_roots(found);
	return 0;
}
