// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines that are logged: what fits comes out in order and whole; what does not is counted, and said where it is missing;
 * nobody waits for one who does not read. Standard error is a pipe here.
 */
#include "unit.h"

#include "daemon/log.h"
#include "daemon/logring.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- the ring ---- */

static struct logring ring;

static void put(unsigned int number)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "line %u\n", number);

	logring_put(&ring, text, (size_t)length);
}

static void next_is(uint64_t lost, unsigned int number)
{
	struct logring_line line;
	char text[32];
	int length = snprintf(text, sizeof(text), "line %u\n", number);

	assert_true(logring_take(&ring, &line));
	assert_int_equal(line.lost, lost);
	assert_int_equal(line.length, length);
	assert_memory_equal(line.text, text, (size_t)length);
}

static void is_empty(void)
{
	struct logring_line line;

	assert_false(logring_take(&ring, &line));
}

static void a_ring_keeps_order(void **state)
{
	unsigned int in = 0, out = 0;

	(void)state;
	memset(&ring, 0, sizeof(ring));
	is_empty();
	for (unsigned int round = 0; round < 10000; round++) {
		unsigned int puts = unit_pick(20), takes = unit_pick(20);

		for (; puts && in - out < LOGRING_LINES; puts--)
			put(in++);
		for (; takes && out < in; takes--)
			next_is(0, out++);
	}
	while (out < in)
		next_is(0, out++);
	is_empty();
}

/* Each loss is told where it happened, once. */
static void a_ring_counts_losses(void **state)
{
	struct logring_line line;

	(void)state;
	memset(&ring, 0, sizeof(ring));
	for (unsigned int i = 0; i < LOGRING_LINES + 3; i++)
		put(i);
	next_is(0, 0);
	next_is(0, 1);
	put(1000);
	put(1001);
	put(1002);
	for (unsigned int i = 2; i < LOGRING_LINES; i++)
		next_is(0, i);
	next_is(3, 1000);
	next_is(0, 1001);
	assert_true(logring_take(&ring, &line));
	assert_int_equal(line.lost, 1);
	assert_int_equal(line.length, 0);
	is_empty();
	put(5);
	next_is(0, 5);
}

static void a_ring_cuts_long_lines(void **state)
{
	static char text[2 * LOGRING_LINE_MAX];
	struct logring_line line;

	(void)state;
	memset(&ring, 0, sizeof(ring));
	memset(text, 'x', sizeof(text));
	logring_put(&ring, text, sizeof(text));
	assert_true(logring_take(&ring, &line));
	assert_int_equal(line.length, LOGRING_LINE_MAX);
	assert_memory_equal(line.text, text, LOGRING_LINE_MAX);
}

/* ---- standard error ---- */

#define LOG_TEXT (4u << 20)

/* What was standard error, and the pipe that is it now. */
static int real_stderr, reading;
static char logged[LOG_TEXT];
static size_t logged_length;

static void take_stderr(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	real_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	reading = ends[0];
	logged_length = 0;
	memset(logged, 0, sizeof(logged));
}

static void *read_all(void *context)
{
	ssize_t length;

	while ((length = read(reading, logged + logged_length, LOG_TEXT - 1 - logged_length)) > 0)
		logged_length += (size_t)length;
	return context;
}

/* The reader comes to its end. */
static void give_stderr_back(void)
{
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Does this stand at @at, and a number behind it? Then @at is moved behind both. */
static bool take_number(const char **at, const char *before, unsigned int *number)
{
	const size_t length = strlen(before);
	char *end;

	if (strncmp(*at, before, length) != 0)
		return false;
	*number = (unsigned int)strtoul(*at + length, &end, 10);
	if (end == *at + length)
		return false;
	*at = end;
	return true;
}

/* What a line of each level begins with, where the journal is told to be what stands in for standard error here, or something else. */
static void priorities(int offset, const char *wanted)
{
	char stream[64];
	struct stat status;

	take_stderr();
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		 (uintmax_t)status.st_ino + (uintmax_t)offset);
	setenv("JOURNAL_STREAM", stream, 1);
	log_set_level(LOG_LEVEL_DEBUG);
	assert_int_equal(log_start(), 0);
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
		log_line((enum log_level)level, "l%d", level);
	log_stop(5000);
	give_stderr_back();
	read_all(NULL);
	close(reading);
	log_set_level(LOG_LEVEL_NOTICE);
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(logged, wanted);
}

/* What is a value to whoever reads the line by its keys stays one value. */
static void sentences_end_no_value(void **state)
{
	(void)state;
	take_stderr();
	assert_int_equal(log_start(), 0);
	log_why(LOG_LEVEL_ERROR, "x", "the \"%s\" is %d", "one\" event=y", 7);
	log_why(LOG_LEVEL_ERROR, "x", "the file `%s'", "a\nevent=y\x1b[2J\x7f\xc3\xa4");
	log_line(LOG_LEVEL_ERROR, "event=x in=%s", "eth\x1b[31m0\xc2\x9b\xff");
	log_why(LOG_LEVEL_DEBUG, "x", "not at this level");
	log_stop(5000);
	give_stderr_back();
	read_all(NULL);
	close(reading);
	assert_string_equal(logged, "nfq-ftp-helper: event=x why=\"the 'one' event=y' is 7\"\n"
				    "nfq-ftp-helper: event=x why=\"the file `a\\x0aevent=y\\x1b[2J\\x7f\xc3\xa4'\"\n"
				    "nfq-ftp-helper: event=x in=eth\\x1b[31m0\\xc2\\x9b\\xff\n");
}

