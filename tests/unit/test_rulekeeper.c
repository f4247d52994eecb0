// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The process that keeps rules: it does the two things it is asked for, and nothing else.
 */
#include "unit.h"

#include "isolation/rulekeeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What it has done, in memory that both processes see. */
struct task {
	unsigned int applied, removed;
	int error;	    /* what comes of it */
	int apply_error;    /* and of the first of them alone */
	volatile bool slow; /* it takes as long as this is so */
	pid_t process;
	int file; /* one of the daemon's */
	bool has_file;
};

static struct task *task;
static struct rulekeeper keeper;

static int note(unsigned int *count)
{
	for (int i = 0; i < 10000 && task->slow; i++)
		usleep(1000);
	(*count)++;
	task->process = getpid();
	task->has_file = fcntl(task->file, F_GETFD) >= 0;
	return task->error;
}

static int apply(void *context)
{
	const int error = note(&((struct task *)context)->applied);

	return error ? error : task->apply_error;
}

static int take_away(void *context)
{
	return note(&((struct task *)context)->removed);
}

static int set_up(void **state)
{
	const struct rulekeeper_acts acts = { .apply = apply, .remove = take_away, .context = task };

	(void)state;
	memset(task, 0, sizeof(*task));
	task->file = open("/dev/null", O_RDONLY);
	return task->file < 0 ? -1 : rulekeeper_start(&keeper, &acts);
}

static int take_down(void **state)
{
	(void)state;
	rulekeeper_end(&keeper);
	close(task->file);
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0 : -1;
}

/* ---- cases ---- */

static void does_what_is_asked(void **state)
{
	(void)state;
	assert_int_equal(rulekeeper_apply(&keeper), 0);
	assert_int_equal(rulekeeper_apply(&keeper), 0);
	assert_int_equal(task->applied, 2);
	assert_int_equal(task->removed, 0);
	assert_int_equal(rulekeeper_remove(&keeper), 0);
	assert_int_equal(task->removed, 1);
	assert_int_equal(task->process, keeper.child.process);
	assert_int_not_equal(task->process, getpid());
}

static void says_what_came_of_it(void **state)
{
	(void)state;
	task->error = -EREMOTEIO;
	assert_int_equal(rulekeeper_apply(&keeper), -EREMOTEIO);
	task->error = 0;
	assert_int_equal(rulekeeper_remove(&keeper), 0);
}

static void knows_no_third_thing(void **state)
{
	(void)state;
	for (unsigned int request = 0; request < 256; request++) {
		const uint8_t byte = (uint8_t)request;
		int32_t answer;

		if (byte == 'a' || byte == 'r')
			continue;
		assert_int_equal(send(keeper.child.channel, &byte, 1, 0), 1);
		assert_int_equal(recv(keeper.child.channel, &answer, sizeof(answer), 0), sizeof(answer));
		assert_int_equal(answer, -EINVAL);
	}
	assert_int_equal(task->applied + task->removed, 0);
}

/* What is longer is no request: it ends. */
static void takes_single_bytes_only(void **state)
{
	(void)state;
	assert_int_equal(send(keeper.child.channel, "aa", 2, 0), 2);
	assert_int_equal(rulekeeper_apply(&keeper), -EPIPE);
	assert_int_equal(task->applied, 0);
	assert_int_equal(waitpid(keeper.child.process, NULL, 0), keeper.child.process);
}

static void keeps_no_files(void **state)
{
	(void)state;
	task->has_file = true;
	assert_int_equal(rulekeeper_apply(&keeper), 0);
	assert_false(task->has_file);
}

/* Nobody waits while it is at it. */
static void is_not_waited_for(void **state)
{
	int answer;

	(void)state;
	assert_int_equal(rulekeeper_answer(&keeper), -EINVAL);
	task->slow = true;
	task->error = -EREMOTEIO;
	assert_int_equal(rulekeeper_begin_to_apply(&keeper), 0);
	assert_int_equal(rulekeeper_begin_to_apply(&keeper), -EBUSY);
	assert_int_equal(rulekeeper_answer(&keeper), -EINPROGRESS);
	task->slow = false;
	while ((answer = rulekeeper_answer(&keeper)) == -EINPROGRESS)
		usleep(1000);
	assert_int_equal(answer, -EREMOTEIO);
	assert_int_equal(rulekeeper_answer(&keeper), -EINVAL);
	assert_int_equal(task->applied, 1);
}

