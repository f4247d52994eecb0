// SPDX-License-Identifier: GPL-2.0-or-later
#include "route_rules.h"

#include "kernel/attributes.h"
#include "kernel/exchange.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

static const struct attribute_rule attribute_rules[FRA_FWMASK + 1] = {
	[FRA_PRIORITY] = { .exactly = sizeof(uint32_t) },
	[FRA_FWMARK] = { .exactly = sizeof(uint32_t) },
	[FRA_FWMASK] = { .exactly = sizeof(uint32_t) },
};

struct listing {
	struct route_rule *rules;
	size_t room;
	int count;
	int error;
};

/* In host order, as rtnetlink has it. */
static uint32_t number(const struct nlattr *attribute, uint32_t otherwise)
{
	return attribute ? mnl_attr_get_u32(attribute) : otherwise;
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

static void take_rule(void *context, const struct nlmsghdr *message)
{
	struct listing *listing = context;

	if (message->nlmsg_type == RTM_NEWRULE && !listing->error)
		listing->error = read_rule(message, listing);
}

/* What a question to netfilter begins with says the family in its first byte, too, which is all that the kernel looks at here. */
static int list_family(struct exchange *exchange, uint8_t family, struct listing *listing)
{
	int error;

	exchange_add(exchange, RTM_GETRULE, NLM_F_DUMP, family);
	error = exchange_walk(exchange, take_rule, listing);
	return error ? error : listing->error;
}

/* A kernel without IPv6 has none. */
static int list_both(struct exchange *exchange, void *listing)
{
	const int error = list_family(exchange, FAMILY_IPV4, listing);

	if (!error)
		(void)list_family(exchange, FAMILY_IPV6, listing);
	return error;
}

int route_rules_read(struct route_rule *rules, size_t room)
{
	struct listing listing = { .rules = rules, .room = room };
	const int error = exchange_once(NETLINK_ROUTE, list_both, &listing);

	return error ? error : listing.count;
}

const char *route_rule_text(const struct route_rule *rule, char text[ROUTE_RULE_TEXT_MAX])
{
	snprintf(text, ROUTE_RULE_TEXT_MAX, "ip %srule %u: %sfwmark %#x/%#x", rule->ipv6 ? "-6 " : "", rule->priority,
		 rule->negated ? "not " : "", rule->mark, rule->mask);
	return text;
}
