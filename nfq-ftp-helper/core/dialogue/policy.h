/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy - may this announcement open a port, and which one? Invariant I4 and nothing else. Internal to core.
 *
 * Each clause of I4, and where it is kept:
 *
 *	the client's lines are FTP commands, until trusted	dialogue_command_seen(), dialogue_strange(): dialogue.c
 *	one exact PROXY header before the first			proxy.c
 *	a greeting, or one exchange where it was not seen	at_its_place()
 *	a complete line at a line's true start			stream.c, which reads lines; ftp.c, which knows their beginnings
 *	227, 228, 229: asked for				at_its_place(), pairing_asked()
 *	not in the text of a multi-line reply			ftp_scan(), which is told the code that ends it; end_oddly(): dialogue.c
 *	the speaker's own address, as he has it or NAT shows it	address_meaning(): address.c
 *	or a foreign one of a reply, which is mended		the same; predict(): the port is the speaker's all the same
 *	or one that is let loose, and then that very address	the same
 *	every octet at most 255					endpoint_parse(), endpoint_find()
 *	a port of 1024 or more					policy_judge()
 *	outside of TLS						tls_records.h: what is in a record is not read; dialogue_out_of_tls()
 *	taken back: refused, replaced, over			announcement_answered(), announcement_transfer_over()
 *	taken back: the control connection ends, time		lifecycle_close(), lifecycle_tick(): announcement_withdraw_all(), _expire();
 *								upkeep_tick(): announcement_renew(), for an hour at the most
 *	bytes unseen: everything to show again			dialogue_lost(), called by whoever finds that they were
 *	not too many of one client (I6)				share_spend(), announcement_room()
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "address.h"

/* The text names another address than the other side must dial. */
enum policy_text {
	POLICY_TEXT_STAYS,    /* it does not */
	POLICY_TEXT_MAY_STAY, /* but nobody looks at it: where it can easily be changed it is */
	POLICY_TEXT_CHANGES,
};

/* An announcement under examination. */
struct candidate {
	const struct ftp_line *line; /* the line it stands in; its phase is FTP_PHASE_ARGUMENT */
	const struct ftp_word *word; /* the line's */
	const char *text; /* from the first byte that can begin an argument to the line's end, without its LF */
	uint32_t text_length;
	/* and what policy_judge() has found out: */
	uint32_t offset;		/* of the argument in the text */
	uint32_t length;		/* of the argument; 0: there is none */
	char delimiter;			/* of its notation */
	struct endpoint endpoint;	/* which it names; family 0: a port alone */
	enum address_meaning meaning;	/* and whom that stands for */
	struct work *work;		/* the session's, with the binding of its connection */
	struct expectation expectation; /* the data connection that may come */
	struct endpoint told;		/* what the other side has to be told; but for the port, the expectation's */
	enum policy_text text_change;	/* and whether it has to */
};

/* Return: REFUSED_NOT where the candidate's expectation may be opened; nothing has been opened yet. */
enum refusal policy_judge(struct turn *turn, struct candidate *candidate);

/* May an announcement of the turn's direction, if it is a good one, have to be edited? The session is bound. */
bool policy_may_edit(const struct turn *turn, const struct work *work);

#endif
