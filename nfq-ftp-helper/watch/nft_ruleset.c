// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft_ruleset.h"

#include "kernel/attributes.h"
#include "nft_rule.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH 64

/* Jumps go no deeper than that (NFT_JUMP_STACK_SIZE). */
#define DEPTH_MAX 16

/* ---- names ---- */

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* FNV-1a. Names are root's own: nobody chooses them so that two are one. */
static uint64_t hash(uint64_t so_far, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;

	while (length--)
		so_far = (so_far ^ *byte++) * FNV_PRIME;
	return so_far;
}

/* What this attribute names within @whose. */
static uint64_t named(uint64_t whose, const struct nlattr *name)
{
	const char *text = mnl_attr_get_payload(name);

	return hash(hash(whose, text, strnlen(text, mnl_attr_get_payload_len(name))), "", 1);
}

static uint64_t table_of(uint8_t family, const struct nlattr *name)
{
	return named(hash(FNV_BASIS, &family, 1), name);
}

static uint64_t mixed(uint64_t a, uint64_t b)
{
	return hash(hash(FNV_BASIS, &a, sizeof(a)), &b, sizeof(b));
}

static uint64_t be64(const struct nlattr *attribute)
{
	return attribute ? be64toh(mnl_attr_get_u64(attribute)) : 0;
}

/* ---- what is kept ---- */

/* Room for one more. Return: where it goes, zeroed; NULL: there is no memory. */
static void *more(struct nft_ruleset *ruleset, void *array_at, size_t *count, size_t size)
{
	void **array = array_at, *larger = *array;
	char *place;

	if (*count % GROWTH == 0)
		larger = reallocarray(*array, *count + GROWTH, size);
	if (!larger) {
		ruleset->no_memory = true;
		return NULL;
	}
	*array = larger;
	place = (char *)larger + (*count)++ * size;
	memset(place, 0, size);
	return place;
}

static struct nft_table *find_table(const struct nft_ruleset *ruleset, uint64_t id)
{
	for (size_t i = 0; i < ruleset->table_count; i++)
		if (ruleset->tables[i].id == id)
			return &ruleset->tables[i];
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct nft_chain *one = a, *other = b;

	return (one->id > other->id) - (one->id < other->id);
}

/* Chains are sorted when the first rule comes. */
static struct nft_chain *find_chain(const struct nft_ruleset *ruleset, uint64_t id)
{
	const struct nft_chain key = { .id = id };

	if (!ruleset->chain_count)
		return NULL;
	return bsearch(&key, ruleset->chains, ruleset->chain_count, sizeof(key), by_id);
}

static bool is_helper(const struct nft_ruleset *ruleset, uint64_t id)
{
	for (size_t i = 0; i < ruleset->helper_count; i++)
		if (ruleset->helpers[i] == id)
			return true;
	return false;
}

/* ---- objects ---- */

static uint8_t families_of(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return 1u << STANDING_IPV4;
	case NFPROTO_IPV6:
		return 1u << STANDING_IPV6;
	case NFPROTO_INET:
	case NFPROTO_BRIDGE:
		return 1u << STANDING_IPV4 | 1u << STANDING_IPV6;
	default:
		return 0;
	}
}

static void take_table(struct nft_ruleset *ruleset, uint8_t family, const void *data, size_t length)
{
	static const struct attribute_rule rules[NFTA_TABLE_MAX + 1] = {
		[NFTA_TABLE_FLAGS] = { .exactly = 4 }, [NFTA_TABLE_HANDLE] = { .exactly = 8 }
	};
	const struct nlattr *found[NFTA_TABLE_MAX + 1];
	struct nft_table *table;

	if (attributes_parse(data, length, rules, found, NFTA_TABLE_MAX) || !found[NFTA_TABLE_NAME])
		return;
	table = more(ruleset, &ruleset->tables, &ruleset->table_count, sizeof(*table));
	if (!table)
		return;
	table->id = table_of(family, found[NFTA_TABLE_NAME]);
	table->handle = be64(found[NFTA_TABLE_HANDLE]);
	table->dormant = found[NFTA_TABLE_FLAGS] && attribute_be32(found[NFTA_TABLE_FLAGS]) & NFT_TABLE_F_DORMANT;
}

