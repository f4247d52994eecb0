// SPDX-License-Identifier: GPL-2.0-or-later
#include "segment.h"

#include "bytes.h"

#define PROTOCOL_TCP	6
#define IPV4_HEADER_MIN 20
#define IPV6_HEADER	40
#define TCP_HEADER_MIN	20
#define IP_LENGTH_MAX	65535

/* TCP header fields. */
enum {
	TCP_OFFSET_SEQ = 4,
	TCP_OFFSET_ACK = 8,
	TCP_OFFSET_DATA = 12,
	TCP_OFFSET_FLAGS = 13,
	TCP_OFFSET_CHECK = 16,
	TCP_OFFSET_URGENT = 18
};

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_SCALE = 3, OPTION_SACK = 5 };

#define SCALE_MAX 14 /* RFC 7323 section 2.3 */

/* Half and half, twice: added to itself the other way round, each half has what is carried out of the other (RFC 1071 section 2 (A)). */
static uint16_t fold(uint64_t total)
{
	const uint32_t half = (uint32_t)((total + (total << 32 | total >> 32)) >> 32);

	return (uint16_t)((half + (half << 16 | half >> 16)) >> 16);
}

static uint16_t from_big_endian(uint16_t value)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (uint16_t)(value << 8 | value >> 8) : value;
}

/*
 * The Internet checksum (RFC 1071): a one's complement sum of big-endian 16-bit words. It does not care about byte order until its
 * end (section 2 (B)), so it is summed in this machine's, eight bytes at a time, and folded once all has been added.
 */
static uint64_t sum_unfolded(const uint8_t *data, size_t length)
{
	uint64_t total = 0;
	uint32_t half = 0;
	uint16_t word = 0, last = 0;

	for (; length >= 8; data += 8, length -= 8) {
		uint64_t chunk;

		memcpy(&chunk, data, sizeof(chunk));
		total += chunk;
		total += total < chunk; /* what is carried out comes in again (section 2 (A)) */
	}
	if (length & 4) {
		memcpy(&half, data, sizeof(half));
		data += 4;
	}
	if (length & 2) {
		memcpy(&word, data, sizeof(word));
		data += 2;
	}
	if (length & 1)
		memcpy(&last, data, 1);
	return (total & 0xffffffff) + (total >> 32) + half + word + last;
}

static uint64_t sum_words(const uint8_t *data, size_t length)
{
	return from_big_endian(fold(sum_unfolded(data, length)));
}

/* The same bytes, beginning at an odd offset of the checksummed area, count with their halves swapped: 256 times (RFC 1071, 2 (B)). */
static uint64_t swap_if(bool odd, uint64_t total)
{
	return odd ? total << 8 : total;
}

/* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'), for the sums m of what went away and m' of what came. */
static void check_update(uint8_t *check, uint64_t removed, uint64_t added)
{
	bytes_put16(check,
		    (uint16_t)~fold((uint64_t)(uint16_t)~bytes_get16(check) + (uint16_t)~fold(removed) + fold(added)));
}

/* Where the addresses stand: the source's, and behind it the destination's. */
static uint8_t *addresses_of(const struct segment *segment)
{
	return segment->packet + (segment->src.family == FAMILY_IPV4 ? 12 : 8);
}

/* The sum of the pseudo header (RFC 9293 section 3.1), unfolded. */
static uint64_t pseudo_sum(const struct segment *segment)
{
	const size_t length = endpoint_address_length(segment->src.family);

	return sum_unfolded(addresses_of(segment), length * 2) +
	       swap_if(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, PROTOCOL_TCP + segment->length - segment->tcp);
}

/* The same with that of the segment: 0xffff where its checksum is right. */
static uint16_t whole_sum(const struct segment *segment)
{
	return from_big_endian(fold(pseudo_sum(segment) +
				    sum_unfolded(segment->packet + segment->tcp, segment->length - segment->tcp)));
}

