// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation.
 *
 * The kernel sends each packet as a datagram of its own. One recvmmsg() takes all that wait, up to NFQUEUE_BATCH,
 * each into a slot of a ring that is large enough for any packet; pages of it that no packet ever needed are never
 * touched. The verdicts go back together, too (verdicts.h).
 *
 * No queue fails open: a packet that the kernel cannot hand over for want of room is dropped, and TCP sends it again.
 * One that passed unseen might be an announcement, or unadjusted, which corrupts a stream. That packets pass while nobody is
 * on the queue is the rules' choice (bypass).
 *
 * Packets come as large as the kernel has them (GSO), with checksums possibly unfinished; where they leave changed
 * the kernel takes the new packet for finished, and computes the checksums anew when it cuts it up.
 *
 * No want of memory in the kernel is an end: what cannot be received or sent now is tried again, or lost, and TCP
 * repairs it. Where even an error's report cannot be allocated, recvmmsg() says ENOBUFS.
 */
#include "nfqueue.h"

#include "attributes.h"
#include "exchange.h"
#include "netlink.h"
#include "verdicts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

/* It brings older copies of the kernel's headers, unless the kernel's own stand before it. */
#include <libnetfilter_queue/libnetfilter_queue.h>

/* Any IP packet, and the attributes around it. */
#define SLOT_SIZE                                                                                                      \
	((size_t)72 * 1024 + 320) /* no multiple of a page: slots' first lines fall into different cache sets */
#define COPY_RANGE 0xffff

/* How long nfqueue_receive() waits. */
#define WAIT_MICROSECONDS 100000

#define SEND_BUFFER (1u << 20)

/* A pause where receiving fails for want of memory. */
#define RECEIVE_PAUSE 1000000 /* nanoseconds */

struct nfqueue {
	struct exchange exchange; /* has the socket, and configures it and the queues */
	int fd;
	bool tells_conntrack;
	struct nfqueue_counters counters;
	uint8_t *ring; /* NFQUEUE_BATCH slots */
	struct mmsghdr datagrams[NFQUEUE_BATCH];
	struct iovec slots[NFQUEUE_BATCH];
	struct sockaddr_nl senders[NFQUEUE_BATCH];
	struct verdicts verdicts;
};

/* A configuration message, to be filled in. No packet can come before COPY_PACKET is set: what comes first is its acknowledgement. */
static struct nlmsghdr *begin_config(struct nfqueue *queue, uint16_t number, unsigned int flags)
{
	struct nlmsghdr *message =
		exchange_add(&queue->exchange, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, flags, AF_UNSPEC);
	struct nfgenmsg *header = mnl_nlmsg_get_payload(message);

	header->res_id = htons(number);
	return message;
}

static int config_command(struct nfqueue *queue, uint16_t number, uint8_t command)
{
	struct nlmsghdr *message = begin_config(queue, number, NLM_F_ACK);

	nfq_nlmsg_cfg_put_cmd(message, AF_UNSPEC, command);
	return exchange_run_one(&queue->exchange);
}

/* The library sets flags only over a socket of its own (nfq_set_queue_flags()). */
static int config_flags(struct nfqueue *queue, uint16_t number, uint32_t flags, uint32_t mask)
{
	int error = -EAGAIN;

	/* The kernel may just have loaded a module that it lacked, and ask to be asked again. */
	for (unsigned int tries = 0; tries < 2 && error == -EAGAIN; tries++) {
		struct nlmsghdr *message = begin_config(queue, number, NLM_F_ACK);

		attribute_put_be32(message, NFQA_CFG_FLAGS, flags);
		attribute_put_be32(message, NFQA_CFG_MASK, mask);
		error = exchange_run_one(&queue->exchange);
	}
	return error;
}

static int config_length(struct nfqueue *queue, uint16_t number, uint32_t length)
{
	struct nlmsghdr *message = begin_config(queue, number, NLM_F_ACK);

	nfq_nlmsg_cfg_put_qmaxlen(message, length);
	return exchange_run_one(&queue->exchange);
}

