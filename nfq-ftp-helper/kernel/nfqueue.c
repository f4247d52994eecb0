/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation.
 *
 * The kernel sends each packet as a datagram of its own. One recvmmsg() takes all that wait, up to NFQUEUE_BATCH,
 * each into a slot of a ring that is large enough for any packet; pages of it that no packet ever needed are never
 * touched. The verdicts go back in one sendmsg() of many messages, in the order in which the packets came. Payloads
 * are not copied on the way: they are pieces of the iovec.
 *
 * Accepting without change is what happens to most packets. Where several accepts of one queue follow one another,
 * the last one speaks for all, by NFQNL_MSG_VERDICT_BATCH: "every packet of this queue up to this id". The kernel
 * numbers a queue's packets in the order in which it sends them, so those up to this id have their verdicts already,
 * or are in the run, or are packets whose messages could not be read, and "in doubt: pass" holds for them. Runs are
 * not joined over a verdict of another kind or another queue in between, which keeps the order of arrival.
 *
 * The normal queue may fail open: what the kernel cannot hand over for want of room passes unseen, as without this
 * program. The sure queue does not: its packets, unadjusted, would corrupt a stream, and dropped ones are sent again.
 *
 * Packets come as large as the kernel has them (GSO), with checksums possibly unfinished; where they leave changed
 * the kernel takes the new packet for finished, and computes the checksums anew when it cuts it up.
 */
#include "nfqueue.h"

#include "attributes.h"
#include "ctmessage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

/* Any IP packet, and the attributes around it. */
#define SLOT_SIZE ((size_t)72 * 1024 + 320)	/* no multiple of a page: slots' first lines fall into different cache sets */
#define COPY_RANGE 0xffffu

/* An attribute's length has 16 bits. The kernel hands over no more than this either, and truncates what is longer. */
#define REPLACE_MAX (0xffffu - sizeof(struct nlattr))

/* How long nfqueue_receive() waits. */
#define WAIT_MICROSECONDS 100000

/* What the kernel is made to allocate for one sendmsg() at most, but for a single larger verdict. */
#define SEND_MAX ((size_t)192 * 1024)
#define SEND_BUFFER (1u << 20)

#define IOV_PER_VERDICT 3

/* One verdict as the kernel wants it; the payload, where there is one, and padding follow. */
struct verdict_message {
	struct nlmsghdr header;
	struct nfgenmsg family;
	struct nlattr attribute;
	struct nfqnl_msg_verdict_hdr verdict;
	struct nlattr payload;
};

#define VERDICT_LENGTH offsetof(struct verdict_message, payload)

_Static_assert(VERDICT_LENGTH == 32, "a verdict's parts follow one another without gaps");
_Static_assert(sizeof(struct verdict_message) == 36, "and its payload without one, too");

struct nfqueue {
	struct mnl_socket *socket;
	int fd;
	uint32_t seq;
	bool tells_conntrack;
	struct nfqueue_counters counters;
	uint8_t *ring;			/* NFQUEUE_BATCH slots */
	struct mmsghdr datagrams[NFQUEUE_BATCH];
	struct iovec slots[NFQUEUE_BATCH];

	unsigned int verdicts;		/* not sent yet */
	unsigned int pieces;		/* of their iovec */
	size_t bytes;			/* in it */
	bool run_open;			/* the last of them is an accept that the next one can join */
	int failure;			/* of a sendmsg() that was due before nfqueue_send() */
	struct verdict_message verdict[NFQUEUE_BATCH];
	struct iovec piece[NFQUEUE_BATCH * IOV_PER_VERDICT];
};

static struct nlmsghdr *begin_config(struct nfqueue *queue, void *buffer, uint16_t number, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	message->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++queue->seq;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	header->res_id = htons(number);
	return message;
}

