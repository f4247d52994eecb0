/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fast_client - how often a client, an address or an IPv6 /64, may have the module announce.
 */
#ifndef KMOD_FAST_CLIENT_H
#define KMOD_FAST_CLIENT_H

#include <net/netfilter/nf_conntrack.h>

/* Return: 0, or a negative errno. */
int fast_client_init(void);
void fast_client_exit(void);

/* May the client of this control connection announce once more? What is said yes to counts. Under fast_lock(). */
bool fast_client_may(const struct nf_conn *ct);

#endif
