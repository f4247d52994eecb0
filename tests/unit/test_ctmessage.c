// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ctnetlink messages: what is written is what the kernel expects, attribute by attribute; what is read comes back as it
 * was written; whatever is wrong with a message is refused and leaves the result alone. Messages that are read lie in
 * memory of exactly their size.
 */
#include "unit.h"

#include "kernel/attributes.h"
#include "kernel/ctmessage.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#define NESTED(type) ((type) | NLA_F_NESTED)

/* clang-format off */
#define V4(a, b, c, d, number) { .family = FAMILY_IPV4, .address = { a, b, c, d }, .port = (number) }
#define V6(a, b, last, number) { .family = FAMILY_IPV6, .address = { a, b, 0xd, 0xb8, [15] = (last) }, .port = (number) }
#define TUPLE4       { .src = V4(10, 0, 0, 2, 40000), .dst = V4(192, 0, 2, 21, 21) }
#define TUPLE4_REPLY { .src = V4(172, 16, 0, 21, 2121), .dst = V4(203, 0, 113, 1, 1025) }
#define TUPLE6       { .src = V6(0x20, 1, 2, 40000), .dst = V6(0x20, 1, 21, 21) }
#define TUPLE6_REPLY { .src = V6(0xfd, 9, 21, 2121), .dst = V6(0xfd, 9, 1, 1025) }
/* clang-format on */

static const struct tuple v4 = TUPLE4, v4_reply = TUPLE4_REPLY, v6 = TUPLE6, v6_reply = TUPLE6_REPLY;

/* The attribute after this one, the first after NULL; NULL: there is no more. */
static struct nlattr *next(const void *data, size_t length, const struct nlattr *attribute)
{
	const uint8_t *end = (const uint8_t *)data + length;

	attribute = attribute ? mnl_attr_next(attribute) : data;
	return mnl_attr_ok(attribute, (int)(end - (const uint8_t *)attribute)) ? (void *)(uintptr_t)attribute : NULL;
}

/* ---- messages as the kernel sends them ---- */

/* What follows the nfgenmsg. */
struct run {
	_Alignas(4) uint8_t bytes[2 * CTMESSAGE_MAX];
	size_t length;
};

/* A connection and what ctmessage_read_connection() does not tell of it. */
struct known {
	struct connection connection;
	const struct tuple *master;
	uint32_t id;	  /* 0: no CTA_ID */
	const char *info; /* NULL: no CTA_HELP_INFO */
	size_t info_length;
};

static const struct known full4 = {
	.connection = {
		.binding = {
			.tuple = { TUPLE4, TUPLE4_REPLY },
			.seqadj = { { 0xfffffff0, -3, -300 }, { 7, 0, 12 } },
			.zone = 0x1234,
		},
		.mark = 0x10203040,
		.status = 0x18e,
		.helper = "ftp",
	},
	.id = 0x89abcdef,
	.info = "what it keeps",
	.info_length = 13,
};
static const struct known full6 = {
	.connection = {
		.binding = {
			.tuple = { TUPLE6, TUPLE6_REPLY },
			.seqadj = { { 1, INT32_MIN, INT32_MAX }, { UINT32_MAX, -1, 0 } },
			.zone = 0xfffe,
		},
		.mark = 0x80000001,
		.status = 0x80000002,
		.helper = "fifteen letters",
	},
	.info = "4321",
	.info_length = 4,
};

static struct nlmsghdr *begin(void *buffer, uint8_t family)
{
	return ctmessage_begin(buffer, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, family, 1);
}

static void take(struct run *run, const struct nlmsghdr *message)
{
	run->length = message->nlmsg_len - NLMSG_HDRLEN - sizeof(struct nfgenmsg);
	memcpy(run->bytes, mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)), run->length);
}

static void put_tuples(struct nlmsghdr *message, const struct known *known)
{
	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &known->connection.binding.tuple[DIRECTION_ORIGINAL]);
	ctmessage_put_tuple(message, CTA_TUPLE_REPLY, &known->connection.binding.tuple[DIRECTION_REPLY]);
}

static void put_help(struct nlmsghdr *message, const struct known *known)
{
	struct nlattr *nest;

	if (!known->connection.helper[0])
		return;
	nest = mnl_attr_nest_start(message, CTA_HELP);
	mnl_attr_put_strz(message, CTA_HELP_NAME, known->connection.helper);
	if (known->info)
		mnl_attr_put(message, CTA_HELP_INFO, known->info_length, known->info);
	mnl_attr_nest_end(message, nest);
}

static void put_rest(struct nlmsghdr *message, const struct known *known)
{
	const struct connection *connection = &known->connection;

	mnl_attr_put_u32(message, CTA_STATUS, htonl(connection->status));
	put_help(message, known);
	if (known->id)
		mnl_attr_put_u32(message, CTA_ID, htonl(known->id));
	mnl_attr_put_u32(message, CTA_MARK, htonl(connection->mark));
	if (known->master)
		ctmessage_put_tuple(message, CTA_TUPLE_MASTER, known->master);
	if (seqadj_active(&connection->binding.seqadj[DIRECTION_ORIGINAL]))
		ctmessage_put_seqadj(message, CTA_SEQ_ADJ_ORIG, &connection->binding.seqadj[DIRECTION_ORIGINAL]);
	if (seqadj_active(&connection->binding.seqadj[DIRECTION_REPLY]))
		ctmessage_put_seqadj(message, CTA_SEQ_ADJ_REPLY, &connection->binding.seqadj[DIRECTION_REPLY]);
	ctmessage_put_zone(message, CTA_ZONE, connection->binding.zone);
}

static void make_connection(struct run *run, const struct known *known, bool tuples_first)
{
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 }; /* libmnl 1.0.4 leaves padding as it is */
	struct nlmsghdr *message = begin(buffer, known->connection.binding.tuple[DIRECTION_ORIGINAL].src.family);

	if (tuples_first)
		put_tuples(message, known);
	put_rest(message, known);
	if (!tuples_first)
		put_tuples(message, known);
	take(run, message);
}

static void make_expected(struct run *run, const struct tuple *master, uint32_t id)
{
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, master->src.family);

	ctmessage_put_tuple(message, CTA_EXPECT_TUPLE, master);
	mnl_attr_put_u32(message, CTA_EXPECT_ID, htonl(id));
	ctmessage_put_tuple(message, CTA_EXPECT_MASTER, master);
	take(run, message);
}

/* ---- reading ---- */

union result {
	struct connection connection;
	struct flow flow;
	struct expected expected;
};

static int read_connection(const void *data, size_t length, union result *result)
{
	return ctmessage_read_connection(data, length, &result->connection);
}

static int read_flow(const void *data, size_t length, union result *result)
{
	return ctmessage_read_flow(data, length, &result->flow);
}

static int read_expected(const void *data, size_t length, union result *result)
{
	return ctmessage_read_expected(data, length, &result->expected);
}

typedef int (*reader)(const void *data, size_t length, union result *result);

static const reader readers[] = { read_connection, read_flow, read_expected };

/* A copy in memory of its own; the caller frees. */
static uint8_t *alone(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = unit_alloc(length);

	memcpy(copy, bytes, length);
	return copy;
}

