/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capabilities - what of root's power is kept.
 */
#ifndef ISOLATION_CAPABILITIES_H
#define ISOLATION_CAPABILITIES_H

#include <stdint.h>

/* A set of capabilities is a bit each, 1 << CAP_NET_ADMIN for instance. */

/* Programs that are started from here have none but those of @set, whoever they run as. Without CAP_SETPCAP: it stays as it is. */
void capabilities_bound(uint64_t set);

/* Keep those of @set, permitted and effective, and leave nothing to programs. Return: 0, or a negative errno: -EPERM: one is not there. */
int capabilities_keep(uint64_t set);

#endif
