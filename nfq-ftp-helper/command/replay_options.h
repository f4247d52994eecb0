/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay_options - the command line of replay.
 */
#ifndef COMMAND_REPLAY_OPTIONS_H
#define COMMAND_REPLAY_OPTIONS_H

#include "core/conntrack.h"

#define NAT_MAX 256

struct nat_option {
	struct endpoint inside, outside;
};

struct replay_options {
	const char *in;
	const char *out;		/* NULL: nothing is to be written */
	enum seqadj_by seqadj_by;
	bool json;
	bool loose;
	bool help;
	bool port_given;
	uint32_t nat_count;
	struct nat_option nat[NAT_MAX];
	uint8_t ports[65536 / 8];	/* control ports, a bit each */
};

/**
 * replay_options_parse - read the command line
 * @options: filled in; in is NULL where only help is asked for
 * @argc: as main() has it
 * @argv: as main() has it, from the command's own name on; kept by @options
 *
 * Return: 0, or -EINVAL when it is wrong, which has been said on stderr.
 */
int replay_options_parse(struct replay_options *options, int argc, char **argv);

void replay_options_print_usage(void);

static inline bool replay_options_port(const struct replay_options *options, uint16_t port)
{
	return options->ports[port / 8] & 1 << port % 8;
}

#endif
