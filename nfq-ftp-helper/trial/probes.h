/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probes - all that is tried, in a network namespace that is made for that and gone afterwards.
 */
#ifndef TRIAL_PROBES_H
#define TRIAL_PROBES_H

#include "probe.h"

#define PROBES_ALL (~0u)

/**
 * probes_run - try things
 * @probes: filled in; of what is not wanted that it was not tried
 * @carrier: the kernel's helper that is assigned to connections
 * @wanted: those that are wanted, a bit each; and what these take, such as rules
 *
 * Return: 0, or a negative errno when there could be no namespace: then nothing was tried.
 */
int probes_run(struct probes *probes, const char *carrier, unsigned int wanted);

#endif
