/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reload - command line and file read once more, for a daemon that runs: the whole of it is checked first, and where anything is wrong what
 * was in force stays in force.
 */
#ifndef COMMAND_RELOAD_H
#define COMMAND_RELOAD_H

#include "option.h"

struct reload {
	const struct option_page *page; /* its complain hears what is wrong */
	int argc;
	char **argv;
	struct option_values values; /* in force, as they were said */
};

/**
 * reload_begin - read them for the first time
 * @reload: page, argc and argv are filled in
 *
 * Return: as option_parse(); where that is OPTION_GO_ON all of it goes together, too.
 */
int reload_begin(struct reload *reload);

/**
 * reload_again - and again
 * @reload: what may change in a daemon that runs is changed, where nothing is wrong
 * @attach: how it is attached
 *
 * The log hears what has changed, what needs a restart to change, or what is wrong.
 *
 * Return: whether anything in force has changed.
 */
bool reload_again(struct reload *reload, const struct attach *attach);

#endif
