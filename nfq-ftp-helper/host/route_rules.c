// SPDX-License-Identifier: GPL-2.0-or-later
#include "route_rules.h"

#include "kernel/attributes.h"
#include "kernel/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define ANSWER_MAX 32768
#define PATIENCE   2 /* seconds */

static const struct attribute_rule attribute_rules[FRA_FWMASK + 1] = {
	[FRA_PRIORITY] = { .exactly = sizeof(uint32_t) },
	[FRA_FWMARK] = { .exactly = sizeof(uint32_t) },
	[FRA_FWMASK] = { .exactly = sizeof(uint32_t) },
};

struct listing {
	struct route_rule *rules;
	size_t room;
	int count;
};

/* In host order, as rtnetlink has it. */
static uint32_t number(const struct nlattr *attribute, uint32_t otherwise)
{
	uint32_t value = otherwise;

	if (attribute)
		memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
	return value;
}

static int read_rule(const struct nlmsghdr *message, struct listing *listing)
{
	const struct nlattr *found[FRA_FWMASK + 1];
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	struct route_rule rule;
	int error;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return -EBADMSG;
	error = attributes_parse(mnl_nlmsg_get_payload_offset(message, sizeof(*header)),
				 mnl_nlmsg_get_payload_len(message) - MNL_ALIGN(sizeof(*header)), attribute_rules,
				 found, FRA_FWMASK);
	if (error || !found[FRA_FWMASK])
		return error;
	rule = (struct route_rule){
		.ipv6 = header->family == AF_INET6,
		.negated = header->flags & FIB_RULE_INVERT,
		.priority = number(found[FRA_PRIORITY], 0),
		.mark = number(found[FRA_FWMARK], 0),
		.mask = number(found[FRA_FWMASK], UINT32_MAX),
	};
	if ((size_t)listing->count < listing->room)
		listing->rules[listing->count] = rule;
	listing->count++;
	return 0;
}

/* One datagram. Return: 1: more follow; 0: it was the last; a negative errno. */
static int read_datagram(const void *data, int length, struct listing *listing)
{
	const struct nlmsghdr *message = data;

	for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
		int error = 0;

		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR)
			return mnl_nlmsg_get_payload_len(message) < sizeof(int) ?
				       -EBADMSG :
				       ((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
		if (message->nlmsg_type == RTM_NEWRULE)
			error = read_rule(message, listing);
		if (error)
			return error;
	}
	return 1;
}

static int ask_family(int fd, uint8_t family)
{
	_Alignas(8) uint8_t buffer[64] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	struct iovec piece = { .iov_base = buffer };

	message->nlmsg_type = RTM_GETRULE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->family = family;
	piece.iov_len = message->nlmsg_len;
	return netlink_send(fd, &piece, 1);
}

static int list_family(int fd, uint8_t family, struct listing *listing)
{
	static _Alignas(8) uint8_t answer[ANSWER_MAX];
	int more = ask_family(fd, family);

	if (more < 0)
		return more;
	do {
		more = netlink_receive(fd, answer, sizeof(answer));
		if (more > 0)
			more = read_datagram(answer, more, listing);
	} while (more > 0);
	return more;
}

int route_rules_read(struct route_rule *rules, size_t room)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct listing listing = { .rules = rules, .room = room };
	int error, fd = socket ? mnl_socket_get_fd(socket) : -1;

	if (!socket)
		return -errno;
	error = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
				setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ?
			-errno :
			0;
	if (!error)
		error = list_family(fd, AF_INET, &listing);
	/* A kernel without IPv6 has none. */
	if (!error)
		(void)list_family(fd, AF_INET6, &listing);
	mnl_socket_close(socket);
	return error ? error : listing.count;
}

const char *route_rule_text(const struct route_rule *rule, char text[ROUTE_RULE_TEXT_MAX])
{
	snprintf(text, ROUTE_RULE_TEXT_MAX, "ip %srule %u: %sfwmark %#x/%#x", rule->ipv6 ? "-6 " : "", rule->priority,
		 rule->negated ? "not " : "", rule->mark, rule->mask);
	return text;
}
