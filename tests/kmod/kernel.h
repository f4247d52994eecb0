/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel in small, which knows of its helpers and nothing else: each of generations/ has one, in a kernel.c. What can be seen of it from
 * outside is the same everywhere.
 */
#ifndef TEST_KMOD_KERNEL_H
#define TEST_KMOD_KERNEL_H

#include <net/netfilter/nf_conntrack_helper.h>

#define KERNEL_PORT_NONE 0 /* where helpers have no ports */

struct kernel_view {
	unsigned int family, protocol, port;
	unsigned int max_expected, timeout;
};

/* The helper of a family that a connection would be given now, or NULL. */
struct nf_conntrack_helper *kernel_find(const char *name, unsigned int family);
struct kernel_view kernel_look(const struct nf_conntrack_helper *helper);

#endif
