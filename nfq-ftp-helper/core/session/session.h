/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session - follows control connections: one packet in, one verdict out.
 *
 * This is the engine's front door. It does no I/O, takes no memory and reads no clock: the caller passes in the packet, the
 * time, and a buffer for a packet that has to be rewritten.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "core/engine/engine.h"

enum verdict {
	VERDICT_ACCEPT,	 /* as it came */
	VERDICT_REPLACE, /* output.packet instead */
	VERDICT_DROP,
};

/* The packet on its way out. */
struct output {
	uint8_t *buffer; /* the caller's; at least 65535 + 128 bytes */
	size_t capacity;
	const uint8_t *packet; /* VERDICT_REPLACE: the caller's buffer, or the packet itself, renumbered in place */
	size_t length;
};

/* Nobody was on the queue until now: for a while connections are picked up in the middle. */
void session_absent(struct engine *engine, uint64_t now);

/*
 * A packet of a session passes that could not be read whole, as in a capture that is cut off. Its header says how many bytes of payload have
 * passed unseen: @payload_length, at most 65535.
 */
void session_unread(struct engine *engine, const struct arrival *arrival, uint32_t payload_length, uint64_t now);

/**
 * session_arrive - look at a packet, first step
 * @engine: the engine
 * @arrival: filled in
 * @packet: IP header and what follows; may be changed by session_input()
 * @length: bytes there
 * @checksum_pending: see segment_parse()
 * @zone: conntrack zone
 *
 * Call it for all packets of a batch, then session_prefetch(), then session_input() for each.
 *
 * Return: 0, or as segment_parse(): then pass the packet on as it is.
 */
int session_arrive(struct engine *engine, struct arrival *arrival, uint8_t *packet, size_t length,
		   bool checksum_pending, uint16_t zone);

/**
 * session_arrive_as - the same where the packet's own addresses do not name its flow
 * @ends: sender and receiver of the flow, the same pair (exchanged) for packets of both directions; NULL: the packet's own
 *
 * Behind a translation the two directions' packets do not mirror each other; the connection's original tuple does.
 */
int session_arrive_as(struct engine *engine, struct arrival *arrival, uint8_t *packet, size_t length,
		      bool checksum_pending, uint16_t zone, const struct tuple *ends);

/* Second step: bring the sessions of a batch into the cache. */
void session_prefetch(const struct engine *engine, const struct arrival *arrivals, unsigned int count);

/**
 * session_input - one packet
 * @engine: the engine
 * @arrival: from session_arrive()
 * @now: milliseconds, of any clock that never steps back and goes on while the daemon is away
 * @output: where a rewritten packet goes
 *
 * Return: what to do with it.
 */
enum verdict session_input(struct engine *engine, struct arrival *arrival, uint64_t now, struct output *output);

/**
 * session_tick - forget what has timed out
 * @engine: the engine
 * @now: as for session_input()
 * @slots: how many slots to look at in this call
 */
void session_tick(struct engine *engine, uint64_t now, uint32_t slots);

#endif
