// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * accept-all - accepts every packet of an NFQUEUE: what NFQUEUE itself costs, whoever uses it.
 *
 *   accept-all [--queue N|A:B] [--batch]
 *
 * It is what a competent programmer would write with libmnl: GSO and fail-open set, no ENOBUFS, a large socket buffer,
 * nothing allocated and nothing copied. Without --batch it receives one packet and sends one verdict at a time; with
 * it, it takes as many packets as wait in one recvmmsg(), and accepts them with one NFQNL_MSG_VERDICT_BATCH. Each of several
 * queues has a thread of its own.
 *
 * It deliberately shares no code with the program it is compared with.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH	       64
#define SLOT_SIZE      ((size_t)72 * 1024)
#define RECEIVE_BUFFER (8 << 20)
#define QUEUE_LENGTH   4096
#define QUEUES_MAX     64

/* A queue, its socket, and where its packets go: a thread's own. */
struct reader {
	uint16_t queue;
	struct mnl_socket *socket;
	uint8_t (*slots)[SLOT_SIZE]; /* BATCH of them */
};

static void fail(const char *what)
{
	fprintf(stderr, "accept-all: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct nlmsghdr *begin(void *buffer, uint16_t queue, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	header->res_id = htons(queue);
	return message;
}

static void bind_queue(const struct reader *reader)
{
	const struct nfqnl_msg_config_cmd command = { .command = NFQNL_CFG_CMD_BIND };
	const struct nfqnl_msg_config_params params = {
		.copy_range = htonl(0xffff),
		.copy_mode = NFQNL_COPY_PACKET,
	};
	uint8_t buffer[256] __attribute__((aligned(8)));
	struct nlmsghdr *message = begin(buffer, reader->queue, NFQNL_MSG_CONFIG, NLM_F_ACK);
	ssize_t length;

	mnl_attr_put(message, NFQA_CFG_CMD, sizeof(command), &command);
	mnl_attr_put_u32(message, NFQA_CFG_QUEUE_MAXLEN, htonl(QUEUE_LENGTH));
	mnl_attr_put_u32(message, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	mnl_attr_put_u32(message, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	if (mnl_socket_sendto(reader->socket, message, message->nlmsg_len) < 0)
		fail("the queue cannot be bound");
	length = mnl_socket_recvfrom(reader->socket, reader->slots[0], SLOT_SIZE);
	if (length < 0 || mnl_cb_run(reader->slots[0], (size_t)length, 0, 0, NULL, NULL) < 0)
		fail("the queue cannot be bound");

	message = begin(buffer, reader->queue, NFQNL_MSG_CONFIG, 0);
	mnl_attr_put(message, NFQA_CFG_PARAMS, sizeof(params), &params);
	if (mnl_socket_sendto(reader->socket, message, message->nlmsg_len) < 0)
		fail("the queue cannot be started");
}

static void open_queue(struct reader *reader, uint16_t queue)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);
	int size = RECEIVE_BUFFER / 2;
	int on = 1;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		fail("no netlink socket");
	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		fail("SO_RCVBUFFORCE");
	if (mnl_socket_setsockopt(socket, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		fail("NETLINK_NO_ENOBUFS");
	*reader = (struct reader){ queue, socket, aligned_alloc(64, BATCH * SLOT_SIZE) };
	if (!reader->slots)
		fail("memory");
	bind_queue(reader);
}

/* The packet's id, in network order: the header is the first attribute that the kernel writes. */
static bool packet_id(const void *data, size_t length, uint32_t *id)
{
	const struct nlmsghdr *message = data;
	const struct nlattr *attribute;

	if (!mnl_nlmsg_ok(message, (int)length) || message->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
		return false;
	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
	{
		const struct nfqnl_msg_packet_hdr *header = mnl_attr_get_payload(attribute);

		if (mnl_attr_get_type(attribute) != NFQA_PACKET_HDR ||
		    mnl_attr_get_payload_len(attribute) < sizeof(*header))
			continue;
		*id = header->packet_id;
		return true;
	}
	return false;
}

static void accept_id(const struct reader *reader, uint16_t type, uint32_t id)
{
	const struct nfqnl_msg_verdict_hdr verdict = { .verdict = htonl(NF_ACCEPT), .id = id };
	uint8_t buffer[64] __attribute__((aligned(8)));
	struct nlmsghdr *message = begin(buffer, reader->queue, type, 0);

	mnl_attr_put(message, NFQA_VERDICT_HDR, sizeof(verdict), &verdict);
	if (mnl_socket_sendto(reader->socket, message, message->nlmsg_len) < 0)
		fail("no verdict can be sent");
}

static void *run_single(void *context)
{
	const struct reader *reader = context;

	for (;;) {
		ssize_t length = mnl_socket_recvfrom(reader->socket, reader->slots[0], SLOT_SIZE);
		uint32_t id;

		if (length < 0 && errno != EINTR)
			fail("no packet can be received");
		if (length > 0 && packet_id(reader->slots[0], (size_t)length, &id))
			accept_id(reader, NFQNL_MSG_VERDICT, id);
	}
	return NULL;
}

static void *run_batch(void *context)
{
	const struct reader *reader = context;
	struct mmsghdr datagrams[BATCH] = { 0 };
	struct iovec pieces[BATCH];

	for (unsigned int i = 0; i < BATCH; i++) {
		pieces[i] = (struct iovec){ .iov_base = reader->slots[i], .iov_len = SLOT_SIZE };
		datagrams[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i], .msg_iovlen = 1 };
	}
	for (;;) {
		int count = recvmmsg(mnl_socket_get_fd(reader->socket), datagrams, BATCH, MSG_WAITFORONE, NULL);
		bool any = false;
		uint32_t id;

		if (count < 0 && errno != EINTR)
			fail("no packet can be received");
		for (int i = 0; i < count; i++)
			any |= packet_id(reader->slots[i], datagrams[i].msg_len, &id);
		if (any)
			accept_id(reader, count > 1 ? NFQNL_MSG_VERDICT_BATCH : NFQNL_MSG_VERDICT, id);
	}
	return NULL;
}

/* N or A:B. */
static bool read_range(const char *text, unsigned long *first, unsigned long *last)
{
	char *end;

	*first = *last = strtoul(text, &end, 10);
	if (end != text && *end == ':') {
		text = end + 1;
		*last = strtoul(text, &end, 10);
	}
	return end != text && *end == '\0' && *first <= *last && *last <= UINT16_MAX && *last - *first < QUEUES_MAX;
}

static void run(unsigned long first, unsigned long last, void *(*function)(void *context))
{
	static struct reader readers[QUEUES_MAX];
	pthread_t threads[QUEUES_MAX];
	const unsigned long count = last - first + 1;

	for (unsigned long i = 0; i < count; i++) {
		open_queue(&readers[i], (uint16_t)(first + i));
		errno = pthread_create(&threads[i], NULL, function, &readers[i]);
		if (errno)
			fail("no thread");
	}
	fprintf(stderr, "accept-all: ready: queue %lu to %lu\n", first, last);
	pthread_join(threads[0], NULL);
}

static int usage(void)
{
	fprintf(stderr, "Usage: accept-all [--queue N|A:B] [--batch]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "queue", required_argument, NULL, 'q' },
		{ "batch", no_argument, NULL, 'b' },
		{ 0 },
	};
	unsigned long first = 0, last = 0;
	bool batch = false;
	int option;

	while ((option = getopt_long(argc, argv, "q:b", options, NULL)) != -1) {
		if (option == 'b')
			batch = true;
		else if (option != 'q' || !read_range(optarg, &first, &last))
			return usage();
	}
	if (optind < argc)
		return usage();
	run(first, last, batch ? run_batch : run_single);
	return 1;
}
