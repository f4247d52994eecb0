// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * The verdicts go back in one writev() of many messages, in the order in which the packets came. libnetfilter_queue
 * writes them, one behind the other, into one buffer.
 *
 * Accepting without change is what happens to most packets. Where several accepts of one queue follow one another,
 * one message speaks for all, NFQNL_MSG_VERDICT_BATCH: "every packet of this queue up to this id". The library can send
 * that only at once and over a socket of its own (nfq_set_verdict_batch()), so it is told the type and writes the rest.
 * The kernel numbers a queue's packets in the order in which it sends them, so those up to this id have their verdicts
 * already, or are in the run, or are packets whose messages could not be read, and "in doubt: pass" holds for them.
 * Runs are not joined over a verdict of another kind or another queue in between, which keeps the order of arrival.
 *
 * A kernel that is short of memory takes none of a writev()'s verdicts. A packet without a verdict would keep its
 * place in the queue for ever, so what cannot be sent after some tries is turned into as little as can be said: "drop
 * every packet of this queue up to this id", 32 bytes. It is the same as a loss on the way: TCP sends them again.
 * Should even that not be taken, it is owed, and goes ahead of whatever is sent next.
 */
#include "verdicts.h"

#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>
#include <time.h>

/* It brings older copies of the kernel's headers, unless the kernel's own stand before it. */
#include <libnetfilter_queue/libnetfilter_queue.h>

/* An attribute's length has 16 bits. The kernel hands over no more than this either, and truncates what is longer. */
#define REPLACE_MAX (0xffffu - sizeof(struct nlattr))

#define TRIES	   4
#define TRIES_WAIT 1000000 /* nanoseconds */

/* A verdict's message without new contents. */
#define MESSAGE_SIZE                                                                                                   \
	(MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg) + sizeof(struct nlattr) + sizeof(struct nfqnl_msg_verdict_hdr))

_Static_assert(2 * MESSAGE_SIZE + sizeof(struct nlattr) + REPLACE_MAX + MNL_ALIGNTO < VERDICTS_SEND_MAX,
	       "the largest verdict has room");

void verdicts_init(struct verdicts *verdicts, int fd)
{
	memset(verdicts, 0, offsetof(struct verdicts, buffer));
	verdicts->fd = fd;
}

static void set_last(struct verdicts_last marks[VERDICTS_QUEUES], uint16_t queue, uint32_t id)
{
	struct verdicts_last *mark = marks;

	if (mark->due && mark->queue != queue)
		mark++;
	*mark = (struct verdicts_last){ true, queue, id };
}

static struct nlmsghdr *put_verdict(struct verdicts *verdicts, char *where, int type,
				    const struct verdicts_last *packet, int verdict)
{
	struct nlmsghdr *message = nfq_nlmsg_put(where, type, packet->queue);

	message->nlmsg_seq = ++verdicts->seq;
	nfq_nlmsg_verdict_put(message, (int)packet->id, verdict);
	return message;
}

static struct nlmsghdr *add_verdict(struct verdicts *verdicts, int type, const struct verdicts_last *packet,
				    int verdict)
{
	struct nlmsghdr *message = put_verdict(verdicts, verdicts->buffer + verdicts->bytes, type, packet, verdict);

	verdicts->bytes += MESSAGE_SIZE;
	return message;
}

static void end_run(struct verdicts *verdicts)
{
	if (verdicts->run)
		add_verdict(verdicts, verdicts->run > 1 ? NFQNL_MSG_VERDICT_BATCH : NFQNL_MSG_VERDICT,
			    &verdicts->run_end, NF_ACCEPT);
	verdicts->run = 0;
}

/* ---- sending ---- */

static int send_bytes(struct verdicts *verdicts, char *bytes, size_t length, unsigned int tries)
{
	struct iovec piece = { .iov_base = bytes, .iov_len = length };
	int error = 0;

	for (unsigned int i = 0; i < tries; i++) {
		if (i) {
			verdicts->retries++;
			if (error != -EINTR)
				nanosleep(&(struct timespec){ .tv_nsec = TRIES_WAIT }, NULL);
		}
		error = netlink_send(verdicts->fd, &piece, 1);
		if (!error || netlink_is_dead(error))
			break;
	}
	verdicts->sends += !error;
	return error;
}

