// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a service manager hears, and that nobody waits for one that does not listen.
 */
#include "unit.h"

#include "host/notify.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char path[64];
static int listener;

static int listen_at(const char *name, bool abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t length = strlen(name);
	int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, name, length);
	if (abstract)
		address.sun_path[0] = '\0';
	if (bind(file, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		fail_msg("`%s' cannot be bound", name);
	return file;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "@nfq-ftp-helper-test-%d", (int)getpid());
	listener = listen_at(path, true);
	setenv("NOTIFY_SOCKET", path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	return close(listener);
}

static void hears(const char *wanted)
{
	char text[1024];
	ssize_t length = recv(listener, text, sizeof(text) - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	assert_string_equal(text, wanted);
}

static void tells_how_it_is(void **state)
{
	struct notify notify;

	(void)state;
	notify_open(&notify);
	notify_ready(&notify, "mode queue");
	hears("READY=1\nSTATUS=mode queue\n");
	notify_status(&notify, 10000, "mode queue");
	hears("");
	notify_status(&notify, 10000, "one connection\nREADY=0");
	hears("STATUS=one connection\n");
	notify_status(&notify, 14999, "two connections");
	hears("");
	notify_status(&notify, 15000, "three connections");
	hears("STATUS=three connections\n");
	notify_stopping(&notify);
	hears("STOPPING=1\n");
	notify_close(&notify);
}

static void finds_a_path(void **state)
{
	struct notify notify;
	char file[64];

	(void)state;
	snprintf(file, sizeof(file), "/tmp/nfq-ftp-helper-test-%d", (int)getpid());
	close(listener);
	listener = listen_at(file, false);
	setenv("NOTIFY_SOCKET", file, 1);
	notify_open(&notify);
	notify_stopping(&notify);
	hears("STOPPING=1\n");
	notify_close(&notify);
	unlink(file);
}

static void gives_signs_of_life(void **state)
{
	struct notify notify;

	(void)state;
	setenv("WATCHDOG_USEC", "4000000", 1);
	notify_open(&notify);
	assert_int_equal(notify.watchdog, 4000);
	notify_alive(&notify, 10000, 100);
	hears("WATCHDOG=1\n");
	notify_alive(&notify, 10999, 100);
	hears("");
	notify_alive(&notify, 11000, 100);
	hears("WATCHDOG=1\n");
	notify_alive(&notify, 20000, 2001);
	hears("");
	notify_alive(&notify, 20001, 2000);
	hears("WATCHDOG=1\n");
	notify_close(&notify);
}

static void gives_none_that_nobody_waits_for(void **state)
{
	static const char *const strange[] = { "", "-1", "4s", "99999999999999999999" };
	struct notify notify;
	char other[16];

	(void)state;
	notify_open(&notify);
	notify_alive(&notify, 10000, 0);
	hears("");
	notify_close(&notify);
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		setenv("WATCHDOG_USEC", strange[i], 1);
		notify_open(&notify);
		assert_int_equal(notify.watchdog, 0);
		notify_close(&notify);
	}
	setenv("WATCHDOG_USEC", "4000000", 1);
	snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
	setenv("WATCHDOG_PID", other, 1);
	notify_open(&notify);
	assert_int_equal(notify.watchdog, 0);
	notify_close(&notify);
	snprintf(other, sizeof(other), "%d", (int)getpid());
	setenv("WATCHDOG_PID", other, 1);
	notify_open(&notify);
	assert_int_equal(notify.watchdog, 4000);
	notify_close(&notify);
}

static void nobody_there(void **state)
{
	static const char *const nobody[] = {
		"",
		"/",
		"@",
		"relative",
		"/nowhere/at/all",
		("/a-path-that-is-longer-than-the-108-bytes-which-the-kernel-has-for-it-so-that-"
		 "it-can-be-nobodys-address-at-all"),
	};
	struct notify notify;

	(void)state;
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		setenv("NOTIFY_SOCKET", nobody[i], 1);
		notify_open(&notify);
		assert_int_equal(notify.socket, -1);
		notify_ready(&notify, "");
		notify_close(&notify);
	}
	unsetenv("NOTIFY_SOCKET");
	notify_open(&notify);
	assert_int_equal(notify.socket, -1);
	notify_close(&notify);
}

/* More than the kernel keeps of them: this comes back all the same. */
static void waits_for_nobody(void **state)
{
	struct notify notify;
	char status[32];

	(void)state;
	notify_open(&notify);
	for (unsigned int i = 0; i < 100000; i++) {
		snprintf(status, sizeof(status), "%u", i);
		notify_status(&notify, 10000 * (i + 1ull), status);
	}
	hears("STATUS=0\n");
	notify_close(&notify);
}

/* A link that leads nowhere, as systemd makes it. */
static void units_are_seen(void **state)
{
	char directory[] = "/tmp/nfq-ftp-units-XXXXXX", link[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(link, sizeof(link), "%s/invocation:a.service", directory);
	assert_false(notify_unit_is_active(directory, "a.service"));
	assert_int_equal(symlink("4711", link), 0);
	assert_true(notify_unit_is_active(directory, "a.service"));
	assert_false(notify_unit_is_active(directory, "b.service"));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_false(notify_unit_is_active(directory, "a.service"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_how_it_is, set_up, take_down),
		cmocka_unit_test_setup_teardown(finds_a_path, set_up, take_down),
		cmocka_unit_test_setup_teardown(gives_signs_of_life, set_up, take_down),
		cmocka_unit_test_setup_teardown(gives_none_that_nobody_waits_for, set_up, take_down),
		cmocka_unit_test(units_are_seen),
		cmocka_unit_test_setup_teardown(nobody_there, set_up, take_down),
		cmocka_unit_test_setup_teardown(waits_for_nobody, set_up, take_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
