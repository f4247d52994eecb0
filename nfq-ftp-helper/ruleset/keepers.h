/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepers - programs that keep a machine's rules: what takes theirs away does not last, they have to be told.
 */
#ifndef RULESET_KEEPERS_H
#define RULESET_KEEPERS_H

#include "found.h"

struct keeper {
	const char *name;
	const char *table; /* of nft, which is all theirs; NULL: none */
	const char *chain; /* what the names of their chains begin with, in iptables; NULL: none */
	const char *
		helper_off; /* the command that keeps it from assigning the kernel's own ftp helper; NULL: it does not */
	const char *about;  /* what its reload does, and what it brings */
	const char *advice; /* a command */
};

#define KEEPERS 3
extern const struct keeper keepers[KEEPERS];

/* Whose chain is this? NULL: nobody's that is known here. */
const struct keeper *keepers_of(const struct found_chain *chain);

#endif
