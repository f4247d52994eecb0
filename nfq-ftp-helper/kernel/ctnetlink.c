/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation.
 *
 * Finding a connection. Conntrack's hash knows both tuples of a connection, whichever attribute names them. At
 * FORWARD and the local hooks, a packet of a connection with one NAT shows one of these tuples or its inverse: both
 * are asked for at once. With a source and a destination translation at once, the packet shows the source of the
 * original tuple and the source of the reply tuple, in one order or the other; the hash knows no such pair, so the
 * table is walked. The kernel compares the ports (CTA_FILTER; before Linux 5.8 it ignores that), this program the
 * addresses. A kernel that sends the connection along with the packet (NFQA_CT) spares all of that.
 *
 * Expectations. The kernel looks for an equal expectation without regard to whose it is, for creation, for deletion
 * and for reading. So before one is deleted it is read, its master compared, and it is deleted by its id: otherwise
 * the end of one session could take away what another has just announced. Taking back can wait until the packets at hand
 * have left: most of what is taken back has been used, and is gone. So can settling.
 *
 * Sequence adjustments. A connection takes one only if it has the seqadj extension, which it was given at its first
 * packet or never will be; otherwise the kernel says "done" and does nothing. So the connection is read back, in the
 * same exchange: CTA_SEQ_ADJ_* is in the answer only where it took. Where the binding says that the kernel adjusts
 * the connection already, that is known.
 *
 * Windows. What tcp_in_window() calls invalid is neither translated nor adjusted, and ends the connection. The kernel's own FTP helper
 * can come to that: core/seqadj.h says how, and how what conntrack is told avoids it. So a connection that the kernel adjusts stays
 * strict, and nobody who has only its addresses and ports gets conntrack to take a FIN or RST for its end. Once its edits are acknowledged it is told
 * the later shift alone ("settled"): while an acknowledgement is taken for a smaller one than it is, conntrack thinks that something is
 * still unacknowledged, and keeps the connection for minutes only, not days.
 *
 * Where the session adjusts, acknowledgements are of bytes that conntrack has not seen; it has to be liberal. That has a price: it
 * believes forged FINs, takes the connection for over, and lets a forged SYN begin another in its place, without its NAT binding.
 *
 * Twice. Of a connection whose helper is one of user space, the kernel adjusts a packet when any queue's verdict comes back
 * (nf_confirm_cthelper()), since it takes the packet for one that the helper has queued; and then, where a rule has queued it,
 * once more at the end. So where packets come from rules, the kernel adjusts no such connection; the session does.
 */
#include "ctnetlink.h"

#include "cthelper.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <time.h>

#define CT(type) (NFNL_SUBSYS_CTNETLINK << 8 | (type))
#define EXPECT(type) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | (type))

#define SECOND 1000000000ull

static struct ctnetlink *ctnetlink_of(struct conntrack *conntrack)
{
	return (struct ctnetlink *)(void *)conntrack;	/* it is embedded first */
}

static uint8_t binding_family(const struct binding *binding)
{
	return binding->tuple[DIRECTION_ORIGINAL].src.family;
}

static int read_connection(const struct nlmsghdr *message, struct connection *connection)
{
	const void *attributes;
	int length = exchange_attributes(message, CT(IPCTNL_MSG_CT_NEW), &attributes);

	return length < 0 ? length : ctmessage_read_connection(attributes, (size_t)length, connection);
}

static int answer_connection(const struct answer *answer, struct connection *connection)
{
	if (answer->error)
		return answer->error;
	return answer->message ? read_connection(answer->message, connection) : -EBADMSG;
}

static struct tuple tuple_inverse(const struct tuple *tuple)
{
	return (struct tuple){ .src = tuple->dst, .dst = tuple->src };
}

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

static void add_get(struct ctnetlink *ct, const struct tuple *tuple, uint16_t zone)
{
	struct nlmsghdr *message = exchange_add(&ct->exchange, CT(IPCTNL_MSG_CT_GET), 0, tuple->src.family);

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, tuple);
	ctmessage_put_zone(message, CTA_ZONE, zone);
}

