// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command commands[] = {
	{ "run", command_run, "follow FTP control connections from an NFQUEUE, in the foreground" },
	{ "replay", command_replay, "put a capture through the same engine, offline" },
	{ "explain", command_explain,
	  "draw the dialogues of a capture as ladders: who says what, what is rewritten and why" },
	{ "rules", command_rules, "print, apply or remove the netfilter rules that a mode needs" },
	{ "check", command_check, "what this machine offers, what is missing, and how to get it" },
	{ "status", command_status, "ask the running daemon how it is" },
	{ "sessions", command_sessions, "list the control connections that it follows" },
	{ "expectations", command_expectations, "list the data connections that it expects" },
	{ "follow", command_follow, "print what it does, as it happens" },
	{ "metrics", command_metrics, "print what it has counted, as OpenMetrics" },
	{ "top", command_top, "show what it follows, again every second" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *stream)
{
	fprintf(stream, "Usage: nfq-ftp-helper COMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].description);
	fprintf(stream, "\n`nfq-ftp-helper COMMAND --help' tells more about one; `--version' prints the version.\n");
}

static int complain(const char *name)
{
	fprintf(stderr, "nfq-ftp-helper: there is no command `%s'; `nfq-ftp-helper --help' lists them\n", name);
	return EXIT_USAGE;
}

/*
 * The next file that is opened takes the place of a standard stream that is closed, and what is said would go there: to a socket, or
 * to a table of sessions. So something else takes it, which can be read only: then whoever writes is told, as if it were closed.
 */
static void keep_places(void)
{
	int file;

	do {
		file = open("/dev/null", O_RDONLY);
	} while (file >= 0 && file <= STDERR_FILENO);
	if (file >= 0)
		close(file);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	keep_places();

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		printf("nfq-ftp-helper %s\n", VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return complain(name);
}
