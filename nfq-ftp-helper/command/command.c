// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "output/say.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void print_usage(const struct command commands[], FILE *stream)
{
	fprintf(stream, "Usage: nfq-ftp-helper COMMAND [OPTION]...\n\n");
	for (const struct command *command = commands; command->name; command++) {
		if (command->description)
			fprintf(stream, "  %-12s %s\n", command->name, command->description);
	}
	fprintf(stream, "\n`nfq-ftp-helper COMMAND --help' tells more about one; `--version' prints the version.\n");
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

/* What was to be printed is not, on a full disk: that is no success. */
static int written(int code)
{
	if (code != EXIT_DONE || (fflush(stdout) == 0 && !ferror(stdout)))
		return code;
	say_sentence("standard output cannot be written");
	return EXIT_FAILED;
}

int command_main(const struct command commands[], int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	keep_places();
	/* Its starter may ignore that, as programs do that wait for nobody; then what has become of nft and of trials could not be asked. */
	signal(SIGCHLD, SIG_DFL);
	if (argc < 2) {
		print_usage(commands, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_usage(commands, stdout);
		return written(EXIT_DONE);
	}
	if (strcmp(name, "--version") == 0) {
		printf("nfq-ftp-helper %s\n", VERSION);
		return written(EXIT_DONE);
	}
	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(name, command->name) == 0)
			return written(command->run(argc - 1, argv + 1));
	}
	say_sentence("there is no command `%s'; `nfq-ftp-helper --help' lists them", name);
	return EXIT_USAGE;
}
