/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * asking - the daemon's socket, at which it can be asked what it does.
 *
 * Theory of operation. A Unix stream socket in the state directory; one question a connection, a line of JSON; the answer is lines of JSON, the
 * first with the protocol's version, the last {"end":true}: an answer without it was cut off. One thread serves them all. Workers know
 * nothing of it: it reads their tables as table_view() does, the copies that they publish of what they count (figures/), and
 * the ring of what they report (figures/events.h). So whoever reads slowly, or not at all, holds up nobody.
 *
 * Everything is bounded: ASKING_READERS at a time, the others are told that it is busy; ASKING_PATIENCE milliseconds to ask and to
 * take the answer; an answer is made piece by piece as it is taken. No user but root can have all places. Who follows may stay; of those who do not read what waits for them, the
 * one who has not for longest gives its place to the next who asks.
 *
 * What came from packets is untrusted text: what is no printable ASCII is written as \xNN (answer_text()).
 *
 *	{"version":1,"ask":"status"}					question.h
 *	{"version":1,"ask":"follow","address":"10.0.0.2","lines":true}	of one host, and each line's word or code
 *	{"version":1,"answer":"status",...}				answer.h
 *	{"end":true}
 *	{"version":1,"error":"busy","text":"..."}			instead
 */
#ifndef ASKING_ASKING_H
#define ASKING_ASKING_H

#include "daemon/options.h"
#include "figures/events.h"
#include "figures/figures.h"
#include "watch/watched.h"

#define ASKING_VERSION	1
#define ASKING_SOCKET	"socket" /* in the state directory */
#define ASKING_READERS	64
#define ASKING_PATIENCE 5000 /* milliseconds */

/* What is read of a worker. */
struct asking_source {
	const struct table *table;
	const struct published *published;
	struct events *events;
	uint16_t queue;
	int32_t sure_queue; /* or NFQUEUE_NONE */
};

struct asking_config {
	const struct options *options; /* nobody changes them any more */
	bool mode_chosen;	       /* for want of a --mode */
	const char *sandbox;	       /* what confines the process: for people */
	const char *rules;	       /* who keeps the rules: likewise */
	const struct watched *watched; /* how these stand; NULL: nobody looks */
	int module; /* mode kmod: module_counters_open()'s, which is closed in the end; else negative */
	unsigned int sources;
	struct asking_source source[QUEUE_RANGE_MAX];
};

struct asking;

/**
 * asking_open - make the socket
 * @asking: filled in; NULL on failure
 * @config: copied
 *
 * What is wrong is said on standard error, in one sentence. Return: 0, or a negative errno: the daemon can do without.
 */
int asking_open(struct asking **asking, const struct asking_config *config);

/* Begin to answer, in a thread of its own. Return: 0, or a negative errno. */
int asking_start(struct asking *asking);

/* Does somebody follow what happens? NULL: nobody does. */
bool asking_is_followed(const struct asking *asking);

/* Answers are cut off. Call it while the workers' memory is still there. NULL is nothing. */
void asking_close(struct asking *asking);

#endif
