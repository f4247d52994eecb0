// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper.h"

#include "core/table/table.h"
#include "kernel/cthelper.h"

static int find_own(struct exchange *exchange, void *context)
{
	struct helper *helper = context;
	struct cthelper own;
	const int error = cthelper_find(exchange, CTHELPER_NAME, &own);

	*helper = (struct helper){ .known = own.name[0], .enabled = own.enabled, .queue = own.queue };
	return error;
}

static int prepare(struct exchange *exchange, void *policy)
{
	return cthelper_prepare(exchange, policy);
}

int helper_look(struct helper *helper)
{
	*helper = (struct helper){ 0 };
	return exchange_once(NETLINK_NETFILTER, find_own, helper);
}

/* Whoever can be asked which there are has some, or could have. */
int helper_offered(void)
{
	struct helper own;

	return helper_look(&own);
}

int helper_prepare(void)
{
	struct cthelper_policy policy = { .expectations = ANNOUNCEMENTS_MAX, .seconds = FTP_EXPECTED_SECONDS };

	return exchange_once(NETLINK_NETFILTER, prepare, &policy);
}
