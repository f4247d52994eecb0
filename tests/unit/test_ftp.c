// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scanner: which lines it sees, and that it sees the same whatever the pieces in which they come.
 */
#include "unit.h"

#include "core/wire/ftp.h"

/* What was seen, one letter an event, with the words: "L[PASV]A[PORT]S". */
struct record {
	char text[2048];
	size_t length;
};

static void note(struct record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct record *record, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	record->length +=
		(size_t)vsnprintf(record->text + record->length, sizeof(record->text) - record->length, format, args);
	va_end(args);
	assert_true(record->length < sizeof(record->text));
}

static int word_length(const struct ftp_line *line)
{
	return line->length > FTP_WORD_MAX ? FTP_WORD_MAX : line->length;
}

/* A piece of the stream; the argument is skipped, as its owner would do. Returns false when the scanner stopped. */
static bool feed(struct ftp_line *line, enum direction side, unsigned int multiline, const uint8_t *data, size_t length,
		 struct record *record)
{
	size_t at = 0;

	while (at < length) {
		enum ftp_event event;
		size_t used = ftp_scan(line, side, multiline, data + at, length - at, &event);

		assert_true(used <= length - at);
		at += used;
		switch (event) {
		case FTP_MORE:
			assert_int_equal(at, length);
			break;
		case FTP_LINE:
			note(record, "L[%.*s]", word_length(line), line->word);
			ftp_next_line(line);
			break;
		case FTP_SKIPPED:
			note(record, "S");
			ftp_next_line(line);
			break;
		case FTP_LOST:
			note(record, "?");
			ftp_next_line(line);
			break;
		case FTP_ARGUMENT:
			note(record, "A[%.*s]%02x", side == DIRECTION_ORIGINAL ? word_length(line) : 3, line->word,
			     data[at]);
			ftp_skip_line(line);
			break;
		case FTP_STRANGE:
			note(record, "X%02x", data[at]);
			return false;
		case FTP_FOREIGN:
			note(record, "F%02x", data[at]);
			return false;
		}
	}
	return true;
}

static void whole(enum direction side, unsigned int multiline, const char *text, size_t length, struct record *record)
{
	struct ftp_line line = { .phase = FTP_PHASE_START };

	record->length = 0;
	record->text[0] = 0;
	feed(&line, side, multiline, (const uint8_t *)text, length, record);
}

/* In one piece, in every two, byte by byte, and at random: always the same. */
static void seen(enum direction side, unsigned int multiline, const char *text, size_t length, const char *expected)
{
	struct record record, first;

	whole(side, multiline, text, length, &first);
	assert_string_equal(first.text, expected);
	for (size_t cut = 0; cut <= length; cut++) {
		struct ftp_line line = { .phase = FTP_PHASE_START };

		record.length = 0;
		record.text[0] = 0;
		if (feed(&line, side, multiline, (const uint8_t *)text, cut, &record))
			feed(&line, side, multiline, (const uint8_t *)text + cut, length - cut, &record);
		assert_string_equal(record.text, expected);
	}
	for (unsigned int round = 0; round < 200; round++) {
		struct ftp_line line = { .phase = FTP_PHASE_START };
		size_t at = 0;

		record.length = 0;
		record.text[0] = 0;
		while (at < length) {
			size_t piece = round ? 1 + unit_pick(9) : 1;

			if (piece > length - at)
				piece = length - at;
			if (!feed(&line, side, multiline, (const uint8_t *)text + at, piece, &record))
				break;
			at += piece;
		}
		assert_string_equal(record.text, expected);
	}
}

#define CLIENT_SEES(text, expected) seen(DIRECTION_ORIGINAL, 0, text, sizeof(text) - 1, expected)
#define SERVER_SEES(text, expected) seen(DIRECTION_REPLY, 0, text, sizeof(text) - 1, expected)

