/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker_state - what a worker is made of, and what other files than worker.c do for it: orders.c, notices.c.
 */
#ifndef DAEMON_WORKER_STATE_H
#define DAEMON_WORKER_STATE_H

#include "core/session/passed.h"
#include "core/session/resume.h"
#include "core/session/session.h"
#include "core/session/upkeep.h"
#include "figures/events.h"
#include "figures/figures.h"
#include "kernel/ctnetlink.h"
#include "kernel/nfqueue.h"
#include "kernel/nfqueue_stat.h"
#include "options.h"
#include "reporter.h"
#include "settings.h"
#include "statefile.h"

#include <pthread.h>
#include <stdatomic.h>

/* All that the threads share, besides the options they began with. */
struct control {
	struct settings_place settings; /* what has been changed since */
	atomic_bool stop;
	atomic_uint counters_wanted; /* how often somebody has asked for the counters */
	atomic_uint unwatched;	     /* how often rules were found gone, or were back */
	atomic_uint begun;	     /* how often there were some where there had been none */
};

/* Room for a rewritten packet, as struct output asks for. */
#define WORKER_OUTPUT_MAX (65535 + 128)

/* What a queue dropped for want of room. */
struct overflow {
	int32_t queue;		  /* or NFQUEUE_NONE */
	struct nfqueue_stat told; /* what it was when it was last logged */
	uint64_t lost;		  /* packets, since this program has the queue */
};

struct worker {
	const struct options *options;
	struct control *control;
	struct nfqueue_config queue_config;
	struct nfqueue *queue;
	struct ctnetlink ctnetlink;
	struct statefile file;
	struct engine engine;
	struct reporter reporter;
	struct figures figures;	    /* but what others count: gathered when they are published */
	struct published published; /* and these are for all threads to read */
	struct events events;
	uint32_t recovered;	   /* sessions that an earlier daemon left */
	uint64_t ticked;	   /* milliseconds: last tick */
	_Atomic uint64_t beat;	   /* the same, for other threads */
	_Atomic uint32_t followed; /* sessions at that time */
	unsigned int settings;	   /* the version of those that it has */
	unsigned int counters_given;
	atomic_uint doubted;	     /* of control's unwatched, so many have been taken note of */
	unsigned int begun;	     /* the same, of its begun */
	uint64_t full_told;	     /* connections without room when that was last logged */
	int stat_file;		     /* of nfqueue_stat_open(); negative: the kernel's counters cannot be read */
	struct overflow overflow[2]; /* the normal queue, the sure one */
	struct nfqueue_counters memory_told;
	bool unsure_told;
	bool data_told;
	pthread_t thread;
	bool running;
	int failure; /* a negative errno that ended the thread */
	struct nfqueue_packet packets[NFQUEUE_BATCH];
	struct arrival arrivals[NFQUEUE_BATCH];
	int arrived[NFQUEUE_BATCH];	   /* session_arrive()'s results */
	uint8_t output[WORKER_OUTPUT_MAX]; /* a rewritten packet, until its verdict is written */
};

/* Take what the main thread has to tell since the last tick, settings and that packets have passed by, and say that it has been taken. */
void worker_take_orders(struct worker *worker, uint64_t now);

/* What an operator must hear: what there was no room for since this was called last. */
void worker_notices_each_second(struct worker *worker);

/* What holds for as long as this kernel and these rules do: said once. */
void worker_notices_once(struct worker *worker);

/* All counters, as SIGUSR1 asks for them. */
void worker_notices_counters(const struct worker *worker);

/* Those of the engine: one line, and one for each reason of refusals. @event: "event=counters queue=0": what they begin with. */
void worker_notices_tally(const char *event, const struct counters *counters);

#endif