static int read_alone(reader read, const uint8_t *bytes, size_t length, union result *result)
{
	uint8_t *copy = alone(bytes, length);
	union result untouched;
	int error;

	memset(&untouched, 0xa5, sizeof(untouched));
	memset(result, 0xa5, sizeof(*result));
	error = read(copy, length, result);
	free(copy);
	if (error)
		assert_memory_equal(result, &untouched, sizeof(untouched));
	return error;
}

static int read_run(reader read, const struct run *run)
{
	union result result;

	return read_alone(read, run->bytes, run->length, &result);
}

/* Return: whether there is private data; it must lie in the message. */
static bool read_private_alone(const uint8_t *bytes, size_t length, const char *helper, uint8_t *info,
			       size_t *info_length)
{
	uint8_t *copy = alone(bytes, length);
	size_t size = 4711;
	const uint8_t *private = ctmessage_read_private(copy, length, helper, &size);

	if (private) {
		assert_true(private >= copy && private <= copy + length && size <= (size_t)(copy + length - private));
		memcpy(info, private, size);
		*info_length = size;
	} else {
		assert_int_equal(size, 4711);
	}
	free(copy);
	return private != NULL;
}

static bool has_private(const struct run *run, const char *helper)
{
	uint8_t info[CTMESSAGE_MAX];
	size_t length;

	return read_private_alone(run->bytes, run->length, helper, info, &length);
}

static void same_tuple(const struct tuple *a, const struct tuple *b)
{
	assert_true(endpoint_equal(&a->src, &b->src));
	assert_true(endpoint_equal(&a->dst, &b->dst));
}

static void same_connection(const struct connection *a, const struct connection *b)
{
	for (unsigned int d = DIRECTION_ORIGINAL; d <= DIRECTION_REPLY; d++) {
		same_tuple(&a->binding.tuple[d], &b->binding.tuple[d]);
		assert_int_equal(a->binding.seqadj[d].pos, b->binding.seqadj[d].pos);
		assert_int_equal(a->binding.seqadj[d].before, b->binding.seqadj[d].before);
		assert_int_equal(a->binding.seqadj[d].after, b->binding.seqadj[d].after);
	}
	assert_int_equal(a->binding.zone, b->binding.zone);
	assert_int_equal(a->mark, b->mark);
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->helper, b->helper);
}

/* ---- changing a message ---- */

#define PATH_MAX_DEPTH 4

/* An attribute, by the types on the way to it; ends with 0. */
struct path {
	uint16_t types[PATH_MAX_DEPTH];
};

#define DROP SIZE_MAX

/*
 * Copy a run of attributes, but for the one at @path: without it, or with so many bytes in it, 0x5a behind its own.
 * Parents grow and shrink with it. Return: bytes written.
 */
static size_t copy_changed(const uint8_t *from, size_t length, uint8_t *to, const uint16_t *path, size_t bytes)
{
	const struct nlattr *attribute;
	size_t written = 0;

	for (attribute = next(from, length, NULL); attribute; attribute = next(from, length, attribute)) {
		const uint8_t *payload = mnl_attr_get_payload(attribute);
		size_t size = mnl_attr_get_payload_len(attribute);
		struct nlattr *copy = (void *)(to + written);
		uint8_t *inside = to + written + MNL_ATTR_HDRLEN;

		if (path[0] != mnl_attr_get_type(attribute)) {
			memcpy(inside, payload, size);
		} else if (path[1]) {
			size = copy_changed(payload, size, inside, path + 1, bytes);
		} else if (bytes == DROP) {
			continue;
		} else {
			memset(inside, 0x5a, bytes);
			memcpy(inside, payload, size < bytes ? size : bytes);
			size = bytes;
		}
		copy->nla_type = attribute->nla_type;
		copy->nla_len = (uint16_t)(MNL_ATTR_HDRLEN + size);
		memset(inside + size, 0, MNL_ALIGN(size) - size);
		written += MNL_ALIGN(copy->nla_len);
	}
	return written;
}

static struct run changed(const struct run *run, struct path path, size_t bytes)
{
	struct run result;

	result.length = copy_changed(run->bytes, run->length, result.bytes, path.types, bytes);
	assert_true(result.length <= sizeof(result.bytes));
	return result;
}

static uint8_t *payload_at(struct run *run, struct path path, size_t *size)
{
	uint8_t *data = run->bytes;

	*size = run->length;
	for (const uint16_t *type = path.types; *type; type++) {
		struct nlattr *attribute, *found = NULL;

		for (attribute = next(data, *size, NULL); attribute; attribute = next(data, *size, attribute)) {
			if (mnl_attr_get_type(attribute) == *type)
				found = attribute;
		}
		assert_non_null(found);
		data = mnl_attr_get_payload(found);
		*size = mnl_attr_get_payload_len(found);
	}
	return data;
}

/* ---- what is written ---- */

/* An attribute where it stands in a message; a nest's own content follows it, one level deeper. */
struct piece {
	unsigned int depth;
	uint16_t type; /* with its flags */
	uint16_t length;
	uint8_t bytes[20];
};

static const struct piece *compare(const uint8_t *data, size_t length, unsigned int depth, const struct piece *want,
				   const struct piece *end)
{
	const struct nlattr *attribute;
	size_t seen = 0;

	for (attribute = next(data, length, NULL); attribute; attribute = next(data, length, attribute)) {
		const uint8_t *payload = mnl_attr_get_payload(attribute);
		const uint16_t size = mnl_attr_get_payload_len(attribute);

		seen += MNL_ALIGN(attribute->nla_len);
		assert_true(want < end);
		assert_int_equal(want->depth, depth);
		assert_int_equal(want->type, attribute->nla_type);
		if (want->type & NLA_F_NESTED) {
			want = compare(payload, size, depth + 1, want + 1, end);
			continue;
		}
		assert_int_equal(want->length, size);
		assert_memory_equal(want->bytes, payload, size);
		want++;
	}
	assert_int_equal(seen, length);
	return want;
}

static void is_written(const struct nlmsghdr *message, const struct piece *want, size_t count)
{
	struct run run;

	assert_true(message->nlmsg_len <= CTMESSAGE_MAX);
	take(&run, message);
	assert_ptr_equal(compare(run.bytes, run.length, 0, want, want + count), want + count);
}

#define IS_WRITTEN(message, want) is_written(message, want, sizeof(want) / sizeof((want)[0]))

/* clang-format off */
#define TUPLE4_PIECES(depth, type, s0, s1, s2, s3, d0, d1, d2, d3, sport0, sport1, dport0, dport1) \
	{ depth, NESTED(type), 0, { 0 } }, \
	{ (depth) + 1, NESTED(CTA_TUPLE_IP), 0, { 0 } }, \
	{ (depth) + 2, CTA_IP_V4_SRC, 4, { s0, s1, s2, s3 } }, \
	{ (depth) + 2, CTA_IP_V4_DST, 4, { d0, d1, d2, d3 } }, \
	PORT_PIECES(depth, sport0, sport1, dport0, dport1)
#define PORT_PIECES(depth, sport0, sport1, dport0, dport1) \
	{ (depth) + 1, NESTED(CTA_TUPLE_PROTO), 0, { 0 } }, \
	{ (depth) + 2, CTA_PROTO_NUM, 1, { 6 } }, \
	{ (depth) + 2, CTA_PROTO_SRC_PORT, 2, { sport0, sport1 } }, \
	{ (depth) + 2, CTA_PROTO_DST_PORT, 2, { dport0, dport1 } }