/* By the hash: the tuple or its inverse. */
static int find_by_tuple(struct ctnetlink *ct, const struct tuple *seen, uint16_t zone, struct connection *connection)
{
	const struct tuple inverse = tuple_inverse(seen);
	int error;

	exchange_begin(&ct->exchange);
	add_get(ct, seen, zone);
	add_get(ct, &inverse, zone);
	error = exchange_run(&ct->exchange);
	if (error)
		return error;
	error = answer_connection(&ct->exchange.answer[0], connection);
	if (error != -ENOENT)
		return error;
	return answer_connection(&ct->exchange.answer[1], connection);
}

/* What a walk through the table looks for: a connection whose tuples have these sources. */
struct walk {
	const struct endpoint *original;
	const struct endpoint *reply;
	uint16_t zone;
	bool found;
	struct connection *connection;
};

static void walk_connection(void *context, const struct nlmsghdr *object)
{
	struct walk *walk = context;
	struct connection connection;
	const struct binding *binding = &connection.binding;

	if (walk->found || read_connection(object, &connection) < 0 || binding->zone != walk->zone)
		return;
	if (!endpoint_equal(&binding->tuple[DIRECTION_ORIGINAL].src, walk->original) ||
	    !endpoint_equal(&binding->tuple[DIRECTION_REPLY].src, walk->reply))
		return;
	*walk->connection = connection;
	walk->found = true;
}

static int walk_table(struct ctnetlink *ct, struct walk *walk, bool filtered)
{
	struct nlmsghdr *message;
	int error;

	exchange_begin(&ct->exchange);
	message = exchange_add(&ct->exchange, CT(IPCTNL_MSG_CT_GET), NLM_F_DUMP, walk->original->family);
	if (filtered)
		ctmessage_put_source_ports(message, walk->original, walk->reply);
	ctmessage_put_zone(message, CTA_ZONE, walk->zone);
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

/* Walks cost as much as there are connections, and a stranger's packet can cause one: they get a tenth of the time. */
static int walk_in_time(struct ctnetlink *ct, struct walk *walk)
{
	const uint64_t start = clock_now();
	int error;

	if (start / SECOND != ct->walk_second) {
		ct->walk_second = start / SECOND;
		ct->walk_time = 0;
	}
	if (ct->walk_time > SECOND / 10)
		return -EAGAIN;
	error = walk_table(ct, walk, true);
	if (error == -EINVAL || error == -EOPNOTSUPP)
		error = walk_table(ct, walk, false);
	ct->walk_time += clock_now() - start;
	return error;
}

/* By the sources of both tuples: a packet half-way through a source and a destination translation. */
static int find_by_sources(struct ctnetlink *ct, const struct endpoint *original, const struct endpoint *reply,
			   uint16_t zone, struct connection *connection)
{
	struct walk walk = { .original = original, .reply = reply, .zone = zone, .connection = connection };

	return walk_in_time(ct, &walk);
}

/* From what came with the packet. Until its first packet has left ("confirmed"), translations may be missing. */
static bool find_by_hint(const struct ctnetlink *ct, struct connection *connection)
{
	return ct->hint && ctmessage_read_connection(ct->hint, ct->hint_length, connection) == 0 &&
	       (connection->status & IPS_CONFIRMED);
}

static int find_connection(struct ctnetlink *ct, const struct tuple *seen, uint16_t zone,
			   struct connection *connection)
{
	int error;

	if (find_by_hint(ct, connection))
		return 0;
	error = find_by_tuple(ct, seen, zone, connection);
	if (error == -ENOENT)
		error = find_by_sources(ct, &seen->src, &seen->dst, zone, connection);
	if (error == -ENOENT)
		error = find_by_sources(ct, &seen->dst, &seen->src, zone, connection);
	return error;
}

static int ctnetlink_find(struct conntrack *conntrack, const struct tuple *seen, uint16_t zone,
			  struct binding *binding, enum direction *direction)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	struct connection connection;
	int error = find_connection(ct, seen, zone, &connection);

	if (error)
		return error;
	if (!binding_direction(&connection.binding, seen, direction))
		return -ENOENT;
	*binding = connection.binding;
	return 0;
}

