/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - what `run' is told, on the command line and in a file.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "core/session.h"
#include "host/attach.h"

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_PATH_MAX 256

struct options {
	struct attach attach;
	bool unregister;		/* at the end, mode cthelper */
	uint32_t expect_max;		/* expectations of a connection, mode cthelper */
	struct policy policy;
	uint32_t sessions;		/* per queue */
	uint32_t queue_length;
	uint32_t receive_buffer;
	char state_directory[OPTIONS_PATH_MAX];
	char file[OPTIONS_PATH_MAX];	/* -c; "": none */
	unsigned int verbose;
	bool help;
};

/**
 * options_parse - read the command line, and the file it names
 * @options: filled in
 * @argc: as main()'s
 * @argv: likewise
 *
 * What is wrong is said on standard error, in one sentence.
 *
 * Return: 0, or -EINVAL.
 */
int options_parse(struct options *options, int argc, char **argv);

/* `run --help'. */
void options_print_help(void);

#endif