#define ONES 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
/* clang-format on */

static void writes_header(void **state)
{
	for (unsigned int family = 0; family < 2; family++) {
		_Alignas(4) char buffer[CTMESSAGE_MAX];
		struct nlmsghdr *message;
		const struct nfgenmsg *header;

		memset(buffer, 0xff, sizeof(buffer));
		message = ctmessage_begin(buffer, 0x0102, NLM_F_CREATE | NLM_F_ACK, family ? FAMILY_IPV6 : FAMILY_IPV4,
					  0xdeadbeef);
		assert_ptr_equal(message, buffer);
		assert_int_equal(message->nlmsg_len, 20);
		assert_int_equal(message->nlmsg_type, 0x0102);
		assert_int_equal(message->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK);
		assert_int_equal(message->nlmsg_seq, 0xdeadbeef);
		assert_int_equal(message->nlmsg_pid, 0);
		header = mnl_nlmsg_get_payload(message);
		assert_int_equal(header->nfgen_family, family ? AF_INET6 : AF_INET);
		assert_int_equal(header->version, NFNETLINK_V0);
		assert_int_equal(header->res_id, 0);
	}
	(void)state;
}

static void writes_tuples(void **state)
{
	static const struct piece want[] = {
		TUPLE4_PIECES(0, CTA_TUPLE_ORIG, 10, 0, 0, 2, 192, 0, 2, 21, 0x9c, 0x40, 0, 21),
		{ 0, NESTED(CTA_TUPLE_REPLY), 0, { 0 } },
		{ 1, NESTED(CTA_TUPLE_IP), 0, { 0 } },
		{ 2, CTA_IP_V6_SRC, 16, { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
		{ 2, CTA_IP_V6_DST, 16, { 0x20, 1, 0xd, 0xb8, [15] = 21 } },
		PORT_PIECES(0, 0x9c, 0x40, 0, 21),
	};
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);

	(void)state;
	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &v4);
	ctmessage_put_tuple(message, CTA_TUPLE_REPLY, &v6);
	IS_WRITTEN(message, want);
}

static void writes_zones(void **state)
{
	static const struct piece want[] = {
		{ 0, CTA_ZONE, 2, { 0x12, 0x34 } },
		{ 0, CTA_EXPECT_ZONE, 2, { 0, 1 } },
	};
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);

	(void)state;
	ctmessage_put_zone(message, CTA_ZONE, 0);
	assert_int_equal(message->nlmsg_len, 20);
	ctmessage_put_zone(message, CTA_ZONE, 0x1234);
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, 1);
	IS_WRITTEN(message, want);
}

static void writes_adjustments(void **state)
{
	static const struct piece want[] = {
		{ 0, NESTED(CTA_SEQ_ADJ_REPLY), 0, { 0 } },
		{ 1, CTA_SEQADJ_CORRECTION_POS, 4, { 0x12, 0x34, 0x56, 0x78 } },
		{ 1, CTA_SEQADJ_OFFSET_BEFORE, 4, { 0xff, 0xff, 0xff, 0xfd } },
		{ 1, CTA_SEQADJ_OFFSET_AFTER, 4, { 0, 0, 1, 2 } },
	};
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);

	(void)state;
	ctmessage_put_seqadj(message, CTA_SEQ_ADJ_REPLY, &(struct seqadj){ 0x12345678, -3, 0x102 });
	IS_WRITTEN(message, want);
}

/* struct nf_ct_tcp_flags: flags, then mask; 8 is IP_CT_TCP_FLAG_BE_LIBERAL. */
static void writes_liberal(void **state)
{
	static const struct piece want[] = {
		{ 0, NESTED(CTA_PROTOINFO), 0, { 0 } },
		{ 1, NESTED(CTA_PROTOINFO_TCP), 0, { 0 } },
		{ 2, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, 2, { 8, 8 } },
		{ 2, CTA_PROTOINFO_TCP_FLAGS_REPLY, 2, { 8, 8 } },
	};
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);

	(void)state;
	ctmessage_put_liberal(message);
	IS_WRITTEN(message, want);
}

/* 32-bit words in host order: label 117 is bit 21 of the last. */
static void writes_labels(void **state)
{
	struct piece want[] = {
		{ 0, CTA_LABELS, CONNECTION_LABELS_MAX, { 0 } },
		{ 0, CTA_LABELS_MASK, CONNECTION_LABELS_MAX, { 0 } },
	};
	const uint32_t word = 1u << 21;
	_Alignas(4) char on[CTMESSAGE_MAX] = { 0 }, off[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(on, FAMILY_IPV4);

	(void)state;
	memcpy(want[0].bytes + 12, &word, sizeof(word));
	memcpy(want[1].bytes + 12, &word, sizeof(word));
	ctmessage_put_label(message, 117, true);
	IS_WRITTEN(message, want);
	memset(want[0].bytes, 0, CONNECTION_LABELS_MAX);
	message = begin(off, FAMILY_IPV4);
	ctmessage_put_label(message, 117, false);
	IS_WRITTEN(message, want);
}

/* The flags of CTA_FILTER are in host order: CTA_FILTER_F_CTA_PROTO_NUM and _PROTO_SRC_PORT, and no addresses. */
static void writes_source_ports(void **state)
{
	struct piece want[] = {
		TUPLE4_PIECES(0, CTA_TUPLE_ORIG, 10, 0, 0, 2, 0, 0, 0, 0, 0x9c, 0x40, 0, 0),
		TUPLE4_PIECES(0, CTA_TUPLE_REPLY, 172, 16, 0, 21, 0, 0, 0, 0, 0x08, 0x49, 0, 0),
		{ 0, NESTED(CTA_FILTER), 0, { 0 } },
		{ 1, CTA_FILTER_ORIG_FLAGS, 4, { 0 } },
		{ 1, CTA_FILTER_REPLY_FLAGS, 4, { 0 } },
	};
	const size_t count = sizeof(want) / sizeof(want[0]);
	const uint32_t flags = 1 << 3 | 1 << 4;
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);

	(void)state;
	memcpy(want[count - 2].bytes, &flags, sizeof(flags));
	memcpy(want[count - 1].bytes, &flags, sizeof(flags));
	ctmessage_put_source_ports(message, &v4.src, &v4_reply.src);
	IS_WRITTEN(message, want);
}

