// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What nf_tables tells of its rules: which of them queue packets to us, and when there are more of them than before.
 */
#include "unit.h"

#include "host/rule_events.h"
#include "kernel/attributes.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_NFQUEUE.h>

#define ROOM 4096

static const struct rule_events ours = { .fd = -1, .queues = { { 4, 2 }, { 10, 1 } } };

/* Messages, one behind the other. */
static struct {
	_Alignas(8) uint8_t bytes[ROOM];
	size_t length;
} told;

static int set_up(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	return 0;
}

static struct nlmsghdr *begin(uint16_t type)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(told.bytes + told.length);

	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | type;
	mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
	return message;
}

static void end(const struct nlmsghdr *message)
{
	told.length += MNL_ALIGN(message->nlmsg_len);
}

static void holds(void)
{
	struct nlmsghdr *message = begin(NFT_MSG_NEWGEN);

	attribute_put_be32(message, NFTA_GEN_ID, 7);
	end(message);
}

static struct nlattr *begin_expression(struct nlmsghdr *message, struct nlattr **element, const char *name)
{
	*element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	mnl_attr_put_strz(message, NFTA_EXPR_NAME, name);
	return mnl_attr_nest_start(message, NFTA_EXPR_DATA);
}

/* A rule with a counter before and behind; @total 0: no such attribute. A number below 0: it is in a register. */
static void rule(uint16_t type, int number, uint16_t total)
{
	struct nlmsghdr *message = begin(type);
	struct nlattr *list, *element, *data;

	mnl_attr_put_strz(message, NFTA_RULE_TABLE, "table");
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, "chain");
	list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
	data = begin_expression(message, &element, "counter");
	mnl_attr_put_u64(message, 1, 0);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, element);
	data = begin_expression(message, &element, "queue");
	if (number >= 0)
		attribute_put_be16(message, NFTA_QUEUE_NUM, (uint16_t)number);
	else
		attribute_put_be32(message, NFTA_QUEUE_SREG_QNUM, 1);
	if (total)
		attribute_put_be16(message, NFTA_QUEUE_TOTAL, total);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	end(message);
}

static void iptables_rule(uint16_t type, const char *target, uint32_t revision, const void *info, size_t length)
{
	struct nlmsghdr *message = begin(type);
	struct nlattr *list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS), *element;
	struct nlattr *data = begin_expression(message, &element, "target");

	mnl_attr_put_strz(message, NFTA_TARGET_NAME, target);
	attribute_put_be32(message, NFTA_TARGET_REV, revision);
	mnl_attr_put(message, NFTA_TARGET_INFO, length, info);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	end(message);
}

/* What has been told says that rules were added, or not. */
static void says(bool added)
{
	struct rule_events events = ours;

	assert_int_equal(rule_events_read(&events, told.bytes, told.length), added);
	assert_int_equal(events.balance, 0);
	told.length = 0;
}

static void which_queues(void **state)
{
	static const struct {
		int number;
		uint16_t total;
		bool ours;
	} cases[] = {
		{ 3, 0, false }, { 4, 0, true },  { 5, 0, true },     { 6, 0, false },
		{ 3, 1, false }, { 3, 2, true },  { 0, 9, true },     { 6, 4, false },
		{ 6, 5, true },	 { 10, 1, true }, { 11, 9, false },   { 65535, 1, false },
		{ -1, 0, true }, { 0, 4, false }, { 0, 65535, true }, { 11, 65535, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rule(NFT_MSG_NEWRULE, cases[i].number, cases[i].total);
		holds();
		says(cases[i].ours);
	}
}

static void targets(void **state)
{
	static const struct xt_NFQ_info first = { 5 };
	static const struct xt_NFQ_info_v1 second = { 3, 2 };
	static const struct xt_NFQ_info_v3 last = { 10, 1, 1 }, other = { 11, 3, 0 };

	(void)state;
	iptables_rule(NFT_MSG_NEWRULE, "NFQUEUE", 0, &first, sizeof(first));
	holds();
	says(true);
	iptables_rule(NFT_MSG_NEWRULE, "NFQUEUE", 1, &second, sizeof(second));
	holds();
	says(true);
	iptables_rule(NFT_MSG_NEWRULE, "NFQUEUE", 3, &last, sizeof(last));
	holds();
	says(true);
	iptables_rule(NFT_MSG_NEWRULE, "NFQUEUE", 3, &other, sizeof(other));
	iptables_rule(NFT_MSG_NEWRULE, "NFLOG", 3, &last, sizeof(last));
	iptables_rule(NFT_MSG_NEWRULE, "NFQUEUE", 3, &last, 1);
	holds();
	says(false);
}

/* What is exchanged within a transaction leaves no gap, in whichever order; what is added in the next one does. */
static void transactions(void **state)
{
	(void)state;
	rule(NFT_MSG_DELRULE, 4, 1);
	rule(NFT_MSG_NEWRULE, 4, 1);
	holds();
	says(false);
	rule(NFT_MSG_NEWRULE, 4, 1);
	rule(NFT_MSG_NEWRULE, 5, 1);
	rule(NFT_MSG_DELRULE, 4, 1);
	rule(NFT_MSG_DELRULE, 5, 1);
	holds();
	says(false);
	rule(NFT_MSG_DELRULE, 4, 1);
	holds();
	rule(NFT_MSG_NEWRULE, 4, 1);
	holds();
	says(true);
	rule(NFT_MSG_DELRULE, 4, 1);
	holds();
	says(false);
	rule(NFT_MSG_NEWRULE, 99, 1);
	holds();
	says(false);
}

/* A transaction may come in several datagrams; only its end counts. */
static void in_pieces(void **state)
{
	struct rule_events events = ours;

	(void)state;
	rule(NFT_MSG_NEWRULE, 4, 1);
	assert_false(rule_events_read(&events, told.bytes, told.length));
	told.length = 0;
	holds();
	assert_true(rule_events_read(&events, told.bytes, told.length));
	assert_false(rule_events_read(&events, told.bytes, told.length));
}

/* Cut anywhere, in memory of its own, and with each byte another: nothing is read beyond the end. */
static void damaged(void **state)
{
	static const struct xt_NFQ_info_v3 info = { 10, 1, 1 };
	struct rule_events events = ours;

	(void)state;
	rule(NFT_MSG_NEWRULE, 4, 1);
	iptables_rule(NFT_MSG_NEWRULE, "NFQUEUE", 3, &info, sizeof(info));
	for (size_t length = 0; length <= told.length; length++) {
		uint8_t *copy = unit_alloc(length);

		memcpy(copy, told.bytes, length);
		(void)rule_events_read(&events, copy, length);
		free(copy);
	}
	for (size_t at = 0; at < told.length; at++) {
		for (unsigned int value = 0; value < 256; value += 5) {
			uint8_t *copy = unit_alloc(told.length);

			memcpy(copy, told.bytes, told.length);
			copy[at] = (uint8_t)value;
			(void)rule_events_read(&events, copy, told.length);
			free(copy);
		}
	}
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(which_queues), CASE(targets), CASE(transactions), CASE(in_pieces), CASE(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