/* Of a base chain; 0: it is none, or at a hook of no interest. */
static uint8_t hook_of(const struct nlattr *nest)
{
	static const struct attribute_rule rules[NFTA_HOOK_HOOKNUM + 1] = { [NFTA_HOOK_HOOKNUM] = { .exactly = 4 } };
	const struct nlattr *found[NFTA_HOOK_HOOKNUM + 1];
	uint32_t number;

	if (!nest || attributes_parse_nested(nest, rules, found, NFTA_HOOK_HOOKNUM) || !found[NFTA_HOOK_HOOKNUM])
		return 0;
	number = attribute_be32(found[NFTA_HOOK_HOOKNUM]);
	return number < STANDING_HOOKS ? (uint8_t)(1u << number) : 0;
}

static void take_chain(struct nft_ruleset *ruleset, uint8_t family, const void *data, size_t length)
{
	static const struct attribute_rule rules[NFTA_CHAIN_HOOK + 1];
	const struct nlattr *found[NFTA_CHAIN_HOOK + 1];
	const struct nft_table *table;
	struct nft_chain *chain;
	uint64_t id;

	if (attributes_parse(data, length, rules, found, NFTA_CHAIN_HOOK) || !found[NFTA_CHAIN_TABLE] ||
	    !found[NFTA_CHAIN_NAME])
		return;
	id = table_of(family, found[NFTA_CHAIN_TABLE]);
	table = find_table(ruleset, id);
	chain = more(ruleset, &ruleset->chains, &ruleset->chain_count, sizeof(*chain));
	if (!chain)
		return;
	chain->table = id;
	chain->id = named(id, found[NFTA_CHAIN_NAME]);
	chain->families = families_of(family);
	chain->hooks = table && !table->dormant ? hook_of(found[NFTA_CHAIN_HOOK]) : 0;
}

static void take_helper(struct nft_ruleset *ruleset, uint8_t family, const void *data, size_t length)
{
	static const struct attribute_rule rules[NFTA_OBJ_MAX + 1] = { [NFTA_OBJ_TYPE] = { .exactly = 4 } },
								any[NFTA_CT_HELPER_MAX + 1];
	const struct nlattr *found[NFTA_OBJ_MAX + 1], *helper[NFTA_CT_HELPER_MAX + 1];
	uint64_t *object;

	if (attributes_parse(data, length, rules, found, NFTA_OBJ_MAX) || !found[NFTA_OBJ_TABLE] ||
	    !found[NFTA_OBJ_NAME] || !found[NFTA_OBJ_TYPE] || !found[NFTA_OBJ_DATA] ||
	    attribute_be32(found[NFTA_OBJ_TYPE]) != NFT_OBJECT_CT_HELPER ||
	    attributes_parse_nested(found[NFTA_OBJ_DATA], any, helper, NFTA_CT_HELPER_MAX) ||
	    !helper[NFTA_CT_HELPER_NAME] ||
	    !standing_of_helper(ruleset->sought, mnl_attr_get_payload(helper[NFTA_CT_HELPER_NAME]),
				mnl_attr_get_payload_len(helper[NFTA_CT_HELPER_NAME])))
		return;
	object = more(ruleset, &ruleset->helpers, &ruleset->helper_count, sizeof(*object));
	if (object)
		*object = named(table_of(family, found[NFTA_OBJ_TABLE]), found[NFTA_OBJ_NAME]);
}

static void add_jump(struct nft_ruleset *ruleset, uint64_t from, uint64_t to)
{
	struct nft_jump *jump = more(ruleset, &ruleset->jumps, &ruleset->jump_count, sizeof(*jump));

	if (jump)
		*jump = (struct nft_jump){ .from = from, .to = to };
}

static void take_rule(struct nft_ruleset *ruleset, uint8_t family, const void *data, size_t length)
{
	static const struct attribute_rule rules[NFTA_RULE_EXPRESSIONS + 1] = { [NFTA_RULE_HANDLE] = { .exactly = 8 } };
	const struct nlattr *found[NFTA_RULE_EXPRESSIONS + 1];
	struct nft_chain *chain;
	struct nft_rule rule;
	uint64_t table;

	if (attributes_parse(data, length, rules, found, NFTA_RULE_EXPRESSIONS) || !found[NFTA_RULE_TABLE] ||
	    !found[NFTA_RULE_CHAIN] || !found[NFTA_RULE_EXPRESSIONS])
		return;
	table = table_of(family, found[NFTA_RULE_TABLE]);
	chain = find_chain(ruleset, named(table, found[NFTA_RULE_CHAIN]));
	if (!chain)
		return;
	nft_rule_read(&rule, ruleset->sought, found[NFTA_RULE_EXPRESSIONS]);
	if ((rule.helper && is_helper(ruleset, named(table, rule.helper))) ||
	    (rule.maps_helper && ruleset->helper_count))
		rule.kinds |= 1u << STANDING_HELPER;
	if (rule.target)
		add_jump(ruleset, chain->id, named(table, rule.target));
	if (rule.maps)
		add_jump(ruleset, chain->id, 0);
	if (!rule.kinds)
		return;
	chain->kinds |= (uint8_t)rule.kinds;
	chain->print += mixed(chain->id, be64(found[NFTA_RULE_HANDLE]));
}

