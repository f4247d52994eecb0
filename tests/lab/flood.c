// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood FLAGS SOURCE PORTS TARGET PORTS RATE SECONDS
 *
 * Sends TCP packets without payload, RATE a second, in others' names. FLAGS are kinds of packet, of which each packet is one by
 * turns: letters of SARF, with commas between: "A,FA,SA". SOURCE and TARGET are addresses of one family; with /BITS a network, of
 * which each packet has a random address. PORTS is a number, or LOW-HIGH, of which each has a random one. Sequence and
 * acknowledgement numbers are always random: who sends this knows the addresses, and nothing else. Says how many were sent.
 */
#include "common/packet_bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KINDS_MAX	  8
#define HOPS		  64
#define BATCH_NANOSECONDS 1000000

struct network {
	int family;
	size_t size; /* of an address */
	uint8_t address[16];
	unsigned int bits; /* that are fixed */
};

struct ports {
	uint32_t low, high;
};

static _Noreturn void fail(const char *what, const char *value)
{
	fprintf(stderr, "flood: %s `%s'\n", what, value);
	exit(2);
}

static uint32_t random_number(void)
{
	static uint64_t state;

	if (!state)
		state = (uint64_t)time(NULL) << 32 | (uint64_t)getpid();
	state ^= state << 13; /* xorshift64 */
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

/* ---- arguments ---- */

static unsigned long number(const char *text, unsigned long max, char **end)
{
	const unsigned long value = strtoul(text, end, 10);

	if (*end == text || value > max)
		fail("this is no number, or too large a one:", text);
	return value;
}

static unsigned long only_number(const char *text, unsigned long max)
{
	char *end;
	const unsigned long value = number(text, max, &end);

	if (*end)
		fail("this is more than a number:", text);
	return value;
}

static struct network read_network(char *text)
{
	struct network network = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	char *slash = strchr(text, '/');

	network.size = network.family == AF_INET ? 4 : 16;
	network.bits = 8 * (unsigned int)network.size;
	if (slash) {
		network.bits = (unsigned int)only_number(slash + 1, network.bits);
		*slash = '\0';
	}
	if (inet_pton(network.family, text, network.address) != 1)
		fail("this is no address:", text);
	return network;
}

static struct ports read_ports(const char *text)
{
	struct ports ports;
	char *end;

	ports.low = ports.high = (uint32_t)number(text, UINT16_MAX, &end);
	if (*end == '-')
		ports.high = (uint32_t)only_number(end + 1, UINT16_MAX);
	else if (*end)
		fail("this is neither a port nor a range:", text);
	if (ports.high < ports.low)
		fail("this range is empty:", text);
	return ports;
}

/* Returns how many there are. */
static unsigned int read_kinds(const char *text, uint8_t kinds[static KINDS_MAX])
{
	unsigned int count = 1;

	memset(kinds, 0, KINDS_MAX);
	for (const char *letter = text; *letter; letter++) {
		if (*letter == ',') {
			if (count++ == KINDS_MAX)
				fail("these are too many kinds:", text);
		} else if (*letter == 'S') {
			kinds[count - 1] |= TH_SYN;
		} else if (*letter == 'A') {
			kinds[count - 1] |= TH_ACK;
		} else if (*letter == 'R') {
			kinds[count - 1] |= TH_RST;
		} else if (*letter == 'F') {
			kinds[count - 1] |= TH_FIN;
		} else {
			fail("flags are of SARF, not", text);
		}
	}
	return count;
}

/* ---- a packet ---- */

static void choose_address(const struct network *network, uint8_t *address)
{
	for (size_t i = 0; i < network->size; i++) {
		const unsigned int fixed = network->bits > 8 * i ? network->bits - 8 * (unsigned int)i : 0;
		const uint8_t free_bits = fixed >= 8 ? 0 : (uint8_t)(0xff >> fixed);

		address[i] = (uint8_t)((network->address[i] & ~free_bits) | (random_number() & free_bits));
	}
}

static uint16_t choose_port(const struct ports *ports)
{
	return htons((uint16_t)(ports->low + random_number() % (ports->high - ports->low + 1)));
}

/* Over the header without options, and the pseudo header. */
static uint16_t checksum(const struct tcphdr *tcp, const uint8_t *source, const uint8_t *target, size_t size)
{
	uint32_t total = packet_sum((const uint8_t *)tcp, sizeof(*tcp), IPPROTO_TCP + sizeof(*tcp));

	total = packet_sum(target, (uint32_t)size, packet_sum(source, (uint32_t)size, total));
	return htons((uint16_t)~total);
}

/* Puts the IP header before what is behind it; returns its length. */
static size_t write_ip(uint8_t *packet, int family, const uint8_t *source, const uint8_t *target)
{
	struct iphdr ip4 = { .version = 4,
			     .ihl = 5,
			     .tot_len = htons(sizeof(struct iphdr) + sizeof(struct tcphdr)),
			     .ttl = HOPS,
			     .protocol = IPPROTO_TCP };
	struct ip6_hdr ip6 = { .ip6_flow = htonl(6u << 28),
			       .ip6_plen = htons(sizeof(struct tcphdr)),
			       .ip6_nxt = IPPROTO_TCP,
			       .ip6_hlim = HOPS };

	if (family == AF_INET) { /* the kernel computes its checksum */
		memcpy(&ip4.saddr, source, 4);
		memcpy(&ip4.daddr, target, 4);
		memcpy(packet, &ip4, sizeof(ip4));
		return sizeof(ip4);
	}
	memcpy(&ip6.ip6_src, source, 16);
	memcpy(&ip6.ip6_dst, target, 16);
	memcpy(packet, &ip6, sizeof(ip6));
	return sizeof(ip6);
}

static void send_packet(int fd, int family, const uint8_t *packet, size_t length, const uint8_t *target)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const bool ip4 = family == AF_INET;

	memcpy(&in.sin_addr, target, 4);
	memcpy(&in6.sin6_addr, target, ip4 ? 4 : 16);
	if (sendto(fd, packet, length, 0, ip4 ? (const void *)&in : (const void *)&in6,
		   ip4 ? sizeof(in) : sizeof(in6)) < 0 &&
	    errno != ENOBUFS) {
		perror("flood: sendto");
		exit(1);
	}
}

