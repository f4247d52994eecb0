// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the socket is: what stands in its place, who else has it, and who gets at it.
 */
#include "unit.h"

#include "asking/asking.h"
#include "asking/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAID_MAX 4096
#define RACERS	 6
#define RACES	 25
#define NOBODY	 65534

static char directory[] = "/tmp/nfq-ftp-place-XXXXXX";
static char path[64];	   /* of the socket */
static char elsewhere[64]; /* of something else in the same directory */
static char said[SAID_MAX];

static int set_up(void **state)
{
	(void)state;
	memcpy(directory + sizeof(directory) - sizeof("XXXXXX"), "XXXXXX", sizeof("XXXXXX"));
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/" ASKING_SOCKET, directory);
	snprintf(elsewhere, sizeof(elsewhere), "%s/other", directory);
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)rmdir(path);
	(void)unlink(elsewhere);
	return rmdir(directory);
}

/* With what is said meanwhile in said[]. */
static int open_place(struct place *place, const char *group)
{
	const int before = dup(STDERR_FILENO);
	FILE *heard = unit_stream(tmpfile());
	size_t length;
	int error;

	dup2(fileno(heard), STDERR_FILENO);
	error = place_open(place, directory, group);
	dup2(before, STDERR_FILENO);
	close(before);
	assert_int_equal(fseek(heard, 0, SEEK_SET), 0);
	length = fread(said, 1, sizeof(said) - 1, heard);
	said[length] = '\0';
	fclose(heard);
	return error;
}

