// SPDX-License-Identifier: GPL-2.0-or-later
#include "traffic.h"

#include "common/packet_bytes.h"
#include "core/wire/segment.h"

#define OPTIONS	       12 /* two no-operations and a timestamp */
#define MSS	       1460
#define TALKS_PER_HOST 16000 /* each client address has that many ports in use */
#define FIRST_PORT     30000

uint32_t traffic_hosts(uint32_t talks)
{
	return (talks + TALKS_PER_HOST - 1) / TALKS_PER_HOST;
}

/* 10.0.0.2 and what follows; fd00::2. */
struct endpoint traffic_inside(uint8_t family, uint32_t number)
{
	struct endpoint endpoint = { .family = family };

	if (family == FAMILY_IPV4) {
		packet_put32(endpoint.address, 0x0a000002 + number);
	} else {
		packet_put16(endpoint.address, 0xfd00);
		packet_put32(endpoint.address + 12, 2 + number);
	}
	return endpoint;
}

/* 198.51.100.254; 2001:db8:100:200::c1a0:254. */
struct endpoint traffic_outside(uint8_t family)
{
	struct endpoint endpoint = { .family = family };

	if (family == FAMILY_IPV4) {
		packet_put32(endpoint.address, 0xc63364fe);
	} else {
		packet_put32(endpoint.address, 0x20010db8);
		packet_put32(endpoint.address + 4, 0x01000200);
		packet_put32(endpoint.address + 12, 0xc1a00254);
	}
	return endpoint;
}

/* Who is on the other side: 203.0.113.9; 2001:db8:203:113::9. */
static struct endpoint outside_host(uint8_t family)
{
	struct endpoint endpoint = { .family = family };

	if (family == FAMILY_IPV4) {
		packet_put32(endpoint.address, 0xcb007109);
	} else {
		packet_put32(endpoint.address, 0x20010db8);
		packet_put32(endpoint.address + 4, 0x02030113);
		packet_put32(endpoint.address + 12, 9);
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

static uint32_t write_options(uint8_t *options, uint8_t flags)
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
	const enum direction back = direction_other(direction);
	const struct endpoint *src = direction == DIRECTION_ORIGINAL ? &talk->client : &talk->server;
	const struct endpoint *dst = direction == DIRECTION_ORIGINAL ? &talk->server : &talk->client;
	const bool first = (flags & TCP_SYN) && direction == DIRECTION_ORIGINAL;
	uint8_t options[OPTIONS];
	const struct packet_header header = {
		.seq = talk->next[direction],
		.ack = first ? 0 : talk->next[back] + (uint32_t)talk->shift[back],
		.flags = (uint8_t)(flags | (first ? 0 : TCP_ACK) | (length ? TCP_PSH : 0)),
		.window = 502,
		.tcp = options,
		.tcp_length = write_options(options, flags),
	};

	frame->length = (uint16_t)packet_put(frame->bytes, src, dst, &header, text, (uint32_t)length);
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