/* From any port of 192.0.2.21 to 203.0.113.1:3001, which is 10.0.0.2:3000 behind its master's NAT. */
static void writes_translated_expectations(void **state)
{
	static const struct piece want[] = {
		TUPLE4_PIECES(0, CTA_EXPECT_TUPLE, 192, 0, 2, 21, 203, 0, 113, 1, 0, 0, 0x0b, 0xb9),
		TUPLE4_PIECES(0, CTA_EXPECT_MASK, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 255, 255),
		{ 0, CTA_EXPECT_TIMEOUT, 4, { 0, 0, 1, 44 } },
		{ 0, CTA_EXPECT_CLASS, 4, { 0, 0, 0, 0 } },
		{ 0, NESTED(CTA_EXPECT_NAT), 0, { 0 } },
		{ 1, CTA_EXPECT_NAT_DIR, 4, { 0, 0, 0, 1 } },
		TUPLE4_PIECES(1, CTA_EXPECT_NAT_TUPLE, 10, 0, 0, 2, 0, 0, 0, 0, 0x0b, 0xb8, 0, 0),
		{ 0, CTA_EXPECT_FN, 18, "nat-follow-master" },
	};
	struct expectation expectation = {
		.tuple = { .src = v4.dst, .dst = v4_reply.dst },
		.translated = true,
		.nat_direction = DIRECTION_REPLY,
		.nat_src = v4.src,
	};
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);

	(void)state;
	expectation.tuple.dst.port = 3001;
	expectation.nat_src.port = 3000;
	ctmessage_put_expectation(message, &expectation, 300);
	IS_WRITTEN(message, want);
}

static void writes_untranslated_expectations(void **state)
{
	static const struct piece want[] = {
		{ 0, NESTED(CTA_EXPECT_TUPLE), 0, { 0 } },
		{ 1, NESTED(CTA_TUPLE_IP), 0, { 0 } },
		{ 2, CTA_IP_V6_SRC, 16, { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
		{ 2, CTA_IP_V6_DST, 16, { 0x20, 1, 0xd, 0xb8, [15] = 21 } },
		PORT_PIECES(0, 0, 0, 0, 21),
		{ 0, NESTED(CTA_EXPECT_MASK), 0, { 0 } },
		{ 1, NESTED(CTA_TUPLE_IP), 0, { 0 } },
		{ 2, CTA_IP_V6_SRC, 16, { ONES } },
		{ 2, CTA_IP_V6_DST, 16, { ONES } },
		PORT_PIECES(0, 0, 0, 255, 255),
		{ 0, CTA_EXPECT_TIMEOUT, 4, { 0, 1, 0, 0 } },
		{ 0, CTA_EXPECT_CLASS, 4, { 0, 0, 0, 0 } },
	};
	const struct expectation expectation = { .tuple = v6, .nat_src = v6.src };
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV6);

	(void)state;
	ctmessage_put_expectation(message, &expectation, 65536);
	IS_WRITTEN(message, want);
}

/* The longest that ctrequest.c writes. */
static void the_longest_has_room(void **state)
{
	const struct expectation expectation = { .tuple = v6, .translated = true, .nat_src = v6.src };
	struct {
		_Alignas(4) char buffer[CTMESSAGE_MAX];
		uint8_t behind[64];
	} room = { .behind = { 0 } };
	static const uint8_t untouched[sizeof(room.behind)];
	struct nlmsghdr *message = begin(room.buffer, FAMILY_IPV6);

	(void)state;
	ctmessage_put_tuple(message, CTA_EXPECT_MASTER, &v6);
	ctmessage_put_expectation(message, &expectation, 300);
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, 1);
	assert_true(message->nlmsg_len <= CTMESSAGE_MAX);
	assert_memory_equal(room.behind, untouched, sizeof(untouched));
}

/* ---- round trips ---- */

static void comes_back(const struct known *known, bool tuples_first)
{
	struct run run;
	union result result;
	uint8_t info[64];
	size_t info_length = 0;

	make_connection(&run, known, tuples_first);
	assert_int_equal(read_alone(read_connection, run.bytes, run.length, &result), 0);
	same_connection(&result.connection, &known->connection);
	assert_int_equal(read_alone(read_flow, run.bytes, run.length, &result), 0);
	same_tuple(&result.flow.original, &known->connection.binding.tuple[DIRECTION_ORIGINAL]);
	assert_int_equal(result.flow.zone, known->connection.binding.zone);
	assert_int_equal(result.flow.id, known->id);
	assert_int_equal(result.flow.expected, known->master != NULL);
	if (known->connection.helper[0] && known->info) {
		assert_true(read_private_alone(run.bytes, run.length, known->connection.helper, info, &info_length));
		assert_int_equal(info_length, known->info_length);
		assert_memory_equal(info, known->info, info_length);
	} else {
		assert_false(has_private(&run, known->connection.helper));
	}
}

static void connections_come_back(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		struct known known = i & 1 ? full6 : full4;

		if (i & 2)
			known.connection.binding.zone = 0;
		if (i & 4)
			known.connection.helper[0] = '\0';
		if (i & 8)
			known.master = &v4_reply;
		if (i & 16)
			memset(known.connection.binding.seqadj, 0, sizeof(known.connection.binding.seqadj));
		comes_back(&known, i & 32);
	}
}

static void random_connections_come_back(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 5000; round++) {
		struct known known = unit_pick(2) ? full6 : full4;
		struct binding *binding = &known.connection.binding;

		for (unsigned int d = 0; d < 2; d++) {
			unit_fill(binding->tuple[d].src.address, binding->tuple[d].src.family == FAMILY_IPV4 ? 4 : 16);
			unit_fill(binding->tuple[d].dst.address, binding->tuple[d].src.family == FAMILY_IPV4 ? 4 : 16);
			binding->tuple[d].src.port = (uint16_t)unit_random();
			binding->tuple[d].dst.port = (uint16_t)unit_random();
			binding->seqadj[d] = (struct seqadj){ unit_random(), (int32_t)unit_random(), 1 };
		}
		binding->zone = (uint16_t)unit_random();
		known.connection.mark = unit_random();
		known.connection.status = unit_random();
		known.id = unit_random();
		comes_back(&known, unit_pick(2));
	}
}

static void expectations_come_back(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct run run;
		union result result;

		make_expected(&run, i ? &v6 : &v4, 0x80000001 + i);
		assert_int_equal(read_alone(read_expected, run.bytes, run.length, &result), 0);
		same_tuple(&result.expected.master, i ? &v6 : &v4);
		assert_int_equal(result.expected.id, 0x80000001 + i);
	}
}

/* ---- what is wrong ---- */

static void is_required(reader read, const struct run *run, struct path path)
{
	struct run without = changed(run, path, DROP);

	assert_true(without.length < run->length);
	assert_int_equal(read_run(read, run), 0);
	assert_int_equal(read_run(read, &without), -EBADMSG);
}

/* Exactly so long, or the message is bad. */
static void is_bound(reader read, const struct run *run, struct path path, size_t right)
{
	for (size_t length = 0; length <= 40; length++) {
		struct run other = changed(run, path, length);

		assert_int_equal(read_run(read, &other), length == right ? 0 : -EBADMSG);
	}
}

/* Every attribute of a tuple is required, and as long as it must be. */
static void is_checked_tuple(reader read, const struct run *run, uint16_t tuple, bool ipv6)
{
	static const struct {
		uint16_t nest, type;
		size_t length;
	} inside[2][5] = {
		{
			{ CTA_TUPLE_IP, CTA_IP_V4_SRC, 4 },
			{ CTA_TUPLE_IP, CTA_IP_V4_DST, 4 },
			{ CTA_TUPLE_PROTO, CTA_PROTO_NUM, 1 },
			{ CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT, 2 },
			{ CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT, 2 },
		},
		{
			{ CTA_TUPLE_IP, CTA_IP_V6_SRC, 16 },
			{ CTA_TUPLE_IP, CTA_IP_V6_DST, 16 },
			{ CTA_TUPLE_PROTO, CTA_PROTO_NUM, 1 },
			{ CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT, 2 },
			{ CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT, 2 },
		},
	};

	is_required(read, run, (struct path){ { tuple } });
	is_required(read, run, (struct path){ { tuple, CTA_TUPLE_IP } });
	is_required(read, run, (struct path){ { tuple, CTA_TUPLE_PROTO } });
	for (unsigned int i = 0; i < 5; i++) {
		const struct path path = { { tuple, inside[ipv6][i].nest, inside[ipv6][i].type } };

		is_required(read, run, path);
		is_bound(read, run, path, inside[ipv6][i].length);
	}
}

