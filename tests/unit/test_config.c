// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration file: what is read of a good one; of bad ones every message, to the letter; which files are not even read; that the
 * example has every key, and each of its lines can be taken; and that a file that is read again changes what can be changed, or nothing.
 */
#include "unit.h"

#include "command/command.h"
#include "command/option.h"
#include "command/option_lines.h"
#include "command/reload.h"
#include "daemon/log.h"
#include "daemon/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXAMPLE	  "doc/examples/nfq-ftp-helper.conf"
#define MANUAL	  "doc/nfq-ftp-helper.conf.5"
#define TEXT_MAX  65536
#define ZEROS_72  "000000000000000000000000000000000000000000000000000000000000000000000000"
#define ZEROS_216 ZEROS_72 ZEROS_72 ZEROS_72
#define NETWORKS  "at most 16 networks such as 192.0.2.0/24 or 2001:db8::/32, separated by commas"

static struct option_values stored;
static char said[TEXT_MAX];
static char path[64];

/* A sentence a line; the file's name is F. */
static void hear(const char *sentence)
{
	size_t length = strlen(said);

	while (*sentence) {
		const bool here = strncmp(sentence, path, strlen(path)) == 0;

		assert_true(length + 3 < sizeof(said));
		said[length++] = (char)(here ? 'F' : *sentence);
		sentence += here ? strlen(path) : 1;
	}
	said[length++] = '\n';
	said[length] = '\0';
}

static const struct option_page page = {
	.command = OPTION_OF_RUN,
	.about = "",
	.end = "",
	.reads_file = true,
	.complain = hear,
};

static void write_file(const char *text, size_t length)
{
	FILE *file = unit_stream(fopen(path, "w"));

	assert_int_equal(fwrite(text, 1, length, file), length);
	fclose(file);
}

static int set_up(void **state)
{
	int file;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/nfq-ftp-config-XXXXXX");
	file = mkstemp(path);
	said[0] = '\0';
	return file < 0 ? -1 : close(file);
}

static int tear_down(void **state)
{
	(void)state;
	rmdir(path);
	unlink(path);
	return 0;
}

/* Nothing is said of a good one. */
static void is_good(const char *text)
{
	said[0] = '\0';
	write_file(text, strlen(text));
	option_default(&stored);
	if (option_file_read(&page, &stored, path) != OPTION_GO_ON || said[0])
		fail_msg("this was not taken: %s: %s", text, said);
}

/* ---- what is read ---- */

static void is_read(void **state)
{
	const struct policy *policy = &stored.run.policy;

	(void)state;
	is_good("[run]\nmode = kmod\nverbose = 2\nqueue = 5\nforeign = refuse\nport = 21,2121\nrules = yes\n");
	assert_int_equal(stored.run.attach.mode, MODE_KMOD);
	assert_int_equal(stored.verbose, 2);
	assert_int_equal(stored.run.attach.queues.first, 5);
	assert_int_equal(policy->foreign, POLICY_FOREIGN_REFUSE);
	assert_int_equal(stored.request.ports.port[1], 2121);
	assert_true(stored.rules);
	is_good("loose = 10.0.0.0/8\nshare-exempt = 10.0.0.0/8\nloose = ::1\nshare-exempt = ::/0\n");
	assert_false(policy->loose.any);
	assert_int_equal(policy->loose.count, 2);
	assert_int_equal(policy->exempt_count, 2);
	is_good("expect-timeout=60\nsessions:1000");
	assert_int_equal(stored.run.expect_timeout, 60);
	assert_int_equal(stored.run.sessions, 1000);
	is_good("");
	is_good("\xef\xbb\xbfqueue = 9\n");
	assert_int_equal(stored.run.attach.queues.first, 9);
	is_good("\xef\xbb\xbf[run]\r\nqueue = 8\r\n");
	assert_int_equal(stored.run.attach.queues.first, 8);
	is_good("\xef\xbb\xbf# made by an editor\n");
	is_good("\xef\xbb\xbf");
}

static void has_comments(void **state)
{
	(void)state;
	is_good("# " ZEROS_216 "\n; " ZEROS_216 "\n  # a\n\t;b\nmark = 4 # c\nqueue = 7\t; " ZEROS_216 ZEROS_216 "\n#");
	assert_int_equal(stored.run.attach.mark, 4);
	assert_int_equal(stored.run.attach.queues.first, 7);
	is_good("state-dir = /a#b;c\n");
	assert_string_equal(stored.run.state_directory, "/a#b;c");
	is_good("state-dir = /bob's \"/a\n");
	assert_string_equal(stored.run.state_directory, "/bob's \"/a");
	is_good("state-dir = /a;b # queue = 70000\n");
	assert_string_equal(stored.run.state_directory, "/a;b");
}

