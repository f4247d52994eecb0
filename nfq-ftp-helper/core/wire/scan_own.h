/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan_own - what the kernel module has announced by itself, and what lines make of it. Internal to scan.
 *
 * Theory of operation. The module may deal with a plain announcement by itself (core/plain/plain.h). Whose an expectation is never changes
 * hands: the engine takes back its own, the module its own, and each sees all that it needs for that, however the other fares. So at any moment
 * the module has at most one that is unanswered yet, by the oldest command that is unanswered at all, and those that are accepted. What
 * becomes of them is announcement.h's, clause by clause:
 *
 *				unanswered		accepted
 *	2xx to its command	is accepted		gone: replaced
 *	4xx, 5xx to it		gone			stays
 *	2xx to one of user	-			gone: replaced
 *	  space's
 *	227, 228, 229 that	gone			gone: replaced
 *	  was asked for
 *	transfer over		stays			gone
 *	not followed any more	gone			gone
 *	  (TLS, FIN, RST, ...)
 *	RETR, LIST, ... is	stays			has its longest time, since nobody renews it: the transfer may be long in
 *	  unanswered					coming; once, and no more of it than the usual when that is answered
 *
 * The module does what a segment's lines say wherever the segment goes: it may be ahead of the engine, and then takes back early.
 */
#ifndef CORE_WIRE_SCAN_OWN_H
#define CORE_WIRE_SCAN_OWN_H

#include "scan_state.h"

/* Is there nothing unanswered but the oldest command of interest? */
static inline bool scan_own_alone(const struct scan *scan)
{
	return !scan->before_first && scan->second == PAIRING_OTHER && !scan->before_second && !scan->begun;
}

/* Is a transfer unanswered? */
static inline bool scan_asks_for_transfer(const struct scan *scan)
{
	return scan->first == PAIRING_TRANSFER || scan->second == PAIRING_TRANSFER;
}

/* Is the module's own command, alone, to be answered by this segment? */
bool scan_own_turn(const struct scan *scan, const struct scan_segment *segment);

/* May the module deal with this command by itself? Nothing else is unanswered. Return: as what, or PAIRING_OTHER. */
uint8_t scan_own_asks(const struct scan *scan, const struct scan_segment *segment, enum pairing_class class);

/* A reply has come. @first: what the oldest command of interest was before it. */
void scan_own_reply(const struct scan *scan, struct scan_segment *segment, enum pairing_class first,
		    const struct pairing_answer *answer, unsigned int code);

/* A transfer is asked for. */
void scan_own_transfer(struct scan_segment *segment);

/* It is not followed any more. */
void scan_own_end(struct scan_segment *segment);

#endif
