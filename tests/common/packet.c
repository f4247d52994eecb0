// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/packet.h"

void packet_mend(struct packet *packet)
{
	packet_make_right(packet->bytes, packet->length, packet->tcp);
}

void packet_make(struct packet *packet, const struct endpoint *src, const struct endpoint *dst, uint32_t seq,
		 uint32_t ack, uint8_t flags, const struct packet_options *options, const void *payload,
		 uint32_t length)
{
	struct packet_header header = { .seq = seq, .ack = ack, .flags = flags, .window = 65535 };

	if (options) {
		header.ip = options->ip;
		header.ip_length = options->ip_length;
		header.ip_first = options->ip_first;
		header.tcp = options->tcp;
		header.tcp_length = options->tcp_length;
	}
	packet->length = packet_put(packet->bytes, src, dst, &header, payload, length);
	packet->payload = packet->length - length;
	packet->tcp = packet->payload - 20 - header.tcp_length;
}