/* From here on packets come, perhaps before an acknowledgement could: so none is asked for. */
static int config_start(struct nfqueue *queue, uint16_t number)
{
	struct nlmsghdr *message = begin_config(queue, number, 0);

	nfq_nlmsg_cfg_put_params(message, NFQNL_COPY_PACKET, COPY_RANGE);
	return exchange_post(&queue->exchange);
}

static int take_queue(struct nfqueue *queue, uint16_t number, uint32_t length)
{
	int error = config_flags(queue, number, NFQA_CFG_F_GSO, NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN);

	if (!error)
		error = config_length(queue, number, length);
	if (error)
		return error;
	/* Not every kernel can: then zones are 0, and connections are looked up. */
	queue->tells_conntrack = config_flags(queue, number, NFQA_CFG_F_CONNTRACK, NFQA_CFG_F_CONNTRACK) == 0;
	return 0;
}

/* The kernel doubles what is asked for. */
static int size_buffer(const struct nfqueue *queue, int forced, int modest, uint32_t bytes)
{
	int size = (int)(bytes / 2);

	if (setsockopt(queue->fd, SOL_SOCKET, forced, &size, sizeof(size)) == 0)
		return 0;
	return setsockopt(queue->fd, SOL_SOCKET, modest, &size, sizeof(size)) < 0 ? -errno : 0;
}

