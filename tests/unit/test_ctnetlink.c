// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel has done when its answer is lost. Here it is a model behind writev(): one connection, its sequence
 * adjustments, and one expectation. It does what it is asked for; its answers then come, or do not (ENOBUFS). Whatever
 * is lost, nothing stays open that was not announced, and nothing is adjusted that was not edited.
 */
#include "unit.h"

#include "kernel/attributes.h"
#include "kernel/ctmessage.h"
#include "kernel/ctnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define EXPECT_ID   99
#define CT_ID	    77
#define ESTABLISHED 3 /* TCP_CONNTRACK_ESTABLISHED */
#define LAST_ACK    6
#define TIME_WAIT   7
#define CLOSE	    8
#define OTHER_ID    78
#define SECOND	    1000000000ull

/* clang-format off */
#define CLIENT(number) { .family = FAMILY_IPV4, .address = { 10, 0, 0, 2 }, .port = (number) }
#define SERVER(number) { .family = FAMILY_IPV4, .address = { 192, 0, 2, 21 }, .port = (number) }
#define OUTSIDE(number) { .family = FAMILY_IPV4, .address = { 203, 0, 113, 1 }, .port = (number) }
/* clang-format on */

static const struct binding master = {
	.tuple = { { CLIENT(40000), SERVER(21) }, { SERVER(21), OUTSIDE(40000) } },
};
static const struct expectation expectation = { .tuple = { SERVER(0), OUTSIDE(3001) } };

/* The same where the data connection is translated, and its tuples if it comes from the server's data port. */
static const struct expectation translated = {
	.tuple = { SERVER(0), OUTSIDE(3001) },
	.translated = true,
	.nat_direction = DIRECTION_REPLY,
	.nat_src = CLIENT(3001),
};
static const struct tuple data[2] = { { SERVER(20), OUTSIDE(3001) }, { CLIENT(3001), SERVER(20) } };

/* The kernel's side. */
static bool expected, foreign; /* there is an expectation; it is another connection's */
static bool seqadj_missing;    /* it has no room for adjustments, and says nothing */
static struct seqadj adjusted[2];
static bool labels_missing, marks_missing; /* likewise; a label that has no room is refused */
static uint8_t labels[CONNECTION_LABELS_MAX];
static uint32_t mark;
static unsigned int lost; /* of the answers that are fetched, the next so many are lost */
static bool no_memory;	  /* for a description of the connection: it does what it is told, and says nothing of it */
static unsigned int asked;
static uint32_t policy;		  /* seconds that the master's helper gives each expectation */
static uint32_t expected_seconds; /* that this one has got */
static unsigned int told_again;	  /* so often it was told of another time */
static bool gone;		  /* the connection is */
static uint32_t seconds;	  /* until it will be */
static uint8_t tcp_state;
static bool liberal;
static struct binding other; /* another connection */
static uint8_t other_state;  /* 0: there is none */

static uint64_t clock_now;  /* nanoseconds */
static uint64_t walk_takes; /* so many, through all connections */
static unsigned int walks;

static struct {
	size_t length;
	_Alignas(8) uint8_t bytes[CTMESSAGE_MAX];
} answers[EXCHANGE_MESSAGES];
static unsigned int first, count;

static struct ctnetlink ctnetlink;

/* Packets that have been judged: how often they were sent off, and as what the kernel adjusted them then. */
static unsigned int departures;
static struct seqadj left_as;

static void depart(void *context)
{
	(void)context;
	departures++;
	left_as = adjusted[DIRECTION_ORIGINAL];
}

/* ---- the kernel ---- */

static struct nlmsghdr *answer(const struct nlmsghdr *question, uint16_t type)
{
	struct nlmsghdr *message;

	assert_true(count < EXCHANGE_MESSAGES);
	memset(&answers[count], 0, sizeof(answers[count]));
	message = ctmessage_begin(answers[count++].bytes, type, 0, FAMILY_IPV4, question->nlmsg_seq);
	return message;
}

static void answer_error(const struct nlmsghdr *question, int error)
{
	struct nlmsghdr *message = answer(question, NLMSG_ERROR);
	struct nlmsgerr *payload = mnl_nlmsg_get_payload(message);

	payload->error = error;
	message->nlmsg_len = NLMSG_LENGTH(sizeof(*payload));
}

