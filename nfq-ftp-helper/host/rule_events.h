/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule_events - have rules been added that queue packets to us? Then packets may have passed until now that we should have seen.
 *
 * Nf_tables tells of each rule that comes or goes, and after a transaction's last one that it holds: what is exchanged within one leaves no
 * gap. So what counts is a transaction that adds more such rules than it takes away. Rules of iptables-nft are among them, those of
 * iptables-legacy are not.
 */
#ifndef HOST_RULE_EVENTS_H
#define HOST_RULE_EVENTS_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Queues of one kind: none where @count is 0. */
struct rule_events_queues {
	uint16_t first;
	uint16_t count;
};

struct rule_events {
	int fd; /* negative: closed, or the kernel has no nf_tables */
	struct rule_events_queues queues[2];
	int balance; /* of the transaction that is being told: rules added, less those taken away */
};

/* Begin to listen; @events->queues is filled in. Return: 0, or a negative errno. */
int rule_events_open(struct rule_events *events);

void rule_events_close(struct rule_events *events);

/* Have such rules been added since the last call? It does not wait. Where the kernel could not tell all, it may be so. */
bool rule_events_added(struct rule_events *events);

/* The same of messages that have come. @data: aligned to 4. */
bool rule_events_read(struct rule_events *events, const void *data, size_t length);

#endif
