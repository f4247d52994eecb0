/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdicts - what is to become of the packets of a batch, on its way to the kernel.
 *
 *   verdicts_accept(), verdicts_drop(), verdicts_replace() of each packet, in the order in which they came
 *   error = verdicts_send(verdicts);
 */
#ifndef KERNEL_VERDICTS_H
#define KERNEL_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Queues that the packets may be of. */
#define VERDICTS_QUEUES 2

/* What the kernel is made to allocate for one writev() at most. Any one verdict is smaller. */
#define VERDICTS_SEND_MAX ((size_t)192 * 1024)

/* All packets of a queue that wait, up to this one. */
struct verdicts_last {
	bool due; /* otherwise none */
	uint16_t queue;
	uint32_t id;
};

struct verdicts {
	int fd;
	uint32_t seq;
	unsigned int count;	      /* given, and not sent yet */
	unsigned int run;	      /* the last so many of them are accepts of one queue, and not in the buffer yet */
	struct verdicts_last run_end; /* and this is the last one's packet */
	int failure;		      /* of a send that was due before verdicts_send() */
	struct verdicts_last given[VERDICTS_QUEUES]; /* the last packets that have a verdict, which is not sent yet */
	struct verdicts_last owed[VERDICTS_QUEUES];  /* that are still to be dropped */
	uint64_t sends;				     /* system calls that took verdicts */
	uint64_t retries;			     /* that did not at first */
	uint64_t unsent; /* verdicts that the kernel would not take: their packets are dropped */
	size_t bytes;	 /* in the buffer */
	_Alignas(8) char buffer[VERDICTS_SEND_MAX];
};

/* @fd: the netlink socket that has the queues. */
void verdicts_init(struct verdicts *verdicts, int fd);

/* As it came. */
void verdicts_accept(struct verdicts *verdicts, uint16_t queue, uint32_t id);

void verdicts_drop(struct verdicts *verdicts, uint16_t queue, uint32_t id);

/* With other contents, which are copied. More than 65531 bytes cannot be sent: a drop. */
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

#endif
