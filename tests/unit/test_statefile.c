// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state file: what is found in its place, whose it is, and how it is taken over. What is said about it is one sentence.
 */
#include "unit.h"

#include "core/table/table_layout.h"
#include "daemon/state.h"
#include "layout_1.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE	 7u
#define STRANGER 65534
#define DAEMON	 64123

static struct queue_range queues = { true, QUEUE, QUEUE };
static const struct table_size size = { .sessions = 4096, .works = 64, .budgets = 64 };
static char directory[64], said_path[64];
static int real_stderr;

static const char *path(const char *ending)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/queue-%u%s", directory, QUEUE, ending);
	return text;
}

static bool exists(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0;
}

static int make_room(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/nfq-ftp-unit-XXXXXX");
	strcpy(said_path, "/tmp/nfq-ftp-said-XXXXXX");
	close(mkstemp(said_path));
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_room(void **state)
{
	char command[160];

	(void)state;
	unlink(said_path);
	snprintf(command, sizeof(command), "rm -rf %s %s.link", directory, directory);
	return system(command); /* NOLINT(cert-env33-c): the names are our own */
}

/* ---- opening, and what is said ---- */

static char said[4096];

static struct table *open_state(struct statefile *file, uint32_t *recovered)
{
	int fd = open(said_path, O_RDWR | O_TRUNC | O_CLOEXEC);
	struct table *table;
	ssize_t length;

	assert_true(fd >= 0);
	fflush(stderr);
	real_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	table = state_open(file, directory, QUEUE, &queues, &size, recovered);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	length = pread(fd, said, sizeof(said) - 1, 0);
	assert_true(length >= 0);
	said[length] = '\0';
	close(fd);
	return table;
}

static void check_said(const char *fragment)
{
	const char *end = strchr(said, '\n');

	if (!fragment) {
		assert_string_equal(said, "");
		return;
	}
	if (!end || end[1] || !strstr(said, fragment))
		fail_msg("said \"%s\", not one sentence with \"%s\"", said, fragment);
}

/* It opens, with so many sessions; a NULL: nothing is said. */
static void opens(uint32_t sessions, const char *fragment)
{
	struct statefile file;
	uint32_t recovered = 99;
	struct stat status;
	struct table *table = open_state(&file, &recovered);

	check_said(fragment);
	assert_non_null(table);
	assert_int_equal(recovered, sessions);
	assert_int_equal(table_sessions(table), sessions);
	assert_int_equal(lstat(path(""), &status), 0);
	assert_true(S_ISREG(status.st_mode) && (status.st_mode & 07777) == 0600);
	assert_int_equal(status.st_size, table_bytes(&size));
	assert_true(status.st_blocks * 512 >= status.st_size); /* no SIGBUS is in it */
	assert_false(exists(path(".new")));
	statefile_close(&file);
}

static void opens_not(const char *fragment)
{
	struct statefile file;
	uint32_t recovered;

	assert_null(open_state(&file, &recovered));
	check_said(fragment);
	statefile_close(&file);
}

/* What is in the file's place is set aside, once. */
static void is_set_aside(const char *fragment)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "%s: it is set aside as `queue-%u.bad', and the table starts empty", fragment,
		 QUEUE);
	opens(0, whole);
	assert_true(exists(path(".bad")));
	opens(0, NULL);
}

/* A table with so many sessions, its daemon gone. */
static void leave(uint32_t sessions)
{
	struct statefile file;
	uint32_t recovered;
	struct table *table = open_state(&file, &recovered);

	assert_non_null(table);
	for (uint32_t i = 0; i < sessions; i++) {
		struct tuple ends = { .src = { .family = FAMILY_IPV4, .port = (uint16_t)(1 + i) },
				      .dst = { .family = FAMILY_IPV4, .port = 21, .address = { 9 } } };
		struct flow_key key;
		uint32_t hash = table_hash(table, &ends.src, &ends.dst, 0, &key);

		table_insert(table, &key, hash)->state = SESSION_READY;
	}
	statefile_close(&file);
}

/* ---- cases ---- */

