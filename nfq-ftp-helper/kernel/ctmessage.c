// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctmessage.h"

#include "attributes.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

/*
 * What CTA_FILTER_ORIG_FLAGS and _REPLY_FLAGS are made of. The kernel keeps these names to itself
 * (net/netfilter/nf_internals.h), though their values are part of its interface; libnetfilter_conntrack has a copy.
 */
#define FILTER_PROTO_NUM      (1u << 3)
#define FILTER_PROTO_SRC_PORT (1u << 4)
#define FILTER_SOURCE_PORT    (FILTER_PROTO_NUM | FILTER_PROTO_SRC_PORT)

struct nlmsghdr *ctmessage_begin(void *buffer, uint16_t type, uint16_t flags, uint8_t family, uint32_t seq)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = seq;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = ctmessage_family(family);
	header->version = NFNETLINK_V0;
	return message;
}

void ctmessage_put_tuple(struct nlmsghdr *message, uint16_t type, const struct tuple *tuple)
{
	bool ipv4 = tuple->src.family == FAMILY_IPV4;
	size_t length = endpoint_address_length(tuple->src.family);
	struct nlattr *outer = mnl_attr_nest_start(message, type);
	struct nlattr *inner;

	inner = mnl_attr_nest_start(message, CTA_TUPLE_IP);
	mnl_attr_put(message, ipv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, length, tuple->src.address);
	mnl_attr_put(message, ipv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, length, tuple->dst.address);
	mnl_attr_nest_end(message, inner);

	inner = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, IPPROTO_TCP);
	attribute_put_be16(message, CTA_PROTO_SRC_PORT, tuple->src.port);
	attribute_put_be16(message, CTA_PROTO_DST_PORT, tuple->dst.port);
	mnl_attr_nest_end(message, inner);

	mnl_attr_nest_end(message, outer);
}

void ctmessage_put_zone(struct nlmsghdr *message, uint16_t type, uint16_t zone)
{
	if (zone)
		attribute_put_be16(message, type, zone);
}

/* Every bit of a tuple counts, but for its source port. */
static void put_mask(struct nlmsghdr *message, uint8_t family)
{
	struct tuple mask = { .src.family = family, .dst.family = family, .dst.port = 0xffff };

	memset(mask.src.address, 0xff, endpoint_address_length(family));
	memset(mask.dst.address, 0xff, endpoint_address_length(family));
	ctmessage_put_tuple(message, CTA_EXPECT_MASK, &mask);
}

/* Where the data connection is translated to: the announcing party's own endpoint, and in which direction it lies. */
static void put_nat(struct nlmsghdr *message, const struct expectation *expectation)
{
	struct tuple target = { .src = expectation->nat_src, .dst.family = expectation->nat_src.family };
	struct nlattr *nest = mnl_attr_nest_start(message, CTA_EXPECT_NAT);

	attribute_put_be32(message, CTA_EXPECT_NAT_DIR, expectation->nat_direction);
	ctmessage_put_tuple(message, CTA_EXPECT_NAT_TUPLE, &target);
	mnl_attr_nest_end(message, nest);
	mnl_attr_put_strz(message, CTA_EXPECT_FN, "nat-follow-master");
}

void ctmessage_put_expected(struct nlmsghdr *message, const struct tuple *tuple)
{
	struct tuple from_any = *tuple;

	from_any.src.port = 0;
	ctmessage_put_tuple(message, CTA_EXPECT_TUPLE, &from_any);
}

void ctmessage_put_expectation(struct nlmsghdr *message, const struct expectation *expectation, uint32_t seconds)
{
	ctmessage_put_expected(message, &expectation->tuple);
	put_mask(message, expectation->tuple.dst.family);
	attribute_put_be32(message, CTA_EXPECT_TIMEOUT, seconds);
	attribute_put_be32(message, CTA_EXPECT_CLASS, 0);
	if (expectation->translated)
		put_nat(message, expectation);
}

