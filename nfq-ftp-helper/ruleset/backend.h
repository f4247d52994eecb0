/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend - one way to write rules, and to put them in place.
 */
#ifndef RULESET_BACKEND_H
#define RULESET_BACKEND_H

#include "request.h"

struct backend {
	const char *name; /* for options, and of the program */

	/* Write the rules as its program takes them, as if none of them were there. */
	void (*write)(const struct request *request, FILE *out);

	/*
	 * Put them in place; ours that are there are replaced, in one step. What fails is said on standard error, in one
	 * sentence; then everything is as it was. Return: 0, or a negative errno.
	 */
	int (*apply)(const struct request *request);

	/*
	 * Take ours away, and what had to be made for them. Return: 0, also where there was nothing; a negative errno when
	 * it failed, which has been said.
	 */
	int (*remove)(void);

	/* Would the kernel take them? Return: 0, or a negative errno. NULL: it cannot be asked. */
	int (*check)(const struct request *request);
};

#define NFT_NAME      "nft"
#define IPTABLES_NAME "iptables"

/* A table of nftables, `inet nfq_ftp_helper'. */
#define NFT_TABLE "nfq_ftp_helper"
extern const struct backend nft_backend;

/* Chains of iptables and ip6tables. */
extern const struct backend iptables_backend;

#endif
