/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orders - what the main thread has to tell a worker that runs: settings that have changed, and that packets have passed it by.
 */
#ifndef DAEMON_ORDERS_H
#define DAEMON_ORDERS_H

#include "worker_state.h"

/* Take what is new since the last tick, and say that it has been taken. */
void orders_take(struct worker *worker, uint64_t now);

#endif
