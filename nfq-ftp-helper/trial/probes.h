/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probes - all that is tried, in a network namespace that is made for that and gone afterwards.
 */
#ifndef TRIAL_PROBES_H
#define TRIAL_PROBES_H

#include "probe.h"

/**
 * probes_run - try everything
 * @probes: filled in
 * @carrier: the kernel's helper that is assigned to connections
 *
 * Return: 0, or a negative errno when there could be no namespace: then nothing was tried.
 */
int probes_run(struct probes *probes, const char *carrier);

#endif
