// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * nfnetlink_cthelper makes no difference between "make" and "change": a message about a helper that it has changes
 * it, any other makes one. A change must not name another size of private data, or other policies, than the helper
 * was made with; a new one must name its size. So ours is made, as a stub, where it does not exist, and then changed,
 * without a size. A change of what the kernel does not have fails with EINVAL for want of the size: then the name is
 * a kernel module's. One that cannot be changed is another program's, of the same name, and stays.
 *
 * Kernels before 7.2 take no helper away that a rule or a connection uses (EBUSY). Later ones do, and what has named it has a dead copy
 * from then on, also when there is one of that name again. So ours is taken away when nobody is seen to use it. Who is in another network
 * namespace is not seen, but for daemons, which have a lock (daemon/attachment.c); nor what rules of iptables-legacy name: where there may be such it
 * stays. All else is asked over netlink: when a daemon ends it may start no program that lists rules.
 *
 * Nothing here keeps private data in the kernel: its size is 0.
 */
#include "cthelper.h"

#include "attributes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_cthelper.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define CTHELPER(type) (NFNL_SUBSYS_CTHELPER << 8 | (type))

static const uint8_t families[] = { FAMILY_IPV4, FAMILY_IPV6 };

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* A kernel without the subsystem says so with EINVAL; where that can mean something else, this is not for it. */
static int without_subsystem(int error)
{
	return error == -EINVAL ? -EPROTONOSUPPORT : error;
}

static struct nlmsghdr *add_message(struct exchange *exchange, unsigned int type, unsigned int flags, uint8_t family)
{
	struct nlmsghdr *message = exchange_add(exchange, CTHELPER(type), flags | NLM_F_ACK, family);
	struct nlattr *nest;

	mnl_attr_put_strz(message, NFCTH_NAME, CTHELPER_NAME);
	nest = mnl_attr_nest_start(message, NFCTH_TUPLE);
	attribute_put_be16(message, NFCTH_TUPLE_L3PROTONUM, ctmessage_family(family));
	mnl_attr_put_u8(message, NFCTH_TUPLE_L4PROTONUM, IPPROTO_TCP);
	mnl_attr_nest_end(message, nest);
	return message;
}

static void put_policy(struct nlmsghdr *message, const struct cthelper_policy *policy)
{
	struct nlattr *all = mnl_attr_nest_start(message, NFCTH_POLICY);
	struct nlattr *one;

	attribute_put_be32(message, NFCTH_POLICY_SET_NUM, 1);
	one = mnl_attr_nest_start(message, NFCTH_POLICY_SET1);
	mnl_attr_put_strz(message, NFCTH_POLICY_NAME, CTHELPER_NAME);
	attribute_put_be32(message, NFCTH_POLICY_EXPECT_MAX, policy->expectations);
	attribute_put_be32(message, NFCTH_POLICY_EXPECT_TIMEOUT, policy->seconds);
	mnl_attr_nest_end(message, one);
	mnl_attr_nest_end(message, all);
}

/* A stub. */
static int helper_make(struct exchange *exchange, uint8_t family, const struct cthelper_policy *policy)
{
	struct nlmsghdr *message = add_message(exchange, NFNL_MSG_CTHELPER_NEW, NLM_F_CREATE | NLM_F_EXCL, family);

	put_policy(message, policy);
	attribute_put_be32(message, NFCTH_STATUS, NFCT_HELPER_STATUS_DISABLED);
	attribute_put_be32(message, NFCTH_PRIV_DATA_LEN, 0);
	return without_subsystem(exchange_run_one(exchange));
}

static int helper_change(struct exchange *exchange, uint8_t family, uint16_t queue,
			 const struct cthelper_policy *policy)
{
	struct nlmsghdr *message = add_message(exchange, NFNL_MSG_CTHELPER_NEW, NLM_F_CREATE, family);
	int error;

	put_policy(message, policy);
	attribute_put_be32(message, NFCTH_QUEUE_NUM, queue);
	attribute_put_be32(message, NFCTH_STATUS, NFCT_HELPER_STATUS_ENABLED);
	error = exchange_run_one(exchange);
	return error == -EINVAL ? -EEXIST : error;
}

static int helper_delete(struct exchange *exchange, uint8_t family)
{
	add_message(exchange, NFNL_MSG_CTHELPER_DEL, 0, family);
	return without_subsystem(exchange_run_one(exchange));
}

static int helper_disable(struct exchange *exchange, uint8_t family)
{
	attribute_put_be32(add_message(exchange, NFNL_MSG_CTHELPER_NEW, NLM_F_CREATE, family), NFCTH_STATUS,
			   NFCT_HELPER_STATUS_DISABLED);
	return exchange_run_one(exchange);
}

int cthelper_register(struct exchange *exchange, uint16_t queue, const struct cthelper_policy *policy)
{
	int error = cthelper_prepare(exchange, policy);
	size_t enabled = 0;

	while (!error && enabled < FAMILIES) {
		error = helper_change(exchange, families[enabled], queue, policy);
		enabled += error == 0;
	}
	/* Nobody will serve half of it. */
	while (error && enabled > 0)
		(void)helper_disable(exchange, families[--enabled]);
	return error;
}

/* A name that is a module's is taken for conntrack (EBUSY), but not for nfnetlink_cthelper, which would say EEXIST. */
int cthelper_prepare(struct exchange *exchange, const struct cthelper_policy *policy)
{
	int error = 0;

	for (size_t i = 0; i < FAMILIES && !error; i++) {
		error = helper_make(exchange, families[i], policy);
		if (error == -EEXIST)
			error = 0;
	}
	return error == -EBUSY ? -EEXIST : error;
}

