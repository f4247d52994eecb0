// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * The verdicts go back in one sendmsg() of many messages, in the order in which the packets came. Payloads are not
 * copied on the way: they are pieces of the iovec.
 *
 * Accepting without change is what happens to most packets. Where several accepts of one queue follow one another,
 * the last one speaks for all, by NFQNL_MSG_VERDICT_BATCH: "every packet of this queue up to this id". The kernel
 * numbers a queue's packets in the order in which it sends them, so those up to this id have their verdicts already,
 * or are in the run, or are packets whose messages could not be read, and "in doubt: pass" holds for them. Runs are
 * not joined over a verdict of another kind or another queue in between, which keeps the order of arrival.
 *
 * A kernel that is short of memory takes none of a sendmsg()'s verdicts. A packet without a verdict would keep its place
 * in the queue for ever, so what cannot be sent after some tries is turned into as little as can be said: "drop every
 * packet of this queue up to this id", 32 bytes. It is the same as a loss on the way: TCP sends them again. Should even
 * that not be taken, it is owed, and goes ahead of whatever is sent next.
 */
#include "verdicts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* An attribute's length has 16 bits. The kernel hands over no more than this either, and truncates what is longer. */
#define REPLACE_MAX (0xffffu - sizeof(struct nlattr))

/* What the kernel is made to allocate for one sendmsg() at most, but for a single larger verdict. */
#define SEND_MAX ((size_t)192 * 1024)

#define TRIES 4
#define TRIES_WAIT 1000000	/* nanoseconds */

#define VERDICT_LENGTH offsetof(struct verdict_message, payload)

_Static_assert(VERDICT_LENGTH == 32, "a verdict's parts follow one another without gaps");
_Static_assert(sizeof(struct verdict_message) == 36, "and its payload without one, too");

void verdicts_init(struct verdicts *verdicts, int fd)
{
	memset(verdicts, 0, sizeof(*verdicts));
	verdicts->fd = fd;
}

bool verdicts_socket_is_dead(int error)
{
	switch (-error) {
	case EBADF:
	case ENOTSOCK:
	case EPIPE:
	case ENOTCONN:
	case ECONNREFUSED:	/* nothing in the kernel listens any more */
	case EPROTONOSUPPORT:
	case EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

static void fill_message(struct verdicts *verdicts, struct verdict_message *message, uint16_t type,
			 const struct verdicts_owed *packet, uint32_t verdict)
{
	*message = (struct verdict_message){
		.header = {
			.nlmsg_len = VERDICT_LENGTH,
			.nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type),
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = ++verdicts->seq,
		},
		.family = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(packet->queue) },
		.attribute = {
			.nla_len = sizeof(struct nlattr) + sizeof(struct nfqnl_msg_verdict_hdr),
			.nla_type = NFQA_VERDICT_HDR,
		},
		.verdict = { .verdict = htonl(verdict), .id = htonl(packet->id) },
	};
}

/* ---- sending ---- */

static int send_pieces(struct verdicts *verdicts, struct iovec *pieces, size_t count, unsigned int tries)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct msghdr datagram = {
		.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = pieces,
		.msg_iovlen = count,
	};
	int error = 0;

	for (unsigned int i = 0; i < tries; i++) {
		if (i) {
			verdicts->retries++;
			if (error != -EINTR)
				nanosleep(&(struct timespec){ .tv_nsec = TRIES_WAIT }, NULL);
		}
		error = sendmsg(verdicts->fd, &datagram, 0) < 0 ? -errno : 0;
		if (!error || verdicts_socket_is_dead(error))
			break;
	}
	verdicts->sends += !error;
	return error;
}

/* Return: where this queue's debt is noted. */
static struct verdicts_owed *owed_by(struct verdicts *verdicts, uint16_t queue)
{
	struct verdicts_owed *owed = verdicts->owed;

	if (owed->due && owed->queue != queue)
		owed++;
	return owed;
}

/* All that was to be sent is to be dropped. Of one queue, the last one's id is the highest. */
static void owe(struct verdicts *verdicts)
{
	for (unsigned int i = 0; i < verdicts->count; i++) {
		const struct verdict_message *message = &verdicts->message[i];
		const uint16_t queue = ntohs(message->family.res_id);

		*owed_by(verdicts, queue) = (struct verdicts_owed){ true, queue, ntohl(message->verdict.id) };
	}
	verdicts->unsent += verdicts->count;
}

