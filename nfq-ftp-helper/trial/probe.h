/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe - one thing that the kernel can or cannot, found out by doing it.
 */
#ifndef TRIAL_PROBE_H
#define TRIAL_PROBE_H

#include <stdbool.h>

enum probe {
	PROBE_NFT,	   /* nft takes anything at all */
	PROBE_NFT_HELPER,  /* `ct helper' objects, and `ct helper set' */
	PROBE_NFT_QUEUE,   /* `queue' */
	PROBE_NFT_LOCAL,   /* `fib saddr type local' */
	PROBE_NFT_PAYLOAD, /* `@ih,0,8' */
	PROBE_XT_HELPER,   /* CT --helper */
	PROBE_XT_QUEUE,	   /* NFQUEUE */
	PROBE_XT_LOCAL,	   /* addrtype */
	PROBE_XT_PAYLOAD,  /* bpf */
	PROBE_CTNETLINK,
	PROBE_NFQUEUE,	  /* a queue can be bound */
	PROBE_QUEUE_CT,	  /* packets come with their connection */
	PROBE_MANGLE,	  /* packets whose contents are changed go on */
	PROBE_SEQADJ,	  /* a connection with helper and NAT takes a sequence adjustment */
	PROBE_EXPECT,	  /* it can expect another */
	PROBE_DATA_ALONE, /* the expected one is not given its master's helper */
	PROBES,
};

#define PROBE_BIT(probe) (1u << (probe))

enum probe_outcome {
	PROBE_UNTRIED,
	PROBE_YES,
	PROBE_NO,
};

#define PROBE_WHY_MAX 160

struct probe_result {
	enum probe_outcome outcome;
	char why[PROBE_WHY_MAX]; /* of a no, or of one that was not tried */
};

/* Memory that the probing process shares with its parent. */
struct probes {
	struct probe_result result[PROBES];
};

/* @why: of a no, and copied. */
void probe_set(struct probes *probes, enum probe probe, bool yes, const char *why);

/* These were not tried, a bit each. */
void probe_skip(struct probes *probes, unsigned int skipped, const char *why);

bool probe_can(const struct probes *probes, enum probe probe);

/* What takes packets to find out, over the namespace's own loopback. @wanted: a bit each. For a process that ends then: what is opened stays open. */
void probes_packets_try(struct probes *probes, const char *carrier, unsigned int wanted);

/* Give rules to nft, or to another of iptables-restore's kind; a %s in @rules is the carrier. Return: as program_run(). */
int probe_rules(const char *program, const char *rules, const char *carrier, char *complaint);

#endif
