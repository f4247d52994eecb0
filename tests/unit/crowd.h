/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd - many clients and connections through one engine: a dialogue (dialogue.h) with a table of any size, which is told who speaks
 * next.
 */
#ifndef UNIT_CROWD_H
#define UNIT_CROWD_H

#include "dialogue.h"

#define GREEDY 0x0a000009u /* 10.0.0.9 */
#define HONEST 0x0a000002u /* 10.0.0.2 */

static inline struct endpoint crowd_ipv4(uint32_t address, uint16_t port)
{
	struct endpoint endpoint = { .family = FAMILY_IPV4, .port = port };

	packet_put32(endpoint.address, address);
	return endpoint;
}

/* 2001:db8:NETWORK::HOST, a /64 each network */
static inline struct endpoint crowd_ipv6(uint16_t network, uint32_t host, uint16_t port)
{
	struct endpoint endpoint = { .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8 }, .port = port };

	endpoint.address[6] = (uint8_t)(network >> 8);
	endpoint.address[7] = (uint8_t)network;
	packet_put32(endpoint.address + 12, host);
	return endpoint;
}

static inline void crowd_begin(struct dialogue *d, uint32_t sessions, uint32_t works, uint32_t budgets)
{
	size_t bytes;

	dialogue_begin(d, NO_NAT);
	free(d->memory);
	d->size = (struct table_size){ .sessions = sessions, .works = works, .budgets = budgets };
	bytes = (table_bytes(&d->size) + 63) / 64 * 64;
	d->memory = aligned_alloc(64, bytes);
	memset(d->memory, 0, bytes);
	dialogue_restart(d);
}

/* From now on this client speaks to the server; both begin a connection. The clock stands. */
static inline void crowd_turn(struct dialogue *d, struct endpoint client)
{
	struct endpoint server = crowd_ipv4(0xc0a80703, 21);

	if (client.family == FAMILY_IPV6)
		server = crowd_ipv6(0xffff, 3, 21);
	d->inside[CLIENT] = client;
	d->inside[SERVER] = server;
	d->binding = (struct binding){
		.tuple[DIRECTION_ORIGINAL] = { client, server },
		.tuple[DIRECTION_REPLY] = { server, client },
	};
	d->seq[CLIENT] = 1000;
	d->seq[SERVER] = 5000;
	d->acked[CLIENT] = d->acked[SERVER] = 0;
	memset(d->adj, 0, sizeof(d->adj));
}

/* A masquerading router shows the client as 198.51.100.254: from now on its commands are edited. */
static inline void crowd_masquerade(struct dialogue *d)
{
	d->binding.tuple[DIRECTION_REPLY].dst = crowd_ipv4(0xc63364fe, d->inside[CLIENT].port);
}

/* As far as a login. The clock stands. */
static inline void crowd_log_in(struct dialogue *d)
{
	const uint64_t now = d->now;

	dialogue_handshake(d);
	dialogue_says(d, SERVER, "220 ready\r\n");
	dialogue_says(d, CLIENT, "USER x\r\n");
	dialogue_says(d, SERVER, "230 come in\r\n");
	d->now = now;
}

static inline struct session *crowd_session(struct dialogue *d)
{
	const struct tuple ends = { d->inside[CLIENT], d->inside[SERVER] };
	struct flow_key key;
	const uint32_t hash = table_hash(d->engine.table, &ends, 0, &key);

	return table_find(d->engine.table, &key, hash);
}

/* So many seconds pass. The table is looked through once, as it is once a minute. */
static inline void crowd_wait(struct dialogue *d, uint32_t seconds)
{
	d->now += 1000ull * seconds;
	session_tick(&d->engine, d->now, table_slots(d->engine.table));
}

#endif