static const struct nlattr *find(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attribute) == type)
			return attribute;
	}
	return NULL;
}

static void take_seqadj(const struct nlattr *nest, struct seqadj *seqadj)
{
	const struct nlattr *attribute;

	if (!nest || seqadj_missing)
		return;
	mnl_attr_for_each_nested(attribute, nest)
	{
		if (mnl_attr_get_type(attribute) == CTA_SEQADJ_CORRECTION_POS)
			seqadj->pos = attribute_be32(attribute);
		else if (mnl_attr_get_type(attribute) == CTA_SEQADJ_OFFSET_BEFORE)
			seqadj->before = (int32_t)attribute_be32(attribute);
		else
			seqadj->after = (int32_t)attribute_be32(attribute);
	}
}

static void put_state(struct nlmsghdr *message, uint8_t state)
{
	const struct nf_ct_tcp_flags flags = { .flags = liberal ? IP_CT_TCP_FLAG_BE_LIBERAL : 0 };
	struct nlattr *outer = mnl_attr_nest_start(message, CTA_PROTOINFO);
	struct nlattr *inner = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);

	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(flags), &flags);
	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(flags), &flags);
	mnl_attr_nest_end(message, inner);
	mnl_attr_nest_end(message, outer);
}

/* As nf_connlabels_replace() does, a byte at a time. Return: 0; -ENOSPC: there is no room. */
static int take_labels(const struct nlattr *value, const struct nlattr *mask)
{
	const uint8_t *bits = value ? mnl_attr_get_payload(value) : NULL;
	const uint8_t *which = mask ? mnl_attr_get_payload(mask) : NULL;

	if (!bits || !which)
		return 0;
	if (labels_missing)
		return -ENOSPC;
	assert_int_equal(mnl_attr_get_payload_len(value), sizeof(labels));
	assert_int_equal(mnl_attr_get_payload_len(mask), sizeof(labels));
	for (unsigned int i = 0; i < sizeof(labels); i++)
		labels[i] = (uint8_t)((labels[i] & ~which[i]) ^ bits[i]);
	return 0;
}

static void take_mark(const struct nlattr *value, const struct nlattr *mask)
{
	if (value && !marks_missing)
		mark = (mark & ~attribute_be32(mask)) ^ attribute_be32(value);
}

static bool asks_for(const struct nlmsghdr *question, const struct tuple *tuple)
{
	_Alignas(8) uint8_t buffer[CTMESSAGE_MAX] = { 0 };
	struct nlmsghdr *message = ctmessage_begin(buffer, 0, 0, FAMILY_IPV4, 0);
	const struct nlattr *asked_for = find(question, CTA_TUPLE_ORIG);

	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, tuple);
	return memcmp(asked_for, find(message, CTA_TUPLE_ORIG), asked_for->nla_len) == 0;
}

static void answer_other(const struct nlmsghdr *question)
{
	struct nlmsghdr *message;

	if (!other_state || !(asks_for(question, &other.tuple[0]) || asks_for(question, &other.tuple[1]))) {
		answer_error(question, -ENOENT);
		return;
	}
	message = answer(question, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &other.tuple[DIRECTION_ORIGINAL]);
	ctmessage_put_tuple(message, CTA_TUPLE_REPLY, &other.tuple[DIRECTION_REPLY]);
	attribute_put_be32(message, CTA_ID, OTHER_ID);
	put_state(message, other_state);
}

static void forget_other(const struct nlmsghdr *question)
{
	assert_true(asks_for(question, &other.tuple[DIRECTION_ORIGINAL]));
	assert_int_equal(attribute_be32(find(question, CTA_ID)), OTHER_ID);
	assert_false(question->nlmsg_flags & NLM_F_ACK);
	other_state = 0;
}

/* Among all connections there is none of this kind. */
static void walk(const struct nlmsghdr *question)
{
	struct nlmsghdr *message = answer(question, NLMSG_DONE);

	message->nlmsg_len = NLMSG_LENGTH(sizeof(int));
	clock_now += walk_takes;
	walks++;
}

