// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An answer's lines come in any pieces; who answers without end, or a byte now and then, is not listened to for ever.
 */
#include "unit.h"

#include "asking/hearing.h"
#include "host/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 300   /* milliseconds */
#define LATE	 10000 /* by then it is no patience any more */
#define MOST	 100000
#define DROP	 5000000 /* nanoseconds from byte to byte */

static int ends[2]; /* who hears, who speaks */
static atomic_bool stop;

static int set_up(void **state)
{
	(void)state;
	atomic_store(&stop, false);
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int take_down(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void speak(const char *text, size_t length)
{
	assert_int_equal(send(ends[1], text, length, MSG_NOSIGNAL), length);
}

static void heard(struct hearing *hearing, const char *wanted)
{
	size_t length;
	const char *line = hearing_line(hearing, &length);

	assert_non_null(line);
	assert_int_equal(length, strlen(wanted));
	assert_memory_equal(line, wanted, length);
}

static void lines_in_pieces(void **state)
{
	struct hearing hearing;
	size_t length;

	(void)state;
	assert_true(hearing_begin(&hearing, ends[0], LATE, 0));
	speak("one\ntw", 6);
	heard(&hearing, "one\n");
	speak("o\n\nthree\nfour", 13);
	heard(&hearing, "two\n");
	heard(&hearing, "\n");
	shutdown(ends[1], SHUT_WR);
	heard(&hearing, "three\n");
	assert_null(hearing_line(&hearing, &length));
	hearing_end(&hearing);
}

static void *speak_without_end(void *context)
{
	char text[65536];

	(void)context;
	memset(text, 'x', sizeof(text));
	while (!atomic_load(&stop) && send(ends[1], text, sizeof(text), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static void *drip(void *context)
{
	(void)context;
	while (!atomic_load(&stop) && send(ends[1], "x", 1, MSG_NOSIGNAL) > 0)
		nanosleep(&(struct timespec){ .tv_nsec = DROP }, NULL);
	return NULL;
}

/* Return: milliseconds until there was no line. */
static int64_t listen_to(void *(*speaker)(void *), unsigned int patience)
{
	const int64_t before = clock_milliseconds(CLOCK_MONOTONIC);
	struct hearing hearing;
	pthread_t thread;
	size_t length;
	int64_t taken;

	assert_int_equal(pthread_create(&thread, NULL, speaker, NULL), 0);
	assert_true(hearing_begin(&hearing, ends[0], patience, 0));
	assert_null(hearing_line(&hearing, &length));
	taken = clock_milliseconds(CLOCK_MONOTONIC) - before;
	assert_true(hearing.length <= HEARING_LINE_MAX);
	hearing_end(&hearing);
	atomic_store(&stop, true);
	shutdown(ends[0], SHUT_RD);
	pthread_join(thread, NULL);
	return taken;
}

static void a_line_without_end(void **state)
{
	(void)state;
	assert_true(listen_to(speak_without_end, 0) >= 0);
}

static void an_answer_byte_by_byte(void **state)
{
	(void)state;
	assert_in_range(listen_to(drip, PATIENCE), PATIENCE, LATE);
}

static void *speak_of_lines_without_end(void *context)
{
	(void)context;
	while (!atomic_load(&stop) && send(ends[1], "one\ntwo\n", 8, MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static void lines_without_end(void **state)
{
	struct hearing hearing;
	pthread_t thread;
	size_t length, sum = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, speak_of_lines_without_end, NULL), 0);
	assert_true(hearing_begin(&hearing, ends[0], LATE, MOST));
	while (sum <= MOST && hearing_line(&hearing, &length))
		sum += length;
	atomic_store(&stop, true);
	shutdown(ends[0], SHUT_RD);
	pthread_join(thread, NULL);
	assert_true(hearing.too_much);
	assert_true(sum > 0 && sum <= MOST);
	hearing_end(&hearing);
}

/* To the last byte it may have. */
static void as_much_as_may_be(void **state)
{
	struct hearing hearing;
	size_t length;

	(void)state;
	assert_true(hearing_begin(&hearing, ends[0], LATE, 8));
	speak("one\n", 4);
	heard(&hearing, "one\n");
	speak("two\n", 4);
	heard(&hearing, "two\n");
	speak("\n", 1);
	assert_null(hearing_line(&hearing, &length));
	assert_true(hearing.too_much);
	hearing_end(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_in_pieces, set_up, take_down),
		cmocka_unit_test_setup_teardown(a_line_without_end, set_up, take_down),
		cmocka_unit_test_setup_teardown(an_answer_byte_by_byte, set_up, take_down),
		cmocka_unit_test_setup_teardown(lines_without_end, set_up, take_down),
		cmocka_unit_test_setup_teardown(as_much_as_may_be, set_up, take_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
