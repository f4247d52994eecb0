/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figures - what a worker has counted, published ten times a second for whoever asks (asking/). The worker writes, others only read
 * the copy.
 */
#ifndef FIGURES_FIGURES_H
#define FIGURES_FIGURES_H

#include "core/engine/counters.h"
#include "kernel/nfqueue.h"
#include "snapshot.h"

#define FIGURES_BUCKETS	 14
#define FIGURES_VERDICTS 3 /* enum verdict */

/* The buckets' upper bounds, nanoseconds; the last has none. */
extern const uint64_t figures_bounds[FIGURES_BUCKETS - 1];

/* Nothing but 64 bit numbers, so that it can be added up. */
struct figures {
	struct counters counters;
	struct nfqueue_counters queue;
	uint64_t verdicts[FIGURES_VERDICTS];
	uint64_t latency[FIGURES_BUCKETS]; /* packets, by how long they were in user space, at most */
	uint64_t latency_nanoseconds;	   /* of all of them */
	uint64_t sessions;		   /* now */
	uint64_t busy;			   /* of these, now */
	uint64_t expected;		   /* data connections, now */
	uint64_t recovered;		   /* sessions that an earlier daemon left */
	uint64_t data_packets;		   /* of data connections: passed at once */
	uint64_t unread;		   /* dropped, as they were too long to be read */
	uint64_t exchanges;		   /* with conntrack */
	uint64_t kernel_adjusted;	   /* adjustments, by the kernel */
	uint64_t self_adjusted;		   /* and by this program */
};

struct published {
	atomic_uint version;
	atomic_ulong words[SNAPSHOT_WORDS(struct figures)];
};

/* So many packets have been in user space for so long. */
void figures_latency(struct figures *figures, unsigned int packets, uint64_t nanoseconds);

/* By the one thread that owns them; others read. */
void figures_publish(struct published *published, const struct figures *figures);

/* Return: false: they were being written each time. */
bool figures_read(const struct published *published, struct figures *figures);

/* Of a structure that is nothing but uint64_t: the number at this place in it. */
uint64_t figures_number_at(const void *numbers, size_t at);

/* For all reasons together. */
uint64_t figures_refusals(const struct counters *counters);

/* @sum has the sum of both. */
void figures_add(struct figures *sum, const struct figures *figures);

#endif
