// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What host/ knows without asking the machine: lists of ports, ranges of queues, and whether they go together; what errors are called. And how
 * other programs are run.
 */
#include "unit.h"

#include "command/command.h"
#include "host/attach.h"
#include "host/error.h"
#include "host/module.h"
#include "host/ports.h"
#include "host/program.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void port_lists(void **state)
{
	static const char *const wrong[] = { "",
					     ",",
					     "0",
					     "65536",
					     "21,",
					     ",21",
					     "21,,22",
					     "21 ",
					     "21,-1",
					     "+21",
					     "ftp",
					     "21x,22",
					     "99999999999999999999",
					     "21;22" };
	const char *most = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15", *more = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16";
	struct ports ports = PORTS_DEFAULT;

	(void)state;
	assert_int_equal(ports.count, 1);
	assert_int_equal(ports.port[0], 21);
	assert_true(ports_parse("2121,65535,1", &ports));
	assert_int_equal(ports.count, 3);
	assert_int_equal(ports.port[0], 2121);
	assert_int_equal(ports.port[1], 65535);
	assert_int_equal(ports.port[2], 1);
	assert_true(ports_parse(most, &ports));
	assert_int_equal(ports.count, PORTS_MAX);
	assert_false(ports_parse(more, &ports));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(ports_parse(wrong[i], &ports));
}

/* As options have them; and whether anybody has said so. */
static void ports_as_text(void **state)
{
	struct ports ports = PORTS_DEFAULT;
	char text[PORTS_TEXT_MAX];

	(void)state;
	assert_false(ports.given);
	ports_add(&ports, 2121);
	ports_add(&ports, 21);
	assert_string_equal(ports_text(&ports, text), "21,2121");
	assert_true(ports_have(&ports, 2121));
	assert_false(ports_have(&ports, 212));
	assert_true(ports_parse("21", &ports));
	assert_true(ports.given);
	for (uint16_t port = 65535; port > 65000; port--)
		ports_add(&ports, port);
	assert_int_equal(ports.count, PORTS_MAX);
	assert_int_equal(strlen(ports_text(&ports, text)), 3 + 6 * (PORTS_MAX - 1) - 1);
}

/* No advice that cannot be followed: no modprobe in a container, no building where that is not possible. */
static void module_counters(void **state)
{
	const char *text = "packets 12\npayload 3\nlarge 18446744073709551615\nodd x\nunfinished 7";
	uint64_t value = 0;

	(void)state;
	assert_true(module_counter(text, "packets", &value) && value == 12);
	assert_true(module_counter(text, "payload", &value) && value == 3);
	assert_true(module_counter(text, "large", &value) && value == UINT64_MAX);
	assert_false(module_counter(text, "load", &value) || module_counter(text, "packet", &value) ||
		     module_counter(text, "odd", &value) || module_counter(text, "unfinished", &value) ||
		     module_counter("", "packets", &value));
}

static void module_ways(void **state)
{
	const struct module_means all = { .kernel_takes = true,
					  .exists = true,
					  .ours = true,
					  .supported = true,
					  .headers = true,
					  .release = "6.1.0-50-amd64" };
	char text[MODULE_WAY_MAX];
	struct module_means means = all;

	(void)state;
	assert_string_equal(module_way_of("m", &means, text), "modprobe m");
	means.exists = false;
	assert_string_equal(module_way_of("m", &means, text),
			    "make kmod KDIR=/lib/modules/6.1.0-50-amd64/build, and load it");
	means.headers = false;
	assert_string_equal(module_way_of("m", &means, text),
			    "install linux-headers-6.1.0-50-amd64, then make kmod, and load it");
	means.ours = false;
	assert_string_equal(module_way_of("m", &means, text), "there is no module m for Linux 6.1.0-50-amd64");
	means.container = true;
	assert_string_equal(module_way_of("m", &means, text), "modprobe m, on the host of this container");
	means.ours = true;
	means.supported = false;
	assert_string_equal(module_way_of("m", &means, text),
			    "it cannot be built for Linux 6.1.0-50-amd64: from 6.1 on it can");
	means = all;
	means.kernel_takes = false;
	assert_string_equal(module_way_of("m", &means, text), "this kernel takes no modules (CONFIG_MODULES)");
}

static void queue_ranges(void **state)
{
	struct queue_range range = { 0 }, next;
	char text[QUEUE_RANGE_TEXT_MAX];

	(void)state;
	assert_int_equal(queue_range_count(&range), 0);
	assert_false(queue_range_next(&range, &next));
	assert_false(queue_range_set(&range, -1, 1));
	assert_false(queue_range_set(&range, 0, 0));
	assert_false(queue_range_set(&range, 0, QUEUE_RANGE_MAX + 1));
	assert_false(queue_range_set(&range, 65535, 2));
	assert_false(queue_range_set(&range, 65536, 1));
	assert_false(range.given);
	assert_true(queue_range_set(&range, 0, QUEUE_RANGE_MAX));
	assert_int_equal(queue_range_count(&range), QUEUE_RANGE_MAX);
	assert_true(queue_range_next(&range, &next));
	assert_string_equal(queue_range_text(&next, text), "64:127");
	assert_true(queue_range_set(&range, 65534, 1));
	assert_string_equal(queue_range_text(&range, text), "65534");
	assert_true(queue_range_next(&range, &next));
	assert_int_equal(next.first, 65535);
	assert_false(queue_range_next(&next, &range));
}

