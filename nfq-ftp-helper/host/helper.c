// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper.h"

#include "core/table/table.h"
#include "kernel/cthelper.h"

#include <string.h>

static void note_own(void *context, const struct cthelper *found)
{
	struct helper *helper = context;

	if (strcmp(found->name, CTHELPER_NAME) == 0)
		*helper = (struct helper){ .known = true, .enabled = found->enabled, .queue = found->queue };
}

static int list(struct exchange *exchange, void *helper)
{
	return cthelper_list(exchange, note_own, helper);
}

static int prepare(struct exchange *exchange, void *policy)
{
	return cthelper_prepare(exchange, policy);
}

int helper_look(struct helper *helper)
{
	*helper = (struct helper){ 0 };
	return exchange_once(NETLINK_NETFILTER, list, helper);
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
