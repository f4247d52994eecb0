// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard: what it does when its daemon ends, how often, and what it says. The daemon here is a process that does nothing else.
 */
#include "unit.h"

#include "daemon/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER	  1000
#define TRIES	  20 /* of the guard */
#define SAID_MAX  1024
#define PATIENCE  10	 /* seconds */
#define KEEP_WAIT 150000 /* microseconds: more than between two guards */

/* What the guard does, in memory that both processes see. */
struct task {
	int error;	    /* it fails with this ... */
	unsigned int fails; /* ... so often */
	unsigned int calls;
	int kept, other;   /* files: the guard's, another */
	int queue, reader; /* sockets: as a queue's, and of whoever asks the daemon */
	bool has_kept, has_other, has_queue, has_reader;
};

static struct task *task;
static char said[SAID_MAX];

static int act(void *context)
{
	struct task *here = context;

	here->has_kept = fcntl(here->kept, F_GETFD) >= 0;
	here->has_other = fcntl(here->other, F_GETFD) >= 0;
	here->has_queue = fcntl(here->queue, F_GETFD) >= 0;
	here->has_reader = fcntl(here->reader, F_GETFD) >= 0;
	return here->calls++ < here->fails ? here->error : 0;
}

static int set_up(void **state)
{
	void *memory = mmap(NULL, sizeof(*task), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	task = memory;
	if (memory == MAP_FAILED)
		return -1;
	task->kept = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	task->other = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	task->queue = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	task->reader = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return task->kept < 0 || task->other < 0 || task->queue < 0 || task->reader < 0 ? -1 : 0;
}

static int take_down(void **state)
{
	(void)state;
	close(task->kept);
	close(task->other);
	close(task->queue);
	close(task->reader);
	return munmap(task, sizeof(*task));
}

static _Noreturn void be_daemon(int stderr_end, void (*live)(struct guard *guard))
{
	struct guard guard = { .act = act, .context = task, .file = task->kept, .pipe = -1 };

	alarm(PATIENCE);
	dup2(stderr_end, STDERR_FILENO);
	close(stderr_end);
	if (guard_start(&guard) < 0)
		_exit(1);
	live(&guard);
	_exit(0);
}

/* A daemon's life: until it and its guard are gone. What they said is in said[]. */
static void run(void (*live)(struct guard *guard))
{
	size_t length = 0;
	ssize_t got;
	int ends[2];
	pid_t daemon;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	daemon = fork();
	assert_true(daemon >= 0);
	if (daemon == 0)
		be_daemon(ends[1], live);
	close(ends[1]);
	while ((got = read(ends[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(daemon, NULL, 0), daemon);
}

static void end_at_once(struct guard *guard)
{
	(void)guard;
}

static void end_orderly(struct guard *guard)
{
	guard_end(guard);
}

/* Its guard is killed twice: the second time soon after the first. */
static void lose_guards(struct guard *guard)
{
	for (unsigned int i = 0; i < 2; i++) {
		const pid_t killed = guard->process;

		kill(killed, SIGKILL);
		while (guard->process == killed || !guard->process) {
			usleep(KEEP_WAIT / 10);
			guard_keep(guard);
		}
	}
}

/* ---- cases ---- */

static void acts(void **state)
{
	(void)state;
	run(end_at_once);
	assert_int_equal(task->calls, 1);
	assert_true(task->has_kept);
	assert_false(task->has_other);
	assert_true(task->has_queue);
	assert_false(task->has_reader);
	assert_non_null(strstr(said, "the daemon has ended without a word: the conntrack helper `nfq-ftp' is idle"));
}

static void does_nothing_at_an_orderly_end(void **state)
{
	(void)state;
	run(end_orderly);
	assert_int_equal(task->calls, 0);
	assert_string_equal(said, "");
}

static void tries_again(void **state)
{
	(void)state;
	task->error = -ENOBUFS;
	task->fails = TRIES - 1;
	run(end_at_once);
	assert_int_equal(task->calls, TRIES);
	assert_non_null(strstr(said, "is idle until it is back"));
}

static void says_that_it_failed(void **state)
{
	(void)state;
	task->error = -ENOBUFS;
	task->fails = NEVER;
	run(end_at_once);
	assert_int_equal(task->calls, TRIES);
	assert_non_null(
		strstr(said, "the conntrack helper `nfq-ftp' could not be made idle: No buffer space available; no FTP "
			     "connection comes about until a daemon runs again\"\n"));
}

static void leaves_others_what_is_theirs(void **state)
{
	static const int errors[] = { -EUSERS, -ENOENT };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		task->error = errors[i];
		task->fails = NEVER;
		task->calls = 0;
		run(end_at_once);
		assert_int_equal(task->calls, 1);
		assert_string_equal(said, "");
	}
}

static void is_replaced(void **state)
{
	(void)state;
	run(lose_guards);
	assert_int_equal(task->calls, 1);
	assert_non_null(strstr(said, "was killed by signal 9: another one takes its place"));
	assert_non_null(strstr(said, "is idle until it is back"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(acts),
		CASE(does_nothing_at_an_orderly_end),
		CASE(tries_again),
		CASE(says_that_it_failed),
		CASE(leaves_others_what_is_theirs),
		CASE(is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
