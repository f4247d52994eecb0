/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqueue_packet - a packet out of the message in which the kernel hands it over. No socket here.
 */
#ifndef KERNEL_NFQUEUE_PACKET_H
#define KERNEL_NFQUEUE_PACKET_H

#include "core/conntrack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nfqueue_packet {
	uint8_t *data; /* IP header and what follows; may be changed */
	const void *
		conntrack; /* NFQA_CT's inside, NULL where the kernel does not send it; with it come ends and conntrack_id */
	uint32_t length;
	uint32_t id;
	uint32_t in; /* interface indices; 0: none */
	uint32_t out;
	uint32_t mark;	       /* of its connection, where the kernel tells: otherwise 0 */
	uint32_t conntrack_id; /* another number is another connection; 0: the kernel does not tell */
	uint16_t queue;
	uint16_t zone; /* conntrack zone, where the kernel tells: otherwise 0 */
	uint16_t conntrack_length;
	struct tuple ends;     /* sender and receiver as the connection's original tuple has them */
	bool tracked;	       /* ends is filled in */
	bool expected;	       /* it is of a data connection */
	bool checksum_pending; /* NFQA_SKB_CSUMNOTREADY */
	bool large;	       /* beyond the path's MTU, to be cut up behind us (GSO) */
	bool truncated;	       /* not all of it is here: it can only be accepted or dropped */
};

/**
 * nfqueue_packet_read - read an NFQNL_MSG_PACKET
 * @message: as received, aligned to 4; the packet points into it. Of one that is torn the length may be corrected
 * @length: bytes that were received
 * @packet: filled in, unless -EBADMSG is returned
 *
 * Return: 0; -EMSGSIZE: the message is torn, or an attribute of it has a wrong length: nothing of the packet is believed
 * but its queue and number, and it is called truncated; -EBADMSG: it is no packet's, or does not name it.
 */
int nfqueue_packet_read(void *message, size_t length, struct nfqueue_packet *packet);

#endif
