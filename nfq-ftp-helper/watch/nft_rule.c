// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft_rule.h"

#include "kernel/attributes.h"
#include "target.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

#define NAME_MAX_BYTES 32 /* of an expression, and of a target */

/* ---- each expression of interest ---- */

static void read_queue(struct nft_rule *rule, const struct sought *sought, const struct nlattr *data)
{
	static const struct attribute_rule rules[NFTA_QUEUE_MAX + 1] = {
		[NFTA_QUEUE_NUM] = { .exactly = 2 }, [NFTA_QUEUE_TOTAL] = { .exactly = 2 }
	};
	const struct nlattr *found[NFTA_QUEUE_MAX + 1];
	unsigned int first, count;

	if (attributes_parse_nested(data, rules, found, NFTA_QUEUE_MAX))
		return;
	/* A number that is found out for each packet may be any. */
	first = found[NFTA_QUEUE_NUM] ? attribute_be16(found[NFTA_QUEUE_NUM]) : 0;
	count = found[NFTA_QUEUE_TOTAL] ? attribute_be16(found[NFTA_QUEUE_TOTAL]) : 1;
	if (found[NFTA_QUEUE_SREG_QNUM] && !found[NFTA_QUEUE_NUM])
		count = UINT16_MAX + 1;
	rule->kinds |= standing_of_queues(sought, first, count);
}

/* nftables' own names for what iptables calls a target. */
static void read_target(struct nft_rule *rule, const struct sought *sought, const struct nlattr *data)
{
	static const struct attribute_rule rules[NFTA_TARGET_MAX + 1] = { [NFTA_TARGET_REV] = { .exactly = 4 } };
	const struct nlattr *found[NFTA_TARGET_MAX + 1];
	char name[NAME_MAX_BYTES];

	if (attributes_parse_nested(data, rules, found, NFTA_TARGET_MAX) || !found[NFTA_TARGET_NAME] ||
	    !found[NFTA_TARGET_REV] || !found[NFTA_TARGET_INFO] ||
	    attribute_text(found[NFTA_TARGET_NAME], name, sizeof(name)))
		return;
	rule->kinds |= target_read(sought, name, attribute_be32(found[NFTA_TARGET_REV]),
				   mnl_attr_get_payload(found[NFTA_TARGET_INFO]),
				   mnl_attr_get_payload_len(found[NFTA_TARGET_INFO]));
}

static void read_objref(struct nft_rule *rule, const struct sought *sought, const struct nlattr *data)
{
	static const struct attribute_rule rules[NFTA_OBJREF_MAX + 1] = { [NFTA_OBJREF_IMM_TYPE] = { .exactly = 4 } };
	const struct nlattr *found[NFTA_OBJREF_MAX + 1];

	(void)sought;
	if (attributes_parse_nested(data, rules, found, NFTA_OBJREF_MAX))
		return;
	rule->maps_helper |= found[NFTA_OBJREF_SET_NAME] != NULL;
	if (found[NFTA_OBJREF_IMM_TYPE] && attribute_be32(found[NFTA_OBJREF_IMM_TYPE]) == NFT_OBJECT_CT_HELPER)
		rule->helper = found[NFTA_OBJREF_IMM_NAME];
}

static void read_immediate(struct nft_rule *rule, const struct sought *sought, const struct nlattr *data)
{
	static const struct attribute_rule any[NFTA_DATA_MAX + 1],
		codes[NFTA_VERDICT_MAX + 1] = { [NFTA_VERDICT_CODE] = { .exactly = 4 } };
	const struct nlattr *immediate[NFTA_IMMEDIATE_MAX + 1], *value[NFTA_DATA_MAX + 1],
		*verdict[NFTA_VERDICT_MAX + 1];
	int32_t code;

	(void)sought;
	if (attributes_parse_nested(data, any, immediate, NFTA_IMMEDIATE_MAX) || !immediate[NFTA_IMMEDIATE_DATA] ||
	    attributes_parse_nested(immediate[NFTA_IMMEDIATE_DATA], any, value, NFTA_DATA_MAX) ||
	    !value[NFTA_DATA_VERDICT] ||
	    attributes_parse_nested(value[NFTA_DATA_VERDICT], codes, verdict, NFTA_VERDICT_MAX) ||
	    !verdict[NFTA_VERDICT_CODE])
		return;
	code = (int32_t)attribute_be32(verdict[NFTA_VERDICT_CODE]);
	if (code == NFT_JUMP || code == NFT_GOTO)
		rule->target = verdict[NFTA_VERDICT_CHAIN];
}

static void read_lookup(struct nft_rule *rule, const struct sought *sought, const struct nlattr *data)
{
	static const struct attribute_rule rules[NFTA_LOOKUP_MAX + 1] = { [NFTA_LOOKUP_DREG] = { .exactly = 4 } };
	const struct nlattr *found[NFTA_LOOKUP_MAX + 1];

	(void)sought;
	if (attributes_parse_nested(data, rules, found, NFTA_LOOKUP_MAX))
		return;
	rule->maps |= found[NFTA_LOOKUP_DREG] && attribute_be32(found[NFTA_LOOKUP_DREG]) == NFT_REG_VERDICT;
}

static const struct {
	const char *name;
	void (*read)(struct nft_rule *rule, const struct sought *sought, const struct nlattr *data);
} expressions_known[] = {
	{ "queue", read_queue },	 { "target", read_target }, { "objref", read_objref },
	{ "immediate", read_immediate }, { "lookup", read_lookup },
};

static void read_expression(struct nft_rule *rule, const struct sought *sought, const struct nlattr *expression)
{
	static const struct attribute_rule any[NFTA_EXPR_MAX + 1];
	const struct nlattr *found[NFTA_EXPR_MAX + 1];
	char name[NAME_MAX_BYTES];

	if (attributes_parse_nested(expression, any, found, NFTA_EXPR_MAX) || !found[NFTA_EXPR_NAME] ||
	    !found[NFTA_EXPR_DATA] || attribute_text(found[NFTA_EXPR_NAME], name, sizeof(name)))
		return;
	for (size_t i = 0; i < sizeof(expressions_known) / sizeof(expressions_known[0]); i++)
		if (strcmp(name, expressions_known[i].name) == 0)
			expressions_known[i].read(rule, sought, found[NFTA_EXPR_DATA]);
}

void nft_rule_read(struct nft_rule *rule, const struct sought *sought, const struct nlattr *expressions)
{
	const struct nlattr *attr;

	*rule = (struct nft_rule){ 0 };
	mnl_attr_for_each_nested(attr, expressions)
	{
		if (mnl_attr_get_type(attr) == NFTA_LIST_ELEM)
			read_expression(rule, sought, attr);
	}
}
