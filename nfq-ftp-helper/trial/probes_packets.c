// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A connection to 127.0.0.1:21 is redirected to a listener on another port, and given the
 * carrier on its way: so it has a helper, and NAT, as a client's behind a router has. What the daemon will do with such
 * connections is done with this one, by the daemon's own functions. The process ends with the trial: nothing that it opens is closed before.
 */
#include "host/ports.h"
#include "kernel/ctnetlink.h"
#include "kernel/ctrequest.h"
#include "kernel/nfqueue.h"
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#define PORT_LISTENER  2121
#define PORT_DATA      3001
#define PORT_QUEUED    9 /* nobody listens there */
#define QUEUE	       7
#define QUEUE_LENGTH   16
#define RECEIVE_BUFFER 65536

/* Where they stand in an IPv4 packet without options. */
#define PROTOCOL     9
#define UDP_CHECKSUM 26
#define UDP_END	     28

#define PACKET_PROBES	  (PROBE_BIT(PROBE_QUEUE_CT) | PROBE_BIT(PROBE_MANGLE))
#define QUEUE_PROBES	  (PROBE_BIT(PROBE_NFQUEUE) | PACKET_PROBES)
#define CONNECTION_PROBES (PROBE_BIT(PROBE_SEQADJ) | PROBE_BIT(PROBE_EXPECT) | PROBE_BIT(PROBE_DATA_ALONE))

static const char nft_rules[] =
	"table ip probe {\n"
	"ct helper h {\ntype \"%s\" protocol tcp;\n}\n"
	"chain o {\ntype filter hook output priority mangle;\ntcp dport 21 ct helper set \"h\"\n}\n"
	"chain n {\ntype nat hook output priority -100;\ntcp dport 21 redirect to :2121\n}\n"
	"}\n";

static const char nft_queue[] = "table ip probe_queue {\nchain q {\ntype filter hook output priority 0;\n"
				"tcp dport 9 queue num 7\nudp dport 9 queue num 7\n}\n}\n";

static const char xt_rules[] = "*raw\n-A OUTPUT -p tcp --dport 21 -j CT --helper %s\nCOMMIT\n"
			       "*nat\n-A OUTPUT -p tcp --dport 21 -j REDIRECT --to-ports 2121\nCOMMIT\n";

static const char xt_queue[] = "*mangle\n-A OUTPUT -p tcp --dport 9 -j NFQUEUE --queue-num 7\n"
			       "-A OUTPUT -p udp --dport 9 -j NFQUEUE --queue-num 7\nCOMMIT\n";