static void tuples_are_checked(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		const bool ipv6 = i & 1;
		struct run run;

		make_connection(&run, ipv6 ? &full6 : &full4, i & 2);
		is_checked_tuple(read_connection, &run, CTA_TUPLE_ORIG, ipv6);
		is_checked_tuple(read_connection, &run, CTA_TUPLE_REPLY, ipv6);
		is_checked_tuple(read_flow, &run, CTA_TUPLE_ORIG, ipv6);
		make_expected(&run, ipv6 ? &v6 : &v4, 1);
		is_checked_tuple(read_expected, &run, CTA_EXPECT_MASTER, ipv6);
	}
}

static void adjustments_are_checked(void **state)
{
	struct run run;

	(void)state;
	make_connection(&run, &full4, true);
	for (unsigned int nest = CTA_SEQ_ADJ_ORIG; nest <= CTA_SEQ_ADJ_REPLY; nest++) {
		for (unsigned int type = CTA_SEQADJ_CORRECTION_POS; type <= CTA_SEQADJ_OFFSET_AFTER; type++) {
			is_required(read_connection, &run, (struct path){ { (uint16_t)nest, (uint16_t)type } });
			is_bound(read_connection, &run, (struct path){ { (uint16_t)nest, (uint16_t)type } }, 4);
		}
	}
}

static void numbers_are_checked(void **state)
{
	struct run run;

	(void)state;
	make_connection(&run, &full4, true);
	is_bound(read_connection, &run, (struct path){ { CTA_STATUS } }, 4);
	is_bound(read_connection, &run, (struct path){ { CTA_MARK } }, 4);
	is_bound(read_connection, &run, (struct path){ { CTA_ZONE } }, 2);
	is_bound(read_flow, &run, (struct path){ { CTA_ZONE } }, 2);
	is_bound(read_flow, &run, (struct path){ { CTA_ID } }, 4);
	make_expected(&run, &v4, 1);
	is_required(read_expected, &run, (struct path){ { CTA_EXPECT_ID } });
	is_bound(read_expected, &run, (struct path){ { CTA_EXPECT_ID } }, 4);
	run.length = 0;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		assert_int_equal(read_run(readers[i], &run), -EBADMSG);
}

/* A connection of this status whose TCP state is told in so many bytes. */
static int read_progress_of(uint32_t status, uint8_t tcp_state, size_t bytes, uint8_t *progress)
{
	const uint8_t value[2] = { tcp_state };
	_Alignas(8) uint8_t buffer[CTMESSAGE_MAX];
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);
	struct nlattr *outer, *inner;
	union result result;
	struct run run;
	int error;

	put_tuples(message, &full4);
	mnl_attr_put_u32(message, CTA_STATUS, htonl(status));
	outer = mnl_attr_nest_start(message, CTA_PROTOINFO);
	inner = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, 7);
	if (bytes)
		mnl_attr_put(message, CTA_PROTOINFO_TCP_STATE, bytes, value);
	mnl_attr_nest_end(message, inner);
	mnl_attr_nest_end(message, outer);
	take(&run, message);
	error = read_alone(read_connection, run.bytes, run.length, &result);
	*progress = error ? 0xff : result.connection.binding.progress;
	return error;
}

static int read_progress(uint8_t tcp_state, size_t bytes, uint8_t *progress)
{
	return read_progress_of(IPS_CONFIRMED, tcp_state, bytes, progress);
}

/* Conntrack falls back into a handshake that is played amid a connection of which it has heard both ends. */
static void progress_stays(void **state)
{
	uint8_t progress;

	(void)state;
	for (unsigned int tcp = TCP_CONNTRACK_NONE; tcp < TCP_CONNTRACK_MAX; tcp++) {
		assert_int_equal(read_progress_of(IPS_CONFIRMED | IPS_ASSURED, (uint8_t)tcp, 1, &progress), 0);
		assert_int_equal(progress, PROGRESS_BEYOND);
	}
}

/* Liberal is a connection in both directions, as it is told to be. */
static void liberal_is_read(void **state)
{
	(void)state;
	for (unsigned int which = 0; which < 4; which++)
		for (uint8_t bytes = 1; bytes <= 3; bytes++) {
			const uint8_t flags[2][3] = { { which & 1 ? 0x0b : 0x03, 0xff },
						      { which & 2 ? 0x08 : 0, 0xff } };
			_Alignas(8) uint8_t buffer[CTMESSAGE_MAX];
			struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);
			struct nlattr *outer, *inner;
			union result result;
			struct run run;

			put_tuples(message, &full4);
			outer = mnl_attr_nest_start(message, CTA_PROTOINFO);
			inner = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);
			mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, bytes, flags[0]);
			mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_REPLY, bytes, flags[1]);
			mnl_attr_nest_end(message, inner);
			mnl_attr_nest_end(message, outer);
			take(&run, message);
			assert_int_equal(read_alone(read_connection, run.bytes, run.length, &result),
					 bytes == 2 ? 0 : -EBADMSG);
			if (bytes == 2)
				assert_int_equal(result.connection.liberal, which == 3);
		}
}

static void progress_is_read(void **state)
{
	uint8_t progress;

	(void)state;
	for (unsigned int tcp = TCP_CONNTRACK_NONE; tcp < TCP_CONNTRACK_MAX; tcp++) {
		const bool handshake = tcp == TCP_CONNTRACK_SYN_SENT || tcp == TCP_CONNTRACK_SYN_RECV ||
				       tcp == TCP_CONNTRACK_SYN_SENT2;

		assert_int_equal(read_progress((uint8_t)tcp, 1, &progress), 0);
		assert_int_equal(progress, handshake ? PROGRESS_HANDSHAKE : PROGRESS_BEYOND);
	}
	assert_int_equal(read_progress(0, 0, &progress), 0);
	assert_int_equal(progress, PROGRESS_UNKNOWN);
	assert_int_equal(read_progress(TCP_CONNTRACK_SYN_RECV, 2, &progress), -EBADMSG);
}

