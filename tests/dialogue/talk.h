/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk - a script in the making: what both ends know while they talk, and the random numbers that decide how oddly they do.
 */
#ifndef DIALOGUE_TALK_H
#define DIALOGUE_TALK_H

#include "script.h"

#define TALK_LINE 512

struct talk {
	struct script *script;
	uint64_t random;
	unsigned int odd_left; /* so many oddities more */
	uint16_t next_port;
	unsigned int exchanges; /* commands of the client that were answered before the next was sent */
	bool logged_in;		/* USER, PASS or ACCT answered by 2xx, or a greeting of 230 */
	bool one_segment;    /* what is said goes on in the segment of what was said last, where the same side speaks */
	bool lines_end_bare; /* with LF alone */
	bool nul_of[2];	     /* behind each line */
	bool nul_before;     /* and the client's before its end, too */
	bool telnet;	     /* commands may have Telnet's in front */
	bool unanswered;     /* some command never was, so that commands and replies may not be in step */
	bool owed;	     /* the last transfer's final reply is still to come */
};

uint64_t talk_random(struct talk *talk);
unsigned int talk_pick(struct talk *talk, unsigned int of); /* 0 to of - 1 */
bool talk_chance(struct talk *talk, unsigned int percent);

/* One of a list. */
#define TALK_ONE_OF(talk, list) ((list)[talk_pick(talk, sizeof(list) / sizeof((list)[0]))])

/* Shall this oddity be, here? It is noted where it is. */
bool talk_odd(struct talk *talk, enum oddity oddity, unsigned int percent);

/* A line with its end. */
__attribute__((format(printf, 3, 4))) void talk_line(struct talk *talk, enum side side, const char *format, ...);

/* Bytes as they are. */
void talk_bytes(struct talk *talk, enum side side, const void *bytes, uint32_t length);

/* A command, and its reply of one line. */
void talk_exchange(struct talk *talk, const char *command, const char *reply);

/* Odd lines of the client are tolerated from now on. */
bool talk_tolerant(const struct talk *talk);

uint16_t talk_port(struct talk *talk);

/* opening.c: up to the login. between.c: what is said between transfers. transfer.c: a transfer, with its data connection. */
void opening(struct talk *talk);
void between(struct talk *talk);
void transfer(struct talk *talk);

/* hostile.c: the whole dialogue. */
void hostile(struct talk *talk);

#endif
