/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft - the rules as a table of nftables, `inet nfq_ftp_helper'.
 */
#ifndef RULESET_NFT_H
#define RULESET_NFT_H

#include "backend.h"

#define NFT_TABLE "nfq_ftp_helper"

extern const struct backend nft_backend;

#endif
