// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel module's scan: any segments in any order, read in any pieces. What it decides must not depend on the
 * pieces; nothing may pass while bytes that were handed over are unacknowledged, nor what is no whole line, nor a line
 * that announces something or asks for it; and the note tells how things stood when the last segment passed, whatever
 * was handed over since.
 */
#include "core/wire/scan.h"
#include "fuzz.h"

static bool decide(struct scan *scan, struct scan_segment segment, const uint8_t *payload, uint32_t piece)
{
	uint32_t fresh = scan_begin(scan, &segment);
	const uint8_t *at = payload + segment.length - fresh;

	MUST(fresh <= segment.length);
	while (fresh) {
		const uint32_t length = fresh < piece ? fresh : piece;

		scan_read(scan, &segment, at, length);
		at += length;
		fresh -= length;
	}
	return scan_end(scan, &segment);
}

/* A segment somewhere about where the scan stands: mostly right there. */
static struct scan_segment segment_of(struct input *input, const struct scan *scan)
{
	static const uint8_t usual[] = {
		SCAN_ACK, SCAN_ACK,	      SCAN_ACK, SCAN_ACK, SCAN_ACK | SCAN_URG, SCAN_ACK | SCAN_FIN,
		SCAN_RST, SCAN_SYN | SCAN_ACK
	};
	const uint8_t how = input_byte(input);
	struct scan_segment segment = {
		.side = how & 1 ? DIRECTION_REPLY : DIRECTION_ORIGINAL,
		.flags = usual[how >> 1 & 7],
		.length = how >> 4 == 15 ? 0 : input_byte(input),
	};

	segment.seq = scan->side[segment.side].next;
	segment.ack = scan->side[!segment.side].next;
	if (how >> 4 == 1)
		segment.seq -= input_byte(input);
	if (how >> 4 == 2)
		segment.seq += input_byte(input);
	if (how >> 4 == 3)
		segment.ack -= input_byte(input);
	if (how >> 4 == 4)
		segment.seq = input_u32(input);
	if (how >> 4 == 5)
		segment.ack = input_u32(input);
	return segment;
}

/* Bytes of a Telnet sequence that begins here; 0: none does. Amid a word, so many are in it, none has an LF in it: that ends the line. */
static uint32_t telnet_length(const uint8_t *at, uint32_t left, uint32_t count)
{
	uint32_t length;

	if (at[0] != 255)
		return 0;
	length = left > 1 && at[1] >= 251 && at[1] < 255 ? 3 : 2;
	for (uint32_t i = 1; count && i < length && i < left; i++)
		if (at[i] == '\n')
			length = i;
	MUST(length <= left);
	return length;
}

static bool in_word(enum direction side, uint8_t byte, uint32_t count)
{
	if (side == DIRECTION_REPLY)
		return byte >= '0' && byte <= '9' && count < 3;
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (count && ((byte >= '0' && byte <= '9') || byte == '@'));
}

/* In front of a line: a NUL, or a Telnet command whose IAC was urgent. */
static bool is_stray(uint8_t byte)
{
	return byte == 0 || byte >= 240;
}

/* The line's word in upper case, its first bytes at least. Return: where it ends. */
static uint32_t word_of(enum direction side, const uint8_t *line, uint32_t length, char word[5], uint32_t *count)
{
	uint32_t at = 0;

	memset(word, 0, 5);
	*count = 0;
	while (at < length) {
		const uint32_t telnet = telnet_length(line + at, length - at, *count);

		at += telnet;
		if (telnet)
			continue;
		if (*count == 0 && is_stray(line[at])) {
			at++;
			continue;
		}
		if (!in_word(side, line[at], *count))
			break;
		if (*count < 5)
			word[*count] = (char)(line[at] >= 'a' ? line[at] - 'a' + 'A' : line[at]);
		++*count;
		at++;
	}
	return at;
}

static bool matters(enum direction side, const char word[5])
{
	static const char words[2][13][5] = { { "PORT", "EPRT", "LPRT", "PASV", "EPSV", "LPSV", "AUTH", "CPSV", "P@SW",
						"USER", "PASS", "ACCT" },
					      { "227", "228", "229" } };

	for (int i = 0; i < 13 && words[side][i][0]; i++)
		if (memcmp(words[side][i], word, 5) == 0)
			return true;
	return false;
}

