// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is read of a kernel's rules: messages of nf_tables as the kernel writes them, and tables of iptables-legacy; and what is cut off, or leads
 * nowhere.
 */

#include "unit.h"

#include "watch/nft_ruleset.h"
#include "watch/xt_table.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#define PREROUTING 0
#define FORWARD	   2
#define OUTPUT	   3

static const struct sought sought = {
	.queues = { true, 4, 6 },
	.sure_queues = { true, 7, 9 },
	.helper = "nfq-ftp",
};

static const unsigned int four = 1u << STANDING_IPV4, six = 1u << STANDING_IPV6, both = 3;

static uint32_t at(enum standing_kind kind, unsigned int families, unsigned int hook)
{
	return standing_places(1u << kind, families, 1u << hook);
}

/* ---- nf_tables ---- */

static struct nft_ruleset ruleset;
static _Alignas(8) char buffer[4096];
static struct nlmsghdr *message;

static void begin(uint8_t type, uint8_t family)
{
	struct nfgenmsg *header;

	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | type;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = family;
}

static void put_be32(uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(message, type, htonl(value));
}

static void put_be16(uint16_t type, uint16_t value)
{
	mnl_attr_put_u16(message, type, htons(value));
}

static void take(void)
{
	nft_ruleset_take(&ruleset, message);
}

static void table(uint8_t family, const char *name, uint64_t handle, uint32_t flags)
{
	begin(NFT_MSG_NEWTABLE, family);
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, name);
	put_be32(NFTA_TABLE_FLAGS, flags);
	mnl_attr_put_u64(message, NFTA_TABLE_HANDLE, htobe64(handle));
	take();
}

/* @hook: -1: no base chain. */
static void chain(uint8_t family, const char *of, const char *name, int hook)
{
	struct nlattr *nest;

	begin(NFT_MSG_NEWCHAIN, family);
	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, of);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name);
	if (hook >= 0) {
		nest = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
		put_be32(NFTA_HOOK_HOOKNUM, (uint32_t)hook);
		put_be32(NFTA_HOOK_PRIORITY, (uint32_t)-150);
		mnl_attr_nest_end(message, nest);
	}
	take();
}

static void helper(uint8_t family, const char *of, const char *name, const char *type)
{
	struct nlattr *nest;

	begin(NFT_MSG_NEWOBJ, family);
	mnl_attr_put_strz(message, NFTA_OBJ_TABLE, of);
	mnl_attr_put_strz(message, NFTA_OBJ_NAME, name);
	put_be32(NFTA_OBJ_TYPE, NFT_OBJECT_CT_HELPER);
	nest = mnl_attr_nest_start(message, NFTA_OBJ_DATA);
	mnl_attr_put_strz(message, NFTA_CT_HELPER_NAME, type);
	mnl_attr_nest_end(message, nest);
	take();
}

static struct nlattr *list, *element, *data;

static void rule_begin(uint8_t family, const char *of, const char *in, uint64_t handle)
{
	begin(NFT_MSG_NEWRULE, family);
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, of);
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, in);
	mnl_attr_put_u64(message, NFTA_RULE_HANDLE, htobe64(handle));
	list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
}

static void expression_begin(const char *name)
{
	element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	mnl_attr_put_strz(message, NFTA_EXPR_NAME, name);
	data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
}

static void expression_end(void)
{
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, element);
}

static void rule_end(void)
{
	mnl_attr_nest_end(message, list);
	take();
}

/* One that asks for a port first, which is of no interest. */
static void asks_for_port(void)
{
	expression_begin("payload");
	put_be32(1, 1);
	expression_end();
	expression_begin("lookup");
	mnl_attr_put_strz(message, NFTA_LOOKUP_SET, "__set0");
	put_be32(NFTA_LOOKUP_SREG, 1);
	expression_end();
	/* And one that a map gives a mark. */
	expression_begin("lookup");
	mnl_attr_put_strz(message, NFTA_LOOKUP_SET, "__map1");
	put_be32(NFTA_LOOKUP_SREG, 1);
	put_be32(NFTA_LOOKUP_DREG, 1);
	expression_end();
}

