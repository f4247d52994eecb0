// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The subcommands that ask the running daemon.
 */
#include "asking/client.h"
#include "asking/tell.h"
#include "command.h"
#include "option.h"
#include "output/say.h"
#include "output/whole.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

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
	[QUESTION_METRICS] = {
		.page = {
			.command = OPTION_OF_METRICS,
			.about =
				"Prints what the running daemon has counted, and how long packets are in user space, as OpenMetrics text.\n",
			.end =
				"Examples:\n"
				"  nfq-ftp-helper metrics\n"
				"  nfq-ftp-helper metrics --textfile /var/lib/prometheus/node-exporter/nfq-ftp-helper.prom\n"
				"  nfq-ftp-helper metrics --textfile - | promtool check metrics\n\n" ABOUT_END,
		},
		.telling = { .line = tell_metric, .end = tell_metrics_end },
	},
};

/* ---- a file of metrics ---- */

/* What is no file is not replaced by one: a device, /dev/null perhaps, would be gone for all programs. */
static bool may_be_replaced(const char *path)
{
	struct stat status;

	return lstat(path, &status) < 0 || S_ISREG(status.st_mode);
}

/* Whoever reads the file, whatever his group, sees the old one or the new one, whole. */
static int write_textfile(const char *state_directory, const struct question *question, const char *path)
{
	struct telling telling = { .line = tell_older_metric };
	struct whole whole;
	bool told = false;
	int error, written;

	if (!may_be_replaced(path)) {
		say_sentence("`%s' is no regular file, and is not replaced by one; `-' is standard output", path);
		return EXIT_FAILED;
	}
	error = whole_begin_anew(&whole, path);
	if (!error) {
		telling.out = whole.file;
		told = client_ask(state_directory, question, false, &telling);
		error = fchmod(fileno(whole.file), 0644) < 0 ? -errno : 0;
		written = whole_end(&whole, told && !error);
		error = error ? error : written;
	}
	if (error)
		say_sentence("the file `%s' cannot be written: %s", path, strerror(-error));
	return told && !error ? EXIT_DONE : EXIT_FAILED;
}

/* ---- all of them ---- */

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
	if (strcmp(values.textfile, "-") == 0)
		telling = (struct telling){ .line = tell_older_metric };
	else if (values.textfile[0] && !values.json)
		return write_textfile(values.run.state_directory, &question, values.textfile);
	telling.out = stdout;
	code = client_ask(values.run.state_directory, &question, values.json, &telling) ? EXIT_DONE : EXIT_FAILED;
	json_decref(telling.kept);
	return code;
}
