/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probes_packets - what takes packets to find out, over the namespace's own loopback.
 */
#ifndef TRIAL_PROBES_PACKETS_H
#define TRIAL_PROBES_PACKETS_H

#include "probe.h"

/* @wanted: a bit each. For a process that ends afterwards: what is opened stays open. */
void probes_packets_try(struct probes *probes, const char *carrier, unsigned int wanted);

#endif
