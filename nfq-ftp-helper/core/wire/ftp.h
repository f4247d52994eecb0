/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ftp - one line of FTP: which command or reply it is, and where in it an argument begins. Nothing else: what a line
 * means in a dialogue is dialogue.h's.
 *
 * A line arrives in any number of pieces. struct ftp_line remembers in six bytes what the next piece needs, and
 * ftp_scan() goes on where it left off. LF alone ends a line. Telnet sequences (RFC 854, RFC 959 section 4.1.3) in front of its word and
 * in it are skipped, but in the text of a multi-line reply; NULs before its first byte; and once, before a client's first line, the header of a
 * load balancer (proxy.h).
 */
#ifndef CORE_FTP_H
#define CORE_FTP_H

#include "ftp_word.h"
#include "proxy.h"

enum ftp_phase {
	FTP_PHASE_START,    /* at the first byte of a line */
	FTP_PHASE_FIRST,    /* at the first byte of all, or in a load balancer's header */
	FTP_PHASE_WORD,	    /* in the command's verb, or the reply's code */
	FTP_PHASE_ODD,	    /* in the first word of a line that no command begins with */
	FTP_PHASE_GAP,	    /* between an announcing word and the first byte that can begin its argument */
	FTP_PHASE_ARGUMENT, /* at that byte; the caller deals with it and calls ftp_skip_line() */
	FTP_PHASE_REST,	    /* in what remains of a line that has been understood */
	FTP_PHASE_SKIP,	    /* in a line that has been dealt with already */
	FTP_PHASE_LOST,	    /* in a line whose start was not seen */
};

/* What ended the word, or is in front of a command's argument. */
enum ftp_separator {
	FTP_SEPARATOR_NONE,
	FTP_SEPARATOR_SPACE,
	FTP_SEPARATOR_TAB,
	FTP_SEPARATOR_CR,
	FTP_SEPARATOR_LF,
	FTP_SEPARATOR_HYPHEN,
	FTP_SEPARATORS,
};

#define FTP_WEB_ALL 8 /* bytes of "HTTP/1.1" */

struct ftp_line {
	uint16_t phase : 4;	/* enum ftp_phase; a zeroed line stands at a line's first byte */
	uint16_t telnet : 2;	/* inside an IAC sequence */
	uint16_t length : 3;	/* bytes of the word so far; more than FTP_WORD_MAX: longer than any known, or odd */
	uint16_t separator : 3; /* enum ftp_separator */
	uint16_t web : 4;	/* a client's: so many bytes of "HTTP/n.n" stand at its end */
	union {
		char word[FTP_WORD_MAX]; /* the code takes three; the last byte of the gap stands in the fourth */
		struct proxy proxy;	 /* in FTP_PHASE_FIRST */
	};
};

_Static_assert(sizeof(struct ftp_line) == 6, "the module has no room for more");

enum ftp_event {
	FTP_MORE,     /* all bytes consumed, the line goes on */
	FTP_LINE,     /* a line ended here: line->word and line->separator say which */
	FTP_SKIPPED,  /* a line that had been dealt with ended here */
	FTP_LOST,     /* a line whose start was not seen ended here */
	FTP_ARGUMENT, /* the next byte is the first of an announcing word's argument */
	FTP_STRANGE,  /* a client's line is none of FTP's from the next byte on */
	FTP_FOREIGN, /* the next byte is a colon right behind the first word, or what ends "227": no FTP, whatever came before */
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
 * byte in question for FTP_ARGUMENT, FTP_STRANGE and FTP_FOREIGN. A server's line may be anything: what is no reply is a line without code.
 */
size_t ftp_scan(struct ftp_line *line, enum direction side, unsigned int text_line, const uint8_t *data, size_t length,
		enum ftp_event *event);

/* The next byte is the first of a line. */
static inline void ftp_next_line(struct ftp_line *line)
{
	*line = (struct ftp_line){ .phase = FTP_PHASE_START, .telnet = line->telnet };
}

/* After FTP_STRANGE: read the line on, as one whose word is not known. */
void ftp_go_on(struct ftp_line *line);

/* Has the line nothing in it? */
static inline bool ftp_is_empty(const struct ftp_line *line)
{
	return line->length == 0 && (line->separator == FTP_SEPARATOR_NONE || line->separator == FTP_SEPARATOR_LF);
}

/* Does a client's line end in "HTTP/n.n"? */
static inline bool ftp_is_web(const struct ftp_line *line)
{
	return line->web == FTP_WEB_ALL;
}

/* The same of a text, as far as the line's end. */
bool ftp_text_is_web(const char *text, size_t length);

/* Is a reply's line, which has a code, one of several, and not the last? */
static inline bool ftp_goes_on(const struct ftp_line *line)
{
	return line->separator == FTP_SEPARATOR_HYPHEN;
}

/* The line has been dealt with: ignore the rest of it. */
void ftp_skip_line(struct ftp_line *line);

/* The same, where a part of its argument is known that was not read as a line's: its end may be that of "HTTP/n.n". */
void ftp_skip_behind(struct ftp_line *line, const uint8_t *part, size_t length);

/* Read the line on as one that announces nothing, if its argument has not been dealt with yet. */
void ftp_pass_argument(struct ftp_line *line);

/* The line's start was not seen: ignore the rest of it. */
void ftp_lose_line(struct ftp_line *line);

/* The three digits of the reply that @line is, 100 to 599; 0 when it does not begin with such and a separator. */
unsigned int ftp_code(const struct ftp_line *line);

/* At FTP_ARGUMENT: the byte before the argument. */
char ftp_byte_before(const struct ftp_line *line, enum direction side);

/* The word's row, as ftp_word_find(). */
static inline const struct ftp_word *ftp_line_word(const struct ftp_line *line, enum direction side)
{
	return ftp_word_find(side, line->word, line->length);
}

#endif
