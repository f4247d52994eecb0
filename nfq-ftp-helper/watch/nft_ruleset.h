/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_ruleset - nf_tables' rules, and those of iptables over nf_tables, as the kernel tells of them by netlink: which of them
 * queue to us or give the helper, and from which hooks packets come to them.
 *
 * Theory of operation. Objects come in four dumps: tables, chains, helpers, rules. Of a table, chain or helper its name is kept as a hash of 64
 * bits, and of a rule what it does and where it jumps to; nothing else, so that a ruleset of 100,000 rules takes little. Then hooks are handed on
 * from base chains along jumps. Where a rule jumps by a map of verdicts, its table's chains all count as reached: what is in maps is
 * not read, and to miss that rules are gone is better than to say it of rules that are there.
 *
 * The messages are the kernel's; lengths are checked all the same.
 */
#ifndef WATCH_NFT_RULESET_H
#define WATCH_NFT_RULESET_H

#include "standing.h"

#include <linux/netlink.h>

struct nft_table {
	uint64_t id;
	uint64_t handle;
	bool dormant;
	uint8_t mapped; /* hooks from which any of its chains may be reached */
};

struct nft_chain {
	uint64_t id, table;
	uint8_t families; /* enum standing_family, a bit each */
	uint8_t hooks;	  /* from which it is reached, a bit each */
	uint8_t kinds;	  /* what its rules do */
	uint64_t print;	  /* of those that do something */
};

/* A rule of @from jumps to @to; 0: to whatever a map says. */
struct nft_jump {
	uint64_t from, to;
};

struct nft_ruleset {
	const struct sought *sought;
	struct nft_table *tables;
	struct nft_chain *chains;
	struct nft_jump *jumps;
	uint64_t *helpers; /* objects that stand for the helper */
	size_t table_count, chain_count, jump_count, helper_count;
	bool unsteady, no_memory;
};

/* Zeroed but for what is sought, it is empty. */
void nft_ruleset_begin(struct nft_ruleset *ruleset, const struct sought *sought);

/*
 * One object of a dump, of whichever kind: for exchange_walk(). @context: the ruleset. All tables come before all chains, then helpers; then
 * nft_ruleset_sort(), and all rules.
 */
void nft_ruleset_take(void *context, const struct nlmsghdr *object);
void nft_ruleset_sort(struct nft_ruleset *ruleset);

/* What is seen of it, added to @standing. Return: 0, or -ENOMEM. */
int nft_ruleset_judge(struct nft_ruleset *ruleset, struct standing *standing);

void nft_ruleset_end(struct nft_ruleset *ruleset);

#endif
