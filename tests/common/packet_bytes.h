/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet_bytes - a packet with TCP in it as bytes, written and summed up plainly and independently of core/wire/segment: what one gets
 * wrong the other shall notice. Nothing is computed incrementally here.
 */
#ifndef COMMON_PACKET_BYTES_H
#define COMMON_PACKET_BYTES_H

#include "core/wire/endpoint.h"

#include <stdbool.h>
#include <stdint.h>

/* What stands in the headers besides addresses, ports and lengths. What is not said is zero. */
struct packet_header {
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window, urgent;
	const uint8_t *ip; /* IPv4 options, or IPv6 extension headers; the first of these is of type ip_first */
	uint32_t ip_length;
	uint8_t ip_first;
	const uint8_t *tcp; /* TCP options, a multiple of four bytes */
	uint32_t tcp_length;
};

static inline void packet_put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void packet_put32(uint8_t *p, uint32_t value)
{
	packet_put16(p, value >> 16);
	packet_put16(p + 2, value & 0xffff);
}

static inline uint32_t packet_get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t packet_get32(const uint8_t *p)
{
	return packet_get16(p) << 16 | packet_get16(p + 2);
}

/* The Internet checksum's sum (RFC 1071), folded to 16 bits; @p begins at an even place, @before is what is summed up already. */
uint32_t packet_sum(const uint8_t *p, uint32_t length, uint64_t before);

/* The sum over pseudo header and segment: 0xffff where the checksum is right. @tcp: offset of the TCP header */
uint32_t packet_tcp_sum(const uint8_t *bytes, uint32_t length, uint32_t tcp);

/* Both checksums, of IP only where it has one. */
bool packet_is_right(const uint8_t *bytes, uint32_t length, uint32_t tcp);
void packet_make_right(uint8_t *bytes, uint32_t length, uint32_t tcp);

/* A whole packet with right checksums, as Linux sends it: not to be fragmented, 64 hops. Returns its length. */
uint32_t packet_put(uint8_t *bytes, const struct endpoint *src, const struct endpoint *dst,
		    const struct packet_header *header, const void *payload, uint32_t length);

#endif
