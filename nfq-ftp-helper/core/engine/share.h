/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share - how much of everything one client may have (invariant I6).
 *
 * A client is an IPv4 address or an IPv6 /64: whoever has one address of a /64 has them all. Sessions, work slots and expectations
 * are there in limited numbers, which all clients share. A client may take another one while it has fewer than are
 * free. So the limit moves with the load: one client alone can come to half of all; two that take what they can come to a third
 * each, and a third is left; and whoever comes then gets some at once (Choudhury and Hahne, Dynamic Queue Length Thresholds, 1998).
 * Nobody ever has all. Handshakes have shares of their own kind (embryo.h).
 *
 * What costs time instead of room has a rate: announcements, with the look-up of their connection; and the further ports that
 * are tried where the announced one is taken, each of which is a request to conntrack (budget.h).
 *
 * Networks that stand for many clients (proxies, address sharing: policy.exempt) are limited by what exists only.
 * Internal to core.
 */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include "engine.h"

/* Is the client's network one that stands for many? */
bool share_exempt(const struct engine *engine, const struct endpoint *client);

/* How many are there in all? */
uint32_t share_room(const struct engine *engine, enum share what);

/* Is none left, whoever asks? */
bool share_full(const struct engine *engine, enum share what);

/* May the client take another one? */
bool share_may(const struct engine *engine, const struct endpoint *client, enum share what);
bool share_session_may(const struct engine *engine, const struct session *session, enum share what);

/* The client gives one back. */
void share_give(struct engine *engine, const struct endpoint *client, enum share what);

/* The session's client does something that has a rate; false where it has done that too often lately. */
bool share_spend(struct engine *engine, const struct session *session, enum rate rate, uint64_t now);

/*
 * A work slot for a session that has none, if its client may take another, to change. NULL where none is left (REFUSED_MEMORY), or its client has
 * its share (REFUSED_SHARE). It is an announcement's, and spends its rate (else REFUSED_LIMIT) before one is looked for: where all are taken that is
 * dear, and in vain.
 */
struct work *share_work(struct engine *engine, struct session *session, uint64_t now, enum refusal *refusal);

#endif
