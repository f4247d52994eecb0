/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally - the engines' counters, logged.
 */
#ifndef DAEMON_TALLY_H
#define DAEMON_TALLY_H

#include "core/session/session.h"

/* Log them at LOG_LEVEL_NOTICE: one line, and one for each reason of refusals. @event: "event=counters queue=0": what they begin with. */
void tally_log(const char *event, const struct counters *counters);

#endif