static void handle_connection(const struct nlmsghdr *question)
{
	struct nlmsghdr *message;
	int error;

	if ((question->nlmsg_type & 0xff) == IPCTNL_MSG_CT_GET && (question->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
		walk(question);
		return;
	}
	if ((question->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE) {
		forget_other(question);
		return;
	}
	if ((question->nlmsg_type & 0xff) == IPCTNL_MSG_CT_NEW) {
		if (find(question, CTA_TIMEOUT))
			seconds = attribute_be32(find(question, CTA_TIMEOUT));
		take_seqadj(find(question, CTA_SEQ_ADJ_ORIG), &adjusted[DIRECTION_ORIGINAL]);
		take_seqadj(find(question, CTA_SEQ_ADJ_REPLY), &adjusted[DIRECTION_REPLY]);
		take_mark(find(question, CTA_MARK), find(question, CTA_MARK_MASK));
		liberal |= find(question, CTA_PROTOINFO) != NULL; /* there is nothing else that it is told so */
		error = take_labels(find(question, CTA_LABELS), find(question, CTA_LABELS_MASK));
		if (question->nlmsg_flags & NLM_F_ACK)
			answer_error(question, error);
		return;
	}
	if (asks_for(question, &data[0]) || asks_for(question, &data[1])) {
		answer_other(question);
		return;
	}
	if (no_memory) {
		answer_error(question, -ENOMEM);
		return;
	}
	if (!asked++ || gone) { /* the first: whether anybody is there */
		answer_error(question, -ENOENT);
		return;
	}
	message = answer(question, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	ctmessage_put_tuple(message, CTA_TUPLE_ORIG, &master.tuple[DIRECTION_ORIGINAL]);
	ctmessage_put_tuple(message, CTA_TUPLE_REPLY, &master.tuple[DIRECTION_REPLY]);
	ctmessage_put_seqadj(message, CTA_SEQ_ADJ_ORIG, &adjusted[DIRECTION_ORIGINAL]);
	ctmessage_put_seqadj(message, CTA_SEQ_ADJ_REPLY, &adjusted[DIRECTION_REPLY]);
	mnl_attr_put_u32(message, CTA_ID, htonl(CT_ID));
	mnl_attr_put_u32(message, CTA_TIMEOUT, htonl(seconds));
	put_state(message, tcp_state);
	attribute_put_be32(message, CTA_MARK, mark);
	if (!labels_missing)
		mnl_attr_put(message, CTA_LABELS, sizeof(labels), labels);
}

/* Only who creates and will not find one is told so; who will not create is told of the time. */
static int take_expectation(const struct nlmsghdr *question)
{
	if (expected && question->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	if (expected) {
		expected_seconds = attribute_be32(find(question, CTA_EXPECT_TIMEOUT));
		told_again++;
		return 0;
	}
	if (!(question->nlmsg_flags & NLM_F_CREATE))
		return -ENOENT;
	expected = true;
	expected_seconds = policy;
	return 0;
}

static void handle_expectation(const struct nlmsghdr *question)
{
	struct nlmsghdr *message;

	switch (question->nlmsg_type & 0xff) {
	case IPCTNL_MSG_EXP_NEW:
		answer_error(question, take_expectation(question));
		break;
	case IPCTNL_MSG_EXP_GET:
		if (!expected) {
			answer_error(question, -ENOENT);
			break;
		}
		message = answer(question, NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW);
		ctmessage_put_tuple(message, CTA_EXPECT_MASTER, &master.tuple[foreign]);
		mnl_attr_put_u32(message, CTA_EXPECT_ID, htonl(EXPECT_ID));
		mnl_attr_put_u32(message, CTA_EXPECT_TIMEOUT, htonl(expected_seconds - 1)); /* some of it has passed */
		break;
	default:
		assert_int_equal(question->nlmsg_type & 0xff, IPCTNL_MSG_EXP_DELETE);
		assert_int_equal(attribute_be32(find(question, CTA_EXPECT_ID)), EXPECT_ID);
		expected = false;
		answer_error(question, 0);
	}
}

struct mnl_socket *__real_mnl_socket_open2(int bus, int flags);
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
ssize_t __wrap_writev(int fd, const struct iovec *pieces, int pieces_count);
ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned int room, int flags, struct timespec *timeout);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	*time = (struct timespec){ .tv_sec = (time_t)(clock_now / SECOND), .tv_nsec = (long)(clock_now % SECOND) };
	return 0;
}

/* Of a kind that every kernel has: nothing goes through it. */
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	(void)bus;
	return __real_mnl_socket_open2(NETLINK_ROUTE, flags);
}

ssize_t __wrap_writev(int fd, const struct iovec *pieces, int pieces_count)
{
	(void)fd;
	first = count = 0;
	for (int i = 0; i < pieces_count; i++) {
		const struct nlmsghdr *question = pieces[i].iov_base;

		if (question->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK)
			handle_connection(question);
		else if (question->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK_EXP)
			handle_expectation(question);
		else /* no helpers of user space */
			answer_error(question, -EINVAL);
	}
	return 1;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct nlmsghdr *message;

	(void)fd;
	(void)flags;
	assert_true(first < count);
	if (lost) {
		lost--;
		first = count = 0;
		errno = ENOBUFS;
		return -1;
	}
	message = (const struct nlmsghdr *)(const void *)answers[first++].bytes;
	memcpy(datagram->msg_name, &kernel, sizeof(kernel));
	memcpy(datagram->msg_iov->iov_base, message, message->nlmsg_len);
	datagram->msg_flags = 0;
	return message->nlmsg_len;
}

int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned int room, int flags, struct timespec *timeout)
{
	const ssize_t length = __wrap_recvmsg(fd, &datagrams->msg_hdr, flags);

	(void)room;
	(void)timeout;
	if (length < 0)
		return -1;
	datagrams->msg_len = (unsigned int)length;
	return 1;
}

