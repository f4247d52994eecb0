/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic - packets of FTP control connections, made up.
 *
 * They look as Linux sends them: no IP options, TCP with timestamps, checksums complete. Acknowledgements go the way a
 * peer's would that receives the rewritten text.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "core/conntrack.h"

/* A packet of a control connection is small. */
#define FRAME_BYTES 190

struct frame {
	uint16_t length;
	uint8_t bytes[FRAME_BYTES]; /* IP header and what follows */
};

/* One control connection, as its two ends see it. */
struct talk {
	struct endpoint client;
	struct endpoint server;
	uint32_t next[2]; /* by enum direction: what that side sends next, sender space */
	int32_t shift[2]; /* how much that side's text has grown on its way so far */
};

/* Number n of many: each has its own client endpoint. The server's is always the same. */
void talk_begin(struct talk *talk, uint8_t family, bool client_inside, uint32_t number);

/* The next packet that @direction sends; @text may be "". @flags: TCP_SYN, TCP_FIN; ACK and PSH come by themselves. */
void talk_say(struct talk *talk, struct frame *frame, enum direction direction, uint8_t flags, const char *text,
	      size_t length);

/* The dialogue from SYN to the client's login, TALK_LOGIN packets. */
#define TALK_LOGIN 8
void talk_login(struct talk *talk, struct frame frames[TALK_LOGIN]);

/* What NAT makes of the inside address that talk_begin() uses. */
struct endpoint traffic_inside(uint8_t family, uint32_t number);
struct endpoint traffic_outside(uint8_t family);

/* How many inside addresses there are for that many talks. */
uint32_t traffic_hosts(uint32_t talks);

#endif
