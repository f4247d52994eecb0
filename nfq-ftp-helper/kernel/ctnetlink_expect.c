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
 *
 * A server opens data connections from the port below that of its control connections (RFC 959), or from any. In the first case both tuples of
 * the one to come are known beforehand, and under NAT either may be another connection's. The original one as another client's: the server
 * has that connection, and will not make a second one to the same port; so that port is taken. The reply one as an older connection of the
 * same client's, to whose port another of ours led, which happens where its own was taken: conntrack would use up the
 * expectation and drop the SYN; so it is made to forget that connection, once it has ended.
 */
#include "ctnetlink_ops.h"
#include "ctrequest.h"

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
	int error;

	ctrequest_get_expected(&ct->exchange, &expectation->tuple, master->zone);
	error = exchange_run(&ct->exchange);
	return error ? error : read_expected(&ct->exchange.answer[0], master, expected);
}

/* Delete an expectation of this master. Errors as read_expected()'s. */
static int delete_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	struct expected expected;
	const int error = get_expected(ct, master, expectation, &expected);

	if (error)
		return error;
	return ctrequest_delete_expected(&ct->exchange, &expectation->tuple, master->zone, expected.id);
}

static int set_time(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation,
		    uint32_t seconds)
{
	ctrequest_expect(&ct->exchange, 0, master, expectation, seconds);
	return exchange_run_one(&ct->exchange);
}

/* What is left of its time is in whole seconds, rounded down. */
static bool has_time(const struct expected *expected, uint32_t seconds)
{
	return expected->seconds == seconds || expected->seconds + 1 == seconds;
}

/* ---- connections in the way ---- */

static bool may_be_in_the_way(const struct expectation *expectation)
{
	return expectation->translated && expectation->nat_direction == DIRECTION_REPLY;
}

/* The tuples of the data connection, if it comes from the server's data port. */
static void data_tuples(const struct binding *master, const struct expectation *expectation, struct tuple tuple[2])
{
	const uint16_t port = (uint16_t)(master->tuple[DIRECTION_REPLY].src.port - 1);

	tuple[DIRECTION_ORIGINAL] = expectation->tuple;
	tuple[DIRECTION_ORIGINAL].src.port = port;
	tuple[DIRECTION_REPLY].src = expectation->nat_src;
	tuple[DIRECTION_REPLY].dst = master->tuple[DIRECTION_ORIGINAL].dst;
	tuple[DIRECTION_REPLY].dst.port = port;
}

/* What is asked for together with the creation, answer by answer. */
enum created {
	CREATED,
	CREATED_ORIGINAL, /* who has the data connection's tuples; not asked where nobody may be in the way */
	CREATED_REPLY,
};

static void ask_for_those_in_the_way(struct exchange *exchange, const struct binding *master,
				     const struct expectation *expectation)
{
	struct tuple tuple[2];

	if (!may_be_in_the_way(expectation))
		return;
	data_tuples(master, expectation, tuple);
	ctrequest_get(exchange, &tuple[DIRECTION_ORIGINAL], master->zone);
	ctrequest_get(exchange, &tuple[DIRECTION_REPLY], master->zone);
}

/* Has another than the announcing client the server's connection to this port? */
static bool is_connected(const struct answer *answer, const struct expectation *expectation)
{
	struct connection connection;

	return ctrequest_connection(answer, &connection) == 0 && !connection.ended &&
	       !endpoint_equal(&connection.binding.tuple[DIRECTION_REPLY].src, &expectation->nat_src);
}

/* Is it one that has ended, and led here from another port? The one from the same port begins anew by itself. */
static bool is_left_over(const struct answer *answer, const struct expectation *expectation,
			 struct connection *connection)
{
	return ctrequest_connection(answer, connection) == 0 && (connection->ended || connection->reset) &&
	       !endpoint_equal(&connection->binding.tuple[DIRECTION_ORIGINAL].dst, &expectation->tuple.dst);
}

/* Only now, when the expectation is there. -EBUSY: one that stays; the expectation is taken back. */
static int clear_the_way(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	struct connection connection;

	if (!may_be_in_the_way(expectation))
		return 0;
	if (is_connected(&ct->exchange.answer[CREATED_ORIGINAL], expectation)) {
		(void)delete_expected(ct, master, expectation);
		return -EBUSY;
	}
	if (is_left_over(&ct->exchange.answer[CREATED_REPLY], expectation, &connection)) {
		ctrequest_forget(&ct->exchange, &connection.binding);
		(void)exchange_post(&ct->exchange);
	}
	return 0;
}

/* ---- */

static int create_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	bool sure = ct->config.policy_timeout == ct->config.expect_timeout;
	struct expected expected;
	int error;

	ctrequest_expect(&ct->exchange, CTREQUEST_NEW, master, expectation, ct->config.expect_timeout);
	ask_for_those_in_the_way(&ct->exchange, master, expectation);
	if (!sure)
		ctrequest_get_expected(&ct->exchange, &expectation->tuple, master->zone);
	error = exchange_run(&ct->exchange);
	if (error)
		ctnetlink_unexpect(&ct->conntrack, master, expectation);
	if (!error)
		error = ct->exchange.answer[CREATED].error;
	if (error)
		return error;
	sure = sure || read_expected(&ct->exchange.answer[ct->exchange.count - 1], master, &expected) ||
	       has_time(&expected, ct->config.expect_timeout);
	error = clear_the_way(ct, master, expectation);
	if (!error && !sure)
		(void)set_time(ct, master, expectation, ct->config.expect_timeout);
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
