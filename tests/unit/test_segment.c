// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments: every length that contradicts another is refused, every change leaves the checksum that a full computation
 * gives, and what was broken stays broken. Packets lie in memory of exactly their size.
 */
#include "unit.h"

#include "common/packet.h"
#include "core/wire/segment.h"

static const struct endpoint v4[2] = {
	{ .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 },
	{ .family = FAMILY_IPV4, .address = { 192, 0, 2, 21 }, .port = 21 },
};
static const struct endpoint v6[2] = {
	{ .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8, [15] = 2 }, .port = 40000 },
	{ .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8, 1, [15] = 21 }, .port = 21 },
};

/* A copy in memory of its own; the caller frees. */
static uint8_t *alone(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = unit_alloc(length);

	memcpy(copy, bytes, length);
	return copy;
}

static int parse_alone(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = alone(bytes, length);
	struct segment segment;
	int result = segment_parse(&segment, copy, length, false);

	free(copy);
	return result;
}

static void reads_what_is_there(void **state)
{
	struct packet packet;
	struct segment segment;

	(void)state;
	packet_make(&packet, &v4[0], &v4[1], 0xfffffffe, 77, TCP_ACK | TCP_PSH, NULL, "NOOP\r\n", 6);
	assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
	assert_true(endpoint_equal(&segment.src, &v4[0]));
	assert_true(endpoint_equal(&segment.dst, &v4[1]));
	assert_int_equal(segment.seq, 0xfffffffe);
	assert_int_equal(segment.ack, 77);
	assert_int_equal(segment.flags, TCP_ACK | TCP_PSH);
	assert_int_equal(segment.payload_length, 6);
	assert_int_equal(segment.length, packet.length);
	assert_memory_equal(segment_payload(&segment), "NOOP\r\n", 6);
	assert_true(segment_checksum_ok(&segment));
	assert_int_equal(segment_start(&segment), 0xfffffffe);
	packet_make(&packet, &v6[0], &v6[1], UINT32_MAX, 0, TCP_SYN, NULL, NULL, 0);
	assert_int_equal(segment_parse(&segment, packet.bytes, packet.length + 100, false), 0);
	assert_int_equal(segment.length, packet.length);
	assert_true(endpoint_equal(&segment.dst, &v6[1]));
	assert_int_equal(segment_start(&segment), 0);
	assert_true(segment_checksum_ok(&segment));
}

static void truncated(void **state)
{
	static const uint8_t options[12] = { 1, 1, 8, 10 };
	const struct packet_options timestamps = { .tcp = options, .tcp_length = 12 };

	(void)state;
	for (unsigned int family = 0; family < 2; family++) {
		const struct endpoint *ends = family ? v6 : v4;
		struct packet packet;

		packet_make(&packet, &ends[0], &ends[1], 1, 1, TCP_ACK, &timestamps, "USER anonymous\r\n", 16);
		assert_int_equal(parse_alone(packet.bytes, packet.length), 0);
		for (uint32_t length = 0; length < packet.length; length++)
			assert_true(parse_alone(packet.bytes, length) < 0);
	}
}

static int with_byte(const struct packet *packet, uint32_t at, uint8_t value)
{
	struct packet changed = *packet;

	changed.bytes[at] = value;
	return parse_alone(changed.bytes, changed.length);
}

