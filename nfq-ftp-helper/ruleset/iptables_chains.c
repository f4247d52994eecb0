// SPDX-License-Identifier: GPL-2.0-or-later
#include "iptables_chains.h"

#include "found.h"
#include "host/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 256

const struct iptables_family iptables_families[IPTABLES_FAMILIES] = {
	{ "IPv4", "iptables", "iptables-restore", "ip", false,
	  "22,48 0 0 0,84 0 0 240,21 0 18 64,40 0 0 2,2 0 0 1,48 0 0 0,84 0 0 15,100 0 0 2,7 0 0 5,96 0 0 1,28 0 0 0,"
	  "2 0 0 5,177 0 0 0,80 0 0 12,84 0 0 240,116 0 0 2,7 0 0 9,96 0 0 5,28 0 0 0,37 0 1 0,6 0 0 262144,6 0 0 0" },
	{ "IPv6", "ip6tables", "ip6tables-restore", "ip6", true,
	  "13,48 0 0 0,84 0 0 240,21 0 9 96,40 0 0 4,2 0 0 1,48 0 0 52,84 0 0 240,116 0 0 2,7 0 0 5,96 0 0 1,45 0 1 0,"
	  "6 0 0 262144,6 0 0 0" },
};

const struct iptables_own iptables_own[IPTABLES_OWN] = {
	[IPTABLES_OWN_QUEUE] = { "mangle", NULL, IPTABLES_PREFIX "QUEUE", 0 },
	[IPTABLES_OWN_FORWARD] = { "mangle", "FORWARD", IPTABLES_PREFIX "FORWARD", 'A' },
	[IPTABLES_OWN_INPUT] = { "mangle", "INPUT", IPTABLES_PREFIX "INPUT", 'A' },
	[IPTABLES_OWN_POSTROUTING] = { "mangle", "POSTROUTING", IPTABLES_PREFIX "POSTROUTING", 'A' },
	[IPTABLES_OWN_MARK_PREROUTING] = { "mangle", "PREROUTING", IPTABLES_MARK_PREFIX "PREROUTING", 'I' },
	[IPTABLES_OWN_MARK_OUTPUT] = { "mangle", "OUTPUT", IPTABLES_MARK_PREFIX "OUTPUT", 'I' },
	[IPTABLES_OWN_PREROUTING] = { "raw", "PREROUTING", IPTABLES_PREFIX "PREROUTING", 'I' },
	[IPTABLES_OWN_OUTPUT] = { "raw", "OUTPUT", IPTABLES_PREFIX "OUTPUT", 'I' },
};

/* ---- looking ---- */

/* Ours of this name; NULL: none. A stranger's may begin like ours. */
static const struct iptables_own *own_of_name(const char *name)
{
	for (unsigned int i = 0; i < IPTABLES_OWN; i++) {
		if (strcmp(iptables_own[i].name, name) == 0)
			return &iptables_own[i];
	}
	return NULL;
}

static bool has_made(const struct found *found, const struct iptables_family *family, const struct iptables_own *own,
		     const char *what)
{
	char line[LINE_MAX_BYTES];

	snprintf(line, sizeof(line), "-A %s -m comment --comment \"%s\"", own->name, what);
	return found_has_line(found, family->nft, own->table, line);
}

static void look_at_own(struct iptables_own_state *state, const struct found *found,
			const struct iptables_family *family, const struct iptables_own *own)
{
	char jump[LINE_MAX_BYTES];

	snprintf(jump, sizeof(jump), "-A %s -j %s", own->base ? own->base : "", own->name);
	state->exists = found_chain(found, family->nft, own->table, own->name);
	state->jumped = found_has_line(found, family->nft, own->table, jump);
	state->made_chain = has_made(found, family, own, IPTABLES_MADE_CHAIN);
	state->made_table = has_made(found, family, own, IPTABLES_MADE_TABLE);
}

/* How to get back a rule that is ours, or jumps to us, as iptables has it; '\0': it is neither. */
static char way_back(const struct found_rule *rule)
{
	const struct iptables_own *target = own_of_name(rule->target);

	if (own_of_name(rule->chain->name))
		return 'A';
	if (target)
		return target->jump;
	return '\0';
}

