// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctnetlink.h"

#include "cthelper.h"
#include "ctnetlink_ops.h"
#include "ctrequest.h"

static const struct conntrack_ops ctnetlink_ops = {
	.find = ctnetlink_find,
	.expect = ctnetlink_expect,
	.renew = ctnetlink_renew,
	.unexpect = ctnetlink_unexpect,
	.adjust_seq = ctnetlink_adjust_seq,
	.look = ctnetlink_look,
	.settle = ctnetlink_settle,
};

/* No such connection exists, and whoever says so is ctnetlink. */
static int ask_for_nobody(struct ctnetlink *ct)
{
	const struct tuple nobody = { .src.family = FAMILY_IPV4, .dst.family = FAMILY_IPV4 };
	int error;

	ctrequest_get(&ct->exchange, &nobody, 0);
	error = exchange_run_one(&ct->exchange);
	if (error == -ENOENT)
		return 0;
	return error == -EINVAL ? -EPROTONOSUPPORT : error;
}

int ctnetlink_open(struct ctnetlink *ct, const struct ctnetlink_config *config)
{
	struct cthelper own;
	int error;

	memset(ct, 0, sizeof(*ct));
	ct->conntrack.ops = &ctnetlink_ops;
	ct->conntrack.guarded = config->guarded;
	ct->conntrack.noted = config->noted;
	ct->conntrack.expected_seconds = config->expect_timeout;
	ct->config = *config;
	error = exchange_open(&ct->exchange, NETLINK_NETFILTER);
	if (error)
		return error;
	error = ask_for_nobody(ct);
	if (error)
		ctnetlink_close(ct);
	else
		ct->cthelpers = cthelper_find(&ct->exchange, CTHELPER_NAME, &own) != -EPROTONOSUPPORT;
	return error;
}

void ctnetlink_set_expect_timeout(struct ctnetlink *ct, uint32_t seconds)
{
	ct->config.expect_timeout = seconds;
	ct->conntrack.expected_seconds = seconds;
}

void ctnetlink_close(struct ctnetlink *ct)
{
	exchange_close(&ct->exchange);
}

void ctnetlink_hint(struct ctnetlink *ct, const void *attributes, size_t length)
{
	ct->told |= attributes != NULL;
	ct->hint = attributes;
	ct->hint_length = length;
}
