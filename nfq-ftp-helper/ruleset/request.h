/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request - the netfilter rules a mode needs: what is asked for, and where in a packet's way each rule belongs.
 */
#ifndef RULESET_REQUEST_H
#define RULESET_REQUEST_H

#include "host/attach.h"
#include "host/ports.h"

#include <net/if.h>
#include <stdio.h>

#define REQUEST_INTERFACES_MAX 8
#define REQUEST_CARRIER_MAX    16 /* the kernel's limit on a helper's name, with its NUL */

/* Where the clients are, and where the servers; "": anywhere. */
struct request_interfaces {
	char client[IF_NAMESIZE];
	char server[IF_NAMESIZE];
};

/* What the file says of this: a command that does not say it again means the file's, and not what holds where nothing is said. */
struct request_in_file {
	bool mode, carrier, queues, sure_queues, seqadj;
};

struct request {
	/* First, since they are one option's. At least 1: a pair of empty names stands for no restriction. */
	unsigned int interface_count;
	struct request_interfaces interfaces[REQUEST_INTERFACES_MAX];
	const char *file;		   /* -c, where one that is not the usual one is named; NULL: none */
	struct request_in_file in_file;	   /* of that, or of the usual one */
	struct attach attach;		   /* what `run' must be told, too */
	const char *backend;		   /* the name of the one that was asked for; NULL: none was */
	char carrier[REQUEST_CARRIER_MAX]; /* mode queue: the helper that carries expectations */
	struct ports ports;
	int32_t zone; /* conntrack zone; -1: any */
};

/*
 * A point that control connections pass. The table covers what this host may be: a router, a server, a client. A packet
 * is queued at one of them only: forwarded packets at forward, those for this host at input (but what came over lo has
 * been queued when it left), those of this host at postrouting, where forwarded ones are told by their source.
 */
struct request_place {
	const char *hook;  /* nft's name of the hook */
	const char *chain; /* iptables' */
	bool to_server;	   /* packets of the client; otherwise the server's */
	bool sees_in;	   /* the incoming interface is known here */
	bool sees_out;	   /* the outgoing one */
	bool from_here;	   /* only packets this host has sent */
	bool not_lo;	   /* but for what came over lo */
};

/* Where connections are given their helper. */
#define REQUEST_ASSIGN_PLACES 2
extern const struct request_place request_assign_places[REQUEST_ASSIGN_PLACES];

/* Where packets are queued, in mode queue. The two directions of a hook follow one another. */
#define REQUEST_QUEUE_PLACES 6
extern const struct request_place request_queue_places[REQUEST_QUEUE_PLACES];

/* The interface a packet comes in by, or leaves by, at @place; NULL: any. */
const char *request_in(const struct request_place *place, const struct request_interfaces *interfaces);
const char *request_out(const struct request_place *place, const struct request_interfaces *interfaces);

/* The helper that connections are given. */
const char *request_helper(const struct request *request);

/* How to make the kernel know that helper, where it is ours: a sentence's part. */
const char *request_helper_comes_by(const struct request *request);

/* Do packets without payload stay in the kernel? */
bool request_payload_only(const struct request *request);

/* Of its interfaces the first that is not there; NULL: all are. It may still come: that is to be said, and no error. */
const char *request_missing_interface(const struct request *request);

/* How that is said: the end of a sentence, of printf's kind, with its name. */
#define REQUEST_MISSING_INTERFACE                                                                                      \
	"there is no interface `%s' now, and until there is one rules that name it match nothing: "                    \
	"`ip -br link' lists those that are there, and ppp* stands for all whose names begin so"

#define REQUEST_COMMAND_MAX 960

/* The command line of the daemon that fits the rules. Return: @text. */
const char *request_run(const struct request *request, char text[REQUEST_COMMAND_MAX]);

/*
 * The command that puts the rules in place: it says again whatever was said for @request, and no more but what the file says otherwise.
 * Return: @text.
 */
const char *request_apply(const struct request *request, char text[REQUEST_COMMAND_MAX]);

#endif
