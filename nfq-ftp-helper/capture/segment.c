// SPDX-License-Identifier: GPL-2.0-or-later
#include "segment.h"

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

/* The payload that a packet had before it was cut off, by its own lengths; 0 where they contradict each other. */
static uint32_t whole_payload(const uint8_t *ip, uint32_t tcp)
{
	const bool ipv4 = ip[0] >> 4 == FAMILY_IPV4;
	const uint8_t *field = ip + (ipv4 ? 2 : 4);
	const uint32_t length = (uint32_t)(field[0] << 8 | field[1]) + (ipv4 ? 0 : IPV6_HEADER);
	const uint32_t headers = tcp + (ip[tcp + 12] >> 4) * 4u;

	return length > headers ? length - headers : 0;
}

/* Only a packet whose fixed headers are there can be helped. */
static int shorten(struct capture_segment *view, uint8_t *ip, uint32_t captured)
{
	const bool ipv4 = captured > 0 && ip[0] >> 4 == FAMILY_IPV4;
	const uint32_t tcp = find_tcp(ip, captured);
	const uint32_t length = ipv4 ? captured : captured - IPV6_HEADER;

	if (tcp == 0 || length > UINT16_MAX)
		return -EMSGSIZE;
	view->whole = whole_payload(ip, tcp);
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

/*
 * Has the checksum been left to the network card? Linux writes the pseudo header's sum into its field then, others
 * zero. Completing it is then what the card would have done.
 */
static bool checksum_left_out(const struct segment *segment)
{
	const uint8_t *check = segment->packet + segment->tcp + 16;
	const uint32_t length = segment->length - segment->tcp;
	uint32_t sum = PROTOCOL_TCP + (length >> 16) + (length & 0xffff);

	for (unsigned int i = 0; i < 16; i += 2) {
		sum += (uint32_t)(segment->src.address[i] << 8 | segment->src.address[i + 1]);
		sum += (uint32_t)(segment->dst.address[i] << 8 | segment->dst.address[i + 1]);
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (check[0] << 8 | check[1]) == (int)sum || (check[0] == 0 && check[1] == 0);
}

static void complete_checksum(struct segment *segment)
{
	if (segment_checksum_ok(segment) || !checksum_left_out(segment))
		return;
	segment->checksum_pending = true;
	segment_complete(segment);
}

int capture_segment_open(struct capture_segment *view, struct capture_packet *packet)
{
	int error;

	*view = (struct capture_segment){ 0 };
	if (!packet->ip)
		return -EPROTONOSUPPORT;
	error = segment_parse(&view->segment, packet->ip, packet->ip_captured, false);
	if (!error)
		complete_checksum(&view->segment);
	if (error != -EMSGSIZE)
		return error;
	error = shorten(view, packet->ip, packet->ip_captured);
	if (error)
		return error;
	view->truncated = true;
	return segment_parse(&view->segment, packet->ip, packet->ip_captured, false);
}