/* A line that begins with a blank continues nothing. */
static void has_blanks(void **state)
{
	(void)state;
	is_good("[run]\r\n  mark = 0x4/0x4\n\tstate-dir = /a\r\n   \n\r\n  # b\n  sessions = 1000");
	assert_int_equal(stored.run.attach.mark, 4);
	assert_string_equal(stored.run.state_directory, "/a");
	assert_int_equal(stored.run.sessions, 1000);
	is_good("share-exempt = 10.0.0.0/8\n\v\f\r sessions = 1001 \f\v\n\f# c\n\v[run]\n\v\n\fmark = 5");
	assert_int_equal(stored.run.policy.exempt_count, 1);
	assert_int_equal(stored.run.sessions, 1001);
	assert_int_equal(stored.run.attach.mark, 5);
}

/* libinih has room for 198 bytes of a line and its end; what is longer would be two lines to it. */
static void has_a_long_line(void **state)
{
	static const char key[] = "state-dir = ";
	char text[512];

	(void)state;
	for (size_t length = 196; length <= 198; length++) {
		snprintf(text, sizeof(text), "loose = no\n%s%0*d\n", key, (int)(length - strlen(key)), 0);
		is_good(text);
		assert_int_equal(strlen(stored.run.state_directory), length - strlen(key));
	}
}

