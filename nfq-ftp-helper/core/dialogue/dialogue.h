/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialogue - what the lines of a control connection mean: how far the dialogue has got, and what is told to those who open ports. Which
 * reply answers which command is pairing.h's. Lines come in order, each once. Internal to core.
 *
 * How far it has got, and what changes that: table/state.h, the table of states and events; most of the events are said here.
 *
 * What makes a client's line FOREIGN, by how well the client is known (I4). It is trusted once two commands have been exchanged, the second
 * sent by somebody who had the first one's answer, and it is logged in; or, where its beginning was not seen, without the login.
 *
 *			a word and a colon,	"HTTP/n.n" at its end	of no command's form, or none that is known
 *			or a reply: "227 ", "227-"
 *			---------------------------------------------------------------------------------------------------
 *	from the start	FOREIGN			FOREIGN			FOREIGN
 *	met in the middle FOREIGN		FOREIGN			lost: it may be a line's middle; then of no interest
 *	trusted		FOREIGN			FOREIGN, behind what is	of no interest
 *						no known command
 *
 * Why no reply: a server to whom CR LF alone ends a line may say back what it was told, an LF in a name and what stands behind that, while an
 * answer to PASV is due. Of a reply 227 alone counts, or 228, 229: no other one opens anything.
 *
 * A record of TLS in a line's place is FOREIGN from anybody: clients begin TLS upon other replies than 234, too, and the server, who knows
 * the keys, can have lines stand in what they encrypt.
 */
#ifndef CORE_DIALOGUE_DIALOGUE_H
#define CORE_DIALOGUE_DIALOGUE_H

#include "core/engine/turn.h"

/* A command or reply line has ended that announced nothing, or had no argument. */
void dialogue_line(struct turn *turn, const struct ftp_line *line);

/* An announcing line has been judged. @class: what is outstanding from now on, where the line is a command. */
void dialogue_announced(struct turn *turn, const struct ftp_line *line, enum pairing_class class);

/* And has ended. */
void dialogue_skipped(struct turn *turn, const struct ftp_line *line);

/*
 * A command was read; @web: its line ends in "HTTP/n.n". Return false when it does not count: the connection is not FTP, or the line
 * began in its middle.
 */
bool dialogue_command_seen(struct turn *turn, const struct ftp_word *word, bool web);

/* A byte of the client that cannot stand where it stands in a command. */
void dialogue_strange(struct turn *turn, uint8_t byte);

/* Is a command outstanding that a data connection is for? Its transfer is still to come, or is going on. */
bool dialogue_awaits_transfer(const struct session *session);

/* Has one been answered by 1xx, and not by more? */
bool dialogue_transfers(const struct session *session);

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
