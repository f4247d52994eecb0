/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * option_file - the configuration file: `NAME = VALUE' lines with the names of run's long options, whichever subcommand reads it.
 */
#ifndef COMMAND_OPTION_FILE_H
#define COMMAND_OPTION_FILE_H

#include "option.h"

/* So many faults of a file are told one by one, and the others counted. */
#define OPTION_FILE_FAULTS 50

/* Where it is when nobody names another: Makefile's sysconfdir. A variable for tests. */
extern const char *option_file_usual;

/**
 * option_file_read - read and check a file
 * @page: who hears what is wrong, each fault as a sentence of its own: "FILE:LINE: NAME: VALUE: what is wrong, and what would be right"
 * @values: what it says is stored there
 * @path: of a regular file that belongs to root or the program's user, and to which nobody else may write
 *
 * Return: OPTION_GO_ON, or the exit code to end with.
 */
int option_file_read(const struct option_page *page, struct option_values *values, const char *path);

#endif