static int parse(const char *const *arguments)
{
	static char copies[8][128];
	char *argv[10] = { NULL };
	int argc = 1;

	snprintf(copies[0], sizeof(copies[0]), "run");
	argv[0] = copies[0];
	for (; arguments[argc - 1]; argc++) {
		snprintf(copies[argc], sizeof(copies[argc]), "%s", arguments[argc - 1]);
		argv[argc] = copies[argc];
	}
	said[0] = '\0';
	return option_read(&page, &stored, argc, argv);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static void command_line_wins(void **state)
{
	(void)state;
	is_good("queue = 5\nverbose = 2\nloose = 10.0.0.0/8\nrules = yes\nsessions = 1000\n");
	assert_int_equal(PARSE("-c", path, "--queue=6", "-v", "--loose", "--rules", "no"), OPTION_GO_ON);
	assert_int_equal(stored.run.attach.queues.first, 6);
	assert_int_equal(stored.verbose, 1); /* and counts from nothing */
	assert_true(stored.run.policy.loose.any);
	assert_int_equal(stored.run.policy.loose.count, 0);
	assert_false(stored.rules);
	assert_int_equal(stored.run.sessions, 1000);
	assert_string_equal(stored.file, path);
	assert_int_equal(PARSE("-c", path, "--loose=no"), OPTION_GO_ON);
	assert_int_equal(stored.run.policy.loose.count, 0);
	assert_int_equal(PARSE("-c", path, "--loose=no", "--loose=::1"), EXIT_USAGE);
	assert_string_equal(said, "--loose `::1' contradicts another --loose before it; leave one of the two out\n");
	assert_int_equal(PARSE("--loose=::1", "--loose", "--loose=no"), EXIT_USAGE);
	assert_string_equal(said, "--loose `no' contradicts another --loose before it; leave one of the two out\n");
	assert_int_equal(PARSE("--loose", "maybe"), EXIT_USAGE);
	assert_int_equal(PARSE("--loose=maybe"), EXIT_USAGE);
	assert_null(strstr(said, "contradicts"));
}

/* Without -c it is read where it is there. */
/* What only the machine can say of a value is said as all else is of it. */
static void a_value_says_where_it_stands(void **state)
{
	char text[OPTION_SAID_MAX], wanted[OPTION_SAID_MAX];

	(void)state;
	is_good("queue = 5\n\n  group = nobodies\nuser = nobody7\n");
	assert_int_equal(PARSE("-c", path, "--user", "nobody8"), OPTION_GO_ON);
	snprintf(wanted, sizeof(wanted), "%s:3: group: nobodies: this", path);
	assert_string_equal(option_said(&stored, "group", stored.run.group, text), wanted);
	assert_string_equal(option_said(&stored, "user", stored.run.user, text), "--user nobody8");
	assert_int_equal(PARSE("-c", path, "--group", "nobodies"), OPTION_GO_ON);
	snprintf(wanted, sizeof(wanted), "%s:4: user: nobody7: this", path);
	assert_string_equal(option_said(&stored, "user", stored.run.user, text), wanted);
	assert_string_equal(option_said(&stored, "group", stored.run.group, text), "--group nobodies");
}

static void usual_place(void **state)
{
	const char *const before = option_file_usual;

	(void)state;
	assert_string_equal(option_file_usual, SYSCONFDIR "/nfq-ftp-helper.conf");
	is_good("queue = 5\n");
	option_file_usual = path;
	assert_int_equal(PARSE("-v"), OPTION_GO_ON);
	assert_int_equal(stored.run.attach.queues.first, 5);
	assert_string_equal(stored.file, path);
	write_file("queue = x\n", 10);
	assert_int_equal(PARSE("-v"), EXIT_USAGE);
	unlink(path);
	assert_int_equal(PARSE("-v"), OPTION_GO_ON);
	assert_string_equal(stored.file, "");
	assert_int_equal(PARSE("-c", path), EXIT_USAGE);
	assert_string_equal(said, "the file `F' cannot be read: No such file or directory\n");
	assert_int_equal(symlink("of-a-disk-that-is-not-there", path), 0);
	assert_int_equal(PARSE("-v"), EXIT_USAGE);
	assert_string_equal(said, "the file `F' cannot be read: No such file or directory\n");
	option_file_usual = before;
}

/* ---- bad files, and all that is said of each ---- */

static const struct bad {
	const char *text;
	const char *said;
} bad[] = {
	{ "frob = 1\n", "F:1: frob: 1: there is no such key; `nfq-ftp-helper run --help' lists them\n" },
	{ "moed = queue\n", "F:1: moed: queue: there is no such key; the nearest is `mode'\n" },
	{ "Queue = 1\n", "F:1: Queue: 1: there is no such key; the nearest is `queue'\n" },
	{ "expect_timeout = 60\n", "F:1: expect_timeout: 60: there is no such key; the nearest is `expect-timeout'\n" },
	{ "idle timeout = 60\n", "F:1: idle timeout: 60: there is no such key; the nearest is `idle-timeout'\n" },
	{ "config = /x\n", "F:1: config: /x: this is for the command line only\n" },
	{ "test-config = yes\n", "F:1: test-config: yes: this is for the command line only\n" },
	{ "help = yes\n", "F:1: help: yes: this is for the command line only\n" },
	{ "nat = ::1=::2\n", "F:1: nat: ::1=::2: there is no such key; `nfq-ftp-helper run --help' lists them\n" },
	{ "\n\nmode = Queue\n", "F:3: mode: Queue: this is not possible; it takes auto, queue, cthelper or kmod\n" },
	{ "queue = 65536\n",
	  "F:1: queue: 65536: this is not possible; it takes N or A:B, at most 64 queues with numbers from 0 to 65535\n" },
	{ "queue =\n",
	  "F:1: queue: : this is not possible; it takes N or A:B, at most 64 queues with numbers from 0 to 65535\n" },
	{ "mark = 1/2\n", "F:1: mark: 1/2: this is not possible; it takes VALUE or VALUE/MASK, numbers from 1 to "
			  "4294967295, VALUE within MASK\n" },
	{ "min-port = 1024 or so\n",
	  "F:1: min-port: 1024 or so: this is not possible; it takes PORT from 1 to 65535\n" },
	{ "ports = 5:4\n", "F:1: ports: 5:4: this is not possible; it takes LOW:HIGH or one, ports from 1 to 65535\n" },
	{ "loose = maybe\n",
	  "F:1: loose: maybe: this is not possible; it takes yes (all addresses in replies), no, or " NETWORKS "\n" },
	{ "share-exempt = 10.0.0.1/8\n",
	  "F:1: share-exempt: 10.0.0.1/8: this is not possible; it takes " NETWORKS "\n" },
	{ "state-dir = \"/x\"\n",
	  "F:1: state-dir: \"/x\": this is not possible; it takes a path of less than 256 bytes, without quotes around it\n" },
	{ "state-dir = '/x'\nmode = \"queue\"\n",
	  "F:1: state-dir: '/x': this is not possible; it takes a path of less than 256 bytes, without quotes around it\n"
	  "F:2: mode: \"queue\": this is not possible; it takes auto, queue, cthelper or kmod, without quotes around it\n" },
	{ "state-dir = \"/x # y\"\n",
	  "F:1: state-dir: \"/x: this is not possible; it takes a path of less than 256 bytes, without quotes around it\n" },
	{ "share-exempt = '10.0.0.0/8'\nshare-exempt = 10.0.0.0/8\nzone = '\n",
	  "F:1: share-exempt: '10.0.0.0/8': this is not possible; it takes " NETWORKS ", without quotes around it\n"
	  "F:3: zone: ': this is not possible; it takes ZONE from 0 to 65535, without quotes around it\n" },
	{ "label = true\n", "F:1: label: true: this is not possible; it takes yes or no\n" },
	{ "rules = apply\n", "F:1: rules: apply: this is not possible; it takes yes or no\n" },
	{ "verbose = 3\n", "F:1: verbose: 3: this is not possible; it takes a number from 0 to 2\n" },
	{ "expect-timeout = 29\n",
	  "F:1: expect-timeout: 29: this is not possible; it takes SECONDS from 30 to 3600\n" },
	{ "sessions = 1e3\n", "F:1: sessions: 1e3: this is not possible; it takes a number from 16 to 16777216\n" },
	{ "port = ftp\n",
	  "F:1: port: ftp: this is not possible; it takes at most 15 ports from 1 to 65535, separated by commas\n" },
	{ "carrier = ftp\n",
	  "F:1: carrier: ftp: this is not possible; it takes the name of a TCP helper of the kernel, of less "
	  "than 16 letters, and not `ftp'\n" },
	{ "state-dir = /\"\x01\xff\"/" ZEROS_72 "\nstate-dir = b\n",
	  "F:2: state-dir: b: this key stands in line 1 already; give it once\n" },
	{ "queue = 1\nqueue = 1\nqueue = 2\n", "F:2: queue: 1: this key stands in line 1 already; give it once\n"
					       "F:3: queue: 2: this key stands in line 1 already; give it once\n" },
	{ "verbose = 1\nverbose = 1\n", "F:2: verbose: 1: this key stands in line 1 already; give it once\n" },
	{ "loose\n", "F:1: loose: this is no `NAME = VALUE', such as `queue = 0'\n" },
	{ "queue 5 # mode = kmod\n", "F:1: queue 5: this is no `NAME = VALUE', such as `queue = 0'\n" },
	{ "share-exempt = 10.0.0.0/8\n  192.168.0.0/16\n",
	  "F:2: 192.168.0.0/16: this is no `NAME = VALUE', such as `queue = 0'\n" },
	{ "share-exempt = 10.0.0.0/8\n\v192.168.0.0/16\n\f10.1.0.0/16\n",
	  "F:2: 192.168.0.0/16: this is no `NAME = VALUE', such as `queue = 0'\n"
	  "F:3: 10.1.0.0/16: this is no `NAME = VALUE', such as `queue = 0'\n" },
	{ "loose = no\nqueue = 1\nloose = 10.0.0.0/8\nloose = yes\nloose = no\n",
	  "F:3: loose: 10.0.0.0/8: this contradicts line 1; leave one of the two out\n"
	  "F:4: loose: yes: this contradicts line 1; leave one of the two out\n" },
	{ "loose = ::1\nloose = 10.0.0.0/8\n\nloose = no\n",
	  "F:4: loose: no: this contradicts line 1; leave one of the two out\n" },
	{ "loose = maybe\nloose = no\nloose = no\n",
	  "F:1: loose: maybe: this is not possible; it takes yes (all addresses in replies), no, or " NETWORKS "\n" },
	{ "loose = yes\nloose = no\n", "F:2: loose: no: this contradicts line 1; leave one of the two out\n" },
	{ "user = 000\n",
	  "F:1: user: 000: this is not possible; it takes a user's name, of less than 33 letters, or number, and not root's\n" },
	{ "[run] queue = 1\n", "F:1: [run] queue = 1: this is no `NAME = VALUE', such as `queue = 0'\n" },
	{ "[run\nqueue = 1\n", "F:1: [run: this is no `NAME = VALUE', such as `queue = 0'\n" },
	{ "[rules]\nqueue = 1\n",
	  "F:2: queue: 1: there is no section [rules]; there is only [run], which may be left out\n" },
	{ "queue = 1\n" ZEROS_216 "\nmark = 0\n",
	  "F:2: 00000000000000000000000000000000000000000000000000000000000000000000...: this line is too long; it takes 198 bytes, "
	  "but for its comment\n"
	  "F:3: mark: 0: this is not possible; it takes VALUE or VALUE/MASK, numbers from 1 to 4294967295, VALUE within "
	  "MASK\n" },
	{ "seqadj = \x1b[31mred\n", "F:1: seqadj: ?[31mred: this is not possible; it takes auto, kernel or self\n" },
	{ "mode = x\nfrob = 2\n\nlabel = 1\nline\nmode = y\n",
	  "F:1: mode: x: this is not possible; it takes auto, queue, cthelper or kmod\n"
	  "F:2: frob: 2: there is no such key; `nfq-ftp-helper run --help' lists them\n"
	  "F:4: label: 1: this is not possible; it takes yes or no\n"
	  "F:5: line: this is no `NAME = VALUE', such as `queue = 0'\n"
	  "F:6: mode: y: this key stands in line 1 already; give it once\n" },
};

#define BAD (sizeof(bad) / sizeof(bad[0]))

static void bad_files(void **state)
{
	(void)state;
	assert_true(BAD >= 30);
	for (size_t i = 0; i < BAD; i++) {
		said[0] = '\0';
		write_file(bad[i].text, strlen(bad[i].text));
		option_default(&stored);
		if (option_file_read(&page, &stored, path) != EXIT_USAGE)
			fail_msg("this was taken: %s", bad[i].text);
		assert_string_equal(said, bad[i].said);
	}
}

static void has_a_nul(void **state)
{
	static const char text[] = "loose = no\nmark = 4\0 5\nmark = 0x\n# a\0b\n";

	(void)state;
	write_file(text, sizeof(text) - 1);
	option_default(&stored);
	assert_int_equal(option_file_read(&page, &stored, path), EXIT_USAGE);
	assert_string_equal(said,
			    "F:2: mark = 4 5: this line has a NUL in it; a file of text has none\n"
			    "F:3: mark: 0x: this is not possible; it takes VALUE or VALUE/MASK, numbers from 1 to "
			    "4294967295, VALUE within MASK\n"
			    "F:4: : this line has a NUL in it; a file of text has none\n");
}

/* No more lines than somebody reads. */
static void many_faults(void **state)
{
	static const char wrong[4] = { ' ', 'x', '=', '\n' };
	char text[(OPTION_FILE_FAULTS + 7) * sizeof(wrong)];
	const char *line = said;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += sizeof(wrong))
		memcpy(text + i, wrong, sizeof(wrong));
	write_file(text, sizeof(text));
	option_default(&stored);
	assert_int_equal(option_file_read(&page, &stored, path), EXIT_USAGE);
	for (unsigned int i = 0; i < OPTION_FILE_FAULTS; i++)
		line = strchr(line, '\n') + 1;
	assert_string_equal(line, "F: there are 7 more faults\n");
}

