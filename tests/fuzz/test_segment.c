// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet of any bytes is parsed; what parses is spliced, renumbered and translated. The checksum is right afterwards
 * if, and only if, it was before.
 */
#include "core/wire/segment.h"
#include "fuzz.h"

static uint8_t buffer[65536 + 256];

static void splice(const struct segment *segment, struct input *input)
{
	struct splice new = { .count = input_byte(input) % 9,
			      .seq = input_u32(input),
			      .clear = input_byte(input) & 0x29 };
	struct segment result;
	size_t total = 0;
	int length;

	for (unsigned int i = 0; i < new.count; i++) {
		uint32_t size = input_byte(input);

		if (size > segment->payload_length)
			size = segment->payload_length;
		new.chunks[i] = (struct chunk){ segment_payload(segment) + segment->payload_length - size, size };
		total += size;
	}
	length = segment_splice(segment, &new, buffer, sizeof(buffer));
	if (length < 0)
		return;
	MUST((size_t)length == segment->payload + total);
	MUST(segment_parse(&result, buffer, (size_t)length, false) == 0);
	MUST(result.payload_length == total && result.seq == new.seq);
	MUST(segment_checksum_ok(&result) == segment_checksum_ok(segment));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t commands[64];
	size_t length;
	uint8_t *packet;
	struct segment segment;
	bool right;

	for (unsigned int i = 0; i < sizeof(commands); i++)
		commands[i] = input_byte(&input);
	packet = input_copy(&input, 65535, &length);
	if (segment_parse(&segment, packet, length, false) == 0) {
		struct input more = { commands, sizeof(commands) };
		struct endpoint src = segment.src, dst = segment.dst;

		MUST(segment.length <= length && segment.payload + segment.payload_length == segment.length);
		MUST(segment.payload >= segment.tcp + 20);
		right = segment_checksum_ok(&segment);
		splice(&segment, &more);
		segment_renumber(&segment, input_u32(&more), input_u32(&more));
		MUST(segment_checksum_ok(&segment) == right);
		segment_map_sack(&segment, &(struct seqadj){ input_u32(&more), (int8_t)input_byte(&more), 9 });
		MUST(segment_checksum_ok(&segment) == right);
		src.port = (uint16_t)input_u32(&more);
		src.address[3] = input_byte(&more);
		dst.address[0] = input_byte(&more);
		segment_translate(&segment, &src, &dst);
		MUST(segment_checksum_ok(&segment) == right);
		segment_mss(&segment);
	}
	free(packet);
	return 0;
}