static void commands(void **state)
{
	(void)state;
	CLIENT_SEES("USER x\r\nPASV\r\n", "L[USER]L[PASV]");
	CLIENT_SEES("PORT 1,2,3,4,5,6\r\nNOOP\r\n", "A[PORT]31SL[NOOP]");
	CLIENT_SEES("EPRT |1|1.2.3.4|5|\r\n", "A[EPRT]7cS");
	CLIENT_SEES("LPRT 4,4,1,2,3,4,2,5,6\r\n", "A[LPRT]34S");
	CLIENT_SEES("RETR PORT 1,2,3,4,5,6\r\n", "L[RETR]");
	CLIENT_SEES("XPORT 1,2,3,4,5,6\r\nABOR\r\n", "L[XPOR]L[ABOR]");
	CLIENT_SEES("NOOP\nPASV\n", "L[NOOP]L[PASV]");
}

static void case_does_not_matter(void **state)
{
	struct record record;

	(void)state;
	whole(DIRECTION_ORIGINAL, 0, "port 1,2,3,4,5,6\r\n", 18, &record);
	assert_non_null(strstr(record.text, "31S"));
	whole(DIRECTION_ORIGINAL, 0, "EpRt |1|1.2.3.4|5|\r\n", 20, &record);
	assert_non_null(strstr(record.text, "7cS"));
}

static void empty_and_partial(void **state)
{
	(void)state;
	CLIENT_SEES("\r\nNOOP\r\n", "L[]L[NOOP]");
	CLIENT_SEES("\r\r\n\r\0\r\nNOOP\r\n", "L[]L[]L[NOOP]");
	CLIENT_SEES("\rNOOP\r\n", "X4e");
	CLIENT_SEES("PASV\0\r\nPORT\0 1,2,3,4,5,6\r\n\0NOOP\r\n", "L[PASV]L[PORT]L[NOOP]");
	CLIENT_SEES("NOO", "");
	CLIENT_SEES("PORT 1,2,3", "A[PORT]31");
}

static void telnet(void **state)
{
	(void)state;
	CLIENT_SEES("\377\364\377\362ABOR\r\n", "L[ABOR]");
	CLIENT_SEES("NO\377\361OP\r\n", "L[NOOP]");
	CLIENT_SEES("\377\373\001PASV\r\n", "L[PASV]");
	CLIENT_SEES("\377\373\012PASV\r\n", "L[PASV]");
	CLIENT_SEES("NO\377\373\012PASV\r\n", "L[NO]L[PASV]");
	CLIENT_SEES("NO\377\nPASV\r\n", "L[NO]L[PASV]");
	CLIENT_SEES("\377\364\362PASV\r\n", "L[PASV]"); /* its second IAC was urgent data */
	CLIENT_SEES("\377\376\003PO\377\371RT 1,2,3,4,5,6\r\n", "A[PORT]31S");
}

static void replies(void **state)
{
	(void)state;
	SERVER_SEES("220 hello\r\n331 x\r\n", "L[220]L[331]");
	SERVER_SEES("227 Entering Passive Mode (1,2,3,4,5,6).\r\n200 x\r\n", "A[227]31SL[200]");
	SERVER_SEES("229 Entering Extended Passive Mode (|||5|)\r\n", "A[229]28S");
	SERVER_SEES("228 Mode (4,4,1,2,3,4,2,5,6)\r\n", "A[228]34S");
	SERVER_SEES("226 Done (1,2,3,4,5,6)\r\n", "L[226]");
	SERVER_SEES("220-hello\r\n", "L[220]");
}

/* Inside of a multi-line reply everything is text but a line with its code. */
static void text_lines(void **state)
{
	(void)state;
	seen(DIRECTION_REPLY, 214, "227 Entering (1,2,3,4,5,6)\r\n", 28, "L[227]");
	seen(DIRECTION_REPLY, 211, " PASV\r\nsome thing\r\n", 19, "L[]L[]");
	seen(DIRECTION_REPLY, 211, "211-more\r\n211 End\r\n", 19, "L[211]L[211]");
	seen(DIRECTION_REPLY, 227, "227 End (1,2,3,4,5,6)\r\n", 23, "A[227]31S");
}