/* ---- files that are not read ---- */

static void is_not_read(const char *what)
{
	said[0] = '\0';
	option_default(&stored);
	assert_int_equal(option_file_read(&page, &stored, path), EXIT_USAGE);
	assert_string_equal(said, what);
}

static void no_regular_file(void **state)
{
	(void)state;
	unlink(path);
	is_not_read("the file `F' cannot be read: No such file or directory\n");
	assert_int_equal(mkdir(path, 0700), 0);
	is_not_read("the file `F' cannot be read: Is a directory\n");
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	is_not_read("the file `F' cannot be read: it is no regular file\n");
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	is_not_read("the file `F' cannot be read: it is no regular file\n");
	unlink(path);
	assert_int_equal(symlink(path, path), 0);
	is_not_read("the file `F' cannot be read: Too many levels of symbolic links\n");
}

static void not_safe(void **state)
{
	(void)state;
	chmod(path, 0666);
	is_not_read("others than its owner may write to the file `F' (mode 0666): `chmod go-w' it\n");
	chmod(path, 0620);
	is_not_read("others than its owner may write to the file `F' (mode 0620): `chmod go-w' it\n");
	chmod(path, 0644);
	is_good("queue = 1\n");
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 65534, 0), 0);
	is_not_read("the file `F' belongs to user 65534, who could change what this does: `chown root' it\n");
}

