// SPDX-License-Identifier: GPL-2.0-or-later
#include "segment.h"

#include "core/wire/bytes.h"

#define IPV4_HEADER_MIN 20u
#define IPV6_HEADER	40u
#define TCP_HEADER_MIN	20u
#define PROTOCOL_TCP	6

/* Where TCP begins in a packet that was cut off, 0 where that cannot be said. */
static uint32_t find_tcp(const uint8_t *ip, uint32_t captured)
{
	const bool ipv4 = captured > 0 && ip[0] >> 4 == FAMILY_IPV4;
	const uint32_t minimum = ipv4 ? IPV4_HEADER_MIN : IPV6_HEADER;
	uint32_t header = minimum;

	if (captured < minimum)
		return 0;
	if (ipv4)
		header = (ip[0] & 15) * 4u;
	if (header < minimum || captured < header + TCP_HEADER_MIN)
		return 0;
	return ip[ipv4 ? 9 : 6] == PROTOCOL_TCP ? header : 0;
}

/* Only a packet whose fixed headers are there can be helped. */
static int shorten(struct capture_segment *view, uint8_t *ip, uint32_t captured)
{
	const bool ipv4 = captured > 0 && ip[0] >> 4 == FAMILY_IPV4;
	const uint32_t tcp = find_tcp(ip, captured);
	const uint32_t length = ipv4 ? captured : captured - IPV6_HEADER;

	if (tcp == 0 || length > UINT16_MAX)
		return -EMSGSIZE;
	view->length = ip + (ipv4 ? 2 : 4);
	memcpy(view->old_length, view->length, 2);
	view->length[0] = (uint8_t)(length >> 8);
	view->length[1] = (uint8_t)length;
	if ((ip[tcp + 12] >> 4) * 4u <= captured - tcp)
		return 0;
	view->data_offset = ip + tcp + 12;
	view->old_data_offset = *view->data_offset;
	*view->data_offset = (uint8_t)(TCP_HEADER_MIN / 4 << 4 | (view->old_data_offset & 15));
	return 0;
}

void capture_segment_close(const struct capture_segment *view)
{
	if (view->length)
		memcpy(view->length, view->old_length, 2);
	if (view->data_offset)
		*view->data_offset = view->old_data_offset;
}

enum capture_checksum capture_segment_checksum(const struct capture_segment *view)
{
	if (view->truncated)
		return CHECKSUM_UNKNOWN;
	if (segment_checksum_ok(&view->segment))
		return CHECKSUM_RIGHT;
	return segment_checksum_left_out(&view->segment) ? CHECKSUM_LEFT_OUT : CHECKSUM_WRONG;
}

void capture_segment_complete(struct capture_segment *view)
{
	view->segment.checksum_pending = true;
	segment_complete(&view->segment);
}

/* By the lengths in its headers, which need not go together. */
static uint32_t sent_length(const struct capture_segment *view)
{
	const uint8_t *packet = view->segment.packet;
	const uint8_t data_offset = view->data_offset ? view->old_data_offset : packet[view->segment.tcp + 12];
	const bool ipv4 = packet[0] >> 4 == FAMILY_IPV4;
	const uint32_t length = bytes_get16(view->old_length) + (ipv4 ? 0 : IPV6_HEADER);
	const uint32_t headers = view->segment.tcp + (data_offset >> 4) * 4u;

	return length > headers ? length - headers : 0;
}

int capture_segment_open(struct capture_segment *view, struct capture_packet *packet)
{
	int error;

	*view = (struct capture_segment){ 0 };
	if (!packet->ip)
		return -EPROTONOSUPPORT;
	error = segment_parse(&view->segment, packet->ip, packet->ip_captured, false);
	view->payload_length = error ? 0 : view->segment.payload_length;
	if (error != -EMSGSIZE)
		return error;
	error = shorten(view, packet->ip, packet->ip_captured);
	if (error)
		return error;
	view->truncated = true;
	error = segment_parse(&view->segment, packet->ip, packet->ip_captured, false);
	if (!error)
		view->payload_length = sent_length(view);
	return error;
}
