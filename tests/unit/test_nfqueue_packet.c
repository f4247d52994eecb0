// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet out of the kernel's message: what is in it comes out; of one that is torn, or whose attributes have wrong
 * lengths, nothing is believed but the packet's name, by which it gets its verdict. Messages lie in memory of exactly
 * their size, so that the sanitizer and valgrind see what is read beyond it.
 */
#include "unit.h"

#include "kernel/ctmessage.h"
#include "kernel/nfqueue_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>

#define QUEUE  0xfedc
#define ID     0x89abcdef
#define ZONE   0x1234
#define CT_ID  0x76543210
#define MARK   0x00200001
#define ROOM   2048
#define HEADER (NLMSG_HDRLEN + sizeof(struct nfgenmsg))

static const struct tuple original = {
	.src = { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = 40000 },
	.dst = { .family = FAMILY_IPV4, .address = { 192, 0, 2, 21 }, .port = 21 },
};

/* What the kernel puts into a message. */
struct known {
	bool conntrack;
	bool master;
	bool no_info;	 /* NFQA_CT without NFQA_CT_INFO */
	bool other;	 /* it is no TCP connection */
	uint32_t way;	 /* NFQA_CT_INFO */
	uint32_t info;	 /* NFQA_SKB_INFO; 0: not there */
	bool cap_len;	 /* NFQA_CAP_LEN is there */
	bool no_payload; /* NFQA_PAYLOAD is not */
	size_t length;	 /* of the payload */
};

union buffer {
	_Alignas(8) uint8_t bytes[ROOM];
	struct nlmsghdr message;
};

static const uint8_t contents[1024] = { 0x45, 1, 2, 3, [77] = 8 };

static void put_conntrack(struct nlmsghdr *message, const struct known *known)
{
	const struct tuple reply = { original.dst, original.src };
	struct nlattr *nest = mnl_attr_nest_start(message, NFQA_CT);

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &original);
	if (known->other) { /* the last attribute of the tuple's ports, and the two before it */
		uint8_t *end = mnl_nlmsg_get_payload_tail(message);

		assert_int_equal(end[-20], IPPROTO_TCP);
		end[-20] = IPPROTO_UDP;
	}
	ctmessage_put_tuple(message, CTA_TUPLE_REPLY, &reply);
	mnl_attr_put_u32(message, CTA_MARK, htonl(MARK));
	mnl_attr_put_u32(message, CTA_ID, htonl(CT_ID));
	ctmessage_put_zone(message, CTA_ZONE, ZONE);
	if (known->master)
		ctmessage_put_tuple(message, CTA_TUPLE_MASTER, &reply);
	mnl_attr_nest_end(message, nest);
	if (!known->no_info)
		mnl_attr_put_u32(message, NFQA_CT_INFO, htonl(known->way));
}

