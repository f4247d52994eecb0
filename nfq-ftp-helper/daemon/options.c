// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line is read twice, around the file: first for what it says about the file, then for all the rest, so
 * that it wins.
 */
#include "options.h"

#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#define COMPLAINT_MAX 512

/* Long options are numbered from here on, behind all letters. */
#define LONG_BASE 256

struct parser {
	const struct setting *settings;
	unsigned int count;
	struct option longs[SETTINGS_MAX + 1];
	char shorts[2 * SETTINGS_MAX + 2];
};

/* @parser is zeroed. */
static void build_parser(struct parser *parser)
{
	char *letters = parser->shorts;

	parser->settings = settings_table(&parser->count);
	*letters++ = ':';
	for (unsigned int i = 0; i < parser->count; i++) {
		const struct setting *setting = &parser->settings[i];

		parser->longs[i] = (struct option){
			.name = setting->name,
			.has_arg = setting->argument ? required_argument : no_argument,
			.val = LONG_BASE + (int)i,
		};
		if (!setting->letter)
			continue;
		*letters++ = setting->letter;
		if (setting->argument)
			*letters++ = ':';
	}
}

static const struct setting *setting_of(const struct parser *parser, int option)
{
	if (option >= LONG_BASE)
		return &parser->settings[option - LONG_BASE];
	for (unsigned int i = 0; i < parser->count; i++) {
		if (parser->settings[i].letter == option)
			return &parser->settings[i];
	}
	return NULL;
}

static int complain_option(int result, char **argv)
{
	const char *option = argv[optind - 1];

	if (result == ':')
		fprintf(stderr, "nfq-ftp-helper: `%s' needs a value; `nfq-ftp-helper run --help' tells which\n",
			option);
	else
		fprintf(stderr, "nfq-ftp-helper: `%s' is no option; `nfq-ftp-helper run --help' lists them\n", option);
	return -EINVAL;
}

/* Read the command line. Of a first reading, only the file's name and the call for help stay. */
static int parse_line(const struct parser *parser, struct options *options, int argc, char **argv)
{
	int result;

	optind = 0;	/* glibc: start anew */
	opterr = 0;
	while ((result = getopt_long(argc, argv, parser->shorts, parser->longs, NULL)) != -1) {
		const struct setting *setting = setting_of(parser, result);

		if (!setting)
			return complain_option(result, argv);
		if (setting->set(options, setting->argument ? optarg : "yes"))
			continue;
		fprintf(stderr, "nfq-ftp-helper: --%s `%s' is not possible: it takes %s\n", setting->name, optarg,
			setting->allowed);
		return -EINVAL;
	}
	if (optind < argc) {
		fprintf(stderr, "nfq-ftp-helper: `run' takes options only, not `%s'\n", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

struct file_reading {
	struct options *options;
	char complaint[COMPLAINT_MAX];	/* the first one; "": none */
};

/* A line of the file; the return value is libinih's: 0 for an error. */
static int set_from_file(void *context, const char *section, const char *name, const char *value)
{
	struct file_reading *reading = context;
	const struct setting *setting = settings_find(name);

	if (reading->complaint[0])
		return 1;
	if (section[0] && strcmp(section, "run") != 0)
		snprintf(reading->complaint, COMPLAINT_MAX, "section `%s' is not known, only `run' is", section);
	else if (!setting || setting->set == settings_find("config")->set || setting->set == settings_find("help")->set)
		snprintf(reading->complaint, COMPLAINT_MAX, "`%s' is no setting; `nfq-ftp-helper run --help' lists "
			 "them", name);
	else if (!setting->set(reading->options, value))
		snprintf(reading->complaint, COMPLAINT_MAX, "%s = `%s' is not possible: it takes %s", name, value,
			 setting->allowed);
	return reading->complaint[0] == '\0';
}

static int parse_file(struct options *options, const char *path)
{
	struct file_reading reading = { .options = options };
	int line = ini_parse(path, set_from_file, &reading);

	if (line == 0)
		return 0;
	if (line < 0)
		fprintf(stderr, "nfq-ftp-helper: the file `%s' cannot be read: %s\n", path, strerror(errno));
	else
		fprintf(stderr, "nfq-ftp-helper: %s:%d: %s\n", path, line,
			reading.complaint[0] ? reading.complaint : "this is not `NAME = VALUE'");
	return -EINVAL;
}

/* What no single option can know. */
static int check_queues(const struct attach *attach)
{
	char text[ATTACH_COMPLAINT_MAX];
	const char *complaint = attach_complaint(attach, text);

	if (complaint)
		fprintf(stderr, "nfq-ftp-helper: %s\n", complaint);
	return complaint ? -EINVAL : 0;
}

int options_parse(struct options *options, int argc, char **argv)
{
	struct parser parser = { 0 };
	struct options first;
	int error;

	build_parser(&parser);
	settings_default(&first);
	settings_default(options);
	error = parse_line(&parser, &first, argc, argv);
	if (!error && first.file[0] && !first.help) {
		error = parse_file(options, first.file);
		/* -v on the command line counts from nothing, whatever the file says. */
		if (first.verbose)
			options->verbose = 0;
	}
	if (!error)
		error = parse_line(&parser, options, argc, argv);
	return error ? error : check_queues(&options->attach);
}

void options_print_help(void)
{
	unsigned int count;
	const struct setting *settings = settings_table(&count);

	printf("Usage: nfq-ftp-helper run [OPTION]...\n\n"
	       "Follows FTP control connections that NFQUEUE rules hand over, rewrites the addresses in them where\n"
	       "NAT takes place, and tells conntrack which data connections to expect. Runs in the foreground.\n\n");
	for (unsigned int i = 0; i < count; i++) {
		const struct setting *setting = &settings[i];
		char option[64];

		snprintf(option, sizeof(option), "--%s%s%s", setting->name, setting->argument ? " " : "",
			 setting->argument ? setting->argument : "");
		printf("  %c%c%s %-26s %s\n", setting->letter ? '-' : ' ', setting->letter ? setting->letter : ' ',
		       setting->letter ? "," : " ", option, setting->help);
	}
	printf("\nSignals: SIGTERM and SIGINT end it, SIGUSR1 logs its counters.\n"
	       "Exit codes: 0 ended by a signal, 1 failed, 2 wrong usage.\n");
}
