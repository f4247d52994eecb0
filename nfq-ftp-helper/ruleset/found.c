// SPDX-License-Identifier: GPL-2.0-or-later
#include "found.h"

#include "output/pasted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum found_hook found_hook(const char *name)
{
	static const char *const names[] = {
		[FOUND_HOOK_PREROUTING] = "prerouting",	  [FOUND_HOOK_INPUT] = "input",
		[FOUND_HOOK_FORWARD] = "forward",	  [FOUND_HOOK_OUTPUT] = "output",
		[FOUND_HOOK_POSTROUTING] = "postrouting",
	};

	for (unsigned int i = FOUND_HOOK_PREROUTING; i <= FOUND_HOOK_POSTROUTING; i++) {
		if (strcasecmp(name, names[i]) == 0)
			return i;
	}
	return FOUND_HOOK_NONE;
}

struct found_table *found_add_table(struct found *found)
{
	struct found_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->next = found->tables;
	found->tables = table;
	return table;
}

struct found_chain *found_add_chain(struct found *found)
{
	struct found_chain *chain = calloc(1, sizeof(*chain));

	if (!chain)
		return NULL;
	*(found->chains ? &found->last_chain->next : &found->chains) = chain;
	found->last_chain = chain;
	return chain;
}

struct found_rule *found_add_rule(struct found *found, struct found_chain *chain)
{
	struct found_rule *rule = calloc(1, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->chain = chain;
	*(found->rules ? &found->last_rule->next : &found->rules) = rule;
	found->last_rule = rule;
	return rule;
}

struct found_table *found_table(const struct found *found, const char *family, const char *name)
{
	struct found_table *table = found->tables;

	while (table && (strcmp(table->name, name) != 0 || strcmp(table->family, family) != 0))
		table = table->next;
	return table;
}

struct found_chain *found_chain(const struct found *found, const char *family, const char *table, const char *name)
{
	struct found_chain *chain = found->chains;

	while (chain && (strcmp(chain->name, name) != 0 || strcmp(chain->table, table) != 0 ||
			 strcmp(chain->family, family) != 0))
		chain = chain->next;
	return chain;
}

bool found_has_port(const struct found *found, unsigned long low, unsigned long high)
{
	for (unsigned int i = 0; i < found->ports->count; i++) {
		if (found->ports->port[i] >= low && found->ports->port[i] <= high)
			return true;
	}
	return false;
}

bool found_is_idle(const struct found *found, const struct found_chain *chain)
{
	const struct found_rule *rule = found->rules;

	while (rule && rule->chain != chain)
		rule = rule->next;
	return chain && chain->hook != FOUND_HOOK_NONE && !chain->drops && !rule;
}

bool found_is_under(const struct found_rule *rule, const struct found_chain *root)
{
	return root->hook != FOUND_HOOK_NONE && rule->chain->roots >> root->root & 1;
}

bool found_has_line(const struct found *found, const char *family, const char *table, const char *line)
{
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (rule->line && strcmp(rule->line, line) == 0 && strcmp(rule->chain->table, table) == 0 &&
		    strcmp(rule->chain->family, family) == 0)
			return true;
	}
	return false;
}

bool found_is_plain(const struct found_rule *rule)
{
	return !rule->states && !rule->narrow && !rule->marked && !rule->labelled && !rule->if_helper[0] &&
	       rule->ports == FOUND_PORTS_ANY;
}

bool found_asks_for_ports(const struct found_rule *rule)
{
	return rule->ports == FOUND_PORTS_OURS || (rule->ports == FOUND_PORTS_ANY && rule->chain->has_ports);
}

bool found_asks_for(const struct found_rule *rule, uint16_t port)
{
	for (unsigned int i = 0; i < rule->asked_count; i++) {
		if (port >= rule->asked[i].low && port <= rule->asked[i].high)
			return true;
	}
	return false;
}

void found_ask(const struct found *found, struct found_rule *rule, unsigned long low, unsigned long high)
{
	if (found_has_port(found, low, high))
		rule->ports = FOUND_PORTS_OURS;
	else if (rule->ports == FOUND_PORTS_ANY)
		rule->ports = FOUND_PORTS_OTHER;
	if (rule->asked_count < FOUND_ASKED_MAX && low <= UINT16_MAX && high <= UINT16_MAX)
		rule->asked[rule->asked_count++] = (struct found_asked){ .low = (uint16_t)low, .high = (uint16_t)high };
}

/* Does a shell hand it on word by word, as iptables-save has it? A comment in "..." may have what a shell obeys there. */
static bool pastes_as_it_is(const char *line)
{
	while (pasted_is_plain(*line) || *line == ' ' || *line == '"' || (line[0] == '!' && line[1] == ' '))
		line++;
	return !*line;
}

/* As iptables counts: the chain's first is 1. */
static unsigned int number_of(const struct found *found, const struct found_rule *rule)
{
	unsigned int number = 1;

	for (const struct found_rule *other = found->rules; other != rule; other = other->next)
		number += other->chain == rule->chain;
	return number;
}

void found_name_line(const struct found *found, struct found_rule *rule, const char *program, const char *table)
{
	char chain[FOUND_PASTED_MAX];
	int length;

	snprintf(rule->text, sizeof(rule->text), "%.20s -t %.20s %.200s", program, table, rule->line);
	length = snprintf(rule->removal, sizeof(rule->removal), "%s -t %s -D%s", program, table,
			  rule->line + strlen("-A"));
	if (length < (int)sizeof(rule->removal) && pastes_as_it_is(rule->line))
		return;
	snprintf(rule->removal, sizeof(rule->removal), "%.20s -t %.63s -D %s %u", program, table,
		 pasted(rule->chain->name, chain, sizeof(chain)), number_of(found, rule));
}

void found_free(struct found *found)
{
	while (found->rules) {
		struct found_rule *rule = found->rules;

		found->rules = rule->next;
		free(rule->line);
		free(rule);
	}
	while (found->chains) {
		struct found_chain *chain = found->chains;

		found->chains = chain->next;
		free(chain);
	}
	while (found->tables) {
		struct found_table *table = found->tables;

		found->tables = table->next;
		free(table);
	}
	*found = (struct found){ 0 };
}
