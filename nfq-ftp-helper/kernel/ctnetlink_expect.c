// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. The kernel looks for an equal expectation without regard to whose it is, for creation, for
 * deletion and for reading. So before one is deleted it is read, its master compared, and it is deleted by its id:
 * otherwise the end of one session could take away what another has just announced.
 *
 * How long an expectation is there is the policy's of the master's helper: the kernel does not look at what it is told when it makes one. It
 * does when it is told again. So where the helper is not ours one is read back, and, where its time is another, told again.
 *
 * Where the kernel's answer is lost, it may have made the expectation, which nobody will announce. So it is taken back.
 */
#include "ctnetlink_ops.h"
#include "ctrequest.h"

static struct tuple tuple_of(const struct expectation *expectation)
{
	struct tuple tuple = expectation->tuple;

	tuple.src.port = 0;
	return tuple;
}

/* An answer that describes an expectation of this master. -ENOENT: there is none; -EBUSY: it is another master's. */
static int read_expected(const struct answer *answer, const struct binding *master, struct expected *expected)
{
	const int error = ctrequest_expected(answer, expected);

	if (error)
		return error;
	return tuple_equal(&expected->master, &master->tuple[DIRECTION_ORIGINAL]) ? 0 : -EBUSY;
}

static int get_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation,
			struct expected *expected)
{
	const struct tuple tuple = tuple_of(expectation);
	int error;

	exchange_begin(&ct->exchange);
	ctrequest_get_expected(&ct->exchange, &tuple, master->zone);
	error = exchange_run(&ct->exchange);
	return error ? error : read_expected(&ct->exchange.answer[0], master, expected);
}

/* Delete an expectation of this master. Errors as read_expected()'s. */
static int delete_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	const struct tuple tuple = tuple_of(expectation);
	struct expected expected;
	const int error = get_expected(ct, master, expectation, &expected);

	if (error)
		return error;
	return ctrequest_delete_expected(&ct->exchange, &tuple, master->zone, expected.id);
}

static int set_time(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation,
		    uint32_t seconds)
{
	exchange_begin(&ct->exchange);
	ctrequest_renew(&ct->exchange, master, expectation, seconds);
	return exchange_run_one(&ct->exchange);
}

/* It has just been made, and read back. What is left of its time is in whole seconds, rounded down. */
static void correct_time(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	const uint32_t wanted = ct->config.expect_timeout;
	struct expected expected;

	if (read_expected(&ct->exchange.answer[1], master, &expected) == 0 && expected.seconds != wanted &&
	    expected.seconds + 1 != wanted)
		(void)set_time(ct, master, expectation, wanted);
}

static int create_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	const struct tuple tuple = tuple_of(expectation);
	const bool sure = ct->config.policy_timeout == ct->config.expect_timeout;
	int error;

	exchange_begin(&ct->exchange);
	ctrequest_expect(&ct->exchange, master, expectation, ct->config.expect_timeout);
	if (!sure)
		ctrequest_get_expected(&ct->exchange, &tuple, master->zone);
	error = exchange_run(&ct->exchange);
	if (error)
		ctnetlink_unexpect(&ct->conntrack, master, expectation);
	if (!error)
		error = ct->exchange.answer[0].error;
	if (!error && !sure)
		correct_time(ct, master, expectation);
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

/* The kernel looks for it without regard to whose it is: so it is read before. */
int ctnetlink_renew(struct conntrack *conntrack, const struct binding *master, const struct expectation *expectation,
		    uint32_t seconds)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	struct expected expected;
	int error = get_expected(ct, master, expectation, &expected);

	if (!error)
		error = set_time(ct, master, expectation, seconds);
	/* Another master's stands in its place, or its time was over just now. */
	return error == -EBUSY || error == -ETIME ? -ENOENT : error;
}
