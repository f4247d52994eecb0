// SPDX-License-Identifier: GPL-2.0-or-later
#include "lines.h"

#include "core/wire/bytes.h"
#include "core/wire/ftp.h"
#include "core/wire/seqadj.h"

#include <stdlib.h>
#include <strings.h>

void lines_begin(struct lines *lines, uint32_t seq)
{
	lines_free(lines);
	*lines = (struct lines){ .known = true, .next = seq };
}

void lines_free(struct lines *lines)
{
	while (lines->early) {
		struct lines_early *early = lines->early;

		lines->early = early->next;
		free(early);
	}
	lines->early_count = 0;
}

static void append(struct lines *lines, const uint8_t *bytes, size_t length)
{
	const size_t there = lines->length < LINES_TEXT_MAX ? (size_t)lines->length : LINES_TEXT_MAX;
	const size_t room = LINES_TEXT_MAX - there;

	memcpy(lines->text + there, bytes, length < room ? length : room);
	lines->length += length;
}

static void emit(struct lines *lines, enum lines_event event, lines_sink *sink, void *context)
{
	if (lines->length > 0 && lines->length <= LINES_TEXT_MAX && lines->text[lines->length - 1] == '\r')
		lines->length--;
	sink(context, lines->beheaded ? LINES_BEHEADED : event, lines->text, lines->length);
	lines->length = 0;
	lines->beheaded = false;
}

static void consume(struct lines *lines, const uint8_t *bytes, uint32_t length, lines_sink *sink, void *context)
{
	lines->next += length;
	while (length > 0) {
		const uint8_t *end = memchr(bytes, '\n', length);
		const uint32_t taken = end ? (uint32_t)(end - bytes) : length;

		append(lines, bytes, taken);
		if (!end)
			return;
		emit(lines, LINES_LINE, sink, context);
		bytes += taken + 1;
		length -= taken + 1;
	}
}

/* What was missing is not waited for any more. */
static void give_up(struct lines *lines, uint32_t seq, lines_sink *sink, void *context)
{
	if (lines->length > 0)
		emit(lines, LINES_PART, sink, context);
	sink(context, LINES_GAP, lines->text, seq - lines->next);
	lines->next = seq;
	lines->beheaded = true;
}

static void store(struct lines *lines, uint32_t seq, const uint8_t *bytes, uint32_t length)
{
	struct lines_early **at = &lines->early;
	struct lines_early *early = malloc(sizeof(*early) + length);

	if (!early)
		return; /* as if it had not been captured */
	while (*at && seq_before((*at)->seq, seq))
		at = &(*at)->next;
	early->seq = seq;
	early->length = length;
	early->next = *at;
	memcpy(early->bytes, bytes, length);
	*at = early;
	lines->early_count++;
}

static void take_part(struct lines *lines, uint32_t seq, const uint8_t *bytes, uint32_t length, lines_sink *sink,
		      void *context)
{
	const uint32_t old = lines->next - seq;

	if (old < length)
		consume(lines, bytes + old, length - old, sink, context);
}

/* What came early and is due by now. */
static void take_early(struct lines *lines, lines_sink *sink, void *context)
{
	while (lines->early && !seq_after(lines->early->seq, lines->next)) {
		struct lines_early *early = lines->early;

		lines->early = early->next;
		lines->early_count--;
		take_part(lines, early->seq, early->bytes, early->length, sink, context);
		free(early);
	}
}

/* A command that is known, or a reply: as a line begins, and the rest of one hardly ever does. */
static bool is_beginning(const uint8_t *bytes, uint32_t length)
{
	char word[FTP_WORD_MAX];
	uint32_t letters = 0;

	if (length > 3 && bytes_is_digit(bytes[0]) && bytes_is_digit(bytes[1]) && bytes_is_digit(bytes[2]))
		return bytes[3] == ' ' || bytes[3] == '-';
	for (; letters < length && letters < FTP_WORD_MAX && bytes_is_letter(bytes[letters]); letters++)
		word[letters] = (char)bytes_upper(bytes[letters]);
	return letters && ftp_word_find(DIRECTION_ORIGINAL, word, letters);
}

