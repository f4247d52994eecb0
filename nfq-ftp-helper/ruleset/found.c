// SPDX-License-Identifier: GPL-2.0-or-later
#include "found.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GROWTH 64
#define ROOTS_MAX 64

enum found_hook found_hook(const char *name)
{
	static const char *const names[] = {
		[FOUND_HOOK_PREROUTING] = "prerouting", [FOUND_HOOK_INPUT] = "input",
		[FOUND_HOOK_FORWARD] = "forward", [FOUND_HOOK_OUTPUT] = "output",
		[FOUND_HOOK_POSTROUTING] = "postrouting",
	};

	for (unsigned int i = FOUND_HOOK_PREROUTING; i <= FOUND_HOOK_POSTROUTING; i++) {
		if (strcasecmp(name, names[i]) == 0)
			return i;
	}
	return FOUND_HOOK_NONE;
}

/* Room for one more of @count elements; the new one is zeroed. Return: the array, NULL: no memory. */
static void *grow(void *array, size_t count, size_t size)
{
	if (count % GROWTH == 0) {
		array = reallocarray(array, count + GROWTH, size);
		if (!array)
			return NULL;
	}
	memset((char *)array + count * size, 0, size);
	return array;
}

struct found_chain *found_add_chain(struct found *found)
{
	struct found_chain *chains = grow(found->chains, found->chain_count, sizeof(*chains));

	if (!chains)
		return NULL;
	found->chains = chains;
	return &chains[found->chain_count++];
}

struct found_rule *found_add_rule(struct found *found, size_t chain)
{
	struct found_rule *rules = grow(found->rules, found->rule_count, sizeof(*rules));

	if (!rules)
		return NULL;
	found->rules = rules;
	rules[found->rule_count].chain = (unsigned int)chain;
	return &rules[found->rule_count++];
}

size_t found_chain_index(const struct found *found, const char *family, const char *table, const char *name)
{
	for (size_t i = 0; i < found->chain_count; i++) {
		const struct found_chain *chain = &found->chains[i];

		if (strcmp(chain->name, name) == 0 && strcmp(chain->table, table) == 0 &&
		    strcmp(chain->family, family) == 0)
			return i;
	}
	return found->chain_count;
}

bool found_has_port(const struct found *found, unsigned long low, unsigned long high)
{
	for (unsigned int i = 0; i < found->port_count; i++) {
		if (found->ports[i] >= low && found->ports[i] <= high)
			return true;
	}
	return false;
}

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

int found_read(struct found *found)
{
	bool over_nft = false;
	const int errors[] = {
		found_read_iptables(found, false, &over_nft),
		found_read_iptables(found, true, &over_nft),
		found_read_nft(found, over_nft),
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i] == -ENOMEM)
			return -ENOMEM;
		found->readable |= errors[i] == 0;
	}
	find_roots(found);
	return 0;
}

void found_free(struct found *found)
{
	free(found->chains);
	free(found->rules);
	*found = (struct found){ 0 };
}
