/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings - what the rules of this machine, ours and others', mean for FTP control connections.
 */
#ifndef RULESET_FINDINGS_H
#define RULESET_FINDINGS_H

#include "finding.h"

/* Look at all rules. @mark_mask: our bits of the connmark; 0: those of our rules. Return: 0 or -ENOMEM. */
int findings_look(struct findings *findings, const struct ports *ports, uint32_t mark_mask);

#endif
