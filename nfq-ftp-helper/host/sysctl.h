/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl - the kernel's settings below /proc/sys.
 */
#ifndef HOST_SYSCTL_H
#define HOST_SYSCTL_H

/* The number that a setting holds, "net/ipv4/ip_forward"; -1: there is none of this name, or it holds no number. */
int sysctl_number(const char *name);

#endif
