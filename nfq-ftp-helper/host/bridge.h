/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bridge - the bridges of this network namespace.
 */
#ifndef HOST_BRIDGE_H
#define HOST_BRIDGE_H

#include <net/if.h>
#include <stdbool.h>

/* The first interface that is a bridge. Return: false: there is none. */
bool bridge_find(char name[IF_NAMESIZE]);

#endif
