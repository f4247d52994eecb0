/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_rule - one rule of nf_tables: what its expressions do.
 */
#ifndef WATCH_NFT_RULE_H
#define WATCH_NFT_RULE_H

#include "standing.h"

#include <linux/netlink.h>

struct nft_rule {
	unsigned int kinds;	     /* bits of enum standing_kind */
	const struct nlattr *target; /* the chain that it jumps to, by name; NULL: it does not */
	bool maps;		     /* it jumps to whatever a map says */
	const struct nlattr *helper; /* the helper object that it refers to, by name; NULL: it does not */
	bool maps_helper;	     /* it gives whichever helper a map says */
};

/* @expressions: NFTA_RULE_EXPRESSIONS, of at least an attribute's header. What cannot be read is no expression of interest. */
void nft_rule_read(struct nft_rule *rule, const struct sought *sought, const struct nlattr *expressions);

#endif
