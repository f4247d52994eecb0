// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. The kernel looks for an equal expectation without regard to whose it is, for creation, for
 * deletion and for reading. So before one is deleted it is read, its master compared, and it is deleted by its id:
 * otherwise the end of one session could take away what another has just announced.
 *
 * Where the kernel's answer is lost, it may have made the expectation, which nobody will announce. So it is taken back.
 */
#include "ctnetlink_ops.h"
#include "ctrequest.h"

/* Delete an expectation of this master. -ENOENT: there is none; -EBUSY: it is another master's. */
static int delete_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	struct tuple tuple = expectation->tuple;
	struct expected expected;
	int error;

	tuple.src.port = 0;
	exchange_begin(&ct->exchange);
	ctrequest_get_expected(&ct->exchange, &tuple, master->zone);
	error = exchange_run(&ct->exchange);
	if (!error)
		error = ctrequest_expected(&ct->exchange.answer[0], &expected);
	if (error)
		return error;
	if (!tuple_equal(&expected.master, &master->tuple[DIRECTION_ORIGINAL]))
		return -EBUSY;
	return ctrequest_delete_expected(&ct->exchange, &tuple, master->zone, expected.id);
}

static int create_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	int error;

	exchange_begin(&ct->exchange);
	ctrequest_expect(&ct->exchange, master, expectation, ct->config.expect_timeout);
	error = exchange_run(&ct->exchange);
	if (!error)
		return ct->exchange.answer[0].error;
	ctnetlink_unexpect(&ct->conntrack, master, expectation);
	return error;
}

int ctnetlink_expect(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	int error;

	ctnetlink_undefer(ct, master, expectation);
	error = create_expected(ct, master, expectation);
	if (error != -EEXIST)
		return error;
	error = delete_expected(ct, master, expectation);
	if (error && error != -ENOENT)
		return error;
	error = create_expected(ct, master, expectation);
	return error == -EEXIST ? -EBUSY : error;
}