static int listener(const char *at, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", at);
	assert_int_equal(bind(file, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(file, backlog), 0);
	return file;
}

static bool is_socket(const char *at)
{
	struct stat status;

	return lstat(at, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* It can be connected to, and goes. */
static void assert_ours(struct place *place)
{
	const int file = place_connect(directory);

	assert_true(is_socket(path));
	assert_true(file >= 0);
	assert_true(accept(place->socket, NULL, NULL) >= 0);
	close(file);
	place_close(place);
	assert_int_equal(access(path, F_OK), -1);
}

static void what_is_left_goes(void **state)
{
	struct place place;

	(void)state;
	close(listener(path, 1));
	assert_int_equal(open_place(&place, ""), 0);
	assert_ours(&place);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(open_place(&place, ""), 0);
	assert_ours(&place);
	assert_string_equal(said, "");
}

/* What it points to is none of ours, be it there or not. */
static void a_link_goes_and_its_target_stays(void **state)
{
	struct place place;
	int file;

	(void)state;
	assert_int_equal(symlink("/nonexistent/socket", path), 0);
	assert_int_equal(open_place(&place, ""), 0);
	assert_ours(&place);
	file = listener(elsewhere, 1);
	assert_int_equal(symlink(elsewhere, path), 0);
	assert_int_equal(open_place(&place, ""), 0);
	assert_ours(&place);
	assert_true(is_socket(elsewhere));
	close(file);
}

static void what_cannot_go_is_said(void **state)
{
	struct place place;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(open_place(&place, ""), -EISDIR);
	assert_non_null(strstr(said, "no socket can be made at `"));
}

/* Also one that hangs, so that nobody can be connected any more: neither who comes to listen nor who asks waits for it. */
static void another_stays(void **state)
{
	const int backlog = 0;
	const int other = listener(path, backlog);
	const time_t begun = time(NULL);
	struct place place;
	int file;

	(void)state;
	assert_int_equal(open_place(&place, ""), -EADDRINUSE);
	assert_non_null(strstr(said, "another daemon answers questions at `"));
	while ((file = place_connect(directory)) >= 0) /* kept open */
		;
	assert_int_equal(file, -EAGAIN);
	assert_int_equal(open_place(&place, ""), -EADDRINUSE);
	assert_non_null(strstr(said, "another daemon answers questions at `"));
	assert_null(strstr(said, "no socket can be made"));
	assert_in_range(time(NULL) - begun, 0, 30);
	close(other);
}

static void anothers_is_not_taken_away(void **state)
{
	struct place place;
	int file;

	(void)state;
	assert_int_equal(open_place(&place, ""), 0);
	assert_int_equal(unlink(path), 0);
	file = listener(path, 1);
	place_close(&place);
	assert_true(is_socket(path));
	close(file);
}

/* One of several daemons, which all begin when @gate closes, and stay until @end does. Return: 1: it can be asked; 0: it cannot; else it thinks so. */
static int race(int gate, int done, int end)
{
	struct place place;
	char byte;
	int file, status = 0;

	(void)!read(gate, &byte, 1);
	if (open_place(&place, "") == 0) {
		file = place_connect(directory);
		status = file < 0 || accept(place.socket, NULL, NULL) < 0 ? 2 : 1;
	}
	(void)!write(done, "", 1);
	(void)!read(end, &byte, 1);
	return status;
}

/* Several daemons that start at once in one directory: one can be asked, and it is the one that can be reached. */
static void one_of_many_has_it(void **state)
{
	(void)state;
	for (unsigned int races = 0; races < RACES; races++) {
		int gate[2] = { -1, -1 }, done[2] = { -1, -1 }, end[2] = { -1, -1 }, status, winners = 0;
		char byte;

		assert_true(pipe2(gate, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0 && pipe2(end, O_CLOEXEC) == 0);
		close(listener(path, 1)); /* one that a killed daemon has left */
		for (unsigned int i = 0; i < RACERS; i++) {
			if (fork())
				continue;
			close(gate[1]);
			close(end[1]);
			_exit(race(gate[0], done[1], end[0]));
		}
		close(gate[1]);
		for (unsigned int i = 0; i < RACERS; i++)
			assert_int_equal(read(done[0], &byte, 1), 1);
		close(end[1]);
		for (unsigned int i = 0; i < RACERS; i++) {
			assert_true(wait(&status) > 0);
			winners += WIFEXITED(status) ? WEXITSTATUS(status) : RACERS;
		}
		close(gate[0]);
		close(done[0]);
		close(done[1]);
		close(end[0]);
		assert_int_equal(winners, 1);
		assert_int_equal(unlink(path), 0);
	}
}

/* ---- groups ---- */

static struct stat status_of(const char *at)
{
	struct stat status = { 0 };

	assert_int_equal(lstat(at, &status), 0);
	return status;
}

static const struct group *another_group(void)
{
	const struct group *group = getgrnam("daemon");

	if (!group || geteuid() != 0)
		unit_skip("only root can try it, and where there is a group `daemon'");
	return group;
}

static void a_group_gets_through(void **state)
{
	const gid_t group = another_group()->gr_gid;
	struct place place;

	(void)state;
	assert_int_equal(open_place(&place, "daemon"), 0);
	assert_int_equal(status_of(path).st_gid, group);
	assert_int_equal(status_of(path).st_mode & 07777, 0660);
	assert_int_equal(status_of(directory).st_gid, group);
	assert_int_equal(status_of(directory).st_mode & 07777, 0710);
	assert_ours(&place);
}

/* --state-dir /run: were that closed to others, no other program of the machine would get at its own. */
static void an_open_directory_stays_as_it_is(void **state)
{
	const gid_t group = another_group()->gr_gid;
	struct place place;

	(void)state;
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(open_place(&place, "daemon"), 0);
	assert_int_equal(status_of(path).st_gid, group);
	assert_int_equal(status_of(directory).st_gid, getegid());
	assert_int_equal(status_of(directory).st_mode & 07777, 0755);
	assert_ours(&place);
}

/* As in a unit of systemd, which begins as the daemon's user: it is asked by whoever may, and says what to do for the others. */
static void a_group_that_cannot_be_given_is_said(void **state)
{
	struct place place;

	(void)state;
	(void)another_group();
	assert_int_equal(chown(directory, NOBODY, NOBODY), 0);
	assert_int_equal(setegid(NOBODY), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(open_place(&place, "daemon"), 0);
	assert_non_null(strstr(said, "SupplementaryGroups=daemon"));
	assert_ours(&place);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_left_goes),
		CASE(a_link_goes_and_its_target_stays),
		CASE(what_cannot_go_is_said),
		CASE(another_stays),
		CASE(anothers_is_not_taken_away),
		CASE(one_of_many_has_it),
		CASE(a_group_gets_through),
		CASE(an_open_directory_stays_as_it_is),
		CASE(a_group_that_cannot_be_given_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