/* In the kernel's order: the payload is last, and what follows it to a multiple of four is not sent. */
static void make(union buffer *buffer, const struct known *known)
{
	const struct nfqnl_msg_packet_hdr header = { .packet_id = htonl(ID), .hw_protocol = htons(0x800), .hook = 2 };
	struct nlmsghdr *message;
	struct nfgenmsg *family;

	memset(buffer, 0, sizeof(*buffer));
	message = mnl_nlmsg_put_header(buffer->bytes);
	message->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET;
	family = mnl_nlmsg_put_extra_header(message, sizeof(*family));
	family->nfgen_family = AF_INET;
	family->res_id = htons(QUEUE);
	mnl_attr_put(message, NFQA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put_u32(message, NFQA_IFINDEX_INDEV, htonl(3));
	mnl_attr_put_u32(message, NFQA_IFINDEX_OUTDEV, htonl(0x01020304));
	mnl_attr_put_u32(message, NFQA_MARK, htonl(1));
	if (known->conntrack)
		put_conntrack(message, known);
	if (known->cap_len)
		mnl_attr_put_u32(message, NFQA_CAP_LEN, htonl(70000));
	if (known->info)
		mnl_attr_put_u32(message, NFQA_SKB_INFO, htonl(known->info));
	if (known->no_payload)
		return;
	mnl_attr_put(message, NFQA_PAYLOAD, known->length, contents);
	message->nlmsg_len -= -known->length % 4;
}

/* A copy in memory of its own, which the packet points into. The caller frees. */
static uint8_t *read_alone(const union buffer *buffer, size_t length, struct nfqueue_packet *packet, int *error)
{
	uint8_t *copy = unit_alloc(length);
	struct nfqueue_packet untouched;

	memcpy(copy, buffer->bytes, length);
	memset(packet, 0xa5, sizeof(*packet));
	memset(&untouched, 0xa5, sizeof(untouched));
	*error = nfqueue_packet_read(copy, length, packet);
	assert_true(*error == 0 || *error == -EMSGSIZE || *error == -EBADMSG);
	if (*error == -EBADMSG) {
		assert_memory_equal(packet, &untouched, sizeof(untouched));
		return copy;
	}
	if (*error) {
		assert_true(packet->truncated);
		assert_false(packet->tracked || packet->expected);
		assert_null(packet->conntrack);
		assert_null(packet->data);
		assert_int_equal(packet->length, 0);
		assert_int_equal(packet->zone, 0);
	}
	if (packet->data)
		assert_true(packet->data >= copy && packet->data + packet->length <= copy + length);
	if (packet->conntrack)
		assert_true((const uint8_t *)packet->conntrack >= copy &&
			    (const uint8_t *)packet->conntrack + packet->conntrack_length <= copy + length);
	return copy;
}

static void is_named(const struct nfqueue_packet *packet)
{
	assert_int_equal(packet->id, ID);
	assert_int_equal(packet->queue, QUEUE);
}

static struct nfqueue_packet read_known(const struct known *known)
{
	union buffer buffer;
	struct nfqueue_packet packet;
	uint8_t *copy;
	int error;

	make(&buffer, known);
	copy = read_alone(&buffer, buffer.message.nlmsg_len, &packet, &error);
	assert_int_equal(error, 0);
	is_named(&packet);
	assert_int_equal(packet.in, 3);
	assert_int_equal(packet.out, 0x01020304);
	assert_int_equal(packet.checksum_pending, (known->info & NFQA_SKB_CSUMNOTREADY) != 0);
	assert_int_equal(packet.large, (known->info & NFQA_SKB_GSO) != 0);
	assert_int_equal(packet.truncated, known->cap_len || known->no_payload);
	assert_int_equal(packet.length, known->no_payload ? 0 : known->length);
	if (known->no_payload)
		assert_null(packet.data);
	else
		assert_memory_equal(packet.data, contents, known->length);
	free(copy);
	return packet;
}

static void packets_come_back(void **state)
{
	(void)state;
	for (size_t length = 0; length < 130; length++) {
		for (unsigned int bits = 0; bits < 32; bits++) {
			const struct known known = {
				.length = length,
				.info = bits & 7,
				.conntrack = bits & 8,
				.cap_len = bits & 16,
			};
			const struct nfqueue_packet packet = read_known(&known);

			assert_int_equal(packet.tracked, known.conntrack);
			assert_int_equal(packet.conntrack != NULL, known.conntrack);
		}
	}
	read_known(&(struct known){ .no_payload = true });
	read_known(&(struct known){ .no_payload = true, .conntrack = true, .cap_len = true });
}

/* Whichever way the packet goes, its ends are named as the connection's original tuple has them. */
static void conntrack_names_the_ends(void **state)
{
	(void)state;
	for (uint32_t way = 0; way < IP_CT_NUMBER; way++) {
		const struct nfqueue_packet packet =
			read_known(&(struct known){ .conntrack = true, .way = way, .length = 40 });
		const bool reply = way >= IP_CT_IS_REPLY;

		assert_true(packet.tracked);
		assert_true(endpoint_equal(reply ? &packet.ends.dst : &packet.ends.src, &original.src));
		assert_true(endpoint_equal(reply ? &packet.ends.src : &packet.ends.dst, &original.dst));
		assert_int_equal(packet.zone, ZONE);
		assert_int_equal(packet.conntrack_id, CT_ID);
		assert_int_equal(packet.mark, MARK);
		assert_false(packet.expected);
	}
	assert_true(read_known(&(struct known){ .conntrack = true, .master = true, .length = 40 }).expected);
}

/* The packet is one all the same. */
static void what_conntrack_does_not_tell(void **state)
{
	static const struct known strange[] = {
		{ .length = 40 },
		{ .length = 40, .conntrack = true, .no_info = true },
		{ .length = 40, .conntrack = true, .way = IP_CT_NUMBER },
		{ .length = 40, .conntrack = true, .way = UINT32_MAX },
		{ .length = 40, .conntrack = true, .other = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		const struct nfqueue_packet packet = read_known(&strange[i]);

		assert_false(packet.tracked);
		assert_false(packet.expected);
		assert_null(packet.conntrack);
		assert_int_equal(packet.conntrack_length, 0);
		assert_int_equal(packet.conntrack_id, 0);
		assert_int_equal(packet.zone, 0);
	}
}

static const struct known full = { .conntrack = true, .info = 3, .cap_len = true, .length = 61 };

/* Where an attribute of the message ends; of the last, without what pads it. */
static bool is_boundary(const union buffer *buffer, size_t at)
{
	const uint8_t *end = buffer->bytes + buffer->message.nlmsg_len;
	const struct nlattr *attribute = mnl_nlmsg_get_payload_offset(&buffer->message, sizeof(struct nfgenmsg));

	for (; (const uint8_t *)attribute < end; attribute = mnl_attr_next(attribute)) {
		const size_t begin = (size_t)((const uint8_t *)attribute - buffer->bytes);

		if (at == begin || at == begin + attribute->nla_len)
			return true;
	}
	return at == (size_t)(end - buffer->bytes);
}

/* A datagram that did not fit (MSG_TRUNC): the header tells of more than there is. */
static void datagrams_cut_short(void **state)
{
	union buffer buffer;

	(void)state;
	make(&buffer, &full);
	for (size_t length = 0; length < buffer.message.nlmsg_len; length++) {
		struct nfqueue_packet packet;
		int error;
		uint8_t *copy = read_alone(&buffer, length, &packet, &error);

		assert_int_equal(error, length < HEADER + 11 ? -EBADMSG : -EMSGSIZE);
		if (error == -EMSGSIZE)
			is_named(&packet);
		free(copy);
	}
}

/* The same with a header that agrees: where an attribute ends it is whole. */
static void messages_cut_short(void **state)
{
	union buffer buffer, cut;

	(void)state;
	make(&buffer, &full);
	cut = buffer;
	for (size_t length = 0; length < buffer.message.nlmsg_len; length++) {
		struct nfqueue_packet packet;
		uint8_t *copy;
		int error;

		cut.message.nlmsg_len = (uint32_t)length;
		copy = read_alone(&cut, length, &packet, &error);
		if (length < HEADER + 11)
			assert_int_equal(error, -EBADMSG);
		else
			assert_int_equal(error, is_boundary(&buffer, length) || length == HEADER + 11 ? 0 : -EMSGSIZE);
		if (error != -EBADMSG)
			is_named(&packet);
		free(copy);
	}
}

static struct nlattr *find(union buffer *buffer, uint16_t type)
{
	struct nlattr *attribute = mnl_nlmsg_get_payload_offset(&buffer->message, sizeof(struct nfgenmsg));

	while (mnl_attr_get_type(attribute) != type) {
		attribute = mnl_attr_next(attribute);
		assert_true((uint8_t *)attribute < buffer->bytes + buffer->message.nlmsg_len);
	}
	return attribute;
}

/* A last attribute that says it is longer, be it by the one, two or three bytes that would pad it. */
static void payloads_past_the_end(void **state)
{
	(void)state;
	for (unsigned int more = 1; more < 300; more++) {
		struct nfqueue_packet packet;
		union buffer buffer;
		uint8_t *copy;
		int error;

		make(&buffer, &full);
		find(&buffer, NFQA_PAYLOAD)->nla_len += more;
		copy = read_alone(&buffer, buffer.message.nlmsg_len, &packet, &error);
		assert_int_equal(error, -EMSGSIZE);
		is_named(&packet);
		free(copy);
	}
}

/* Each shorter, by swallowing nothing: what follows is another attribute's header then. */
static void numbers_of_wrong_length(void **state)
{
	static const uint16_t types[] = { NFQA_IFINDEX_INDEV, NFQA_IFINDEX_OUTDEV, NFQA_CAP_LEN, NFQA_SKB_INFO,
					  NFQA_CT_INFO };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (uint16_t size = 0; size <= 8; size++) {
			struct nfqueue_packet packet;
			union buffer buffer;
			uint8_t *copy;
			int error;

			make(&buffer, &full);
			/* A second one, behind the payload, which would be the one that counts. */
			buffer.message.nlmsg_len = MNL_ALIGN(buffer.message.nlmsg_len);
			mnl_attr_put(&buffer.message, types[i], size, contents);
			copy = read_alone(&buffer, buffer.message.nlmsg_len, &packet, &error);
			assert_int_equal(error, size == 4 ? 0 : -EMSGSIZE);
			is_named(&packet);
			free(copy);
		}
	}
}

static void packets_without_a_name(void **state)
{
	struct nfqueue_packet packet;
	union buffer buffer;
	int error;

	(void)state;
	for (uint16_t length = 0; length < 16; length++) {
		if (length == 7)
			continue;
		make(&buffer, &full);
		find(&buffer, NFQA_PACKET_HDR)->nla_type = 60; /* of no meaning */
		buffer.message.nlmsg_len = MNL_ALIGN(buffer.message.nlmsg_len);
		mnl_attr_put(&buffer.message, NFQA_PACKET_HDR, length, contents);
		free(read_alone(&buffer, buffer.message.nlmsg_len, &packet, &error));
		assert_int_equal(error, -EBADMSG);
	}
	make(&buffer, &full);
	buffer.message.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT;
	free(read_alone(&buffer, buffer.message.nlmsg_len, &packet, &error));
	assert_int_equal(error, -EBADMSG);
	buffer.message.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | NFQNL_MSG_PACKET;
	free(read_alone(&buffer, buffer.message.nlmsg_len, &packet, &error));
	assert_int_equal(error, -EBADMSG);
}

/* Types that this program, or the library, does not know. */
static void attributes_of_the_future(void **state)
{
	(void)state;
	for (uint16_t type = NFQA_MAX + 1; type < 0x2000; type += type < 100 ? 1 : type) {
		struct nfqueue_packet packet;
		union buffer buffer;
		int error;

		make(&buffer, &full);
		buffer.message.nlmsg_len = MNL_ALIGN(buffer.message.nlmsg_len);
		mnl_attr_put(&buffer.message, type, 5, contents);
		free(read_alone(&buffer, buffer.message.nlmsg_len, &packet, &error));
		assert_int_equal(error, 0);
		assert_int_equal(packet.length, full.length);
	}
}

static void mutations(void **state)
{
	union buffer buffer, known;

	(void)state;
	make(&known, &full);
	for (unsigned int round = 0; round < 40000; round++) {
		size_t length = known.message.nlmsg_len;
		struct nfqueue_packet packet;
		int error;

		buffer = known;
		for (unsigned int n = 1 + unit_pick(4); n > 0; n--) {
			const size_t at = unit_pick((uint32_t)length);
			const uint16_t size = (uint16_t)unit_pick(unit_pick(4) ? 40 : 0x10000);

			if (unit_pick(2))
				buffer.bytes[at] ^= (uint8_t)(1u << unit_pick(8));
			else
				memcpy(buffer.bytes + at / 4 * 4, &size, sizeof(size));
		}
		length -= unit_pick(3) ? 0 : unit_pick((uint32_t)length);
		free(read_alone(&buffer, length, &packet, &error));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_come_back),
		cmocka_unit_test(conntrack_names_the_ends),
		cmocka_unit_test(what_conntrack_does_not_tell),
		cmocka_unit_test(datagrams_cut_short),
		cmocka_unit_test(messages_cut_short),
		cmocka_unit_test(payloads_past_the_end),
		cmocka_unit_test(numbers_of_wrong_length),
		cmocka_unit_test(packets_without_a_name),
		cmocka_unit_test(attributes_of_the_future),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