/* ---- taking back ---- */

static void add_get_expected(struct ctnetlink *ct, const struct tuple *tuple, uint16_t zone)
{
	struct nlmsghdr *message =
		exchange_add(&ct->exchange, EXPECT(IPCTNL_MSG_EXP_GET), 0, tuple->dst.family);

	ctmessage_put_tuple(message, CTA_EXPECT_TUPLE, tuple);
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, zone);
}

static int answer_expected(const struct answer *answer, struct expected *expected)
{
	const void *attributes;
	int length;

	if (answer->error)
		return answer->error;
	if (!answer->message)
		return -EBADMSG;
	length = exchange_attributes(answer->message, EXPECT(IPCTNL_MSG_EXP_NEW), &attributes);
	return length < 0 ? length : ctmessage_read_expected(attributes, (size_t)length, expected);
}

static int delete_by_id(struct ctnetlink *ct, const struct tuple *tuple, uint16_t zone, uint32_t id)
{
	struct nlmsghdr *message;

	exchange_begin(&ct->exchange);
	message = exchange_add(&ct->exchange, EXPECT(IPCTNL_MSG_EXP_DELETE), NLM_F_ACK, tuple->dst.family);
	ctmessage_put_tuple(message, CTA_EXPECT_TUPLE, tuple);
	mnl_attr_put_u32(message, CTA_EXPECT_ID, htonl(id));
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, zone);
	return exchange_run_one(&ct->exchange);
}

static bool is_master(const struct tuple *a, const struct tuple *b)
{
	return endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst);
}

/* Delete an expectation of this master. -ENOENT: there is none; -EBUSY: it is another master's. */
static int delete_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	struct tuple tuple = expectation->tuple;
	struct expected expected;
	int error;

	tuple.src.port = 0;
	exchange_begin(&ct->exchange);
	add_get_expected(ct, &tuple, master->zone);
	error = exchange_run(&ct->exchange);
	if (!error)
		error = answer_expected(&ct->exchange.answer[0], &expected);
	if (error)
		return error;
	if (!is_master(&expected.master, &master->tuple[DIRECTION_ORIGINAL]))
		return -EBUSY;
	return delete_by_id(ct, &tuple, master->zone, expected.id);
}

/* Ask for all expectations that are to be taken back at once; hardly ever is one of them still there. */
static void flush_expectations(struct ctnetlink *ct)
{
	bool found[CTNETLINK_DEFERRED] = { false };
	uint32_t id[CTNETLINK_DEFERRED];
	unsigned int asked = 0;

	exchange_begin(&ct->exchange);
	for (unsigned int i = 0; i < ct->deferred_count; i++)
		if (!ct->deferred[i].settle)
			add_get_expected(ct, &ct->deferred[i].expectation.tuple, ct->deferred[i].zone);
	if (ct->exchange.count == 0 || exchange_run(&ct->exchange))
		return;
	for (unsigned int i = 0; i < ct->deferred_count; i++) {
		struct expected expected;

		if (ct->deferred[i].settle || answer_expected(&ct->exchange.answer[asked++], &expected))
			continue;
		found[i] = is_master(&expected.master, &ct->deferred[i].master);
		id[i] = expected.id;
	}
	for (unsigned int i = 0; i < ct->deferred_count; i++)
		if (found[i])
			(void)delete_by_id(ct, &ct->deferred[i].expectation.tuple, ct->deferred[i].zone, id[i]);
}

static uint16_t seqadj_type(enum direction direction)
{
	return direction == DIRECTION_ORIGINAL ? CTA_SEQ_ADJ_ORIG : CTA_SEQ_ADJ_REPLY;
}

