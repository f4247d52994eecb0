/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * found_nft - what `nft -j list ruleset' says.
 */
#ifndef RULESET_FOUND_NFT_H
#define RULESET_FOUND_NFT_H

#include "found.h"

/**
 * found_nft_read - add it to @found
 * @iptables_over_nft: tables that iptables-save has told of already are left to that, which knows what is in them
 *
 * Return: 0; -ENOENT: there is no nft; another negative errno.
 */
int found_nft_read(struct found *found, bool iptables_over_nft);

#endif
