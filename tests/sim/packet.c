// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets to bytes and back, independently of core/wire/segment. And the kernel's part where it renumbers:
 * net/netfilter/nf_conntrack_seqadj.c, with checksums updated as it does.
 */
#include "common/packet_bytes.h"
#include "sim.h"

#define MOST_OPTIONS 40 /* a TCP header is of 60 bytes at the most */

static uint32_t write_options(uint8_t *p, const struct header *header)
{
	/* Padded with no-operations, as Linux does; what varies is put behind. */
	static const uint8_t sack_permitted[4] = { 1, 1, 4, 2 }, window_scale[3] = { 1, 3, 3 };
	static const uint8_t timestamps[4] = { 1, 1, 8, 10 };
	uint32_t n = 0;

	if (header->mss) {
		p[n] = 2;
		p[n + 1] = 4;
		packet_put16(p + n + 2, header->mss);
		n += 4;
	}
	if (header->sack_permitted) {
		memcpy(p + n, sack_permitted, 4);
		n += 4;
	}
	if (header->scaled) {
		memcpy(p + n, window_scale, 3);
		p[n + 3] = header->scale;
		n += 4;
	}
	if (header->timestamps) {
		memcpy(p + n, timestamps, 4);
		packet_put32(p + n + 4, header->stamp);
		packet_put32(p + n + 8, header->stamp ^ 0x5a5a);
		n += 12;
	}
	if (header->sacks) {
		p[n] = p[n + 1] = 1;
		p[n + 2] = 5;
		p[n + 3] = (uint8_t)(2 + 8 * header->sacks);
		n += 4;
		for (unsigned int i = 0; i < header->sacks; i++, n += 8) {
			packet_put32(p + n, header->sack[i][0]);
			packet_put32(p + n + 4, header->sack[i][1]);
		}
	}
	return n;
}

uint32_t packet_write(uint8_t *bytes, const struct endpoint *src, const struct endpoint *dst,
		      const struct header *header, const uint8_t *data, uint32_t length)
{
	uint8_t options[MOST_OPTIONS];
	const struct packet_header full = {
		.seq = header->seq,
		.ack = header->ack,
		.flags = header->flags,
		.window = header->window,
		.urgent = header->urgent,
		.tcp = options,
		.tcp_length = write_options(options, header),
	};

	return packet_put(bytes, src, dst, &full, data, length);
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
			view->mss = (uint16_t)packet_get16(p + n + 2);
		if (p[n] == 3 && p[n + 1] == 3) {
			view->scaled = true;
			view->scale = p[n + 2] > 14 ? 14 : p[n + 2];
		}
		if (p[n] == 5)
			for (uint32_t i = n + 2; i + 8 <= n + p[n + 1] && view->sacks < 4; i += 8, view->sacks++) {
				view->sack[view->sacks][0] = packet_get32(p + i);
				view->sack[view->sacks][1] = packet_get32(p + i + 4);
			}
		n += p[n + 1];
	}
}

void packet_view(const uint8_t *bytes, uint32_t length, struct view *view)
{
	uint32_t tcp = bytes[0] >> 4 == 4 ? (bytes[0] & 15u) * 4 : 40;
	uint32_t said = bytes[0] >> 4 == 4 ? packet_get16(bytes + 2) : 40 + packet_get16(bytes + 4);

	view->tcp = tcp;
	view->seq = packet_get32(bytes + tcp + 4);
	view->ack = packet_get32(bytes + tcp + 8);
	view->flags = bytes[tcp + 13];
	view->window = (uint16_t)packet_get16(bytes + tcp + 14);
	view->urgent = (uint16_t)packet_get16(bytes + tcp + 18);
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
	view->checksum_ok = said == length && view->payload <= length && packet_is_right(bytes, length, tcp);
	if (view->options && view->payload <= length)
		view_options(bytes + tcp + 20, view->options, view);
}

/* inet_proto_csum_replace4(): what is broken stays broken. */
static void replace32(uint8_t *checksum, uint8_t *field, uint32_t value)
{
	uint64_t total = ~packet_get16(checksum) & 0xffff;

	total += (~packet_get32(field) >> 16 & 0xffff) + (~packet_get32(field) & 0xffff);
	total += (value >> 16) + (value & 0xffff);
	packet_put32(field, value);
	packet_put16(checksum, ~packet_sum(NULL, 0, total) & 0xffff);
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
				replace32(bytes + tcp + 16, bytes + i, kernel_back(others, packet_get32(bytes + i)));
		n += bytes[n + 1];
	}
}

void packet_kernel_adjust(uint8_t *bytes, uint32_t length, const struct seqadj *mine, const struct seqadj *others)
{
	uint32_t tcp = bytes[0] >> 4 == 4 ? 20 : 40;
	uint32_t seq = packet_get32(bytes + tcp + 4);

	if (tcp + (bytes[tcp + 12] >> 4) * 4u > length)
		return;
	replace32(bytes + tcp + 16, bytes + tcp + 4,
		  seq + (uint32_t)((int32_t)(seq - mine->pos) > 0 ? mine->after : mine->before));
	if (!(bytes[tcp + 13] & TCP_ACK))
		return;
	replace32(bytes + tcp + 16, bytes + tcp + 8, kernel_back(others, packet_get32(bytes + tcp + 8)));
	kernel_adjust_sack(bytes, tcp, others);
}
