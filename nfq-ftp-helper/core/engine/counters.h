/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counters - what an engine counts: one row a counter, and nothing anywhere else. Its member's name; its key in a line of the log, in the
 * order of that line, NULL: it is not in there; its name as a metric, and what that says of itself.
 */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include "core/wire/belief.h"
#include "report.h"

// clang-format off
#define COUNTERS(ROW)																			\
	ROW(packets,		"packets",	"packets",			"Packets of control connections.")							\
	ROW(untracked,		"untracked",	"packets_untracked",		"Of these, packets of no session, passed as they were.")				\
	ROW(malformed,		"malformed",	"packets_malformed",		"Packets that are none of TCP or have a wrong checksum, passed unread.")		\
	ROW(rewritten,		"rewritten",	"packets_rewritten",		"Packets that left with other contents.")						\
	ROW(renumbered,		"renumbered",	"packets_renumbered",		"Packets that left with other sequence numbers only.")					\
	ROW(held,		"held",		"packets_held",			"Packets of which a part of an argument was held back until the rest came.")		\
	ROW(dropped,		"dropped",	"packets_dropped",		"Packets dropped for their senders to send again.")					\
	ROW(resynced,		"resynced",	"streams_resynced",		"Streams picked up again behind bytes that passed unseen.")				\
	ROW(sessions,		"sessions",	"sessions_begun",		"Control connections followed.")							\
	ROW(picked_up,		"picked_up",	"sessions_picked_up",		"Of these, met in their middle.")							\
	ROW(full,		"not_followed",	"connections_not_followed",	"Connections for which there was no room.")						\
	ROW(limited,		"over_share",	"connections_over_share",	"Of these, since their client had its share.")						\
	ROW(displaced,		"displaced",	"sessions_displaced",		"Sessions forgotten for others.")							\
	ROW(one_way,		"one_way",	"connections_one_way",		"Connections of which the packets of one direction only came.")				\
	ROW(overdue,		"given_up",	"waits_given_up",		"Held bytes and edits that were given up.")						\
	ROW(edits,		"edits",	"rewrites",			"Arguments that were rewritten.")							\
	ROW(expectations,	"expected",	"expectations_made",		"Data connections expected.")								\
	ROW(renewals,		"renewed",	"expectations_renewed",		"Expectations renewed, since their transfer was still to come.")			\
	ROW(unexpectations,	"withdrawn",	"expectations_withdrawn",	"Expectations taken back.")								\
	ROW(syns,		NULL,		"handshakes",			"Handshakes begun.")									\
	ROW(strangers,		NULL,		"packets_of_strangers",		"Packets of connections whose beginning nobody has seen, passed.")
// clang-format on

struct counters {
#define MEMBER(member, key, metric, help) uint64_t member;
	COUNTERS(MEMBER)
#undef MEMBER
	uint64_t disbelieved[BELIEFS]; /* packets that change nothing, by reason */
	uint64_t refusals[REFUSALS];
};

#endif