static void contradictions(void **state)
{
	struct packet packet;

	(void)state;
	packet_make(&packet, &v4[0], &v4[1], 1, 1, TCP_ACK, NULL, "abcdefgh", 8);
	assert_int_equal(with_byte(&packet, 0, 0x44), -EBADMSG);       /* header of 16 bytes */
	assert_int_equal(with_byte(&packet, 0, 0x4f), -EBADMSG);       /* header longer than the packet */
	assert_int_equal(with_byte(&packet, 3, 39), -EBADMSG);	       /* no room for TCP's header */
	assert_int_equal(with_byte(&packet, 3, 10), -EBADMSG);	       /* shorter than its own header */
	assert_int_equal(with_byte(&packet, 2, 1), -EMSGSIZE);	       /* longer than what is there */
	assert_int_equal(with_byte(&packet, 20 + 12, 0x40), -EBADMSG); /* TCP header of 16 bytes */
	assert_int_equal(with_byte(&packet, 20 + 12, 0xf0), -EBADMSG); /* TCP header longer than the packet */
	assert_int_equal(with_byte(&packet, 9, 17), -EPROTONOSUPPORT); /* UDP */
	assert_int_equal(with_byte(&packet, 0, 0x75), -EPROTONOSUPPORT);
	assert_int_equal(with_byte(&packet, 6, 0x20), -EPROTONOSUPPORT); /* more fragments */
	assert_int_equal(with_byte(&packet, 7, 1), -EPROTONOSUPPORT);	 /* a later fragment */
	assert_int_equal(with_byte(&packet, 6, 0x40), 0);		 /* don't fragment */
	packet_make(&packet, &v6[0], &v6[1], 1, 1, TCP_ACK, NULL, "abcdefgh", 8);
	assert_int_equal(with_byte(&packet, 5, 19), -EBADMSG);
	assert_int_equal(with_byte(&packet, 4, 1), -EMSGSIZE);
	assert_int_equal(with_byte(&packet, 40 + 12, 0xf0), -EBADMSG);
	assert_int_equal(with_byte(&packet, 6, 58), -EPROTONOSUPPORT);
	assert_int_equal(with_byte(&packet, 6, 44), -EPROTONOSUPPORT);
}

/* Hop-by-hop, routing and destination options before TCP; and what is wrong with them. */
static void extension_headers(void **state)
{
	/* 8 bytes hop-by-hop, 16 destination options, 8 routing with no segments left */
	uint8_t headers[32] = { 60, 0, 1, 4, 0, 0, 0, 0, 43, 1, 1, 12, [24] = 6 };
	struct packet_options options = { .ip = headers, .ip_length = 32, .ip_first = 0 };
	struct packet packet;
	struct segment segment;

	(void)state;
	packet_make(&packet, &v6[0], &v6[1], 5, 6, TCP_ACK, &options, "PASV\r\n", 6);
	assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
	assert_int_equal(segment.tcp, 72);
	assert_int_equal(segment.payload_length, 6);
	assert_true(segment_checksum_ok(&segment));
	assert_true(with_byte(&packet, 41, 200) < 0);	 /* longer than the packet */
	assert_true(with_byte(&packet, 40, 59) < 0);	 /* no next header */
	assert_true(with_byte(&packet, 40, 44) < 0);	 /* a fragment */
	assert_true(with_byte(&packet, 40 + 8, 50) < 0); /* encrypted */
}

static void random_bytes_are_refused_or_bounded(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 100000; round++) {
		size_t length = unit_pick(120);
		uint8_t *bytes = unit_alloc(length + 1);
		struct segment segment;

		unit_fill(bytes, length);
		if (length > 10) {
			bytes[0] = unit_pick(2) ? 0x45 : 0x60;
			bytes[9] = unit_pick(2) ? 6 : bytes[9];
			bytes[6] = bytes[0] == 0x60 ? (uint8_t)(unit_pick(2) ? 6 : unit_pick(2) ? 0 : 60) : 0;
			bytes[7] = bytes[2] = bytes[4] = 0;
		}
		if (segment_parse(&segment, bytes, length, false) == 0) {
			assert_true(segment.length <= length);
			assert_true(segment.payload >= segment.tcp + 20);
			assert_true(segment.payload + segment.payload_length == segment.length);
			segment_mss(&segment);
			segment_map_sack(&segment, &(struct seqadj){ 1, 2, 3 });
		}
		free(bytes);
	}
}

static uint32_t random_tcp_options(uint8_t *options)
{
	uint32_t length = 0;

	for (unsigned int n = unit_pick(4); n > 0 && length < 10; n--)
		options[length++] = 1; /* so that what follows stands at odd places too */
	if (unit_pick(2)) {
		memcpy(options + length, "\2\4\5\264", 4);
		length += 4;
	}
	if (unit_pick(3)) {
		unsigned int blocks = 1 + unit_pick(3);

		options[length] = 5;
		options[length + 1] = (uint8_t)(2 + 8 * blocks);
		unit_fill(options + length + 2, 8 * blocks);
		length += 2 + 8 * blocks;
	}
	while (length % 4)
		options[length++] = 0;
	return length;
}