/* May a line with this word, and these bytes behind it, pass? @text: it may be text of a multi-line reply. */
static void check_line(enum direction side, const char word[5], const uint8_t *rest, uint32_t length, bool text)
{
	if (!matters(side, word))
		return;
	MUST(side == DIRECTION_REPLY);
	if (text || rest[0] != ' ')
		return;
	for (uint32_t i = 1; i < length; i++)
		MUST(word[2] == '9' ? rest[i] != '(' : rest[i] < '0' || rest[i] > '9');
}

/* The lines of a payload that passed, each whole; behind the last there may be Telnet, and what is stray. */
static void check_lines(enum direction side, const uint8_t *at, uint32_t length, bool text)
{
	while (length) {
		char word[5];
		uint32_t count;
		const uint32_t start = word_of(side, at, length, word, &count);
		const uint8_t *end = memchr(at + start, '\n', length - start);

		if (start == length && count == 0)
			return;
		MUST(end);
		check_line(side, word, at + start, (uint32_t)(end - at) - start, text);
		text = text || (count == 3 && at[start] == '-');
		length -= (uint32_t)(end - at) + 1;
		at = end + 1;
	}
}

/* Nothing of interest is unanswered but one transfer, and what a note can say. */
static bool is_quiet(const struct scan *scan)
{
	return scan->second == PAIRING_OTHER && (scan->first == PAIRING_OTHER || scan->first == PAIRING_TRANSFER);
}

static void check_pass(const struct scan *before, const struct scan *after, const struct scan_segment *segment,
		       const uint8_t *payload)
{
	struct scan_note note;

	MUST(!(segment->flags & (SCAN_SYN | SCAN_FIN | SCAN_RST | SCAN_URG)));
	MUST(before->mode < SCAN_WHOLE && !after->pending);
	MUST(scan_note(after, sizeof(*after), &note));
	MUST(note.next[segment->side] == segment->seq + segment->length);
	MUST(note.opaque == (after->mode == SCAN_OPAQUE));
	if (after->mode != SCAN_FOLLOW)
		return;
	MUST(segment->seq == before->side[segment->side].next);
	MUST(after->side[0].line.phase == FTP_PHASE_START && after->side[1].line.phase == FTP_PHASE_START);
	MUST(is_quiet(before) && is_quiet(after) && !after->multiline);
	MUST(after->greeted && after->logged_in && after->exchanged == EXCHANGED_TWO);
	MUST(note.next[0] == after->side[0].next && note.next[1] == after->side[1].next);
	MUST(note.pairing.before[0] == after->before_first && note.pairing.before[1] == after->before_second);
	MUST(note.pairing.count == (after->first != PAIRING_OTHER) && note.pairing.begun == after->begun);
	check_lines(segment->side, payload, segment->length, before->multiline);
}

/* Where nothing passed, the note stays as it was; but what is opaque may go some other way. */
static void check_note(const struct scan *before, const struct scan *after)
{
	struct scan_note was, is;

	if (before->mode == SCAN_OPAQUE || !scan_note(before, sizeof(*before), &was))
		return;
	MUST(scan_note(after, sizeof(*after), &is));
	MUST(was.next[0] == is.next[0] && was.next[1] == is.next[1] && was.opaque == is.opaque);
	MUST(memcmp(&was.pairing, &is.pairing, sizeof(is.pairing)) == 0);
}

static void check(const struct scan *before, const struct scan *after, const struct scan_segment *segment,
		  const uint8_t *payload, bool seen)
{
	MUST(after->first != PAIRING_OTHER || (after->second == PAIRING_OTHER && !after->before_second));
	if (!seen && segment->length)
		check_pass(before, after, segment, payload);
	else if (!(segment->flags & SCAN_SYN))
		check_note(before, after);
	if (before->mode >= SCAN_WHOLE && segment->length)
		MUST(seen);
	if (before->mode >= SCAN_WHOLE && !(segment->flags & SCAN_SYN))
		MUST(after->mode == before->mode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct scan scan = { .started = 1 };

	if (input_byte(&input) & 1) {
		scan.greeted = scan.logged_in = 1;
		scan.exchanged = EXCHANGED_TWO;
	}
	while (input.left) {
		const struct scan before = scan;
		struct scan again = scan;
		struct scan_segment segment = segment_of(&input, &scan);
		size_t length;
		uint8_t *payload = input_copy(&input, segment.length, &length);
		bool seen;

		segment.length = (uint32_t)length;
		seen = decide(&scan, segment, payload, UINT32_MAX);
		MUST(decide(&again, segment, payload, 1 + (uint32_t)length % 7) == seen);
		MUST(memcmp(&again, &scan, sizeof(scan)) == 0);
		check(&before, &scan, &segment, payload, seen);
		free(payload);
	}
	return 0;
}