/* ---- tests ---- */

static int opened(void **state)
{
	const struct ctnetlink_config config = { .seqadj = SEQADJ_MODE_AUTO, .send_packets = depart };

	(void)state;
	expected = foreign = seqadj_missing = labels_missing = marks_missing = liberal = false;
	memset(labels, 0, sizeof(labels));
	mark = 0;
	memset(adjusted, 0, sizeof(adjusted));
	lost = asked = departures = told_again = 0;
	no_memory = false;
	walks = 0;
	clock_now = 1000 * SECOND;
	policy = 300;
	gone = false;
	seconds = 90;
	tcp_state = ESTABLISHED;
	other_state = 0;
	return ctnetlink_open(&ctnetlink, &config);
}

static int closed(void **state)
{
	(void)state;
	ctnetlink_close(&ctnetlink);
	return 0;
}

static int expect(void)
{
	return ctnetlink.conntrack.ops->expect(&ctnetlink.conntrack, &master, &expectation);
}

static int adjust(const struct binding *binding, const struct seqadj *seqadj)
{
	return ctnetlink.conntrack.ops->adjust_seq(&ctnetlink.conntrack, binding, DIRECTION_ORIGINAL, seqadj);
}

static void are_equal(const struct seqadj *is, const struct seqadj *wanted)
{
	assert_int_equal(is->pos, wanted->pos);
	assert_int_equal(is->before, wanted->before);
	assert_int_equal(is->after, wanted->after);
}

static void is_adjusted(const struct seqadj *seqadj)
{
	are_equal(&adjusted[DIRECTION_ORIGINAL], seqadj);
}

static void expectations_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(expect(), 0);
	ctnetlink_flush(&ctnetlink);
	assert_true(expected);
	assert_int_equal(expect(), 0); /* an equal one is replaced */
	assert_true(expected);
	ctnetlink.conntrack.ops->unexpect(&ctnetlink.conntrack, &master, &expectation);
	assert_true(expected);
	ctnetlink_flush(&ctnetlink);
	assert_false(expected);
}

/* What another connection expects is neither replaced nor taken back. */
static void expectations_of_others(void **state)
{
	(void)state;
	expected = foreign = true;
	assert_int_equal(expect(), -EBUSY);
	ctnetlink.conntrack.ops->unexpect(&ctnetlink.conntrack, &master, &expectation);
	ctnetlink_flush(&ctnetlink);
	assert_true(expected);
}

