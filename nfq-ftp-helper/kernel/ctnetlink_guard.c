// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A connection of which no packet may pass unseen is marked, and has a queue of its own that does not
 * bypass. The mark is a bit of the connmark, or one of its labels, by which nobody routes. A connection has room for labels only
 * where some rule asked for one when it began; so the label is read back, and where it did not take the mark is put on, and read back
 * likewise. Where neither is to be had, nothing is edited.
 */
#include "attributes.h"
#include "ctnetlink_ops.h"
#include "ctrequest.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

void ctnetlink_put_mark(const struct ctnetlink *ct, struct nlmsghdr *message)
{
	if (!ct->config.mark_mask)
		return;
	attribute_put_be32(message, CTA_MARK, ct->config.mark);
	attribute_put_be32(message, CTA_MARK_MASK, ct->config.mark_mask);
}

void ctnetlink_put_unmarked(const struct ctnetlink *ct, struct nlmsghdr *message)
{
	if (ct->config.mark_mask) {
		attribute_put_be32(message, CTA_MARK, 0);
		attribute_put_be32(message, CTA_MARK_MASK, ct->config.mark_mask);
	}
	/* Last, as the kernel takes them last: where it cannot, it has done the rest. */
	if (ct->config.labels)
		ctmessage_put_label(message, ct->config.label, false);
}

static bool is_guarded(const struct ctnetlink *ct, const struct connection *connection, bool by_label)
{
	if (by_label)
		return connection->labels[ct->config.label / 32] >> ct->config.label % 32 & 1;
	return (connection->mark & ct->config.mark_mask) == ct->config.mark;
}

bool ctnetlink_is_renumbered(const struct ctnetlink *ct, const struct connection *connection)
{
	if (!connection->liberal)
		return false;
	return (ct->config.labels && is_guarded(ct, connection, true)) ||
	       (ct->config.mark_mask && is_guarded(ct, connection, false));
}

/* Return: 0; -EOPNOTSUPP: it did not take; another negative errno. */
static int try_guard(struct ctnetlink *ct, const struct binding *master, bool by_label)
{
	const struct tuple *original = &master->tuple[DIRECTION_ORIGINAL];
	struct connection connection;
	struct nlmsghdr *message;
	int error;

	message = ctrequest_update(&ct->exchange, original, master->zone, NLM_F_ACK);
	if (by_label)
		ctmessage_put_label(message, ct->config.label, true);
	else
		ctnetlink_put_mark(ct, message);
	ctrequest_get(&ct->exchange, original, master->zone);
	error = exchange_run(&ct->exchange);
	if (!error)
		error = ctrequest_connection(&ct->exchange.answer[1], &connection);
	if (error)
		return error;
	return is_guarded(ct, &connection, by_label) ? 0 : -EOPNOTSUPP;
}

int ctnetlink_guard(struct ctnetlink *ct, const struct binding *master)
{
	int error = try_guard(ct, master, true);

	if (error != -EOPNOTSUPP || !ct->config.mark_mask)
		return error;
	return try_guard(ct, master, false);
}
