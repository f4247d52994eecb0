/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdicts - what is to become of the packets of a batch, on its way to the kernel.
 *
 *   verdicts_accept(), verdicts_drop(), verdicts_replace() of each packet, in the order in which they came
 *   error = verdicts_send(verdicts);
 */
#ifndef KERNEL_VERDICTS_H
#define KERNEL_VERDICTS_H

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Verdicts given between two verdicts_send(). */
#define VERDICTS_MAX 64

/* Queues that the packets may be of. */
#define VERDICTS_QUEUES 2

#define VERDICTS_IOV 3

/* One verdict as the kernel wants it; the payload, where there is one, and padding follow. */
struct verdict_message {
	struct nlmsghdr header;
	struct nfgenmsg family;
	struct nlattr attribute;
	struct nfqnl_msg_verdict_hdr verdict;
	struct nlattr payload;
};

/* Packets of one queue that are still to be dropped: all that wait, up to this one. */
struct verdicts_owed {
	bool due;
	uint16_t queue;
	uint32_t id;
};

struct verdicts {
	int fd;
	uint32_t seq;
	unsigned int count;		/* not sent yet */
	unsigned int pieces;		/* of their iovec */
	size_t bytes;			/* in it */
	bool run_open;			/* the last of them is an accept that the next one can join */
	int failure;			/* of a send that was due before verdicts_send() */
	struct verdicts_owed owed[VERDICTS_QUEUES];
	uint64_t sends;			/* system calls that took verdicts */
	uint64_t retries;		/* that did not at first */
	uint64_t unsent;		/* verdicts that the kernel would not take: their packets are dropped */
	struct verdict_message message[VERDICTS_MAX];
	struct iovec piece[VERDICTS_MAX * VERDICTS_IOV];
};

/* @fd: the netlink socket that has the queues. */
void verdicts_init(struct verdicts *verdicts, int fd);

/* As it came. */
void verdicts_accept(struct verdicts *verdicts, uint16_t queue, uint32_t id);

void verdicts_drop(struct verdicts *verdicts, uint16_t queue, uint32_t id);

/* With other contents, which must stay until verdicts_send(). More than 65531 bytes cannot be sent: a drop. */
void verdicts_replace(struct verdicts *verdicts, uint16_t queue, uint32_t id, const uint8_t *data, size_t length);

/**
 * verdicts_send - send the verdicts given so far, in order
 * @verdicts: none are left afterwards
 *
 * What the kernel does not take for want of memory is tried again, for some milliseconds. Then the packets are dropped:
 * now, or with the next call, which is therefore due soon even where no packets come.
 *
 * Return: 0, or a negative errno when the socket is dead.
 */
int verdicts_send(struct verdicts *verdicts);

/* Does this (negative) error mean that a netlink socket will never work again? */
bool verdicts_socket_is_dead(int error);

#endif
