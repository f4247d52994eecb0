/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqueue_stat - what the kernel counts of a queue, in /proc/net/netfilter/nfnetlink_queue.
 */
#ifndef KERNEL_NFQUEUE_STAT_H
#define KERNEL_NFQUEUE_STAT_H

#include <stdbool.h>
#include <stdint.h>

#define NFQUEUE_STAT_TABLE "/proc/net/netfilter/nfnetlink_queue"

struct nfqueue_stat {
	uint32_t port;	  /* the netlink port that has the queue */
	uint32_t waiting; /* packets without a verdict */
	uint32_t full;	  /* packets dropped as so many waited already */
	uint32_t unsent;  /* packets dropped as the socket had no room for them */
};

/* The table, open. Return: a file, or a negative errno. The file of one network namespace stays that one's. */
int nfqueue_stat_open(void);

/* Why it cannot be read, and what to do: a sentence. @error: what nfqueue_stat_open() has returned. */
const char *nfqueue_stat_complaint(int error);

/**
 * nfqueue_stat_read - look at a queue
 * @file: of nfqueue_stat_open(); it is not closed
 * @queue: its number
 * @stat: filled in
 *
 * Return: 0; -ENOENT: nobody has that queue; or another negative errno.
 */
int nfqueue_stat_read(int file, uint16_t queue, struct nfqueue_stat *stat);

/* The same from one line of the table. Return: false: it is another queue's. */
bool nfqueue_stat_parse(const char *line, uint16_t queue, struct nfqueue_stat *stat);

#endif