/* In one piece: who reads a whole address soon need not wait for several writes to come together. */
static void set_ipv4_address(struct endpoint *endpoint, const uint8_t *address)
{
	uint64_t words[2] = { 0 };

	memcpy(words, address, 4);
	memcpy(endpoint->address, words, sizeof(endpoint->address));
}

/* Offset of the TCP header in an IPv4 packet, or a negative errno. */
static int parse_ipv4(struct segment *segment, const uint8_t *packet, size_t length)
{
	uint32_t header, total;

	if (length < IPV4_HEADER_MIN)
		return -EMSGSIZE;
	header = (uint32_t)(packet[0] & 15) * 4;
	total = bytes_get16(packet + 2);
	if (header < IPV4_HEADER_MIN || total < header)
		return -EBADMSG;
	if (total > length)
		return -EMSGSIZE;
	if ((bytes_get16(packet + 6) & 0x3fff) != 0 || packet[9] != PROTOCOL_TCP) /* MF or an offset: a fragment */
		return -EPROTONOSUPPORT;
	segment->length = total;
	set_ipv4_address(&segment->src, packet + 12);
	set_ipv4_address(&segment->dst, packet + 16);
	return (int)header;
}

enum { NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTHENTICATION = 51, NEXT_DESTINATION = 60 };

/* Offset of the TCP header in an IPv6 packet, behind any extension headers (RFC 8200 section 4), or a negative errno. */
static int parse_ipv6(struct segment *segment, const uint8_t *packet, size_t length)
{
	uint32_t total, at = IPV6_HEADER;
	uint8_t next;

	if (length < IPV6_HEADER)
		return -EMSGSIZE;
	total = IPV6_HEADER + (uint32_t)bytes_get16(packet + 4);
	if (total > length)
		return -EMSGSIZE;
	next = packet[6];
	while (next != PROTOCOL_TCP) {
		uint32_t extension = 8;

		if (next != NEXT_HOP_BY_HOP && next != NEXT_ROUTING && next != NEXT_FRAGMENT &&
		    next != NEXT_AUTHENTICATION && next != NEXT_DESTINATION)
			return -EPROTONOSUPPORT;
		if (total - at < 8)
			return -EBADMSG;
		if (next == NEXT_FRAGMENT) {
			if (bytes_get16(packet + at + 2) & 0xfff9)
				return -EPROTONOSUPPORT;
		} else if (next == NEXT_AUTHENTICATION) {
			extension = ((uint32_t)packet[at + 1] + 2) * 4;
		} else {
			extension = ((uint32_t)packet[at + 1] + 1) * 8;
		}
		if (total - at < extension)
			return -EBADMSG;
		next = packet[at];
		at += extension;
	}
	segment->length = total;
	memcpy(segment->src.address, packet + 8, 16);
	memcpy(segment->dst.address, packet + 24, 16);
	return (int)at;
}

int segment_parse(struct segment *segment, uint8_t *packet, size_t length, bool checksum_pending)
{
	const uint8_t *tcp;
	uint32_t header;
	uint8_t family;
	int offset;

	if (length == 0)
		return -EMSGSIZE;
	family = packet[0] >> 4;
	*segment = (struct segment){
		.packet = packet, .checksum_pending = checksum_pending, .src.family = family, .dst.family = family
	};
	if (family == FAMILY_IPV4)
		offset = parse_ipv4(segment, packet, length);
	else if (family == FAMILY_IPV6)
		offset = parse_ipv6(segment, packet, length);
	else
		return -EPROTONOSUPPORT;
	if (offset < 0)
		return offset;
	segment->tcp = (uint32_t)offset;
	if (segment->length - segment->tcp < TCP_HEADER_MIN)
		return -EBADMSG;
	tcp = packet + offset;
	header = (uint32_t)(tcp[TCP_OFFSET_DATA] >> 4) * 4;
	if (header < TCP_HEADER_MIN || header > segment->length - segment->tcp)
		return -EBADMSG;
	segment->payload = segment->tcp + header;
	segment->payload_length = segment->length - segment->payload;
	segment->src.port = bytes_get16(tcp);
	segment->dst.port = bytes_get16(tcp + 2);
	segment->seq = bytes_get32(tcp + TCP_OFFSET_SEQ);
	segment->ack = bytes_get32(tcp + TCP_OFFSET_ACK);
	segment->flags = tcp[TCP_OFFSET_FLAGS] & 0x3f;
	segment->urgent = bytes_get16(tcp + TCP_OFFSET_URGENT);
	return 0;
}

