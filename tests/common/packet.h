/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet - a packet with room around it, for the tests that make one, look at it, and change it.
 */
#ifndef COMMON_PACKET_H
#define COMMON_PACKET_H

#include "common/packet_bytes.h"
#include "core/wire/segment.h"

#define PACKET_ROOM 2048

struct packet {
	uint8_t bytes[PACKET_ROOM];
	uint32_t length;
	uint32_t tcp; /* offset of the TCP header */
	uint32_t payload;
};

struct packet_options {
	const uint8_t *ip; /* as in struct packet_header */
	uint32_t ip_length;
	uint8_t ip_first;
	const uint8_t *tcp;
	uint32_t tcp_length;
};

/* Both checksums, over what the packet holds now. */
void packet_mend(struct packet *packet);

/* @options: may be NULL. The window is all that fits in its field. */
void packet_make(struct packet *packet, const struct endpoint *src, const struct endpoint *dst, uint32_t seq,
		 uint32_t ack, uint8_t flags, const struct packet_options *options, const void *payload,
		 uint32_t length);

#endif