/* In lines. */
static void write_spaces(size_t length)
{
	char *text = unit_alloc(length);

	for (size_t i = 0; i < length; i++)
		text[i] = i % 64 == 63 ? '\n' : ' ';
	write_file(text, length);
	free(text);
}

static void too_long(void **state)
{
	(void)state;
	assert_int_equal(truncate(path, OPTION_LINES_BYTES + 1), 0);
	is_not_read("the file `F' is longer than 1048576 bytes: that is no configuration file\n");
	assert_int_equal(truncate(path, 0), 0);
	write_spaces(OPTION_LINES_BYTES);
	option_default(&stored);
	assert_int_equal(option_file_read(&page, &stored, path), OPTION_GO_ON);
}

/* It does not say how long it is. */
/* What it has is numbers of pages, lines among them as chance will have it: each is bad, and there is an end of it. */
static void endless(void **state)
{
	static const char sentence[] = "the file `/proc/self/pagemap' cannot be read: File too large\n";
	const char *const file = "/proc/self/pagemap";
	size_t length;

	(void)state;
	if (access(file, R_OK) < 0)
		unit_skip("this kernel has no /proc/self/pagemap, or does not let it be read");
	said[0] = '\0';
	option_default(&stored);
	assert_int_equal(option_file_read(&page, &stored, file), EXIT_USAGE);
	length = strlen(said);
	assert_true(length >= strlen(sentence));
	assert_string_equal(said + length - strlen(sentence), sentence);
}

/* ---- the example ---- */

/* "#NAME = VALUE": a key that is not said. */
static bool is_key_line(const char *line)
{
	return line[0] == '#' && line[1] >= 'a' && line[1] <= 'z' && strstr(line, " = ");
}

static void example_says_nothing(void **state)
{
	static struct option_values defaults;

	(void)state;
	option_default(&defaults);
	option_default(&stored);
	assert_int_equal(option_file_read(&page, &stored, EXAMPLE), OPTION_GO_ON);
	assert_string_equal(said, "");
	assert_memory_equal(&stored, &defaults, sizeof(stored));
}

