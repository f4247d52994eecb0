/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command - the subcommands: one function each, in the file of its name. main.c has their table; what needs more
 * libraries than the daemon is a program of its own (tools/), which command_tools() becomes.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdio.h>

/* Exit codes of all of them. */
#define EXIT_DONE   0
#define EXIT_FAILED 1
#define EXIT_USAGE  2

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name. Return: an exit code */
	const char *description;	   /* NULL: the usage does not name it */
	unsigned int options;		   /* its bit in the table of options */
};

/**
 * command_main - all of a program's main(): find the subcommand, and run it
 * @commands: the program's; behind the last one without a name
 *
 * Return: an exit code.
 */
int command_main(const struct command commands[], int argc, char **argv);

/* nfq-ftp-helper's own subcommands, likewise. */
extern const struct command command_table[];

int command_run(int argc, char **argv);

struct option_values;

/**
 * command_run_test - `run --test-config': say whether it is good
 * @values: read, each for itself allowed, and going together
 *
 * Return: EXIT_DONE: it is; EXIT_USAGE: it is not, also where that is the machine's fault.
 */
int command_run_test(const struct option_values *values);

int command_rules(int argc, char **argv);
int command_check(int argc, char **argv);

/* Any subcommand that is called after what it asks the daemon. */
int command_ask(int argc, char **argv);

/* For Makefile, so the usage does not name them. */
int command_completion(int argc, char **argv);

/* Any subcommand of the tools: that program takes this one's place, or it is said that it is not there. */
int command_tools(int argc, char **argv);

#endif
