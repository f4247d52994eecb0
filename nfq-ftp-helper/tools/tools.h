/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tools - what needs more libraries than the daemon, to read captures or to draw on a terminal: a program of its own, nfq-ftp-helper-tools,
 * which nfq-ftp-helper becomes (command/tools.c). It has its subcommands' options and words from command/, asks the daemon as others do
 * (asking/), and alone uses explain/, playback/, capture/ and model/.
 */
#ifndef TOOLS_TOOLS_H
#define TOOLS_TOOLS_H

#include "command/option.h"
#include "output/whole.h"

/* As the functions of command/command.h. */
int tools_replay(int argc, char **argv);
int tools_explain(int argc, char **argv);
int tools_top(int argc, char **argv);

/**
 * tools_live - explain, of sessions of the running daemon: draw those of options->live, until they have ended, the time is over, or somebody ends it
 * @options: of explain
 * @whole: where to; text as it comes, once the daemon has answered, pictures at the end
 *
 * What is wrong is said on standard error.
 *
 * Return: 0 or a negative errno.
 */
int tools_live(const struct option_values *options, struct whole *whole);

#endif
