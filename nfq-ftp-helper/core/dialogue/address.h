/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address - what an announced address stands for. One table in address.c, its cases in order; nobody else asks whose an address is.
 * Internal to core.
 */
#ifndef CORE_ADDRESS_H
#define CORE_ADDRESS_H

#include "core/engine/turn.h"

enum address_meaning {
	ADDRESS_SPEAKER, /* the speaker, whose own it is, or who names a port alone */
	ADDRESS_ITSELF,	 /* a third party that policy.loose names: nobody but the very address */
	ADDRESS_MENDED,	 /* the speaker, though it is not his: every client dials him */
	ADDRESS_FOREIGN, /* it would stand for the speaker, but policy.foreign has such addresses refused */
	ADDRESS_THIRD_PARTY,
};

/* An IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2) is an IPv4 address. */
void address_unmap(struct endpoint *endpoint);

/**
 * address_meaning - for whom does an announced address stand?
 * @turn: who speaks
 * @binding: on which connection
 * @notation: in which it is written
 * @address: after address_unmap(); its port is not looked at
 */
enum address_meaning address_meaning(const struct turn *turn, const struct binding *binding, enum notation notation,
				     const struct endpoint *address);

#endif
