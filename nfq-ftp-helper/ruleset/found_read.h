/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * found_read - all rules, whoever has made them.
 */
#ifndef RULESET_FOUND_READ_H
#define RULESET_FOUND_READ_H

#include "found.h"

/**
 * found_read - look at all rules
 * @found: zeroed, but for the ports; release it with found_free()
 *
 * Which base chains lead to which chain is worked out, too.
 *
 * Return: 0 or -ENOMEM.
 */
int found_read(struct found *found);

/* Other ports are in question from here on; they must stay. */
void found_read_ports(struct found *found, const struct ports *ports);

#endif