static void new_and_again(void **state)
{
	(void)state;
	assert_int_equal(rmdir(directory), 0);
	opens(0, NULL);
	leave(100);
	opens(100, NULL);
	opens(100, NULL);
}

static void one_user(void **state)
{
	struct statefile file;
	uint32_t recovered;

	(void)state;
	assert_non_null(open_state(&file, &recovered));
	opens_not("is in use by another nfq-ftp-helper");
	statefile_close(&file);
	opens(0, NULL);
}

/* Versions before this one lock the file itself. */
static void older_user(void **state)
{
	int fd;

	(void)state;
	leave(1);
	fd = open(path(""), O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	opens_not("is in use by another nfq-ftp-helper");
	close(fd);
	opens(1, NULL);
}

/* One that has been opened locks the new file, too: an older version sees that it is in use. */
static void older_user_after(void **state)
{
	struct statefile file;
	uint32_t recovered;
	int fd;

	(void)state;
	leave(1);
	assert_non_null(open_state(&file, &recovered));
	fd = open(path(""), O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	close(fd);
	statefile_close(&file);
}

static void cut_short(void **state)
{
	(void)state;
	leave(100);
	assert_int_equal(truncate(path(""), 100000), 0);
	is_set_aside("is cut short");
	leave(100);
	assert_int_equal(truncate(path(""), 3), 0);
	is_set_aside("is cut short");
}

static void empty(void **state)
{
	(void)state;
	leave(100);
	assert_int_equal(truncate(path(""), 0), 0);
	opens(0, NULL);
}

static void put(const void *bytes, size_t length)
{
	int fd = open(path(""), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void no_table(void **state)
{
	(void)state;
	put("This is a letter to my aunt.\n", 29);
	is_set_aside("is no table of sessions");
}

/*
 * Its header is there, and nothing else: made by an earlier version that was killed between making and filling it. Where sessions
 * stand is by chance, so the header must not be taken for longer than it is.
 */
static void sparse(void **state)
{
	static uint8_t header[4096];
	struct table_description description;
	int fd;

	(void)state;
	leave(3);
	fd = open(path(""), O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &description, sizeof(description), 0), sizeof(description));
	assert_in_range(description.sessions.offset, sizeof(description), sizeof(header));
	assert_int_equal(pread(fd, header, description.sessions.offset, 0), description.sessions.offset);
	close(fd);
	put(header, description.sessions.offset);
	assert_int_equal(truncate(path(""), (off_t)table_bytes(&size)), 0);
	opens(0, NULL);
	put("", 0);
	assert_int_equal(truncate(path(""), (off_t)table_bytes(&size)), 0);
	is_set_aside("is no table of sessions");
	put("", 0);
	assert_int_equal(truncate(path(""), (off_t)1 << 40), 0);
	is_set_aside("is larger than any table of sessions");
}

static void other_version(void **state)
{
	const size_t count = sizeof(layout_1_in_flight) / sizeof(layout_1_in_flight[0]);
	uint8_t *left = calloc(1, LAYOUT_1_BYTES);

	(void)state;
	assert_non_null(left);
	for (size_t i = 0; i < count; i++)
		memcpy(left + layout_1_in_flight[i].offset, layout_1_in_flight[i].bytes, layout_1_in_flight[i].length);
	put(left, LAYOUT_1_BYTES);
	opens(1, "is another version's: 1 connections of it go on");
	opens(1, NULL);
	free(left);
}

static void damaged_and_crowded(void **state)
{
	struct table_description description;
	uint8_t family = 9;
	int fd;

	(void)state;
	leave(2);
	fd = open(path(""), O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &description, sizeof(description), 0), sizeof(description));
	for (uint32_t i = 0; i < description.sessions.count; i++)
		assert_int_equal(pwrite(fd, &family, 1,
					(off_t)(description.sessions.offset + i * description.sessions.stride +
						offsetof(struct session, key.family))),
				 1);
	close(fd);
	opens(0, "2 sessions of");
	opens(0, NULL);
}

static void link_and_directory(void **state)
{
	(void)state;
	assert_int_equal(symlink("/etc/passwd", path("")), 0);
	is_set_aside("is a symbolic link");
	unlink(path(""));
	unlink(path(".bad"));
	assert_int_equal(mkdir(path(""), 0700), 0);
	is_set_aside("is no regular file");
	unlink(path(""));
	assert_int_equal(rmdir(path(".bad")), 0);
	assert_int_equal(mkfifo(path(""), 0600), 0);
	is_set_aside("is no regular file");
}

/* ---- what is in the way ---- */

/* A directory, with something in it or not. */
static void block(const char *ending, bool full)
{
	char name[160];

	assert_int_equal(mkdir(path(ending), 0700), 0);
	snprintf(name, sizeof(name), "%s/full", path(ending));
	if (full)
		assert_int_equal(mkdir(name, 0700), 0);
}

/* Nothing of NAME.bad can be replaced, so it is NAME.bad2. */
static void bad_is_in_the_way(void **state)
{
	(void)state;
	block(".bad", false);
	put("A letter.\n", 10);
	opens(0, "it is set aside as `queue-7.bad2', and the table starts empty");
	assert_true(exists(path(".bad2")));
	assert_int_equal(unlink(path("")), 0);
	assert_int_equal(rmdir(path(".bad")), 0);
	block(".bad", true);
	block("", true);
	opens(0, "is no regular file: it is set aside as `queue-7.bad3', and");
	opens(0, NULL);
}

static void bad_is_in_the_way_nine_times(void **state)
{
	static const char *const endings[] = { "",	".bad2", ".bad3", ".bad4", ".bad5",
					       ".bad6", ".bad7", ".bad8", ".bad9" };

	(void)state;
	block(".bad", true);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		block(endings[i], true);
	opens_not("cannot be set aside: Directory not empty");
	assert_int_equal(unlink(path(".new")), 0);
}

static void new_is_in_the_way(void **state)
{
	(void)state;
	leave(4);
	block(".new", true);
	opens(4, "queue-7.new' stands in a new table's way: it is set aside as `queue-7.bad'");
	assert_true(exists(path(".bad")));
	assert_int_equal(mkfifo(path(".new"), 0600), 0);
	opens(4, NULL);
	assert_int_equal(symlink("/etc/passwd", path(".new")), 0);
	opens(4, NULL);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

/* To move it away would be to have another's lock, perhaps. */
static void lock_is_none(void **state)
{
	(void)state;
	leave(4);
	assert_int_equal(unlink(path(".lock")), 0);
	block(".lock", false);
	opens_not("has a directory in the place of the lock `queue-7.lock': remove it; --state-dir names another");
	assert_int_equal(rmdir(path(".lock")), 0);
	assert_int_equal(mkfifo(path(".lock"), 0600), 0);
	opens_not("has a named pipe in the place of the lock `queue-7.lock'");
	assert_int_equal(unlink(path(".lock")), 0);
	assert_int_equal(symlink("/nowhere", path(".lock")), 0);
	opens_not("has a symbolic link in the place of the lock `queue-7.lock'");
	assert_int_equal(unlink(path(".lock")), 0);
	opens(4, NULL);
}

static size_t most_memory(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (size_t)usage.ru_maxrss * 1024;
}

/* As long as the largest table, and of nothing. */
static void holes_take_no_memory(void **state)
{
	const size_t before = most_memory();

	(void)state;
	leave(3);
	assert_int_equal(truncate(path(""), (off_t)8 << 30), 0);
	opens(3, NULL);
	put("", 0);
	assert_int_equal(truncate(path(""), (off_t)8 << 30), 0);
	is_set_aside("is no table of sessions");
	assert_in_range(most_memory() - before, 0, 100 << 20);
}

/* @name, below what is the directory, is in its place meanwhile: others may write to it. */
static void below_opens_not(const char *name, const char *why)
{
	const size_t length = strlen(directory);

	assert_in_range(snprintf(directory + length, sizeof(directory) - length, "/%s", name), 0,
			(int)(sizeof(directory) - length) - 1);
	assert_int_equal(mkdir(directory, 0700) | chmod(directory, 0733), 0);
	opens_not(why);
	directory[length] = '\0';
}

static void others_may_write(void **state)
{
	(void)state;
	leave(5);
	assert_int_equal(chmod(path(""), 0620), 0);
	is_set_aside("can be written to by others, by its mode 0620");
	assert_int_equal(chmod(directory, 0733), 0);
	opens_not("can be written to by others, by its mode 0733");
	assert_int_equal(chmod(directory, 0755), 0);
	opens(0, NULL);
	/* A shell obeys nothing in the command that mends it, nor in what the log makes of that. */
	below_opens_not("a b", "/a b'' mends that");
	below_opens_not("\";x;\"", "/\\x22;x;\\x22'' mends that");
}

static void others_own_it(void **state)
{
	(void)state;
	if (geteuid() != 0)
		unit_skip("only root can try it");
	leave(5);
	assert_int_equal(chown(path(""), STRANGER, STRANGER), 0);
	is_set_aside("belongs to user 65534, who is neither root nor this program's user");
	assert_int_equal(chown(directory, STRANGER, STRANGER), 0);
	opens_not("belongs to user 65534, who is neither root nor this program's user; `chown 0 /");
	assert_int_equal(chown(directory, 0, 0), 0);
	opens(0, NULL);
}

static uid_t owner_of(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0 ? status.st_uid : (uid_t)-1;
}

/* Does a daemon that begins as this user, as a unit of systemd has it, find what is there? Return: how many sessions; -1: no. */
static int found_by(uid_t user)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		uint32_t recovered = 0;
		struct statefile file;

		if (setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0)
			_exit(255);
		_exit(state_open(&file, directory, QUEUE, &queues, &size, &recovered) ? (int)recovered : 255);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

/* What root makes the daemon's user can take over, and root again, whether it goes on as that user or not. */
static void daemon_has_a_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		unit_skip("only root can try it");
	assert_int_equal(rmdir(directory), 0);
	statefile_set_owner(DAEMON, DAEMON);
	leave(5);
	assert_int_equal(owner_of(directory), DAEMON);
	assert_int_equal(owner_of(path("")), DAEMON);
	assert_int_equal(owner_of(path(".lock")), DAEMON);
	assert_int_equal(found_by(DAEMON), 5);
	opens(5, NULL);
	assert_int_equal(found_by(STRANGER), -1);
	/* A directory of root's that was there is not given away. */
	assert_int_equal(chown(directory, 0, 0), 0);
	opens(5, NULL);
	assert_int_equal(owner_of(directory), 0);
	assert_int_equal(chown(path(""), STRANGER, STRANGER), 0);
	is_set_aside("belongs to user 65534, who is neither root nor this program's user");
	assert_int_equal(chown(directory, STRANGER, STRANGER), 0);
	opens_not("`chown 64123 /");
	statefile_set_owner((uid_t)-1, (gid_t)-1);
	assert_int_equal(chown(directory, DAEMON, DAEMON), 0);
	opens_not("belongs to user 64123");
}

/* The daemon's user, who has the directory, has linked a file of root's there, in a lock's place. It stays root's. */
static void roots_files_are_not_given_away(void **state)
{
	char roots[80], why[STATEFILE_WHY_MAX];
	int lock;

	(void)state;
	if (geteuid() != 0)
		unit_skip("only root can try it");
	snprintf(roots, sizeof(roots), "%s/roots", directory);
	close(open(roots, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(chown(directory, DAEMON, DAEMON), 0);
	statefile_set_owner(DAEMON, DAEMON);
	assert_int_equal(link(roots, path(".lock")), 0);
	opens_not("has in the place of the lock `queue-7.lock' a file that has another name, too: remove it");
	assert_int_equal(owner_of(roots), 0);
	assert_int_equal(unlink(path(".lock")), 0);
	assert_int_equal(link(roots, path(".lock")), 0);
	lock = statefile_open_lock(directory, strrchr(path(".lock"), '/') + 1, why);
	assert_int_equal(lock, -EMLINK);
	assert_int_equal(owner_of(roots), 0);
	assert_int_equal(unlink(path(".lock")), 0);
	assert_int_equal(unlink(roots), 0);
	opens(0, NULL);
	statefile_set_owner((uid_t)-1, (gid_t)-1);
}

static void lock_is_shared(void **state)
{
	char why[STATEFILE_WHY_MAX];
	int one, other;

	(void)state;
	one = statefile_open_lock(directory, "all.lock", why);
	other = statefile_open_lock(directory, "all.lock", why);
	assert_true(one >= 0 && other >= 0);
	assert_string_equal(why, "");
	assert_int_equal(flock(one, LOCK_SH), 0);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	close(one);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	assert_true(snprintf(said, sizeof(said), "%s/all.lock", directory) < (int)sizeof(said));
	assert_int_equal(unlink(said), 0);
	assert_int_equal(symlink("/tmp/elsewhere", said), 0);
	assert_true(statefile_open_lock(directory, "all.lock", why) < 0);
	assert_int_equal(chmod(directory, 0777), 0);
	assert_true(statefile_open_lock(directory, "all.lock", why) < 0);
	assert_string_equal(why, "can be written to by others, by its mode 0777");
}

static void directory_is_none(void **state)
{
	char other[80];

	(void)state;
	snprintf(other, sizeof(other), "%s.link", directory);
	assert_int_equal(symlink(directory, other), 0);
	snprintf(directory, sizeof(directory), "%.*s", (int)sizeof(directory) - 1, other);
	opens_not("is a symbolic link; --state-dir names another");
	directory[strlen(directory) - strlen(".link")] = '\0';
	assert_int_equal(rmdir(directory), 0);
	close(open(directory, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	opens_not("is no directory; --state-dir names another");
	unlink(directory);
	snprintf(directory + strlen(directory), sizeof(directory) - strlen(directory), "/a/b");
	opens_not("cannot be made or opened: No such file or directory");
	*strchr(strchr(directory + 5, '/'), '/') = '\0';
}

/* ---- queues that are no longer used ---- */

static struct state_tidy tidied;

static void tidy(unsigned int patience)
{
	int fd = open(said_path, O_RDWR | O_TRUNC | O_CLOEXEC);
	ssize_t length;

	assert_true(fd >= 0);
	fflush(stderr);
	real_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	state_tidy(&tidied, directory, &queues, patience);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	length = pread(fd, said, sizeof(said) - 1, 0);
	assert_true(length >= 0);
	said[length] = '\0';
	close(fd);
}

/* A daemon that has @first to @last has been here: files of all of them. */
static void served(uint16_t first, uint16_t last)
{
	const struct queue_range range = { true, first, last };

	for (unsigned int queue = first; queue <= last; queue++) {
		struct statefile file;
		uint32_t recovered;

		assert_non_null(state_open(&file, directory, queue, &range, &size, &recovered));
		statefile_close(&file);
	}
}

static bool has(unsigned int queue, const char *ending)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/queue-%u%s", directory, queue, ending);
	return exists(name);
}

static void touch(const char *name)
{
	char full[128];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", directory, name);
	fd = open(full, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

/* The daemon before had more of them: those go at once. What is ours, set aside, or no table stays. */
static void fewer_queues(void **state)
{
	struct statefile file;
	uint32_t recovered;

	(void)state;
	memset(&tidied, 0, sizeof(tidied));
	served(QUEUE, QUEUE + 2);
	touch("queue-8.new");
	touch("queue-8.bad");
	touch("queue-x");
	touch("queue-99999");
	touch("socket");
	assert_non_null(open_state(&file, &recovered));
	tidy(100);
	assert_non_null(strstr(said, "queue-8' is of a queue that is no longer used, and removed"));
	assert_non_null(strstr(said, "queue-9' is of"));
	assert_true(has(QUEUE, "") && has(QUEUE, ".lock"));
	assert_false(has(8, "") || has(8, ".lock") || has(8, ".new") || has(9, "") || has(9, ".lock"));
	assert_true(has(8, ".bad") && has(99999, ""));
	tidy(100);
	assert_string_equal(said, "");
	statefile_close(&file);
}

/* Another daemon's, which may be back in a moment; it goes when it is not. In use it never goes, by its lock or, as older versions did, by itself. */
static void others_queues(void **state)
{
	const struct queue_range range = { true, 20, 20 };
	struct statefile file;
	uint32_t recovered;
	char name[128];
	int older;

	(void)state;
	memset(&tidied, 0, sizeof(tidied));
	served(20, 20);
	touch("queue-21"); /* of a version that left no note */
	for (unsigned int i = 0; i < 3; i++) {
		tidy(3);
		assert_true(has(20, "") && has(21, ""));
	}
	assert_non_null(state_open(&file, directory, 20, &range, &size, &recovered));
	snprintf(name, sizeof(name), "%s/queue-21", directory);
	older = open(name, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(older, LOCK_EX), 0);
	tidy(3);
	assert_true(has(20, "") && has(21, ""));
	close(older);
	statefile_close(&file);
	for (unsigned int i = 0; i < 3; i++) {
		tidy(3);
		assert_true(has(20, "") && has(21, ""));
	}
	tidy(3);
	assert_false(has(20, "") || has(20, ".lock") || has(21, ""));
}

/* Who waits for the lock while it is removed takes another. */
static void lock_that_is_removed(void **state)
{
	char note[STATEFILE_NOTE_MAX];
	struct statefile removed, file;
	uint32_t recovered;
	pid_t child;
	int status;

	(void)state;
	served(QUEUE, QUEUE);
	assert_true(statefile_find_unused(&removed, directory, "queue-7", note));
	assert_string_equal(note, "7");
	child = fork();
	if (child == 0) {
		bool is_open;

		statefile_close(&removed); /* which is the parent's */
		is_open = state_open(&file, directory, QUEUE, &queues, &size, &recovered);
		_exit(is_open && has(QUEUE, "") && has(QUEUE, ".lock") ? 0 : 1);
	}
	usleep(200000);
	assert_int_equal(statefile_remove(&removed), 0);
	statefile_close(&removed);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* A kill before the new file had the old one's name leaves both; the old one counts. */
static void killed_before_replacing(void **state)
{
	struct statefile file;

	(void)state;
	leave(9);
	assert_int_equal(statefile_open(&file, directory, "queue-7", table_bytes(&size)), 0);
	memset(file.memory, 0x55, 5000);
	statefile_close(&file);
	assert_true(exists(path(".new")));
	opens(9, NULL);
}

/* ---- room ---- */

static struct statvfs room;
static struct stat looked_at;

int __wrap_fstatvfs(int fd, struct statvfs *status);

/* Nothing here is ever as large as what is asked for. */
int __wrap_fstatvfs(int fd, struct statvfs *status)
{
	*status = room;
	return fstat(fd, &looked_at);
}

static void room_is(uint64_t bytes)
{
	room = (struct statvfs){ .f_frsize = 1, .f_blocks = 1, .f_bfree = bytes, .f_bavail = bytes };
}

static void too_many_have_no_room(void **state)
{
	static const struct queue_range many = { true, 0, QUEUE_RANGE_MAX - 1 };
	char complaint[STATE_COMPLAINT_MAX], wanted[STATE_COMPLAINT_MAX];
	const struct table_size largest = state_size(1u << 24), fits = state_size(1u << 10);
	const uint64_t all = (uint64_t)QUEUE_RANGE_MAX * table_bytes(&largest);

	(void)state;
	assert_true(all > (uint64_t)200 << 30);
	room_is(all);
	assert_true(state_has_room(directory, &many, 1u << 24, complaint));
	room_is(all - 1);
	assert_false(state_has_room(directory, &many, 1u << 24, complaint));
	assert_non_null(strstr(complaint, " --sessions 8388608 has room there, "));
	room_is(QUEUE_RANGE_MAX * table_bytes(&fits));
	assert_false(state_has_room(directory, &many, 1u << 24, complaint));
	snprintf(
		wanted, sizeof(wanted),
		"the tables of 64 queues with 16777216 sessions each take %u MB, and the state directory `%s' has room for "
		"%u MB: --sessions 1024 has room there, --queue with fewer takes less, --state-dir names another directory",
		(unsigned int)(all >> 20) + 1, directory, (unsigned int)(room.f_bfree >> 20));
	assert_string_equal(complaint, wanted);
	room_is(0);
	assert_false(state_has_room(directory, &many, 16, complaint));
	assert_null(strstr(complaint, "has room there"));
	room.f_bfree = room.f_bavail = UINT64_MAX / 2; /* one that says so, of blocks of 4 KiB */
	room.f_frsize = 4096;
	assert_true(state_has_room(directory, &many, 1u << 24, complaint));
	room_is(0);
	room.f_blocks = 0; /* a file system that has no limit */
	assert_true(state_has_room(directory, &many, 1u << 24, complaint));
	assert_false(exists(path("")) || exists(path(".lock")) || exists(path(".new")));
}

/* What is there stays until what takes its place is there. */
static void what_is_left_gives_its_room_back(void **state)
{
	static const struct queue_range two = { true, QUEUE, QUEUE + 1 };
	char complaint[STATE_COMPLAINT_MAX], name[128];
	const struct table_size one = state_size(size.sessions);
	const size_t bytes = table_bytes(&one);
	struct stat status;
	int file;

	(void)state;
	room_is(2 * bytes - 1);
	assert_false(state_has_room(directory, &two, size.sessions, complaint));
	file = open(path(""), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(posix_fallocate(file, 0, (off_t)bytes), 0);
	assert_int_equal(fstat(file, &status), 0);
	close(file);
	assert_true(state_has_room(directory, &two, size.sessions, complaint));
	room_is(2 * bytes - (uint64_t)status.st_blocks * 512);
	assert_false(state_has_room(directory, &two, size.sessions, complaint)); /* both stand there for a while */
	room_is(bytes);
	assert_true(state_has_room(directory, &two, size.sessions, complaint));
	/* What was being made when its maker was killed goes first. */
	snprintf(name, sizeof(name), "%s", path(""));
	assert_int_equal(rename(name, path(".new")), 0);
	room_is(2 * bytes - (uint64_t)status.st_blocks * 512);
	assert_true(state_has_room(directory, &two, size.sessions, complaint));
}

static void one_that_is_to_be_made_is_looked_at_above(void **state)
{
	static const char *const endings[] = { "/new", "/new///", "" };
	char complaint[STATE_COMPLAINT_MAX], name[96];
	struct stat status;

	(void)state;
	room_is(0);
	assert_int_equal(stat(directory, &status), 0);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		looked_at.st_ino = 0;
		snprintf(name, sizeof(name), "%s%s", directory, endings[i]);
		assert_false(state_has_room(name, &queues, 16, complaint));
		assert_int_equal(looked_at.st_ino, status.st_ino);
	}
	/* Where there is none above, that is said when it is to be made. */
	snprintf(name, sizeof(name), "%s/new/state", directory);
	assert_true(state_has_room(name, &queues, 16, complaint));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_room, remove_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(new_and_again),
		CASE(one_user),
		CASE(older_user),
		CASE(older_user_after),
		CASE(cut_short),
		CASE(empty),
		CASE(no_table),
		CASE(sparse),
		CASE(other_version),
		CASE(damaged_and_crowded),
		CASE(link_and_directory),
		CASE(bad_is_in_the_way),
		CASE(bad_is_in_the_way_nine_times),
		CASE(new_is_in_the_way),
		CASE(lock_is_none),
		CASE(holes_take_no_memory),
		CASE(others_may_write),
		CASE(others_own_it),
		CASE(daemon_has_a_user),
		CASE(roots_files_are_not_given_away),
		CASE(lock_is_shared),
		CASE(directory_is_none),
		CASE(fewer_queues),
		CASE(others_queues),
		CASE(lock_that_is_removed),
		CASE(killed_before_replacing),
		CASE(too_many_have_no_room),
		CASE(what_is_left_gives_its_room_back),
		CASE(one_that_is_to_be_made_is_looked_at_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
