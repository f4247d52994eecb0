// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft_rule.h"

#include "kernel/attributes.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

#define NAME_MAX_BYTES 32 /* of an expression, and of a target */

/* The highest type of an expression's data that is of interest. */
#define TYPE_MAX 4

_Static_assert(NFTA_QUEUE_SREG_QNUM <= TYPE_MAX && NFTA_OBJREF_SET_NAME <= TYPE_MAX, "it is the highest");

static const struct attribute_rule any[TYPE_MAX + 1];

/* ---- each expression of interest, by what its data has ---- */

static void read_queue(struct nft_rule *rule, const struct sought *sought, const struct nlattr **found)
{
	/* A number that is found out for each packet may be any. */
	unsigned int first = found[NFTA_QUEUE_NUM] ? attribute_be16(found[NFTA_QUEUE_NUM]) : 0;
	unsigned int count = found[NFTA_QUEUE_TOTAL] ? attribute_be16(found[NFTA_QUEUE_TOTAL]) : 1;

	if (found[NFTA_QUEUE_SREG_QNUM] && !found[NFTA_QUEUE_NUM])
		count = UINT16_MAX + 1;
	rule->kinds |= standing_of_queues(sought, first, count);
}

/* nftables' own names for what iptables calls a target. */
static void read_target(struct nft_rule *rule, const struct sought *sought, const struct nlattr **found)
{
	char name[NAME_MAX_BYTES];

	if (!found[NFTA_TARGET_NAME] || !found[NFTA_TARGET_REV] || !found[NFTA_TARGET_INFO] ||
	    attribute_text(found[NFTA_TARGET_NAME], name, sizeof(name)))
		return;
	rule->kinds |= standing_of_target(sought, name, attribute_be32(found[NFTA_TARGET_REV]),
					  mnl_attr_get_payload(found[NFTA_TARGET_INFO]),
					  mnl_attr_get_payload_len(found[NFTA_TARGET_INFO]));
}

static void read_objref(struct nft_rule *rule, const struct sought *sought, const struct nlattr **found)
{
	(void)sought;
	rule->maps_helper |= found[NFTA_OBJREF_SET_NAME] != NULL;
	if (found[NFTA_OBJREF_IMM_TYPE] && attribute_be32(found[NFTA_OBJREF_IMM_TYPE]) == NFT_OBJECT_CT_HELPER)
		rule->helper = found[NFTA_OBJREF_IMM_NAME];
}

static void read_immediate(struct nft_rule *rule, const struct sought *sought, const struct nlattr **found)
{
	static const struct attribute_rule codes[NFTA_VERDICT_CHAIN + 1] = { [NFTA_VERDICT_CODE] = { .exactly = 4 } };
	const struct nlattr *value[NFTA_DATA_VERDICT + 1], *verdict[NFTA_VERDICT_CHAIN + 1];
	int32_t code;

	(void)sought;
	if (!found[NFTA_IMMEDIATE_DATA] ||
	    attributes_parse_nested(found[NFTA_IMMEDIATE_DATA], any, value, NFTA_DATA_VERDICT) ||
	    !value[NFTA_DATA_VERDICT] ||
	    attributes_parse_nested(value[NFTA_DATA_VERDICT], codes, verdict, NFTA_VERDICT_CHAIN) ||
	    !verdict[NFTA_VERDICT_CODE])
		return;
	code = (int32_t)attribute_be32(verdict[NFTA_VERDICT_CODE]);
	if (code == NFT_JUMP || code == NFT_GOTO)
		rule->target = verdict[NFTA_VERDICT_CHAIN];
}

static void read_lookup(struct nft_rule *rule, const struct sought *sought, const struct nlattr **found)
{
	(void)sought;
	rule->maps |= found[NFTA_LOOKUP_DREG] && attribute_be32(found[NFTA_LOOKUP_DREG]) == NFT_REG_VERDICT;
}

static const struct {
	const char *name;
	struct attribute_rule rules[TYPE_MAX + 1];
	void (*read)(struct nft_rule *rule, const struct sought *sought, const struct nlattr **found);
} expressions_known[] = {
	{ "queue", { [NFTA_QUEUE_NUM] = { .exactly = 2 }, [NFTA_QUEUE_TOTAL] = { .exactly = 2 } }, read_queue },
	{ "target", { [NFTA_TARGET_REV] = { .exactly = 4 } }, read_target },
	{ "objref", { [NFTA_OBJREF_IMM_TYPE] = { .exactly = 4 } }, read_objref },
	{ "immediate", { { 0 } }, read_immediate },
	{ "lookup", { [NFTA_LOOKUP_DREG] = { .exactly = 4 } }, read_lookup },
};

static void read_expression(struct nft_rule *rule, const struct sought *sought, const struct nlattr *expression)
{
	const struct nlattr *found[NFTA_EXPR_DATA + 1], *data[TYPE_MAX + 1];
	char name[NAME_MAX_BYTES];

	if (attributes_parse_nested(expression, any, found, NFTA_EXPR_DATA) || !found[NFTA_EXPR_NAME] ||
	    !found[NFTA_EXPR_DATA] || attribute_text(found[NFTA_EXPR_NAME], name, sizeof(name)))
		return;
	for (size_t i = 0; i < sizeof(expressions_known) / sizeof(expressions_known[0]); i++)
		if (strcmp(name, expressions_known[i].name) == 0 &&
		    !attributes_parse_nested(found[NFTA_EXPR_DATA], expressions_known[i].rules, data, TYPE_MAX))
			expressions_known[i].read(rule, sought, data);
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
