// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The subcommands that ask the running daemon.
 */
#include "asking/client.h"
#include "asking/tell.h"
#include "command.h"
#include "option.h"
#include "output/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ABOUT_END "Exit codes: 0 answered, 1 nobody answered, or not to the end, 2 wrong usage.\n"

/* A subcommand that asks, and tells what is answered, and no more. */
static const struct asker {
	struct option_page page;
	struct telling telling;
} askers[QUESTIONS] = {
	[QUESTION_STATUS] = {
		.page = {
			.command = OPTION_OF_STATUS,
			.about =
				"Asks the running daemon how it is: its mode, queues, sessions and expectations, what it does a second, and\n"
				"what it has refused, why, and what to do about that.\n",
			.end =
				"Examples:\n"
				"  nfq-ftp-helper status\n"
				"  nfq-ftp-helper status --json | jq '.refusals[] | {reason, count, advice}'\n"
				"  nfq-ftp-helper status --state-dir /run/nfq-ftp-helper.dmz\n\n" ABOUT_END,
		},
		.telling = { .line = tell_status },
	},
	[QUESTION_SESSIONS] = {
		.page = {
			.command = OPTION_OF_SESSIONS,
			.about =
				"Lists the control connections that the running daemon follows: client and server, its state, the last\n"
				"command (no argument of any), how old it is and for how long it has been silent, who adjusts its sequence\n"
				"numbers and by how much, client's and server's, and how many data connections are expected for it.\n",
			.end =
				"Examples:\n"
				"  nfq-ftp-helper sessions --address 10.0.0.0/8 --state ready\n"
				"  nfq-ftp-helper sessions --json | jq -s 'map(select(.idle > 600)) | length'\n\n" ABOUT_END,
		},
		.telling = { .line = tell_kept, .end = tell_sessions_end },
	},
	[QUESTION_EXPECTATIONS] = {
		.page = {
			.command = OPTION_OF_EXPECTATIONS,
			.about =
				"Lists the data connections that the running daemon expects: whose announcement it was, from where to where\n"
				"the connection may come, for how long it has been expected and still is, and who stands behind NAT.\n",
			.end =
				"Examples:\n"
				"  nfq-ftp-helper expectations --address 10.0.0.2\n"
				"  nfq-ftp-helper expectations --json\n\n" ABOUT_END,
		},
		.telling = { .line = tell_kept, .end = tell_expectations_end },
	},
	[QUESTION_FOLLOW] = {
		.page = {
			.command = OPTION_OF_FOLLOW,
			.about =
				"Prints what the running daemon does, as it happens: control connections opened and closed, arguments\n"
				"rewritten, data connections expected and no longer expected, what is refused and why. Until it is ended.\n",
			.end =
				"Examples:\n"
				"  nfq-ftp-helper follow\n"
				"  nfq-ftp-helper follow --json | jq 'select(.event == \"refuse\")'\n\n" ABOUT_END,
		},
		.telling = { .line = tell_event },
	},
};

/* The subcommand has its question's name. */
int command_ask(int argc, char **argv)
{
	struct question question = { .kind = QUESTION_STATUS };
	struct option_values values;
	struct telling telling;
	int code;

	while (strcmp(question_names[question.kind], argv[0]) != 0)
		question.kind++;
	code = option_parse(&askers[question.kind].page, &values, argc, argv);
	if (code != OPTION_GO_ON)
		return code;
	question.filter = values.filter;
	telling = askers[question.kind].telling;
	telling.out = stdout;
	code = client_ask(values.run.state_directory, &question, values.json, &telling) ? EXIT_DONE : EXIT_FAILED;
	json_decref(telling.kept);
	return code;
}

/* ---- metrics ---- */

static int complain_file(const char *path, int error)
{
	say_sentence("the file `%s' cannot be written: %s", path,
		     error == EWOULDBLOCK ? "another run is at it" : strerror(error));
	return EXIT_FAILED;
}

/* What is no file is not replaced by one: a device, /dev/null perhaps, would be gone for all programs. */
static bool may_be_replaced(const char *path)
{
	struct stat status;

	return lstat(path, &status) < 0 || S_ISREG(status.st_mode);
}

/* Room for a dot and the ending. */
#define TEMPORARY_MAX  (OPTION_OUT_MAX + 8)
#define TEMPORARY_PART (NAME_MAX - 5)

