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

/*
 * Does the kernel drop packets that a program has changed? It is tried where it may be so only: in a network namespace of another user namespace
 * than the first. Return: false: no, or it could not be tried.
 */
bool probes_changed_are_dropped(const char *carrier);

/* How that is said: a sentence. */
#define PROBES_CHANGED_ARE_DROPPED                                                                                        \
	"this kernel drops each packet that a program changes in a network namespace of another user namespace than the " \
	"first, as a rootless container has, so that no address can be rewritten here"

/* And what is to be done. */
#define PROBES_CHANGED_REMEDY "run nfq-ftp-helper in the host's network namespace, or in a container of root's"

#endif
