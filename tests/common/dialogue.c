// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/dialogue.h"

#include "unit/unit.h"

static int dialogue_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
			 enum direction *direction)
{
	struct dialogue *d = (struct dialogue *)conntrack;

	(void)zone;
	d->find_calls++;
	if (d->find_error)
		return d->find_error;
	*direction = endpoint_equal(&seen->src, &d->inside[CLIENT]) ? DIRECTION_ORIGINAL : DIRECTION_REPLY;
	*binding = d->binding;
	return 0;
}

static int dialogue_expect(struct conntrack *conntrack, const struct binding *master,
			   const struct expectation *expectation)
{
	struct dialogue *d = (struct dialogue *)conntrack;

	(void)master;
	d->expect_calls++;
	if (d->busy_port && expectation->tuple.dst.port == d->busy_port)
		return -EBUSY;
	if (d->expect_error)
		return d->expect_error;
	for (unsigned int i = 0; i < d->expectations; i++)
		if (endpoint_equal(&d->expectation[i].tuple.dst, &expectation->tuple.dst)) {
			d->expectation[i] = *expectation;
			return 0;
		}
	assert_true(d->expectations < DIALOGUE_EXPECTATIONS);
	d->expectation[d->expectations++] = *expectation;
	return 0;
}

static void dialogue_unexpect(struct conntrack *conntrack, const struct binding *master,
			      const struct expectation *expectation)
{
	struct dialogue *d = (struct dialogue *)conntrack;

	(void)master;
	d->unexpect_calls++;
	for (unsigned int i = 0; i < d->expectations; i++)
		if (d->expectation[i].tuple.dst.port == expectation->tuple.dst.port) {
			d->expectation[i] = d->expectation[--d->expectations];
			return;
		}
}

static int dialogue_adjust(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			   const struct seqadj *adjustment)
{
	struct dialogue *d = (struct dialogue *)conntrack;

	(void)master;
	d->adjust_calls++;
	if (d->adjust_error)
		return d->adjust_error;
	d->adj[direction] = *adjustment;
	return (int)d->by;
}

static void dialogue_settle(struct conntrack *conntrack, const struct binding *master)
{
	(void)master;
	((struct dialogue *)conntrack)->settle_calls++;
}

static void dialogue_report(void *context, const struct report *report)
{
	struct dialogue *d = context;

	d->reports[report->kind]++;
	if (report->kind != REPORT_REFUSE)
		return;
	d->refusal = report->refusal;
	d->refused[report->refusal]++;
	assert_int_equal(d->engine.counters.refusals[report->refusal], d->refused[report->refusal]);
}

void dialogue_restart(struct dialogue *d)
{
	static const uint64_t seed[2] = { 5, 6 };
	struct policy policy = d->engine.table ? d->engine.policy : policy_default;

	memset(&d->engine, 0, sizeof(d->engine));
	memset(d->refused, 0, sizeof(d->refused));
	d->engine.table = table_open(d->memory, &d->size, seed, NULL);
	assert_non_null(d->engine.table);
	d->engine.conntrack = &d->conntrack;
	d->engine.policy = policy;
	d->engine.report = dialogue_report;
	d->engine.report_context = d;
	resume_sessions(&d->engine);
	session_absent(&d->engine, d->now);
}

static void dialogue_addresses(struct dialogue *d, unsigned int nat)
{
	struct endpoint client = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 };
	struct endpoint server = { .family = FAMILY_IPV4, .address = { 192, 168, 7, 3 }, .port = 21 };
	struct endpoint shown = { .family = FAMILY_IPV4, .address = { 198, 51, 100, 254 }, .port = 40000 };
	struct endpoint known = { .family = FAMILY_IPV4, .address = { 203, 0, 113, 80 }, .port = 21 };

	if (nat & WITH_IPV6) {
		const uint8_t net[4] = { 0x20, 1, 0xd, 0xb8 };
		struct endpoint *all[4] = { &client, &server, &shown, &known };

		for (unsigned int i = 0; i < 4; i++) {
			memset(all[i]->address, 0, 16);
			memcpy(all[i]->address, net, 4);
			all[i]->address[15] = (uint8_t)(i + 1); /* 2001:db8::1 to ::4 */
			all[i]->family = FAMILY_IPV6;
		}
	}
	d->inside[CLIENT] = client;
	d->inside[SERVER] = server;
	d->binding = (struct binding){
		.tuple[DIRECTION_ORIGINAL] = { client, nat & DNAT ? known : server },
		.tuple[DIRECTION_REPLY] = { server, nat & MASQUERADE ? shown : client },
		.id = 0x1d,
	};
}

void dialogue_begin(struct dialogue *d, unsigned int nat)
{
	static const struct conntrack_ops ops = {
		.find = dialogue_find,
		.expect = dialogue_expect,
		.unexpect = dialogue_unexpect,
		.adjust_seq = dialogue_adjust,
		.settle = dialogue_settle,
	};

	memset(d, 0, sizeof(*d));
	d->conntrack.ops = &ops;
	d->by = SEQADJ_KERNEL;
	d->size = (struct table_size){ .sessions = 8, .works = 4, .budgets = 4 };
	d->memory = unit_alloc_lines(table_bytes(&d->size));
	d->now = 100000;
	d->seq[CLIENT] = 1000;
	d->seq[SERVER] = 5000;
	dialogue_addresses(d, nat);
	dialogue_restart(d);
}

