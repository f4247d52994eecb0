/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counters - what an engine counts: one row a counter, and nothing anywhere else. Its member's name, and its key in a line of the log,
 * in the order of that line; NULL: it is not in there.
 */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include "core/wire/belief.h"
#include "report.h"

// clang-format off
#define COUNTERS(ROW)											\
	ROW(packets, "packets")										\
	ROW(untracked, "untracked")		/* no session: passed */				\
	ROW(malformed, "malformed")		/* segment_parse() or the checksum said no: passed */	\
	ROW(rewritten, "rewritten")		/* packets that left changed */				\
	ROW(renumbered, "renumbered")		/* of self-adjusted sessions, otherwise unchanged */	\
	ROW(held, "held")			/* packets of which an argument's part was kept back */	\
	ROW(dropped, "dropped")										\
	ROW(resynced, "resynced")		/* streams picked up again behind bytes that passed unseen */	\
	ROW(sessions, "sessions")									\
	ROW(picked_up, "picked_up")		/* of them in the middle */				\
	ROW(full, "not_followed")		/* connections: there was no room for them */		\
	ROW(limited, "over_share")						\
	ROW(displaced, "displaced")		/* not followed any more: another one needed the room */	\
	ROW(one_way, "one_way")	/* connections: the other's packets do not come this way (oneway.h) */	\
	ROW(overdue, "given_up")	/* held bytes and edits */				\
	ROW(edits, "edits")										\
	ROW(expectations, "expected")									\
	ROW(renewals, "renewed")		/* expectations whose transfer was still to come */	\
	ROW(unexpectations, "withdrawn")							\
	ROW(syns, NULL)				/* handshakes begun */					\
	ROW(strangers, NULL)			/* packets with payload of connections whose beginning nobody has seen: passed */
// clang-format on

struct counters {
#define MEMBER(member, text) uint64_t member;
	COUNTERS(MEMBER)
#undef MEMBER
	uint64_t disbelieved[BELIEFS]; /* packets that change nothing, by reason */
	uint64_t refusals[REFUSALS];
};

#endif