static const struct {
	uint8_t message;
	void (*take)(struct nft_ruleset *ruleset, uint8_t family, const void *data, size_t length);
} kinds_of_object[] = {
	{ NFT_MSG_NEWTABLE, take_table },
	{ NFT_MSG_NEWCHAIN, take_chain },
	{ NFT_MSG_NEWOBJ, take_helper },
	{ NFT_MSG_NEWRULE, take_rule },
};

void nft_ruleset_take(void *context, const struct nlmsghdr *object)
{
	struct nft_ruleset *ruleset = context;
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(object);

	ruleset->unsteady |= object->nlmsg_flags & NLM_F_DUMP_INTR;
	if (object->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || mnl_nlmsg_get_payload_len(object) < sizeof(*header))
		return;
	for (size_t i = 0; i < sizeof(kinds_of_object) / sizeof(kinds_of_object[0]); i++)
		if (kinds_of_object[i].message == (object->nlmsg_type & 0xff))
			kinds_of_object[i].take(ruleset, header->nfgen_family, header + 1,
						mnl_nlmsg_get_payload_len(object) - sizeof(*header));
}

void nft_ruleset_sort(struct nft_ruleset *ruleset)
{
	if (ruleset->chain_count)
		qsort(ruleset->chains, ruleset->chain_count, sizeof(*ruleset->chains), by_id);
}

/* ---- what it comes to ---- */

/* Return: whether that changed anything. */
static bool follow(struct nft_ruleset *ruleset, const struct nft_jump *jump)
{
	const struct nft_chain *from = find_chain(ruleset, jump->from);
	struct nft_chain *to = jump->to ? find_chain(ruleset, jump->to) : NULL;
	struct nft_table *table = from && !jump->to ? find_table(ruleset, from->table) : NULL;
	uint8_t *hooks = to ? &to->hooks : table ? &table->mapped : NULL;
	uint8_t before;

	if (!from || !hooks)
		return false;
	before = *hooks;
	*hooks |= from->hooks;
	return *hooks != before;
}

static bool follow_all(struct nft_ruleset *ruleset)
{
	bool changed = false;

	for (size_t i = 0; i < ruleset->jump_count; i++)
		changed |= follow(ruleset, &ruleset->jumps[i]);
	for (size_t i = 0; i < ruleset->chain_count; i++) {
		struct nft_chain *chain = &ruleset->chains[i];
		const struct nft_table *table = find_table(ruleset, chain->table);
		const uint8_t before = chain->hooks;

		chain->hooks |= table ? table->mapped : 0;
		changed |= chain->hooks != before;
	}
	return changed;
}

int nft_ruleset_judge(struct nft_ruleset *ruleset, struct standing *standing)
{
	for (unsigned int depth = 0; depth <= 2 * DEPTH_MAX && follow_all(ruleset); depth++)
		;
	for (size_t i = 0; i < ruleset->chain_count; i++) {
		const struct nft_chain *chain = &ruleset->chains[i];
		const struct nft_table *table = find_table(ruleset, chain->table);

		if (!chain->kinds || !chain->hooks || !table)
			continue;
		standing->places |= standing_places(chain->kinds, chain->families, chain->hooks);
		standing->print += mixed(table->handle, chain->print);
	}
	standing->unsteady |= ruleset->unsteady;
	return ruleset->no_memory ? -ENOMEM : 0;
}

/* ---- beginning and end ---- */

void nft_ruleset_begin(struct nft_ruleset *ruleset, const struct sought *sought)
{
	*ruleset = (struct nft_ruleset){ .sought = sought };
}

void nft_ruleset_end(struct nft_ruleset *ruleset)
{
	free(ruleset->tables);
	free(ruleset->chains);
	free(ruleset->jumps);
	free(ruleset->helpers);
	*ruleset = (struct nft_ruleset){ 0 };
}
