/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft - the rules as a table of nftables, `inet nfq_ftp_helper'.
 */
#ifndef RULESET_NFT_H
#define RULESET_NFT_H

#include "request.h"

#define NFT_TABLE "nfq_ftp_helper"

/* Write the table. */
void nft_write(const struct ruleset_request *request, FILE *out);

/**
 * nft_apply - put the table in place, in one transaction; a table that is there is replaced
 * @request: what it is to hold
 *
 * What fails is said on standard error, in one sentence.
 *
 * Return: 0 or a negative errno.
 */
int nft_apply(const struct ruleset_request *request);

/* Take the table away. Return: 0, also where there was none; a negative errno when that failed, which has been said. */
int nft_remove(void);

/* Would the kernel take these rules from nft? -ENOENT: there is no nft program. */
int nft_check(const struct ruleset_request *request);

#endif