void ctmessage_put_seqadj(struct nlmsghdr *message, uint16_t type, const struct seqadj *adjustment)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	attribute_put_be32(message, CTA_SEQADJ_CORRECTION_POS, adjustment->pos);
	attribute_put_be32(message, CTA_SEQADJ_OFFSET_BEFORE, (uint32_t)adjustment->before);
	attribute_put_be32(message, CTA_SEQADJ_OFFSET_AFTER, (uint32_t)adjustment->after);
	mnl_attr_nest_end(message, nest);
}

void ctmessage_put_label(struct nlmsghdr *message, uint8_t label, bool on)
{
	uint32_t mask[CONNECTION_LABEL_WORDS] = { 0 }, labels[CONNECTION_LABEL_WORDS] = { 0 };

	mask[label / 32] = 1u << label % 32;
	if (on)
		memcpy(labels, mask, sizeof(labels));
	mnl_attr_put(message, CTA_LABELS, sizeof(labels), labels);
	mnl_attr_put(message, CTA_LABELS_MASK, sizeof(mask), mask);
}

/* What is beyond those we know is left out. */
static void read_labels(const struct nlattr *attribute, uint32_t labels[CONNECTION_LABEL_WORDS])
{
	const size_t length = attribute ? mnl_attr_get_payload_len(attribute) : 0;

	if (length)
		memcpy(labels, mnl_attr_get_payload(attribute),
		       length < CONNECTION_LABELS_MAX ? length : CONNECTION_LABELS_MAX);
}

void ctmessage_put_liberal(struct nlmsghdr *message)
{
	const struct nf_ct_tcp_flags liberal = {
		.flags = IP_CT_TCP_FLAG_BE_LIBERAL,
		.mask = IP_CT_TCP_FLAG_BE_LIBERAL,
	};
	struct nlattr *outer = mnl_attr_nest_start(message, CTA_PROTOINFO);
	struct nlattr *inner = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);

	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(liberal), &liberal);
	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(liberal), &liberal);
	mnl_attr_nest_end(message, inner);
	mnl_attr_nest_end(message, outer);
}

/*
 * Addresses could be compared, too, but for IPv6 the kernel does it the wrong way round: up to 6.18 it leaves out the
 * connections that match.
 */
void ctmessage_put_source_ports(struct nlmsghdr *message, const struct endpoint *original, const struct endpoint *reply)
{
	const struct tuple original_tuple = { .src = *original, .dst.family = original->family };
	const struct tuple reply_tuple = { .src = *reply, .dst.family = reply->family };
	struct nlattr *nest;

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &original_tuple);
	ctmessage_put_tuple(message, CTA_TUPLE_REPLY, &reply_tuple);
	nest = mnl_attr_nest_start(message, CTA_FILTER);
	mnl_attr_put_u32(message, CTA_FILTER_ORIG_FLAGS, FILTER_SOURCE_PORT);
	mnl_attr_put_u32(message, CTA_FILTER_REPLY_FLAGS, FILTER_SOURCE_PORT);
	mnl_attr_nest_end(message, nest);
}

static int read_addresses(const struct nlattr *nest, struct tuple *tuple)
{
	static const struct attribute_rule rules[CTA_IP_MAX + 1] = {
		[CTA_IP_V4_SRC] = { .exactly = 4 },
		[CTA_IP_V4_DST] = { .exactly = 4 },
		[CTA_IP_V6_SRC] = { .exactly = 16 },
		[CTA_IP_V6_DST] = { .exactly = 16 },
	};
	const struct nlattr *found[CTA_IP_MAX + 1];
	const struct nlattr *src, *dst;
	uint8_t family;

	if (attributes_parse_nested(nest, rules, found, CTA_IP_MAX) < 0)
		return -EBADMSG;
	family = found[CTA_IP_V4_SRC] ? FAMILY_IPV4 : FAMILY_IPV6;
	src = family == FAMILY_IPV4 ? found[CTA_IP_V4_SRC] : found[CTA_IP_V6_SRC];
	dst = family == FAMILY_IPV4 ? found[CTA_IP_V4_DST] : found[CTA_IP_V6_DST];
	if (!src || !dst)
		return -EBADMSG;
	tuple->src.family = family;
	tuple->dst.family = family;
	memcpy(tuple->src.address, mnl_attr_get_payload(src), endpoint_address_length(family));
	memcpy(tuple->dst.address, mnl_attr_get_payload(dst), endpoint_address_length(family));
	return 0;
}

