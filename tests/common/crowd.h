/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd - many clients and connections through one engine: a dialogue (dialogue.h) with a table of any size, which is told who speaks
 * next.
 */
#ifndef COMMON_CROWD_H
#define COMMON_CROWD_H

#include "common/dialogue.h"

#define GREEDY 0x0a000009u /* 10.0.0.9 */
#define HONEST 0x0a000002u /* 10.0.0.2 */

struct endpoint crowd_ipv4(uint32_t address, uint16_t port);

/* 2001:db8:NETWORK::HOST, a /64 each network */
struct endpoint crowd_ipv6(uint16_t network, uint32_t host, uint16_t port);

void crowd_begin(struct dialogue *d, uint32_t sessions, uint32_t works, uint32_t budgets);

/* From now on this client speaks to the server; both begin a connection. The clock stands. */
void crowd_turn(struct dialogue *d, struct endpoint client);

/* A masquerading router shows the client as 198.51.100.254: from now on its commands are edited. */
void crowd_masquerade(struct dialogue *d);

/* As far as a login. The clock stands. */
void crowd_log_in(struct dialogue *d);

struct session *crowd_session(struct dialogue *d);

/* So many seconds pass. The table is looked through once, as it is once a minute. */
void crowd_wait(struct dialogue *d, uint32_t seconds);

#endif