/* ---- at a rate ---- */

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	uint8_t kinds[KINDS_MAX];
	uint64_t start, passed = 0, sent = 0;
	int fd;

	if (argc != 8)
		fail("usage: flood FLAGS SOURCE PORTS TARGET PORTS RATE SECONDS, not", argc > 1 ? argv[1] : "");

	const unsigned int count = read_kinds(argv[1], kinds);
	const struct network source = read_network(argv[2]), target = read_network(argv[4]);
	const struct ports from = read_ports(argv[3]), to = read_ports(argv[5]);
	const uint64_t rate = only_number(argv[6], 10000000);
	const uint64_t end = 1000000000 * (uint64_t)only_number(argv[7], 86400);

	if (source.family != target.family)
		fail("of another family than the source is", argv[4]);
	fd = socket(source.family, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0) {
		perror("flood: socket");
		return 1;
	}
	for (start = nanoseconds(); passed < end; passed = nanoseconds() - start) {
		for (const uint64_t due = passed * rate / 1000000000; sent < due; sent++) {
			uint8_t packet[sizeof(struct ip6_hdr) + sizeof(struct tcphdr)], src[16], dst[16];
			struct tcphdr tcp = { .th_sport = choose_port(&from),
					      .th_dport = choose_port(&to),
					      .th_seq = random_number(),
					      .th_ack = random_number(),
					      .th_off = 5,
					      .th_flags = kinds[sent % count],
					      .th_win = 0xffff };
			size_t length;

			choose_address(&source, src);
			choose_address(&target, dst);
			tcp.th_sum = checksum(&tcp, src, dst, source.size);
			length = write_ip(packet, source.family, src, dst);
			memcpy(packet + length, &tcp, sizeof(tcp));
			send_packet(fd, source.family, packet, length + sizeof(tcp), dst);
		}
		nanosleep(&(struct timespec){ .tv_nsec = BATCH_NANOSECONDS }, NULL);
	}
	printf("%llu packets\n", (unsigned long long)sent);
	return 0;
}
