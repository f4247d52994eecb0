/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * told - a ladder of what the running daemon tells of its sessions, made while they go on (tools/live.c).
 *
 * What it tells are its engine's reports, as a capture's are (follow.h). Of lines that announce nothing it tells no more than a command's
 * word and a reply's code, and of data connections only that they are expected: so there are no packets in this ladder, and no bytes.
 */
#ifndef EXPLAIN_TOLD_H
#define EXPLAIN_TOLD_H

#include "core/engine/report.h"
#include "ladder.h"

struct told;

/* A row of dialogue @number, from 0, to which nothing is added any more; in the order in which things happened. */
typedef void told_ready(void *context, size_t number, const struct ladder_row *row);

/* Of a ladder, which is borrowed. @ready: who hears of rows; NULL: nobody. Return: NULL: no memory. */
struct told *told_new(struct ladder *ladder, told_ready *ready, void *context);
void told_free(struct told *told);

/* A session that went on before anybody looked. @time: microseconds since somebody did; @text: what is known of it. */
void told_session(struct told *told, int64_t time, const struct endpoint *client, const struct endpoint *server,
		  const char *text);

/* Its texts need not outlive the call. */
void told_report(struct told *told, int64_t time, const struct report *report);

/* Some events were lost here. */
void told_lost(struct told *told, int64_t time, uint64_t count);

/* Nothing more comes of what has been told so far. */
void told_flush(struct told *told);

/* Sessions that have not ended. */
size_t told_going_on(const struct told *told);

#endif