/* Return: 0 when nothing is owed any more. */
static int pay(struct verdicts *verdicts)
{
	struct verdict_message messages[VERDICTS_QUEUES];
	struct iovec pieces[VERDICTS_QUEUES];
	size_t count = 0;
	int error;

	for (unsigned int i = 0; i < VERDICTS_QUEUES; i++) {
		if (!verdicts->owed[i].due)
			continue;
		fill_message(verdicts, &messages[count], NFQNL_MSG_VERDICT_BATCH, &verdicts->owed[i], NF_DROP);
		pieces[count] = (struct iovec){ .iov_base = &messages[count], .iov_len = VERDICT_LENGTH };
		count++;
	}
	if (!count)
		return 0;
	error = send_pieces(verdicts, pieces, count, 1);
	if (!error)
		memset(verdicts->owed, 0, sizeof(verdicts->owed));
	return error;
}

static int send_pending(struct verdicts *verdicts)
{
	int error = pay(verdicts);

	/* No verdict overtakes an older packet's. */
	if (!error && verdicts->count)
		error = send_pieces(verdicts, verdicts->piece, verdicts->pieces, TRIES);
	if (error) {
		owe(verdicts);
		if (!verdicts_socket_is_dead(error))
			error = pay(verdicts);
	}
	verdicts->count = 0;
	verdicts->pieces = 0;
	verdicts->bytes = 0;
	verdicts->run_open = false;
	return error && verdicts_socket_is_dead(error) ? error : 0;
}

int verdicts_send(struct verdicts *verdicts)
{
	int error = send_pending(verdicts);

	if (verdicts->failure)
		error = verdicts->failure;
	verdicts->failure = 0;
	return error;
}

/* ---- verdicts ---- */

static void add_piece(struct verdicts *verdicts, const void *data, size_t length)
{
	verdicts->piece[verdicts->pieces++] = (struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = length };
	verdicts->bytes += length;
}

static struct verdict_message *begin_verdict(struct verdicts *verdicts, uint16_t queue, uint32_t id, uint32_t verdict)
{
	struct verdict_message *message = &verdicts->message[verdicts->count++];

	fill_message(verdicts, message, NFQNL_MSG_VERDICT, &(struct verdicts_owed){ .queue = queue, .id = id },
		     verdict);
	verdicts->run_open = verdict == NF_ACCEPT;
	return message;
}

/* Can the last verdict speak for a packet of this queue, too? */
static bool joins_run(const struct verdicts *verdicts, uint16_t queue)
{
	return verdicts->run_open && verdicts->message[verdicts->count - 1].family.res_id == htons(queue);
}

void verdicts_accept(struct verdicts *verdicts, uint16_t queue, uint32_t id)
{
	if (joins_run(verdicts, queue)) {
		struct verdict_message *last = &verdicts->message[verdicts->count - 1];

		last->header.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH;
		last->verdict.id = htonl(id);
		return;
	}
	add_piece(verdicts, begin_verdict(verdicts, queue, id, NF_ACCEPT), VERDICT_LENGTH);
}

void verdicts_drop(struct verdicts *verdicts, uint16_t queue, uint32_t id)
{
	add_piece(verdicts, begin_verdict(verdicts, queue, id, NF_DROP), VERDICT_LENGTH);
}

void verdicts_replace(struct verdicts *verdicts, uint16_t queue, uint32_t id, const uint8_t *data, size_t length)
{
	static const uint8_t padding[MNL_ALIGNTO];
	const size_t pad = -length % MNL_ALIGNTO;
	struct verdict_message *message;

	if (length > REPLACE_MAX) {
		verdicts_drop(verdicts, queue, id);
		return;
	}
	if (verdicts->bytes + length > SEND_MAX) {
		int error = send_pending(verdicts);

		if (error && !verdicts->failure)
			verdicts->failure = error;
	}
	message = begin_verdict(verdicts, queue, id, NF_ACCEPT);
	verdicts->run_open = false;
	message->header.nlmsg_len = (uint32_t)(sizeof(*message) + length + pad);
	message->payload.nla_len = (uint16_t)(sizeof(struct nlattr) + length);
	message->payload.nla_type = NFQA_PAYLOAD;
	add_piece(verdicts, message, sizeof(*message));
	add_piece(verdicts, data, length);
	if (pad)
		add_piece(verdicts, padding, pad);
}
