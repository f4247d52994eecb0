/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls_records - TLS in one direction of a control connection, skipped by its records, and where plain text begins again behind it
 * (CCC, RFC 4217 section 5; a TLS that was begun and given up).
 *
 * Theory of operation. Nothing of TLS can be read here but the five bytes before each record (RFC 8446 section 5.1): type, version,
 * length. So what is inside of a record is skipped whatever it is, and a line is believed only where the next record would begin: there,
 * a known command of the client's, or three digits and a space (or hyphen) of the server's, is a line, and the direction is plain text from its first
 * byte on. What is neither is no TLS that can be followed. Each direction leaves TLS on its own, as the ends do; one that has left it may
 * still send a record at a line's start: an alert that closes what is over.
 *
 * Four bytes a direction; bytes come in any number of pieces.
 */
#ifndef CORE_TLS_RECORDS_H
#define CORE_TLS_RECORDS_H

#include "ftp.h"

enum tls_place {
	TLS_NONE,   /* it has never been begun */
	TLS_HEADER, /* where a record begins, or in what precedes its content: struct tls_records.at */
	TLS_BODY,   /* in its content */
	TLS_WORD,   /* in what may be a line's first word */
	TLS_LEFT,   /* left: lines, with a record between two of them perhaps */
	TLS_PLACES,
};

#define TLS_HEADER_LENGTH 5
#define TLS_CONTENT_MAX	  ((1u << 14) + 2048) /* RFC 5246 section 6.2.3 */

struct tls_records {
	uint16_t length; /* of the content: as far as the header has said so, then what is left of it */
	uint8_t place;	 /* enum tls_place */
	uint8_t at;	 /* TLS_HEADER: bytes of it so far */
};

enum tls_event {
	TLS_MORE,    /* all bytes consumed */
	TLS_LINE,    /* the next byte is one of a line that has begun: read on with ftp_scan() */
	TLS_STRANGE, /* the next byte can be neither a record's nor a line's: TLS_NONE, and not to be gone on with */
};

/* The next byte is the first of a record. */
void tls_records_begin(struct tls_records *records);

/* In or between records, where a line has not begun. */
static inline bool tls_records_inside(const struct tls_records *records)
{
	return records->place != TLS_NONE && records->place != TLS_LEFT;
}

/**
 * tls_records_read - read on in records
 * @records: tls_records_inside(), or at a line's start behind TLS
 * @line: the direction's; at a line's start, unless TLS_WORD
 * @side: who wrote it
 * @data: the next bytes
 * @length: how many
 * @event: why it stopped
 *
 * Return: bytes consumed.
 */
size_t tls_records_read(struct tls_records *records, struct ftp_line *line, enum direction side, const uint8_t *data,
			size_t length, enum tls_event *event);

/* Is this byte the first of a record? No line of text begins with such. */
bool tls_records_is_type(uint8_t byte);

/* Behind TLS, at a line's start: is this byte a record's first? */
bool tls_records_begins(const struct tls_records *records, const struct ftp_line *line, uint8_t byte);

/* Can it be so? For what was found in a file. */
bool tls_records_good(const struct tls_records *records);

#endif
