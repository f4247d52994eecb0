/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iptables_chains - this program's own chains of iptables and ip6tables: which of them are there, and which base chains
 * and tables had to be made for them; and, in iptables_write.c, how they are written.
 */
#ifndef RULESET_IPTABLES_CHAINS_H
#define RULESET_IPTABLES_CHAINS_H

#include "request.h"

#include <stdbool.h>

/* Of all our chains' names. */
#define IPTABLES_PREFIX "NFQ_FTP_"

/* And of those that take the mark off data connections: no packet is queued there. */
#define IPTABLES_MARK_PREFIX IPTABLES_PREFIX "MARK_"

struct iptables_family {
	const char *name;
	const char *program;
	const char *restore;
	const char *nft; /* nft's name of it */
	bool ipv6;
	const char *payload; /* classic BPF (tcpdump -ddd -y RAW): the TCP payload is not empty */
};

#define IPTABLES_FAMILIES 2
extern const struct iptables_family iptables_families[IPTABLES_FAMILIES];

/* Our chains. */
enum {
	IPTABLES_OWN_QUEUE, /* the others of its table jump here: so it is the first to be made, and the last to go */
	IPTABLES_OWN_FORWARD,
	IPTABLES_OWN_INPUT,
	IPTABLES_OWN_POSTROUTING,
	IPTABLES_OWN_MARK_PREROUTING, /* from here on: in all modes */
	IPTABLES_OWN_MARK_OUTPUT,
	IPTABLES_OWN_PREROUTING,
	IPTABLES_OWN_OUTPUT,
	IPTABLES_OWN,
};

struct iptables_own {
	const char *table;
	const char *base; /* NULL: nothing jumps here but our own chains */
	const char *name;
	char jump; /* how a jump is added to the base chain: 'I', first, or 'A', last */
};

extern const struct iptables_own iptables_own[IPTABLES_OWN];

/* Rules in our chains that are comments: what had to be made for them. */
#define IPTABLES_MADE_CHAIN "nfq-ftp-helper made this base chain"
#define IPTABLES_MADE_TABLE "nfq-ftp-helper made this table"

/* How each of them is, and is to be. */
struct iptables_own_state {
	bool wanted;
	bool exists;
	bool jumped;
	bool made_chain; /* the base chain was made for us */
	bool made_table;
};

struct iptables_state {
	struct iptables_own_state own[IPTABLES_OWN];
	char *before; /* what was ours, as iptables-restore takes it */
};

/**
 * iptables_chains_look - how they are
 * @family: of which
 * @state: filled in; nothing is wanted. Its text is the caller's to free, also on failure
 * @complaint: as program_run()'s
 *
 * Return: 0; -ENOENT: there is no iptables; another negative errno.
 */
int iptables_chains_look(const struct iptables_family *family, struct iptables_state *state, char *complaint);

/* Note which tables and base chains will have to be made for what is wanted. */
void iptables_chains_foresee(const struct iptables_family *family, struct iptables_state *state);

/* Take away what was made for chains that are gone now, unless somebody uses it. */
void iptables_chains_tidy(const struct iptables_family *family, const struct iptables_state *state);

/*
 * What leads from @state to what is wanted in it, as iptables-restore --noflush takes it; @request matters only where something is, and may be
 * NULL else.
 */
void iptables_write(const struct request *request, const struct iptables_family *family,
		    const struct iptables_state *state, FILE *out);

#endif
