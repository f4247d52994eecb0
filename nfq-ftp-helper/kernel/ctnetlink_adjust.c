// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * Sequence adjustments. A connection takes one only if it has the seqadj extension, which it was given at its first
 * packet or never will be; otherwise the kernel says "done" and does nothing. So the connection is read back, in the
 * same exchange: CTA_SEQ_ADJ_* is in the answer only where it took. Where the binding says that the kernel adjusts
 * the connection already, that is known.
 *
 * Windows. What tcp_in_window() calls invalid is neither translated nor adjusted, and ends the connection. The kernel's own FTP
 * helper can come to that: core/wire/seqadj.h says how, and how what conntrack is told avoids it. So a connection that the kernel
 * adjusts stays strict (but for that one case where nothing guards its edits, conntrack.guarded), and nobody who has only its
 * addresses and ports gets conntrack to take a FIN or RST for its end. Once its
 * edits are acknowledged it is told the later shift alone ("settled", ctnetlink_defer.c).
 *
 * Where the session adjusts, acknowledgements are of bytes that conntrack has not seen; it has to be liberal. That has a price:
 * it believes forged FINs, takes the connection for over, and lets a forged SYN begin another in its place, without its NAT
 * binding.
 *
 * Twice. Of a connection whose helper is one of user space, the kernel adjusts a packet when any queue's verdict comes
 * back (nf_confirm_cthelper()), since it takes the packet for one that the helper has queued; and then, where a rule
 * has queued it, once more at the end. So where packets come from rules, the kernel adjusts no such connection; the
 * session does.
 *
 * Order. The kernel adjusts a packet when its verdict comes. So what was judged before an edit has to leave before the kernel is told of
 * it: told the later shift alone, it would move what stands before the edit, too.
 *
 * Lost answers. The kernel may have taken an adjustment though its answer was lost, or could not be read back, for want of memory say. Nothing
 * is edited then, so nothing must be adjusted either: it is told what it did before, without waiting for an answer.
 */
#include "cthelper.h"
#include "ctnetlink_ops.h"
#include "ctrequest.h"

/* Has the kernel adjusted this connection before? Then it can. */
static bool kernel_adjusts(const struct binding *binding)
{
	return seqadj_active(&binding->seqadj[DIRECTION_ORIGINAL]) || seqadj_active(&binding->seqadj[DIRECTION_REPLY]);
}

/* Did the adjustment take? It did where it can be read back. */
static int check_adjusted(const struct answer *answer, enum direction direction, const struct seqadj *adjustment)
{
	struct connection connection;
	const struct seqadj *taken;
	int error = ctrequest_connection(answer, &connection);

	if (error)
		return error;
	taken = &connection.binding.seqadj[direction];
	if (taken->pos != adjustment->pos || taken->before != adjustment->before || taken->after != adjustment->after)
		return -EOPNOTSUPP;
	return 0;
}

static void adjust_as_before(struct ctnetlink *ct, const struct binding *master, enum direction direction)
{
	struct nlmsghdr *message = ctrequest_update(&ct->exchange, &master->tuple[DIRECTION_ORIGINAL], master->zone, 0);

	ctmessage_put_seqadj(message, ctnetlink_seqadj_type(direction), &master->seqadj[direction]);
	(void)exchange_post(&ct->exchange);
}

/* -EOPNOTSUPP: this connection takes no adjustment. */
static int adjust_by_kernel(struct ctnetlink *ct, const struct binding *master, enum direction direction,
			    const struct seqadj *adjustment)
{
	const bool proven = kernel_adjusts(master);
	struct nlmsghdr *message;
	int error = ct->config.mark_edits && ct->config.labels ? ctnetlink_guard(ct, master) : 0;

	if (error)
		return error;
	if (ct->config.send_packets)
		ct->config.send_packets(ct->config.send_context);
	message = ctrequest_update(&ct->exchange, &master->tuple[DIRECTION_ORIGINAL], master->zone, NLM_F_ACK);
	ctmessage_put_seqadj(message, ctnetlink_seqadj_type(direction), adjustment);
	if (seqadj_misjudged(adjustment))
		ctmessage_put_liberal(message);
	if (ct->config.mark_edits && !ct->config.labels)
		ctnetlink_put_mark(ct, message);
	if (!proven)
		ctrequest_get(&ct->exchange, &master->tuple[DIRECTION_ORIGINAL], master->zone);
	error = exchange_run(&ct->exchange);
	if (error) {
		adjust_as_before(ct, master, direction);
		return error;
	}
	error = ct->exchange.answer[0].error;
	if (error)
		return error;
	if (!proven)
		error = check_adjusted(&ct->exchange.answer[1], direction, adjustment);
	if (error && error != -EOPNOTSUPP) /* that it did not take is known, else */
		adjust_as_before(ct, master, direction);
	if (error)
		return error;
	ctnetlink_undefer(ct, master,
			  NULL); /* not before: where this edit fails, the last one still has to be settled */
	ct->counters.kernel_adjusted++;
	return SEQADJ_KERNEL;
}

static int adjust_by_self(struct ctnetlink *ct, const struct binding *master)
{
	struct nlmsghdr *message;
	int error = ct->config.labels ? ctnetlink_guard(ct, master) : 0;

	if (error)
		return error;
	message = ctrequest_update(&ct->exchange, &master->tuple[DIRECTION_ORIGINAL], master->zone, NLM_F_ACK);
	ctmessage_put_liberal(message);
	if (!ct->config.labels)
		ctnetlink_put_mark(ct, message);
	error = exchange_run_one(&ct->exchange);
	if (error)
		return error;
	ct->counters.self_adjusted++;
	return SEQADJ_SELF;
}

static int get_connection(struct ctnetlink *ct, const struct binding *master, struct connection *connection)
{
	int error;

	if (ctnetlink_hinted(ct, connection) &&
	    tuple_equal(&connection->binding.tuple[DIRECTION_ORIGINAL], &master->tuple[DIRECTION_ORIGINAL]))
		return 0;
	ctrequest_get(&ct->exchange, &master->tuple[DIRECTION_ORIGINAL], master->zone);
	error = exchange_run(&ct->exchange);
	return error ? error : ctrequest_connection(&ct->exchange.answer[0], connection);
}

/*
 * Is this connection's helper one of user space, though not the one that has queued the packet? Asked once a
 * connection, and only where there can be one.
 */
static bool carried_by_user(struct ctnetlink *ct, const struct binding *master)
{
	const char *queueing = ct->config.queueing_helper;
	struct connection connection;
	struct cthelper found;

	if (!ct->cthelpers || get_connection(ct, master, &connection) || !connection.helper[0])
		return false;
	if (queueing && strcmp(connection.helper, queueing) == 0)
		return false;
	(void)cthelper_find(&ct->exchange, connection.helper, &found);
	return found.name[0];
}

int ctnetlink_adjust_seq(struct conntrack *conntrack, const struct binding *master, enum direction direction,
			 const struct seqadj *adjustment)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	const enum seqadj_mode mode = ct->config.seqadj;
	int result;

	/* Whom the kernel adjusts already, as a daemon of another mode may have left it, it goes on to adjust. */
	if (!kernel_adjusts(master) && (mode == SEQADJ_MODE_SELF || carried_by_user(ct, master)))
		return mode == SEQADJ_MODE_KERNEL ? -CTNETLINK_TWICE : adjust_by_self(ct, master);
	result = adjust_by_kernel(ct, master, direction, adjustment);
	return result == -EOPNOTSUPP && mode != SEQADJ_MODE_KERNEL ? adjust_by_self(ct, master) : result;
}
