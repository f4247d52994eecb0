// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Questions to the kernel and what comes back instead of their answers: nothing, an error of the socket, answers to
 * older questions, pieces of a walk that was given up, datagrams that others have sent, datagrams that do not fit. The
 * kernel is a model behind writev(), recvmmsg() and recvmsg(): a list of datagrams that lie in the socket.
 */
#include "unit.h"

#include "kernel/exchange.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define TYPE 0x0100
#define SIZE 40000

/* One that lies in the socket, or what recvmmsg() says at this place. */
struct waiting {
	int error;
	uint32_t sender;
	size_t length;
	uint8_t bytes[SIZE];
};

static struct waiting waiting[8];
static unsigned int first, count, endless;
static int send_error[4];
static unsigned int sends;
static uint32_t sent[EXCHANGE_MESSAGES]; /* sequence numbers of the last questions */

static struct exchange exchange;

/* ---- the kernel ---- */

struct mnl_socket *__real_mnl_socket_open2(int bus, int flags);
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
ssize_t __wrap_writev(int fd, const struct iovec *pieces, int pieces_count);
ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned int room, int flags, struct timespec *timeout);

/* Of a kind that every kernel has: nothing goes through it. */
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	assert_int_equal(bus, NETLINK_NETFILTER);
	return __real_mnl_socket_open2(NETLINK_ROUTE, flags);
}

ssize_t __wrap_writev(int fd, const struct iovec *pieces, int pieces_count)
{
	const int error = sends < 4 ? send_error[sends] : 0;

	(void)fd;
	sends++;
	if (error) {
		errno = error;
		return -1;
	}
	for (int i = 0; i < pieces_count; i++)
		sent[i] = ((const struct nlmsghdr *)pieces[i].iov_base)->nlmsg_seq;
	return 1;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *datagram, int flags)
{
	struct sockaddr_nl sender = { .nl_family = AF_NETLINK };
	const struct waiting *next = &waiting[first];
	const struct iovec *piece = datagram->msg_iov;
	size_t length;

	(void)fd;
	(void)flags;
	if (first == count) {
		errno = EAGAIN;
		return -1;
	}
	if (endless)
		endless--;
	else
		first++;
	if (next->error) {
		errno = next->error;
		return -1;
	}
	assert_int_equal(datagram->msg_namelen, sizeof(sender));
	sender.nl_pid = next->sender;
	memcpy(datagram->msg_name, &sender, sizeof(sender));
	length = next->length < piece->iov_len ? next->length : piece->iov_len;
	memcpy(piece->iov_base, next->bytes, length);
	datagram->msg_flags = next->length > piece->iov_len ? MSG_TRUNC : 0;
	return (ssize_t)length;
}

/* MSG_WAITFORONE: an error is said only by a call that gets nothing. */
int __wrap_recvmmsg(int fd, struct mmsghdr *datagrams, unsigned int room, int flags, struct timespec *timeout)
{
	unsigned int taken = 0;

	assert_int_equal(flags, MSG_WAITFORONE);
	assert_null(timeout);
	while (taken < room && (taken == 0 || (first < count && !waiting[first].error))) {
		const ssize_t length = __wrap_recvmsg(fd, &datagrams[taken].msg_hdr, 0);

		if (length < 0)
			return taken ? (int)taken : -1;
		datagrams[taken++].msg_len = (unsigned int)length;
	}
	return (int)taken;
}

/* ---- what lies in the socket ---- */

static void clear(void)
{
	first = count = sends = endless = 0;
	memset(send_error, 0, sizeof(send_error));
}

static struct waiting *lay(uint32_t sender)
{
	struct waiting *result = &waiting[count++];

	assert_true(count <= sizeof(waiting) / sizeof(waiting[0]));
	memset(result, 0, sizeof(*result));
	result->sender = sender;
	return result;
}

static void lay_failure(int error)
{
	lay(0)->error = error;
}

/* A message of its own, or behind what is in the datagram already. */
static struct nlmsghdr *put(struct waiting *in, uint16_t type, uint32_t seq, size_t payload)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(in->bytes + in->length);

	assert_true(in->length + NLMSG_HDRLEN + payload <= SIZE);
	message->nlmsg_type = type;
	message->nlmsg_seq = seq;
	message->nlmsg_pid = mnl_socket_get_portid(exchange.socket);
	message->nlmsg_len += (uint32_t)payload;
	in->length += NLMSG_ALIGN(message->nlmsg_len);
	return message;
}

static void lay_object(uint32_t sender, uint32_t seq, size_t payload)
{
	put(lay(sender), TYPE, seq, payload);
}

