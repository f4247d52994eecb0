/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interface - the network interfaces of this namespace, as rules name them.
 */
#ifndef HOST_INTERFACE_H
#define HOST_INTERFACE_H

#include <stdbool.h>

/* Is there an interface of this very name now? A wildcard is always there: such interfaces come and go. */
bool interface_exists(const char *name);

#endif
