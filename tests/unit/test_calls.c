// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whom a confined process can send to: the kernel, and whom a socket was connected to before; nobody whom it names. That is tried in a child
 * that is confined as the daemon is.
 */
#include "unit.h"

#include "daemon/interfaces.h"
#include "host/notify.h"
#include "isolation/calls.h"
#include "isolation/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* As of this version Landlock knows of names that no file has. */
#define LANDLOCK_SCOPES 6

static struct sockaddr_un manager_name, stranger_name;
static int manager, stranger; /* who listens */
static struct notify notify;  /* to the first */

/* How long an address is: the rest of it is no part of the name. */
static socklen_t named(const struct sockaddr_un *name)
{
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name->sun_path + 1));
}

/* A name that no file has. */
static int listen_as(struct sockaddr_un *name, const char *who)
{
	const int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "nfq-ftp-%s-%d", who, (int)getpid());
	assert_true(file >= 0);
	assert_int_equal(bind(file, (const struct sockaddr *)name, named(name)), 0);
	return file;
}

static int set_up(void **state)
{
	char path[sizeof(manager_name.sun_path) + 1];

	(void)state;
	manager = listen_as(&manager_name, "manager");
	stranger = listen_as(&stranger_name, "stranger");
	memcpy(path, manager_name.sun_path, sizeof(manager_name.sun_path));
	path[0] = '@';
	setenv("NOTIFY_SOCKET", path, 1);
	notify_open(&notify);
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	notify_close(&notify);
	close(manager);
	close(stranger);
	return 0;
}

/* What the child is to do. Return: 0, or what went wrong. */
typedef int deed(void);

/* Confined to the list of calls. Return: as waitpid() says. */
static int confined(deed *act)
{
	const pid_t child = fork();
	int status = 0;

	if (child == 0) {
		unsigned int count;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		    calls_enter(&count) < 0)
			_exit(200);
		_exit(act());
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void is_its_end(deed *act)
{
	const int status = confined(act);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("its status is %#x", (unsigned int)status);
}

static void is_possible(deed *act)
{
	assert_int_equal(confined(act), 0);
}

static void skip_without_calls(void)
{
	if (calls_missing())
		unit_skip(calls_missing());
	if (RUNNING_ON_VALGRIND)
		unit_skip("valgrind makes system calls of its own, which are on no list: plain it is run");
}

static int send_by_name(void)
{
	return sendto(notify.socket, "x", 1, 0, (const struct sockaddr *)&stranger_name, named(&stranger_name)) != 1;
}

static int send_message_by_name(void)
{
	struct iovec piece = { .iov_base = &(char){ 'x' }, .iov_len = 1 };
	const struct msghdr message = {
		.msg_name = &stranger_name, .msg_namelen = named(&stranger_name), .msg_iov = &piece, .msg_iovlen = 1
	};

	return sendmsg(notify.socket, &message, 0) != 1;
}

static int send_messages_by_name(void)
{
	struct iovec piece = { .iov_base = &(char){ 'x' }, .iov_len = 1 };
	struct mmsghdr messages = { .msg_hdr = { .msg_name = &stranger_name,
						 .msg_namelen = named(&stranger_name),
						 .msg_iov = &piece,
						 .msg_iovlen = 1 } };

	return sendmmsg(notify.socket, &messages, 1, 0) != 1;
}

static int connect_anew(void)
{
	return connect(notify.socket, (const struct sockaddr *)&stranger_name, named(&stranger_name)) != 0;
}

static void sends_to_nobody_by_name(void **state)
{
	char byte;

	(void)state;
	skip_without_calls();
	is_its_end(send_by_name);
	is_its_end(send_message_by_name);
	is_its_end(send_messages_by_name);
	is_its_end(connect_anew);
	assert_int_equal(recv(stranger, &byte, 1, 0), -1);
	/* Or nothing would have been shown. */
	assert_int_equal(send_by_name() + send_message_by_name() + send_messages_by_name(), 0);
	assert_int_equal(recv(stranger, &byte, 1, 0), 1);
}

static int give_sign(void)
{
	notify_stopping(&notify);
	return 0;
}

static void tells_its_manager(void **state)
{
	char text[64] = "";

	(void)state;
	skip_without_calls();
	is_possible(give_sign);
	assert_int_equal(recv(manager, text, sizeof(text) - 1, 0), strlen("STOPPING=1\n"));
	assert_string_equal(text, "STOPPING=1\n");
}

/* Once more, as where news were lost. */
static int list_interfaces(void)
{
	struct interfaces interfaces = { .due = false };
	char name[IF_NAMESIZE] = "";
	int failed;

	interfaces_open(&interfaces);
	failed = !interfaces.handle;
	interfaces_refresh(&interfaces);
	failed = failed || strcmp(interfaces_name(&interfaces, 1, name), "lo") != 0;
	interfaces_close(&interfaces);
	return failed;
}

static void asks_the_kernel(void **state)
{
	char name[IF_NAMESIZE];

	(void)state;
	if (!if_indextoname(1, name) || strcmp(name, "lo") != 0)
		unit_skip("the first interface is not `lo' here");
	assert_int_equal(list_interfaces(), 0);
	skip_without_calls();
	is_possible(list_interfaces);
}

/* Without the list of calls, which would be in the way. */
static int send_by_names_that_no_file_has(int directory)
{
	const int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_enter(landlock_version(), directory) < 0)
		return 1;
	if (sendto(other, "x", 1, 0, (const struct sockaddr *)&stranger_name, named(&stranger_name)) != -1 ||
	    errno != EPERM)
		return 2;
	if (send_by_name() == 0 || connect_anew() == 0)
		return 3;
	notify_stopping(&notify);
	return 0;
}

static void reaches_no_name_of_others(void **state)
{
	const int directory = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status = 0;
	char text[64];
	pid_t child;

	(void)state;
	if (landlock_version() < LANDLOCK_SCOPES)
		unit_skip("this kernel's Landlock has no scopes: Linux 6.12 has");
	child = fork();
	if (child == 0)
		_exit(send_by_names_that_no_file_has(directory));
	close(directory);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(recv(manager, text, sizeof(text), 0), strlen("STOPPING=1\n"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_to_nobody_by_name),
		TEST(tells_its_manager),
		TEST(asks_the_kernel),
		TEST(reaches_no_name_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