/* Nobody will announce it, so it must not stay. */
static void a_lost_expectation_is_taken_back(void **state)
{
	(void)state;
	lost = 1;
	assert_int_equal(expect(), -ENOBUFS);
	assert_true(expected);
	ctnetlink_flush(&ctnetlink);
	assert_false(expected);
}

/* But one that is made after it is announced, and stays. */
static void a_lost_expectation_is_made_again(void **state)
{
	(void)state;
	lost = 1;
	assert_int_equal(expect(), -ENOBUFS);
	assert_int_equal(expect(), 0);
	ctnetlink_flush(&ctnetlink);
	assert_true(expected);
}

/* What is to be taken back is asked for once more where the kernel's answer is lost; there is always room for what else is to be done. */
static void a_lost_answer_leaves_nothing_open(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		lost = 2;
		assert_int_equal(expect(), -ENOBUFS);
		ctnetlink_flush(&ctnetlink);
		assert_true(expected);
		ctnetlink_flush(&ctnetlink);
		assert_false(expected);
	}
	for (unsigned int i = 0; i < 4 * CTNETLINK_DEFERRED; i++) {
		lost = 1;
		ctnetlink.conntrack.ops->unexpect(&ctnetlink.conntrack, &master, &expectation);
		assert_true(ctnetlink.deferred_count <= CTNETLINK_DEFERRED);
	}
}

static void adjustments_are_taken(void **state)
{
	static const struct seqadj seqadj = { 1000, 0, 7 };

	(void)state;
	assert_int_equal(adjust(&master, &seqadj), SEQADJ_KERNEL);
	is_adjusted(&seqadj);
	seqadj_missing = true;
	memset(adjusted, 0, sizeof(adjusted));
	assert_int_equal(adjust(&master, &seqadj), SEQADJ_SELF);
}

#define OTHERS 0xff000000u

/* A label where there is room, else the mark; and without either no edit, whoever would adjust. */
static void a_label_or_the_mark_or_no_edit(void **state)
{
	static const struct seqadj seqadj = { 1000, 0, 7 };
	struct binding binding = master;

	(void)state;
	ctnetlink.config.mark_edits = ctnetlink.config.labels = true;
	ctnetlink.config.label = 117;
	ctnetlink.config.mark = ctnetlink.config.mark_mask = 0x200000;
	mark = OTHERS;
	labels[0] = 0x81;
	for (unsigned int self = 0; self < 2; self++) {
		seqadj_missing = self;
		labels_missing = marks_missing = false;
		labels[14] = 0;
		assert_int_equal(adjust(&master, &seqadj), self ? SEQADJ_SELF : SEQADJ_KERNEL);
		assert_int_equal(labels[14], 1 << 117 % 8);
		assert_int_equal(labels[0], 0x81);
		assert_int_equal(mark, OTHERS);
		labels_missing = true;
		memset(adjusted, 0, sizeof(adjusted));
		assert_int_equal(adjust(&master, &seqadj), self ? SEQADJ_SELF : SEQADJ_KERNEL);
		assert_int_equal(mark, OTHERS | 0x200000);
		mark = OTHERS;
		marks_missing = true;
		memset(adjusted, 0, sizeof(adjusted));
		assert_true(adjust(&master, &seqadj) < 0);
		assert_int_equal(adjusted[DIRECTION_ORIGINAL].after, 0);
	}
	/* Settled, both are off. */
	labels_missing = marks_missing = false;
	mark = OTHERS | 0x200000;
	binding.seqadj[DIRECTION_ORIGINAL] = seqadj;
	ctnetlink.conntrack.ops->settle(&ctnetlink.conntrack, &binding);
	ctnetlink_flush(&ctnetlink);
	assert_int_equal(labels[14], 0);
	assert_int_equal(labels[0], 0x81);
	assert_int_equal(mark, OTHERS);
}

static bool is_found_renumbered(void)
{
	enum direction direction;
	struct binding binding;

	assert_int_equal(ctnetlink.conntrack.ops->find(&ctnetlink.conntrack, &master.tuple[DIRECTION_ORIGINAL], 0,
						       &binding, &direction),
			 0);
	return binding.renumbered;
}

