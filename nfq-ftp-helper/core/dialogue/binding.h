/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * binding - the connection that a busy session belongs to, as conntrack has it. Looked up once, kept in the session's work slot.
 * Internal to core.
 */
#ifndef CORE_BINDING_H
#define CORE_BINDING_H

#include "core/engine/turn.h"

/**
 * binding_get - the session's work slot, to change, with the binding of its connection
 * @turn: whose
 * @refusal: why there is none: REFUSED_MEMORY, REFUSED_SHARE (share.h), REFUSED_LIMIT (a look-up costs an announcement of the client's
 *	rate), REFUSED_UNKNOWN. Not changed otherwise
 *
 * Return: NULL where there is none.
 */
struct work *binding_get(struct turn *turn, enum refusal *refusal);

/* Does NAT change the addresses of the end that writes in the turn's direction? */
bool binding_speaker_translated(const struct turn *turn, const struct binding *binding);

#endif
