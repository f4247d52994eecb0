/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command - the subcommands: one function each, in the file of its name. main.c has their table.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

/* Exit codes of all of them. */
#define EXIT_DONE   0
#define EXIT_FAILED 1
#define EXIT_USAGE  2

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name. Return: an exit code */
	const char *description;
};

int command_run(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_check(int argc, char **argv);
int command_status(int argc, char **argv);
int command_sessions(int argc, char **argv);
int command_expectations(int argc, char **argv);
int command_follow(int argc, char **argv);
int command_metrics(int argc, char **argv);
int command_top(int argc, char **argv);

#endif
