/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ftp - one line of FTP: which command or reply it is, and where in it an argument begins. Nothing else: what a line
 * means in a dialogue is dialogue.h's.
 *
 * A line arrives in any number of pieces. struct ftp_line remembers in six bytes what the next piece needs, and
 * ftp_scan() goes on where it left off. Telnet sequences (RFC 854, RFC 959 section 4.1.3) are skipped.
 */
#ifndef CORE_FTP_H
#define CORE_FTP_H

#include "endpoint.h"

/* Data connections of one control connection that are expected at once, and for how long each is: here, in conntrack and in the module. */
#define FTP_EXPECTED_MAX     4
#define FTP_EXPECTED_SECONDS 300

enum ftp_side {
	FTP_CLIENT, /* lines are commands */
	FTP_SERVER, /* lines are replies */
};

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
	FTP_AUTH, /* RFC 2228; answered by 234, TLS follows (RFC 4217) */
	FTP_KINDS,
};

/* One row a command or reply that matters, and one a command that is merely known. */
struct ftp_word {
	char text[5];	  /* "PORT", "227": upper case, NUL-terminated */
	uint8_t kind;	  /* enum ftp_kind: the command, or the command that this reply answers */
	uint8_t notation; /* enum notation of the argument it announces; NOTATION_NONE: it announces nothing */
};

/* The command or reply a line begins with; NULL when it is none of the table's. */
const struct ftp_word *ftp_word_find(enum ftp_side side, const char *text, size_t length);

/* The row of that side which announces a port of this kind: PORT, or the 227 that answers PASV; NULL when there is none. */
const struct ftp_word *ftp_word_announcing(enum ftp_side side, enum ftp_kind kind);

enum ftp_phase {
	FTP_PHASE_START,    /* at the first byte of a line */
	FTP_PHASE_WORD,	    /* in the command's verb, or the reply's code */
	FTP_PHASE_GAP,	    /* between an announcing word and the first byte that can begin its argument */
	FTP_PHASE_ARGUMENT, /* at that byte; the caller deals with it and calls ftp_skip_line() */
	FTP_PHASE_REST,	    /* in what remains of a line that has been understood */
	FTP_PHASE_SKIP,	    /* in a line that has been dealt with already */
	FTP_PHASE_LOST,	    /* in a line whose start was not seen */
};

#define FTP_WORD_MAX 4

struct ftp_line {
	uint8_t phase : 3;	 /* enum ftp_phase; a zeroed line stands at a line's first byte */
	uint8_t telnet : 2;	 /* inside an IAC sequence */
	uint8_t length : 3;	 /* bytes of the word so far; more than FTP_WORD_MAX: longer than any known */
	uint8_t separator;	 /* what ended the word */
	char word[FTP_WORD_MAX]; /* the code takes three; the last byte of the gap stands in the fourth */
};

enum ftp_event {
	FTP_MORE,     /* all bytes consumed, the line goes on */
	FTP_LINE,     /* a line ended here: line->word and line->separator say which */
	FTP_SKIPPED,  /* a line that had been dealt with ended here */
	FTP_LOST,     /* a line whose start was not seen ended here */
	FTP_ARGUMENT, /* the next byte is the first of an announcing word's argument */
	FTP_STRANGE,  /* the next byte cannot stand here in FTP */
};

/**
 * ftp_scan - read on in a line
 * @line: what was read before
 * @side: who wrote it
 * @text_line: server side: the line is text of a multi-line reply unless it begins with this code; 0: none is open
 * @data: the next bytes
 * @length: how many
 * @event: why it stopped
 *
 * After FTP_LINE, @line stays as it is until ftp_next_line(). An empty line is an FTP_LINE with a word of length 0.
 *
 * Return: bytes consumed: up to and including the line feed for FTP_LINE, FTP_SKIPPED and FTP_LOST, up to but not including the
 * byte in question for FTP_ARGUMENT and FTP_STRANGE.
 */
size_t ftp_scan(struct ftp_line *line, enum ftp_side side, unsigned int text_line, const uint8_t *data, size_t length,
		enum ftp_event *event);

/* The next byte is the first of a line. */
void ftp_next_line(struct ftp_line *line);

/* The line has been dealt with: ignore the rest of it. */
void ftp_skip_line(struct ftp_line *line);

/* Read the line on as one that announces nothing, if its argument has not been dealt with yet. */
void ftp_pass_argument(struct ftp_line *line);

/* The line's start was not seen: ignore the rest of it. */
void ftp_lose_line(struct ftp_line *line);

/* The three digits of the reply that @line is, 0 when it does not begin with three digits and a separator. */
unsigned int ftp_code(const struct ftp_line *line);

/* At FTP_ARGUMENT: the byte before the argument. */
char ftp_byte_before(const struct ftp_line *line, enum ftp_side side);

/* The word's row, as ftp_word_find(). */
const struct ftp_word *ftp_line_word(const struct ftp_line *line, enum ftp_side side);

#endif
