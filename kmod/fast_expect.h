/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fast_expect - the module's own expectations, and for how long they and their connection are kept. All of it is under fast_lock().
 */
#ifndef KMOD_FAST_EXPECT_H
#define KMOD_FAST_EXPECT_H

#include "core/plain/plain.h"
#include "fast.h"

/* The data connection to that port. Return: to be put; NULL: it is not expected. */
struct nf_conntrack_expect *fast_expect(const struct fast_packet *packet, const struct plain *plain);

/*
 * A server that opens data connections from the port below that of its control connections (RFC 959) may have the one to come already, as
 * another client's; or an older one stands where the one to come is to be translated from. Is there such a one? It is user space's to judge.
 */
bool fast_is_in_the_way(const struct fast_packet *packet, const struct plain *plain);

/* What the segment's lines make of them. Return: how many have been taken back. */
unsigned int fast_expect_carry_out(struct nf_conn *ct, struct scan_segment *segment);

/*
 * Those that there are, in all network namespaces: @see is told the control connection of each. In the time of a walk through all of
 * conntrack's; what comes and goes meanwhile may be seen or not. Not under nf_conntrack_expect_lock.
 */
void fast_expect_each(void (*see)(const struct nf_conn *ct));

#endif
