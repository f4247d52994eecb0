/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctnetlink - the kernel's implementation of struct conntrack.
 */
#ifndef KERNEL_CTNETLINK_H
#define KERNEL_CTNETLINK_H

#include "ctnetlink_state.h"

/**
 * ctnetlink_open - be ready to ask the kernel
 * @ct: filled in; the caller's memory
 * @config: copied
 *
 * It asks for a connection that cannot exist, to learn whether there is anyone to answer.
 *
 * Return: 0; -EPERM: no CAP_NET_ADMIN; -EPROTONOSUPPORT: the kernel has no ctnetlink; another negative errno.
 */
int ctnetlink_open(struct ctnetlink *ct, const struct ctnetlink_config *config);

/* From here on expectations are given so much time. */
void ctnetlink_set_expect_timeout(struct ctnetlink *ct, uint32_t seconds);

void ctnetlink_close(struct ctnetlink *ct);

/* Do what was deferred. Call it when a batch of packets is done. */
void ctnetlink_flush(struct ctnetlink *ct);

/**
 * ctnetlink_hint - the connection of the packet that is handled next
 * @ct: as opened
 * @attributes: NFQA_CT's inside, NULL where the kernel sends none; it must stay until the next hint
 * @length: bytes there
 *
 * find() answers from it instead of asking.
 */
void ctnetlink_hint(struct ctnetlink *ct, const void *attributes, size_t length);

#endif