static void code(const char *text, unsigned int expected, enum ftp_separator separator)
{
	struct ftp_line line = { .phase = FTP_PHASE_START };
	enum ftp_event event;

	ftp_scan(&line, DIRECTION_REPLY, 0, (const uint8_t *)text, strlen(text), &event);
	assert_int_equal(event, FTP_LINE);
	assert_int_equal(ftp_code(&line), expected);
	if (expected)
		assert_int_equal(line.separator, separator);
}

static void codes(void **state)
{
	(void)state;
	code("220 x\r\n", 220, FTP_SEPARATOR_SPACE);
	code("220-x\r\n", 220, FTP_SEPARATOR_HYPHEN);
	code("150 \n", 150, FTP_SEPARATOR_SPACE);
}

static void words(void **state)
{
	const struct ftp_word *word;

	(void)state;
	word = ftp_word_find(DIRECTION_ORIGINAL, "PORT", 4);
	assert_non_null(word);
	assert_int_equal(word->kind, FTP_PORT);
	assert_int_equal(word->notation, NOTATION_HOST_PORT);
	word = ftp_word_find(DIRECTION_ORIGINAL, "EPSV", 4);
	assert_int_equal(word->kind, FTP_EPSV);
	assert_int_equal(word->notation, NOTATION_NONE);
	word = ftp_word_find(DIRECTION_REPLY, "229", 3);
	assert_int_equal(word->kind, FTP_EPSV);
	assert_int_equal(word->notation, NOTATION_EXTENDED_PORT);
	word = ftp_word_find(DIRECTION_REPLY, "228", 3);
	assert_int_equal(word->kind, FTP_LPSV);
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "GET", 3));
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "EHLO", 4));
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "POR", 3));
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "port", 4)); /* the scanner has made it upper case */
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "\0\0\0", 0));
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "\0\0\0", 4));
	assert_string_equal(ftp_word_find(DIRECTION_ORIGINAL, "CWDX", 3)->text, "CWD");
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "CWDX", 4));
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "PORTS", 5));
	assert_null(ftp_word_find(DIRECTION_REPLY, "PORT", 4));
	assert_null(ftp_word_find(DIRECTION_ORIGINAL, "227", 3));
	assert_non_null(ftp_word_find(DIRECTION_ORIGINAL, "PWD", 3));
	assert_int_equal(ftp_word_find(DIRECTION_ORIGINAL, "AUTH", 4)->kind, FTP_AUTH);
}

static void numbered_words(void **state)
{
	unsigned int words = 0;

	(void)state;
	for (unsigned int number = 0; number <= UINT8_MAX; number++) {
		const struct ftp_word *word = ftp_word_of((uint8_t)number);

		if (!word)
			continue;
		words++;
		assert_int_equal(ftp_word_number(word), number);
		assert_ptr_equal(ftp_word_find(DIRECTION_ORIGINAL, word->text, strlen(word->text)), word);
		assert_null(ftp_word_find(DIRECTION_REPLY, word->text, strlen(word->text)));
	}
	assert_int_equal(words, 73);
	assert_null(ftp_word_of(0));
	assert_null(ftp_word_of(ftp_word_number(ftp_word_find(DIRECTION_REPLY, "227", 3))));
	assert_int_equal(ftp_word_number(NULL), 0);
}

static void announcing_words(void **state)
{
	static const char *const words[2][FTP_KINDS] = {
		[DIRECTION_ORIGINAL] = { [FTP_PORT] = "PORT", [FTP_EPRT] = "EPRT", [FTP_LPRT] = "LPRT" },
		[DIRECTION_REPLY] = { [FTP_PASV] = "227", [FTP_EPSV] = "229", [FTP_LPSV] = "228" },
	};

	(void)state;
	for (int side = DIRECTION_ORIGINAL; side <= DIRECTION_REPLY; side++)
		for (int kind = 0; kind < FTP_KINDS; kind++) {
			const struct ftp_word *word = ftp_word_announcing((enum direction)side, (enum ftp_kind)kind);

			assert_int_equal(word != NULL, words[side][kind] != NULL);
			if (word)
				assert_string_equal(word->text, words[side][kind]);
		}
}

