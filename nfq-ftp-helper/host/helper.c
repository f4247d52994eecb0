// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper.h"

#include "core/table/table.h"
#include "kernel/cthelper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void note_own(void *context, const struct cthelper *found)
{
	struct helper *helper = context;

	if (strcmp(found->name, CTHELPER_NAME) == 0)
		*helper = (struct helper){ .known = true, .enabled = found->enabled, .queue = found->queue };
}

/* A socket is some kilobytes, and for as long as one question takes. */
static int ask(int (*question)(struct exchange *exchange, void *context), void *context)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	int error = exchange ? exchange_open(exchange) : -ENOMEM;

	if (!error) {
		error = question(exchange, context);
		exchange_close(exchange);
	}
	free(exchange);
	return error;
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
	return ask(list, helper);
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

	return ask(prepare, &policy);
}
