/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probes - what the kernel can, found out by doing it, in a network namespace that is made for that and gone
 * afterwards.
 */
#ifndef CHECK_PROBES_H
#define CHECK_PROBES_H

#include <stdbool.h>

enum probe {
	PROBE_NFT,		/* nft takes anything at all */
	PROBE_NFT_HELPER,	/* `ct helper' objects, and `ct helper set' */
	PROBE_NFT_QUEUE,	/* `queue' */
	PROBE_NFT_LOCAL,	/* `fib saddr type local' */
	PROBE_NFT_PAYLOAD,	/* `@ih,0,8' */
	PROBE_XT_HELPER,	/* CT --helper */
	PROBE_XT_QUEUE,		/* NFQUEUE */
	PROBE_XT_LOCAL,		/* addrtype */
	PROBE_XT_PAYLOAD,	/* bpf */
	PROBE_CTNETLINK,
	PROBE_NFQUEUE,		/* a queue can be bound */
	PROBE_QUEUE_CT,		/* packets come with their connection */
	PROBE_SEQADJ,		/* a connection with helper and NAT takes a sequence adjustment */
	PROBE_EXPECT,		/* it can expect another */
	PROBE_DATA_ALONE,	/* the expected one is not given its master's helper */
	PROBES,
};

enum probe_outcome {
	PROBE_UNTRIED,
	PROBE_YES,
	PROBE_NO,
};

#define PROBE_WHY_MAX 160

struct probe_result {
	enum probe_outcome outcome;
	char why[PROBE_WHY_MAX];	/* of a no, or of one that was not tried */
};

/* Memory that the probing process shares with its parent. */
struct probes {
	struct probe_result result[PROBES];
};

/**
 * probes_run - try everything
 * @probes: filled in
 * @carrier: the kernel's helper that is assigned to connections
 *
 * Return: 0, or a negative errno when there could be no namespace: then nothing was tried.
 */
int probes_run(struct probes *probes, const char *carrier);

/* For the parts of it: */
void probe_set(struct probes *probes, enum probe probe, bool yes, const char *why);
bool probe_can(const struct probes *probes, enum probe probe);

/* probes_packets.c: with packets over the namespace's own loopback. */
void probes_packets_try(struct probes *probes, const char *carrier);

#endif