/* Does a client's line that comes in two pieces end in "HTTP/n.n"? */
static bool ends_as_web(const char *text, size_t length, size_t cut)
{
	struct ftp_line line = { .phase = FTP_PHASE_START };
	const size_t piece[2] = { cut, length - cut };
	const uint8_t *data = (const uint8_t *)text;

	for (int i = 0; i < 2; data += piece[i++]) {
		for (size_t at = 0; at < piece[i];) {
			enum ftp_event event;

			at += ftp_scan(&line, DIRECTION_ORIGINAL, 0, data + at, piece[i] - at, &event);
			if (event == FTP_ARGUMENT || event == FTP_STRANGE)
				ftp_skip_line(&line);
		}
	}
	return ftp_is_web(&line);
}

static void check_web(const char *text, unsigned int returns, const char *behind, bool web)
{
	char whole[128];
	int length =
		snprintf(whole, sizeof(whole), "%s%.*s%s\n", text, (int)returns,
			 "\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r", behind);

	for (size_t cut = 0; cut <= (size_t)length; cut++)
		if (ends_as_web(whole, (size_t)length, cut) != web)
			fail_msg("%s, %u CRs, %s, cut at %zu: not %d", text, returns, behind, cut, web);
}

/* However many CRs stand behind it, and wherever it is cut. */
static void web_lines(void **state)
{
	(void)state;
	for (unsigned int returns = 0; returns <= 40; returns++) {
		check_web("RETR a HTTP/1.1", returns, "", true);
		check_web("RETR HTTP/HTTP/2.0", returns, "", true);
		check_web("RETR a HTTP/1.1", returns, "x", false);
		check_web("RETR a HTTP/1.", returns, "", false);
		check_web("RETR a HTTP/1.", returns, "1", returns == 0);
		check_web("RETR a HTTP/1.11", returns, "", false);
	}
}

/* Whatever comes, the cuts do not matter and nothing is read too far. */
static void random_streams(void **state)
{
	static const char *const parts[] = { "PORT ",	 "EPRT |", "PASV", "\r\n",  "\n",   " ",
					     "227 ",	 "229-",   "220 ", "(1,2",  "\377", "\377\364",
					     "\377\373", "x",	   ",9,",  "RETR ", "\001", "\0" };

	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		uint8_t text[256];
		size_t length = 0;
		struct record one, two = { .length = 0 };
		struct ftp_line line = { .phase = FTP_PHASE_START };
		enum direction side = unit_pick(2) ? DIRECTION_ORIGINAL : DIRECTION_REPLY;
		unsigned int multiline = unit_pick(4) ? 0 : 227;

		for (unsigned int n = unit_pick(20); n > 0; n--) {
			const char *part = parts[unit_pick(sizeof(parts) / sizeof(parts[0]))];
			size_t size = *part ? strlen(part) : 1;

			memcpy(text + length, part, size); /* NOLINT(bugprone-not-null-terminated-result): bytes */
			length += size;
		}
		whole(side, multiline, (const char *)text, length, &one);
		two.text[0] = 0;
		for (size_t at = 0; at < length; at++) {
			uint8_t *byte = unit_alloc(1);
			bool on;

			*byte = text[at];
			on = feed(&line, side, multiline, byte, 1, &two);
			free(byte);
			if (!on)
				break;
		}
		assert_string_equal(one.text, two.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),
		cmocka_unit_test(case_does_not_matter),
		cmocka_unit_test(empty_and_partial),
		cmocka_unit_test(telnet),
		cmocka_unit_test(replies),
		cmocka_unit_test(text_lines),
		cmocka_unit_test(codes),
		cmocka_unit_test(words),
		cmocka_unit_test(numbered_words),
		cmocka_unit_test(announcing_words),
		cmocka_unit_test(web_lines),
		cmocka_unit_test(random_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