/* Each key once, with a value that can be taken, and what holds without it where that can be said. */
static void example_has_each_key(void **state)
{
	static struct option_values defaults;
	FILE *file = unit_stream(fopen(EXAMPLE, "r"));
	unsigned int seen[OPTION_ROWS_MAX] = { 0 };
	char line[512], name[64];

	(void)state;
	option_default(&defaults);
	while (fgets(line, sizeof(line), file)) {
		const struct option_row *row;
		uint32_t number;

		if (!is_key_line(line))
			continue;
		is_good(line + 1);
		assert_int_equal(sscanf(line, "#%63[a-z-]", name), 1);
		row = option_find(OPTION_OF_RUN, name);
		seen[row - option_rows]++;
		if (option_number(row, &defaults, &number) && !option_same(row, &stored, &defaults))
			fail_msg(EXAMPLE ": not the default: %s", line);
	}
	fclose(file);
	for (unsigned int i = 0; i < option_row_count; i++) {
		const bool key = (option_rows[i].commands & OPTION_OF_RUN) && !option_rows[i].command_line_only;

		if (seen[i] != key && !(key && option_repeats(&option_rows[i]) && seen[i] > 1))
			fail_msg(EXAMPLE " has `%s' %u times", option_rows[i].name, seen[i]);
	}
}

/* ---- the manual ---- */

/* A key's entry: its tag is in @line, what is said of it comes next. */
static void compare_entry(const struct option_row *row, const struct option_values *defaults, const char *text)
{
	char wanted[32];
	uint32_t number;

	if (!strstr(text, "Changes at once.") != !row->live)
		fail_msg(MANUAL ": `%s' %s at once", row->name, row->live ? "changes" : "does not change");
	if (!option_number(row, defaults, &number))
		return;
	snprintf(wanted, sizeof(wanted), "Default %u.", number);
	if (!strstr(text, wanted))
		fail_msg(MANUAL ": `%s' has no `%s'", row->name, wanted);
}

/* Each key once, and whether it changes at once. */
static void manual_has_each_key(void **state)
{
	static struct option_values defaults;
	FILE *file = unit_stream(fopen(MANUAL, "r"));
	const struct option_row *row = NULL; /* of the line before */
	unsigned int seen = 0, keys = 0;
	char line[512], name[64];

	(void)state;
	option_default(&defaults);
	while (fgets(line, sizeof(line), file)) {
		char *to = name;

		if (row)
			compare_entry(row, &defaults, line);
		row = NULL;
		if (strncmp(line, ".BI ", 4) != 0)
			continue;
		for (const char *from = line + 4; *from != ' ' && to < name + sizeof(name) - 1; from++)
			if (*from != '\\')
				*to++ = *from;
		*to = '\0';
		row = option_find(OPTION_OF_RUN, name);
		if (!row || row->command_line_only)
			fail_msg(MANUAL " has `%s', which is no key", name);
		seen++;
	}
	fclose(file);
	for (unsigned int i = 0; i < option_row_count; i++)
		keys += (option_rows[i].commands & OPTION_OF_RUN) && !option_rows[i].command_line_only;
	assert_int_equal(seen, keys);
}

/* ---- once more ---- */

static struct reload reloaded;
static struct attach in_force;
static char logged[TEXT_MAX];

/* reload_again(), and what the log has of it. */
static bool again(const char *text)
{
	FILE *file = unit_stream(tmpfile());
	const int real = dup(STDERR_FILENO);
	bool changed;
	size_t length;

	said[0] = '\0';
	write_file(text, strlen(text));
	dup2(fileno(file), STDERR_FILENO);
	changed = reload_again(&reloaded, &in_force);
	dup2(real, STDERR_FILENO);
	close(real);
	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	length = fread(logged, 1, sizeof(logged) - 1, file);
	logged[length] = '\0';
	fclose(file);
	return changed;
}

static void begin(const char *text)
{
	static char run[] = "run", c[] = "-c";
	static char *argv[] = { run, c, path, NULL };

	is_good(text);
	reloaded = (struct reload){ .page = &page, .argc = 3, .argv = argv };
	assert_int_equal(reload_begin(&reloaded), OPTION_GO_ON);
}

static void log_has(const char *text)
{
	if (!strstr(logged, text))
		fail_msg("the log has no `%s': %s", text, logged);
}

