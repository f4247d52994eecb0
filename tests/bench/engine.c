// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * engine - what the engine costs: nanoseconds and, under callgrind, instructions a packet.
 *
 * scripts/bench runs it and makes a table of what it prints (measure.h).
 */
#include "engine.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS	      300
#define SCALE_PACKETS 3000000

static const char usage[] = "Usage: engine [-r ROUNDS] [-p DIRECTORY] [-m file|anonymous|huge] [-d DIRECTORY]\n"
			    "              [dialogues|captures|scale]...\n"
			    "\n"
			    "  -r ROUNDS     how often each dialogue is repeated\n"
			    "  -p DIRECTORY  where the captures are (default: pcaps)\n"
			    "  -m MEMORY     scale: what the table lies in (default: file)\n"
			    "  -d DIRECTORY  scale: where that file is (default: /dev/shm)\n";

struct options {
	unsigned int rounds;
	const char *captures;
	const char *directory;
	enum stage_memory memory;
};

static void run_dialogues(const struct options *options)
{
	bench_dialogues(options->rounds);
}

static void run_captures(const struct options *options)
{
	bench_captures(options->captures, options->rounds);
}

static void run_scale(const struct options *options)
{
	bench_bytes();
	bench_scale(1000, SCALE_PACKETS, options->memory, options->directory);
	bench_scale(1000000, SCALE_PACKETS, options->memory, options->directory);
}

static const struct {
	const char *name;
	void (*run)(const struct options *options);
} parts[] = {
	{ "dialogues", run_dialogues },
	{ "captures", run_captures },
	{ "scale", run_scale },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

static void __attribute__((noreturn)) wrong(const char *what, const char *value)
{
	fprintf(stderr, "engine: %s: `%s'\n%s", what, value, usage);
	exit(2);
}

static enum stage_memory parse_memory(const char *text)
{
	static const char *const names[] = {
		[STAGE_FILE] = "file",
		[STAGE_ANONYMOUS] = "anonymous",
		[STAGE_HUGE] = "huge",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return (enum stage_memory)i;
	wrong("memory is none of file, anonymous, huge", text);
}

static void run_part(const char *name, const struct options *options)
{
	for (size_t i = 0; i < PARTS; i++) {
		if (strcmp(parts[i].name, name) == 0) {
			parts[i].run(options);
			fflush(stdout);
			return;
		}
	}
	wrong("no such benchmark", name);
}

int main(int argc, char **argv)
{
	struct options options = { .rounds = ROUNDS, .captures = "pcaps", .directory = "/dev/shm" };
	int option;

	while ((option = getopt(argc, argv, "r:p:m:d:")) != -1) {
		if (option == 'r')
			options.rounds = (unsigned int)strtoul(optarg, NULL, 10);
		else if (option == 'p')
			options.captures = optarg;
		else if (option == 'm')
			options.memory = parse_memory(optarg);
		else if (option == 'd')
			options.directory = optarg;
		else
			wrong("usage", "see below");
	}
	if (options.rounds == 0)
		options.rounds = 1;
	for (size_t i = 0; optind == argc && i < PARTS; i++)
		run_part(parts[i].name, &options);
	for (int i = optind; i < argc; i++)
		run_part(argv[i], &options);
	return 0;
}
