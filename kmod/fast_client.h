/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fast_client - what a client may have the module do: how often announce, and how much of what the module expects be its own. It is an address, or
 * an IPv6 /64, of its network namespace: whoever has one of these gives others there what addresses he likes, and takes nothing from whoever
 * has them elsewhere. So what may be expected is so much in each namespace, as conntrack has it.
 */
#ifndef KMOD_FAST_CLIENT_H
#define KMOD_FAST_CLIENT_H

#include <net/netfilter/nf_conntrack.h>

/* Return: 0, or a negative errno. */
int fast_client_init(void);
void fast_client_exit(void);

/* Who its client is, as a number. Clients whose addresses come to the same have the same. */
u32 fast_client_number(const struct nf_conn *ct);

/* May the client of this control connection announce once more? What is said yes to counts. Under fast_lock(). */
bool fast_client_may(const struct nf_conn *ct);

#endif