static void rule_queue(uint8_t family, const char *of, const char *in, uint64_t handle, uint16_t first, uint16_t total)
{
	rule_begin(family, of, in, handle);
	asks_for_port();
	expression_begin("queue");
	put_be16(NFTA_QUEUE_NUM, first);
	put_be16(NFTA_QUEUE_TOTAL, total);
	put_be16(NFTA_QUEUE_FLAGS, 1);
	expression_end();
	rule_end();
}

static void rule_jump(uint8_t family, const char *of, const char *in, const char *to, int32_t code)
{
	struct nlattr *value, *verdict;

	rule_begin(family, of, in, 1);
	expression_begin("immediate");
	put_be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	value = mnl_attr_nest_start(message, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
	put_be32(NFTA_VERDICT_CODE, (uint32_t)code);
	if (to)
		mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, to);
	mnl_attr_nest_end(message, verdict);
	mnl_attr_nest_end(message, value);
	expression_end();
	rule_end();
}

static void rule_maps(uint8_t family, const char *of, const char *in)
{
	rule_begin(family, of, in, 1);
	expression_begin("lookup");
	mnl_attr_put_strz(message, NFTA_LOOKUP_SET, "__map0");
	put_be32(NFTA_LOOKUP_SREG, 1);
	put_be32(NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	expression_end();
	rule_end();
}

static void rule_helper(uint8_t family, const char *of, const char *in, const char *name)
{
	rule_begin(family, of, in, 1);
	expression_begin("objref");
	put_be32(NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_CT_HELPER);
	mnl_attr_put_strz(message, NFTA_OBJREF_IMM_NAME, name);
	expression_end();
	rule_end();
}

static void rule_target(uint8_t family, const char *of, const char *in, const char *name, uint32_t revision,
			const void *info, size_t length)
{
	rule_begin(family, of, in, 1);
	expression_begin("target");
	mnl_attr_put_strz(message, NFTA_TARGET_NAME, name);
	put_be32(NFTA_TARGET_REV, revision);
	mnl_attr_put(message, NFTA_TARGET_INFO, length, info);
	expression_end();
	rule_end();
}

static struct standing judged(void)
{
	struct standing standing = { 0 };

	assert_int_equal(nft_ruleset_judge(&ruleset, &standing), 0);
	return standing;
}

static int set_up(void **state)
{
	(void)state;
	nft_ruleset_begin(&ruleset, &sought);
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	nft_ruleset_end(&ruleset);
	return 0;
}

/* As our own rules are: base chains jump to the one that queues. */
static void ours(uint64_t handle, uint64_t first_rule)
{
	table(NFPROTO_INET, "nfq_ftp_helper", handle, 0);
	chain(NFPROTO_INET, "nfq_ftp_helper", "follow", -1);
	chain(NFPROTO_INET, "nfq_ftp_helper", "forward", FORWARD);
	chain(NFPROTO_INET, "nfq_ftp_helper", "prerouting", PREROUTING);
	helper(NFPROTO_INET, "nfq_ftp_helper", "carrier", "nfq-ftp");
	nft_ruleset_sort(&ruleset);
	rule_queue(NFPROTO_INET, "nfq_ftp_helper", "follow", first_rule, 7, 3);
	rule_queue(NFPROTO_INET, "nfq_ftp_helper", "follow", first_rule + 1, 4, 3);
	rule_jump(NFPROTO_INET, "nfq_ftp_helper", "forward", "follow", NFT_JUMP);
	rule_helper(NFPROTO_INET, "nfq_ftp_helper", "prerouting", "carrier");
}

static void own_rules(void **state)
{
	(void)state;
	ours(1, 4);
	assert_int_equal(judged().places, at(STANDING_QUEUE, both, FORWARD) | at(STANDING_SURE, both, FORWARD) |
						  at(STANDING_HELPER, both, PREROUTING));
}

/* The same rules, made anew: in the same table, or in another of its name. */
static void has_a_print(void **state)
{
	static const uint64_t handles[][2] = { { 1, 4 }, { 1, 4 }, { 1, 9 }, { 2, 4 } };
	uint64_t prints[4];

	for (size_t i = 0; i < 4; i++) {
		ours(handles[i][0], handles[i][1]);
		prints[i] = judged().print;
		take_down(state);
		set_up(state);
	}
	assert_true(prints[0] == prints[1]);
	assert_true(prints[0] != prints[2] && prints[0] != prints[3] && prints[2] != prints[3]);
}

/* A chain that nobody jumps to, of whatever name in whatever table; one that is left by accept; a table that is asleep. */
static void is_not_reached(void **state)
{
	(void)state;
	table(NFPROTO_IPV4, "mangle", 1, 0);
	table(NFPROTO_IPV6, "mangle", 2, 0);
	table(NFPROTO_IPV4, "asleep", 3, NFT_TABLE_F_DORMANT);
	chain(NFPROTO_IPV4, "mangle", "FORWARD", FORWARD);
	chain(NFPROTO_IPV4, "mangle", "follow", -1);
	chain(NFPROTO_IPV6, "mangle", "FORWARD", FORWARD);
	chain(NFPROTO_IPV6, "mangle", "follow", -1);
	chain(NFPROTO_IPV4, "asleep", "FORWARD", FORWARD);
	nft_ruleset_sort(&ruleset);
	rule_queue(NFPROTO_IPV4, "mangle", "follow", 1, 4, 1);
	rule_queue(NFPROTO_IPV4, "asleep", "FORWARD", 1, 4, 1);
	rule_jump(NFPROTO_IPV6, "mangle", "FORWARD", "follow", NFT_JUMP);
	rule_jump(NFPROTO_IPV4, "mangle", "FORWARD", NULL, NF_ACCEPT);
	assert_int_equal(judged().places, 0);
	rule_jump(NFPROTO_IPV4, "mangle", "FORWARD", "follow", NFT_GOTO);
	assert_int_equal(judged().places, at(STANDING_QUEUE, four, FORWARD));
}

static void by_way_of_others(void **state)
{
	(void)state;
	table(NFPROTO_IPV6, "t", 1, 0);
	chain(NFPROTO_IPV6, "t", "a", OUTPUT);
	chain(NFPROTO_IPV6, "t", "b", -1);
	chain(NFPROTO_IPV6, "t", "c", -1);
	chain(NFPROTO_IPV6, "t", "d", -1);
	nft_ruleset_sort(&ruleset);
	rule_queue(NFPROTO_IPV6, "t", "d", 1, 6, 1);
	rule_jump(NFPROTO_IPV6, "t", "c", "d", NFT_JUMP);
	rule_jump(NFPROTO_IPV6, "t", "b", "c", NFT_JUMP);
	rule_jump(NFPROTO_IPV6, "t", "c", "b", NFT_JUMP); /* a circle, which the kernel would not take */
	rule_jump(NFPROTO_IPV6, "t", "a", "b", NFT_JUMP);
	rule_jump(NFPROTO_IPV6, "t", "a", "nowhere", NFT_JUMP);
	assert_int_equal(judged().places, at(STANDING_QUEUE, six, OUTPUT));
}

/* Where a map says where to, all of its table may be meant. */
static void by_a_map(void **state)
{
	(void)state;
	table(NFPROTO_INET, "t", 1, 0);
	table(NFPROTO_INET, "u", 2, 0);
	chain(NFPROTO_INET, "t", "a", FORWARD);
	chain(NFPROTO_INET, "t", "b", -1);
	chain(NFPROTO_INET, "u", "b", -1);
	nft_ruleset_sort(&ruleset);
	rule_queue(NFPROTO_INET, "u", "b", 1, 4, 1);
	rule_queue(NFPROTO_INET, "t", "b", 1, 7, 1);
	rule_queue(NFPROTO_INET, "t", "a", 1, 100, 1); /* by the way: a map that gives something else */
	assert_int_equal(judged().places, 0);
	assert_true(judged().print == 0); /* of what does nothing */
	rule_maps(NFPROTO_INET, "t", "a");
	assert_int_equal(judged().places, at(STANDING_SURE, both, FORWARD));
}

static void queues_of_others(void **state)
{
	static const struct {
		uint16_t first, total;
		unsigned int kinds;
	} cases[] = {
		{ 0, 4, 0 }, { 10, 1, 0 },  { 3, 2, 1 },     { 6, 1, 1 },
		{ 6, 2, 3 }, { 9, 100, 2 }, { 0, 65535, 3 }, { 65535, 1, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		table(NFPROTO_IPV4, "t", 1, 0);
		chain(NFPROTO_IPV4, "t", "a", FORWARD);
		nft_ruleset_sort(&ruleset);
		rule_queue(NFPROTO_IPV4, "t", "a", 1, cases[i].first, cases[i].total);
		assert_int_equal(judged().places, standing_places(cases[i].kinds, four, 1u << FORWARD));
		take_down(state);
		set_up(state);
	}
}

/* A queue that is found out for each packet may be any. */
static void queue_by_register(void **state)
{
	(void)state;
	table(NFPROTO_IPV4, "t", 1, 0);
	chain(NFPROTO_IPV4, "t", "a", FORWARD);
	nft_ruleset_sort(&ruleset);
	rule_begin(NFPROTO_IPV4, "t", "a", 1);
	expression_begin("queue");
	put_be32(NFTA_QUEUE_SREG_QNUM, 1);
	expression_end();
	rule_end();
	assert_int_equal(judged().places, standing_places(3, four, 1u << FORWARD));
}

static void helpers_of_others(void **state)
{
	(void)state;
	table(NFPROTO_INET, "t", 1, 0);
	table(NFPROTO_INET, "u", 2, 0);
	chain(NFPROTO_INET, "t", "a", PREROUTING);
	chain(NFPROTO_INET, "u", "a", OUTPUT);
	helper(NFPROTO_INET, "t", "h", "ftp");
	helper(NFPROTO_INET, "t", "i", "nfq-ftp2");
	helper(NFPROTO_INET, "u", "h", "nfq-ftp");
	nft_ruleset_sort(&ruleset);
	rule_helper(NFPROTO_INET, "t", "a", "h");
	rule_helper(NFPROTO_INET, "t", "a", "i");
	assert_int_equal(judged().places, 0);
	rule_helper(NFPROTO_INET, "u", "a", "h");
	assert_int_equal(judged().places, at(STANDING_HELPER, both, OUTPUT));
}

/* As iptables writes them over nf_tables. */
static void targets(void **state)
{
	const struct xt_NFQ_info old = { .queuenum = 5 };
	const struct xt_NFQ_info_v3 new = { .queuenum = 2, .queues_total = 3, .flags = 1 };
	const struct xt_ct_target_info_v1 ct = { .helper = "nfq-ftp" },
					  other = { .helper = "ftp", .timeout = "nfq-ftp" };

	(void)state;
	table(NFPROTO_IPV4, "mangle", 1, 0);
	chain(NFPROTO_IPV4, "mangle", "FORWARD", FORWARD);
	chain(NFPROTO_IPV4, "mangle", "PREROUTING", PREROUTING);
	nft_ruleset_sort(&ruleset);
	rule_target(NFPROTO_IPV4, "mangle", "FORWARD", "CT", 2, &other, sizeof(other));
	rule_target(NFPROTO_IPV4, "mangle", "FORWARD", "NFLOG", 0, &old, sizeof(old));
	rule_target(NFPROTO_IPV4, "mangle", "FORWARD", "NFQUEUE", 3, &old, sizeof(old)); /* cut off */
	rule_target(NFPROTO_IPV4, "mangle", "FORWARD", "CT", 2, &ct, 20);
	assert_int_equal(judged().places, 0);
	rule_target(NFPROTO_IPV4, "mangle", "FORWARD", "NFQUEUE", 3, &new, sizeof(new));
	rule_target(NFPROTO_IPV4, "mangle", "PREROUTING", "CT", 2, &ct, sizeof(ct));
	assert_int_equal(judged().places, at(STANDING_QUEUE, four, FORWARD) | at(STANDING_HELPER, four, PREROUTING));
	rule_target(NFPROTO_IPV4, "mangle", "PREROUTING", "NFQUEUE", 0, &old, sizeof(old));
	assert_int_equal(judged().places, at(STANDING_QUEUE, four, FORWARD) | at(STANDING_QUEUE, four, PREROUTING) |
						  at(STANDING_HELPER, four, PREROUTING));
}

/* Of whatever length it is, and whatever a byte of it says: it is read, or not. */
static void broken_messages(void **state)
{
	static _Alignas(8) char good[4096], piece[4096];
	size_t length;

	(void)state;
	table(NFPROTO_INET, "t", 1, 0);
	chain(NFPROTO_INET, "t", "a", FORWARD);
	nft_ruleset_sort(&ruleset);
	rule_begin(NFPROTO_INET, "t", "a", 1);
	asks_for_port();
	expression_begin("queue");
	put_be16(NFTA_QUEUE_NUM, 4);
	expression_end();
	rule_end();
	length = message->nlmsg_len;
	memcpy(good, buffer, length);
	for (unsigned int round = 0; round < 200000; round++) {
		char *copy = unit_alloc(length); /* no more than that: a sanitizer sees what goes beyond */
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)copy;

		memcpy(copy, good, length);
		if (round < length)
			header->nlmsg_len = round < sizeof(*header) ? sizeof(*header) : round;
		else
			for (unsigned int i = 0; i < 1 + unit_random() % 3; i++)
				copy[sizeof(*header) + unit_random() % (length - sizeof(*header))] =
					(char)unit_random();
		nft_ruleset_take(&ruleset, header);
		free(copy);
	}
	memcpy(piece, good, length);
	((struct nlmsghdr *)(void *)piece)->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | NFT_MSG_NEWRULE;
	nft_ruleset_take(&ruleset, (struct nlmsghdr *)(void *)piece);
}

static void changed_meanwhile(void **state)
{
	(void)state;
	table(NFPROTO_INET, "t", 1, 0);
	assert_false(judged().unsteady);
	message->nlmsg_flags |= NLM_F_DUMP_INTR;
	take();
	assert_true(judged().unsteady);
}

/* ---- iptables-legacy ---- */

#define BLOB_MAX 8192

static _Alignas(8) uint8_t blob[BLOB_MAX];
static size_t blob_size;
static enum standing_family blob_family;

/* An entry without matches. Return: its place. */
static unsigned int entry(const char *name, uint8_t revision, const void *info, size_t length)
{
	const bool ipv6 = blob_family == STANDING_IPV6;
	const size_t begin_at = blob_size, head = ipv6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	const size_t size = (sizeof(struct xt_entry_target) + length + 7) / 8 * 8;
	struct xt_entry_target *target = (void *)(blob + begin_at + head);

	assert_true(begin_at + head + size <= BLOB_MAX);
	memset(blob + begin_at, 0, head + size);
	if (ipv6) {
		((struct ip6t_entry *)(void *)(blob + begin_at))->target_offset = (uint16_t)head;
		((struct ip6t_entry *)(void *)(blob + begin_at))->next_offset = (uint16_t)(head + size);
	} else {
		((struct ipt_entry *)(void *)(blob + begin_at))->target_offset = (uint16_t)head;
		((struct ipt_entry *)(void *)(blob + begin_at))->next_offset = (uint16_t)(head + size);
	}
	target->u.user.target_size = (uint16_t)size;
	snprintf(target->u.user.name, sizeof(target->u.user.name), "%s", name);
	target->u.user.revision = revision;
	memcpy(target->data, info, length);
	blob_size = begin_at + head + size;
	return (unsigned int)begin_at;
}

static unsigned int verdict(int value)
{
	return entry(XT_STANDARD_TARGET, 0, &value, sizeof(value));
}

static unsigned int queue(uint16_t number)
{
	const struct xt_NFQ_info_v3 info = { .queuenum = number, .queues_total = 1 };

	return entry("NFQUEUE", 3, &info, sizeof(info));
}

static void error_entry(const char *name)
{
	char text[XT_FUNCTION_MAXNAMELEN] = "";

	snprintf(text, sizeof(text), "%s", name);
	entry(XT_ERROR_TARGET, 0, text, sizeof(text));
}

/*
 * Two hooks, PREROUTING and FORWARD, and two chains, of which FORWARD jumps to the first, if @jumps, and that to the second. The second queues
 * to @number. Nobody jumps to a third one.
 */
static struct xt_table two_chains(enum standing_family family, bool jumps, uint16_t number)
{
	const struct xt_ct_target_info_v1 ct = { .helper = "nfq-ftp" };
	struct xt_table found = { .family = family, .valid_hooks = 1u << PREROUTING | 1u << FORWARD, .entries = blob };
	unsigned int jump, second;
	int *to;

	blob_size = 0;
	blob_family = family;
	found.hook_entry[PREROUTING] = entry("CT", 1, &ct, sizeof(ct));
	found.underflow[PREROUTING] = verdict(-NF_ACCEPT - 1);
	found.hook_entry[FORWARD] = jump = verdict(-NF_ACCEPT - 1);
	found.underflow[FORWARD] = verdict(-NF_ACCEPT - 1);
	error_entry("second");
	second = queue(number);
	verdict(XT_RETURN);
	error_entry("first");
	to = (int *)(void *)(blob + jump +
			     (family == STANDING_IPV6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry)) +
			     offsetof(struct xt_standard_target, verdict));
	if (jumps)
		*to = (int)blob_size;
	verdict((int)second);
	verdict(XT_RETURN);
	error_entry("nobody's");
	queue(4);
	queue(7);
	error_entry("ERROR");
	found.size = blob_size;
	return found;
}

