/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings - what the rules of this machine, ours and others', mean for FTP control connections.
 */
#ifndef RULESET_FINDINGS_H
#define RULESET_FINDINGS_H

#include "finding.h"
#include "host/attach.h"

/* Look at all rules. @asked: rules that are to be, for the mark; NULL: the present ones. Return: 0 or -ENOMEM. */
int findings_look(struct findings *findings, const struct ports *ports, const struct attach *asked);

#endif
