/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * found - the rules this machine has now, of iptables, ip6tables and nft, in one form: as much of each as matters
 * here. found_read() reads them all.
 *
 * The caller owns a struct found; zeroed, but for the ports, it holds nothing. One network namespace: that of this
 * process.
 */
#ifndef RULESET_FOUND_H
#define RULESET_FOUND_H

#include "host/ports.h"
#include "host/queue_range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOUND_NAME_MAX	 64
#define FOUND_HELPER_MAX 16
#define FOUND_TEXT_MAX	 256
#define FOUND_PASTED_MAX 80 /* a table's or a chain's name in a command */

/* Where a base chain sits. */
enum found_hook {
	FOUND_HOOK_NONE,
	FOUND_HOOK_PREROUTING,
	FOUND_HOOK_INPUT,
	FOUND_HOOK_FORWARD,
	FOUND_HOOK_OUTPUT,
	FOUND_HOOK_POSTROUTING,
};

/* A rule's ports, compared to those in question. */
enum found_ports {
	FOUND_PORTS_ANY, /* it does not ask */
	FOUND_PORTS_OURS,
	FOUND_PORTS_OTHER,
};

enum found_verdict {
	FOUND_NO_VERDICT,
	FOUND_ACCEPT,
	FOUND_DROP, /* or reject */
	FOUND_JUMP, /* or goto */
	FOUND_QUEUE,
	FOUND_ASSIGN, /* a helper */
	FOUND_NOTRACK,
	FOUND_TRANSLATE, /* the destination */
	FOUND_SYNPROXY,
	FOUND_OFFLOAD, /* to a flow table */
};

/* Ports that a rule asks for. */
#define FOUND_ASKED_MAX 16

struct found_asked {
	uint16_t low;
	uint16_t high;
};

#define FOUND_STATE_INVALID 1u
#define FOUND_STATE_RELATED 2u
#define FOUND_STATE_OTHER   4u
#define FOUND_STATE_NEW	    8u

/*
 * What a rule has to do with marks, in bits: the connection's, one of which is ours, and the packet's, by which packets are
 * routed. Who names no mask means all bits.
 */
struct found_marks {
	uint32_t connection_asked;
	uint32_t connection_value; /* that they must have */
	uint32_t connection_set;   /* nothing stays of these */
	uint32_t packet_asked;
	uint32_t packet_set;
	uint32_t restored; /* copied from the connection's to the packet's */
};

struct found_chain {
	struct found_chain *next;
	char family[8]; /* nft's: ip, ip6, inet; or of iptables-legacy: legacy4, legacy6 */
	char table[FOUND_NAME_MAX];
	char name[FOUND_NAME_MAX];
	enum found_hook hook; /* FOUND_HOOK_NONE: no base chain */
	int priority;
	bool drops;	      /* its policy */
	uint64_t roots;	      /* base chains that lead here, a bit each */
	unsigned int root;    /* of a base chain: which bit it is */
	const char *iptables; /* the program that has told of it; NULL: nft */
	bool has_ports;	      /* a jump that asks for the ports in question leads here */
};

struct found_rule {
	struct found_rule *next;
	struct found_chain *chain;
	enum found_verdict verdict;
	enum found_ports ports;
	bool narrow;	     /* it asks for more than ports and states */
	bool marked;	     /* it asks for a connmark */
	bool labelled;	     /* it asks for a label, by its number ... */
	uint8_t label;	     /* ... which is this */
	bool expected;	     /* it asks for connections that were expected: data connections, not control connections */
	bool foreign;	     /* it is about another protocol than TCP */
	unsigned int states; /* FOUND_STATE_*; 0: it does not ask */
	struct found_marks marks;
	unsigned int asked_count;
	struct found_asked asked[FOUND_ASKED_MAX]; /* the first of them */
	bool from_server;			   /* it asks for the source's port */
	bool zoned;				   /* it puts connections into a zone */
	uint16_t to_port;			   /* of a translation; 0: the port stays */
	struct queue_range queues;
	char target[FOUND_NAME_MAX];	  /* of a jump */
	char helper[FOUND_HELPER_MAX];	  /* that it assigns */
	char if_helper[FOUND_HELPER_MAX]; /* that it asks for */
	char *line;			  /* iptables-save's own; NULL: nft's */
	char text[FOUND_TEXT_MAX];	  /* how to name it to a person */
	char removal[FOUND_TEXT_MAX];	  /* the command that takes it away */
};

struct found_table {
	struct found_table *next;
	char family[8];
	char name[FOUND_NAME_MAX];
	size_t contents; /* chains, sets, and so on */
};

/* Chains and rules in the order in which they were told of. */
struct found {
	struct found_table *tables; /* nft's only */
	struct found_chain *chains, *last_chain;
	struct found_rule *rules, *last_rule;
	bool legacy;		   /* there are rules of iptables-legacy beside those of nf_tables */
	bool readable;		   /* at least one program could say what there is */
	const struct ports *ports; /* in question */
};

void found_free(struct found *found);

/* For the readers. NULL: no memory. What they return is zeroed, but for its chain. */
struct found_table *found_add_table(struct found *found);
struct found_chain *found_add_chain(struct found *found);
struct found_rule *found_add_rule(struct found *found, struct found_chain *chain);

/**
 * found_iptables_read - add to @found what iptables-save or ip6tables-save says, and what iptables-legacy has besides, where `iptables' works over
 * nf_tables
 * @ipv6: of ip6tables
 * @over_nft: set to true where nf_tables is what holds them
 * @complaint: as program_run()'s
 *
 * Return: 0; -ENOENT: there is no iptables; another negative errno.
 */
int found_iptables_read(struct found *found, bool ipv6, bool *over_nft, char *complaint);

/**
 * found_nft_read - add to @found what `nft -j list ruleset' says
 * @iptables_over_nft: tables that iptables-save has told of already are left to that, which knows what is in them
 *
 * Return: 0; -ENOENT: there is no nft; another negative errno.
 */
int found_nft_read(struct found *found, bool iptables_over_nft);

/* NULL: there is none. */
struct found_table *found_table(const struct found *found, const char *family, const char *name);

struct found_chain *found_chain(const struct found *found, const char *family, const char *table, const char *name);

/* Is it a base chain without rules that lets everything pass? NULL: no. */
bool found_is_idle(const struct found *found, const struct found_chain *chain);

/* Do packets of this base chain come to the rule? */
bool found_is_under(const struct found_rule *rule, const struct found_chain *root);

/* Does iptables-save print this very line about a table? */
bool found_has_line(const struct found *found, const char *family, const char *table, const char *line);

/* Does it concern every packet that comes to it? */
bool found_is_plain(const struct found_rule *rule);

/* Does it ask for the ports in question, or does a jump that leads to it? */
bool found_asks_for_ports(const struct found_rule *rule);

/* Does it ask for this very port? */
bool found_asks_for(const struct found_rule *rule, uint16_t port);

/* Note a port or a range that @rule asks for, for the readers; and what that makes of it. */
void found_ask(const struct found *found, struct found_rule *rule, unsigned long low, unsigned long high);

/*
 * How a rule of iptables-save is named, and taken away, for its reader: by its line; by its number where that is too long, or has a `?', which
 * may stand for anything.
 */
void found_name_line(const struct found *found, struct found_rule *rule, const char *program, const char *table);

enum found_hook found_hook(const char *name);

/* Is one of the ports in question within these? */
bool found_has_port(const struct found *found, unsigned long low, unsigned long high);

#endif
