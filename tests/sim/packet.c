// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets to bytes and back, written independently of core/segment: what one gets wrong the other shall notice. And the
 * kernel's part where it renumbers: net/netfilter/nf_conntrack_seqadj.c, with checksums updated as it does.
 */
#include "sim.h"

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* Sum of 16-bit words; p starts at an even place. */
static uint64_t sum(const uint8_t *p, uint32_t length)
{
	uint64_t total = 0;

	for (; length >= 4; p += 4, length -= 4)
		total += get32(p);
	if (length >= 2) {
		total += get16(p);
		p += 2;
		length -= 2;
	}
	if (length)
		total += (uint64_t)p[0] << 8;
	return total;
}

static uint32_t fold(uint64_t total)
{
	total = (total & 0xffffffff) + (total >> 32);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint32_t)total;
}

static uint32_t tcp_sum(const uint8_t *bytes, uint32_t tcp, uint32_t length)
{
	uint64_t total = bytes[0] >> 4 == 4 ? sum(bytes + 12, 8) : sum(bytes + 8, 32);

	return fold(total + 6 + (length - tcp) + sum(bytes + tcp, length - tcp));
}

static uint32_t write_ip(uint8_t *bytes, const struct endpoint *src, const struct endpoint *dst, uint32_t tcp_length)
{
	memset(bytes, 0, 40);
	if (src->family == FAMILY_IPV4) {
		bytes[0] = 0x45;
		put16(bytes + 2, 20 + tcp_length);
		bytes[8] = 64;
		bytes[9] = 6;
		memcpy(bytes + 12, src->address, 4);
		memcpy(bytes + 16, dst->address, 4);
		put16(bytes + 10, ~fold(sum(bytes, 20)) & 0xffff);
		return 20;
	}
	bytes[0] = 0x60;
	put16(bytes + 4, tcp_length);
	bytes[6] = 6;
	bytes[7] = 64;
	memcpy(bytes + 8, src->address, 16);
	memcpy(bytes + 24, dst->address, 16);
	return 40;
}

static uint32_t write_options(uint8_t *p, const struct header *header)
{
	uint32_t n = 0;

	if (header->mss) {
		p[n] = 2;
		p[n + 1] = 4;
		put16(p + n + 2, header->mss);
		n += 4;
	}
	if (header->sack_permitted) {
		memcpy(p + n, "\1\1\4\2", 4);
		n += 4;
	}
	if (header->scaled) {
		memcpy(p + n, "\1\3\3", 3);
		p[n + 3] = header->scale;
		n += 4;
	}
	if (header->timestamps) {
		memcpy(p + n, "\1\1\10\12", 4);
		put32(p + n + 4, header->stamp);
		put32(p + n + 8, header->stamp ^ 0x5a5a);
		n += 12;
	}
	if (header->sacks) {
		p[n] = p[n + 1] = 1;
		p[n + 2] = 5;
		p[n + 3] = (uint8_t)(2 + 8 * header->sacks);
		n += 4;
		for (unsigned int i = 0; i < header->sacks; i++, n += 8) {
			put32(p + n, header->sack[i][0]);
			put32(p + n + 4, header->sack[i][1]);
		}
	}
	return n;
}

uint32_t packet_write(uint8_t *bytes, const struct endpoint *src, const struct endpoint *dst,
		      const struct header *header, const uint8_t *data, uint32_t length)
{
	uint32_t tcp = src->family == FAMILY_IPV4 ? 20 : 40;
	uint32_t options = write_options(bytes + tcp + 20, header);
	uint32_t total = tcp + 20 + options + length;

	write_ip(bytes, src, dst, total - tcp);
	put16(bytes + tcp, src->port);
	put16(bytes + tcp + 2, dst->port);
	put32(bytes + tcp + 4, header->seq);
	put32(bytes + tcp + 8, header->ack);
	bytes[tcp + 12] = (uint8_t)((20 + options) / 4 << 4);
	bytes[tcp + 13] = header->flags;
	put16(bytes + tcp + 14, header->window);
	put16(bytes + tcp + 16, 0);
	put16(bytes + tcp + 18, header->urgent);
	if (length)
		memcpy(bytes + tcp + 20 + options, data, length);
	put16(bytes + tcp + 16, ~tcp_sum(bytes, tcp, total) & 0xffff);
	return total;
}

