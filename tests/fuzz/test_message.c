// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of nfnetlink_queue and ctnetlink of any bytes, in memory of just their size: what is read of them lies in them, what is refused leaves the
 * result alone, and those who read the same attributes read the same of them. What was read of a connection's name is written and read again.
 */
#include "fuzz.h"
#include "kernel/ctmessage.h"
#include "kernel/nfqueue_packet.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>

#define UNTOUCHED 0xa5

static const char *const helpers[] = { "nfq-ftp", "ftp", "" };

static void lies_within(const void *part, size_t part_length, const void *data, size_t length)
{
	const uint8_t *from = part, *whole = data;

	MUST(from >= whole && part_length <= length && (size_t)(from - whole) <= length - part_length);
}

static void is_untouched(const void *result, size_t size)
{
	const uint8_t *byte = result;

	for (size_t i = 0; i < size; i++)
		MUST(byte[i] == UNTOUCHED);
}

static bool is_family(const struct tuple *tuple)
{
	return tuple->src.family == tuple->dst.family &&
	       (tuple->src.family == FAMILY_IPV4 || tuple->src.family == FAMILY_IPV6);
}

/* Written as we ask for it, it names the same flow. */
static void write_again(const struct flow *flow)
{
	_Alignas(8) uint8_t buffer[CTMESSAGE_MAX];
	struct nlmsghdr *message = ctmessage_begin(buffer, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, 0,
						   flow->original.src.family, 1);
	struct flow again;

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &flow->original);
	ctmessage_put_zone(message, CTA_ZONE, flow->zone);
	MUST(message->nlmsg_len <= sizeof(buffer));
	MUST(ctmessage_read_flow(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
				 mnl_nlmsg_get_payload_len(message) - sizeof(struct nfgenmsg), &again) == 0);
	MUST(tuple_equal(&again.original, &flow->original) && again.zone == flow->zone);
}

static void read_connection(const void *data, size_t length, const struct flow *flow)
{
	struct connection connection;
	const struct binding *binding = &connection.binding;

	memset(&connection, UNTOUCHED, sizeof(connection));
	if (ctmessage_read_connection(data, length, &connection)) {
		is_untouched(&connection, sizeof(connection));
		return;
	}
	MUST(flow); /* which asks for less */
	MUST(tuple_equal(&binding->tuple[DIRECTION_ORIGINAL], &flow->original));
	MUST(is_family(&binding->tuple[DIRECTION_REPLY]));
	MUST(binding->id == flow->id && binding->zone == flow->zone && connection.mark == flow->mark);
	MUST(memchr(connection.helper, '\0', sizeof(connection.helper)));
	MUST(!(connection.established && connection.ended) && !(connection.ended && connection.reset));
}

static void read_expected(const void *data, size_t length)
{
	struct expected expected;

	memset(&expected, UNTOUCHED, sizeof(expected));
	if (ctmessage_read_expected(data, length, &expected))
		is_untouched(&expected, sizeof(expected));
	else
		MUST(is_family(&expected.master));
}

/* What a connection's attributes may be. */
static void read_attributes(const void *data, size_t length)
{
	struct flow flow;
	int error;

	memset(&flow, UNTOUCHED, sizeof(flow));
	error = ctmessage_read_flow(data, length, &flow);
	if (error) {
		MUST(error == -EBADMSG || error == -EPROTONOSUPPORT);
		is_untouched(&flow, sizeof(flow));
	} else {
		MUST(is_family(&flow.original));
		write_again(&flow);
	}
	read_connection(data, length, error ? NULL : &flow);
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		size_t size = 0;
		const void *private = ctmessage_read_private(data, length, helpers[i], &size);

		if (private)
			lies_within(private, size, data, length);
	}
	read_expected(data, length);
}

static void read_packet(void *data, size_t length)
{
	struct nfqueue_packet packet;
	int error;

	memset(&packet, UNTOUCHED, sizeof(packet));
	error = nfqueue_packet_read(data, length, &packet);
	MUST(error == 0 || error == -EMSGSIZE || error == -EBADMSG);
	if (error == -EBADMSG) {
		is_untouched(&packet, sizeof(packet));
		return;
	}
	if (error)
		MUST(packet.truncated && !packet.data && !packet.length && !packet.tracked && !packet.conntrack);
	if (packet.data)
		lies_within(packet.data, packet.length, data, length);
	MUST(packet.data || packet.truncated);
	MUST(packet.tracked == (packet.conntrack != NULL));
	if (!packet.conntrack)
		return;
	lies_within(packet.conntrack, packet.conntrack_length, data, length);
	MUST(is_family(&packet.ends));
	read_attributes(packet.conntrack, packet.conntrack_length);
}

/* The header's length, type and flags are not worth finding out byte by byte: a bit says that they are to be right. */
static void make_right(uint8_t *data, size_t length)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(void *)data;

	if (length < sizeof(*message))
		return;
	message->nlmsg_len = (uint32_t)length;
	message->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const uint8_t how = input_byte(&input);
	size_t length;
	uint8_t *copy = input_copy(&input, 4096, &length);

	if (how & 2)
		make_right(copy, length);
	if (how & 1)
		read_attributes(copy, length);
	else
		read_packet(copy, length);
	free(copy);
	return 0;
}