static void random_packet(struct packet *packet, bool broken)
{
	const struct endpoint *ends = unit_pick(2) ? v6 : v4;
	static const uint8_t router_alert[8] = { 6, 0, 5, 2, 0, 0, 1, 0 };
	uint8_t payload[300], tcp_options[40];
	uint32_t length = unit_pick(300);
	struct packet_options options = { .tcp = tcp_options };

	options.tcp_length = random_tcp_options(tcp_options);
	if (unit_pick(3) == 0) {
		options.ip = router_alert;
		options.ip_length = 8;
		options.ip_first = 0;
	}
	unit_fill(payload, sizeof(payload));
	packet_make(packet, &ends[0], &ends[1], unit_random(), unit_random(), (uint8_t)(TCP_ACK | unit_pick(64)),
		    &options, payload, length);
	if (ends == v4 && options.ip_length)
		memset(packet->bytes + 20, 1, 8);
	packet_mend(packet);
	if (broken)
		packet->bytes[packet->tcp + 16] ^= (uint8_t)(1 + unit_pick(255));
}

static void check(const uint8_t *bytes, uint32_t length, uint32_t tcp, bool broken)
{
	struct segment segment;
	uint8_t *copy = alone(bytes, length);

	assert_int_equal(packet_is_right(bytes, length, tcp), !broken);
	assert_int_equal(segment_parse(&segment, copy, length, false), 0);
	assert_int_equal(segment_checksum_ok(&segment), !broken);
	free(copy);
}

static void renumbered(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		bool broken = unit_pick(4) == 0;
		uint32_t seq = unit_random(), ack = unit_random();
		struct packet packet;
		struct segment segment;

		random_packet(&packet, broken);
		assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
		segment_renumber(&segment, seq, ack);
		assert_int_equal(segment.seq, seq);
		assert_int_equal(packet_get32(packet.bytes + packet.tcp + 4), seq);
		assert_int_equal(packet_get32(packet.bytes + packet.tcp + 8), ack);
		check(packet.bytes, packet.length, packet.tcp, broken);
	}
}

/* The edges are those of a mapping one by one, found by walking the options independently. */
static void sack_mapped(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		bool broken = unit_pick(4) == 0;
		struct seqadj adj = { unit_random(), (int32_t)unit_pick(40) - 20, (int32_t)unit_pick(40) - 20 };
		struct packet packet, before;
		struct segment segment;

		random_packet(&packet, broken);
		before = packet;
		assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
		segment_map_sack(&segment, &adj);
		check(packet.bytes, packet.length, packet.tcp, broken);
		for (uint32_t at = packet.tcp + 20; at < packet.payload && before.bytes[at] != 0;) {
			const uint8_t *option = before.bytes + at;

			if (option[0] == 5)
				for (uint32_t i = 2; i < option[1]; i += 4)
					assert_int_equal(packet_get32(packet.bytes + at + i),
							 seqadj_back(&adj, packet_get32(option + i)));
			at += option[0] == 1 ? 1 : option[1];
		}
		assert_memory_equal(packet.bytes + packet.payload, before.bytes + packet.payload,
				    packet.length - packet.payload);
	}
}

static void translated(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		bool broken = unit_pick(4) == 0;
		struct packet packet;
		struct segment segment;
		struct endpoint src, dst;

		random_packet(&packet, broken);
		assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
		src = segment.src;
		dst = segment.dst;
		unit_fill(src.address, src.family == FAMILY_IPV4 ? 4 : 16);
		unit_fill(dst.address, dst.family == FAMILY_IPV4 ? 4 : 16);
		src.port = (uint16_t)unit_random();
		segment_translate(&segment, &src, &dst);
		check(packet.bytes, packet.length, packet.tcp, broken);
		assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
		assert_true(endpoint_equal(&segment.src, &src));
		assert_true(endpoint_equal(&segment.dst, &dst));
	}
}

