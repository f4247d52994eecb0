// SPDX-License-Identifier: GPL-2.0-or-later
#include "look.h"

#include "host/file.h"
#include "kernel/netlink.h"
#include "nft_ruleset.h"
#include "xt_table.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than a name a table: raw, mangle, nat, filter, security, and what else there may be. */
#define NAMES_BYTES 512

/* A table may change between the question for its size and that for its rules. */
#define TABLE_TRIES 4

static const struct {
	const char *names;
	int domain, level;
} families[STANDING_FAMILIES] = {
	[STANDING_IPV4] = { "/proc/self/net/ip_tables_names", AF_INET, IPPROTO_IP },
	[STANDING_IPV6] = { "/proc/self/net/ip6_tables_names", AF_INET6, IPPROTO_IPV6 },
};

/* Both families' questions have the same numbers, and the same answers. */
_Static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO, /* NOLINT(misc-redundant-expression): the headers are two */
	       "one function asks for both");
_Static_assert(IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES, /* NOLINT(misc-redundant-expression) */
	       "one function asks for both");
_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) &&
		       offsetof(struct ipt_get_entries, entrytable) == offsetof(struct ip6t_get_entries, entrytable),
	       "one function asks for both");

/* ---- beginning and end ---- */

static void open_legacy(struct look_legacy *legacy, enum standing_family family)
{
	legacy->names = open(families[family].names, O_RDONLY | O_CLOEXEC);
	legacy->socket = legacy->names < 0 ? -1 : socket(families[family].domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (legacy->socket < 0)
		file_close(&legacy->names);
}

/* Of a kernel without that group, or without rights, its clock will do. */
static int open_events(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTABLES;
	int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

	if (file >= 0 && (bind(file, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
			  setsockopt(file, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0))
		file_close(&file);
	return file;
}

int look_open(struct look *look, const struct sought *sought)
{
	memset(look, 0, sizeof(*look));
	look->sought = *sought;
	for (unsigned int family = 0; family < STANDING_FAMILIES; family++)
		open_legacy(&look->legacy[family], family);
	look->events = open_events();
	return exchange_open(&look->exchange, NETLINK_NETFILTER);
}

/* ---- changes ---- */

/* Elements of sets come and go all the time, and no rule with them. */
static bool is_of_interest(const struct nlmsghdr *message, unsigned int *steps)
{
	if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return false;
	switch (message->nlmsg_type & 0xff) {
	case NFT_MSG_NEWGEN:
		++*steps;
		return false;
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
	case NFT_MSG_NEWOBJ:
	case NFT_MSG_DELOBJ:
		return true;
	default:
		return false;
	}
}

bool look_news(struct look *look, unsigned int *steps)
{
	bool interest = false;
	int length;

	while ((length = netlink_receive(look->events, look->exchange.walked, sizeof(look->exchange.walked))) >= 0) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)look->exchange.walked;

		for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length))
			interest |= is_of_interest(message, steps);
	}
	if (length == -ETIMEDOUT)
		return interest;
	/* Some were lost, or none will come any more. */
	*steps += 2;
	if (netlink_is_dead(length))
		file_close(&look->events);
	return true;
}

bool look_needs_clock(const struct look *look)
{
	return look->events < 0 || look->legacy[STANDING_IPV4].names >= 0 || look->legacy[STANDING_IPV6].names >= 0;
}

bool look_is_due(const struct look *look)
{
	char byte;

	for (unsigned int family = 0; family < STANDING_FAMILIES; family++)
		if (look->legacy[family].names >= 0 && pread(look->legacy[family].names, &byte, 1, 0) == 1)
			return true;
	return look->events < 0;
}

/* ---- nf_tables ---- */

static int dump(struct look *look, uint8_t message, struct nft_ruleset *ruleset)
{
	exchange_add(&look->exchange, NFNL_SUBSYS_NFTABLES << 8 | message, NLM_F_DUMP, 0);
	return exchange_walk(&look->exchange, nft_ruleset_take, ruleset);
}

