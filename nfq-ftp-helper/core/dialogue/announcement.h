/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announcement - what a session has announced and is still open: each expectation is remembered until it is taken back. That is
 * when the server refuses the command, when it has accepted a newer one, when the transfer it was for is over, or when the
 * control connection ends (the last clause of invariant I4). Internal to core.
 */
#ifndef CORE_ANNOUNCEMENT_H
#define CORE_ANNOUNCEMENT_H

#include "core/engine/turn.h"

/*
 * Remember one; the session has a work slot with room for it. An equal earlier expectation was replaced by it. What a reply
 * announces is answered by being said, and takes the place of all earlier ones.
 */
void announcement_add(struct turn *turn, enum ftp_kind kind, const struct expectation *expectation);

/*
 * May the client have another one? Where it has its share, an earlier one of its own is taken back for it: most of these are
 * used already. False where none is found.
 */
bool announcement_room(struct turn *turn);

/* Take back what conntrack has let go of by now, and what was announced longer ago than any is kept. */
void announcement_expire(struct turn *turn);

/* Is one of them to be renewed, if its transfer is still to come? Half of its time is over then. */
bool announcement_is_due(const struct work *work, uint64_t now);

/*
 * Its transfer is still to come, or (@awaited false) is not known to be: renew what is due; what turns out to be gone is taken back. Each
 * costs one of @requests.
 */
void announcement_renew(struct turn *turn, bool awaited, unsigned int *requests);

/* The server has answered some command: perhaps each of those that are still to be answered, where order is lost. */
void announcement_heard(struct turn *turn);

/* The server has answered the oldest PORT, EPRT or LPRT that it had not. */
void announcement_answered(struct turn *turn, unsigned int code);

/* A transfer has begun, the next after the last that did: what was accepted while that went on is for this one. */
void announcement_transfer_begins(struct turn *turn);

/* A transfer is over, whatever became of it: what was announced for it is not needed any more. What was accepted while it went on is. */
void announcement_transfer_over(struct turn *turn);

/* Take everything back. */
void announcement_withdraw_all(struct turn *turn);

#endif
