// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "check/check.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"Usage: nfq-ftp-helper check [OPTION]...\n"
	"\n"
	"Finds out which modes can run here and why others cannot, by trying in a network namespace of its own, and\n"
	"what stands in FTP's way in the present one: the most important cause first, with the command that mends it.\n"
	"\n"
	"  --port PORT,...   control ports; default 21\n"
	"  --json            one JSON object\n"
	"  --help            print this\n"
	"\n"
	"Exit codes: 0 a mode can run, 1 none can, 2 wrong usage.\n";

struct check_options {
	bool json;
	bool help;
};

/* getopt has said what is wrong, or this does. */
static int parse(struct check_options *options, struct check_report *report, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "port", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		options->json |= option == 'j';
		options->help |= option == 'h';
		if (option == '?')
			return -EINVAL;
		if (option == 'p' && !ports_parse(optarg, &report->ports)) {
			fprintf(stderr, "check: --port `%s' is not possible: it takes " PORTS_ALLOWED "\n", optarg);
			return -EINVAL;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "check: only options are taken, not `%s'\n", argv[optind]);
	return -EINVAL;
}

int command_check(int argc, char **argv)
{
	static struct check_report report = { .ports = PORTS_DEFAULT };
	struct check_options options = { 0 };

	if (parse(&options, &report, argc, argv) < 0)
		return EXIT_USAGE;
	if (options.help) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	check_rights(&report);
	check_kernel(&report);
	check_setup(&report);
	if (options.json)
		check_print_json(&report);
	else
		check_print(&report);
	return report.can[MODE_QUEUE] || report.can[MODE_CTHELPER] || report.can[MODE_KMOD] ? EXIT_DONE : EXIT_FAILED;
}
