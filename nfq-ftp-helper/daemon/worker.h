/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker - one thread: a queue, a table of sessions, and the engine between them.
 */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include "worker_state.h"

/**
 * worker_open - take everything a worker needs
 * @worker: filled in
 * @options: shared; must stay
 * @control: likewise
 * @index: the number of the worker, from 0
 *
 * What is wrong is said on standard error, in one sentence.
 *
 * Return: 0, or a negative errno; worker_close() is due in any case.
 */
int worker_open(struct worker *worker, const struct options *options, struct control *control, unsigned int index);

/* Start the thread. If it fails later, it says so, and sends the process a SIGTERM. Return: 0, or a negative errno. */
int worker_start(struct worker *worker);

/* Wait for the thread's end. Return: 0, or the negative errno it failed with. */
int worker_join(struct worker *worker);

void worker_close(struct worker *worker);

#endif