void dialogue_input(struct dialogue *d)
{
	struct output output = { .buffer = d->buffer, .capacity = sizeof(d->buffer) };
	struct arrival arrival;

	d->now += 10;
	d->out = d->in.bytes;
	d->out_length = d->in.length;
	assert_int_equal(session_arrive(&d->engine, &arrival, d->in.bytes, d->in.length, false, 0), 0);
	arrival.invalid = d->invalid;
	session_prefetch(&d->engine, &arrival, 1);
	d->verdict = session_input(&d->engine, &arrival, d->now, &output);
	if (d->verdict == VERDICT_REPLACE) {
		d->out = output.packet;
		d->out_length = (uint32_t)output.length;
	}
	if (d->verdict != VERDICT_DROP)
		assert_true(packet_is_right(d->out, d->out_length, d->in.tcp));
}

void dialogue_packet(struct dialogue *d, int side, uint32_t seq, uint8_t flags, const void *bytes, uint32_t length)
{
	struct packet_options options = { .tcp_length = 0 };
	static const uint8_t mss[4] = { 2, 4, 5, 0xb4 };

	if (flags & TCP_SYN) {
		options.tcp = mss;
		options.tcp_length = 4;
	}
	packet_make(&d->in, &d->inside[side], &d->inside[!side], seq, flags & TCP_ACK ? d->acked[side] : 0, flags,
		    &options, bytes, length);
	dialogue_input(d);
}

void dialogue_arrived(struct dialogue *d, int side)
{
	uint32_t end;

	if (d->verdict == VERDICT_DROP || d->silent)
		return;
	end = packet_get32(d->out + d->in.tcp + 4) + (d->out_length - d->in.payload);
	end = d->by == SEQADJ_KERNEL ? seqadj_forward(&d->adj[side], packet_get32(d->out + d->in.tcp + 4)) +
					       (d->out_length - d->in.payload) :
				       end;
	if (seq_after(end, d->acked[!side]))
		d->acked[!side] = end;
}

void dialogue_says_bytes(struct dialogue *d, int side, const void *bytes, uint32_t length)
{
	dialogue_packet(d, side, d->seq[side], TCP_ACK | TCP_PSH, bytes, length);
	d->seq[side] += length;
	dialogue_arrived(d, side);
}

void dialogue_says(struct dialogue *d, int side, const char *text)
{
	dialogue_says_bytes(d, side, text, (uint32_t)strlen(text));
}

void dialogue_handshake(struct dialogue *d)
{
	dialogue_packet(d, CLIENT, d->seq[CLIENT]++, TCP_SYN, NULL, 0);
	d->acked[SERVER] = d->seq[CLIENT];
	dialogue_packet(d, SERVER, d->seq[SERVER]++, TCP_SYN | TCP_ACK, NULL, 0);
	d->acked[CLIENT] = d->seq[SERVER];
	dialogue_packet(d, CLIENT, d->seq[CLIENT], TCP_ACK, NULL, 0);
}

void dialogue_open(struct dialogue *d, unsigned int nat)
{
	dialogue_begin(d, nat);
	dialogue_handshake(d);
}

void dialogue_ready(struct dialogue *d, unsigned int nat)
{
	dialogue_open(d, nat);
	dialogue_says(d, SERVER, "220 ready\r\n");
	dialogue_says(d, CLIENT, "USER x\r\n");
	dialogue_says(d, SERVER, "331 password\r\n");
}

void dialogue_close(struct dialogue *d)
{
	free(d->memory);
}

void dialogue_left(const struct dialogue *d, const char *text)
{
	uint32_t length = d->out_length - d->in.payload;

	assert_int_not_equal(d->verdict, VERDICT_DROP);
	if (length != strlen(text) || memcmp(d->out + d->in.payload, text, length) != 0)
		fail_msg("\"%.*s\" left, not \"%s\"", (int)length, (const char *)d->out + d->in.payload, text);
}

uint32_t dialogue_left_seq(const struct dialogue *d)
{
	return packet_get32(d->out + d->in.tcp + 4);
}

void dialogue_expects(const struct dialogue *d, uint16_t port)
{
	assert_int_equal(d->expectations, 1);
	assert_int_equal(d->expectation[0].tuple.dst.port, port);
}

void dialogue_refused(const struct dialogue *d, enum refusal refusal)
{
	assert_int_equal(d->expect_calls, 0);
	assert_int_equal(d->expectations, 0);
	assert_int_equal(d->refusal, refusal);
}

void dialogue_ends_open(struct dialogue *d, uint16_t port)
{
	dialogue_expects(d, port);
	dialogue_close(d);
}

void dialogue_ends_refused(struct dialogue *d, enum refusal refusal)
{
	dialogue_refused(d, refusal);
	dialogue_close(d);
}