void lines_take(struct lines *lines, uint32_t seq, const uint8_t *bytes, uint32_t length, lines_sink *sink,
		void *context)
{
	if (!lines->known) {
		lines_begin(lines, seq);
		lines->beheaded = !is_beginning(bytes, length);
	}
	if (seq_after(seq, lines->next)) {
		store(lines, seq, bytes, length);
		if (lines->early_count > LINES_EARLY_MAX)
			give_up(lines, lines->early->seq, sink, context);
	} else {
		take_part(lines, seq, bytes, length, sink, context);
	}
	take_early(lines, sink, context);
}

void lines_acked(struct lines *lines, uint32_t ack, lines_sink *sink, void *context)
{
	while (lines->early && !seq_after(lines->early->seq, ack)) {
		give_up(lines, lines->early->seq, sink, context);
		take_early(lines, sink, context);
	}
}

void lines_end(struct lines *lines, lines_sink *sink, void *context)
{
	while (lines->early) {
		give_up(lines, lines->early->seq, sink, context);
		take_early(lines, sink, context);
	}
	if (lines->length > 0)
		emit(lines, LINES_PART, sink, context);
}

void lines_skip(struct lines *lines, uint32_t seq)
{
	if (lines->known && !seq_after(seq, lines->next))
		return;
	lines_begin(lines, seq);
}

static bool has_word(const char *text, size_t length, const char *word)
{
	const size_t size = strlen(word);

	for (size_t i = 0; i + size <= length; i++)
		if (strncasecmp(text + i, word, size) == 0)
			return true;
	return false;
}

/* Commands whose argument is nobody's business; of SITE those that set a password, or make a user who has one, as servers have them. */
static bool is_secret(const char *text, size_t length)
{
	static const char *const words[] = { "PASS", "ACCT", "ADAT" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (length >= 4 && strncasecmp(text, words[i], 4) == 0)
			return true;
	return length >= 4 && strncasecmp(text, "SITE", 4) == 0 &&
	       (has_word(text, length, "PSW") || has_word(text, length, "PASS") || has_word(text, length, "PWD") ||
		has_word(text, length, "ADDUSER") || has_word(text, length, "USERADD"));
}

/* As the engine reads the line: Telnet sequences, NULs and a load balancer's header may stand before its word, and within. */
static bool scanned_secret(const char *text, size_t length)
{
	struct ftp_line line = { .phase = FTP_PHASE_FIRST };
	const uint8_t *bytes = (const uint8_t *)text;
	enum ftp_event event;
	size_t at = 0;

	while (at < length) {
		at += ftp_scan(&line, DIRECTION_ORIGINAL, 0, bytes + at, length - at, &event);
		if (event != FTP_STRANGE)
			break;
		ftp_go_on(&line);
	}
	return is_secret(line.word, line.length < FTP_WORD_MAX ? line.length : FTP_WORD_MAX);
}

size_t lines_hide_secret(char *text, size_t length)
{
	static const char pass[] = { 'P', 'A', 'S', 'S' }, hidden[] = { ' ', '*', '*', '*' };
	size_t word = 0;

	while (word < length && !bytes_is_letter((uint8_t)text[word]))
		word++;
	if (word + 4 <= length && is_secret(text + word, length - word)) {
		length = word + 4;
	} else if (scanned_secret(text, length)) {
		length = sizeof(pass);
		memcpy(text, pass, sizeof(pass));
	} else {
		return length;
	}
	memcpy(text + length, hidden, sizeof(hidden));
	return length + sizeof(hidden);
}

#define SECRET_MIN 3

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

void lines_keep_secret(struct lines_secret *secret, const char *whole, size_t length)
{
	size_t at = 0;

	while (at < length && !bytes_is_letter((uint8_t)whole[at]))
		at++;
	while (at < length && !is_blank(whole[at]))
		at++;
	while (at < length && is_blank(whole[at]))
		at++;
	while (length > at && is_blank(whole[length - 1]))
		length--;
	secret->length = length - at < SECRET_MIN ? 0 : length - at;
	memcpy(secret->text, whole + at, secret->length);
}

size_t lines_hide_echo(char *text, size_t length, const struct lines_secret *secret)
{
	static const char hidden[SECRET_MIN] = { '*', '*', '*' };
	char *const end = text + length, *to = text;
	const char *from = text;

	if (!secret->length)
		return length;
	while (from < end) {
		if ((size_t)(end - from) >= secret->length && memcmp(from, secret->text, secret->length) == 0) {
			memcpy(to, hidden, sizeof(hidden));
			to += sizeof(hidden);
			from += secret->length;
		} else {
			*to++ = *from++;
		}
	}
	return (size_t)(to - text);
}