/* What is begun is done before the next thing, and each has its own answer. */
static void one_thing_behind_the_other(void **state)
{
	(void)state;
	task->apply_error = -EREMOTEIO;
	assert_int_equal(rulekeeper_begin_to_apply(&keeper), 0);
	assert_int_equal(rulekeeper_remove(&keeper), 0);
	assert_int_equal(task->applied, 1);
	assert_int_equal(task->removed, 1);
	assert_int_equal(rulekeeper_answer(&keeper), -EINVAL);
}

/* That it has been killed is seen before it is needed. */
static void its_end_is_seen(void **state)
{
	(void)state;
	assert_false(rulekeeper_has_ended(&keeper));
	assert_int_equal(rulekeeper_apply(&keeper), 0);
	assert_false(rulekeeper_has_ended(&keeper));
	assert_int_equal(kill(keeper.child.process, SIGKILL), 0);
	for (unsigned int i = 0; i < 10000 && !rulekeeper_has_ended(&keeper); i++)
		usleep(1000);
	assert_int_equal(keeper.child.channel, -1);
	assert_false(rulekeeper_has_ended(&keeper));
	assert_int_equal(rulekeeper_apply(&keeper), -EPIPE);
}

/* A guard, forked off later, has the daemon's sockets, too. */
static void ends_though_others_have_its_channel(void **state)
{
	const int other = dup(keeper.child.channel);

	(void)state;
	assert_true(other >= 0);
	alarm(10);
	rulekeeper_end(&keeper);
	alarm(0);
	close(other);
}

/* As a terminal's, which go to the whole group. */
static void outlives_signals(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE };

	(void)state;
	assert_int_equal(rulekeeper_apply(&keeper), 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		assert_int_equal(kill(keeper.child.process, signals[i]), 0);
	assert_int_equal(rulekeeper_remove(&keeper), 0);
}

/* CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_MODULE, in all of its sets and in those of what it starts. */
static void has_few_rights(void **state)
{
	const uint64_t wanted = 1ull << 12 | 1ull << 13 | 1ull << 16;
	char path[64], line[256];
	unsigned int sets = 0;
	FILE *file;

	(void)state;
	if (geteuid() != 0)
		unit_skip("only root can try it");
	assert_int_equal(rulekeeper_apply(&keeper), 0);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)keeper.child.process);
	file = unit_stream(fopen(path, "re"));
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "NoNewPrivs:", 11) == 0)
			assert_int_equal(strtol(line + 11, NULL, 10), 1);
		if (strncmp(line, "Cap", 3) != 0)
			continue;
		assert_int_equal(strtoull(line + 7, NULL, 16) & ~wanted, 0);
		sets++;
	}
	fclose(file);
	assert_int_equal(sets, 5);
}

static void is_missed_once_killed(void **state)
{
	(void)state;
	assert_int_equal(kill(keeper.child.process, SIGKILL), 0);
	assert_int_equal(rulekeeper_apply(&keeper), -EPIPE);
	assert_int_equal(rulekeeper_remove(&keeper), -EPIPE);
	assert_int_equal(waitpid(keeper.child.process, NULL, 0), keeper.child.process);
}

static void does_nothing_at_its_end(void **state)
{
	const pid_t process = keeper.child.process;
	int status = -1;

	(void)state;
	close(keeper.child.channel);
	keeper.child.channel = -1;
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_int_equal(status, 0);
	assert_int_equal(task->applied + task->removed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(does_what_is_asked, set_up, take_down),
		cmocka_unit_test_setup_teardown(says_what_came_of_it, set_up, take_down),
		cmocka_unit_test_setup_teardown(knows_no_third_thing, set_up, take_down),
		cmocka_unit_test_setup_teardown(takes_single_bytes_only, set_up, take_down),
		cmocka_unit_test_setup_teardown(keeps_no_files, set_up, take_down),
		cmocka_unit_test_setup_teardown(is_not_waited_for, set_up, take_down),
		cmocka_unit_test_setup_teardown(one_thing_behind_the_other, set_up, take_down),
		cmocka_unit_test_setup_teardown(its_end_is_seen, set_up, take_down),
		cmocka_unit_test_setup_teardown(ends_though_others_have_its_channel, set_up, take_down),
		cmocka_unit_test_setup_teardown(outlives_signals, set_up, take_down),
		cmocka_unit_test_setup_teardown(has_few_rights, set_up, take_down),
		cmocka_unit_test_setup_teardown(is_missed_once_killed, set_up, take_down),
		cmocka_unit_test_setup_teardown(does_nothing_at_its_end, set_up, take_down),
	};

	task = mmap(NULL, sizeof(*task), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return task == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