/* How often somebody else may have been faster. */
#define TEMPORARY_TRIES 8

/*
 * Beside the file, hidden, and of a name that node_exporter, who reads *.prom, does not look at. Always the same: what a killed run leaves the next one
 * takes away. Of a name that is nearly as long as one may be it has the beginning.
 */
static void temporary_of(const char *path, char temporary[TEMPORARY_MAX])
{
	const char *slash = strrchr(path, '/');
	const int length = slash ? (int)(slash + 1 - path) : 0;

	snprintf(temporary, TEMPORARY_MAX, "%.*s.%.*s.new", length, path, TEMPORARY_PART, path + length);
}

/* Have the file that has this name for oneself. Return: 0, or a negative errno: -EWOULDBLOCK: another run has it; -ENOENT: it has the name no more. */
static int lock(int file, const char *path)
{
	struct stat opened, named;

	if (flock(file, LOCK_EX | LOCK_NB) < 0 || fstat(file, &opened) < 0 || lstat(path, &named) < 0)
		return -errno;
	return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino ? 0 : -ENOENT;
}

/* What has the temporary name. It is never written to: it may be a link, or another user's. Return: 0: it has it no more; or a negative errno. */
static int clear(const char *path)
{
	struct stat status;
	int file = -1, error = 0;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(status.st_mode)) {
		file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		error = file < 0 ? -errno : lock(file, path);
	}
	if (!error && unlink(path) < 0)
		error = -errno;
	if (file >= 0)
		close(file);
	return error == -ENOENT ? 0 : error;
}

/* Return: a file of our own, locked, or a negative errno. */
static int open_temporary(const char *path)
{
	for (unsigned int tries = 0; tries < TEMPORARY_TRIES; tries++) {
		const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		int error = file < 0 ? -errno : lock(file, path);

		if (!error)
			return file;
		if (file >= 0)
			close(file); /* who takes away what is left has taken it for that */
		else if (error == -EEXIST)
			error = clear(path);
		if (file < 0 && error < 0)
			return error;
	}
	return -EWOULDBLOCK;
}

/* Whoever reads the file sees the old one or the new one, whole. */
static int write_textfile(const char *state_directory, const struct question *question, const char *path)
{
	struct telling telling = { .line = tell_older_metric };
	char temporary[TEMPORARY_MAX];
	int file, status = EXIT_FAILED;

	if (!may_be_replaced(path)) {
		say_sentence("`%s' is no regular file, and is not replaced by one; `-' is standard output", path);
		return EXIT_FAILED;
	}
	temporary_of(path, temporary);
	file = open_temporary(temporary);
	if (file < 0)
		return complain_file(path, -file);
	telling.out = fdopen(file, "w");
	if (telling.out && client_ask(state_directory, question, false, &telling))
		status = EXIT_DONE;
	if (!telling.out || ferror(telling.out) || fflush(telling.out) != 0 || fchmod(file, 0644) < 0 ||
	    (status == EXIT_DONE && rename(temporary, path) < 0))
		status = complain_file(path, errno);
	if (status != EXIT_DONE)
		(void)unlink(temporary);
	if (telling.out)
		(void)fclose(telling.out); /* and with it goes the lock */
	return status;
}

int command_metrics(int argc, char **argv)
{
	static const struct option_page page = {
		.command = OPTION_OF_METRICS,
		.about =
			"Prints what the running daemon has counted, and how long packets are in user space, as OpenMetrics text.\n",
		.end = "Examples:\n"
		       "  nfq-ftp-helper metrics\n"
		       "  nfq-ftp-helper metrics --textfile /var/lib/prometheus/node-exporter/nfq-ftp-helper.prom\n"
		       "  nfq-ftp-helper metrics --textfile - | promtool check metrics\n\n" ABOUT_END,
	};
	const struct question question = { .kind = QUESTION_METRICS };
	struct telling telling = { .line = tell_metric, .end = tell_metrics_end, .out = stdout };
	struct option_values values;
	int code = option_parse(&page, &values, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	if (strcmp(values.textfile, "-") == 0)
		telling = (struct telling){ .line = tell_older_metric, .out = stdout };
	else if (values.textfile[0] && !values.json)
		return write_textfile(values.run.state_directory, &question, values.textfile);
	return client_ask(values.run.state_directory, &question, values.json, &telling) ? EXIT_DONE : EXIT_FAILED;
}