/* Of both families, also where one's is gone: the first failure is the answer. */
static int do_all(struct exchange *exchange, int (*act)(struct exchange *exchange, uint8_t family))
{
	int result = 0;

	for (size_t i = 0; i < FAMILIES; i++) {
		const int error = act(exchange, families[i]);

		if (!result)
			result = error;
	}
	return result;
}

int cthelper_disable(struct exchange *exchange)
{
	const int error = do_all(exchange, helper_disable);

	return error == -EINVAL ? -ENOENT : error;
}

/* ---- who uses it ---- */

/* Whoever uses it has its name in a text of his own; that another text is the same does no harm. */
static void look_for_name(void *used, const struct nlmsghdr *object)
{
	static const char name[] = CTHELPER_NAME;

	*(bool *)used |=
		memmem(mnl_nlmsg_get_payload(object), mnl_nlmsg_get_payload_len(object), name, sizeof(name)) != NULL;
}

/* Only table raw assigns helpers. Its rules are not told over netlink, and that there is one only to root: then there may be some. */
static bool may_have_legacy_rules(const char *tables)
{
	FILE *file = fopen(tables, "re");
	bool found = !file && errno != ENOENT;
	char line[32];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strcmp(line, "raw\n") == 0;
	if (file)
		fclose(file);
	return found;
}

/* Return: 0: nobody, as far as can be seen; -EBUSY; another negative errno: it cannot be seen. */
static int find_user(struct exchange *exchange)
{
	static const unsigned int lists[] = {
		NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE,
	};
	bool used = may_have_legacy_rules("/proc/net/ip_tables_names") ||
		    may_have_legacy_rules("/proc/net/ip6_tables_names");
	int error = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && !used && !error; i++) {
		exchange_add(exchange, lists[i], NLM_F_DUMP, 0);
		error = exchange_walk(exchange, look_for_name, &used);
		/* A kernel without nf_tables has no rules of it. */
		if (error == -EINVAL || error == -EOPNOTSUPP)
			error = 0;
	}
	return used ? -EBUSY : error;
}

int cthelper_unregister(struct exchange *exchange)
{
	const int error = find_user(exchange);

	return error ? error : do_all(exchange, helper_delete);
}

/* ---- finding ---- */

/* Return: 0, or -EPROTONOSUPPORT for what is not TCP over IP. */
static int check_protocols(const struct nlattr *nest)
{
	static const struct attribute_rule rules[NFCTH_TUPLE_MAX + 1] = {
		[NFCTH_TUPLE_L3PROTONUM] = { .exactly = 2 },
		[NFCTH_TUPLE_L4PROTONUM] = { .exactly = 1 },
	};
	const struct nlattr *found[NFCTH_TUPLE_MAX + 1];
	uint16_t family;

	if (attributes_parse_nested(nest, rules, found, NFCTH_TUPLE_MAX) < 0)
		return -EBADMSG;
	if (!found[NFCTH_TUPLE_L3PROTONUM] || !found[NFCTH_TUPLE_L4PROTONUM])
		return -EBADMSG;
	family = attribute_be16(found[NFCTH_TUPLE_L3PROTONUM]);
	if (family != AF_INET && family != AF_INET6)
		return -EPROTONOSUPPORT;
	return mnl_attr_get_u8(found[NFCTH_TUPLE_L4PROTONUM]) == IPPROTO_TCP ? 0 : -EPROTONOSUPPORT;
}

static int helper_read(const void *attributes, size_t length, struct cthelper *helper)
{
	static const struct attribute_rule rules[NFCTH_MAX + 1] = {
		[NFCTH_QUEUE_NUM] = { .exactly = 4 },
		[NFCTH_STATUS] = { .exactly = 4 },
	};
	const struct nlattr *found[NFCTH_MAX + 1];
	int error;

	if (attributes_parse(attributes, length, rules, found, NFCTH_MAX) < 0)
		return -EBADMSG;
	if (!found[NFCTH_NAME] || !found[NFCTH_TUPLE] || !found[NFCTH_QUEUE_NUM] || !found[NFCTH_STATUS])
		return -EBADMSG;
	error = attribute_text(found[NFCTH_NAME], helper->name, sizeof(helper->name));
	if (!error)
		error = check_protocols(found[NFCTH_TUPLE]);
	helper->queue = (uint16_t)attribute_be32(found[NFCTH_QUEUE_NUM]);
	helper->enabled = attribute_be32(found[NFCTH_STATUS]) != NFCT_HELPER_STATUS_DISABLED;
	return error;
}

struct search {
	const char *name;
	struct cthelper *helper;
};

static void compare_object(void *context, const struct nlmsghdr *object)
{
	const struct search *search = context;
	const void *attributes;
	int length = exchange_attributes(object, CTHELPER(NFNL_MSG_CTHELPER_NEW), &attributes);
	struct cthelper helper;

	if (length >= 0 && helper_read(attributes, (size_t)length, &helper) == 0 &&
	    strcmp(helper.name, search->name) == 0)
		*search->helper = helper;
}

int cthelper_find(struct exchange *exchange, const char *name, struct cthelper *helper)
{
	struct search search = { .name = name };

	*helper = (struct cthelper){ .name = "" };
	search.helper = helper;
	exchange_add(exchange, CTHELPER(NFNL_MSG_CTHELPER_GET), NLM_F_DUMP, FAMILY_IPV4);
	return without_subsystem(exchange_walk(exchange, compare_object, &search));
}