static uint32_t seen(const struct xt_table *found)
{
	struct standing standing = { 0 };

	assert_int_equal(xt_table_judge(found, &sought, &standing), 0);
	return standing.places;
}

static void legacy(void **state)
{
	(void)state;
	for (unsigned int family = 0; family < STANDING_FAMILIES; family++) {
		struct xt_table found = two_chains(family, true, 4);
		const uint32_t given = at(STANDING_HELPER, 1u << family, PREROUTING);

		assert_int_equal(seen(&found), given | at(STANDING_QUEUE, 1u << family, FORWARD));
		found = two_chains(family, true, 8);
		assert_int_equal(seen(&found), given | at(STANDING_SURE, 1u << family, FORWARD));
		found = two_chains(family, true, 3);
		assert_int_equal(seen(&found), given);
		found = two_chains(family, false, 4);
		assert_int_equal(seen(&found), given);
		found.valid_hooks = 1u << FORWARD;
		assert_int_equal(seen(&found), 0);
	}
}

static void broken_tables(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 50000; round++) {
		struct xt_table found = two_chains(round % 2, true, 4);
		uint8_t *copy;

		found.size = round % 7 ? found.size : unit_random() % (found.size + 1);
		copy = unit_alloc(found.size);
		memcpy(copy, blob, found.size);
		for (unsigned int i = 0; i < 1 + unit_random() % 4 && found.size; i++)
			copy[unit_random() % found.size] = (uint8_t)unit_random();
		if (round % 5 == 0)
			found.hook_entry[FORWARD] = unit_random() % 10000;
		found.entries = copy;
		seen(&found);
		free(copy);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(own_rules),
		CASE(has_a_print),
		CASE(is_not_reached),
		CASE(by_way_of_others),
		CASE(by_a_map),
		CASE(queues_of_others),
		CASE(queue_by_register),
		CASE(helpers_of_others),
		CASE(targets),
		CASE(broken_messages),
		CASE(changed_meanwhile),
		cmocka_unit_test(legacy),
		cmocka_unit_test(broken_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
