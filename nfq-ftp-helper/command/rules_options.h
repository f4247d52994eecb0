/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules_options - what `rules' is told on the command line.
 */
#ifndef COMMAND_RULES_OPTIONS_H
#define COMMAND_RULES_OPTIONS_H

#include "ruleset/request.h"

/**
 * rules_options_parse - read the command line
 * @request: filled in; mode and backend are only what was asked for
 * @argc: as main()'s
 * @argv: likewise
 *
 * What is wrong is said on standard error, in one sentence.
 *
 * Return: 0, or -EINVAL.
 */
int rules_options_parse(struct ruleset_request *request, int argc, char **argv);

/* "21" or "21,2121": @ports is filled in. Return: whether @text is such a list of RULESET_PORTS_MAX at most. */
bool rules_options_ports(const char *text, uint16_t ports[RULESET_PORTS_MAX], unsigned int *count);

/* `rules --help'. */
void rules_options_print_help(void);

#endif
