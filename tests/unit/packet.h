/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet - IP packets with TCP in them, made by hand, and checksums computed whole: what core does incrementally must
 * come to the same.
 */
#ifndef UNIT_PACKET_H
#define UNIT_PACKET_H

#include "core/segment.h"

#define PACKET_ROOM 2048

struct packet {
	uint8_t bytes[PACKET_ROOM];
	uint32_t length;
	uint32_t tcp; /* offset of the TCP header */
	uint32_t payload;
};

struct packet_options {
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

static inline uint32_t packet_sum(const uint8_t *p, uint32_t length, uint32_t sum)
{
	for (uint32_t i = 0; i < length; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The sum over pseudo header and segment: 0xffff where the checksum is right. */
static inline uint32_t packet_tcp_sum(const uint8_t *bytes, uint32_t length, uint32_t tcp)
{
	uint32_t sum = bytes[0] >> 4 == 4 ? packet_sum(bytes + 12, 8, 0) : packet_sum(bytes + 8, 32, 0);

	return packet_sum(bytes + tcp, length - tcp, sum + 6 + (length - tcp));
}

static inline bool packet_is_right(const uint8_t *bytes, uint32_t length, uint32_t tcp)
{
	if (bytes[0] >> 4 == 4 && packet_sum(bytes, (bytes[0] & 15u) * 4, 0) != 0xffff)
		return false;
	return packet_tcp_sum(bytes, length, tcp) == 0xffff;
}

/* Both checksums, over what the packet holds now. */
static inline void packet_mend(struct packet *packet)
{
	uint8_t *bytes = packet->bytes;

	if (bytes[0] >> 4 == 4) {
		packet_put16(bytes + 10, 0);
		packet_put16(bytes + 10, ~packet_sum(bytes, (bytes[0] & 15u) * 4, 0) & 0xffff);
	}
	packet_put16(bytes + packet->tcp + 16, 0);
	packet_put16(bytes + packet->tcp + 16, ~packet_tcp_sum(bytes, packet->length, packet->tcp) & 0xffff);
}

static inline void packet_make(struct packet *packet, const struct endpoint *src, const struct endpoint *dst,
			       uint32_t seq, uint32_t ack, uint8_t flags, const struct packet_options *options,
			       const void *payload, uint32_t length)
{
	static const struct packet_options none;
	const bool v4 = src->family == FAMILY_IPV4;
	uint8_t *bytes = packet->bytes;

	if (!options)
		options = &none;
	memset(bytes, 0, 64);
	packet->tcp = (v4 ? 20 : 40) + options->ip_length;
	packet->payload = packet->tcp + 20 + options->tcp_length;
	packet->length = packet->payload + length;
	if (v4) {
		bytes[0] = (uint8_t)(0x40 | packet->tcp / 4);
		packet_put16(bytes + 2, packet->length);
		bytes[8] = 64;
		bytes[9] = 6;
		memcpy(bytes + 12, src->address, 4);
		memcpy(bytes + 16, dst->address, 4);
	} else {
		bytes[0] = 0x60;
		packet_put16(bytes + 4, packet->length - 40);
		bytes[6] = options->ip_length ? options->ip_first : 6;
		bytes[7] = 64;
		memcpy(bytes + 8, src->address, 16);
		memcpy(bytes + 24, dst->address, 16);
	}
	if (options->ip_length)
		memcpy(bytes + (v4 ? 20 : 40), options->ip, options->ip_length);
	memset(bytes + packet->tcp, 0, 20);
	packet_put16(bytes + packet->tcp, src->port);
	packet_put16(bytes + packet->tcp + 2, dst->port);
	packet_put32(bytes + packet->tcp + 4, seq);
	packet_put32(bytes + packet->tcp + 8, ack);
	bytes[packet->tcp + 12] = (uint8_t)((20 + options->tcp_length) / 4 << 4);
	bytes[packet->tcp + 13] = flags;
	packet_put16(bytes + packet->tcp + 14, 65535);
	if (options->tcp_length)
		memcpy(bytes + packet->tcp + 20, options->tcp, options->tcp_length);
	if (length)
		memcpy(bytes + packet->payload, payload, length);
	packet_mend(packet);
}

#endif
