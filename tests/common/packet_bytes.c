// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/packet_bytes.h"

#include <string.h>

uint32_t packet_sum(const uint8_t *p, uint32_t length, uint64_t before)
{
	uint64_t sum = before;

	for (; length >= 4; p += 4, length -= 4)
		sum += packet_get32(p);
	for (uint32_t i = 0; i < length; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

uint32_t packet_tcp_sum(const uint8_t *bytes, uint32_t length, uint32_t tcp)
{
	uint32_t sum = bytes[0] >> 4 == 4 ? packet_sum(bytes + 12, 8, 0) : packet_sum(bytes + 8, 32, 0);

	return packet_sum(bytes + tcp, length - tcp, sum + 6 + (length - tcp));
}

bool packet_is_right(const uint8_t *bytes, uint32_t length, uint32_t tcp)
{
	if (bytes[0] >> 4 == 4 && packet_sum(bytes, (bytes[0] & 15u) * 4, 0) != 0xffff)
		return false;
	return packet_tcp_sum(bytes, length, tcp) == 0xffff;
}

void packet_make_right(uint8_t *bytes, uint32_t length, uint32_t tcp)
{
	if (bytes[0] >> 4 == 4) {
		packet_put16(bytes + 10, 0);
		packet_put16(bytes + 10, ~packet_sum(bytes, (bytes[0] & 15u) * 4, 0) & 0xffff);
	}
	packet_put16(bytes + tcp + 16, 0);
	packet_put16(bytes + tcp + 16, ~packet_tcp_sum(bytes, length, tcp) & 0xffff);
}

/* Returns where TCP begins. @behind: how many bytes there are from there on */
static uint32_t put_ip(uint8_t *bytes, const struct endpoint *src, const struct endpoint *dst,
		       const struct packet_header *header, uint32_t behind)
{
	const bool v4 = src->family == FAMILY_IPV4;
	const uint32_t own = v4 ? 20 : 40, tcp = own + header->ip_length;

	memset(bytes, 0, own);
	if (v4) {
		bytes[0] = (uint8_t)(0x40 | tcp / 4);
		packet_put16(bytes + 2, tcp + behind);
		packet_put16(bytes + 6, 0x4000);
		bytes[8] = 64;
		bytes[9] = 6;
		memcpy(bytes + 12, src->address, 4);
		memcpy(bytes + 16, dst->address, 4);
	} else {
		bytes[0] = 0x60;
		packet_put16(bytes + 4, tcp + behind - own);
		bytes[6] = header->ip_length ? header->ip_first : 6;
		bytes[7] = 64;
		memcpy(bytes + 8, src->address, 16);
		memcpy(bytes + 24, dst->address, 16);
	}
	if (header->ip_length)
		memcpy(bytes + own, header->ip, header->ip_length);
	return tcp;
}

uint32_t packet_put(uint8_t *bytes, const struct endpoint *src, const struct endpoint *dst,
		    const struct packet_header *header, const void *payload, uint32_t length)
{
	const uint32_t offset = 20 + header->tcp_length;
	const uint32_t tcp = put_ip(bytes, src, dst, header, offset + length), total = tcp + offset + length;
	uint8_t *p = bytes + tcp;

	memset(p, 0, 20);
	packet_put16(p, src->port);
	packet_put16(p + 2, dst->port);
	packet_put32(p + 4, header->seq);
	packet_put32(p + 8, header->ack);
	p[12] = (uint8_t)(offset / 4 << 4);
	p[13] = header->flags;
	packet_put16(p + 14, header->window);
	packet_put16(p + 18, header->urgent);
	if (header->tcp_length)
		memcpy(p + 20, header->tcp, header->tcp_length);
	if (length)
		memcpy(p + offset, payload, length);
	packet_make_right(bytes, total, tcp);
	return total;
}
