// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. Taking back can wait until the packets at hand have left: most of what is taken back has been
 * used, and is gone. So can settling. What is to be done then is noted here, and done together. Where the kernel's answer is lost, which of them are
 * there is asked once more, the next time.
 *
 * Settled, a connection is not marked any more, and conntrack knows the later shift alone: while an acknowledgement is taken for a
 * smaller one than it is (core/wire/seqadj.h), it thinks that something is still unacknowledged, and keeps a silent connection for minutes
 * only, not days.
 */
#include "ctnetlink.h"
#include "ctnetlink_ops.h"
#include "ctrequest.h"

_Static_assert(CTNETLINK_DEFERRED <= EXCHANGE_MESSAGES, "all that was deferred is asked for in one exchange");

/* An expectation that is to be taken back and is there, as the kernel names it. */
struct deferred_there {
	const struct deferred *deferred;
	uint32_t id;
};

/* Asks for all that are to be taken back; hardly ever is one of them still there. Return: how many were found, or a negative errno. */
static int find_those_there(struct ctnetlink *ct, struct deferred_there found[CTNETLINK_DEFERRED])
{
	const struct deferred *asked[CTNETLINK_DEFERRED];
	unsigned int questions = 0;
	int count = 0, error;

	for (unsigned int i = 0; i < ct->deferred_count; i++) {
		const struct deferred *deferred = &ct->deferred[i];

		if (deferred->settle)
			continue;
		ctrequest_get_expected(&ct->exchange, &deferred->expectation.tuple, deferred->zone);
		asked[questions++] = deferred;
	}
	error = questions ? exchange_run(&ct->exchange) : 0;
	if (error)
		return error;
	for (unsigned int i = 0; i < questions; i++) {
		struct expected expected;

		if (ctrequest_expected(&ct->exchange.answer[i], &expected) == 0 &&
		    tuple_equal(&expected.master, &asked[i]->master))
			found[count++] = (struct deferred_there){ asked[i], expected.id };
	}
	return count;
}

/*
 * The answers lie in the exchange that the next question makes anew, so all are read before one is deleted. Return false where they did not
 * come.
 */
static bool flush_expectations(struct ctnetlink *ct)
{
	struct deferred_there found[CTNETLINK_DEFERRED];
	const int count = find_those_there(ct, found);

	for (int i = 0; i < count; i++)
		(void)ctrequest_delete_expected(&ct->exchange, &found[i].deferred->expectation.tuple,
						found[i].deferred->zone, found[i].id);
	return count >= 0;
}

/* What has been asked for once, and not answered, stays for the next time. */
static void ask_again(struct ctnetlink *ct)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < ct->deferred_count; i++) {
		const struct deferred *deferred = &ct->deferred[i];

		if (deferred->settle || deferred->again)
			continue;
		ct->deferred[kept] = *deferred;
		ct->deferred[kept++].again = true;
	}
	ct->deferred_count = kept;
}

/* A direction whose text never changed its length is not to look adjusted. */
static void put_settled(struct nlmsghdr *message, const struct seqadj adjustment[2])
{
	for (int d = 0; d < 2; d++) {
		const struct seqadj settled = seqadj_settled(&adjustment[d]);

		if (seqadj_active(&adjustment[d]))
			ctmessage_put_seqadj(message, ctnetlink_seqadj_type((enum direction)d), &settled);
	}
}

static void flush_settled(struct ctnetlink *ct)
{
	for (unsigned int i = 0; i < ct->deferred_count; i++) {
		const struct deferred *deferred = &ct->deferred[i];
		struct nlmsghdr *message;

		if (!deferred->settle)
			continue;
		message = ctrequest_update(&ct->exchange, &deferred->master, deferred->zone, 0);
		put_settled(message, deferred->seqadj);
		if (ct->config.mark_edits)
			ctnetlink_put_unmarked(ct, message);
	}
	/* A connection that is gone needs nothing. */
	(void)exchange_post(&ct->exchange);
}

void ctnetlink_flush(struct ctnetlink *ct)
{
	bool answered;

	if (!ct->deferred_count)
		return;
	answered = flush_expectations(ct);
	flush_settled(ct);
	if (answered)
		ct->deferred_count = 0;
	else
		ask_again(ct);
}

static struct deferred *defer(struct ctnetlink *ct, const struct binding *master, bool settle)
{
	struct deferred *deferred;

	/* Amid a batch: what has been judged by what conntrack was told before leaves first. */
	if (ct->deferred_count == CTNETLINK_DEFERRED && ct->config.send_packets)
		ct->config.send_packets(ct->config.send_context);
	while (ct->deferred_count == CTNETLINK_DEFERRED) /* twice at the most: none is asked for a third time */
		ctnetlink_flush(ct);
	deferred = &ct->deferred[ct->deferred_count++];
	deferred->master = master->tuple[DIRECTION_ORIGINAL];
	deferred->zone = master->zone;
	deferred->settle = settle;
	deferred->again = false;
	return deferred;
}

void ctnetlink_undefer(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < ct->deferred_count; i++) {
		const struct deferred *deferred = &ct->deferred[i];
		bool drop = deferred->settle == !expectation && deferred->zone == master->zone &&
			    tuple_equal(&deferred->master, &master->tuple[DIRECTION_ORIGINAL]);

		if (drop && expectation)
			drop = endpoint_equal(&deferred->expectation.tuple.dst, &expectation->tuple.dst) &&
			       endpoint_address_equal(&deferred->expectation.tuple.src, &expectation->tuple.src);
		if (!drop)
			ct->deferred[kept++] = *deferred;
	}
	ct->deferred_count = kept;
}

void ctnetlink_unexpect(struct conntrack *conntrack, const struct binding *master,
			const struct expectation *expectation)
{
	defer(ctnetlink_of(conntrack), master, false)->expectation = *expectation;
}

void ctnetlink_settle(struct conntrack *conntrack, const struct binding *master)
{
	struct deferred *deferred = defer(ctnetlink_of(conntrack), master, true);

	memcpy(deferred->seqadj, master->seqadj, sizeof(deferred->seqadj));
}