/* Sure queues are as many as the others, and others. */
static void sure_queues(void **state)
{
	struct attach attach = attach_default;
	char text[ATTACH_COMPLAINT_MAX];

	(void)state;
	/* Behind the last number there is none; only mode queue needs one. */
	attach.mode = MODE_CTHELPER;
	assert_true(queue_range_set(&attach.queues, 65535, 1));
	assert_true(attach_settle(&attach));
	assert_false(attach.sure_queues.given);
	attach.mode = MODE_QUEUE;
	assert_false(attach_settle(&attach));
	assert_true(queue_range_set(&attach.queues, 4, 3));
	assert_null(attach_complaint(&attach, text));
	assert_true(attach_settle(&attach));
	assert_int_equal(attach.sure_queues.first, 7);
	assert_int_equal(attach.sure_queues.last, 9);
	assert_null(attach_complaint(&attach, text));
	assert_true(queue_range_set(&attach.sure_queues, 1, 3));
	assert_null(attach_complaint(&attach, text));
	assert_true(queue_range_set(&attach.sure_queues, 2, 3));
	assert_non_null(strstr(attach_complaint(&attach, text), "overlap"));
	assert_true(queue_range_set(&attach.sure_queues, 6, 3));
	assert_non_null(strstr(attach_complaint(&attach, text), "overlap"));
	assert_true(queue_range_set(&attach.sure_queues, 10, 2));
	assert_non_null(strstr(attach_complaint(&attach, text), "as many"));
	/* What is named is left alone. */
	assert_true(attach_settle(&attach));
	assert_int_equal(attach.sure_queues.first, 10);
}

static void a_helper_has_one_queue(void **state)
{
	struct attach attach;
	char text[ATTACH_COMPLAINT_MAX];

	(void)state;
	attach = attach_default;
	assert_true(queue_range_set(&attach.queues, 1, 3));
	assert_null(attach_complaint(&attach, text));
	attach.mode = MODE_CTHELPER;
	assert_string_equal(
		attach_complaint(&attach, text),
		"--queue 1:3 is not possible: a conntrack helper has one queue; --mode queue and --mode kmod "
		"have several");
	attach.queues = attach_default.queues;
	assert_null(attach_complaint(&attach, text));
}

/* As strerror() has it where nothing is translated; and there is a text for what is no error, too. */
static void errors(void **state)
{
	(void)state;
	for (int error = 1; error <= 133; error++)
		if (error != 41 && error != 58) /* Linux has none of these numbers */
			assert_string_equal(error_text(-error), strerror(error));
	assert_true(strlen(error_text(-41)) > 0);
	assert_true(strlen(error_text(-100000)) > 0);
	assert_true(strlen(error_text(INT_MIN + 1)) > 0);
}

/* The process that keeps the rules has all signals blocked; iptables-legacy's -w waits for its lock until SIGALRM comes. */
static void programs_hear_their_alarm(void **state)
{
	const char *const argv[] = { "sed", "-n", "s/^SigBlk://p", "/proc/self/status", NULL };
	char *output = NULL;
	sigset_t all, before;
	unsigned long long blocked;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	assert_int_equal(program_run(argv, NULL, &output, NULL), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	blocked = strtoull(output, NULL, 16);
	free(output);
	assert_false(blocked >> (SIGALRM - 1) & 1);
	assert_true(blocked >> (SIGTERM - 1) & 1);
}

static int run_true(int argc, char **argv)
{
	const char *const program[] = { "true", NULL };

	(void)argc;
	(void)argv;
	return program_run(program, NULL, NULL, NULL) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* Whose starter ignores SIGCHLD has no children to wait for: the rules would be in place, and said not to be. */
static void ends_of_programs_are_heard_of(void **state)
{
	static const struct command commands[] = { { "true", run_true, NULL, 0 }, { NULL, NULL, NULL, 0 } };
	char name[] = "test", command[] = "true", *argv[] = { name, command, NULL };

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(command_main(commands, 2, argv), EXIT_DONE);
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_lists),
		cmocka_unit_test(ports_as_text),
		cmocka_unit_test(module_ways),
		cmocka_unit_test(module_counters),
		cmocka_unit_test(queue_ranges),
		cmocka_unit_test(sure_queues),
		cmocka_unit_test(a_helper_has_one_queue),
		cmocka_unit_test(errors),
		cmocka_unit_test(programs_hear_their_alarm),
		cmocka_unit_test(ends_of_programs_are_heard_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