static void a_change_is_taken(void **state)
{
	const struct policy *policy = &reloaded.values.run.policy;

	(void)state;
	begin("queue = 5\nclient-rate = 10\n");
	assert_true(
		again("queue = 5\nclient-rate = 20\nforeign = refuse\nloose = 10.0.0.0/8\nverbose = 2\nports = 7:8\n"
		      "share-exempt = 10.0.0.0/8\nexpect-timeout = 60\nmin-port = 99\n"));
	assert_int_equal(policy->client_rate, 20);
	assert_int_equal(policy->foreign, POLICY_FOREIGN_REFUSE);
	assert_int_equal(policy->loose.count, 1);
	assert_int_equal(policy->exempt_count, 1);
	assert_int_equal(policy->port_high, 8);
	assert_int_equal(reloaded.values.verbose, 2);
	assert_int_equal(reloaded.values.run.expect_timeout, 60);
	log_has("event=reload result=changed");
	log_has(" changed=foreign,loose,min-port,ports,expect-timeout,client-rate,share-exempt,verbose\n");
	assert_null(strstr(logged, "restart"));
	assert_true(again("queue = 5\n"));
	assert_int_equal(policy->foreign, POLICY_FOREIGN_MEND);
	assert_false(again("# nothing new\nqueue = 5\n"));
	log_has("event=reload result=same");
}

static void a_bad_one_changes_nothing(void **state)
{
	static struct option_values before;

	(void)state;
	begin("queue = 5\nclient-rate = 10\n");
	before = reloaded.values;
	assert_false(again("queue = 5\nclient-rate = 20\nfrob = 1\nforeign = no\n"));
	assert_string_equal(said, "F:3: frob: 1: there is no such key; `nfq-ftp-helper run --help' lists them\n"
				  "F:4: foreign: no: this is not possible; it takes mend or refuse\n");
	log_has("event=reload result=refused");
	assert_memory_equal(&reloaded.values, &before, sizeof(before));
	assert_false(again("queue = 5\nclient-rate = 20\nloose = no\nloose = ::1\n"));
	assert_string_equal(said, "F:4: loose: ::1: this contradicts line 3; leave one of the two out\n");
	log_has("event=reload result=refused");
	assert_false(again("queue = 5\nclient-rate = 20\n\v30\n"));
	assert_string_equal(said, "F:3: 30: this is no `NAME = VALUE', such as `queue = 0'\n");
	log_has("event=reload result=refused");
	assert_memory_equal(&reloaded.values, &before, sizeof(before));
	/* What goes wrong only together, and a file that is not one any more. */
	assert_false(again("client-rate = 20\nqueue = 1:2\nsure-queue = 2:3\n"));
	log_has("event=reload result=refused");
	assert_true(strlen(said) > 0);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	said[0] = '\0';
	assert_false(reload_again(&reloaded, &in_force));
	assert_string_equal(said, "the file `F' cannot be read: Is a directory\n");
	assert_memory_equal(&reloaded.values, &before, sizeof(before));
}

/* Of what cannot change in a daemon that runs it is said by name, each time, until it is as it was. */
static void a_restart_is_needed(void **state)
{
	(void)state;
	begin("queue = 5\n");
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(
			again("queue = 6\nmode = kmod\nseqadj = self\nsessions = 1000\nmark = 4\nclient-rate = 9\n"),
			i == 0);
		log_has("event=reload result=restart-needed for=mode,queue,mark,seqadj,sessions rules-too=mode,queue,mark,seqadj "
			"why=");
		assert_int_equal(reloaded.values.run.attach.queues.first, 5);
		assert_int_equal(reloaded.values.run.sessions, 65536);
		assert_int_equal(reloaded.values.run.policy.client_rate, 9);
	}
	assert_true(again("queue = 5\n"));
	assert_null(strstr(logged, "restart"));
}

/* What only rules are made of takes no restart: whoever has put them in place does it again, and it is said once. */
static void rules_are_needed(void **state)
{
	char wanted[512];

	(void)state;
	in_force = (struct attach){ .mode = MODE_QUEUE, .mark = 8, .mark_mask = 8 };
	assert_true(queue_range_set(&in_force.queues, 5, 1));
	begin("queue = 5\n");
	assert_false(again("queue = 5\nport = 21,2121\nzone = 7\ninterface = a:b\nbackend = nft\n"));
	log_has("event=reload result=same ");
	log_has("event=reload result=rules-needed for=backend,port,interface,zone why=");
	snprintf(
		wanted, sizeof(wanted),
		" advice=\"`nfq-ftp-helper rules --apply -c %s --mode queue --backend nft --queue 5 --mark 0x8/0x8 --port 21,2121 "
		"--interface a:b --zone 7', or where systemd has them `systemctl reload nfq-ftp-helper-rules'\"\n",
		path);
	log_has(wanted);
	assert_null(strstr(logged, "restart"));
	assert_true(again("queue = 5\nport = 21,2121\nzone = 7\ninterface = a:b\nbackend = nft\nclient-rate = 9\n"));
	assert_null(strstr(logged, "rules-needed"));
	/* The daemon watches for the helper that carries. */
	begin("queue = 5\n");
	for (unsigned int i = 0; i < 2; i++) {
		assert_false(again("queue = 5\ncarrier = tftp\ninterface = a:b\n"));
		log_has("event=reload result=restart-needed for=carrier rules-too=carrier why=");
		assert_int_equal(strstr(logged, "rules-needed") != NULL, i == 0);
		assert_string_equal(reloaded.values.request.carrier, ATTACH_CARRIER);
	}
	/* A daemon that keeps its rules knows those of its start. */
	begin("queue = 5\nrules = yes\n");
	assert_false(again("queue = 6\nrules = yes\nport = 21,2121\n"));
	log_has("event=reload result=restart-needed for=queue,port why=");
	assert_null(strstr(logged, "rules-"));
	assert_false(again("queue = 5\n"));
	log_has("event=reload result=restart-needed for=rules why=");
}

