/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines - one direction of a control connection as lines, for people to read.
 *
 * Segments come in any order and any number of times; what is missing may follow, or never was captured. This is no engine: nothing is decided
 * by it, and it may say that it does not know. Bounded: of a line LINES_TEXT_MAX bytes are kept, and LINES_EARLY_MAX segments that came early.
 */
#ifndef EXPLAIN_LINES_H
#define EXPLAIN_LINES_H

#include "core/wire/ftp_word.h"

#define LINES_TEXT_MAX	512
#define LINES_EARLY_MAX 16

enum lines_event {
	LINES_LINE,	/* one, without its end */
	LINES_PART,	/* one that has no end: nothing came behind it */
	LINES_BEHEADED, /* the end of one whose beginning was not captured: so many bytes */
	LINES_GAP,	/* so many bytes are missing */
};

struct lines_early {
	struct lines_early *next;
	uint32_t seq, length;
	uint8_t bytes[];
};

struct lines {
	bool known; /* where it stands: */
	bool beheaded;
	uint32_t next;
	uint64_t length; /* of the line that is not at its end */
	char text[LINES_TEXT_MAX];
	struct lines_early *early; /* by sequence numbers */
	unsigned int early_count;
};

/* @bytes: of BEHEADED and GAP not to be read; @length: bytes there were, of which LINES_TEXT_MAX are there at most. */
typedef void lines_sink(void *context, enum lines_event event, const char *bytes, uint64_t length);

/* It begins here, behind a handshake. */
void lines_begin(struct lines *lines, uint32_t seq);

/* A segment. The first one, where nothing was known, begins a line if it looks so; else it is the rest of one, of a password perhaps. */
void lines_take(struct lines *lines, uint32_t seq, const uint8_t *bytes, uint32_t length, lines_sink *sink,
		void *context);

/* Its receiver has everything before @ack: what is missing of that is not in the capture. */
void lines_acked(struct lines *lines, uint32_t ack, lines_sink *sink, void *context);

/* Nothing more comes. */
void lines_end(struct lines *lines, lines_sink *sink, void *context);

/* What follows is none of lines, as far as @seq. */
void lines_skip(struct lines *lines, uint32_t seq);

void lines_free(struct lines *lines);

#define LINES_HIDDEN 8

/**
 * lines_hide_secret - a client's line, without what nobody is to read
 * @text: the line; shortened where it holds a password, an account or a ticket. There is room for LINES_HIDDEN bytes more
 * @length: of it
 *
 * Return: its length now.
 */
size_t lines_hide_secret(char *text, size_t length);

struct lines_secret {
	size_t length; /* 0: there is none */
	char text[LINES_TEXT_MAX];
};

/* Keep what was hidden in @whole, the line as it was, of LINES_TEXT_MAX bytes at the most. What is shorter than three bytes stands in too many texts. */
void lines_keep_secret(struct lines_secret *secret, const char *whole, size_t length);

/* A server's line, which may say back what it was told: "500 'PASS x': command not understood". Return: its length now, @length at the most. */
size_t lines_hide_echo(char *text, size_t length, const struct lines_secret *secret);

#endif
