// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{ "run", command_run, "follow FTP control connections from an NFQUEUE, in the foreground" },
	{ "replay", command_replay, "put a capture through the same engine, offline" },
	{ "rules", command_rules, "print, apply or remove the netfilter rules that a mode needs" },
	{ "check", command_check, "what this machine offers, what is missing, and how to get it" },
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

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

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