/* Whose numbers a session has moved shows: by the mark, or by the label, and by how conntrack looks at it; by one of them alone it does not. */
static void renumbered_is_found(void **state)
{
	static const struct seqadj seqadj = { 1000, 0, 7 };

	(void)state;
	asked = 1;
	ctnetlink.config.mark = ctnetlink.config.mark_mask = 0x200000;
	ctnetlink.config.label = 117;
	for (unsigned int by_label = 0; by_label < 2; by_label++) {
		ctnetlink.config.labels = by_label;
		liberal = seqadj_missing = false;
		mark = 0;
		memset(adjusted, 0, sizeof(adjusted));
		assert_false(is_found_renumbered());
		liberal = true; /* it was met in its middle */
		assert_false(is_found_renumbered());
		liberal = false;
		mark = 0x200000; /* it is adjusted by conntrack, and an edit is in flight */
		assert_false(is_found_renumbered());
		mark = 0;
		seqadj_missing = true;
		assert_int_equal(adjust(&master, &seqadj), SEQADJ_SELF);
		assert_true(is_found_renumbered());
	}
	memset(labels, 0, sizeof(labels));
	assert_false(is_found_renumbered());
	ctnetlink.config.labels = false;
	ctnetlink.config.mark = ctnetlink.config.mark_mask = 0; /* nothing is marked */
	assert_false(is_found_renumbered());
}

/* Nothing will be edited, so the kernel must adjust as it did before. */
static void a_lost_adjustment_is_taken_back(void **state)
{
	static const struct seqadj none = { 0, 0, 0 }, one = { 1000, 0, 7 }, two = { 2000, 7, 9 };
	struct binding binding = master;

	(void)state;
	lost = 1;
	assert_int_equal(adjust(&binding, &one), -ENOBUFS);
	is_adjusted(&none);
	assert_int_equal(adjust(&binding, &one), SEQADJ_KERNEL);
	is_adjusted(&one);
	binding.seqadj[DIRECTION_ORIGINAL] = one;
	lost = 1;
	assert_int_equal(adjust(&binding, &two), -ENOBUFS);
	is_adjusted(&one);
}

/* Nor where the kernel has adjusted, and has no memory to say whether it took. */
static void an_adjustment_not_read_back_is_taken_back(void **state)
{
	static const struct seqadj none = { 0, 0, 0 }, one = { 1000, 0, 7 };

	(void)state;
	no_memory = true;
	assert_int_equal(adjust(&master, &one), -ENOMEM);
	is_adjusted(&none);
	no_memory = false;
	assert_int_equal(adjust(&master, &one), SEQADJ_KERNEL);
	is_adjusted(&one);
}

/* What was judged before an edit leaves before the kernel is told of it: it is adjusted as it leaves. */
static void packets_leave_before_an_adjustment(void **state)
{
	static const struct seqadj none = { 0, 0, 0 }, one = { 1000, 0, 7 }, two = { 2000, 7, 9 };
	struct binding binding = master;

	(void)state;
	assert_int_equal(adjust(&binding, &one), SEQADJ_KERNEL);
	assert_int_equal(departures, 1);
	are_equal(&left_as, &none);
	binding.seqadj[DIRECTION_ORIGINAL] = one;
	assert_int_equal(adjust(&binding, &two), SEQADJ_KERNEL);
	assert_int_equal(departures, 2);
	are_equal(&left_as, &one);
	is_adjusted(&two);
}

/* So does what was judged before so much was deferred that it cannot wait for the batch's end. */
static void packets_leave_before_what_was_deferred(void **state)
{
	static const struct seqadj edited = { 2000, 7, 9 };
	const struct seqadj settled = seqadj_settled(&edited);
	struct binding binding = master;

	(void)state;
	binding.seqadj[DIRECTION_ORIGINAL] = adjusted[DIRECTION_ORIGINAL] = edited;
	for (unsigned int i = 0; i < CTNETLINK_DEFERRED; i++)
		ctnetlink.conntrack.ops->settle(&ctnetlink.conntrack, &binding);
	assert_int_equal(departures, 0);
	is_adjusted(&edited);
	ctnetlink.conntrack.ops->settle(&ctnetlink.conntrack, &binding);
	assert_int_equal(departures, 1);
	are_equal(&left_as, &edited);
	is_adjusted(&settled);
}

