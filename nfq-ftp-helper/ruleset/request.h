/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request - the netfilter rules a mode needs: what is asked for, and where in a packet's way each rule belongs.
 */
#ifndef RULESET_REQUEST_H
#define RULESET_REQUEST_H

#include "daemon/options.h"

#include <net/if.h>
#include <stdio.h>

/* The helper that the daemon (mode cthelper) and the kernel module (mode kmod) register. */
#define RULESET_HELPER "nfq-ftp"

#define RULESET_PORTS_MAX      15 /* what iptables' multiport takes */
#define RULESET_INTERFACES_MAX 8
#define RULESET_CARRIER_MAX    16 /* the kernel's limit on a helper's name, with its NUL */

enum ruleset_backend {
	RULESET_BACKEND_NFT,
	RULESET_BACKEND_IPTABLES,
};

enum ruleset_action {
	RULESET_PRINT,
	RULESET_APPLY,
	RULESET_REMOVE,
};

/* Where the clients are, and where the servers; "": anywhere. */
struct ruleset_interfaces {
	char client[IF_NAMESIZE];
	char server[IF_NAMESIZE];
};

struct ruleset_request {
	enum ruleset_backend backend;
	enum ruleset_action action;
	bool backend_given;
	bool sure_queues_given;
	bool help;
	char carrier[RULESET_CARRIER_MAX]; /* mode queue: the helper that carries expectations */
	struct options run;		/* mode, queues, sure queues, mark, seqadj: what `run' must be told, too */
	unsigned int port_count;
	uint16_t ports[RULESET_PORTS_MAX];
	unsigned int interface_count;	/* at least 1: a pair of empty names stands for no restriction */
	struct ruleset_interfaces interfaces[RULESET_INTERFACES_MAX];
	int32_t zone;			/* conntrack zone; -1: any */
};

/*
 * A point that control connections pass. The table covers what this host may be: a router, a server, a client. A packet
 * is queued at one of them only: forwarded packets at forward, those for this host at input (but what came over lo has
 * been queued when it left), those of this host at postrouting, where forwarded ones are told by their source.
 */
struct ruleset_place {
	const char *hook;	/* nft's name of the hook */
	const char *chain;	/* iptables' */
	bool to_server;		/* packets of the client; otherwise the server's */
	bool sees_in;		/* the incoming interface is known here */
	bool sees_out;		/* the outgoing one */
	bool from_here;		/* only packets this host has sent */
	bool not_lo;		/* but for what came over lo */
};

/* Where connections are given their helper. */
#define RULESET_ASSIGN_PLACES 2
extern const struct ruleset_place ruleset_assign_places[RULESET_ASSIGN_PLACES];

/* Where packets are queued, in mode queue. The two directions of a hook follow one another. */
#define RULESET_QUEUE_PLACES 6
extern const struct ruleset_place ruleset_queue_places[RULESET_QUEUE_PLACES];

/* The interface a packet comes in by, or leaves by, at @place; NULL: any. */
const char *ruleset_in(const struct ruleset_place *place, const struct ruleset_interfaces *interfaces);
const char *ruleset_out(const struct ruleset_place *place, const struct ruleset_interfaces *interfaces);

/* The helper that connections are given. */
const char *ruleset_helper(const struct ruleset_request *request);

/* Do packets without payload stay in the kernel? */
bool ruleset_payload_only(const struct ruleset_request *request);

const char *ruleset_backend_name(enum ruleset_backend backend);

/* Write what the daemon is to be told, so that it fits the rules. */
void ruleset_write_run(const struct ruleset_request *request, FILE *out);

/* Write a comment: what these rules are, and how the program is to be started. */
void ruleset_write_head(const struct ruleset_request *request, FILE *out);

#endif
