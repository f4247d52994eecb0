/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialogue - what the lines of a control connection mean: which reply answers which command, and how far the dialogue has
 * got. Lines come in order, each once. Internal to core.
 */
#ifndef CORE_DIALOGUE_H
#define CORE_DIALOGUE_H

#include "core/engine/turn.h"

/* A command or reply line has ended that announced nothing, or had no argument. */
void dialogue_line(struct turn *turn, const struct ftp_line *line);

/* An announcing line has been judged. @kind: the command that is outstanding from now on, where the line is one. */
void dialogue_announced(struct turn *turn, const struct ftp_line *line, enum ftp_kind kind);

/* A command was read. Return false when it does not count: the connection is not FTP, or the line began in its middle. */
bool dialogue_command_seen(struct turn *turn, const struct ftp_word *word);

/*
 * Does a final reply answer a command of this kind? It answers the oldest one. Where replies may have passed unseen, older
 * commands than the first of this kind are taken to be answered already, and forgotten.
 */
bool dialogue_answers(struct session *session, enum ftp_kind kind);

/* A byte that cannot stand where it stands in FTP. */
void dialogue_strange(struct turn *turn);

/* Bytes of this connection have passed unseen: what is outstanding is not known any more. */
void dialogue_lost(struct table *table, struct session *session);

/* Is it not known whether TLS has begun, once a reply may have passed unseen? */
bool dialogue_may_be_opaque(const struct session *session);

/* The connection speaks something else: nothing in it is read any more. */
void dialogue_not_ftp(struct turn *turn);

/* TLS, or what was taken for it, of which more is not to be known: nothing in it is read any more. */
void dialogue_opaque(struct turn *turn);

/* In TLS, a line begins where a record would: everything is to be shown again. */
void dialogue_out_of_tls(struct turn *turn);

/* In TLS, something that is neither a record nor a line. */
void dialogue_no_record(struct turn *turn);

#endif