static int read_ports(const struct nlattr *nest, struct tuple *tuple)
{
	static const struct attribute_rule rules[CTA_PROTO_MAX + 1] = {
		[CTA_PROTO_NUM] = { .exactly = 1 },
		[CTA_PROTO_SRC_PORT] = { .exactly = 2 },
		[CTA_PROTO_DST_PORT] = { .exactly = 2 },
	};
	const struct nlattr *found[CTA_PROTO_MAX + 1];

	if (attributes_parse_nested(nest, rules, found, CTA_PROTO_MAX) < 0 || !found[CTA_PROTO_NUM])
		return -EBADMSG;
	if (mnl_attr_get_u8(found[CTA_PROTO_NUM]) != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	if (!found[CTA_PROTO_SRC_PORT] || !found[CTA_PROTO_DST_PORT])
		return -EBADMSG;
	tuple->src.port = attribute_be16(found[CTA_PROTO_SRC_PORT]);
	tuple->dst.port = attribute_be16(found[CTA_PROTO_DST_PORT]);
	return 0;
}

static int read_tuple(const struct nlattr *nest, struct tuple *tuple)
{
	const struct nlattr *found[CTA_TUPLE_MAX + 1];
	int error;

	if (!nest || attributes_parse_nested(nest, NULL, found, CTA_TUPLE_MAX) < 0)
		return -EBADMSG;
	if (!found[CTA_TUPLE_IP] || !found[CTA_TUPLE_PROTO])
		return -EBADMSG;
	memset(tuple, 0, sizeof(*tuple));
	error = read_addresses(found[CTA_TUPLE_IP], tuple);
	return error ? error : read_ports(found[CTA_TUPLE_PROTO], tuple);
}

/* Without the attribute, nothing is adjusted. */
static int read_seqadj(const struct nlattr *nest, struct seqadj *adjustment)
{
	static const struct attribute_rule rules[CTA_SEQADJ_MAX + 1] = {
		[CTA_SEQADJ_CORRECTION_POS] = { .exactly = 4 },
		[CTA_SEQADJ_OFFSET_BEFORE] = { .exactly = 4 },
		[CTA_SEQADJ_OFFSET_AFTER] = { .exactly = 4 },
	};
	const struct nlattr *found[CTA_SEQADJ_MAX + 1];

	memset(adjustment, 0, sizeof(*adjustment));
	if (!nest)
		return 0;
	if (attributes_parse_nested(nest, rules, found, CTA_SEQADJ_MAX) < 0)
		return -EBADMSG;
	if (!found[CTA_SEQADJ_CORRECTION_POS] || !found[CTA_SEQADJ_OFFSET_BEFORE] || !found[CTA_SEQADJ_OFFSET_AFTER])
		return -EBADMSG;
	adjustment->pos = attribute_be32(found[CTA_SEQADJ_CORRECTION_POS]);
	adjustment->before = (int32_t)attribute_be32(found[CTA_SEQADJ_OFFSET_BEFORE]);
	adjustment->after = (int32_t)attribute_be32(found[CTA_SEQADJ_OFFSET_AFTER]);
	return 0;
}

/* Has conntrack been told to be liberal about this direction? */
static bool is_liberal(const struct nlattr *flags)
{
	struct nf_ct_tcp_flags value = { 0 };

	if (flags)
		memcpy(&value, mnl_attr_get_payload(flags), sizeof(value));
	return value.flags & IP_CT_TCP_FLAG_BE_LIBERAL;
}

/*
 * The state alone does not say that conntrack is beyond the handshake: it falls back when somebody plays one amid the connection, and begins to
 * follow that (nf_conntrack_tcp_packet(): an answer to a SYN that it has ignored). Once both ends have been heard of, the connection stays
 * "assured".
 */
static enum progress progress_of(uint8_t state, uint32_t status)
{
	const bool handshake =
		state == TCP_CONNTRACK_SYN_SENT || state == TCP_CONNTRACK_SYN_RECV || state == TCP_CONNTRACK_SYN_SENT2;

	return handshake && !(status & IPS_ASSURED) ? PROGRESS_HANDSHAKE : PROGRESS_BEYOND;
}

/* Without the attribute nothing is known. */
static int read_protocol(const struct nlattr *nest, struct connection *connection)
{
	static const struct attribute_rule rules[CTA_PROTOINFO_TCP_MAX + 1] = {
		[CTA_PROTOINFO_TCP_STATE] = { .exactly = 1 },
		[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] = { .exactly = sizeof(struct nf_ct_tcp_flags) },
		[CTA_PROTOINFO_TCP_FLAGS_REPLY] = { .exactly = sizeof(struct nf_ct_tcp_flags) },
	};
	const struct nlattr *protocol[CTA_PROTOINFO_MAX + 1], *found[CTA_PROTOINFO_TCP_MAX + 1];
	uint8_t state;

	connection->binding.progress = PROGRESS_UNKNOWN;
	if (!nest)
		return 0;
	if (attributes_parse_nested(nest, NULL, protocol, CTA_PROTOINFO_MAX) < 0)
		return -EBADMSG;
	if (!protocol[CTA_PROTOINFO_TCP])
		return 0;
	if (attributes_parse_nested(protocol[CTA_PROTOINFO_TCP], rules, found, CTA_PROTOINFO_TCP_MAX) < 0)
		return -EBADMSG;
	connection->liberal =
		is_liberal(found[CTA_PROTOINFO_TCP_FLAGS_ORIGINAL]) && is_liberal(found[CTA_PROTOINFO_TCP_FLAGS_REPLY]);
	if (!found[CTA_PROTOINFO_TCP_STATE])
		return 0;
	state = mnl_attr_get_u8(found[CTA_PROTOINFO_TCP_STATE]);
	connection->binding.progress = (uint8_t)progress_of(state, connection->status);
	connection->established = state == TCP_CONNTRACK_ESTABLISHED;
	connection->ended = state == TCP_CONNTRACK_TIME_WAIT;
	connection->reset = state == TCP_CONNTRACK_CLOSE;
	return 0;
}

/* Its name, "" where there is none. */
static int read_help_name(const struct nlattr *nest, char name[CONNECTION_HELPER_MAX])
{
	const struct nlattr *found[CTA_HELP_MAX + 1];

	name[0] = '\0';
	if (!nest)
		return 0;
	if (attributes_parse_nested(nest, NULL, found, CTA_HELP_MAX) < 0)
		return -EBADMSG;
	return found[CTA_HELP_NAME] ? attribute_text(found[CTA_HELP_NAME], name, CONNECTION_HELPER_MAX) : 0;
}

int ctmessage_read_connection(const void *data, size_t length, struct connection *connection)
{
	static const struct attribute_rule rules[CTA_MAX + 1] = {
		[CTA_STATUS] = { .exactly = 4 }, [CTA_TIMEOUT] = { .exactly = 4 }, [CTA_MARK] = { .exactly = 4 },
		[CTA_ZONE] = { .exactly = 2 },	 [CTA_ID] = { .exactly = 4 },
	};
	const struct nlattr *found[CTA_MAX + 1];
	struct connection result = { 0 };
	struct binding *binding = &result.binding;
	int error;

	if (attributes_parse(data, length, rules, found, CTA_MAX) < 0)
		return -EBADMSG;
	result.status = found[CTA_STATUS] ? attribute_be32(found[CTA_STATUS]) : 0;
	error = read_tuple(found[CTA_TUPLE_ORIG], &binding->tuple[DIRECTION_ORIGINAL]);
	if (!error)
		error = read_tuple(found[CTA_TUPLE_REPLY], &binding->tuple[DIRECTION_REPLY]);
	if (!error)
		error = read_seqadj(found[CTA_SEQ_ADJ_ORIG], &binding->seqadj[DIRECTION_ORIGINAL]);
	if (!error)
		error = read_seqadj(found[CTA_SEQ_ADJ_REPLY], &binding->seqadj[DIRECTION_REPLY]);
	if (!error)
		error = read_protocol(found[CTA_PROTOINFO], &result);
	if (!error)
		error = read_help_name(found[CTA_HELP], result.helper);
	if (error)
		return error;
	if (binding->tuple[DIRECTION_ORIGINAL].src.family != binding->tuple[DIRECTION_REPLY].src.family)
		return -EBADMSG;
	binding->zone = found[CTA_ZONE] ? attribute_be16(found[CTA_ZONE]) : 0;
	binding->id = found[CTA_ID] ? attribute_be32(found[CTA_ID]) : 0;
	result.seconds = found[CTA_TIMEOUT] ? attribute_be32(found[CTA_TIMEOUT]) : 0;
	result.mark = found[CTA_MARK] ? attribute_be32(found[CTA_MARK]) : 0;
	read_labels(found[CTA_LABELS], result.labels);
	*connection = result;
	return 0;
}

int ctmessage_read_flow(const void *data, size_t length, struct flow *flow)
{
	static const struct attribute_rule rules[CTA_MAX + 1] = {
		[CTA_MARK] = { .exactly = 4 },
		[CTA_ID] = { .exactly = 4 },
		[CTA_ZONE] = { .exactly = 2 },
	};
	const struct nlattr *found[CTA_MAX + 1];
	struct tuple original;
	int error;

	if (attributes_parse(data, length, rules, found, CTA_MAX) < 0)
		return -EBADMSG;
	error = read_tuple(found[CTA_TUPLE_ORIG], &original);
	if (error)
		return error;
	flow->original = original;
	flow->id = found[CTA_ID] ? attribute_be32(found[CTA_ID]) : 0;
	flow->mark = found[CTA_MARK] ? attribute_be32(found[CTA_MARK]) : 0;
	flow->zone = found[CTA_ZONE] ? attribute_be16(found[CTA_ZONE]) : 0;
	flow->expected = found[CTA_TUPLE_MASTER] != NULL;
	return 0;
}

const void *ctmessage_read_private(const void *data, size_t length, const char *helper, size_t *size)
{
	const struct nlattr *found[CTA_HELP + 1], *inside[CTA_HELP_MAX + 1];
	char name[CONNECTION_HELPER_MAX];

	if (attributes_parse(data, length, NULL, found, CTA_HELP) < 0 || !found[CTA_HELP] ||
	    attributes_parse_nested(found[CTA_HELP], NULL, inside, CTA_HELP_MAX) < 0 || !inside[CTA_HELP_INFO])
		return NULL;
	if (read_help_name(found[CTA_HELP], name) < 0 || strcmp(name, helper) != 0)
		return NULL;
	*size = mnl_attr_get_payload_len(inside[CTA_HELP_INFO]);
	return mnl_attr_get_payload(inside[CTA_HELP_INFO]);
}

int ctmessage_read_expected(const void *data, size_t length, struct expected *expected)
{
	static const struct attribute_rule rules[CTA_EXPECT_MAX + 1] = {
		[CTA_EXPECT_ID] = { .exactly = 4 },
		[CTA_EXPECT_TIMEOUT] = { .exactly = 4 },
	};
	const struct nlattr *found[CTA_EXPECT_MAX + 1];
	struct expected result = { 0 };
	int error;

	if (attributes_parse(data, length, rules, found, CTA_EXPECT_MAX) < 0 || !found[CTA_EXPECT_ID])
		return -EBADMSG;
	error = read_tuple(found[CTA_EXPECT_MASTER], &result.master);
	if (error)
		return error;
	result.id = attribute_be32(found[CTA_EXPECT_ID]);
	result.seconds = found[CTA_EXPECT_TIMEOUT] ? attribute_be32(found[CTA_EXPECT_TIMEOUT]) : 0;
	*expected = result;
	return 0;
}