/* This kernel has no nf_tables: so there are no such rules. */
static bool is_absent(int error)
{
	return error == -EINVAL || error == -EOPNOTSUPP || error == -EPROTONOSUPPORT;
}

static int look_at_nft(struct look *look, struct standing *standing)
{
	static const uint8_t before_rules[] = { NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETOBJ };
	struct nft_ruleset ruleset;
	int error = 0;

	nft_ruleset_begin(&ruleset, &look->sought);
	for (size_t i = 0; i < sizeof(before_rules) && !error; i++)
		error = dump(look, before_rules[i], &ruleset);
	if (!error) {
		nft_ruleset_sort(&ruleset);
		error = dump(look, NFT_MSG_GETRULE, &ruleset);
	}
	if (!error)
		error = nft_ruleset_judge(&ruleset, standing);
	nft_ruleset_end(&ruleset);
	return is_absent(error) ? 0 : error;
}

/* ---- iptables-legacy ---- */

static int read_table(const struct look *look, enum standing_family family, struct ipt_getinfo *info,
		      struct standing *standing)
{
	struct ipt_get_entries *entries = calloc(1, sizeof(*entries) + info->size);
	socklen_t length = (socklen_t)(sizeof(*entries) + info->size);
	struct xt_table table = { .family = family, .valid_hooks = info->valid_hooks, .size = info->size };
	int error = entries ? 0 : -ENOMEM;

	if (!error) {
		memcpy(entries->name, info->name, sizeof(entries->name));
		entries->size = info->size;
		if (getsockopt(look->legacy[family].socket, families[family].level, IPT_SO_GET_ENTRIES, entries,
			       &length) < 0)
			error = -errno;
	}
	if (!error) {
		memcpy(table.hook_entry, info->hook_entry, sizeof(table.hook_entry));
		memcpy(table.underflow, info->underflow, sizeof(table.underflow));
		table.entries = (const uint8_t *)entries + offsetof(struct ipt_get_entries, entrytable);
		error = xt_table_judge(&table, &look->sought, standing);
	}
	free(entries);
	return error;
}

_Static_assert(NF_INET_NUMHOOKS == STANDING_HOOKS, "a hook is a hook");

/* One that is not there any more has no rules. */
static int look_at_table(const struct look *look, enum standing_family family, const char *name,
			 struct standing *standing)
{
	int error = -EAGAIN;

	for (unsigned int tries = 0; tries < TABLE_TRIES && error == -EAGAIN; tries++) {
		struct ipt_getinfo info = { 0 };
		socklen_t length = sizeof(info);

		strncpy(info.name, name, sizeof(info.name) - 1);
		error = getsockopt(look->legacy[family].socket, families[family].level, IPT_SO_GET_INFO, &info,
				   &length) < 0 ?
				-errno :
				read_table(look, family, &info, standing);
	}
	return error == -ENOENT ? 0 : error;
}

/* Only what the kernel lists is asked for: to ask for another would load it. */
static int look_at_legacy(const struct look *look, enum standing_family family, struct standing *standing)
{
	char names[NAMES_BYTES], *rest = NULL;
	ssize_t length =
		look->legacy[family].names < 0 ? 0 : pread(look->legacy[family].names, names, sizeof(names) - 1, 0);
	int error = length < 0 ? -errno : 0;

	names[length > 0 ? length : 0] = '\0';
	for (char *name = strtok_r(names, "\n", &rest); name && !error; name = strtok_r(NULL, "\n", &rest))
		error = look_at_table(look, family, name, standing);
	return error;
}

int look_at(struct look *look, struct standing *standing)
{
	int error;

	*standing = (struct standing){ 0 };
	error = look_at_nft(look, standing);
	for (unsigned int family = 0; family < STANDING_FAMILIES && !error; family++)
		error = look_at_legacy(look, family, standing);
	return error;
}