static void view_options(const uint8_t *p, uint32_t length, struct view *view)
{
	for (uint32_t n = 0; n < length && p[n] != 0;) {
		if (p[n] == 1) {
			n++;
			continue;
		}
		if (n + 1 >= length || p[n + 1] < 2 || n + p[n + 1] > length)
			return;
		if (p[n] == 2 && p[n + 1] == 4)
			view->mss = (uint16_t)get16(p + n + 2);
		if (p[n] == 3 && p[n + 1] == 3) {
			view->scaled = true;
			view->scale = p[n + 2] > 14 ? 14 : p[n + 2];
		}
		if (p[n] == 5)
			for (uint32_t i = n + 2; i + 8 <= n + p[n + 1] && view->sacks < 4; i += 8, view->sacks++) {
				view->sack[view->sacks][0] = get32(p + i);
				view->sack[view->sacks][1] = get32(p + i + 4);
			}
		n += p[n + 1];
	}
}

void packet_view(const uint8_t *bytes, uint32_t length, struct view *view)
{
	uint32_t tcp = bytes[0] >> 4 == 4 ? (bytes[0] & 15u) * 4 : 40;
	uint32_t said = bytes[0] >> 4 == 4 ? get16(bytes + 2) : 40 + get16(bytes + 4);

	view->tcp = tcp;
	view->seq = get32(bytes + tcp + 4);
	view->ack = get32(bytes + tcp + 8);
	view->flags = bytes[tcp + 13];
	view->window = (uint16_t)get16(bytes + tcp + 14);
	view->urgent = (uint16_t)get16(bytes + tcp + 18);
	view->options = (bytes[tcp + 12] >> 4) * 4u;
	if (view->options >= 20)
		view->options -= 20;
	else
		view->options = 0;
	view->payload = tcp + 20 + view->options;
	view->length = view->payload <= length ? length - view->payload : 0;
	view->data = bytes + view->payload;
	view->mss = 0;
	view->scaled = false;
	view->scale = 0;
	view->sacks = 0;
	view->checksum_ok = said == length && view->payload <= length && tcp_sum(bytes, tcp, length) == 0xffff &&
			    (bytes[0] >> 4 == 6 || fold(sum(bytes, 20)) == 0xffff);
	if (view->options && view->payload <= length)
		view_options(bytes + tcp + 20, view->options, view);
}

/* inet_proto_csum_replace4(): what is broken stays broken. */
static void replace32(uint8_t *checksum, uint8_t *field, uint32_t value)
{
	uint64_t total = ~get16(checksum) & 0xffff;

	total += (~get32(field) >> 16 & 0xffff) + (~get32(field) & 0xffff);
	total += (value >> 16) + (value & 0xffff);
	put32(field, value);
	put16(checksum, ~fold(total) & 0xffff);
}

/* As in the kernel: every position is judged on its own. */
static uint32_t kernel_back(const struct seqadj *adj, uint32_t ack)
{
	int32_t beyond = (int32_t)(ack - (uint32_t)adj->before - adj->pos);

	return ack - (uint32_t)(beyond > 0 ? adj->after : adj->before);
}

static void kernel_adjust_sack(uint8_t *bytes, uint32_t tcp, const struct seqadj *others)
{
	uint32_t end = tcp + (bytes[tcp + 12] >> 4) * 4u;
	uint32_t n = tcp + 20;

	while (n < end && bytes[n] != 0) {
		if (bytes[n] == 1) {
			n++;
			continue;
		}
		if (n + 1 >= end || bytes[n + 1] < 2 || n + bytes[n + 1] > end)
			return;
		if (bytes[n] == 5 && (bytes[n + 1] - 2) % 8 == 0)
			for (uint32_t i = n + 2; i + 4 <= n + bytes[n + 1]; i += 4)
				replace32(bytes + tcp + 16, bytes + i, kernel_back(others, get32(bytes + i)));
		n += bytes[n + 1];
	}
}

void packet_kernel_adjust(uint8_t *bytes, uint32_t length, const struct seqadj *mine, const struct seqadj *others)
{
	uint32_t tcp = bytes[0] >> 4 == 4 ? 20 : 40;
	uint32_t seq = get32(bytes + tcp + 4);

	if (tcp + (bytes[tcp + 12] >> 4) * 4u > length)
		return;
	replace32(bytes + tcp + 16, bytes + tcp + 4,
		  seq + (uint32_t)((int32_t)(seq - mine->pos) > 0 ? mine->after : mine->before));
	if (!(bytes[tcp + 13] & TCP_ACK))
		return;
	replace32(bytes + tcp + 16, bytes + tcp + 8, kernel_back(others, get32(bytes + tcp + 8)));
	kernel_adjust_sack(bytes, tcp, others);
}
