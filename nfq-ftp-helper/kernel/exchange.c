// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. The messages go out in one writev(); the kernel works on them in order before that call
 * returns, and its answers are there to be read. They are matched by sequence number. What the kernel has not sent is
 * skipped, and so is what answers an earlier exchange that was given up for an error; also where it does not fit, for a
 * piece of a walk is larger than any answer.
 */
#include "exchange.h"

#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>

/* The answers are there when writev() returns; this is for a kernel that thinks otherwise. */
#define ANSWER_SECONDS 2

/* Old answers that may lie about when an exchange begins: more means that something else is wrong. */
#define STALE_MAX 4096

static int configure(const struct exchange *exchange)
{
	const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	int on = 1;

	if (mnl_socket_bind(exchange->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (setsockopt(mnl_socket_get_fd(exchange->socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	/* Errors without a copy of the question are cheaper. Before Linux 4.3 they come with it. */
	(void)mnl_socket_setsockopt(exchange->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

int exchange_open(struct exchange *exchange, int protocol)
{
	int error;

	/* Nobody reads a buffer that has not been written: one that nothing needs, such as a queue's for walks, costs no memory. */
	memset(exchange, 0, offsetof(struct exchange, request));
	if (getrandom(&exchange->seq, sizeof(exchange->seq), GRND_NONBLOCK) < 0)
		exchange->seq = 1;
	exchange->socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!exchange->socket)
		return -errno;
	error = configure(exchange);
	if (error)
		exchange_close(exchange);
	return error;
}

void exchange_close(struct exchange *exchange)
{
	if (exchange->socket)
		mnl_socket_close(exchange->socket);
	exchange->socket = NULL;
}

int exchange_once(int protocol, int (*ask)(struct exchange *exchange, void *context), void *context)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	int error = exchange ? exchange_open(exchange, protocol) : -ENOMEM;

	if (!error) {
		error = ask(exchange, context);
		exchange_close(exchange);
	}
	free(exchange);
	return error;
}

struct nlmsghdr *exchange_add(struct exchange *exchange, unsigned int type, unsigned int flags, uint8_t family)
{
	unsigned int index;

	/* What answers an earlier exchange is stale from now on. */
	if (exchange->sent) {
		exchange->seq += exchange->count + 1;
		exchange->count = 0;
		exchange->sent = false;
	}
	index = exchange->count++;
	return ctmessage_begin(exchange->request[index], (uint16_t)type, (uint16_t)flags, family,
			       exchange->seq + index);
}

int exchange_post(struct exchange *exchange)
{
	struct iovec iov[EXCHANGE_MESSAGES];
	int error;

	if (!exchange->count || exchange->sent)
		return 0;
	for (unsigned int i = 0; i < exchange->count; i++) {
		struct nlmsghdr *message = (struct nlmsghdr *)(void *)exchange->request[i];

		iov[i] = (struct iovec){ .iov_base = message, .iov_len = message->nlmsg_len };
	}
	exchange->sent = true;
	exchange->runs++;
	do {
		error = netlink_send(mnl_socket_get_fd(exchange->socket), iov, exchange->count);
	} while (error == -EINTR);
	return error;
}

/* NLMSG_ERROR's errno; it also carries acknowledgements, as 0. NLMSG_DONE's begins alike. */
static int message_error(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(error->error))
		return -EBADMSG;
	return error->error > 0 ? -error->error : error->error;
}

/* Which message of the exchange does this answer? Return: an index; exchange->count for none. */
static uint32_t answers(const struct exchange *exchange, const struct nlmsghdr *message)
{
	uint32_t index = message->nlmsg_seq - exchange->seq;

	if (index >= exchange->count || !mnl_nlmsg_portid_ok(message, mnl_socket_get_portid(exchange->socket)))
		return exchange->count;
	return index;
}

/* Note an answer. Return: how many answers the datagram was, 0 or 1. */
static unsigned int take_answer(struct exchange *exchange, const struct mmsghdr *datagram)
{
	const struct nlmsghdr *message = datagram->msg_hdr.msg_iov->iov_base;
	struct answer *answer;
	uint32_t index;

	if (!netlink_from_kernel(&datagram->msg_hdr) || datagram->msg_len < sizeof(*message))
		return 0;
	index = answers(exchange, message);
	if (index == exchange->count || exchange->answer[index].there)
		return 0;
	answer = &exchange->answer[index];
	*answer = (struct answer){ .there = true };
	if (datagram->msg_hdr.msg_flags & MSG_TRUNC)
		answer->error = -EMSGSIZE;
	else if (!mnl_nlmsg_ok(message, (int)datagram->msg_len))
		answer->error = -EBADMSG;
	else if (message->nlmsg_type == NLMSG_ERROR)
		answer->error = message_error(message);
	else
		answer->message = message;
	return 1;
}

/* Receive up to @count datagrams into the first of free[]. Return: how many, or a negative errno. */
static int receive_answers(struct exchange *exchange, unsigned int count)
{
	int received;

	for (unsigned int i = 0; i < count; i++) {
		exchange->piece[i] = (struct iovec){ exchange->free[i], sizeof(exchange->received[0]) };
		netlink_prepare(&exchange->datagram[i].msg_hdr, &exchange->piece[i], &exchange->sender[i]);
	}
	do {
		received =
			recvmmsg(mnl_socket_get_fd(exchange->socket), exchange->datagram, count, MSG_WAITFORONE, NULL);
	} while (received < 0 && errno == EINTR);
	if (received < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return received;
}

/* Note the answers among @received datagrams; their buffers are in use from now on. Return: how many they were. */
static unsigned int take_answers(struct exchange *exchange, unsigned int received, unsigned int *free)
{
	unsigned int kept = 0, taken = 0;

	for (unsigned int i = 0; i < *free; i++) {
		if (i < received && take_answer(exchange, &exchange->datagram[i]))
			taken++;
		else
			exchange->free[kept++] = exchange->free[i];
	}
	*free = kept;
	return taken;
}

int exchange_run(struct exchange *exchange)
{
	unsigned int answered = 0, stale = 0, free = EXCHANGE_MESSAGES;
	int error = exchange_post(exchange);

	if (error)
		return error;
	for (unsigned int i = 0; i < EXCHANGE_MESSAGES; i++) {
		exchange->answer[i] = (struct answer){ .there = false };
		exchange->free[i] = exchange->received[i];
	}
	while (answered < exchange->count) {
		int received = receive_answers(exchange, exchange->count - answered);
		unsigned int taken;

		if (received < 0)
			return received;
		taken = take_answers(exchange, (unsigned int)received, &free);
		answered += taken;
		stale += (unsigned int)received - taken;
		if (stale > STALE_MAX)
			return -EPROTO;
	}
	return 0;
}

int exchange_run_one(struct exchange *exchange)
{
	int error = exchange_run(exchange);

	return error ? error : exchange->answer[0].error;
}

/* One piece of a dump. Return: as exchange_walk_on(). */
static int walk_piece(struct exchange *exchange, int length, void (*look)(void *context, const struct nlmsghdr *object),
		      void *context)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)exchange->walked;
	bool ours = false;

	for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
		if (answers(exchange, message) == exchange->count)
			continue;
		ours = true;
		/* The end of a dump says, too, what became of it. */
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
			return message_error(message);
		look(context, message);
	}
	exchange->stale += !ours;
	return exchange->stale > STALE_MAX ? -EPROTO : 1;
}

int exchange_walk_begin(struct exchange *exchange)
{
	exchange->stale = 0;
	return exchange_post(exchange);
}

int exchange_walk_on(struct exchange *exchange, void (*look)(void *context, const struct nlmsghdr *object),
		     void *context)
{
	const int length =
		netlink_receive(mnl_socket_get_fd(exchange->socket), exchange->walked, sizeof(exchange->walked));

	return length < 0 ? length : walk_piece(exchange, length, look, context);
}

int exchange_walk(struct exchange *exchange, void (*look)(void *context, const struct nlmsghdr *object), void *context)
{
	int more = exchange_walk_begin(exchange);

	if (more < 0)
		return more;
	do {
		more = exchange_walk_on(exchange, look, context);
	} while (more > 0);
	return more;
}

int exchange_attributes(const struct nlmsghdr *object, unsigned int type, const void **attributes)
{
	const size_t header = sizeof(struct nfgenmsg);

	if (object->nlmsg_type != type || mnl_nlmsg_get_payload_len(object) < header)
		return -EBADMSG;
	*attributes = mnl_nlmsg_get_payload_offset(object, header);
	return (int)(mnl_nlmsg_get_payload_len(object) - header);
}