static void what_is_not_required(void **state)
{
	static const uint16_t types[] = {
		CTA_STATUS, CTA_MARK, CTA_ZONE, CTA_HELP, CTA_SEQ_ADJ_ORIG, CTA_SEQ_ADJ_REPLY
	};
	struct run run;

	(void)state;
	make_connection(&run, &full4, true);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct run without = changed(&run, (struct path){ { types[i] } }, DROP);
		struct connection want = full4.connection;
		union result result;

		want.status = types[i] == CTA_STATUS ? 0 : want.status;
		want.mark = types[i] == CTA_MARK ? 0 : want.mark;
		want.binding.zone = types[i] == CTA_ZONE ? 0 : want.binding.zone;
		if (types[i] == CTA_HELP)
			want.helper[0] = '\0';
		if (types[i] == CTA_SEQ_ADJ_ORIG || types[i] == CTA_SEQ_ADJ_REPLY)
			want.binding.seqadj[types[i] - CTA_SEQ_ADJ_ORIG] = (struct seqadj){ 0, 0, 0 };
		assert_int_equal(read_alone(read_connection, without.bytes, without.length, &result), 0);
		same_connection(&result.connection, &want);
	}
	run = changed(&run, (struct path){ { CTA_HELP, CTA_HELP_NAME } }, DROP);
	assert_int_equal(read_run(read_connection, &run), 0);
}

/* One address of each family make no tuple, nor two tuples of different families a connection. */
static void mixed_families(void **state)
{
	struct known known = full4;
	struct run run, mixed;
	size_t size;

	(void)state;
	make_connection(&run, &full4, true);
	for (unsigned int i = 0; i < 2; i++) {
		struct path path = { { CTA_TUPLE_ORIG, CTA_TUPLE_IP, i ? CTA_IP_V4_DST : CTA_IP_V4_SRC } };
		struct nlattr *attribute;

		mixed = changed(&run, path, 16);
		attribute = (void *)(payload_at(&mixed, path, &size) - MNL_ATTR_HDRLEN);
		attribute->nla_type = i ? CTA_IP_V6_DST : CTA_IP_V6_SRC;
		assert_int_equal(read_run(read_connection, &mixed), -EBADMSG);
		assert_int_equal(read_run(read_flow, &mixed), -EBADMSG);
	}
	known.connection.binding.tuple[DIRECTION_REPLY] = v6_reply;
	make_connection(&run, &known, true);
	assert_int_equal(read_run(read_connection, &run), -EBADMSG);
}

static void other_protocols(void **state)
{
	static const struct path number = { { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_PROTO_NUM } };
	static const struct path reply = { { CTA_TUPLE_REPLY, CTA_TUPLE_PROTO, CTA_PROTO_NUM } };
	static const struct path expected = { { CTA_EXPECT_MASTER, CTA_TUPLE_PROTO, CTA_PROTO_NUM } };
	struct run run, master;
	size_t size;

	(void)state;
	make_connection(&run, &full4, true);
	make_expected(&master, &v4, 1);
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		const int error = protocol == 6 ? 0 : -EPROTONOSUPPORT;

		*payload_at(&run, number, &size) = (uint8_t)protocol;
		assert_int_equal(read_run(read_connection, &run), error);
		assert_int_equal(read_run(read_flow, &run), error);
		*payload_at(&run, number, &size) = 6;
		*payload_at(&run, reply, &size) = (uint8_t)protocol;
		assert_int_equal(read_run(read_connection, &run), error);
		assert_int_equal(read_run(read_flow, &run), 0);
		*payload_at(&run, reply, &size) = 6;
		*payload_at(&master, expected, &size) = (uint8_t)protocol;
		assert_int_equal(read_run(read_expected, &master), error);
	}
	/* ICMP has no ports. */
	*payload_at(&run, number, &size) = 1;
	run = changed(&run, (struct path){ { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT } }, DROP);
	run = changed(&run, (struct path){ { CTA_TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT } }, DROP);
	assert_int_equal(read_run(read_connection, &run), -EPROTONOSUPPORT);
	assert_int_equal(read_run(read_flow, &run), -EPROTONOSUPPORT);
}

/* Every attribute in turn, at every depth: longer than its parent, or shorter than its own header. */
static void each_length(struct run *run, uint8_t *data, size_t length, reader read)
{
	struct nlattr *attribute;

	for (attribute = next(data, length, NULL); attribute; attribute = next(data, length, attribute)) {
		const uint16_t right = attribute->nla_len;
		const uint16_t rest = (uint16_t)(data + length - (uint8_t *)attribute);
		const uint16_t wrong[] = {
			rest + 1, rest + 2, rest + 3, rest + 4, rest + 100, 0x7fff, 0x8000, 0xfffc, 0xffff, 0, 1, 2, 3,
		};

		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			attribute->nla_len = wrong[i];
			assert_int_equal(read_run(read, run), -EBADMSG);
		}
		attribute->nla_len = right;
		if (attribute->nla_type & NLA_F_NESTED)
			each_length(run, mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute), read);
	}
	assert_int_equal(read_run(read, run), 0);
}

static void lengths_past_their_parent(void **state)
{
	struct run run;

	(void)state;
	make_connection(&run, &full4, true);
	each_length(&run, run.bytes, run.length, read_connection);
	make_connection(&run, &full6, false);
	each_length(&run, run.bytes, run.length, read_connection);
	make_expected(&run, &v4, 1);
	run = changed(&run, (struct path){ { CTA_EXPECT_TUPLE } }, DROP); /* nobody looks into it */
	each_length(&run, run.bytes, run.length, read_expected);
	make_connection(&run, &full4, true);
	run = changed(&run, (struct path){ { CTA_TUPLE_REPLY } }, DROP);
	run = changed(&run, (struct path){ { CTA_SEQ_ADJ_ORIG } }, DROP);
	run = changed(&run, (struct path){ { CTA_SEQ_ADJ_REPLY } }, DROP);
	run = changed(&run, (struct path){ { CTA_HELP } }, DROP);
	each_length(&run, run.bytes, run.length, read_flow);
}

/* Where required attributes come last, all of it is needed. */
static void truncated(void **state)
{
	struct run run;
	union result result;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		make_connection(&run, i ? &full6 : &full4, false);
		for (size_t length = 0; length < run.length - 2; length++)
			assert_int_equal(read_alone(read_connection, run.bytes, length, &result), -EBADMSG);
		make_expected(&run, i ? &v6 : &v4, 1);
		for (size_t length = 0; length < run.length - 2; length++)
			assert_int_equal(read_alone(read_expected, run.bytes, length, &result), -EBADMSG);
	}
}

/* What is known once @length bytes of a message have come; false where the last attribute is not whole. */
static bool known_by(const struct run *run, const struct known *whole, size_t length, struct connection *connection)
{
	const struct connection *from = &whole->connection;
	const struct nlattr *attribute;

	memset(connection, 0, sizeof(*connection));
	for (attribute = next(run->bytes, run->length, NULL); attribute;
	     attribute = next(run->bytes, run->length, attribute)) {
		const size_t at = (size_t)((const uint8_t *)attribute - run->bytes);
		const uint16_t type = mnl_attr_get_type(attribute);

		if (at >= length)
			break;
		if (at + attribute->nla_len > length)
			return false;
		if (type == CTA_TUPLE_ORIG || type == CTA_TUPLE_REPLY)
			connection->binding.tuple[type - CTA_TUPLE_ORIG] = from->binding.tuple[type - CTA_TUPLE_ORIG];
		if (type == CTA_SEQ_ADJ_ORIG || type == CTA_SEQ_ADJ_REPLY)
			connection->binding.seqadj[type - CTA_SEQ_ADJ_ORIG] =
				from->binding.seqadj[type - CTA_SEQ_ADJ_ORIG];
		connection->status = type == CTA_STATUS ? from->status : connection->status;
		connection->mark = type == CTA_MARK ? from->mark : connection->mark;
		connection->binding.zone = type == CTA_ZONE ? from->binding.zone : connection->binding.zone;
		if (type == CTA_HELP)
			memcpy(connection->helper, from->helper, sizeof(connection->helper));
	}
	return true;
}