/* A direction whose text never changed its length is not to look adjusted. */
static void put_settled(struct nlmsghdr *message, const struct seqadj adjustment[2])
{
	for (int d = 0; d < 2; d++) {
		const struct seqadj settled = seqadj_settled(&adjustment[d]);

		if (seqadj_active(&adjustment[d]))
			ctmessage_put_seqadj(message, seqadj_type((enum direction)d), &settled);
	}
}

static void flush_settled(struct ctnetlink *ct)
{
	exchange_begin(&ct->exchange);
	for (unsigned int i = 0; i < ct->deferred_count; i++) {
		const struct deferred *deferred = &ct->deferred[i];
		struct nlmsghdr *message;

		if (!deferred->settle)
			continue;
		message = exchange_add(&ct->exchange, CT(IPCTNL_MSG_CT_NEW), 0, deferred->master.src.family);
		ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &deferred->master);
		ctmessage_put_zone(message, CTA_ZONE, deferred->zone);
		put_settled(message, deferred->seqadj);
		if (!ct->config.mark_edits || !ct->config.mark_mask)
			continue;
		mnl_attr_put_u32(message, CTA_MARK, 0);
		mnl_attr_put_u32(message, CTA_MARK_MASK, htonl(ct->config.mark_mask));
	}
	/* A connection that is gone needs nothing. */
	if (ct->exchange.count)
		(void)exchange_post(&ct->exchange);
}

void ctnetlink_flush(struct ctnetlink *ct)
{
	if (!ct->deferred_count)
		return;
	flush_expectations(ct);
	flush_settled(ct);
	ct->deferred_count = 0;
}

static struct deferred *defer(struct ctnetlink *ct, const struct binding *master, bool settle)
{
	struct deferred *deferred;

	if (ct->deferred_count == CTNETLINK_DEFERRED)
		ctnetlink_flush(ct);
	deferred = &ct->deferred[ct->deferred_count++];
	deferred->master = master->tuple[DIRECTION_ORIGINAL];
	deferred->zone = master->zone;
	deferred->settle = settle;
	return deferred;
}

/* What was deferred for @master is not to be done after all: a taking back of @expectation; where NULL, the settling. */
static void undefer(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < ct->deferred_count; i++) {
		const struct deferred *deferred = &ct->deferred[i];
		bool drop = deferred->settle == !expectation && deferred->zone == master->zone &&
			    is_master(&deferred->master, &master->tuple[DIRECTION_ORIGINAL]);

		if (drop && expectation)
			drop = endpoint_equal(&deferred->expectation.tuple.dst, &expectation->tuple.dst) &&
			       endpoint_address_equal(&deferred->expectation.tuple.src, &expectation->tuple.src);
		if (!drop)
			ct->deferred[kept++] = *deferred;
	}
	ct->deferred_count = kept;
}

static void ctnetlink_unexpect(struct conntrack *conntrack, const struct binding *master,
			       const struct expectation *expectation)
{
	struct deferred *deferred = defer(ctnetlink_of(conntrack), master, false);

	deferred->expectation = *expectation;
	deferred->expectation.tuple.src.port = 0;
}

static void ctnetlink_settle(struct conntrack *conntrack, const struct binding *master)
{
	struct deferred *deferred = defer(ctnetlink_of(conntrack), master, true);

	memcpy(deferred->seqadj, master->seqadj, sizeof(deferred->seqadj));
}

/* ---- expecting ---- */

static int create_expected(struct ctnetlink *ct, const struct binding *master, const struct expectation *expectation)
{
	struct nlmsghdr *message;

	exchange_begin(&ct->exchange);
	message = exchange_add(&ct->exchange, EXPECT(IPCTNL_MSG_EXP_NEW), NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
			       expectation->tuple.dst.family);
	ctmessage_put_tuple(message, CTA_EXPECT_MASTER, &master->tuple[DIRECTION_ORIGINAL]);
	ctmessage_put_expectation(message, expectation, ct->config.expect_timeout);
	ctmessage_put_zone(message, CTA_EXPECT_ZONE, master->zone);
	return exchange_run_one(&ct->exchange);
}

