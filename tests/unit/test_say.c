// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is said of names and values that others gave: one line, which does nothing but be read.
 */
#include "unit.h"

#include "check/report.h"
#include "output/pasted.h"
#include "output/say.h"
#include "output/visible.h"

#include <stdlib.h>
#include <string.h>

static void shown(const char *text, const char *wanted)
{
	char buffer[200];

	assert_int_equal(visible(text, buffer, sizeof(buffer)), strlen(wanted));
	assert_string_equal(buffer, wanted);
}

static void nothing_is_obeyed(void **state)
{
	(void)state;
	shown("", "");
	shown("/run/nfq-ftp-helper", "/run/nfq-ftp-helper");
	shown("a\x1b[2J\a\b\t\r\n\x7f", "a\\x1b[2J\\x07\\x08\\x09\\x0d\\x0a\\x7f");
	shown("\xc2\x9b"
	      "2J",
	      "\\xc2\\x9b2J");			  /* CSI, as one character */
	shown("\x9b\xff", "\\x9b\\xff");	  /* and as a byte of Latin-1 */
	shown("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* from right to left */
	shown("\xe2\x80\xa8", "\\xe2\\x80\\xa8"); /* a line's end */
}

static void all_else_stays(void **state)
{
	(void)state;
	shown("gr\xc3\xb6\xc3\x9f"
	      "er \xe3\x83\x95 \xf0\x9f\x90\xa7 `%s' \\x1b",
	      "gr\xc3\xb6\xc3\x9f"
	      "er \xe3\x83\x95 \xf0\x9f\x90\xa7 `%s' \\x1b");
	shown("\xe3\x83", "\\xe3\\x83"); /* cut off */
}

/* Neither a character nor what stands for a byte is cut in two. */
static void as_much_as_there_is_room_for(void **state)
{
	char buffer[8];

	(void)state;
	for (size_t size = 1; size <= sizeof(buffer); size++) {
		memset(buffer, '#', sizeof(buffer));
		assert_int_equal(visible("\xc3\xb6\x1b\x1b", buffer, size), size > 6 ? 6 : size > 2 ? 2 : 0);
		assert_int_equal(strlen(buffer), size > 6 ? 6 : size > 2 ? 2 : 0);
		for (size_t at = size; at < sizeof(buffer); at++)
			assert_int_equal(buffer[at], '#');
	}
}

static void one_line_is_said(void **state)
{
	char *text;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	(void)state;
	assert_non_null(stream);
	say_to(stream, "%s: cannot be opened: %d%%", "a\nnfq-ftp-helper: all is well\x1b[8m", 7);
	say_line(stream, "  %s", "eth\x1b[31m0");
	fclose(stream);
	assert_string_equal(
		text,
		"nfq-ftp-helper: a\\x0anfq-ftp-helper: all is well\\x1b[8m: cannot be opened: 7%\n  eth\\x1b[31m0\n");
	free(text);
}

static void pastes(const char *word, const char *wanted)
{
	char buffer[PASTED_SIZE(64)];

	assert_string_equal(pasted(word, buffer, PASTED_SIZE(strlen(word))), wanted);
}

/* A shell makes one word of it, and that one. */
static void a_word_is_pasted(void **state)
{
	char buffer[PASTED_SIZE(8)];

	(void)state;
	pastes("/run/nfq-ftp-helper", "/run/nfq-ftp-helper");
	pastes("lan:ppp+,:eth0.7@wan", "lan:ppp+,:eth0.7@wan");
	pastes("", "''");
	pastes("/srv/my state", "'/srv/my state'");
	pastes("ppp*", "'ppp*'");
	pastes("a;reboot", "'a;reboot'");
	pastes("$(reboot)`x`\\", "'$(reboot)`x`\\'");
	pastes("a\";reboot;\"", "$'a\\x22;reboot;\\x22'"); /* the log has ' for " */
	pastes("it's", "'it'\\''s'");
	pastes("~", "'~'");
	pastes("=ls", "'=ls'");
	pastes("gr\xc3\xb6n", "'gr\xc3\xb6n'");
	pastes("a'\\\x1b[2J\n", "$'a\\x27\\x5c\\x1b[2J\\x0a'");
	pastes("\x9b", "$'\\x9b'");
	/* A part would be another word. */
	assert_string_equal(pasted("12345678", buffer, 9), "12345678");
	assert_string_equal(pasted("12345678", buffer, 8), "''");
	assert_string_equal(pasted("1234 678", buffer, 11), "'1234 678'");
	assert_string_equal(pasted("1234 678", buffer, 10), "''");
}

/* An interface of such a name: its row is a line, and there in JSON, too. */
static void rows_of_check_name_it(void **state)
{
	static struct check_report report;
	struct check_row *row = check_add(&report, "interfaces", CHECK_NO, "there is no `%s'", "e\n\x1b[2J\xff");

	(void)state;
	check_mend(row, CAUSE_NONE, "ip link show '%s'", "e\x9b\xc3\xb6");
	assert_string_equal(row->text, "there is no `e\\x0a\\x1b[2J\\xff'");
	assert_string_equal(row->remedy, "ip link show 'e\\x9b\xc3\xb6'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_obeyed),
		cmocka_unit_test(all_else_stays),
		cmocka_unit_test(as_much_as_there_is_room_for),
		cmocka_unit_test(one_line_is_said),
		cmocka_unit_test(a_word_is_pasted),
		cmocka_unit_test(rows_of_check_name_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