bool segment_checksum_ok(const struct segment *segment)
{
	if (segment->checksum_pending)
		return true;
	return whole_sum(segment) == 0xffff;
}

bool segment_checksum_left_out(const struct segment *segment)
{
	const uint16_t check = bytes_get16(segment->packet + segment->tcp + TCP_OFFSET_CHECK);

	return check == 0 || check == from_big_endian(fold(pseudo_sum(segment)));
}

/* The option of this kind, its length checked to be @least or more; NULL where there is none. */
static uint8_t *find_option(const struct segment *segment, uint8_t kind, uint8_t least)
{
	uint8_t *at = segment->packet + segment->tcp + TCP_HEADER_MIN;
	uint8_t *end = segment->packet + segment->payload;

	while (at < end && *at != OPTION_END) {
		if (*at == OPTION_NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return NULL;
		if (*at == kind && at[1] >= least)
			return at;
		at += at[1];
	}
	return NULL;
}

uint16_t segment_mss(const struct segment *segment)
{
	const uint8_t *option = find_option(segment, OPTION_MSS, 4);

	return option ? bytes_get16(option + 2) : 0;
}

uint8_t segment_window_scale(const struct segment *segment)
{
	const uint8_t *option = find_option(segment, OPTION_SCALE, 3);

	if (!option)
		return SEGMENT_NO_SCALE;
	return option[2] < SCALE_MAX ? option[2] : SCALE_MAX;
}

bool segment_has_sack(const struct segment *segment)
{
	return find_option(segment, OPTION_SACK, 10) != NULL;
}

static uint8_t *check_field(const struct segment *segment)
{
	return segment->packet + segment->tcp + TCP_OFFSET_CHECK;
}

/* A field of an even length anywhere in the TCP header changes. A pending checksum covers none of it yet. */
static void change(struct segment *segment, uint8_t *field, const uint8_t *value, size_t length)
{
	const bool odd = (field - (segment->packet + segment->tcp)) & 1;

	if (!segment->checksum_pending)
		check_update(check_field(segment), swap_if(odd, sum_words(field, length)),
			     swap_if(odd, sum_words(value, length)));
	memcpy(field, value, length);
}

static void change32(struct segment *segment, uint8_t *field, uint32_t value)
{
	uint8_t bytes[4];

	bytes_put32(bytes, value);
	change(segment, field, bytes, sizeof(bytes));
}

void segment_renumber(struct segment *segment, uint32_t seq, uint32_t ack)
{
	uint8_t *tcp = segment->packet + segment->tcp;

	if (seq != segment->seq)
		change32(segment, tcp + TCP_OFFSET_SEQ, seq);
	if (ack != segment->ack)
		change32(segment, tcp + TCP_OFFSET_ACK, ack);
	segment->seq = seq;
	segment->ack = ack;
}

void segment_map_sack(struct segment *segment, const struct seqadj *adj)
{
	uint8_t *option = find_option(segment, OPTION_SACK, 10);

	if (!option || !seqadj_active(adj))
		return;
	for (unsigned int at = 2; at + 8 <= option[1]; at += 8) {
		change32(segment, option + at, seqadj_back(adj, bytes_get32(option + at)));
		change32(segment, option + at + 4, seqadj_back(adj, bytes_get32(option + at + 4)));
	}
}

/* An address counts in the TCP checksum through the pseudo header, pending or not, and in IPv4's own. */
static void change_address(struct segment *segment, uint8_t *field, const struct endpoint *to)
{
	const size_t length = endpoint_address_length(segment->src.family);
	const uint64_t removed = sum_words(field, length), added = sum_words(to->address, length);
	uint8_t *check = check_field(segment);

	if (segment->checksum_pending) /* the field holds the plain sum, not its complement */
		bytes_put16(check, fold((uint64_t)bytes_get16(check) + (uint16_t)~fold(removed) + fold(added)));
	else
		check_update(check, removed, added);
	if (segment->src.family == FAMILY_IPV4)
		check_update(segment->packet + 10, removed, added);
	memcpy(field, to->address, length);
}

void segment_translate(struct segment *segment, const struct endpoint *src, const struct endpoint *dst)
{
	uint8_t *addresses = addresses_of(segment);
	uint8_t ports[4];

	change_address(segment, addresses, src);
	change_address(segment, addresses + endpoint_address_length(segment->src.family), dst);
	bytes_put16(ports, src->port);
	bytes_put16(ports + 2, dst->port);
	change(segment, segment->packet + segment->tcp, ports, sizeof(ports));
	segment->src = *src;
	segment->dst = *dst;
}

void segment_complete(struct segment *segment)
{
	uint8_t *check = check_field(segment);

	if (!segment->checksum_pending)
		return;
	bytes_put16(check, 0);
	bytes_put16(check, (uint16_t)~whole_sum(segment));
	segment->checksum_pending = false;
}

/* The IP length field, and IPv4's checksum over it. */
static void set_ip_length(uint8_t *packet, uint8_t family, uint32_t length)
{
	uint8_t *field = packet + (family == FAMILY_IPV4 ? 2 : 4);
	const uint16_t value = (uint16_t)(family == FAMILY_IPV4 ? length : length - IPV6_HEADER);
	const uint16_t old = bytes_get16(field);

	bytes_put16(field, value);
	if (family == FAMILY_IPV4)
		check_update(packet + 10, old, value);
}

/* Copy the chunks to @to and return the sum of what they bring to the checksum, unfolded. */
static uint64_t copy_chunks(const struct splice *splice, uint8_t *to)
{
	uint64_t total = 0;
	uint32_t at = 0;

	for (unsigned int i = 0; i < splice->count; i++) {
		const struct chunk *chunk = &splice->chunks[i];

		memcpy(to + at, chunk->data, chunk->length);
		total += swap_if(at & 1, sum_unfolded(chunk->data, chunk->length));
		at += chunk->length;
	}
	return total;
}

/* The sum of what a splice changes in the TCP header: sequence number, flags, urgent pointer. Unfolded. */
static uint64_t sum_of_changed(const uint8_t *tcp)
{
	return sum_unfolded(tcp + TCP_OFFSET_SEQ, 4) + sum_unfolded(tcp + TCP_OFFSET_DATA, 2) +
	       sum_unfolded(tcp + TCP_OFFSET_URGENT, 2);
}

int segment_splice(const struct segment *segment, const struct splice *splice, uint8_t *buffer, size_t capacity)
{
	uint8_t *tcp = buffer + segment->tcp;
	uint32_t length = segment->payload;
	uint64_t removed, added;

	for (unsigned int i = 0; i < splice->count; i++)
		length += splice->chunks[i].length;
	if (length > capacity || length > IP_LENGTH_MAX)
		return -EMSGSIZE;

	removed = sum_unfolded(segment_payload(segment), segment->payload_length);
	memcpy(buffer, segment->packet, segment->payload);
	added = copy_chunks(splice, buffer + segment->payload);
	set_ip_length(buffer, segment->src.family, length);

	removed += sum_of_changed(tcp);
	bytes_put32(tcp + TCP_OFFSET_SEQ, splice->seq);
	tcp[TCP_OFFSET_FLAGS] &= (uint8_t)~splice->clear;
	bytes_put16(tcp + TCP_OFFSET_URGENT, splice->urgent);
	added += sum_of_changed(tcp);
	if (segment->checksum_pending) {
		struct segment out = *segment;

		out.packet = buffer;
		out.length = length;
		segment_complete(&out);
	} else {
		check_update(tcp + TCP_OFFSET_CHECK, from_big_endian(fold(removed)) + segment->length,
			     from_big_endian(fold(added)) + length);
	}
	return (int)length;
}