static int ctnetlink_expect(struct conntrack *conntrack, const struct binding *master,
			    const struct expectation *expectation)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	int error;

	undefer(ct, master, expectation);
	error = create_expected(ct, master, expectation);

	if (error != -EEXIST)
		return error;
	error = delete_expected(ct, master, expectation);
	if (error && error != -ENOENT)
		return error;
	error = create_expected(ct, master, expectation);
	return error == -EEXIST ? -EBUSY : error;
}

/* ---- adjusting ---- */

static struct nlmsghdr *add_update(struct ctnetlink *ct, const struct binding *master, unsigned int flags)
{
	struct nlmsghdr *message;

	message = exchange_add(&ct->exchange, CT(IPCTNL_MSG_CT_NEW), flags, binding_family(master));
	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &master->tuple[DIRECTION_ORIGINAL]);
	ctmessage_put_zone(message, CTA_ZONE, master->zone);
	return message;
}

static void put_mark(const struct ctnetlink *ct, struct nlmsghdr *message)
{
	if (!ct->config.mark_mask)
		return;
	mnl_attr_put_u32(message, CTA_MARK, htonl(ct->config.mark));
	mnl_attr_put_u32(message, CTA_MARK_MASK, htonl(ct->config.mark_mask));
}

/* Has the kernel adjusted this connection before? Then it can. */
static bool kernel_adjusts(const struct binding *binding)
{
	return seqadj_active(&binding->seqadj[DIRECTION_ORIGINAL]) ||
	       seqadj_active(&binding->seqadj[DIRECTION_REPLY]);
}

/* Did the adjustment take? It did where it can be read back. */
static int check_adjusted(const struct answer *answer, enum direction direction, const struct seqadj *adjustment)
{
	struct connection connection;
	const struct seqadj *taken;
	int error = answer_connection(answer, &connection);

	if (error)
		return error;
	taken = &connection.binding.seqadj[direction];
	if (taken->pos != adjustment->pos || taken->before != adjustment->before || taken->after != adjustment->after)
		return -EOPNOTSUPP;
	return 0;
}

/* -EOPNOTSUPP: this connection takes no adjustment. */
static int adjust_by_kernel(struct ctnetlink *ct, const struct binding *master, enum direction direction,
			    const struct seqadj *adjustment)
{
	const bool proven = kernel_adjusts(master);
	struct nlmsghdr *message;
	int error;

	undefer(ct, master, NULL);
	exchange_begin(&ct->exchange);
	message = add_update(ct, master, NLM_F_ACK);
	ctmessage_put_seqadj(message, seqadj_type(direction), adjustment);
	if (seqadj_misjudged(adjustment))
		ctmessage_put_liberal(message);
	if (ct->config.mark_edits)
		put_mark(ct, message);
	if (!proven)
		add_get(ct, &master->tuple[DIRECTION_ORIGINAL], master->zone);
	error = exchange_run(&ct->exchange);
	if (!error)
		error = ct->exchange.answer[0].error;
	if (!error && !proven)
		error = check_adjusted(&ct->exchange.answer[1], direction, adjustment);
	if (error)
		return error;
	ct->counters.kernel_adjusted++;
	return SEQADJ_KERNEL;
}

static int adjust_by_self(struct ctnetlink *ct, const struct binding *master)
{
	struct nlmsghdr *message;
	int error;

	exchange_begin(&ct->exchange);
	message = add_update(ct, master, NLM_F_ACK);
	ctmessage_put_liberal(message);
	put_mark(ct, message);
	error = exchange_run_one(&ct->exchange);
	if (error)
		return error;
	ct->counters.self_adjusted++;
	return SEQADJ_SELF;
}

/* Is there a helper of user space that has this name? */
struct name_search {
	const char *name;
	bool found;
};

static void compare_name(void *context, const struct cthelper *helper)
{
	struct name_search *search = context;

	search->found |= strcmp(search->name, helper->name) == 0;
}

