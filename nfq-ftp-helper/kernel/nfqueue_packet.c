// SPDX-License-Identifier: GPL-2.0-or-later
#include "nfqueue_packet.h"

#include "attributes.h"
#include "ctmessage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>

/* It brings older copies of the kernel's headers, unless the kernel's own stand before it. */
#include <libnetfilter_queue/libnetfilter_queue.h>

/*
 * nfq_nlmsg_parse() writes as many as the library knew when it was built, which may be more than this program did: the
 * kernel adds one every few years.
 */
#define ATTRIBUTES_MAX 64

_Static_assert(NFQA_MAX < ATTRIBUTES_MAX / 2, "there is room for what the kernel will add");

static uint32_t number(const struct nlattr *attribute, uint32_t otherwise)
{
	return attribute ? attribute_be32(attribute) : otherwise;
}

/*
 * NFQA_CT: where it is, and the flow's name in it. A packet's own addresses would do only as long as no translation has
 * been done: behind the last one (where a helper's packets are queued) both directions show the translated ones.
 */
static void read_conntrack(struct nfqueue_packet *packet, const struct nlattr *nest, const struct nlattr *info)
{
	const uint32_t way = number(info, IP_CT_NUMBER);
	struct flow flow;

	if (!nest || way >= IP_CT_NUMBER ||
	    ctmessage_read_flow(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), &flow) < 0)
		return;
	packet->conntrack = mnl_attr_get_payload(nest);
	packet->conntrack_length = mnl_attr_get_payload_len(nest);
	packet->conntrack_id = flow.id;
	packet->mark = flow.mark;
	packet->zone = flow.zone;
	packet->expected = flow.expected;
	packet->tracked = true;
	packet->ends = way < IP_CT_IS_REPLY ? flow.original : tuple_inverse(&flow.original);
}

static void read_rest(struct nfqueue_packet *packet, struct nlattr *const found[ATTRIBUTES_MAX])
{
	const uint32_t info = number(found[NFQA_SKB_INFO], 0);

	packet->in = number(found[NFQA_IFINDEX_INDEV], 0);
	packet->out = number(found[NFQA_IFINDEX_OUTDEV], 0);
	packet->checksum_pending = info & NFQA_SKB_CSUMNOTREADY;
	packet->large = info & NFQA_SKB_GSO;
	/* NFQA_CAP_LEN is there only where the packet is longer than its copy. */
	packet->truncated = found[NFQA_CAP_LEN] || !found[NFQA_PAYLOAD];
	if (found[NFQA_PAYLOAD]) {
		packet->data = mnl_attr_get_payload(found[NFQA_PAYLOAD]);
		packet->length = mnl_attr_get_payload_len(found[NFQA_PAYLOAD]);
	}
	read_conntrack(packet, found[NFQA_CT], found[NFQA_CT_INFO]);
}

/*
 * The library's parser stops without a word at an attribute that runs past the end, and takes the end for a multiple of
 * four. So the message is measured beforehand, and one that is torn is cut off behind its last whole attribute.
 * Return: 0, or -EMSGSIZE where it was torn.
 */
static int measure(struct nlmsghdr *message, size_t length)
{
	const size_t header = MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	const size_t said = message->nlmsg_len;
	const size_t there = said < length ? said : length;
	const size_t whole = attributes_whole((const uint8_t *)message + header, there - header);

	if (whole >= said - header)
		return 0;
	message->nlmsg_len = (uint32_t)(header + whole);
	return -EMSGSIZE;
}

int nfqueue_packet_read(void *data, size_t length, struct nfqueue_packet *packet)
{
	struct nlmsghdr *message = data;
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(message);
	struct nlattr *found[ATTRIBUTES_MAX] = { NULL };
	const struct nfqnl_msg_packet_hdr *header;
	int error;

	if (length < MNL_NLMSG_HDRLEN + sizeof(*family) || message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*family) ||
	    message->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return -EBADMSG;
	error = measure(message, length);
	if (nfq_nlmsg_parse(message, found) < 0)
		error = -EMSGSIZE;
	if (!found[NFQA_PACKET_HDR])
		return -EBADMSG;
	header = mnl_attr_get_payload(found[NFQA_PACKET_HDR]);
	memset(packet, 0, sizeof(*packet));
	packet->id = ntohl(header->packet_id);
	packet->queue = ntohs(family->res_id);
	packet->truncated = true;
	if (!error)
		read_rest(packet, found);
	return error;
}