/* The policy of whatever helper carries it decides at first: where it differs, the kernel is told again. */
static void time_is_told_again(void **state)
{
	(void)state;
	ctnetlink.config.expect_timeout = 300;
	assert_int_equal(expect(), 0);
	assert_int_equal(told_again, 0);
	assert_int_equal(expect(), 0);
	policy = 180;
	assert_int_equal(expect(), 0);
	assert_int_equal(told_again, 1);
	assert_int_equal(expected_seconds, 300);
	expected = false;
	policy = 600;
	assert_int_equal(expect(), 0);
	assert_int_equal(expected_seconds, 300);
	expected = false;
	ctnetlink.config.policy_timeout = 300; /* ours: it is known */
	assert_int_equal(expect(), 0);
	assert_int_equal(told_again, 2);
}

static int expect_translated(const struct tuple *original, const struct tuple *reply, uint8_t state)
{
	expected = false;
	other.tuple[DIRECTION_ORIGINAL] = *original;
	other.tuple[DIRECTION_REPLY] = *reply;
	other_state = state;
	return ctnetlink.conntrack.ops->expect(&ctnetlink.conntrack, &master, &translated);
}

/* What another client has with the server cannot be had once more, until it has ended. Its own is none of our affairs. */
static void connected_ports(void **state)
{
	static const struct tuple others = { { .family = FAMILY_IPV4, .address = { 10, 0, 0, 3 }, .port = 3001 },
					     SERVER(20) };

	(void)state;
	ctnetlink.config.expect_timeout = policy = 300;
	for (unsigned int told = 0; told < 2; told++) {
		ctnetlink.config.policy_timeout = told ? policy : 0;
		assert_int_equal(expect_translated(&data[0], &others, ESTABLISHED), -EBUSY);
		assert_false(expected);
		assert_int_equal(expect_translated(&data[0], &others, LAST_ACK), -EBUSY);
		assert_int_equal(expect_translated(&data[0], &others, CLOSE), -EBUSY);
		assert_int_equal(other_state, CLOSE);
		assert_int_equal(expect_translated(&data[0], &others, TIME_WAIT), 0);
		assert_true(expected);
		assert_int_equal(other_state, TIME_WAIT);
		assert_int_equal(expect_translated(&data[0], &data[1], ESTABLISHED), 0);
		assert_int_equal(expect_translated(&data[0], &data[1], TIME_WAIT), 0);
		assert_int_equal(other_state, TIME_WAIT);
	}
	ctnetlink.config.policy_timeout = 0;
	policy = 180;
	assert_int_equal(expect_translated(&data[0], &data[1], TIME_WAIT), 0);
	assert_int_equal(expected_seconds, 300);
}

/* What led to the client's port from another one of ours is forgotten where it has ended: conntrack would drop the SYN for it. */
static void left_over_connections(void **state)
{
	static const struct tuple elsewhere = { SERVER(20), OUTSIDE(50000) };

	(void)state;
	assert_int_equal(expect_translated(&elsewhere, &data[1], TIME_WAIT), 0);
	assert_int_equal(other_state, 0);
	assert_int_equal(expect_translated(&elsewhere, &data[1], CLOSE), 0);
	assert_int_equal(other_state, 0);
	assert_int_equal(expect_translated(&elsewhere, &data[1], ESTABLISHED), 0);
	assert_int_equal(other_state, ESTABLISHED);
	expected = foreign = true; /* the port is another's: nothing is done for it */
	other_state = TIME_WAIT;
	assert_int_equal(ctnetlink.conntrack.ops->expect(&ctnetlink.conntrack, &master, &translated), -EBUSY);
	assert_int_equal(other_state, TIME_WAIT);
}

/* Another's of the same ports is left as it is, whatever was there before. */
static void time_of_others(void **state)
{
	(void)state;
	ctnetlink.config.expect_timeout = 300;
	policy = 180;
	expected = foreign = true;
	expected_seconds = 60;
	assert_int_equal(expect(), -EBUSY);
	assert_int_equal(ctnetlink.conntrack.ops->renew(&ctnetlink.conntrack, &master, &expectation, 300), -ENOENT);
	assert_int_equal(told_again, 0);
	assert_int_equal(expected_seconds, 60);
}