static int configure_socket(struct nfqueue *queue, const struct nfqueue_config *config)
{
	const struct timeval wait = { .tv_usec = WAIT_MICROSECONDS };
	int on = 1;
	int error = size_buffer(queue, SO_RCVBUFFORCE, SO_RCVBUF, config->receive_buffer);

	if (!error)
		error = size_buffer(queue, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
	if (error)
		return error;
	/* What does not fit is dropped, and the queue's counters say so: it is no error of this socket. */
	if (mnl_socket_setsockopt(queue->exchange.socket, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		return -errno;
	return setsockopt(queue->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ? -errno : 0;
}

static int open_socket(struct nfqueue *queue)
{
	const int error = exchange_open(&queue->exchange, NETLINK_NETFILTER);

	if (error)
		return error;
	queue->fd = mnl_socket_get_fd(queue->exchange.socket);
	verdicts_init(&queue->verdicts, queue->fd);
	return 0;
}

static int take_queues(struct nfqueue *queue, const struct nfqueue_config *config)
{
	const uint16_t sure_queue = (uint16_t)config->sure_queue;
	const bool sure = config->sure_queue != NFQUEUE_NONE;
	int error = take_queue(queue, config->queue, config->length);

	if (!error && sure)
		error = take_queue(queue, sure_queue, config->length);
	if (!error)
		error = configure_socket(queue, config);
	if (!error)
		error = config_start(queue, config->queue);
	if (!error && sure)
		error = config_start(queue, sure_queue);
	return error;
}

static int take_memory(struct nfqueue *queue)
{
	queue->ring = mmap(NULL, SLOT_SIZE * NFQUEUE_BATCH, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (queue->ring == MAP_FAILED) {
		queue->ring = NULL;
		return -errno;
	}
	for (unsigned int i = 0; i < NFQUEUE_BATCH; i++) {
		queue->slots[i] = (struct iovec){ .iov_base = queue->ring + i * SLOT_SIZE, .iov_len = SLOT_SIZE };
		netlink_prepare(&queue->datagrams[i].msg_hdr, &queue->slots[i], &queue->senders[i]);
	}
	return 0;
}

static int open_steps(struct nfqueue *queue, const struct nfqueue_config *config, enum nfqueue_step *step)
{
	int error;

	*step = NFQUEUE_MEMORY;
	error = take_memory(queue);
	if (error)
		return error;
	*step = NFQUEUE_SOCKET;
	error = open_socket(queue);
	if (error)
		return error;
	/* It does nothing since Linux 3.8, but tells who is allowed to, and whether there is a queue subsystem. */
	*step = NFQUEUE_SUBSYSTEM;
	error = config_command(queue, 0, NFQNL_CFG_CMD_PF_BIND);
	if (error)
		return error;
	*step = NFQUEUE_BIND;
	error = config_command(queue, config->queue, NFQNL_CFG_CMD_BIND);
	if (error)
		return error;
	*step = NFQUEUE_BIND_SURE;
	if (config->sure_queue != NFQUEUE_NONE)
		error = config_command(queue, (uint16_t)config->sure_queue, NFQNL_CFG_CMD_BIND);
	if (error)
		return error;
	*step = NFQUEUE_CONFIGURE;
	return take_queues(queue, config);
}

int nfqueue_open(const struct nfqueue_config *config, struct nfqueue **queue, enum nfqueue_step *step)
{
	struct nfqueue *result = calloc(1, sizeof(*result));
	int error;

	*step = NFQUEUE_MEMORY;
	if (!result)
		return -ENOMEM;
	error = open_steps(result, config, step);
	if (error) {
		nfqueue_close(result);
		return error;
	}
	*queue = result;
	return 0;
}

void nfqueue_close(struct nfqueue *queue)
{
	if (!queue)
		return;
	exchange_close(&queue->exchange);
	if (queue->ring)
		munmap(queue->ring, SLOT_SIZE * NFQUEUE_BATCH);
	free(queue);
}

bool nfqueue_tells_conntrack(const struct nfqueue *queue)
{
	return queue->tells_conntrack;
}

struct nfqueue_counters nfqueue_counters(const struct nfqueue *queue)
{
	struct nfqueue_counters counters = queue->counters;

	counters.sends = queue->verdicts.sends;
	counters.retries = queue->verdicts.retries;
	counters.unsent = queue->verdicts.unsent;
	return counters;
}

/* Return: the number of packets the datagram is, 0 or 1. */
static unsigned int read_datagram(struct nfqueue *queue, unsigned int index, struct nfqueue_packet *packet)
{
	const struct mmsghdr *datagram = &queue->datagrams[index];
	struct nlmsghdr *message = queue->slots[index].iov_base;
	int error = -EBADMSG;

	if (netlink_from_kernel(&datagram->msg_hdr)) {
		if (mnl_nlmsg_ok(message, (int)datagram->msg_len) && message->nlmsg_type == NLMSG_ERROR) {
			queue->counters.late++;
			return 0;
		}
		error = nfqueue_packet_read(message, datagram->msg_len, packet);
	}
	queue->counters.strange += error != 0;
	if (error == -EBADMSG)
		return 0;
	queue->counters.large += packet->large;
	return 1;
}

/* Return: the error, where it is one to give up for; else 0. */
static int receive_failed(struct nfqueue *queue, int error)
{
	if (error == -EAGAIN || error == -EINTR)
		return 0;
	if (netlink_is_dead(error))
		return error;
	queue->counters.unreceived++;
	nanosleep(&(struct timespec){ .tv_nsec = RECEIVE_PAUSE }, NULL);
	return 0;
}

int nfqueue_receive(struct nfqueue *queue, struct nfqueue_packet *packets)
{
	unsigned int count = 0;
	int datagrams = recvmmsg(queue->fd, queue->datagrams, NFQUEUE_BATCH, MSG_WAITFORONE, NULL);

	if (datagrams < 0)
		return receive_failed(queue, -errno);
	queue->counters.receives++;
	for (unsigned int i = 0; i < (unsigned int)datagrams; i++)
		count += read_datagram(queue, i, &packets[count]);
	return (int)count;
}

void nfqueue_accept(struct nfqueue *queue, const struct nfqueue_packet *packet)
{
	verdicts_accept(&queue->verdicts, packet->queue, packet->id);
}

void nfqueue_drop(struct nfqueue *queue, const struct nfqueue_packet *packet)
{
	verdicts_drop(&queue->verdicts, packet->queue, packet->id);
}

void nfqueue_replace(struct nfqueue *queue, const struct nfqueue_packet *packet, const uint8_t *data, size_t length)
{
	verdicts_replace(&queue->verdicts, packet->queue, packet->id, data, length);
}

int nfqueue_send(struct nfqueue *queue)
{
	return verdicts_send(&queue->verdicts);
}
