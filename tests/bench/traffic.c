// SPDX-License-Identifier: GPL-2.0-or-later
#include "traffic.h"

#include "core/segment.h"

#define OPTIONS 12		/* two no-operations and a timestamp */
#define MSS 1460
#define TALKS_PER_HOST 16000	/* each client address has that many ports in use */
#define FIRST_PORT 30000

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

uint32_t traffic_hosts(uint32_t talks)
{
	return (talks + TALKS_PER_HOST - 1) / TALKS_PER_HOST;
}

/* 10.0.0.2 and what follows; fd00::2. */
struct endpoint traffic_inside(uint8_t family, uint32_t number)
{
	struct endpoint endpoint = { .family = family };

	if (family == FAMILY_IPV4) {
		put32(endpoint.address, 0x0a000002 + number);
	} else {
		put16(endpoint.address, 0xfd00);
		put32(endpoint.address + 12, 2 + number);
	}
	return endpoint;
}

/* 198.51.100.254; 2001:db8:100:200::c1a0:254. */
struct endpoint traffic_outside(uint8_t family)
{
	struct endpoint endpoint = { .family = family };

	if (family == FAMILY_IPV4) {
		put32(endpoint.address, 0xc63364fe);
	} else {
		put32(endpoint.address, 0x20010db8);
		put32(endpoint.address + 4, 0x01000200);
		put32(endpoint.address + 12, 0xc1a00254);
	}
	return endpoint;
}

/* Who is on the other side: 203.0.113.9; 2001:db8:203:113::9. */
static struct endpoint outside_host(uint8_t family)
{
	struct endpoint endpoint = { .family = family };

	if (family == FAMILY_IPV4) {
		put32(endpoint.address, 0xcb007109);
	} else {
		put32(endpoint.address, 0x20010db8);
		put32(endpoint.address + 4, 0x02030113);
		put32(endpoint.address + 12, 9);
	}
	return endpoint;
}

void talk_begin(struct talk *talk, uint8_t family, bool client_inside, uint32_t number)
{
	const uint32_t host = number / TALKS_PER_HOST;

	*talk = (struct talk){
		.client = client_inside ? traffic_inside(family, host) : outside_host(family),
		.server = client_inside ? outside_host(family) : traffic_inside(family, host),
		.next = { number * 2654435761u, number * 2246822519u + 1 },
	};
	talk->client.port = (uint16_t)(FIRST_PORT + number % TALKS_PER_HOST);
	talk->server.port = 21;
}

/* The Internet checksum (RFC 1071), plainly: an implementation other than the engine's. */
static uint32_t add_words(uint32_t total, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++)
		total += (uint32_t)data[i] << (i & 1 ? 0 : 8);
	return total;
}

static uint16_t checksum(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* Return the TCP header's offset. */
static size_t write_ip(uint8_t *ip, const struct endpoint *src, const struct endpoint *dst, size_t tcp_length)
{
	if (src->family == FAMILY_IPV4) {
		memset(ip, 0, 20);
		ip[0] = 0x45;
		put16(ip + 2, (uint32_t)(20 + tcp_length));
		put16(ip + 6, 0x4000);
		ip[8] = 64;
		ip[9] = 6;
		memcpy(ip + 12, src->address, 4);
		memcpy(ip + 16, dst->address, 4);
		put16(ip + 10, checksum(add_words(0, ip, 20)));
		return 20;
	}
	memset(ip, 0, 40);
	ip[0] = 0x60;
	put16(ip + 4, (uint32_t)tcp_length);
	ip[6] = 6;
	ip[7] = 64;
	memcpy(ip + 8, src->address, 16);
	memcpy(ip + 24, dst->address, 16);
	return 40;
}

static size_t write_options(uint8_t *options, uint8_t flags)
{
	if (flags & TCP_SYN) {
		memcpy(options, (uint8_t[]){ 2, 4, MSS >> 8, MSS & 255 }, 4);
		return 4;
	}
	memcpy(options, (uint8_t[]){ 1, 1, 8, 10, 0, 1, 2, 3, 0, 4, 5, 6 }, OPTIONS);
	return OPTIONS;
}

void talk_say(struct talk *talk, struct frame *frame, enum direction direction, uint8_t flags, const char *text,
	      size_t length)
{
	const enum direction back = direction == DIRECTION_ORIGINAL ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
	const struct endpoint *src = direction == DIRECTION_ORIGINAL ? &talk->client : &talk->server;
	const struct endpoint *dst = direction == DIRECTION_ORIGINAL ? &talk->server : &talk->client;
	const bool first = (flags & TCP_SYN) && direction == DIRECTION_ORIGINAL;
	const size_t header = 20 + ((flags & TCP_SYN) ? 4 : OPTIONS), addresses = src->family == FAMILY_IPV4 ? 4 : 16;
	uint8_t *tcp = frame->bytes + write_ip(frame->bytes, src, dst, header + length);
	uint32_t total;

	memset(tcp, 0, 20);
	put16(tcp, src->port);
	put16(tcp + 2, dst->port);
	put32(tcp + 4, talk->next[direction]);
	put32(tcp + 8, first ? 0 : talk->next[back] + (uint32_t)talk->shift[back]);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = (uint8_t)(flags | (first ? 0 : TCP_ACK) | (length ? TCP_PSH : 0));
	put16(tcp + 14, 502);
	write_options(tcp + 20, flags);
	memcpy(tcp + header, text, length);
	total = add_words(0, src->address, addresses);
	total = add_words(total, dst->address, addresses);
	total += 6 + (uint32_t)(header + length);
	put16(tcp + 16, checksum(add_words(total, tcp, header + length)));
	frame->length = (uint16_t)(tcp - frame->bytes + (ptrdiff_t)(header + length));
	talk->next[direction] += (uint32_t)length + ((flags & (TCP_SYN | TCP_FIN)) ? 1 : 0);
}

void talk_login(struct talk *talk, struct frame frames[TALK_LOGIN])
{
	static const struct {
		enum direction direction;
		uint8_t flags;
		const char *text;
	} login[TALK_LOGIN] = {
		{ DIRECTION_ORIGINAL, TCP_SYN, "" },
		{ DIRECTION_REPLY, TCP_SYN, "" },
		{ DIRECTION_ORIGINAL, 0, "" },
		{ DIRECTION_REPLY, 0, "220 Welcome.\r\n" },
		{ DIRECTION_ORIGINAL, 0, "USER ftp\r\n" },
		{ DIRECTION_REPLY, 0, "331 Please specify the password.\r\n" },
		{ DIRECTION_ORIGINAL, 0, "PASS lab\r\n" },
		{ DIRECTION_REPLY, 0, "230 Login successful.\r\n" },
	};

	for (unsigned int i = 0; i < TALK_LOGIN; i++)
		talk_say(talk, &frames[i], login[i].direction, login[i].flags, login[i].text, strlen(login[i].text));
}