/* A payload of up to eight pieces of any length, odd ones too. */
static void spliced(void **state)
{
	static uint8_t buffer[65536 + 256];

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		bool broken = unit_pick(4) == 0;
		uint8_t texts[8][64], joined[512];
		struct splice splice = { .count = unit_pick(9),
					 .seq = unit_random(),
					 .urgent = (uint16_t)unit_random() };
		uint32_t length = 0;
		struct packet packet;
		struct segment segment;
		int result;

		random_packet(&packet, broken);
		assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
		for (unsigned int i = 0; i < splice.count; i++) {
			splice.chunks[i] = (struct chunk){ texts[i], unit_pick(64) };
			unit_fill(texts[i], sizeof(texts[i]));
			memcpy(joined + length, texts[i], splice.chunks[i].length);
			length += splice.chunks[i].length;
		}
		splice.clear = (uint8_t)(unit_pick(2) ? TCP_FIN | TCP_URG : 0);
		result = segment_splice(&segment, &splice, buffer, sizeof(buffer));
		assert_int_equal(result, packet.payload + length);
		check(buffer, (uint32_t)result, packet.tcp, broken);
		assert_memory_equal(buffer + packet.payload, joined, length);
		assert_int_equal(packet_get32(buffer + packet.tcp + 4), splice.seq);
		assert_int_equal(buffer[packet.tcp + 13], packet.bytes[packet.tcp + 13] & ~splice.clear);
		assert_int_equal(segment_splice(&segment, &splice, buffer, (size_t)result - 1), -EMSGSIZE);
	}
}

static void too_long_for_ip(void **state)
{
	static uint8_t buffer[3 * 65536], text[65535];
	struct splice splice = { .chunks = { { text, 65535 } }, .count = 1 };
	struct packet packet;
	struct segment segment;

	(void)state;
	packet_make(&packet, &v4[0], &v4[1], 1, 1, TCP_ACK, NULL, "x", 1);
	segment_parse(&segment, packet.bytes, packet.length, false);
	assert_int_equal(segment_splice(&segment, &splice, buffer, sizeof(buffer)), -EMSGSIZE);
	packet_make(&packet, &v6[0], &v6[1], 1, 1, TCP_ACK, NULL, "x", 1);
	segment_parse(&segment, packet.bytes, packet.length, false);
	assert_int_equal(segment_splice(&segment, &splice, buffer, sizeof(buffer)), -EMSGSIZE);
}

/* Where the kernel has not computed it yet, a changed packet gets a whole checksum, an unchanged one keeps the field.
 */
static void pending(void **state)
{
	static uint8_t buffer[PACKET_ROOM];
	struct splice splice = { .chunks = { { (const uint8_t *)"NOOP\r\n", 6 } }, .count = 1, .seq = 9 };

	(void)state;
	for (unsigned int family = 0; family < 2; family++) {
		const struct endpoint *ends = family ? v6 : v4;
		struct packet packet;
		struct segment segment;
		int length;

		packet_make(&packet, &ends[0], &ends[1], 1, 1, TCP_ACK, NULL, "PASV\r\n", 6);
		packet_put16(packet.bytes + packet.tcp + 16, 0x1234);
		assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, true), 0);
		assert_true(segment_checksum_ok(&segment));
		length = segment_splice(&segment, &splice, buffer, sizeof(buffer));
		assert_true(packet_is_right(buffer, (uint32_t)length, packet.tcp));
		segment_renumber(&segment, 100, 200);
		segment_complete(&segment);
		assert_true(packet_is_right(packet.bytes, packet.length, packet.tcp));
	}
}

static void mss(void **state)
{
	static const uint8_t plain[4] = { 2, 4, 5, 0xb4 }, behind[8] = { 1, 3, 3, 7, 2, 4, 2, 0x18 };
	static const uint8_t cut[4] = { 1, 1, 2, 4 }, zero[4] = { 3, 0, 2, 4 }, absent[4] = { 1, 1, 4, 2 };
	static const struct {
		const uint8_t *options;
		uint32_t length;
		uint16_t mss;
	} rows[] = { { plain, 4, 1460 }, { behind, 8, 536 }, { cut, 4, 0 },
		     { zero, 4, 0 },	 { absent, 4, 0 },   { plain, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet_options options = { .tcp = rows[i].options, .tcp_length = rows[i].length };
		struct packet packet;
		struct segment segment;

		packet_make(&packet, &v4[0], &v4[1], 1, 0, TCP_SYN, &options, NULL, 0);
		assert_int_equal(segment_parse(&segment, packet.bytes, packet.length, false), 0);
		assert_int_equal(segment_options_length(&segment), rows[i].length);
		assert_int_equal(segment_mss(&segment), rows[i].mss);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_there),
		cmocka_unit_test(truncated),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(random_bytes_are_refused_or_bounded),
		cmocka_unit_test(renumbered),
		cmocka_unit_test(sack_mapped),
		cmocka_unit_test(translated),
		cmocka_unit_test(spliced),
		cmocka_unit_test(too_long_for_ip),
		cmocka_unit_test(pending),
		cmocka_unit_test(mss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
