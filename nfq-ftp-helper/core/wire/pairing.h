/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pairing - which reply answers which command. Shared with the kernel module.
 *
 * Theory of operation. Commands are answered in order (RFC 959 section 5.4), but for real servers: they leave commands unanswered, answer
 * one twice, or another first while a transfer is going on. So order decides as long as the next command in order can have the reply
 * at all; where it cannot, the first that can. Which can have which is said by a class's row in the table below, RFC 959 section 5.4's
 * with what servers do. A reply that no outstanding command can have is that of one of no interest, where that is the next in order;
 * else it was one too many, and answers nothing.
 *
 *	class		commands			replies that they may have	what is older then
 *	--------------	------------------------------	------------------------------	--------------------------------
 *	OTHER		of no interest: only counted	2xx but the others' own, 3xx	still waits
 *	ACTIVE		PORT, EPRT, LPRT		200 to 209, 250			still waits
 *	IDLE		the same, where it opened	as ACTIVE
 *			nothing
 *	PASSIVE		PASV, EPSV, LPSV, whichever	227, 228, 229			counts as answered
 *	DOUBTED		the same, outstanding when a	as PASSIVE; but it opens
 *			multi-line reply ended oddly	nothing
 *	AUTH		AUTH				234, 334			counts as answered
 *	LOGIN		USER, PASS, ACCT		200 to 209, 230 to 233, 250	counts as answered (230 to 233, 331, 332)
 *							to 259, 331, 332; as the next in
 *							order any 2xx that nobody may have
 *	TRANSFER	RETR, STOR, LIST, ...		1xx, 225, 226, 250		counts as answered
 *	all							4xx, 5xx; a transfer that has
 *							begun not 500 to 504, 530,
 *							nor 1xx where another waits
 *
 * Commands of no interest may be outstanding in any number; of the others PAIRING_MAX.
 */
#ifndef CORE_WIRE_PAIRING_H
#define CORE_WIRE_PAIRING_H

#include "ftp.h"

enum pairing_class {
	PAIRING_OTHER,
	PAIRING_ACTIVE,
	PAIRING_IDLE,
	PAIRING_PASSIVE,
	PAIRING_DOUBTED,
	PAIRING_AUTH,
	PAIRING_LOGIN,
	PAIRING_TRANSFER,
	PAIRING_CLASSES,
};

/* How far it has been shown that the client speaks FTP: two commands, the second sent when the first had been answered. */
enum exchanged {
	EXCHANGED_NOTHING,
	EXCHANGED_ONE,	/* a command has been answered */
	EXCHANGED_SENT, /* another was sent by somebody who had that answer */
	EXCHANGED_TWO,	/* and a reply came to that */
};

#define PAIRING_MAX 6 /* commands of interest */

/* The outstanding commands, oldest first: all zero when there are none. */
struct pairing {
	uint32_t classes;		  /* enum pairing_class of those of interest, oldest lowest, four bits each */
	uint16_t before[PAIRING_MAX + 1]; /* so many of no interest before each of these, and behind the last */
	uint8_t count;			  /* of interest */
	uint8_t begun : 1;		  /* the oldest has had a 1xx */
	uint8_t overflow : 1;		  /* one of interest was one too many, and is counted among the others */
};

/* What a reply turned out to be. */
struct pairing_answer {
	bool answers;	      /* an outstanding command */
	bool transfer_begins; /* it is the first 1xx of one that is outstanding */
	bool transfer_over;   /* one whose transfer had begun */
	uint8_t class;	      /* the command's */
	uint8_t older_active; /* so many ACTIVE ones, older than it, count as accepted */
};

/* What a command of this kind is, once it stands in a line of its own; ACTIVE where it announces something. */
enum pairing_class pairing_class(enum ftp_kind kind);

static inline bool pairing_empty(const struct pairing *pairing)
{
	return !pairing->count && !pairing->before[0];
}

static inline bool pairing_full(const struct pairing *pairing)
{
	return pairing->count == PAIRING_MAX;
}

/* The class of one of interest, by its place. */
static inline enum pairing_class pairing_at(const struct pairing *pairing, unsigned int place)
{
	return (enum pairing_class)(pairing->classes >> 4 * place & 15);
}

/* Is one of this class outstanding? */
bool pairing_has(const struct pairing *pairing, enum pairing_class class);

/* A command has been sent. */
void pairing_push(struct pairing *pairing, enum pairing_class class);

/* A reply has come: "NNN " and not "NNN-". */
struct pairing_answer pairing_reply(struct pairing *pairing, unsigned int code);

/* Would a 227, 228 or 229 answer a command, and may it open something? */
bool pairing_asked(const struct pairing *pairing);

/*
 * Does "NNN " with this code end the multi-line reply that is open with another one, all the same? A greeting is ended by the answer to USER,
 * any by the 1xx of the command that it answers.
 */
bool pairing_ends_oddly(const struct pairing *pairing, bool greeted, unsigned int open, unsigned int code);

/* It is in doubt which lines are text and which are replies: what has been asked for opens nothing. */
void pairing_doubt(struct pairing *pairing);

#endif