/* Where they come first: what ends between two attributes tells as much as has come, all else is refused. */
static void truncated_in_the_kernels_order(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		const struct known *known = i ? &full6 : &full4;
		unsigned int read = 0;
		struct run run;

		make_connection(&run, known, true);
		for (size_t length = 0; length <= run.length; length++) {
			struct connection want;
			union result result, flow;
			bool whole = known_by(&run, known, length, &want);
			int error = read_alone(read_connection, run.bytes, length, &result);

			assert_int_equal(error, whole && want.binding.tuple[1].src.family ? 0 : -EBADMSG);
			if (!error)
				same_connection(&result.connection, &want);
			error = read_alone(read_flow, run.bytes, length, &flow);
			assert_int_equal(error, whole && want.binding.tuple[0].src.family ? 0 : -EBADMSG);
			if (!error)
				same_tuple(&flow.flow.original, &want.binding.tuple[0]);
			if (!error)
				assert_int_equal(flow.flow.zone, want.binding.zone);
			read += !error;
			if (has_private(&run, known->connection.helper))
				assert_true(read_private_alone(run.bytes, length, known->connection.helper,
							       (uint8_t[64]){ 0 },
							       &(size_t){ 0 }) == (whole && want.helper[0]));
		}
		assert_true(read >= 8);
	}
}

/* Types beyond what is known; the flags of a type; no flag on a nest, which old kernels leave out. */
static void what_does_not_matter(void **state)
{
	struct run run, other;
	union result result;
	struct nlattr *attribute;

	(void)state;
	make_connection(&run, &full4, true);
	attribute = (void *)(run.bytes + run.length);
	attribute->nla_type = CTA_MAX + 1;
	attribute->nla_len = MNL_ATTR_HDRLEN + 3;
	memset(run.bytes + run.length + MNL_ATTR_HDRLEN, 0xff, 4);
	run.length += MNL_ATTR_HDRLEN + 4;
	assert_int_equal(read_alone(read_connection, run.bytes, run.length, &result), 0);
	same_connection(&result.connection, &full4.connection);
	attribute->nla_type = 0x3fff;
	assert_int_equal(read_run(read_connection, &run), 0);
	attribute->nla_type = 0;
	assert_int_equal(read_run(read_flow, &run), 0);
	other = run;
	for (attribute = next(other.bytes, other.length, NULL); attribute;
	     attribute = next(other.bytes, other.length, attribute)) {
		attribute->nla_type ^= NLA_F_NESTED;
	}
	assert_int_equal(read_alone(read_connection, other.bytes, other.length, &result), 0);
	same_connection(&result.connection, &full4.connection);
}

/* ---- helpers ---- */

/* A connection whose helper has this name, in so many bytes. */
static void make_helper(struct run *run, const char *name, size_t length, const char *info, size_t info_length)
{
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);
	struct nlattr *nest;

	put_tuples(message, &full4);
	nest = mnl_attr_nest_start(message, CTA_HELP);
	if (name)
		mnl_attr_put(message, CTA_HELP_NAME, length, name);
	if (info)
		mnl_attr_put(message, CTA_HELP_INFO, info_length, info);
	mnl_attr_nest_end(message, nest);
	take(run, message);
}

static void helper_is(const char *name, size_t length, const char *want)
{
	struct run run;
	union result result;

	make_helper(&run, name, length, NULL, 0);
	assert_int_equal(read_alone(read_connection, run.bytes, run.length, &result), want ? 0 : -EBADMSG);
	if (want)
		assert_string_equal(result.connection.helper, want);
}

static void helper_names(void **state)
{
	(void)state;
	helper_is("ftp", 4, "ftp");
	helper_is("ftp", 3, "ftp");
	helper_is("ftp\0garbage that follows it", 26, "ftp");
	helper_is("", 0, "");
	helper_is("", 1, "");
	helper_is("fifteen letters", 16, "fifteen letters");
	helper_is("fifteen letters", 15, "fifteen letters");
	helper_is("sixteen letters!", 16, NULL);
	helper_is("sixteen letters!", 17, NULL);
	helper_is("a name that is longer than any helper may have", 47, NULL);
}

static void private_data(void **state)
{
	struct run run;
	uint8_t info[64];
	size_t length = 0;

	(void)state;
	make_helper(&run, "ftp", 4, "private", 7);
	assert_true(read_private_alone(run.bytes, run.length, "ftp", info, &length));
	assert_int_equal(length, 7);
	assert_memory_equal(info, "private", 7);
	assert_false(has_private(&run, "ftp-2"));
	assert_false(has_private(&run, "ft"));
	assert_false(has_private(&run, ""));
	assert_false(has_private(&run, "FTP"));

	make_helper(&run, "ftp", 3, "private", 7);
	assert_true(has_private(&run, "ftp"));
	assert_false(has_private(&run, "ftpp"));
	make_helper(&run, "fifteen letters", 15, "x", 1);
	assert_true(has_private(&run, "fifteen letters"));
	make_helper(&run, "sixteen letters!", 16, "x", 1);
	assert_false(has_private(&run, "sixteen letters!"));
	assert_false(has_private(&run, "sixteen letters"));
	assert_false(has_private(&run, ""));

	make_helper(&run, "ftp", 4, NULL, 0);
	assert_false(has_private(&run, "ftp"));
	make_helper(&run, NULL, 0, "private", 7);
	assert_false(has_private(&run, "ftp"));
	make_helper(&run, "ftp", 4, "", 0);
	assert_true(read_private_alone(run.bytes, run.length, "ftp", info, &length));
	assert_int_equal(length, 0);

	make_connection(&run, &full4, true);
	run = changed(&run, (struct path){ { CTA_HELP } }, DROP);
	assert_false(has_private(&run, "ftp"));
	assert_false(has_private(&run, ""));
	run.length = 0;
	assert_false(has_private(&run, "ftp"));
}

/* A length inside of CTA_HELP that is wrong: nothing is told. */
static void private_data_out_of_bounds(void **state)
{
	static const struct path info = { { CTA_HELP, CTA_HELP_INFO } };
	struct run run;
	struct nlattr *attribute;
	size_t size;

	(void)state;
	make_helper(&run, "ftp", 4, "private", 7);
	attribute = (void *)(payload_at(&run, info, &size) - MNL_ATTR_HDRLEN);
	for (unsigned int length = 0; length < 0x200; length++) {
		attribute->nla_len = (uint16_t)length;
		assert_int_equal(has_private(&run, "ftp"),
				 length > MNL_ATTR_HDRLEN + 4 && length <= MNL_ATTR_HDRLEN + 8);
	}
}

/* ---- attributes ---- */

