/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oneway - connections of which the packets of one direction only come here: the other's go over another router. Nothing of such a one is
 * believed that could edit or open anything: each packet acknowledges what never came. So all there is to do is to say it. Internal to core.
 *
 * What shows it is a sender who goes on, time and again, behind bytes of his own that were not read, since they acknowledge bytes of the
 * other's which never came; and for some seconds nothing of the other's has. All of these functions stand where a packet is not read
 * anyway: who is read pays nothing for them. It is counted and reported once per connection; who listens says it once per host.
 */
#ifndef CORE_ONEWAY_H
#define CORE_ONEWAY_H

#include "core/engine/turn.h"

/* A packet that is not read, since it acknowledges what never came; before its bytes are taken note of. */
void oneway_ahead(const struct turn *turn, const struct segment *segment);

/* A packet of a connection whose numbers are not known, like all those of it so far of the same direction; before it is taken note of. */
void oneway_unsure(const struct turn *turn, const struct segment *segment);

/* A packet with payload of a connection without a session. */
void oneway_stranger(struct engine *engine, const struct arrival *arrival, uint64_t now);

#endif
