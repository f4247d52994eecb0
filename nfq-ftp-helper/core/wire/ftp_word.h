/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ftp_word - the words a line of FTP may begin with: the commands that are known, and the replies that announce something.
 */
#ifndef CORE_WIRE_FTP_WORD_H
#define CORE_WIRE_FTP_WORD_H

#include "direction.h"
#include "endpoint.h"

/* Data connections of one control connection that are expected at once, and for how long each is: here, in conntrack and in the module. */
#define FTP_EXPECTED_MAX     4
#define FTP_EXPECTED_SECONDS 300
#define FTP_EXPECTED_LONGEST 3600 /* seconds, where the transfer is still to come */

#define FTP_WORD_MAX 4 /* bytes */

/* Bytes: no server says more in a control connection while a copy of its SYN/ACK is on its way. */
#define FTP_LATE_SYNACK (1u << 20)

/* What the dialogue must tell apart; fits four bits. */
enum ftp_kind {
	FTP_OTHER, /* any command that announces nothing */
	FTP_PORT,
	FTP_EPRT,
	FTP_LPRT,
	FTP_PASV,
	FTP_EPSV,
	FTP_LPSV,
	FTP_AUTH,     /* RFC 2228; answered by 234, TLS follows (RFC 4217) */
	FTP_LOGIN,    /* USER, PASS, ACCT */
	FTP_TRANSFER, /* what may be answered by 1xx first (RFC 959 section 5.4) */
	FTP_KINDS,
};

/* One row a command or reply that matters, and one a command that is merely known. */
struct ftp_word {
	char text[5];	  /* "PORT", "227": upper case, NUL-terminated */
	uint8_t side;	  /* enum direction: who says it */
	uint8_t kind;	  /* enum ftp_kind: the command, or the command that this reply answers */
	uint8_t notation; /* enum notation of the argument it announces; NOTATION_NONE: it announces nothing */
};

/* The command, in upper case, or reply a line begins with; NULL when it is none of the table's. What is behind @length does not count. */
const struct ftp_word *ftp_word_find(enum direction side, const char text[FTP_WORD_MAX], size_t length);

/* The row of that side which announces a port of this kind: PORT, or the 227 that answers PASV; NULL when there is none. */
const struct ftp_word *ftp_word_announcing(enum direction side, enum ftp_kind kind);

/* A client's word as a number that a session has room for: 0 where it is none of the table's (NULL); and back, NULL likewise. */
uint8_t ftp_word_number(const struct ftp_word *word);
const struct ftp_word *ftp_word_of(uint8_t number);

#endif
