// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * Finding a connection. Conntrack's hash knows both tuples of a connection, whichever attribute names them. At
 * FORWARD and the local hooks, a packet of a connection with one NAT shows one of these tuples or its inverse: both
 * are asked for at once. With a source and a destination translation at once, the packet shows the source of the
 * original tuple and the source of the reply tuple, in one order or the other; the hash knows no such pair, so the
 * table is walked. The kernel compares the ports (CTA_FILTER; before Linux 5.8 it ignores that), this program the
 * addresses. A kernel that sends the connection along with the packet (NFQA_CT) spares all of that.
 */
#include "attributes.h"
#include "ctnetlink_ops.h"
#include "ctrequest.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <time.h>

#define SECOND 1000000000ull

/*
 * In which direction does a packet that shows this tuple go? Each of its ends may have been translated already, or not
 * yet. Return: false where it is not of this connection.
 */
static bool binding_direction(const struct binding *binding, const struct tuple *seen, enum direction *direction)
{
	for (unsigned int d = DIRECTION_ORIGINAL; d <= DIRECTION_REPLY; d++) {
		const struct tuple *there = &binding->tuple[d], *back = &binding->tuple[!d];

		if (!endpoint_equal(&seen->src, &there->src) && !endpoint_equal(&seen->src, &back->dst))
			continue;
		if (!endpoint_equal(&seen->dst, &there->dst) && !endpoint_equal(&seen->dst, &back->src))
			continue;
		*direction = d;
		return true;
	}
	return false;
}

/* By the hash: the tuple or its inverse. */
static int find_by_tuple(struct ctnetlink *ct, const struct tuple *seen, uint16_t zone, struct connection *connection,
			 const struct answer **answer)
{
	const struct tuple inverse = tuple_inverse(seen);
	int error;

	ctrequest_get(&ct->exchange, seen, zone);
	ctrequest_get(&ct->exchange, &inverse, zone);
	error = exchange_run(&ct->exchange);
	if (error)
		return error;
	*answer = &ct->exchange.answer[0];
	error = ctrequest_connection(*answer, connection);
	if (error != -ENOENT)
		return error;
	*answer = &ct->exchange.answer[1];
	return ctrequest_connection(*answer, connection);
}

/* What a walk through the table looks for: a connection whose tuples have these sources. */
struct table_walk {
	const struct endpoint *original;
	const struct endpoint *reply;
	uint16_t zone;
	bool found;
	struct connection *connection;
};

static void walk_connection(void *context, const struct nlmsghdr *object)
{
	struct table_walk *walk = context;
	const struct answer found = { .message = object };
	struct connection connection;
	const struct binding *binding = &connection.binding;

	if (walk->found || ctrequest_connection(&found, &connection) < 0 || binding->zone != walk->zone)
		return;
	if (!endpoint_equal(&binding->tuple[DIRECTION_ORIGINAL].src, walk->original) ||
	    !endpoint_equal(&binding->tuple[DIRECTION_REPLY].src, walk->reply))
		return;
	*walk->connection = connection;
	walk->found = true;
}

static int walk_table(struct ctnetlink *ct, struct table_walk *walk, bool filtered)
{
	struct nlmsghdr *message = ctrequest_walk(&ct->exchange, walk->original->family, walk->zone);
	int error;

	if (filtered)
		ctmessage_put_source_ports(message, walk->original, walk->reply);
	ct->counters.walks++;
	error = exchange_walk(&ct->exchange, walk_connection, walk);
	if (error)
		return error;
	return walk->found ? 0 : -ENOENT;
}

/* Nanoseconds on a clock that never steps back. */
static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* One in so many nanoseconds may be spent walking. */
#define WALKS_ONE_IN 10

/*
 * Walks cost as much as there are connections, and a stranger's packet can cause one: they get a tenth of the time, at once what comes in within a
 * second. What the last one took beyond that has to come in first: where there are very many connections, one takes seconds.
 */
static bool may_walk(struct ctnetlink *ct, uint64_t now)
{
	const uint64_t paid = (now - ct->walk_settled) / WALKS_ONE_IN;

	ct->walk_debt -= paid < ct->walk_debt ? paid : ct->walk_debt;
	ct->walk_settled = now;
	return ct->walk_debt <= SECOND / WALKS_ONE_IN;
}

