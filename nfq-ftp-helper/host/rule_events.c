// SPDX-License-Identifier: GPL-2.0-or-later
#include "rule_events.h"

#include "kernel/attributes.h"
#include "kernel/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <string.h>
#include <unistd.h>

/* A rule is told in one message, of 64 KiB at the most; messages of a transaction come several in a datagram. */
#define DATAGRAM_MAX 65536
/* Datagrams that are read at a time: the next ones have to wait. */
#define DATAGRAMS_MAX 64

#define NAME_MAX_BYTES 32

static bool is_ours(const struct rule_events *events, uint32_t first, uint32_t count)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct rule_events_queues *ours = &events->queues[i];

		if (first < (uint32_t)ours->first + ours->count && ours->first < first + count)
			return true;
	}
	return false;
}

/* Where the number is in a register, as with a map, it can be any. */
static bool queue_is_ours(const struct rule_events *events, const struct nlattr *data)
{
	static const struct attribute_rule rules[NFTA_QUEUE_MAX + 1] = {
		[NFTA_QUEUE_NUM] = { .exactly = 2 },
		[NFTA_QUEUE_TOTAL] = { .exactly = 2 },
	};
	const struct nlattr *found[NFTA_QUEUE_MAX + 1];

	if (attributes_parse_nested(data, rules, found, NFTA_QUEUE_MAX) < 0)
		return false;
	if (!found[NFTA_QUEUE_NUM])
		return found[NFTA_QUEUE_SREG_QNUM] != NULL;
	return is_ours(events, attribute_be16(found[NFTA_QUEUE_NUM]),
		       found[NFTA_QUEUE_TOTAL] ? attribute_be16(found[NFTA_QUEUE_TOTAL]) : 1);
}

/* Of iptables-nft. Its first version knows one queue only. */
static bool target_is_ours(const struct rule_events *events, const struct nlattr *data)
{
	static const struct attribute_rule rules[NFTA_TARGET_MAX + 1] = {
		[NFTA_TARGET_REV] = { .exactly = 4 },
		[NFTA_TARGET_INFO] = { .at_least = sizeof(struct xt_NFQ_info) },
	};
	const struct nlattr *found[NFTA_TARGET_MAX + 1];
	struct xt_NFQ_info_v1 info = { 0 };
	char name[NAME_MAX_BYTES];
	size_t length;

	if (attributes_parse_nested(data, rules, found, NFTA_TARGET_MAX) < 0 || !found[NFTA_TARGET_NAME] ||
	    !found[NFTA_TARGET_INFO] || attribute_text(found[NFTA_TARGET_NAME], name, sizeof(name)) < 0 ||
	    strcmp(name, "NFQUEUE") != 0)
		return false;
	length = mnl_attr_get_payload_len(found[NFTA_TARGET_INFO]);
	memcpy(&info, mnl_attr_get_payload(found[NFTA_TARGET_INFO]), length < sizeof(info) ? length : sizeof(info));
	if (!found[NFTA_TARGET_REV] || !attribute_be32(found[NFTA_TARGET_REV]))
		info.queues_total = 1;
	return is_ours(events, info.queuenum, info.queues_total);
}

static bool expression_is_ours(const struct rule_events *events, const struct nlattr *expression)
{
	static const struct attribute_rule rules[NFTA_EXPR_MAX + 1] = { 0 };
	const struct nlattr *found[NFTA_EXPR_MAX + 1];
	char name[NAME_MAX_BYTES];

	if (attributes_parse_nested(expression, rules, found, NFTA_EXPR_MAX) < 0 || !found[NFTA_EXPR_NAME] ||
	    !found[NFTA_EXPR_DATA] || attribute_text(found[NFTA_EXPR_NAME], name, sizeof(name)) < 0)
		return false;
	if (strcmp(name, "queue") == 0)
		return queue_is_ours(events, found[NFTA_EXPR_DATA]);
	return strcmp(name, "target") == 0 && target_is_ours(events, found[NFTA_EXPR_DATA]);
}

static bool rule_is_ours(const struct rule_events *events, const struct nlmsghdr *message)
{
	static const struct attribute_rule rules[NFTA_RULE_EXPRESSIONS + 1] = { 0 };
	const struct nlattr *found[NFTA_RULE_EXPRESSIONS + 1], *expression;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg) ||
	    attributes_parse(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
			     mnl_nlmsg_get_payload_len(message) - MNL_ALIGN(sizeof(struct nfgenmsg)), rules, found,
			     NFTA_RULE_EXPRESSIONS) < 0 ||
	    !found[NFTA_RULE_EXPRESSIONS])
		return false;
	mnl_attr_for_each_nested(expression, found[NFTA_RULE_EXPRESSIONS])
	{
		if (expression_is_ours(events, expression))
			return true;
	}
	return false;
}

bool rule_events_read(struct rule_events *events, const void *data, size_t length)
{
	const struct nlmsghdr *message = data;
	int left = (int)length;
	bool added = false;

	/* The library takes a length beyond 2^31 for one below 0. */
	for (; mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (uint32_t)left;
	     message = mnl_nlmsg_next(message, &left)) {
		switch (message->nlmsg_type) {
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE:
			events->balance += rule_is_ours(events, message);
			break;
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE:
			events->balance -= rule_is_ours(events, message);
			break;
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN:
			added |= events->balance > 0;
			events->balance = 0;
			break;
		default:
			break;
		}
	}
	return added;
}

int rule_events_open(struct rule_events *events)
{
	const struct sockaddr_nl all = { .nl_family = AF_NETLINK, .nl_groups = 1u << (NFNLGRP_NFTABLES - 1) };
	int error;

	events->balance = 0;
	events->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (events->fd >= 0 && bind(events->fd, (const struct sockaddr *)&all, sizeof(all)) == 0)
		return 0;
	error = -errno;
	rule_events_close(events);
	return error;
}

void rule_events_close(struct rule_events *events)
{
	if (events->fd >= 0)
		close(events->fd);
	events->fd = -1;
}

bool rule_events_added(struct rule_events *events)
{
	_Alignas(8) uint8_t buffer[DATAGRAM_MAX];
	bool added = false;

	for (unsigned int i = 0; i < DATAGRAMS_MAX && events->fd >= 0; i++) {
		const int length = netlink_receive(events->fd, buffer, sizeof(buffer));

		if (length == -ETIMEDOUT)
			break;
		if (length >= 0) {
			added |= rule_events_read(events, buffer, (size_t)length);
		} else if (netlink_is_dead(length)) {
			rule_events_close(events);
		} else { /* some were lost */
			events->balance = 0;
			return true;
		}
	}
	return added;
}
