/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live - explain, of sessions of the running daemon. Internal to tools.
 */
#ifndef TOOLS_LIVE_H
#define TOOLS_LIVE_H

#include "command/option.h"
#include "output/whole.h"

/**
 * live_run - draw the sessions of options->live, until they have ended, the time is over, or somebody ends it
 * @options: of explain
 * @whole: where to; text as it comes, once the daemon has answered, pictures at the end
 *
 * What is wrong is said on standard error.
 *
 * Return: 0 or a negative errno.
 */
int live_run(const struct option_values *options, struct whole *whole);

#endif