/* A command that names it can be pasted wherever one stands. */
static void a_file_is_named_from_the_root_on(void **state)
{
	static char run[] = "run", c[] = "-c";
	char *argv[] = { run, c, strrchr(path, '/') + 1, NULL };
	const int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	is_good("queue = 5\n");
	assert_int_equal(chdir("/tmp"), 0);
	assert_int_equal(option_read(&page, &stored, 3, argv), OPTION_GO_ON);
	assert_int_equal(fchdir(here), 0);
	close(here);
	assert_string_equal(stored.file, argv[2]);
	assert_string_equal(stored.request.file, path);
}

/* Whoever reads the file now is not to make the rules of a daemon that is still to be started anew. */
static void rules_are_those_in_force(void **state)
{
	(void)state;
	in_force = (struct attach){ .mode = MODE_QUEUE, .mark = 8, .mark_mask = 8 };
	assert_true(queue_range_set(&in_force.queues, 0, 1));
	begin("client-rate = 9\n");
	assert_false(again(
		"client-rate = 9\nmode = kmod\nqueue = 5:6\nsure-queue = 7:8\nseqadj = kernel\nport = 21,2121\n"));
	log_has(" --mode queue --queue 0 --sure-queue 1 --mark 0x8/0x8 --seqadj auto --port 21,2121', or ");
	assert_true(reloaded.values.request.in_file.queues);
	assert_false(again("client-rate = 9\nport = 22,2121\n"));
	log_has(" --mode queue --mark 0x8/0x8 --port 22,2121', or ");
	assert_false(reloaded.values.request.in_file.queues);
}

static void a_file_is_gone(void **state)
{
	static char run[] = "run";
	static char *argv[] = { run, NULL };
	const char *const before = option_file_usual;

	(void)state;
	is_good("client-rate = 10\n");
	option_file_usual = path;
	reloaded = (struct reload){ .page = &page, .argc = 1, .argv = argv };
	assert_int_equal(reload_begin(&reloaded), OPTION_GO_ON);
	unlink(path);
	assert_false(reload_again(&reloaded, &in_force));
	assert_string_equal(said, "the file `F' is gone\n");
	assert_int_equal(reloaded.values.run.policy.client_rate, 10);
	/* And one comes where there was none. */
	assert_int_equal(reload_begin(&reloaded), OPTION_GO_ON);
	assert_true(again("client-rate = 11\n"));
	assert_int_equal(reloaded.values.run.policy.client_rate, 11);
	option_file_usual = before;
}

static void snapshots_have_numbers(void **state)
{
	static struct settings_place place;
	struct options options;
	struct settings first, news;
	unsigned int version = 0;

	(void)state;
	options_default(&options);
	assert_false(settings_news(&place, &version, &news));
	options.policy.client_rate = 1;
	settings_publish(&place, &options);
	assert_true(settings_news(&place, &version, &first));
	assert_false(settings_news(&place, &version, &news));
	options.policy.client_rate = 2;
	settings_publish(&place, &options);
	assert_int_equal(first.policy.client_rate, 1);
	assert_true(settings_news(&place, &version, &news));
	assert_int_equal(news.policy.client_rate, 2);
	assert_false(settings_news(&place, &version, &news));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_read),
		TEST(has_comments),
		TEST(has_blanks),
		TEST(has_a_long_line),
		TEST(command_line_wins),
		TEST(a_value_says_where_it_stands),
		TEST(usual_place),
		TEST(bad_files),
		TEST(has_a_nul),
		TEST(many_faults),
		TEST(no_regular_file),
		TEST(not_safe),
		TEST(too_long),
		TEST(endless),
		TEST(example_says_nothing),
		TEST(example_has_each_key),
		TEST(manual_has_each_key),
		TEST(a_change_is_taken),
		TEST(a_bad_one_changes_nothing),
		TEST(a_restart_is_needed),
		TEST(rules_are_needed),
		TEST(rules_are_those_in_force),
		TEST(a_file_is_named_from_the_root_on),
		TEST(a_file_is_gone),
		TEST(snapshots_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