/* What is ours in one table, for the case that we must go back to it. */
static void keep_table(const struct found *found, const char *table, FILE *kept)
{
	bool begun = false;

	for (const struct found_chain *chain = found->chains; chain; chain = chain->next) {
		if (strcmp(chain->table, table) != 0 || !own_of_name(chain->name))
			continue;
		fprintf(kept, "%s%s%s:%s - [0:0]\n", begun ? "" : "*", begun ? "" : table, begun ? "" : "\n",
			chain->name);
		begun = true;
	}
	for (const struct found_rule *rule = found->rules; rule && begun; rule = rule->next) {
		const char command = way_back(rule);

		if (strcmp(rule->chain->table, table) == 0 && command)
			fprintf(kept, "-%c%s\n", command, rule->line + 2);
	}
	if (begun)
		fputs("COMMIT\n", kept);
}

static int keep(const struct found *found, struct iptables_state *state)
{
	size_t length;
	FILE *kept = open_memstream(&state->before, &length);

	if (!kept)
		return -ENOMEM;
	keep_table(found, "raw", kept);
	keep_table(found, "mangle", kept);
	return fclose(kept) == 0 ? 0 : -ENOMEM;
}

int iptables_chains_look(const struct iptables_family *family, struct iptables_state *state, char *complaint)
{
	static const struct ports no_ports;
	struct found found = { .ports = &no_ports };
	bool over_nft = false;
	int error = found_iptables_read(&found, family->ipv6, &over_nft, complaint);

	memset(state, 0, sizeof(*state));
	for (unsigned int i = 0; i < IPTABLES_OWN && !error; i++)
		look_at_own(&state->own[i], &found, family, &iptables_own[i]);
	if (!error)
		error = keep(&found, state);
	found_free(&found);
	return error;
}

/* ---- what iptables makes ---- */

/* Does iptables work over nf_tables, and is there an nft to look at that? Then @found is filled in. */
static bool look_below(const struct iptables_family *family, struct found *found)
{
	static const struct ports no_ports;
	const char *const version[] = { family->program, "--version", NULL };
	char *text = NULL;
	const bool over_nft = program_run(version, NULL, &text, NULL) == 0 && strstr(text, "nf_tables");

	free(text);
	*found = (struct found){ .ports = &no_ports };
	return over_nft && found_nft_read(found, false) == 0;
}

void iptables_chains_foresee(const struct iptables_family *family, struct iptables_state *state)
{
	struct found found;
	const bool known = look_below(family, &found);

	for (unsigned int i = 0; i < IPTABLES_OWN && known; i++) {
		const struct iptables_own *own = &iptables_own[i];
		struct iptables_own_state *state_of = &state->own[i];

		if (!state_of->wanted || state_of->jumped || !own->base)
			continue;
		state_of->made_table |= !found_table(&found, family->nft, own->table);
		state_of->made_chain |= !found_chain(&found, family->nft, own->table, own->base);
	}
	found_free(&found);
}

static void drop_base_chain(const struct iptables_family *family, const struct found *found,
			    const struct iptables_own *own)
{
	const char *const argv[] = { family->program, "-w", "5", "-t", own->table, "-X", own->base, NULL };

	if (found_is_idle(found, found_chain(found, family->nft, own->table, own->base)))
		(void)program_run(argv, NULL, NULL, NULL);
}

static void drop_table(const struct iptables_family *family, const struct found *found, const struct iptables_own *own)
{
	const char *const argv[] = { "nft", "delete", "table", family->nft, own->table, NULL };
	const struct found_table *table = found_table(found, family->nft, own->table);

	if (table && table->contents == 0)
		(void)program_run(argv, NULL, NULL, NULL);
}

/* What was made for us, and is not wanted any more: its tables, or its base chains. */
static void drop_made(const struct iptables_family *family, const struct iptables_state *state, bool tables)
{
	struct found found;
	const bool known = look_below(family, &found);

	for (unsigned int i = 0; i < IPTABLES_OWN && known; i++) {
		const struct iptables_own_state *own = &state->own[i];

		if (own->wanted || !(tables ? own->made_table : own->made_chain))
			continue;
		(tables ? drop_table : drop_base_chain)(family, &found, &iptables_own[i]);
	}
	found_free(&found);
}

void iptables_chains_tidy(const struct iptables_family *family, const struct iptables_state *state)
{
	bool chains = false, tables = false;

	for (unsigned int i = 0; i < IPTABLES_OWN; i++) {
		chains |= state->own[i].made_chain && !state->own[i].wanted;
		tables |= state->own[i].made_table && !state->own[i].wanted;
	}
	if (chains)
		drop_made(family, state, false);
	if (tables)
		drop_made(family, state, true);
}
