// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/crowd.h"

#include "unit/unit.h"

struct endpoint crowd_ipv4(uint32_t address, uint16_t port)
{
	struct endpoint endpoint = { .family = FAMILY_IPV4, .port = port };

	packet_put32(endpoint.address, address);
	return endpoint;
}

struct endpoint crowd_ipv6(uint16_t network, uint32_t host, uint16_t port)
{
	struct endpoint endpoint = { .family = FAMILY_IPV6, .address = { 0x20, 1, 0xd, 0xb8 }, .port = port };

	endpoint.address[6] = (uint8_t)(network >> 8);
	endpoint.address[7] = (uint8_t)network;
	packet_put32(endpoint.address + 12, host);
	return endpoint;
}

void crowd_begin(struct dialogue *d, uint32_t sessions, uint32_t works, uint32_t budgets)
{
	dialogue_begin(d, NO_NAT);
	free(d->memory);
	d->size = (struct table_size){ .sessions = sessions, .works = works, .budgets = budgets };
	d->memory = unit_alloc_lines(table_bytes(&d->size));
	dialogue_restart(d);
}

void crowd_turn(struct dialogue *d, struct endpoint client)
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

void crowd_masquerade(struct dialogue *d)
{
	d->binding.tuple[DIRECTION_REPLY].dst = crowd_ipv4(0xc63364fe, d->inside[CLIENT].port);
}

void crowd_log_in(struct dialogue *d)
{
	const uint64_t now = d->now;

	dialogue_handshake(d);
	dialogue_says(d, SERVER, "220 ready\r\n");
	dialogue_says(d, CLIENT, "USER x\r\n");
	dialogue_says(d, SERVER, "230 come in\r\n");
	d->now = now;
}

struct session *crowd_session(struct dialogue *d)
{
	const struct tuple ends = { d->inside[CLIENT], d->inside[SERVER] };
	struct flow_key key;
	const uint32_t hash = table_hash(d->engine.table, &ends.src, &ends.dst, 0, &key);

	return table_find(d->engine.table, &key, hash);
}

void crowd_wait(struct dialogue *d, uint32_t seconds)
{
	d->now += 1000ull * seconds;
	session_tick(&d->engine, d->now, table_slots(d->engine.table));
}
