/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interface - the network interfaces of this namespace, as rules name them, and the bridges among them.
 */
#ifndef HOST_INTERFACE_H
#define HOST_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>

/* Is there an interface of this very name now? A wildcard is always there: such interfaces come and go. */
bool interface_exists(const char *name);

/* The first interface that is a bridge. Return: false: there is none. */
bool interface_find_bridge(char name[IF_NAMESIZE]);

#endif