/* A path is one, whatever stands in it. */
static void values_are_one(void **state)
{
	char value[LOG_VALUE_MAX], longest[400];

	(void)state;
	assert_string_equal(log_value("/etc/a.conf", value), "/etc/a.conf");
	assert_string_equal(log_value("/etc/my a.conf", value), "\"/etc/my a.conf\"");
	assert_string_equal(log_value("/a\" event=y\n", value), "\"/a' event=y\\x0a\"");
	assert_string_equal(log_value("", value), "\"\"");
	memset(longest, ' ', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(strlen(log_value(longest, value)), LOG_VALUE_MAX - 1);
}

static void the_journal_reads_priorities(void **state)
{
	(void)state;
	priorities(0, "<3>l0\n<4>l1\n<5>l2\n<6>l3\n<7>l4\n");
	priorities(
		1,
		"nfq-ftp-helper: l0\nnfq-ftp-helper: l1\nnfq-ftp-helper: l2\nnfq-ftp-helper: l3\nnfq-ftp-helper: l4\n");
	/* Whoever comes behind is not the journal's. */
	take_stderr();
	assert_int_equal(log_start(), 0);
	log_line(LOG_LEVEL_ERROR, "x");
	log_stop(5000);
	give_stderr_back();
	read_all(NULL);
	close(reading);
	assert_string_equal(logged, "nfq-ftp-helper: x\n");
}

/* Lines "N: text" of each thread come in order; those that are missing are as many as the log says. */
static void check_lines(unsigned int threads, unsigned int lines)
{
	unsigned int next[8] = { 0 }, came = 0, lost = 0;

	for (char *line = strtok(logged, "\n"); line; line = strtok(NULL, "\n")) {
		const char *at = line;
		unsigned int thread = 0, number = 0, some = 0;

		if (take_number(&at, "nfq-ftp-helper: thread ", &thread)) {
			assert_true(take_number(&at, " line ", &number));
			assert_true(thread < threads && number >= next[thread] && number < lines);
			next[thread] = number + 1;
			came++;
		} else {
			assert_true(take_number(&at, "nfq-ftp-helper: event=lines-lost lines=", &some));
			lost += some;
		}
	}
	assert_int_equal(came + lost, threads * lines);
}

static void without_a_thread_lines_come_at_once(void **state)
{
	(void)state;
	take_stderr();
	log_line(LOG_LEVEL_WARNING, "one %d", 1);
	log_line(LOG_LEVEL_DEBUG, "unheard");
	give_stderr_back();
	read_all(NULL);
	assert_string_equal(logged, "nfq-ftp-helper: one 1\n");
	close(reading);
}

#define LINES	20000
#define THREADS 4

static void *talk(void *context)
{
	const unsigned int *number = context;

	for (unsigned int i = 0; i < LINES; i++)
		log_line(LOG_LEVEL_NOTICE, "thread %u line %u", *number, i);
	return NULL;
}

static void threads_talk(void)
{
	pthread_t threads[THREADS];
	unsigned int numbers[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, talk, &numbers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void all_that_is_read_is_accounted_for(void **state)
{
	pthread_t reader;

	(void)state;
	take_stderr();
	pthread_create(&reader, NULL, read_all, NULL);
	assert_int_equal(log_start(), 0);
	threads_talk();
	log_stop(10000);
	give_stderr_back();
	pthread_join(reader, NULL);
	close(reading);
	check_lines(THREADS, LINES);
}

/* What is said before there is a thread waits for it, also where standard error is not read. */
static void lines_are_held_for_the_thread(void **state)
{
	struct pollfd said;

	(void)state;
	take_stderr();
	said = (struct pollfd){ .fd = reading, .events = POLLIN };
	log_hold();
	for (unsigned int i = 0; i < 10; i++)
		log_line(LOG_LEVEL_NOTICE, "thread 0 line %u", i);
	assert_int_equal(poll(&said, 1, 0), 0);
	assert_int_equal(log_start(), 0);
	log_stop(5000);
	give_stderr_back();
	read_all(NULL);
	close(reading);
	check_lines(1, 10);
	assert_null(strstr(logged, "lost"));
}

/* A few lines, and then the end: none is lost, however soon it comes. */
static void what_was_said_last_is_written(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 200; round++) {
		take_stderr();
		assert_int_equal(log_start(), 0);
		for (unsigned int i = 0; i < 10; i++)
			log_line(LOG_LEVEL_NOTICE, "thread 0 line %u", i);
		log_stop(5000);
		give_stderr_back();
		read_all(NULL);
		close(reading);
		check_lines(1, 10);
		assert_null(strstr(logged, "lost"));
	}
}

/* Those who talk do not wait, nor does the end. */
static void nobody_reads(void **state)
{
	const double start = seconds();
	double end;
	int flags;

	(void)state;
	take_stderr();
	flags = fcntl(STDERR_FILENO, F_GETFL);
	assert_int_equal(log_start(), 0);
	threads_talk();
	assert_true(seconds() - start < 5);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL), flags);
	end = seconds();
	log_stop(200);
	assert_true(seconds() - end < 2);
	log_line(LOG_LEVEL_ERROR, "and this does not block, either");
	assert_true(seconds() - end < 2);
	close(reading); /* which frees the thread */
	log_stop(5000);
	give_stderr_back();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_keeps_order),
		cmocka_unit_test(a_ring_counts_losses),
		cmocka_unit_test(a_ring_cuts_long_lines),
		cmocka_unit_test(without_a_thread_lines_come_at_once),
		cmocka_unit_test(lines_are_held_for_the_thread),
		cmocka_unit_test(sentences_end_no_value),
		cmocka_unit_test(values_are_one),
		cmocka_unit_test(the_journal_reads_priorities),
		cmocka_unit_test(what_was_said_last_is_written),
		cmocka_unit_test(all_that_is_read_is_accounted_for),
		cmocka_unit_test(nobody_reads),
	};

	alarm(120); /* where something does wait, it waits for ever */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