static int lo_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	const int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return file < 0 || ioctl(file, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool listen_on(uint16_t port)
{
	const struct sockaddr_in address = loopback(port);
	const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return file >= 0 && bind(file, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(file, 4) == 0;
}

/* @from: filled in with our port. */
static bool connect_to(uint16_t port, uint16_t *from)
{
	const struct sockaddr_in address = loopback(port);
	const struct timeval patience = { .tv_sec = 2 };
	struct sockaddr_in own = { 0 };
	socklen_t length = sizeof(own);
	const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (file < 0 || setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(file, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(file, (struct sockaddr *)&own, &length) < 0)
		return false;
	*from = ntohs(own.sin_port);
	return true;
}

static struct endpoint endpoint_on_loopback(uint16_t port)
{
	return (struct endpoint){ .address = { 127, 0, 0, 1 }, .port = port, .family = FAMILY_IPV4 };
}

/* ---- queueing ---- */

/* A connection's first packet, on whose answer nobody waits. */
static void send_packet(void)
{
	const struct sockaddr_in address = loopback(PORT_QUEUED);
	const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (file >= 0)
		(void)connect(file, (const struct sockaddr *)&address, sizeof(address));
}

/* Does a packet from the queue bring its connection along? */
static void try_packet(struct probes *probes, struct nfqueue *queue)
{
	static struct nfqueue_packet packets[NFQUEUE_BATCH];
	int count = 0;

	send_packet();
	for (unsigned int i = 0; i < 20 && count == 0; i++)
		count = nfqueue_receive(queue, packets);
	if (count > 0)
		probe_set(probes, PROBE_QUEUE_CT, packets[0].conntrack != NULL, "packets come without it");
	else
		probe_skip(probes, PROBE_BIT(PROBE_QUEUE_CT), "no packet came from the queue");
}

/* Two sockets for one datagram, from the second to the first. Return: 0, or a negative errno. */
static int open_pair(int pair[2])
{
	const struct sockaddr_in address = loopback(PORT_QUEUED);
	const struct timeval patience = { .tv_sec = 1 };

	for (unsigned int i = 0; i < 2; i++)
		pair[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (pair[0] < 0 || pair[1] < 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    bind(pair[0], (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    connect(pair[1], (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

/*
 * Give datagrams that come from the queue new contents. Their checksums are not there yet, and would have to be: they are to have none, which UDP
 * allows. Return: how many.
 */
static unsigned int replace_all(struct nfqueue *queue)
{
	static struct nfqueue_packet packets[NFQUEUE_BATCH];
	unsigned int replaced = 0;

	for (unsigned int i = 0; i < 20 && replaced == 0; i++) {
		const int count = nfqueue_receive(queue, packets);

		for (int j = 0; j < count; j++) {
			if (packets[j].length < UDP_END || packets[j].data[PROTOCOL] != IPPROTO_UDP) {
				nfqueue_drop(queue, &packets[j]);
				continue;
			}
			memset(packets[j].data + UDP_CHECKSUM, 0, 2);
			nfqueue_replace(queue, &packets[j], packets[j].data, packets[j].length);
			replaced++;
		}
		if (count > 0 && nfqueue_send(queue) < 0)
			return 0;
	}
	return replaced;
}

/*
 * Does a packet with new contents go on? Newer kernels drop it, and say nothing, where the network namespace belongs to another user namespace
 * than the first.
 */
static void try_mangle(struct probes *probes, struct nfqueue *queue)
{
	char byte = 0;
	int pair[2];

	if (open_pair(pair) < 0 || send(pair[1], &byte, 1, 0) != 1 || !replace_all(queue))
		probe_skip(probes, PROBE_BIT(PROBE_MANGLE), "no packet came from the queue");
	else
		probe_set(probes, PROBE_MANGLE, recv(pair[0], &byte, 1, 0) == 1, "the kernel drops such packets");
}

/* By whichever of both programs can. */
static bool apply_either(const struct probes *probes, enum probe xt, const char *xt_text, enum probe nft,
			 const char *nft_text, const char *carrier)
{
	if (probe_can(probes, xt) && probe_rules("iptables-restore", xt_text, carrier, NULL) == 0)
		return true;
	return probe_can(probes, nft) && probe_rules("nft", nft_text, carrier, NULL) == 0;
}

static void try_queue(struct probes *probes, unsigned int wanted)
{
	const struct nfqueue_config config = {
		.queue = QUEUE, .sure_queue = NFQUEUE_NONE, .length = QUEUE_LENGTH, .receive_buffer = RECEIVE_BUFFER
	};
	enum nfqueue_step step;
	struct nfqueue *queue;
	int error = nfqueue_open(&config, &queue, &step);

	probe_set(probes, PROBE_NFQUEUE, error == 0, strerror(-error));
	if (error) {
		probe_skip(probes, PACKET_PROBES, "no queue could be bound");
		return;
	}
	if (!apply_either(probes, PROBE_XT_QUEUE, xt_queue, PROBE_NFT_QUEUE, nft_queue, "")) {
		probe_skip(probes, PACKET_PROBES, "no rule could queue a packet");
		return;
	}
	if (wanted & PROBE_BIT(PROBE_QUEUE_CT))
		try_packet(probes, queue);
	if (wanted & PROBE_BIT(PROBE_MANGLE))
		try_mangle(probes, queue);
}

/* ---- a connection ---- */

static void try_adjustment(struct probes *probes, struct ctnetlink *ct, const struct binding *master)
{
	const struct seqadj adjustment = { .pos = 1000, .before = 0, .after = 4 };
	int result = ct->conntrack.ops->adjust_seq(&ct->conntrack, master, DIRECTION_ORIGINAL, &adjustment);

	probe_set(probes, PROBE_SEQADJ, result == SEQADJ_KERNEL,
		  "connections with a helper and NAT take no adjustment");
}

/* The expected connection, once it is there: whose helper has it? */
static void try_data_helper(struct probes *probes, struct ctnetlink *ct, uint16_t from)
{
	const struct tuple tuple = { .src = endpoint_on_loopback(from), .dst = endpoint_on_loopback(PORT_DATA) };
	struct connection connection;

	ctrequest_get(&ct->exchange, &tuple, 0);
	if (exchange_run(&ct->exchange) || ctrequest_connection(&ct->exchange.answer[0], &connection))
		probe_skip(probes, PROBE_BIT(PROBE_DATA_ALONE), "the data connection was not found");
	else
		probe_set(probes, PROBE_DATA_ALONE, connection.helper[0] == '\0',
			  "data connections get their master's helper");
}

static void try_data(struct probes *probes, struct ctnetlink *ct)
{
	uint16_t from;

	if (listen_on(PORT_DATA) && connect_to(PORT_DATA, &from))
		try_data_helper(probes, ct, from);
	else
		probe_skip(probes, PROBE_BIT(PROBE_DATA_ALONE), "the data connection failed");
}

static void try_expectation(struct probes *probes, struct ctnetlink *ct, const struct binding *master)
{
	const struct expectation expectation = {
		.tuple = { .src = master->tuple[DIRECTION_REPLY].src, .dst = endpoint_on_loopback(PORT_DATA) },
	};
	int error = ct->conntrack.ops->expect(&ct->conntrack, master, &expectation);

	probe_set(probes, PROBE_EXPECT, error == 0, strerror(-error));
	if (error)
		probe_skip(probes, PROBE_BIT(PROBE_DATA_ALONE), "no data connection can be expected");
	else
		try_data(probes, ct);
}

static void try_connection(struct probes *probes, struct ctnetlink *ct, uint16_t from)
{
	const struct tuple seen = { .src = endpoint_on_loopback(from), .dst = endpoint_on_loopback(PORTS_FTP) };
	enum direction direction;
	struct binding master;
	int error = ct->conntrack.ops->find(&ct->conntrack, &seen, 0, &master, &direction);

	if (error) {
		probe_skip(probes, CONNECTION_PROBES, "the connection was not found");
		return;
	}
	try_adjustment(probes, ct, &master);
	try_expectation(probes, ct, &master);
}

static void try_connections(struct probes *probes, struct ctnetlink *ct, const char *carrier)
{
	uint16_t from;

	if (listen_on(PORT_LISTENER) &&
	    apply_either(probes, PROBE_XT_HELPER, xt_rules, PROBE_NFT_HELPER, nft_rules, carrier) &&
	    connect_to(PORTS_FTP, &from))
		try_connection(probes, ct, from);
	else
		probe_skip(probes, CONNECTION_PROBES, "no connection with helper and NAT could be made");
}

void probes_packets_try(struct probes *probes, const char *carrier, unsigned int wanted)
{
	const struct ctnetlink_config config = { .seqadj = SEQADJ_MODE_KERNEL };
	static struct ctnetlink ct;
	int error = lo_up();

	if (!error)
		error = ctnetlink_open(&ct, &config);
	probe_set(probes, PROBE_CTNETLINK, error == 0, strerror(-error));
	if (!error && (wanted & QUEUE_PROBES))
		try_queue(probes, wanted);
	if (!error && (wanted & CONNECTION_PROBES))
		try_connections(probes, &ct, carrier);
}
