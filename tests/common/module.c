// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/module.h"

#include "core/wire/segment.h"

/* What a SYN says first of all, if anything. */
static uint16_t mss_of(const struct packet *packet)
{
	const uint8_t *options = packet->bytes + packet->tcp + 20;

	if (!(packet->bytes[packet->tcp + 13] & SCAN_SYN) || packet->payload - packet->tcp < 24 || options[0] != 2)
		return 0;
	return (uint16_t)packet_get16(options + 2);
}

static struct scan_segment segment_of(const struct module *module, enum direction side, const struct packet *packet)
{
	const uint8_t *tcp = packet->bytes + packet->tcp;

	return (struct scan_segment){
		.side = side,
		.seq = packet_get32(tcp + 4),
		.ack = seqadj_back(&module->adj[direction_other(side)], packet_get32(tcp + 8)),
		.length = packet->length - packet->payload,
		.flags = tcp[13],
		.mss = mss_of(packet),
	};
}

/* ---- packets ---- */

/* @length bytes at @offset of the payload give way to a text. */
static void mangle(struct packet *packet, uint32_t offset, uint32_t length, const char *text, uint32_t text_length)
{
	uint8_t *at = packet->bytes + packet->payload + offset;

	memmove(at + text_length, at + length, packet->length - packet->payload - offset - length);
	memcpy(at, text, text_length);
	packet->length += text_length - length;
	if (packet->bytes[0] >> 4 == 4)
		packet_put16(packet->bytes + 2, packet->length);
	else
		packet_put16(packet->bytes + 4, packet->length - 40);
	packet_mend(packet);
}

static void send_again(struct module *module, struct packet *packet)
{
	const struct plain_again *left = &module->left;
	const uint32_t length = packet->length - packet->payload;
	uint8_t *tcp = packet->bytes + packet->tcp;

	packet_put32(tcp + 4, left->seq);
	tcp[13] = (uint8_t)(tcp[13] & ~(TCP_FIN | TCP_URG));
	mangle(packet, left->kept, length - left->kept, "", 0);
	mangle(packet, left->offset, left->length, module->edit.text, left->new_length);
	module->again++;
}

/* ---- expectations ---- */

static void forget(struct module *module, unsigned int which)
{
	module->opens--;
	memmove(&module->open[which], &module->open[which + 1], (module->opens - which) * sizeof(module->open[0]));
}

static void take_back(struct module *module, bool accepted)
{
	for (unsigned int i = module->opens; i-- > 0;)
		if (module->open[i].accepted == accepted)
			forget(module, i);
}

static void carry_out(struct module *module, struct scan_segment *segment)
{
	if (segment->accepted == SCAN_GONE)
		take_back(module, true);
	if (segment->unanswered == SCAN_GONE)
		take_back(module, false);
	for (unsigned int i = 0; segment->unanswered == SCAN_ACCEPTED && i < module->opens; i++)
		module->open[i].accepted = true;
	for (unsigned int i = 0; segment->wait != SCAN_WAIT_STAYS && i < module->opens; i++)
		module->open[i].awaited = module->open[i].accepted && segment->wait == SCAN_WAIT_BEGINS;
	segment->accepted = segment->unanswered = SCAN_STAYS;
	segment->wait = SCAN_WAIT_STAYS;
}

void module_give_way(struct module *module, const struct tuple *expected)
{
	for (unsigned int i = module->opens; i-- > 0;)
		if (endpoint_equal(&module->open[i].expected.dst, &expected->dst) &&
		    endpoint_address_equal(&module->open[i].expected.src, &expected->src))
			forget(module, i);
}

static bool expect(struct module *module, const struct scan_segment *segment)
{
	const struct plain *plain = &module->plain;

	if (module->is_taken(&plain->expected))
		return false;
	module_give_way(module, &plain->expected);
	if (module->opens == MODULE_OPEN_MAX)
		return false;
	module->open[module->opens++] = (struct module_open){ .expected = plain->expected,
							      .inside = plain->inside,
							      .by = segment->side,
							      .accepted = segment->side == DIRECTION_REPLY };
	module->announced++;
	return true;
}

/* ---- a segment ---- */

static bool announce(struct module *module, struct scan_segment *segment, struct packet *packet)
{
	struct plain_connection connection = module->connection;
	enum plain_action action;

	connection.adj = module->adj[segment->side];
	action = plain_decide(segment, packet->bytes + packet->payload, &connection, &module->plain);
	if (action == PLAIN_DECLINE || !expect(module, segment))
		return false;
	segment->done = true;
	if (action == PLAIN_EXPECT)
		return true;
	segment->edited = true;
	module->edit = module->plain.edit;
	module->kept = true;
	module->adj[segment->side] = module->plain.adj;
	module->edited++;
	mangle(packet, module->plain.offset, module->edit.old_length, module->edit.text, module->edit.new_length);
	return true;
}

static void read_payload(struct module *module, struct scan_segment *segment, const struct packet *packet,
			 uint32_t fresh, uint32_t piece)
{
	while (fresh) {
		const uint32_t length = fresh < piece ? fresh : piece;

		scan_read(&module->scan, segment, packet->bytes + packet->length - fresh, length);
		fresh -= length;
	}
}

enum module_way module_input(struct module *module, enum direction side, struct packet *packet, bool marked,
			     uint32_t piece)
{
	struct scan_segment segment = segment_of(module, side, packet);
	uint32_t fresh;
	bool queued;

	segment.fast = module->fast && !marked;
	if (segment.flags & SCAN_SYN && !module->scan.started)
		module->kept = false;
	fresh = scan_begin(&module->scan, &segment);
	if (module->kept && plain_again(&module->edit, &module->adj[side], &segment, &module->left)) {
		send_again(module, packet);
		return MODULE_AGAIN;
	}
	read_payload(module, &segment, packet, fresh, piece);
	carry_out(module, &segment);
	if (scan_announces(&module->scan, &segment))
		(void)announce(module, &segment, packet);
	queued = scan_end(&module->scan, &segment);
	carry_out(module, &segment);
	return queued ? MODULE_QUEUED : segment.edited ? MODULE_EDITED : MODULE_PASSES;
}
