/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run_test - `run --test-config': whatever the daemon would not start with, but for what only its start can show.
 */
#ifndef COMMAND_RUN_TEST_H
#define COMMAND_RUN_TEST_H

#include "option.h"

/**
 * run_test - say whether it is good
 * @values: read, each for itself allowed, and going together
 *
 * Return: EXIT_DONE: it is; EXIT_USAGE: it is not, also where that is the machine's fault.
 */
int run_test(const struct option_values *values);

#endif
