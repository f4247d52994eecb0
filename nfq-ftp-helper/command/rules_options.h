/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules_options - what `rules' is told on the command line.
 */
#ifndef COMMAND_RULES_OPTIONS_H
#define COMMAND_RULES_OPTIONS_H

#include "daemon/options.h"
#include "ruleset/backend.h"

enum rules_action {
	RULES_PRINT,
	RULES_APPLY,
	RULES_REMOVE,
};

struct rules_options {
	enum rules_action action;
	bool help;
	const struct backend *backend; /* NULL: none is named */
	struct options run;	       /* of which rules share `attach' */
	struct request request;
};

/**
 * rules_options_parse - read the command line
 * @options: filled in; mode and backend are only what was asked for, and sure queues likewise
 * @argc: as main()'s
 * @argv: likewise
 *
 * What is wrong is said on standard error, in one sentence.
 *
 * Return: 0, or -EINVAL.
 */
int rules_options_parse(struct rules_options *options, int argc, char **argv);

/* `rules --help'. */
void rules_options_print_help(void);

#endif