/* By the sources of both tuples: a packet half-way through a source and a destination translation. */
static int find_by_sources(struct ctnetlink *ct, const struct endpoint *original, const struct endpoint *reply,
			   uint16_t zone, struct connection *connection)
{
	struct table_walk walk = { .original = original, .reply = reply, .zone = zone, .connection = connection };
	const uint64_t start = clock_now();
	int error;

	if (!may_walk(ct, start))
		return -EAGAIN;
	ct->walked = start;
	error = walk_table(ct, &walk, true);
	if (error == -EINVAL || error == -EOPNOTSUPP)
		error = walk_table(ct, &walk, false);
	ct->walk_debt += clock_now() - start;
	return error;
}

/* Until its first packet has left ("confirmed"), translations may be missing. */
bool ctnetlink_hinted(const struct ctnetlink *ct, struct connection *connection)
{
	return ct->hint && ctmessage_read_connection(ct->hint, ct->hint_length, connection) == 0 &&
	       (connection->status & IPS_CONFIRMED);
}

static int find_connection(struct ctnetlink *ct, const struct tuple *seen, uint16_t zone, struct connection *connection)
{
	const struct answer *answer;
	int error;

	if (ctnetlink_hinted(ct, connection))
		return 0;
	error = find_by_tuple(ct, seen, zone, connection, &answer);
	if (error == -ENOENT)
		error = find_by_sources(ct, &seen->src, &seen->dst, zone, connection);
	if (error == -ENOENT)
		error = find_by_sources(ct, &seen->dst, &seen->src, zone, connection);
	return error;
}

int ctnetlink_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct binding *binding,
		   enum direction *direction)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	struct connection connection;
	int error = find_connection(ct, seen, zone, &connection);

	if (error)
		return error;
	if (!binding_direction(&connection.binding, seen, direction))
		return -ENOENT;
	*binding = connection.binding;
	binding->renumbered = ctnetlink_is_renumbered(ct, &connection);
	return 0;
}

/* ---- a look at one that is known ---- */

/*
 * The hash does not know it. Where the tuple is conntrack's own that is an end; else it may be half-way through two translations, and only a
 * walk could tell. Of those there is one a second for this, and only where nobody else has walked.
 */
static int look_further(struct ctnetlink *ct, const struct tuple *seen, uint16_t zone, const struct sight *sight,
			struct connection *connection)
{
	if (sight->bound || ct->told)
		return -ENOENT;
	if (clock_now() - ct->walked < SECOND)
		return -EAGAIN;
	return find_by_sources(ct, &seen->src, &seen->dst, zone, connection);
}

static void read_note(const struct ctnetlink *ct, const struct answer *answer, struct sight *sight)
{
	const void *private;
	size_t size;

	if (!ct->conntrack.noted)
		return;
	private = ctrequest_private(answer, ct->config.queueing_helper, &size);
	sight->noted = private && scan_note(private, size, &sight->note);
}

/* Its whole time from now on. One that is not established, or not any more, is left to end. */
static void keep(struct ctnetlink *ct, const struct connection *connection)
{
	const struct binding *binding = &connection->binding;
	struct nlmsghdr *message;

	if (!connection->established || connection->seconds >= ct->config.master_timeout)
		return;
	message = ctrequest_update(&ct->exchange, &binding->tuple[DIRECTION_ORIGINAL], binding->zone, 0);
	attribute_put_be32(message, CTA_TIMEOUT, ct->config.master_timeout);
	(void)exchange_post(&ct->exchange);
	ct->counters.kept++;
}

int ctnetlink_look(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone, struct sight *sight)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	const struct tuple *tuple = sight->bound ? &sight->bound->tuple[DIRECTION_ORIGINAL] : seen;
	const struct answer *answer = NULL;
	struct connection connection;
	int error = find_by_tuple(ct, tuple, zone, &connection, &answer);

	if (!error)
		read_note(ct, answer, sight);
	if (error == -ENOENT)
		error = look_further(ct, seen, zone, sight, &connection);
	if (error)
		return error;
	memcpy(sight->note.adj, connection.binding.seqadj, sizeof(sight->note.adj));
	sight->id = connection.binding.id;
	if (sight->keep)
		keep(ct, &connection);
	return 0;
}