/* Send a configuration message and wait for the acknowledgement. No packet can come before COPY_PACKET is set. */
static int run_config(struct nfqueue *queue, const struct nlmsghdr *message)
{
	_Alignas(8) uint8_t answer[1024];
	ssize_t length;
	int status;

	if (mnl_socket_sendto(queue->socket, message, message->nlmsg_len) < 0)
		return -errno;
	do {
		length = mnl_socket_recvfrom(queue->socket, answer, sizeof(answer));
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	status = mnl_cb_run(answer, (size_t)length, message->nlmsg_seq, mnl_socket_get_portid(queue->socket), NULL,
			    NULL);
	return status < 0 ? -errno : 0;
}

static int config_command(struct nfqueue *queue, uint16_t number, uint8_t command)
{
	const struct nfqnl_msg_config_cmd cmd = { .command = command };
	_Alignas(8) uint8_t buffer[256] = { 0 };
	struct nlmsghdr *message = begin_config(queue, buffer, number, NLM_F_ACK);

	mnl_attr_put(message, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	return run_config(queue, message);
}

static int config_flags(struct nfqueue *queue, uint16_t number, uint32_t flags, uint32_t mask)
{
	_Alignas(8) uint8_t buffer[256] = { 0 };
	struct nlmsghdr *message = begin_config(queue, buffer, number, NLM_F_ACK);
	int error;

	mnl_attr_put_u32(message, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(message, NFQA_CFG_MASK, htonl(mask));
	error = run_config(queue, message);
	/* The kernel has just loaded a module that it lacked, and asks to be asked again. */
	return error == -EAGAIN ? run_config(queue, message) : error;
}

static int config_length(struct nfqueue *queue, uint16_t number, uint32_t length)
{
	_Alignas(8) uint8_t buffer[256] = { 0 };
	struct nlmsghdr *message = begin_config(queue, buffer, number, NLM_F_ACK);

	mnl_attr_put_u32(message, NFQA_CFG_QUEUE_MAXLEN, htonl(length));
	return run_config(queue, message);
}

/* From here on packets come, perhaps before an acknowledgement could: so none is asked for. */
static int config_start(struct nfqueue *queue, uint16_t number)
{
	const struct nfqnl_msg_config_params params = {
		.copy_range = htonl(COPY_RANGE),
		.copy_mode = NFQNL_COPY_PACKET,
	};
	_Alignas(8) uint8_t buffer[256] = { 0 };
	struct nlmsghdr *message = begin_config(queue, buffer, number, 0);

	mnl_attr_put(message, NFQA_CFG_PARAMS, sizeof(params), &params);
	return mnl_socket_sendto(queue->socket, message, message->nlmsg_len) < 0 ? -errno : 0;
}

static int take_queue(struct nfqueue *queue, uint16_t number, bool fail_open, uint32_t length)
{
	const uint32_t mask = NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN;
	int error = config_flags(queue, number, fail_open ? mask : NFQA_CFG_F_GSO, mask);

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
	/* What does not fit is the queue's business (fail open, or not): it is no error of this socket. */
	if (mnl_socket_setsockopt(queue->socket, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		return -errno;
	(void)mnl_socket_setsockopt(queue->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	return setsockopt(queue->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ? -errno : 0;
}

static int open_socket(struct nfqueue *queue)
{
	queue->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!queue->socket)
		return -errno;
	queue->fd = mnl_socket_get_fd(queue->socket);
	return mnl_socket_bind(queue->socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
}

static int take_queues(struct nfqueue *queue, const struct nfqueue_config *config)
{
	const uint16_t sure_queue = (uint16_t)config->sure_queue;
	const bool sure = config->sure_queue != NFQUEUE_NONE;
	int error = take_queue(queue, config->queue, config->fail_open, config->length);

	if (!error && sure)
		error = take_queue(queue, sure_queue, false, config->length);
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
		queue->datagrams[i].msg_hdr = (struct msghdr){ .msg_iov = &queue->slots[i], .msg_iovlen = 1 };
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
	if (queue->socket)
		mnl_socket_close(queue->socket);
	if (queue->ring)
		munmap(queue->ring, SLOT_SIZE * NFQUEUE_BATCH);
	free(queue);
}

bool nfqueue_tells_conntrack(const struct nfqueue *queue)
{
	return queue->tells_conntrack;
}

const struct nfqueue_counters *nfqueue_counters(const struct nfqueue *queue)
{
	return &queue->counters;
}

/*
 * NFQA_CT: where it is, and the flow's name in it. A packet's own addresses would do only as long as no translation has
 * been done: behind the last one (where a helper's packets are queued) both directions show the translated ones.
 */
static void read_conntrack(struct nfqueue_packet *packet, const struct nlattr *nest, const struct nlattr *info)
{
	const uint32_t way = info ? attribute_be32(info) : IP_CT_NUMBER;
	const struct tuple *original;
	struct flow flow;

	if (!nest || way >= IP_CT_NUMBER ||
	    ctmessage_read_flow(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), &flow) < 0)
		return;
	original = &flow.original;
	packet->conntrack = mnl_attr_get_payload(nest);
	packet->conntrack_length = mnl_attr_get_payload_len(nest);
	packet->conntrack_id = flow.id;
	packet->zone = flow.zone;
	packet->expected = flow.expected;
	packet->tracked = true;
	packet->ends = way < IP_CT_IS_REPLY ? *original : (struct tuple){ original->dst, original->src };
}

static int read_packet(struct nfqueue *queue, struct nfqueue_packet *packet, const struct nlmsghdr *message)
{
	static const struct attribute_rule rules[NFQA_MAX + 1] = {
		[NFQA_PACKET_HDR] = { .exactly = sizeof(struct nfqnl_msg_packet_hdr) },
		[NFQA_IFINDEX_INDEV] = { .exactly = 4 },
		[NFQA_IFINDEX_OUTDEV] = { .exactly = 4 },
		[NFQA_CAP_LEN] = { .exactly = 4 },
		[NFQA_SKB_INFO] = { .exactly = 4 },
		[NFQA_CT_INFO] = { .exactly = 4 },
	};
	const struct nlattr *found[NFQA_MAX + 1];
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(message);
	const struct nfqnl_msg_packet_hdr *header;
	uint32_t info;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*family) ||
	    attributes_parse(family + 1, mnl_nlmsg_get_payload_len(message) - sizeof(*family), rules, found,
			     NFQA_MAX) < 0 ||
	    !found[NFQA_PACKET_HDR])
		return -EBADMSG;
	memset(packet, 0, sizeof(*packet));
	header = mnl_attr_get_payload(found[NFQA_PACKET_HDR]);
	packet->id = ntohl(header->packet_id);
	packet->queue = ntohs(family->res_id);
	packet->in = found[NFQA_IFINDEX_INDEV] ? attribute_be32(found[NFQA_IFINDEX_INDEV]) : 0;
	packet->out = found[NFQA_IFINDEX_OUTDEV] ? attribute_be32(found[NFQA_IFINDEX_OUTDEV]) : 0;
	info = found[NFQA_SKB_INFO] ? attribute_be32(found[NFQA_SKB_INFO]) : 0;
	packet->checksum_pending = info & NFQA_SKB_CSUMNOTREADY;
	queue->counters.large += (info & NFQA_SKB_GSO) != 0;
	/* NFQA_CAP_LEN is there only where the packet is longer than its copy. */
	packet->truncated = found[NFQA_CAP_LEN] || !found[NFQA_PAYLOAD];
	if (found[NFQA_PAYLOAD]) {
		packet->data = mnl_attr_get_payload(found[NFQA_PAYLOAD]);
		packet->length = mnl_attr_get_payload_len(found[NFQA_PAYLOAD]);
	}
	read_conntrack(packet, found[NFQA_CT], found[NFQA_CT_INFO]);
	return 0;
}

/* Return: the number of packets the datagram is, 0 or 1. */
static unsigned int read_datagram(struct nfqueue *queue, unsigned int index, struct nfqueue_packet *packet)
{
	const struct mmsghdr *datagram = &queue->datagrams[index];
	const struct nlmsghdr *message = queue->slots[index].iov_base;

	if ((datagram->msg_hdr.msg_flags & MSG_TRUNC) || !mnl_nlmsg_ok(message, (int)datagram->msg_len)) {
		queue->counters.strange++;
		return 0;
	}
	if (message->nlmsg_type == NLMSG_ERROR) {
		queue->counters.late++;
		return 0;
	}
	if (message->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    read_packet(queue, packet, message) < 0) {
		queue->counters.strange++;
		return 0;
	}
	return 1;
}

int nfqueue_receive(struct nfqueue *queue, struct nfqueue_packet *packets)
{
	unsigned int count = 0;
	int datagrams = recvmmsg(queue->fd, queue->datagrams, NFQUEUE_BATCH, MSG_WAITFORONE, NULL);

	if (datagrams < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	queue->counters.receives++;
	for (unsigned int i = 0; i < (unsigned int)datagrams; i++)
		count += read_datagram(queue, i, &packets[count]);
	return (int)count;
}

static void add_piece(struct nfqueue *queue, const void *data, size_t length)
{
	queue->piece[queue->pieces++] = (struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = length };
	queue->bytes += length;
}

static int send_pending(struct nfqueue *queue)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr datagram = {
		.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = queue->piece,
		.msg_iovlen = queue->pieces,
	};
	int error;

	if (!queue->verdicts)
		return 0;
	do {
		error = sendmsg(queue->fd, &datagram, 0) < 0 ? -errno : 0;
	} while (error == -EINTR);
	queue->counters.sends++;
	queue->verdicts = 0;
	queue->pieces = 0;
	queue->bytes = 0;
	queue->run_open = false;
	return error;
}

static struct verdict_message *begin_verdict(struct nfqueue *queue, const struct nfqueue_packet *packet,
					     uint16_t type, uint32_t verdict)
{
	struct verdict_message *message = &queue->verdict[queue->verdicts++];

	*message = (struct verdict_message){
		.header = {
			.nlmsg_len = VERDICT_LENGTH,
			.nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type),
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = ++queue->seq,
		},
		.family = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(packet->queue) },
		.attribute = {
			.nla_len = sizeof(struct nlattr) + sizeof(struct nfqnl_msg_verdict_hdr),
			.nla_type = NFQA_VERDICT_HDR,
		},
		.verdict = { .verdict = htonl(verdict), .id = htonl(packet->id) },
	};
	queue->run_open = verdict == NF_ACCEPT;
	return message;
}

/* Can the last verdict speak for this packet, too? */
static bool joins_run(const struct nfqueue *queue, const struct nfqueue_packet *packet)
{
	const struct verdict_message *last;

	if (!queue->run_open)
		return false;
	last = &queue->verdict[queue->verdicts - 1];
	return last->family.res_id == htons(packet->queue);
}

void nfqueue_accept(struct nfqueue *queue, const struct nfqueue_packet *packet)
{
	if (joins_run(queue, packet)) {
		struct verdict_message *last = &queue->verdict[queue->verdicts - 1];

		last->header.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH;
		last->verdict.id = htonl(packet->id);
		return;
	}
	add_piece(queue, begin_verdict(queue, packet, NFQNL_MSG_VERDICT, NF_ACCEPT), VERDICT_LENGTH);
}

void nfqueue_drop(struct nfqueue *queue, const struct nfqueue_packet *packet)
{
	add_piece(queue, begin_verdict(queue, packet, NFQNL_MSG_VERDICT, NF_DROP), VERDICT_LENGTH);
}

void nfqueue_replace(struct nfqueue *queue, const struct nfqueue_packet *packet, const uint8_t *data, size_t length)
{
	static const uint8_t padding[MNL_ALIGNTO];
	const size_t pad = -length % MNL_ALIGNTO;
	struct verdict_message *message;

	if (length > REPLACE_MAX) {
		nfqueue_drop(queue, packet);
		return;
	}
	if (queue->bytes + length > SEND_MAX) {
		int error = send_pending(queue);

		if (error && !queue->failure)
			queue->failure = error;
	}
	message = begin_verdict(queue, packet, NFQNL_MSG_VERDICT, NF_ACCEPT);
	queue->run_open = false;
	message->header.nlmsg_len = (uint32_t)(sizeof(*message) + length + pad);
	message->payload.nla_len = (uint16_t)(sizeof(struct nlattr) + length);
	message->payload.nla_type = NFQA_PAYLOAD;
	add_piece(queue, message, sizeof(*message));
	add_piece(queue, data, length);
	if (pad)
		add_piece(queue, padding, pad);
}

int nfqueue_send(struct nfqueue *queue)
{
	int error = send_pending(queue);

	if (queue->failure)
		error = queue->failure;
	queue->failure = 0;
	return error;
}