static void put_error(struct waiting *in, uint16_t type, uint32_t seq, int error)
{
	struct nlmsghdr *message = put(in, type, seq, sizeof(struct nlmsgerr));

	((struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error = error;
}

/* ---- exchanges ---- */

/* Return: the first one's sequence number. */
static uint32_t ask(unsigned int questions)
{
	for (unsigned int i = 0; i < questions; i++)
		exchange_add(&exchange, TYPE, 0, FAMILY_IPV4);
	return exchange.seq;
}

static int opened(void **state)
{
	(void)state;
	return exchange_open(&exchange, NETLINK_NETFILTER);
}

static int closed(void **state)
{
	(void)state;
	exchange_close(&exchange);
	return 0;
}

static void is_object(unsigned int index, uint32_t seq)
{
	assert_int_equal(exchange.answer[index].error, 0);
	assert_non_null(exchange.answer[index].message);
	assert_int_equal(exchange.answer[index].message->nlmsg_seq, seq);
}

static void answers_in_any_order(void **state)
{
	uint32_t seq;

	(void)state;
	clear();
	seq = ask(3);
	lay_object(0, seq + 2, 20);
	put_error(lay(0), NLMSG_ERROR, seq, -ENOENT);
	lay_object(0, seq + 1, 8);
	assert_int_equal(exchange_run(&exchange), 0);
	assert_int_equal(sent[2], seq + 2);
	assert_int_equal(exchange.answer[0].error, -ENOENT);
	is_object(1, seq + 1);
	is_object(2, seq + 2);
}

/* Neither a stranger's datagram, nor an answer to what was asked before, nor a second one. */
static void what_is_no_answer(void **state)
{
	uint32_t seq;

	(void)state;
	clear();
	seq = ask(2);
	put_error(lay(4711), NLMSG_ERROR, seq, 0);
	lay_object(0, seq - 1, 20);
	lay_object(0, seq + 2, 20);
	lay_object(0, seq + 1, 20);
	put_error(lay(0), NLMSG_ERROR, seq + 1, -EPERM);
	lay(0)->length = 7;
	lay_object(0, seq, 20);
	assert_int_equal(exchange_run(&exchange), 0);
	is_object(0, seq);
	is_object(1, seq + 1);
	/* Another port's, though the kernel sends it. */
	clear();
	seq = ask(1);
	put(lay(0), TYPE, seq, 20)->nlmsg_pid ^= 1;
	lay_object(0, seq, 24);
	assert_int_equal(exchange_run(&exchange), 0);
	assert_int_equal(mnl_nlmsg_get_payload_len(exchange.answer[0].message), 24);
}

/* Pieces of a walk that was given up are larger than an answer can be; they are nobody's. */
static void remains_of_a_walk(void **state)
{
	uint32_t seq;

	(void)state;
	clear();
	seq = ask(1);
	lay_object(0, seq - 1, 30000);
	lay_object(0, seq - 1, 30000);
	lay_object(0, seq, 20);
	assert_int_equal(exchange_run(&exchange), 0);
	is_object(0, seq);
}

/* An answer that does not fit, or says that it is longer than it is, is none to be read. */
static void answers_cut_short(void **state)
{
	uint32_t seq;

	(void)state;
	clear();
	seq = ask(3);
	lay_object(0, seq, EXCHANGE_ANSWER_MAX);
	put(lay(0), TYPE, seq + 1, 20)->nlmsg_len += 4;
	lay_object(0, seq + 2, EXCHANGE_ANSWER_MAX - NLMSG_HDRLEN);
	assert_int_equal(exchange_run(&exchange), 0);
	assert_int_equal(exchange.answer[0].error, -EMSGSIZE);
	assert_null(exchange.answer[0].message);
	assert_int_equal(exchange.answer[1].error, -EBADMSG);
	assert_null(exchange.answer[1].message);
	is_object(2, seq + 2);
}

static void interrupted(void **state)
{
	uint32_t seq;

	(void)state;
	clear();
	seq = ask(1);
	send_error[0] = send_error[1] = EINTR;
	lay_failure(EINTR);
	lay_failure(EINTR);
	lay_object(0, seq, 20);
	assert_int_equal(exchange_run(&exchange), 0);
	is_object(0, seq);
	assert_int_equal(sends, 3);
}

/* The exchange has failed; the next one is not harmed by what comes late. */
static void lost_answers(void **state)
{
	static const int errors[][2] = { { ENOBUFS, -ENOBUFS }, { ENOMEM, -ENOMEM }, { EAGAIN, -ETIMEDOUT } };
	uint32_t seq;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		uint32_t before;

		clear();
		before = ask(2);
		lay_object(0, before, 20);
		lay_failure(errors[i][0]);
		assert_int_equal(exchange_run(&exchange), errors[i][1]);
		seq = ask(2);
		put_error(lay(0), NLMSG_ERROR, before + 1, 0);
		lay_object(0, seq, 20);
		lay_object(0, seq + 1, 20);
		assert_int_equal(exchange_run(&exchange), 0);
		is_object(0, seq);
		is_object(1, seq + 1);
	}
	clear();
	ask(1);
	send_error[0] = ENOBUFS;
	assert_int_equal(exchange_run(&exchange), -ENOBUFS);
	assert_int_equal(first, 0);
}

/* ---- walks ---- */

static unsigned int looked;

static void look(void *context, const struct nlmsghdr *object)
{
	assert_ptr_equal(context, &looked);
	assert_int_equal(object->nlmsg_type, TYPE);
	assert_int_equal(object->nlmsg_seq, exchange.seq);
	looked++;
}

static int walk(void)
{
	looked = 0;
	return exchange_walk(&exchange, look, &looked);
}

static void walks_end(void **state)
{
	struct waiting *piece;
	uint32_t seq;

	(void)state;
	clear();
	seq = ask(1);
	piece = lay(0);
	for (unsigned int i = 0; i < 5; i++)
		put(piece, TYPE, seq, 20 + i);
	lay_failure(EINTR);
	lay_object(99, seq, 20);
	lay_object(0, seq - 7, 20);
	put_error(lay(99), NLMSG_DONE, seq, -EPERM);
	piece = lay(0);
	put(piece, TYPE, seq, 8000);
	put_error(piece, NLMSG_DONE, seq, 0);
	assert_int_equal(walk(), 0);
	assert_int_equal(looked, 6);
}

/* Also where the failure stands in the message that ends it. */
static void walks_fail(void **state)
{
	static const uint16_t types[] = { NLMSG_DONE, NLMSG_ERROR };
	uint32_t seq;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		clear();
		seq = ask(1);
		lay_object(0, seq, 20);
		put_error(lay(0), types[i], seq, -EINVAL);
		assert_int_equal(walk(), -EINVAL);
		assert_int_equal(looked, 1);
	}
	clear();
	seq = ask(1);
	lay_object(0, seq, 20);
	lay_failure(ENOBUFS);
	assert_int_equal(walk(), -ENOBUFS);
	clear();
	seq = ask(1);
	lay_object(0, seq, EXCHANGE_WALK_MAX);
	assert_int_equal(walk(), -EMSGSIZE);
	clear();
	ask(1);
	assert_int_equal(walk(), -ETIMEDOUT);
}

