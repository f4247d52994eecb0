// SPDX-License-Identifier: GPL-2.0-or-later
#include "found_read.h"

#include <errno.h>

#define ROOTS_MAX 64

/* What a jump hands on. Return: whether that changed anything. */
static bool follow_jump(struct found *found, const struct found_rule *rule)
{
	const struct found_chain *from = &found->chains[rule->chain];
	size_t target = found_chain_index(found, from->family, from->table, rule->target);
	struct found_chain before;

	if (target == found->chain_count)
		return false;
	before = found->chains[target];
	found->chains[target].roots |= from->roots;
	found->chains[target].has_ports |= from->has_ports || rule->ports == FOUND_PORTS_OURS;
	return found->chains[target].roots != before.roots || found->chains[target].has_ports != before.has_ports;
}

/* Which base chains lead to which chain. */
static void find_roots(struct found *found)
{
	unsigned int roots = 0;
	bool changed = true;

	for (size_t i = 0; i < found->chain_count; i++) {
		struct found_chain *chain = &found->chains[i];

		if (chain->hook == FOUND_HOOK_NONE || roots == ROOTS_MAX)
			continue;
		chain->root = roots;
		chain->roots = 1ull << roots++;
	}
	while (changed) {
		changed = false;
		for (size_t i = 0; i < found->rule_count; i++) {
			if (found->rules[i].verdict == FOUND_JUMP)
				changed |= follow_jump(found, &found->rules[i]);
		}
	}
}

void found_read_ports(struct found *found, const struct ports *ports)
{
	found->ports = ports;
	for (size_t i = 0; i < found->rule_count; i++) {
		struct found_rule *rule = &found->rules[i];

		if (rule->asked_count)
			rule->ports = FOUND_PORTS_OTHER;
		for (unsigned int j = 0; j < rule->asked_count; j++) {
			if (found_has_port(found, rule->asked[j].low, rule->asked[j].high))
				rule->ports = FOUND_PORTS_OURS;
		}
	}
	for (size_t i = 0; i < found->chain_count; i++)
		found->chains[i].has_ports = false;
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
