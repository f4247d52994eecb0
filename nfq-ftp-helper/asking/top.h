/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top - what the daemon follows, again every second: sortable, a session's detail; printed once where it is not to a terminal.
 */
#ifndef ASKING_TOP_H
#define ASKING_TOP_H

#include "question.h"

/* Until somebody ends it. Return: whether it was answered at all; if not, why is said on standard error. */
bool top_run(const char *state_directory, const struct filter *filter);

#endif