/* All that was to be sent is to be dropped. */
static void owe_given(struct verdicts *verdicts)
{
	for (unsigned int i = 0; i < VERDICTS_QUEUES; i++) {
		if (verdicts->given[i].due)
			set_last(verdicts->owed, verdicts->given[i].queue, verdicts->given[i].id);
	}
	verdicts->unsent += verdicts->count;
}

/* Return: 0 when nothing is owed any more. */
static int pay(struct verdicts *verdicts)
{
	_Alignas(8) char buffer[VERDICTS_QUEUES * MESSAGE_SIZE];
	size_t length = 0;
	int error;

	for (unsigned int i = 0; i < VERDICTS_QUEUES; i++) {
		const struct verdicts_last *owed = &verdicts->owed[i];

		if (owed->due)
			length += put_verdict(verdicts, buffer + length, NFQNL_MSG_VERDICT_BATCH, owed, NF_DROP)
					  ->nlmsg_len;
	}
	if (!length)
		return 0;
	error = send_bytes(verdicts, buffer, length, 1);
	if (!error)
		memset(verdicts->owed, 0, sizeof(verdicts->owed));
	return error;
}

static int send_pending(struct verdicts *verdicts)
{
	int error = pay(verdicts);

	end_run(verdicts);
	/* No verdict overtakes an older packet's. */
	if (!error && verdicts->count)
		error = send_bytes(verdicts, verdicts->buffer, verdicts->bytes, TRIES);
	if (error) {
		owe_given(verdicts);
		if (!netlink_is_dead(error))
			error = pay(verdicts);
	}
	verdicts->count = 0;
	verdicts->bytes = 0;
	memset(verdicts->given, 0, sizeof(verdicts->given));
	return error && netlink_is_dead(error) ? error : 0;
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

/* So many bytes have room, and behind them the message of a run. */
static void make_room(struct verdicts *verdicts, size_t bytes)
{
	int error;

	if (verdicts->bytes + bytes + MESSAGE_SIZE <= VERDICTS_SEND_MAX)
		return;
	error = send_pending(verdicts);
	if (error && !verdicts->failure)
		verdicts->failure = error;
}

static void note_given(struct verdicts *verdicts, uint16_t queue, uint32_t id)
{
	verdicts->count++;
	set_last(verdicts->given, queue, id);
}

void verdicts_accept(struct verdicts *verdicts, uint16_t queue, uint32_t id)
{
	if (!verdicts->run || verdicts->run_end.queue != queue) {
		end_run(verdicts);
		make_room(verdicts, MESSAGE_SIZE);
	}
	verdicts->run++;
	verdicts->run_end = (struct verdicts_last){ true, queue, id };
	note_given(verdicts, queue, id);
}

/* What is no part of a run. @data: its new contents; NULL: none */
static void add_single(struct verdicts *verdicts, const struct verdicts_last *packet, int verdict, const uint8_t *data,
		       size_t length)
{
	struct nlmsghdr *message;

	end_run(verdicts);
	make_room(verdicts, MESSAGE_SIZE + sizeof(struct nlattr) + MNL_ALIGN(length));
	message = add_verdict(verdicts, NFQNL_MSG_VERDICT, packet, verdict);
	if (data) {
		nfq_nlmsg_verdict_put_pkt(message, data, (uint32_t)length);
		verdicts->bytes += message->nlmsg_len - MESSAGE_SIZE;
	}
	note_given(verdicts, packet->queue, packet->id);
}

void verdicts_drop(struct verdicts *verdicts, uint16_t queue, uint32_t id)
{
	add_single(verdicts, &(struct verdicts_last){ true, queue, id }, NF_DROP, NULL, 0);
}

void verdicts_replace(struct verdicts *verdicts, uint16_t queue, uint32_t id, const uint8_t *data, size_t length)
{
	if (length > REPLACE_MAX)
		verdicts_drop(verdicts, queue, id);
	else
		add_single(verdicts, &(struct verdicts_last){ true, queue, id }, NF_ACCEPT, data, length);
}