static void renewed(void **state)
{
	const struct conntrack_ops *ops = ctnetlink.conntrack.ops;

	(void)state;
	ctnetlink.config.expect_timeout = 300;
	assert_int_equal(expect(), 0);
	expected_seconds = 20;
	assert_int_equal(ops->renew(&ctnetlink.conntrack, &master, &expectation, 290), 0);
	assert_int_equal(expected_seconds, 290);
	lost = 1;
	assert_int_equal(ops->renew(&ctnetlink.conntrack, &master, &expectation, 300), -ENOBUFS);
	assert_true(expected);
	expected = false;
	assert_int_equal(ops->renew(&ctnetlink.conntrack, &master, &expectation, 300), -ENOENT);
	assert_false(expected); /* it was used: it is not made again */
}

static int look(struct sight *sight)
{
	return ctnetlink.conntrack.ops->look(&ctnetlink.conntrack, &master.tuple[0], 0, sight);
}

static void looked_at(void **state)
{
	struct sight sight = { .bound = &master };

	(void)state;
	ctnetlink.config.master_timeout = 432000;
	assert_int_equal(look(&sight), 0);
	assert_int_equal(sight.id, CT_ID);
	assert_false(sight.noted);
	assert_int_equal(seconds, 90);
	sight.keep = true;
	assert_int_equal(look(&sight), 0);
	assert_int_equal(seconds, 432000);
	ctnetlink.config.master_timeout = 3600; /* it has more */
	assert_int_equal(look(&sight), 0);
	assert_int_equal(seconds, 432000);
	seconds = 90;
	tcp_state = LAST_ACK; /* it ends: nobody keeps it from that */
	assert_int_equal(look(&sight), 0);
	assert_int_equal(seconds, 90);
	gone = true;
	assert_int_equal(look(&sight), -ENOENT);
	sight.bound = NULL;
	ctnetlink_hint(&ctnetlink, "", 0); /* the kernel names the connection: its own tuple is asked for */
	assert_int_equal(look(&sight), -ENOENT);
}

/* A packet a millisecond, each of a connection that only a walk could find, for ten minutes: however long one takes. */
static void walks_have_a_tenth_of_the_time(void **state)
{
	static const uint64_t takes[] = { SECOND / 1000, SECOND / 11, SECOND / 2, 2 * SECOND };

	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		const uint64_t begun = 1000 * SECOND, whole = 600 * SECOND;
		struct sight sight = { .bound = NULL };
		enum direction direction;
		struct binding binding;

		closed(state);
		assert_int_equal(opened(state), 0);
		gone = true;
		walk_takes = takes[i];
		while (clock_now < begun + whole) {
			(void)ctnetlink.conntrack.ops->find(&ctnetlink.conntrack, &master.tuple[0], 0, &binding,
							    &direction);
			if (clock_now / SECOND % 2)
				(void)look(&sight);
			clock_now += SECOND / 1000;
		}
		assert_true(walks * walk_takes <= whole / 10 + SECOND / 10 + walk_takes);
		assert_true(walks * walk_takes >= whole / 12);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(expectations_come_and_go),
		TEST(expectations_of_others),
		TEST(a_lost_expectation_is_taken_back),
		TEST(a_lost_expectation_is_made_again),
		TEST(a_lost_answer_leaves_nothing_open),
		TEST(adjustments_are_taken),
		TEST(a_label_or_the_mark_or_no_edit),
		TEST(renumbered_is_found),
		TEST(a_lost_adjustment_is_taken_back),
		TEST(an_adjustment_not_read_back_is_taken_back),
		TEST(packets_leave_before_an_adjustment),
		TEST(packets_leave_before_what_was_deferred),
		TEST(time_is_told_again),
		TEST(time_of_others),
		TEST(connected_ports),
		TEST(left_over_connections),
		TEST(renewed),
		TEST(looked_at),
		TEST(walks_have_a_tenth_of_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
