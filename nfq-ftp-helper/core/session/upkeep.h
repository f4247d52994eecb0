/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upkeep - what a connection needs while nothing is said in it.
 *
 * Theory of operation. Conntrack lets go of what it has not heard of for a while; the ends of a control connection may be silent for as long
 * as they like. So, now and then and a bounded number of times, conntrack is told, or asked:
 *
 *	an expectation whose transfer is still to come		gets its time anew when half of it is over, for an hour at the most
 *	the connection, while a transfer is going on in it	gets its time anew, about once a minute
 *	the connection, after five minutes of silence		is it still there? If not, its session is forgotten
 *
 * Where the kernel module lets packets pass, what conntrack answers brings the module's note with it.
 */
#ifndef CORE_UPKEEP_H
#define CORE_UPKEEP_H

#include "core/engine/engine.h"

/**
 * upkeep_tick - look after the next few
 * @engine: the engine
 * @now: milliseconds, as session_input()'s
 * @sessions: so many slots of the table are looked at; once around is to take about a minute
 * @works: likewise work slots, in which expectations are; once around is to take much less than the half of an expectation's time
 */
void upkeep_tick(struct engine *engine, uint64_t now, uint32_t sessions, uint32_t works);

#endif
