// SPDX-License-Identifier: GPL-2.0-or-later
#include "tls_records.h"

/* Change cipher spec, alert, handshake, application data. */
#define TYPE_FIRST 20
#define TYPE_LAST  23
#define MAJOR	   3

void tls_records_begin(struct tls_records *records)
{
	*records = (struct tls_records){ .place = TLS_HEADER };
}

bool tls_records_is_type(uint8_t byte)
{
	return byte >= TYPE_FIRST && byte <= TYPE_LAST;
}

bool tls_records_begins(const struct tls_records *records, const struct ftp_line *line, uint8_t byte)
{
	return records->place == TLS_LEFT && line->phase == FTP_PHASE_START && line->telnet == 0 &&
	       tls_records_is_type(byte);
}

bool tls_records_good(const struct tls_records *records)
{
	if (records->place == TLS_HEADER)
		return records->at < TLS_HEADER_LENGTH && records->length <= TLS_CONTENT_MAX;
	return records->place < TLS_PLACES && records->at == 0 && records->length <= TLS_CONTENT_MAX &&
	       (records->place == TLS_BODY) == (records->length != 0);
}

/* A byte before a record's content. Return false when it cannot stand there. */
static bool read_header(struct tls_records *records, uint8_t byte)
{
	switch (records->at++) {
	case 0:
		return tls_records_is_type(byte);
	case 1:
		return byte == MAJOR;
	case 2:
		return true;
	case 3:
		records->length = (uint16_t)(byte << 8);
		return records->length <= TLS_CONTENT_MAX;
	default:
		records->length |= byte;
		records->place = records->length ? TLS_BODY : TLS_HEADER;
		records->at = 0;
		return records->length <= TLS_CONTENT_MAX;
	}
}

static size_t skip_content(struct tls_records *records, size_t length)
{
	const uint16_t skipped = length < records->length ? (uint16_t)length : records->length;

	records->length = (uint16_t)(records->length - skipped);
	if (!records->length)
		tls_records_begin(records);
	return skipped;
}

/* Its first word has ended: is it one of FTP? A reply's first line may be one of several, which count when the last has come. */
static bool is_known(const struct ftp_line *line, enum direction side)
{
	if (side == DIRECTION_REPLY)
		return ftp_code(line) &&
		       (line->separator == FTP_SEPARATOR_SPACE || line->separator == FTP_SEPARATOR_HYPHEN);
	return line->length && ftp_line_word(line, side);
}

/*
 * A byte of what may be a line, which stays unread where it ends the word: whoever reads lines goes on there. So does a Telnet sequence, which
 * may stand in a line's word, but not in the first one behind records.
 */
static enum tls_event read_word(struct tls_records *records, struct ftp_line *line, enum direction side, uint8_t byte)
{
	struct ftp_line after = *line;
	enum ftp_event event;

	ftp_scan(&after, side, 0, &byte, 1, &event);
	if (event == FTP_STRANGE || event == FTP_FOREIGN)
		return TLS_STRANGE;
	if (event == FTP_MORE && after.phase == FTP_PHASE_WORD && !after.telnet) {
		*line = after;
		records->place = TLS_WORD;
		return TLS_MORE;
	}
	if (!is_known(&after, side))
		return TLS_STRANGE;
	*records = (struct tls_records){ .place = TLS_LEFT };
	return TLS_LINE;
}

size_t tls_records_read(struct tls_records *records, struct ftp_line *line, enum direction side, const uint8_t *data,
			size_t length, enum tls_event *event)
{
	size_t at = 0;

	*event = TLS_MORE;
	if (length && tls_records_begins(records, line, data[0]))
		tls_records_begin(records);
	while (at < length) {
		if (records->place == TLS_BODY) {
			at += skip_content(records, length - at);
			continue;
		}
		if (records->place == TLS_WORD || (records->at == 0 && !tls_records_is_type(data[at])))
			*event = read_word(records, line, side, data[at]);
		else if (!read_header(records, data[at]))
			*event = TLS_STRANGE;
		if (*event == TLS_STRANGE)
			*records = (struct tls_records){ .place = TLS_NONE };
		if (*event != TLS_MORE)
			return at;
		at++;
	}
	return at;
}
