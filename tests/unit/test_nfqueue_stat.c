// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's table of queues: the right line, whatever stands around it, and wherever it is cut. */
#include "unit.h"

#include "kernel/nfqueue_stat.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#define LINE(queue, port, waiting, full, unsent)                                                                       \
	"%5u %6u %5u 2 65535 %5u %5u %8u  1\n", queue, port, waiting, full, unsent, 4711u

static void a_line(void **state)
{
	struct nfqueue_stat stat = { 0 };

	(void)state;
	assert_true(nfqueue_stat_parse("    7  23581    12 2 65535   345     6     1234  1\n", 7, &stat));
	assert_int_equal(stat.port, 23581);
	assert_int_equal(stat.waiting, 12);
	assert_int_equal(stat.full, 345);
	assert_int_equal(stat.unsent, 6);
	assert_true(nfqueue_stat_parse("65535 4294967295 0 2 65535 4294967295 1 9 1", 65535, &stat));
	assert_int_equal(stat.port, 4294967295u);
	assert_int_equal(stat.full, 4294967295u);
	memset(&stat, 0x5a, sizeof(stat));
	assert_false(nfqueue_stat_parse("   70  23581    12 2 65535   345     6     1234  1\n", 7, &stat));
	assert_false(nfqueue_stat_parse("    7  23581    12 2 65535   345\n    6     1234  1\n", 7, &stat));
	assert_false(nfqueue_stat_parse("    7  23581    12 2 65535   345", 7, &stat));
	assert_false(nfqueue_stat_parse("7 nothing", 7, &stat));
	assert_false(nfqueue_stat_parse("", 7, &stat));
	assert_int_equal(stat.port, 0x5a5a5a5a);
}

static int table(unsigned int lines)
{
	FILE *file = unit_stream(tmpfile());
	int copy;

	for (unsigned int i = 0; i < lines; i++)
		fprintf(file, LINE(i * 3, 1000 + i, i, 2 * i, 3 * i));
	fflush(file);
	copy = dup(fileno(file));
	fclose(file);
	return copy;
}

/* Longer than what is read at once. */
static void a_table(void **state)
{
	const int file = table(1000);
	struct nfqueue_stat stat;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		assert_int_equal(nfqueue_stat_read(file, (uint16_t)(i * 3), &stat), 0);
		assert_int_equal(stat.port, 1000 + i);
		assert_int_equal(stat.waiting, i);
		assert_int_equal(stat.full, 2 * i);
		assert_int_equal(stat.unsent, 3 * i);
		assert_int_equal(nfqueue_stat_read(file, (uint16_t)(i * 3 + 1), &stat), -ENOENT);
	}
	close(file);
	assert_int_equal(nfqueue_stat_read(-1, 0, &stat), -EBADF);
}

static void an_empty_table(void **state)
{
	const int file = table(0);
	struct nfqueue_stat stat;

	(void)state;
	assert_int_equal(nfqueue_stat_read(file, 0, &stat), -ENOENT);
	close(file);
}

/* Root's file: another user is told why, and what to do, until somebody has given its group the file. */
static void another_user_is_told(void **state)
{
	int file;

	(void)state;
	if (geteuid() != 0 || access(NFQUEUE_STAT_TABLE, R_OK) < 0)
		unit_skip("only root can try it, and where the kernel tells of its queues (" NFQUEUE_STAT_TABLE ")");
	assert_int_equal(setgroups(0, NULL) | setegid(65534) | seteuid(65534), 0);
	file = nfqueue_stat_open();
	assert_int_equal(seteuid(0) | setegid(0), 0);
	assert_int_equal(file, -EACCES);
	assert_non_null(strstr(nfqueue_stat_complaint(-EACCES), "chgrp"));
	assert_null(strstr(nfqueue_stat_complaint(-ENOENT), "chgrp"));
	file = nfqueue_stat_open();
	assert_true(file >= 0);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line),
		cmocka_unit_test(a_table),
		cmocka_unit_test(an_empty_table),
		cmocka_unit_test(another_user_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
