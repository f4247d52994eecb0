/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notices - what an operator must hear of a worker: what it ran out of, what it cannot do on this kernel, and its counters.
 */
#ifndef DAEMON_NOTICES_H
#define DAEMON_NOTICES_H

#include "worker_state.h"

/* What there was no room for since this was called last. */
void notices_each_second(struct worker *worker);

/* What holds for as long as this kernel and these rules do: said once. */
void notices_once(struct worker *worker);

/* All counters, as SIGUSR1 asks for them. */
void notices_counters(const struct worker *worker);

#endif
