// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A state file whose user has just been killed: the next one has it as soon as that one has ended, whatever its guard does.
 */
#include "unit.h"

#include "daemon/guard.h"
#include "daemon/log.h"
#include "daemon/state.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUEUE	 7u
#define LINGERS	 300000	 /* microseconds: so long a user takes to end */
#define GUARDING 2000000 /* so long its guard has to do */
#define AT_ONCE	 0.5	 /* seconds */

static const struct queue_range queues = { true, QUEUE, QUEUE };
static const struct table_size size = { .sessions = 4096, .works = 64, .budgets = 64 };
static char directory[64];

static int make_room(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(directory, "/tmp/nfq-ftp-unit-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_room(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command); /* NOLINT(cert-env33-c): the name is our own */
}

/* A process that has the file. It says so, and goes on with @live. */
static pid_t start_user(void (*live)(void))
{
	struct statefile file;
	uint32_t recovered;
	int ends[2];
	char byte;
	pid_t user;

	assert_int_equal(pipe(ends), 0);
	user = fork();
	assert_true(user >= 0);
	if (user == 0) {
		close(ends[0]);
		if (!state_open(&file, directory, QUEUE, &queues, &size, &recovered) || write(ends[1], "", 1) != 1)
			_exit(1);
		close(ends[1]);
		live();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return user;
}

/* Return: seconds until it is ours. */
static double take_over(void)
{
	struct timespec begin, end;
	struct statefile file;
	uint32_t recovered;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_non_null(state_open(&file, directory, QUEUE, &queues, &size, &recovered));
	clock_gettime(CLOCK_MONOTONIC, &end);
	statefile_close(&file);
	return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

static void linger(void)
{
	usleep(LINGERS);
}

static void one_that_is_about_to_end_is_waited_for(void **state)
{
	const pid_t user = start_user(linger);

	(void)state;
	take_over();
	assert_int_equal(waitpid(user, NULL, 0), user);
}

static int be_slow(void *context)
{
	(void)context;
	usleep(GUARDING);
	return -EUSERS;
}

static void have_a_guard(void)
{
	static struct guard guard = { .act = be_slow, .file = -1, .pipe = -1 };

	if (guard_start(&guard) < 0)
		_exit(1);
	pause();
}

/* It keeps what its daemon had mapped, too, or would: a mapping keeps a file's lock. */
static void a_guard_has_no_lock(void **state)
{
	const pid_t user = start_user(have_a_guard);

	(void)state;
	usleep(LINGERS);
	kill(user, SIGKILL);
	assert_int_equal(waitpid(user, NULL, 0), user);
	assert_true(take_over() < AT_ONCE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_room, remove_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_that_is_about_to_end_is_waited_for),
		CASE(a_guard_has_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
