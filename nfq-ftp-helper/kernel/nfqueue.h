/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqueue - packets from the kernel's NFQUEUE, many a system call, and what is to become of them.
 *
 *   count = nfqueue_receive(queue, packets);
 *   for each of them, in order: nfqueue_accept(), nfqueue_replace() or nfqueue_drop()
 *   error = nfqueue_send(queue);
 *
 * One socket serves one or two queues: the normal one, and one ("sure") for connections of which no packet may pass
 * unseen. Packets are borrowed from the queue until the next nfqueue_receive().
 */
#ifndef KERNEL_NFQUEUE_H
#define KERNEL_NFQUEUE_H

#include "nfqueue_packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packets in a batch. */
#define NFQUEUE_BATCH 64

#define NFQUEUE_NONE (-1)

struct nfqueue_config {
	uint16_t queue;
	int32_t sure_queue;	 /* or NFQUEUE_NONE */
	uint32_t length;	 /* packets the kernel keeps waiting in each queue */
	uint32_t receive_buffer; /* bytes of socket buffer */
};

/* What went wrong in nfqueue_open(). */
enum nfqueue_step {
	NFQUEUE_SOCKET,	   /* no netfilter netlink socket */
	NFQUEUE_SUBSYSTEM, /* EPERM: no CAP_NET_ADMIN; EINVAL: no nfnetlink_queue in the kernel */
	NFQUEUE_BIND,	   /* EPERM, EBUSY: another program has the queue */
	NFQUEUE_BIND_SURE, /* the same, for the sure queue */
	NFQUEUE_CONFIGURE,
	NFQUEUE_MEMORY,
};

struct nfqueue;

/**
 * nfqueue_open - take the queues
 * @config: which ones, and their sizes
 * @queue: filled in; release it with nfqueue_close()
 * @step: filled in on failure
 *
 * All memory that the queue will ever need is taken here.
 *
 * Return: 0, or a negative errno.
 */
int nfqueue_open(const struct nfqueue_config *config, struct nfqueue **queue, enum nfqueue_step *step);

/* Gives the queues back. The kernel drops what waits in them. */
void nfqueue_close(struct nfqueue *queue);

/**
 * nfqueue_receive - what is there
 * @queue: all verdicts of the batch before must have been sent
 * @packets: NFQUEUE_BATCH of them
 *
 * Waits a tenth of a second at most.
 *
 * Return: the number of packets, 0 when none came, or a negative errno: the socket is dead.
 */
int nfqueue_receive(struct nfqueue *queue, struct nfqueue_packet *packets);

/* As it came. */
void nfqueue_accept(struct nfqueue *queue, const struct nfqueue_packet *packet);

void nfqueue_drop(struct nfqueue *queue, const struct nfqueue_packet *packet);

/* With other contents, which are copied. More than 65531 bytes cannot be sent: a drop. */
void nfqueue_replace(struct nfqueue *queue, const struct nfqueue_packet *packet, const uint8_t *data, size_t length);

/*
 * Sends the verdicts given so far, in order. Where the kernel has no memory for them their packets are dropped. To be called
 * soon also where there are none. Return: 0, or a negative errno: the socket is dead.
 */
int nfqueue_send(struct nfqueue *queue);

struct nfqueue_counters {
	uint64_t receives;   /* system calls that brought packets */
	uint64_t sends;	     /* system calls that took verdicts */
	uint64_t large;	     /* packets beyond the path's MTU, to be cut up behind us (GSO) */
	uint64_t strange;    /* messages that could not be read, that nobody asked for, or that are not the kernel's */
	uint64_t late;	     /* verdicts that the kernel refused: the packet was gone already */
	uint64_t retries;    /* sends that the kernel did not take at first, for want of memory */
	uint64_t unsent;     /* verdicts that it never took: their packets were dropped */
	uint64_t unreceived; /* receives that failed for want of memory */
};

/* Does the kernel send a packet's connection along with it (NFQA_CT)? */
bool nfqueue_tells_conntrack(const struct nfqueue *queue);

struct nfqueue_counters nfqueue_counters(const struct nfqueue *queue);

#endif