static void attributes_by_type(void **state)
{
	static const struct attribute_rule rules[4] = { [1] = { .exactly = 4 } };
	_Alignas(4) char buffer[CTMESSAGE_MAX] = { 0 };
	const struct nlattr *found[5];
	struct nlmsghdr *message = begin(buffer, FAMILY_IPV4);
	struct nlattr *nest = mnl_attr_nest_start(message, 9);
	struct run run;

	(void)state;
	mnl_attr_put_u32(message, 1 | NLA_F_NET_BYTEORDER, htonl(0x01020304));
	mnl_attr_put(message, 2, 5, "hello");
	mnl_attr_put_u16(message, 3, htons(0x0506));
	mnl_attr_put_u8(message, 4, 1);
	mnl_attr_nest_end(message, nest);
	take(&run, message);
	memset(found, 0xff, sizeof(found));
	assert_int_equal(attributes_parse_nested((void *)run.bytes, rules, found, 3), 0);
	assert_null(found[0]);
	assert_int_equal(attribute_be32(found[1]), 0x01020304);
	assert_int_equal(mnl_attr_get_payload_len(found[2]), 5);
	assert_int_equal(attribute_be16(found[3]), 0x0506);
	assert_true((uintptr_t)found[4] == UINTPTR_MAX); /* beyond max */
	assert_int_equal(attributes_parse(run.bytes, run.length, rules, found, 3),
			 0); /* the nest itself is of type 9 */
	for (unsigned int type = 0; type <= 3; type++)
		assert_null(found[type]);
	for (size_t length = 0; length < 10; length++) {
		struct run other = changed(&run, (struct path){ { 9, 2 } }, length);

		assert_int_equal(attributes_parse_nested((void *)other.bytes, rules, found, 3), 0);
		other = changed(&run, (struct path){ { 9, 1 } }, length);
		assert_int_equal(attributes_parse_nested((void *)other.bytes, rules, found, 3),
				 length == 4 ? 0 : -EBADMSG);
		assert_int_equal(attributes_parse_nested((void *)other.bytes, NULL, found, 3), 0);
	}
}

static void attribute_texts(void **state)
{
	(void)state;
	for (unsigned int length = 0; length < 10; length++) {
		uint8_t *copy = unit_alloc(MNL_ATTR_HDRLEN + length);
		struct nlattr *attribute = (void *)copy;
		char text[12];

		attribute->nla_len = (uint16_t)(MNL_ATTR_HDRLEN + length);
		attribute->nla_type = 1;
		memset(copy + MNL_ATTR_HDRLEN, 'x', length);
		for (size_t size = 1; size < 11; size++) {
			memset(text, '#', sizeof(text));
			assert_int_equal(attribute_text(attribute, text, size), length < size ? 0 : -EBADMSG);
			assert_int_equal(text[size], '#');
			if (length < size)
				assert_int_equal(strlen(text), length);
		}
		free(copy);
	}
}

/* ---- anything ---- */

static bool is_sound(const struct tuple *tuple)
{
	static const uint8_t zeroes[12];
	const struct endpoint *ends[2] = { &tuple->src, &tuple->dst };

	for (unsigned int i = 0; i < 2; i++) {
		if (ends[i]->family == FAMILY_IPV4 ? memcmp(ends[i]->address + 4, zeroes, 12) != 0 :
						     ends[i]->family != FAMILY_IPV6)
			return false;
	}
	return tuple->src.family == tuple->dst.family;
}

static void read_anything(const uint8_t *bytes, size_t length)
{
	uint8_t info[2 * CTMESSAGE_MAX];
	union result result;
	int error = read_alone(read_connection, bytes, length, &result);

	assert_true(error == 0 || error == -EBADMSG || error == -EPROTONOSUPPORT);
	if (!error) {
		assert_true(is_sound(&result.connection.binding.tuple[DIRECTION_ORIGINAL]));
		assert_true(is_sound(&result.connection.binding.tuple[DIRECTION_REPLY]));
		assert_non_null(memchr(result.connection.helper, 0, CONNECTION_HELPER_MAX));
	}
	error = read_alone(read_flow, bytes, length, &result);
	assert_true(error == 0 || error == -EBADMSG || error == -EPROTONOSUPPORT);
	assert_true(error || is_sound(&result.flow.original));
	error = read_alone(read_expected, bytes, length, &result);
	assert_true(error == 0 || error == -EBADMSG || error == -EPROTONOSUPPORT);
	assert_true(error || is_sound(&result.expected.master));
	read_private_alone(bytes, length, "ftp", info, &length);
}

static void mutate(struct run *run)
{
	const size_t at = unit_pick((uint32_t)run->length);
	const size_t cut = unit_pick(unit_pick(4) ? 8 : (uint32_t)run->length);
	uint16_t length;

	switch (unit_pick(5)) {
	case 0:
		run->bytes[at] = (uint8_t)unit_random();
		break;
	case 1:
		run->bytes[at] ^= (uint8_t)(1u << unit_pick(8));
		break;
	case 2: /* where headers are */
		length = (uint16_t)unit_pick(unit_pick(4) ? 40 : 0x10000);
		memcpy(run->bytes + at / 4 * 4, &length, sizeof(length));
		break;
	case 3:
		run->bytes[at / 4 * 4 + 2] = (uint8_t)unit_pick(CTA_MAX + 2);
		break;
	default:
		run->length -= cut < run->length ? cut : 0;
		break;
	}
}

static void mutations(void **state)
{
	struct run messages[6];

	(void)state;
	make_connection(&messages[0], &full4, true);
	make_connection(&messages[1], &full4, false);
	make_connection(&messages[2], &full6, true);
	make_helper(&messages[3], "ftp", 3, "private", 7);
	make_expected(&messages[4], &v4, 1);
	make_expected(&messages[5], &v6, 1);
	for (unsigned int round = 0; round < 40000; round++) {
		struct run run = messages[unit_pick(6)];

		for (unsigned int n = 1 + unit_pick(4); n > 0; n--)
			mutate(&run);
		read_anything(run.bytes, run.length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_header),
		cmocka_unit_test(writes_tuples),
		cmocka_unit_test(writes_zones),
		cmocka_unit_test(writes_adjustments),
		cmocka_unit_test(writes_liberal),
		cmocka_unit_test(writes_labels),
		cmocka_unit_test(writes_source_ports),
		cmocka_unit_test(writes_translated_expectations),
		cmocka_unit_test(writes_untranslated_expectations),
		cmocka_unit_test(the_longest_has_room),
		cmocka_unit_test(connections_come_back),
		cmocka_unit_test(random_connections_come_back),
		cmocka_unit_test(expectations_come_back),
		cmocka_unit_test(tuples_are_checked),
		cmocka_unit_test(adjustments_are_checked),
		cmocka_unit_test(numbers_are_checked),
		cmocka_unit_test(progress_is_read),
		cmocka_unit_test(progress_stays),
		cmocka_unit_test(liberal_is_read),
		cmocka_unit_test(what_is_not_required),
		cmocka_unit_test(mixed_families),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(lengths_past_their_parent),
		cmocka_unit_test(truncated),
		cmocka_unit_test(truncated_in_the_kernels_order),
		cmocka_unit_test(what_does_not_matter),
		cmocka_unit_test(helper_names),
		cmocka_unit_test(private_data),
		cmocka_unit_test(private_data_out_of_bounds),
		cmocka_unit_test(attributes_by_type),
		cmocka_unit_test(attribute_texts),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