/* Who sends without end, or what is stale without end, keeps nobody here for ever. */
static void endless_datagrams(void **state)
{
	(void)state;
	for (unsigned int stranger = 0; stranger < 2; stranger++) {
		clear();
		endless = UINT32_MAX;
		lay_object(stranger, ask(1) - 1, 20);
		assert_int_equal(exchange_run(&exchange), -EPROTO);
		clear();
		endless = UINT32_MAX;
		lay_object(stranger, ask(1) - 1, 20);
		assert_int_equal(walk(), -EPROTO);
		assert_int_equal(looked, 0);
	}
}

/* What has been sent is not sent again, with what comes behind it or alone. */
static void sent_once(void **state)
{
	uint32_t seq;

	(void)state;
	clear();
	seq = ask(2);
	assert_int_equal(exchange_post(&exchange), 0);
	assert_int_equal(exchange_post(&exchange), 0);
	assert_int_equal(sends, 1);
	ask(1);
	assert_int_equal(exchange.count, 1);
	assert_true(exchange.seq - seq > 1);
	assert_int_equal(exchange_post(&exchange), 0);
	assert_int_equal(sends, 2);
	assert_int_equal(sent[0], exchange.seq);
}

static void objects_are_measured(void **state)
{
	struct waiting *in;
	const void *attributes;

	(void)state;
	clear();
	in = lay(0);
	assert_int_equal(exchange_attributes(put(in, TYPE, 1, 3), TYPE, &attributes), -EBADMSG);
	assert_int_equal(exchange_attributes(put(in, TYPE, 1, 4), TYPE, &attributes), 0);
	assert_int_equal(exchange_attributes(put(in, TYPE, 1, 24), TYPE + 1, &attributes), -EBADMSG);
	assert_int_equal(exchange_attributes(put(in, TYPE, 1, 24), TYPE, &attributes), 20);
}

/* Of a queue's socket most of it is never needed: what has not been written yet is no memory. */
static void memory_when_needed(void **state)
{
	static struct exchange another;

	(void)state;
	memset(&another, 0xa5, sizeof(another));
	assert_int_equal(exchange_open(&another, NETLINK_NETFILTER), 0);
	assert_int_equal(another.count, 0);
	assert_false(another.sent);
	for (unsigned int i = 0; i < EXCHANGE_MESSAGES; i++)
		assert_int_equal(another.received[i][EXCHANGE_ANSWER_MAX - 1], 0xa5);
	assert_int_equal(another.walked[EXCHANGE_WALK_MAX - 1], 0xa5);
	exchange_close(&another);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_any_order),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(remains_of_a_walk),
		cmocka_unit_test(answers_cut_short),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(lost_answers),
		cmocka_unit_test(walks_end),
		cmocka_unit_test(walks_fail),
		cmocka_unit_test(endless_datagrams),
		cmocka_unit_test(sent_once),
		cmocka_unit_test(objects_are_measured),
		cmocka_unit_test(memory_when_needed),
	};

	return cmocka_run_group_tests(tests, opened, closed);
}
