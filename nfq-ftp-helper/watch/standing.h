/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standing - what of the rules that this daemon lives by is in place: where packets are queued to it, and where connections are given the helper
 * that carries their expectations. A place is what a rule does, for which packets, at which hook; all of them together are bits of one
 * number.
 *
 * No more than that is asked of a rule: whose it is, which ports it names, and whether it is one of `rules' or made by hand, is not looked at.
 */
#ifndef WATCH_STANDING_H
#define WATCH_STANDING_H

#include "host/queue_range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a rule does. */
enum standing_kind {
	STANDING_QUEUE,	 /* packets go to one of our queues */
	STANDING_SURE,	 /* and to one of those that do not bypass */
	STANDING_HELPER, /* connections are given the helper */
	STANDING_KINDS,
};

enum standing_family {
	STANDING_IPV4,
	STANDING_IPV6,
	STANDING_FAMILIES,
};

/* NF_INET_PRE_ROUTING to NF_INET_POST_ROUTING, by the kernel's numbers. */
#define STANDING_HOOKS 5

#define STANDING_HELPER_MAX 16 /* with its NUL */
#define STANDING_TEXT_MAX   256

/* What is looked for. */
struct sought {
	struct queue_range queues; /* not given: packets are queued by a helper, not by rules */
	struct queue_range sure_queues;
	char helper[STANDING_HELPER_MAX];
};

struct standing {
	uint32_t places;
	/* Of the very rules: another one where one of them has been made anew. Not of iptables-legacy, whose rules have no names. */
	uint64_t print;
	bool unsteady; /* rules changed while they were read */
};

/* Bits of struct standing's places: @kinds a bit each, and so are @families and @hooks. */
uint32_t standing_places(unsigned int kinds, unsigned int families, unsigned int hooks);

/* All places where what is looked for may be. */
uint32_t standing_sought(const struct sought *sought);

/* Is any of these a place where packets are queued? */
bool standing_queues(uint32_t places);

/* Does a rule that queues to @count queues from @first on queue to ours? Return: bits of STANDING_QUEUE and STANDING_SURE. */
unsigned int standing_of_queues(const struct sought *sought, unsigned int first, unsigned int count);

/* Is it the helper? @name may lack its NUL. Return: the bit of STANDING_HELPER, or 0. */
unsigned int standing_of_helper(const struct sought *sought, const char *name, size_t length);

/*
 * What iptables calls a target, as the kernel has it, be it of nf_tables or its own: NFQUEUE, and CT with a helper. @info: of @length bytes,
 * whatever its alignment. Return: bits of enum standing_kind.
 */
unsigned int standing_of_target(const struct sought *sought, const char *name, unsigned int revision, const void *info,
				size_t length);

/* For people: "queue at forward, postrouting; helper at prerouting (IPv6)". Return: @text. */
const char *standing_text(uint32_t places, char text[STANDING_TEXT_MAX]);

#endif