static int get_connection(struct ctnetlink *ct, const struct binding *master, struct connection *connection)
{
	int error;

	if (find_by_hint(ct, connection) &&
	    is_master(&connection->binding.tuple[DIRECTION_ORIGINAL], &master->tuple[DIRECTION_ORIGINAL]))
		return 0;
	exchange_begin(&ct->exchange);
	add_get(ct, &master->tuple[DIRECTION_ORIGINAL], master->zone);
	error = exchange_run(&ct->exchange);
	return error ? error : answer_connection(&ct->exchange.answer[0], connection);
}

/*
 * Is this connection's helper one of user space, though not the one that has queued the packet? Asked once a connection,
 * and only where there can be one.
 */
static bool carried_by_user(struct ctnetlink *ct, const struct binding *master)
{
	const char *queueing = ct->config.queueing_helper;
	struct connection connection;
	struct name_search search = { .name = connection.helper };

	if (!ct->cthelpers || get_connection(ct, master, &connection) || !connection.helper[0])
		return false;
	if (queueing && strcmp(connection.helper, queueing) == 0)
		return false;
	(void)cthelper_list(&ct->exchange, compare_name, &search);
	return search.found;
}

static int ctnetlink_adjust_seq(struct conntrack *conntrack, const struct binding *master, enum direction direction,
				const struct seqadj *adjustment)
{
	struct ctnetlink *ct = ctnetlink_of(conntrack);
	const bool proven = kernel_adjusts(master);
	int result;

	/* Whom the kernel adjusts already, as a daemon of another mode may have left it, it goes on to adjust. */
	if (ct->config.seqadj == SEQADJ_MODE_SELF && !proven)
		return adjust_by_self(ct, master);
	if (!proven && carried_by_user(ct, master)) {
		if (ct->config.seqadj == SEQADJ_MODE_KERNEL)
			return -CTNETLINK_TWICE;
		ct->counters.carried_by_user++;
		return adjust_by_self(ct, master);
	}
	result = adjust_by_kernel(ct, master, direction, adjustment);
	if (result != -EOPNOTSUPP || ct->config.seqadj == SEQADJ_MODE_KERNEL)
		return result;
	return adjust_by_self(ct, master);
}

static const struct conntrack_ops ctnetlink_ops = {
	.find = ctnetlink_find,
	.expect = ctnetlink_expect,
	.unexpect = ctnetlink_unexpect,
	.adjust_seq = ctnetlink_adjust_seq,
	.settle = ctnetlink_settle,
};

/* No such connection exists, and whoever says so is ctnetlink. */
static int probe(struct ctnetlink *ct)
{
	const struct tuple nobody = { .src.family = FAMILY_IPV4, .dst.family = FAMILY_IPV4 };
	int error;

	exchange_begin(&ct->exchange);
	add_get(ct, &nobody, 0);
	error = exchange_run_one(&ct->exchange);
	if (error == -ENOENT)
		return 0;
	return error == -EINVAL ? -EPROTONOSUPPORT : error;
}

static void look_away(void *context, const struct cthelper *helper)
{
	(void)context;
	(void)helper;
}

int ctnetlink_open(struct ctnetlink *ct, const struct ctnetlink_config *config)
{
	int error;

	memset(ct, 0, sizeof(*ct));
	ct->conntrack.ops = &ctnetlink_ops;
	ct->config = *config;
	ct->conntrack.all_come = config->all_come;
	error = exchange_open(&ct->exchange);
	if (error)
		return error;
	error = probe(ct);
	if (error)
		ctnetlink_close(ct);
	else
		ct->cthelpers = cthelper_list(&ct->exchange, look_away, NULL) != -EPROTONOSUPPORT;
	return error;
}

void ctnetlink_close(struct ctnetlink *ct)
{
	exchange_close(&ct->exchange);
}

void ctnetlink_hint(struct ctnetlink *ct, const void *attributes, size_t length)
{
	ct->hint = attributes;
	ct->hint_length = length;
}
